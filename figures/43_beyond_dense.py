"""10⁵ features on the d → ∞ theory: spectrum with the Lanczos density over it, losses, and gaps against d."""

from __future__ import annotations

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rfsim.claims import Results
from rfsim.disk import store
from rfsim.plotting import (
    LOSS_LOOKS,
    canvas,
    legend_above,
    limit_handle,
    limit_losses,
    limit_spectrum_panel,
    loss_panel,
    problem_line,
    spectrum_panel,
    styled,
)
from rfsim.plotting.density import density_line

STYLE = "paper"
LOSSES = ("train", "test")


def beyond_dense(results: Results) -> Figure:
    figure, axes = canvas(2, 2, style=STYLE, width="double", aspect=0.66)
    limit, lanczos = results["theory"], results["lanczos"]
    found = [result for name, result in results.items() if name.startswith("d-")]
    found.sort(key=_dimension)
    largest = found[-1]
    with styled(STYLE):
        spectrum_panel(axes[0, 0], largest, seed=int(largest.seed[0]))
        limit_spectrum_panel(axes[0, 1], limit, also=[Line2D([], [], color="black", label="Lanczos")])
        density_line(axes[0, 1], lanczos)
        for ax in axes[0]:
            ax.set_yscale("log")
            ax.set_ylim(1e-5, 3)
            ax.set_xlim(0.8 * float(lanczos.eigenvalue[0]), 1.2 * float(lanczos.eigenvalue[-1]))
        loss_panel(axes[1, 0], largest, LOSSES, flags=(), also=[limit_handle()])
        for name in LOSSES:
            limit_losses(axes[1, 0], limit, name)
        _gaps(axes[1, 1], found, limit)
        for ax, letter in zip(axes.ravel(), "abcd", strict=True):
            ax.set_title(f"({letter})", loc="right")
        p, width = store.settings(lanczos)["p"], float(lanczos.density_width)
        told = f"(a), (c): $p={store.settings(largest)['p']}$; (b): Lanczos at $p={p}$, spread over {width:g}"
        figure.suptitle(", ".join(problem_line(largest)) + "\n" + told + r" in $\ln\lambda$", x=0.01, ha="left")
    return figure


def _dimension(result: xr.Dataset) -> int:
    return int(store.settings(result)["dim"])


def _gaps(ax: Axes, found: list[xr.Dataset], limit: xr.Dataset) -> None:
    """The largest difference of each seed's loss from the limit over all times, relative above 1, and their mean."""
    dims = np.array([_dimension(one) for one in found])
    handles = []
    for name in LOSSES:
        look, exact = LOSS_LOOKS[name], limit[name].values
        size = np.maximum(1.0, np.abs(exact))
        each = [np.max(np.abs(one[name].values - exact) / size, axis=1) for one in found]
        mean = [values.mean() for values in each]
        for d, values in zip(dims, each, strict=True):
            ax.plot([d] * len(values), values, "o", color=look.color, markersize=2, fillstyle="none")
        handles += ax.plot(dims, mean, color=look.color, linestyle=look.dash, marker=look.marker, label=look.label)
    width = 0.5 * matplotlib.rcParams["lines.linewidth"]
    handles += ax.plot(dims, 1 / dims, color="black", linewidth=width, linestyle=":", label="$1/d$")
    ax.set(xscale="log", yscale="log")
    ax.set_xticks(dims, [str(d) for d in dims])
    ax.set_xticks([], minor=True)
    ax.set_xlabel("dimension $d$")
    ax.set_ylabel("largest gap to the limit")
    legend_above(ax, handles)


DRAW = {"beyond-dense": beyond_dense}
