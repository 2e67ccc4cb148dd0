"""A distillation: energies by part, samples of teacher, student and controls over distill_time and steps, leakage.

Several seeds are drawn as their mean with its standard error; one seed with the error bars of the result.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from rfsim.claims import measured
from rfsim.disk import store
from rfsim.plotting.curves import MANY, time_limits
from rfsim.plotting.forms import ready, several
from rfsim.plotting.legends import legend_above
from rfsim.plotting.looks import MARKER_COLOR, MODEL_LOOKS, Look, part_look
from rfsim.plotting.samples import ALONE, MEASURES, Bars, LinePlace, bars_line, measure_axis, places, seeds_line
from rfsim.plotting.style import in_style, number

ENDS = {"memorized_fraction": ("memorized_low", "memorized_high")}
SHADES = ("#F2B38A", "#DE7A33", "#C04F00", "#6A2C00")  # of the student's orange, the latest distill_time last
TIME_LABEL = r"distillation time $\tau_S$"


def bars(result: xr.Dataset, name: str, measure: str) -> Bars:
    """A measure of the samples of a model, over whatever axis it has beside seed (§8).

    Args:
        result: Of `rfsim.distill`.
        name: Of the model's variable, such as "student".
        measure: Label along quality.

    Returns:
        Means over seeds with their standard errors; of one seed the error bars of the result.
    """
    found = result if "seed" in result.dims else result.expand_dims("seed")
    values = found[name].sel(quality=measure).transpose("seed", ...).values
    mean = values.mean(0)
    if len(values) > 1:
        error = values.std(0, ddof=1) / math.sqrt(len(values))
    elif measure in ENDS:
        low, high = (found[name].sel(quality=end).isel(seed=0).values for end in ENDS[measure])
        return Bars(mean, low, high)
    elif f"{name}_error" in found:
        error = found[f"{name}_error"].sel(quality=measure).isel(seed=0).values
    else:
        error = np.full(mean.shape, np.nan)
    return Bars(mean, mean - error, mean + error)


@in_style
def suppression_panel(ax: Axes, result: xr.Dataset, *, variant: int = 0) -> None:
    """Energy of the student's weights over the teacher's against distill_time, part by part (§8).

    Lines: median over levels of the means over seeds; bars: their range. A part in which the teacher has no energy is
    left out, and all are for a student with features of its own. τ_S = 0 has no place on the log axis, τ_S = ∞ is a
    triangle on its right edge.

    Args:
        ax: Axes to draw on.
        result: Of `rfsim.distill`.
        variant: Index of the student.
    """
    result = ready(result, "suppression")
    own = result.isel(variant=variant).suppression.mean("seed")
    ax.set_xscale("log")
    time_limits(ax, shown_times(result.distill_time.values))
    handles, seen = [], [1.0]
    names = [str(name) for name in own.part.values]
    for name, place in zip(names, places(len(names)), strict=True):
        rows = own.sel(part=name).transpose("distill_time", "level").values
        if not np.isfinite(rows).any():
            continue
        look = part_look(name)
        found = Bars(np.nanmedian(rows, 1), np.nanmin(rows, 1), np.nanmax(rows, 1))
        handles.append(over_time(ax, result.distill_time.values, found, look, look.label, place=place))
        seen += [*found.low, *found.high]
    mark_infinity(handles, result)
    if not handles:
        ax.text(0.5, 0.5, "not defined for this student", transform=ax.transAxes, ha="center", va="center")
    ax.axhline(1, color="black", linewidth=0.5 * matplotlib.rcParams["lines.linewidth"], zorder=0.5)
    ax.set_xlabel(TIME_LABEL)
    ax.set_ylabel("energy over teacher's")
    positive = [value for value in seen if value > 0]
    if min(positive) < 0.3 or max(positive) > 3:
        ax.set_yscale("log")
        ax.set_ylim(max(1e-4, 0.7 * min(positive)), 1.4 * max(positive))
    legend_above(ax, handles)


@in_style
def quality_panel(
    ax: Axes,
    result: xr.Dataset,
    measure: str = "memorized_fraction",
    *,
    variant: int = 0,
    models: str | Sequence[str] = ("student", "early_student", "regression"),
    legend: bool = True,
) -> list[Line2D]:
    """One measure of samples against distill_time: the student's, in one step, and its controls' (§8).

    Level lines: the teacher in all its steps and in one, the early teacher, fresh samples of the true law.

    Args:
        ax: Axes to draw on.
        result: Of `rfsim.distill`.
        measure: memorized_fraction (its axis has steps of equal root), frechet_per_dim, sliced_wasserstein (log axes)
            or membership_auc.
        variant: Index of the student.
        models: Names of the variables drawn as lines.
        legend: Whether to draw it.

    Returns:
        What the legend holds.

    Raises:
        ValueError: For another measure, and for a result that lacks what is drawn.
    """
    models = several(models, MODEL_LOOKS, "a model")
    held = ("teacher", "early_teacher", "reference", "teacher_steps", *models)
    own = _of_measure(result, measure, held).isel(variant=variant)
    ax.set_xscale("log")
    time_limits(ax, shown_times(own.distill_time.values))  # before the lines, which alone might set none
    handles = []
    steps = own.steps.values
    every = store.settings(own)["levels"]
    levels = {"teacher": f"teacher, {_steps(every)}", "early_teacher": None, "reference": None}
    for name, label in levels.items():
        look = MODEL_LOOKS[name]
        handles += level_line(ax, bars(own, name, measure), look.color, look.dash, label or look.label)
    one = bars(own.sel(steps=steps.min()), "teacher_steps", measure)
    label = f"teacher, {_steps(steps.min())}"
    handles[1:1] = level_line(ax, one, MODEL_LOOKS["teacher"].color, (0, (4, 2)), label)
    for name, place in zip(models, places(len(models)), strict=True):
        found, look = bars(own, name, measure), MODEL_LOOKS[name]
        if np.isfinite(found.mean).any():
            handles.append(over_time(ax, own.distill_time.values, found, look, look.label, place=place))
    mark_infinity(handles, own)
    ax.set_xlabel(TIME_LABEL)
    measure_axis(ax, measure, handles if legend else ())
    return handles


@in_style
def steps_panel(
    ax: Axes,
    result: xr.Dataset,
    measure: str = "memorized_fraction",
    *,
    variant: int = 0,
    when: int = -1,
    legend: bool = True,
) -> None:
    """One measure of samples against the number of steps that made them, teacher's and student's (§8).

    The student's at one distill_time; the true law and the early teacher are level lines.

    Args:
        ax: Axes to draw on.
        result: Of `rfsim.distill`.
        measure: As in `quality_panel`.
        variant: Index of the student.
        when: Index of the distill_time.
        legend: Whether to draw it.

    Raises:
        ValueError: As `quality_panel`.
    """
    held = ("teacher_steps", "student_steps", "early_teacher", "reference")
    own = _of_measure(result, measure, held).isel(variant=variant, distill_time=when)
    steps = own.steps.values
    handles = []
    time = number(float(own.distill_time))
    labels = {"teacher": "teacher", "student": rf"student, $\tau_S={time}$"}
    for (name, label), place in zip(labels.items(), places(2), strict=True):
        found = bars(own, f"{name}_steps", measure)
        if np.isfinite(found.mean).any():
            look = MODEL_LOOKS[name]
            handles.append(bars_line(ax, steps, found, look, label, marker=look.marker, place=place))
    for name in ("early_teacher", "reference"):
        look = MODEL_LOOKS[name]
        handles += level_line(ax, bars(own, name, measure), look.color, look.dash, look.label)
    ax.set_xscale("log", base=2)
    apart = [k for k, step in enumerate(steps) if k in (0, len(steps) - 1) or 1.4 * step < steps.max()]
    ax.set_xticks(steps[apart], [str(steps[k]) for k in apart])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("steps of sampling")
    measure_axis(ax, measure, handles if legend else ())


@in_style
def teachers_panel(ax: Axes, results: Mapping[float, xr.Dataset], measure: str, *, many: bool = False) -> None:
    """One measure of samples of teachers and their students over the teachers' train_times (§8).

    In one step, beside the teacher in all of its steps and the regression. A student for each distill_time, the darker
    the later. No legend: the lines are labelled.

    Args:
        ax: Axes to draw on.
        results: Of `rfsim.distill` by train_time of the teacher.
        measure: As in `quality_panel`.
        many: Draw both in all of their steps instead.

    Raises:
        ValueError: As `quality_panel`.
    """
    held = ("teacher_steps", "reference", *(("student_steps",) if many else ("teacher", "student", "regression")))
    results = {time: _of_measure(result, measure, held) for time, result in results.items()}
    every = list(results.values())
    most = int(every[0].steps.max())
    steps = most if many else 1

    times = sorted(every[0].distill_time.values.tolist())
    spots = iter(places(2 + len(times)))  # of the teacher, its students, the regression

    def line(model: str, look: Look, place: LinePlace = ALONE, width: float = 1.0, **where: Any) -> None:
        rows = [measured(one, model, measure, **where) for one in every]
        seeds_line(ax, list(results), rows, look, width=width, place=place)

    black = MODEL_LOOKS["teacher"]
    if not many:
        line("teacher", black._replace(label=f"teacher, {_steps(most)}", dash=(0, (4, 2)), marker=""), width=0.8)
    line("teacher_steps", black, next(spots), steps=steps)
    for time, shade in zip(times, SHADES[-len(times) :], strict=True):
        look = Look(rf"student, $\tau_S={number(time)}$", shade, "-", MODEL_LOOKS["student"].marker)
        line(
            "student_steps" if many else "student",
            look,
            next(spots),
            distill_time=time,
            **({"steps": steps} if many else {}),
        )
    if not many:
        line("regression", MODEL_LOOKS["regression"], next(spots))
    line("reference", MODEL_LOOKS["reference"]._replace(marker=""), width=0.8)
    ax.set_xscale("log")
    ax.set_xlabel(r"training time $\tau$ of the teacher")
    measure_axis(ax, measure)


def _of_measure(result: xr.Dataset, measure: str, needed: Sequence[str]) -> xr.Dataset:
    if measure not in MEASURES:
        raise ValueError(f"a measure of samples is one of {', '.join(MEASURES)}; got {measure!r}")
    result = ready(result, *needed)
    lacking = {measure, *ENDS.get(measure, ())} - set(map(str, result.quality.values))
    if lacking:
        raise ValueError(f"this result holds no quality {', '.join(sorted(lacking))}; draw the whole result")
    return result


def over_time(
    ax: Axes, times: NDArray[np.float64], found: Bars, look: Look, label: str, *, place: LinePlace = ALONE
) -> Line2D:
    """A line over positive distill_times with error bars; the value at infinity on the right edge.

    Args:
        ax: Axes to draw on.
        times: The distill_times, (times,).
        found: Values at them.
        look: Of the line.
        label: Of the legend.
        place: Among lines that may lie on it.

    Returns:
        The line.
    """
    order = np.argsort(times)
    shown = order[np.isfinite(times[order]) & (times[order] > 0)]
    some = Bars(*(values[shown] for values in found))
    marker = look.marker if shown.size < MANY else None
    line = bars_line(ax, times[shown], some, look, label, marker=marker, place=place)
    for last in order[np.isinf(times[order])][:1]:
        size = place.width * matplotlib.rcParams["lines.markersize"]
        edge = {"transform": ax.get_yaxis_transform(), "clip_on": False}
        ax.plot(1, found.mean[last], ">", color=look.color, markersize=size, **edge)
    return line


def level_line(ax: Axes, found: Bars, color: str, dash: Any, label: str) -> list[Line2D]:
    """A level over the whole panel, with its error as a band; nothing where it is undefined.

    Args:
        ax: Axes to draw on.
        found: One value.
        color: Of the line and the band.
        dash: Of the line.
        label: Of the legend.

    Returns:
        What the legend holds.
    """
    if not np.isfinite(found.mean):
        return []
    if np.isfinite(found.low) and np.isfinite(found.high):
        ax.axhspan(float(found.low), float(found.high), color=color, alpha=0.12, linewidth=0)
    return [ax.axhline(float(found.mean), color=color, linestyle=dash, label=label, zorder=1)]


def mark_infinity(handles: list[Line2D], result: xr.Dataset) -> None:
    """Say in a legend what stands on the right edge, where something does.

    Args:
        handles: Of the legend, added to.
        result: Of `rfsim.distill`.
    """
    if handles and np.isinf(result.distill_time.values).any():
        handles.append(Line2D([], [], color=MARKER_COLOR, marker=">", linestyle="", label=r"$\tau_S=\infty$"))


def shown_times(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Those that a log axis has a place for.

    Args:
        times: distill_times, (times,).

    Returns:
        Finite and positive ones, in their order.
    """
    return times[np.isfinite(times) & (times > 0)]


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"
