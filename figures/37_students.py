"""Students over the ridge, by teacher time: L_test, the error of the map, energy on mini and on gen."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rfsim.claims import Results
from rfsim.plotting import canvas, legend_above, ridge_axis, sequence, styled

STYLE = "paper"
DOTS = (0, (1, 1))
MARKERS = ("o", "s", "^", "D")
LEVEL = 2
PANELS = {
    "test": r"$\mathcal{L}_\mathrm{test}$ as a score",
    "map_error": "error of the map",
    "mini": "energy on mini over the teacher's",
    "gen": "energy on gen over the teacher's",
}


def students(results: Results) -> Figure:
    figure, axes = canvas(2, 2, style=STYLE, width="double", aspect=0.7)
    limits = {float(name.removeprefix("limit-")): one for name, one in results.items() if name.startswith("limit-")}
    with styled(STYLE):
        for ax, (name, words) in zip(axes.ravel(), PANELS.items(), strict=True):
            handles = _panel(ax, results, limits, name)
            ax.set_ylabel(words)
            if name != "gen":
                ax.set_yscale("log")
            if ax is axes[0, 0]:
                legend_above(ax, handles)
        figure.suptitle(
            r"$\psi_n=8$, $\psi_p=32$, $t=0.1$ over $0.025$, two levels; lines $d\to\infty$", x=0.01, ha="left"
        )
    return figure


def _panel(ax: Axes, results: Results, limits: dict[float, xr.Dataset], name: str) -> list[Line2D]:
    times = sorted(limits)
    ridges = limits[times[0]].ridge.values
    at, handles, dims = ridge_axis(ax, ridges), [], sorted({_of(label)[0] for label in _sampled(results)})
    for teacher, color in zip(times, sequence(len(times)), strict=True):
        limit = limits[teacher].sel(step=LEVEL, distill_time=math.inf)
        line = limit[name] if name in limit else limit.suppression.sel(part=name)
        label = r"$\tau=\infty$" if math.isinf(teacher) else rf"$\tau=10^{{{math.log10(teacher):g}}}$"
        handles += ax.plot(at, line.values, color=color, label=label)
        for label in _sampled(results):
            dim, own = _of(label)
            if own != teacher:
                continue
            one = results[label].sel(level=LEVEL, distill_time=math.inf)
            found = one[f"student_{name}"] if name in limit else one.suppression.sel(part=name)
            mean = found.mean("seed").values
            ax.plot(
                at, mean, color=color, linestyle="", marker=MARKERS[dims.index(dim)], markersize=3, fillstyle="none"
            )
    for dim, marker in zip(dims, MARKERS, strict=False):
        handles.append(Line2D([], [], color="black", linestyle="", marker=marker, fillstyle="none", label=f"$d={dim}$"))
    return handles


def _sampled(results: Results) -> list[str]:
    return [label for label in results if not label.startswith("limit-")]


def _of(label: str) -> tuple[int, float]:
    """dim and the teacher's train_time; those of `leakage` are memorized."""
    _, dim, *time = label.split("-")
    return int(dim), float(time[0]) if time else np.inf


DRAW = {"students": students}
