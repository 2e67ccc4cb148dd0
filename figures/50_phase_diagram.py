"""L_gen over (ψ_n, ψ_p) from samples and in the limit, with the borders of both; and how far one is from the other."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from rfsim.claims import Results, border, extrapolated
from rfsim.disk import store
from rfsim.plotting import (
    BORDER_COLOR,
    LOSS_LOOKS,
    canvas,
    color_bar,
    diagonal,
    legend_above,
    legend_below,
    mark_handles,
    on_colors,
    plane_line,
    plane_panel,
    sequence,
    styled,
)
from rfsim.plotting.sweep_axes import assigned

STYLE = "paper"
SHOWN = (0.01, 3.0)  # of L_gen; what lies outside has the color of the end
HALO = "#222222"
POINTS = {"marker": "o", "color": "white", "markeredgecolor": HALO, "markeredgewidth": 0.6, "markersize": 4}


def _share(gen: xr.DataArray, tau: float) -> xr.DataArray:
    """L_gen over its value at τ = ∞ where p > n, (features, samples)."""
    share = (gen.sel(train_time=tau) / gen.sel(train_time=np.inf)).where(gen.features_per_dim > gen.samples_per_dim)
    return share.transpose("features_per_dim", "samples_per_dim")


def phase_diagram(results: Results) -> Figure:
    samples, limit = results["samples"], results["limit-map"]
    dims = samples.dim.values.tolist()
    drawn = samples.gen.isel(dim=-1).mean("seed")
    times = [tau for tau in samples.train_time.values.tolist() if np.isfinite(tau)]
    norm, marks = LogNorm(*SHOWN), set()
    figure, axes = canvas(len(times), 3, style=STYLE, width="double", aspect=0.75)
    with styled(STYLE):
        for row, tau in zip(axes, times, strict=True):
            last = tau == times[-1]
            for ax, gen in zip(row, (drawn, limit.gen), strict=False):
                values = gen.sel(train_time=tau).transpose("features_per_dim", "samples_per_dim")
                marks |= plane_panel(ax, values.clip(*SHOWN), norm, below=last)
                if gen is drawn:
                    ax.set_yticks(values.features_per_dim.values[::2])  # all of them would touch
                ax.set_ylabel(ax.get_ylabel() if gen is drawn else "")
                plane_line(ax, _share(limit.gen, tau), 0.5)
                diagonal(ax)
                found = border(_share(drawn, tau), 2.0)
                ax.plot(list(found.values()), list(found), linestyle="", **POINTS)
                name = rf"samples, $d={dims[-1]}$" if gen is drawn else r"limit, $d\to\infty$"
                ax.set_title(f"{assigned('train_time', tau)}, {name}", loc="left")
            _distances(row[2], results, tau, below=last)
        color_bar(figure, axes[:, :2].ravel().tolist(), norm, f"{LOSS_LOOKS['gen'].label} per dimension")
        handles = [
            Line2D([], [], color=BORDER_COLOR, label="half of the final value, limit"),
            Line2D([], [], linestyle="", label="the same, samples", **POINTS),
            on_colors("$p=n$", dash=(0, (2, 1.2))),
        ]
        legend_below(figure, [*handles, *mark_handles(marks)])
        s = store.settings(samples)["problem"]
        count = samples.sizes["seed"]
        line = rf"$t={s['diffusion_time']:g}$, $\sigma=\mathrm{{{s['activation']}}}$, {s['data']} data, {count} seeds"
        figure.suptitle(line, x=0.01, ha="left")
    return figure


def _distances(ax: Axes, results: Results, tau: float, *, below: bool) -> None:
    """Relative distance of samples from the limit, cell by cell, at both dimensions and with the 1/d term away."""
    gen, limit = (results[name].gen.sel(train_time=tau) for name in ("samples", "limit"))
    found = extrapolated(gen)
    dims = gen.dim.values.tolist()
    colors = sequence(3)
    x = limit.values.ravel()
    for d, color, marker in zip(dims, colors, ("s", "D"), strict=False):
        y = 100 * (gen.sel(dim=d).mean("seed") / limit - 1).values.ravel()
        ax.plot(x, y, marker, color=color, markersize=2, label=f"$d={d}$")
    y, error = (100 * one.values.ravel() for one in (found.value / limit - 1, found.error / limit))
    label = rf"$2L({dims[-1]})-L({dims[0]})$"
    ax.errorbar(x, y, error, color=colors[2], marker="o", linestyle="", markersize=2, linewidth=0.5, label=label)
    ax.axhline(0, color="black", linewidth=0.6)
    ax.set_xscale("log")
    ax.set_ylabel("from the limit (%)")
    ax.set_ylim(-40, 40)
    ax.set_xlabel(rf"{LOSS_LOOKS['gen'].label} of the limit" if below else "")
    ax.xaxis.set_major_locator(LogLocator(numticks=6))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())
    if tau == results["samples"].train_time.values[0]:
        legend_above(ax, ax.get_legend_handles_labels()[0], handle_length=0.8)


DRAW = {"phase-diagram": phase_diagram}
