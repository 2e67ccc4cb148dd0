"""Two models of disjoint halves: how far apart their samples are, and how far from what they have seen."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from rfsim.plotting.curves import time_limits
from rfsim.plotting.distill import TIME_LABEL, level_line, mark_infinity, over_time, shown_times
from rfsim.plotting.forms import ready
from rfsim.plotting.legends import legend_above
from rfsim.plotting.looks import MODEL_LOOKS
from rfsim.plotting.samples import Bars
from rfsim.plotting.style import in_style

SEEN = {"own": ("-", "own half"), "other": ((0, (5, 1.5)), "other half")}


@in_style
def split_panel(ax: Axes, result: xr.Dataset, *, variant: int = 0) -> None:
    """Squared distance per dimension between the samples of two halves from the same noise, against distill_time (§8).

    Level lines: the teachers in all their steps and in one, and the early teachers.

    Args:
        ax: Axes to draw on.
        result: Of `rfsim.distill` with split_pair.
        variant: Index of the student.
    """
    own = ready(result, "split_teacher", "split_student").isel(variant=variant)
    ax.set_xscale("log")
    time_limits(ax, shown_times(own.distill_time.values))
    black, early = MODEL_LOOKS["teacher"], MODEL_LOOKS["early_teacher"]
    first = own.split_teacher_steps.isel(steps=0)
    handles = [
        *level_line(ax, _bars(own, "split_teacher"), black.color, black.dash, black.label),
        *level_line(ax, _over_seeds(first), black.color, (0, (4, 2)), "teacher, 1 step"),
        *level_line(ax, _bars(own, "split_early_teacher"), early.color, early.dash, early.label),
    ]
    look = MODEL_LOOKS["student"]
    handles.append(over_time(ax, own.distill_time.values, _bars(own, "split_student"), look, look.label))
    mark_infinity(handles, own)
    ax.set_ylim(bottom=0)
    ax.set_xlabel(TIME_LABEL)
    ax.set_ylabel(r"between halves, $\Vert x_1-x_2\Vert^2/d$")
    legend_above(ax, handles)


@in_style
def seen_panel(ax: Axes, result: xr.Dataset, *, variant: int = 0) -> None:
    """Squared distance per dimension from samples to the nearest training point, of their half and of the other (§8).

    Args:
        ax: Axes to draw on.
        result: Of `rfsim.distill` with split_pair.
        variant: Index of the student.
    """
    own = ready(result, "teacher_to_own", "student_to_own").isel(variant=variant)
    ax.set_xscale("log")
    time_limits(ax, shown_times(own.distill_time.values))
    handles: list[Line2D] = []
    for which, (dash, words) in SEEN.items():
        black, look = MODEL_LOOKS["teacher"], MODEL_LOOKS["student"]._replace(dash=dash)
        handles += level_line(ax, _bars(own, f"teacher_to_{which}"), black.color, dash, f"teacher, {words}")
        found = _bars(own, f"student_to_{which}")
        handles.append(over_time(ax, own.distill_time.values, found, look, f"student, {words}"))
    mark_infinity(handles, own)
    ax.set_ylim(bottom=0)
    ax.set_xlabel(TIME_LABEL)
    ax.set_ylabel(r"to the nearest point, $\Vert\cdot\Vert^2/d$")
    legend_above(ax, handles)


def _bars(own: xr.Dataset, name: str) -> Bars:
    """Over seeds; of one seed with the result's own error where it has one."""
    found = _over_seeds(own[name])
    if own.sizes.get("seed", 1) > 1 or f"{name}_error" not in own:
        return found
    error = _over_seeds(own[f"{name}_error"]).mean
    return Bars(found.mean, found.mean - error, found.mean + error)


def _over_seeds(values: xr.DataArray) -> Bars:
    rows = values.transpose("seed", ...).values if "seed" in values.dims else values.values[None]
    mean = rows.mean(0)
    error = rows.std(0, ddof=1) / math.sqrt(len(rows)) if len(rows) > 1 else np.full(mean.shape, np.nan)
    return Bars(mean, mean - error, mean + error)
