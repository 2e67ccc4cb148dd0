"""Linear scores of two halves: how far apart they sample, against their samples and along each direction."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from rfsim.disk import store
from rfsim.plotting.curves import MANY
from rfsim.plotting.forms import ready
from rfsim.plotting.layout import Flag, flags_above
from rfsim.plotting.legends import legend_above
from rfsim.plotting.looks import MODEL_LOOKS, Look
from rfsim.plotting.pages import Page
from rfsim.plotting.style import in_style

LOOKS = {
    "across": MODEL_LOOKS["teacher"]._replace(label="between halves"),
    "population": MODEL_LOOKS["student"]._replace(label="to the population's", dash=(0, (5, 1.5)), marker="s"),
    "variance": MODEL_LOOKS["reference"]._replace(label="variance of samples", marker="^"),
}


def page(result: xr.Dataset) -> Page:
    """Distances against the samples of each half, and along every direction where there are several.

    Args:
        result: A stored result of the kind.

    Returns:
        Its panels.
    """
    panels: dict[str, Callable[[Axes], object]] = {}
    if "sample_ratio" in result.dims:  # not of results of before
        panels["samples"] = lambda ax: split_samples_panel(ax, result)
    if not panels or result.sizes.get("direction", 1) > 1:
        panels["directions"] = lambda ax: split_directions_panel(ax, result)
    return Page([list(panels)], panels)


@in_style
def split_samples_panel(ax: Axes, result: xr.Dataset) -> None:
    """E‖x_1 − x_2‖²/d between samples of two halves, and that of one to the population's, against ψ_n (T32, T33).

    Args:
        ax: Axes to draw on.
        result: Of `theory.split`.
    """
    result = ready(result, "across_by_samples", "population_by_samples").sortby("sample_ratio")
    ratios = result.sample_ratio.values
    handles = [_line(ax, ratios, result[f"{name}_by_samples"].values, LOOKS[name]) for name in ("across", "population")]
    ax.set(xscale="log", yscale="log", xlabel=r"samples per dimension $\psi_n$ of each half")
    ax.set_ylabel(r"squared distance $\Vert\cdot\Vert^2/d$")
    own = float(store.settings(result)["samples_per_dim"])
    inside = ratios.size > 1 and ratios.min() < own < ratios.max()
    rise = flags_above(ax, [Flag(own, rf"$\psi_n={own:.3g}$", "-")]) if inside else 0.0
    legend_above(ax, handles, rise)


@in_style
def split_directions_panel(ax: Axes, result: xr.Dataset) -> None:
    """The same along each direction of Σ at the ψ_n that was asked for, beside the variance of samples (T32, T33).

    Flagged is the renormalized noise κ (T30): directions of less variance are noise to either half.

    Args:
        ax: Axes to draw on.
        result: Of `theory.split`.
    """
    result = ready(result, *LOOKS, "kappa").sortby("direction")
    values = result.direction.values
    handles = [_line(ax, values, result[name].values, look) for name, look in LOOKS.items()]
    ax.set(xscale="log", yscale="log", xlabel=r"variance $\lambda$ of the direction")
    ax.set_ylabel("squared distance along it")
    kappa = float(result.kappa)
    rise = flags_above(ax, [Flag(kappa, r"$\kappa$", (0, (4, 2)))]) if values.min() < kappa < values.max() else 0.0
    legend_above(ax, handles, rise)


def _line(ax: Axes, x: np.ndarray, values: np.ndarray, look: Look) -> Line2D:
    few = look.marker if x.size < MANY else None
    (line,) = ax.plot(x, values, color=look.color, linestyle=look.dash, marker=few, label=look.label)
    return line
