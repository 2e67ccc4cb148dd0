"""L_gen over (ψ_n, ψ_p) at two training times, with p = n and the lines τ_mem = τ and τ_mini = τ: B25 Fig. 5C."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from rfsim.claims import Results
from rfsim.disk import store
from rfsim.plotting import LOSS_LOOKS, canvas, styled

STYLE = "paper"
SHOWN = (0.01, 3.0)  # of L_gen; what lies outside has the color of the end
BORDER = {"color": "#FF7F3F", "linestyle": "-", "label": "half of its final value"}
LINES = {
    "tau_mem": {"color": "white", "linestyle": (0, (4, 2)), "label": r"$\tau_\mathrm{mem}=\tau$ (B25)"},
    "tau_mini": {"color": "white", "linestyle": "-", "label": r"$\tau_\mathrm{mini}=\tau$"},
}


def diagram(results: Results) -> Figure:
    result = results["map"]
    psi_n, psi_p = result.samples_per_dim.values, result.features_per_dim.values
    times = [tau for tau in result.train_time.values if np.isfinite(tau)]
    final = result.gen.sel(train_time=np.inf)
    figure, (panels,) = canvas(1, 2, style=STYLE, width="double", aspect=0.8)
    with styled(STYLE):
        for ax, tau in zip(panels, times, strict=True):
            gen = result.gen.sel(train_time=tau)
            colors = ax.pcolormesh(
                psi_n,
                psi_p,
                np.clip(gen.values.T, *SHOWN),
                norm=LogNorm(*SHOWN),
                cmap="cividis",
                shading="gouraud",
                rasterized=True,
            )
            ax.plot(psi_n, psi_n, color="white", linestyle=":")
            for name, look in LINES.items():
                level = {"levels": [0.0], "colors": look["color"], "linestyles": [look["linestyle"]]}
                ax.contour(psi_n, psi_p, np.log(result[name].values / tau).T, **level)
            ax.contour(psi_n, psi_p, (gen / final).values.T, levels=[0.5], colors=BORDER["color"])
            _logarithmic(ax)
            ax.set_title(rf"$\tau=10^{{{round(np.log10(tau))}}}$", loc="left")
        panels[0].set_ylabel(r"features per dimension $\psi_p$")
        bar = figure.colorbar(colors, ax=panels, extend="both", pad=0.02)
        bar.set_label(f"{LOSS_LOOKS['gen'].label} per dimension")
        bar.ax.yaxis.set_major_formatter("{x:g}")
        handles = [Line2D([], [], **BORDER)]
        handles += [Line2D([], [], **look) for look in LINES.values()]
        handles.append(Line2D([], [], color="white", linestyle=":", label="$p=n$"))
        legend = panels[-1].legend(handles=handles, loc="lower right")
        for text in legend.get_texts():
            text.set_color("white")
        s = store.settings(result)
        line = rf"$t={s['diffusion_time']:g}$, $\sigma=\mathrm{{{s['activation']}}}$, {s['data']} data, $d\to\infty$"
        figure.suptitle(line, x=0.01, ha="left")
    return figure


def _logarithmic(ax: Axes) -> None:
    ax.set(xscale="log", yscale="log")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(LogLocator(base=2))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())
    ax.set_xlabel(r"samples per dimension $\psi_n$")


DRAW = {"b25-fig5c": diagram}
