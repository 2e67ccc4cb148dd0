"""L_train and L_test with many features against training time: by d/n, and by the size of σ's nonlinear part."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rfsim.claims import Results
from rfsim.disk import store
from rfsim.plotting import LOSS_LOOKS, MARKER_COLOR, canvas, legend_above, sequence, styled
from rfsim.problem.diffusion import noise_variance

STYLE = "paper"
LOSSES = ("test", "train")


def wide_limit(results: Results) -> Figure:
    figure, axes = canvas(1, 2, style=STYLE, width="double", aspect=0.75)
    with styled(STYLE):
        by_samples = {1 / _samples(one): one for name, one in results.items() if name.startswith("d-")}
        by_size = {float(one.v2 / one.a**2): one for name, one in results.items() if name.startswith("v-")}
        _losses(axes[0, 0], by_samples, "$d/n={:g}$")
        _losses(axes[0, 1], by_size, "$v^2/a^2={:.2g}$")
        for ax, letter in zip(axes[0], "ab", strict=True):
            ax.set_title(f"({letter})", loc="right")
        s = store.settings(results["d-120"])
        line = rf"$t={s['diffusion_time']:g}$, {s['data']} data, $\psi_p\to\infty$ after $d\to\infty$"
        figure.suptitle(rf"{line}; (a) $\sigma=h_1+h_4/\sqrt{{12}}$; (b) $d/n=1/2$", x=0.01, ha="left")
    return figure


def _samples(result) -> float:
    return float(store.settings(result)["samples_per_dim"])


def _losses(ax: Axes, found: dict, words: str) -> None:
    handles = []
    for (value, one), color in zip(sorted(found.items()), sequence(len(found)), strict=True):
        shown = one.isel(train_time=slice(None, -1))
        rate = 2 * noise_variance(float(store.settings(one)["diffusion_time"])) * float(one.a) ** 2
        for name in LOSSES:
            ax.plot(shown.train_time * rate, shown[name], color=color, linestyle=LOSS_LOOKS[name].dash)
        ax.axhline(float(one.test[-1]), color=MARKER_COLOR, linestyle=":", linewidth=0.8, zorder=0.5)
        handles.append(Line2D([], [], color=color, label=words.format(value)))
    ax.set_xscale("log")
    ax.set_ylim(0, None)
    ax.set_xlabel(r"training time $\theta=2\Delta a^2\tau$")
    ax.set_ylabel("loss")
    looks = [
        Line2D([], [], color=MARKER_COLOR, linestyle=LOSS_LOOKS[one].dash, label=LOSS_LOOKS[one].label)
        for one in LOSSES
    ]
    legend_above(ax, [*handles, *looks])


DRAW = {"wide-limit": wide_limit}
