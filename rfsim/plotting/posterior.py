"""Samples beside noise-free inputs against the posterior, over training time."""

from __future__ import annotations

import xarray as xr
from matplotlib.axes import Axes

from rfsim.plotting.curves import rows, time_label, training_curves
from rfsim.plotting.forms import ready
from rfsim.plotting.legends import legend_above
from rfsim.plotting.looks import MARKER_COLOR, MODEL_LOOKS, Look
from rfsim.plotting.pages import Page
from rfsim.plotting.style import in_style

DOTS = (0, (1, 1))
LOOKS = {
    "predictive_variance": MODEL_LOOKS["student"]._replace(label="PV"),
    "mean_distance": MODEL_LOOKS["teacher"]._replace(label=r"mean to $x_\varepsilon$", dash=(0, (5, 1.5))),
    "mean_error": MODEL_LOOKS["early_teacher"]._replace(label="ME"),
}


def page(result: xr.Dataset) -> Page:
    """Errors of samples given inputs, and how sure of themselves they are.

    Args:
        result: A stored result of the kind.

    Returns:
        Its panels.
    """
    return Page(
        [["errors", "calibration"]],
        {
            "errors": lambda ax: posterior_panel(ax, result),
            "calibration": lambda ax: calibration_panel(ax, result),
        },
    )


@in_style
def posterior_panel(ax: Axes, result: xr.Dataset) -> None:
    """PV of samples given y, their mean's distance from x_ε, and its error ME, against training time (C4).

    Dotted the posterior's PV, which is its mean's distance from x_ε too.

    Args:
        ax: Axes to draw on.
        result: Of `rfsim.posterior`.
    """
    result = ready(result, "predictive_variance", "mean_distance")
    handles = _over_training(ax, result, {name: look for name, look in LOOKS.items() if name in result})
    if "true_predictive_variance" in result:
        level = float(result.true_predictive_variance)
        handles.append(ax.axhline(level, color=MARKER_COLOR, linestyle=DOTS, zorder=0.5, label="PV of the posterior"))
    ax.set_yscale("log")
    ax.set_ylabel("per dimension, given $y$")
    legend_above(ax, handles)


@in_style
def calibration_panel(ax: Axes, result: xr.Dataset) -> None:
    """PV over the distance of the mean given y from x_ε: 1 for the posterior, less where samples are too sure (C4).

    Args:
        ax: Axes to draw on.
        result: Of `rfsim.posterior`.
    """
    result = ready(result, "calibration")
    look = LOOKS["predictive_variance"]._replace(label="samples")
    handles = _over_training(ax, result, {"calibration": look})
    handles.append(ax.axhline(1, color=MARKER_COLOR, linestyle=DOTS, zorder=0.5, label="posterior"))
    ax.set_yscale("log")
    ax.set_ylabel(r"PV over distance to $x_\varepsilon$")
    legend_above(ax, handles)


def _over_training(ax: Axes, result: xr.Dataset, looks: dict[str, Look]) -> list:
    drawn = {look: rows(result[name]) for name, look in looks.items()}
    handles = training_curves(ax, result.train_time.values, drawn)
    time_label(ax, None)
    return handles
