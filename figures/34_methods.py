"""Every distillation of one memorized teacher: samples at equal steps, energies by part, and what a ridge changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from rfsim.claims import Results, measured
from rfsim.disk import store
from rfsim.plotting import (
    MODEL_LOOKS,
    PART_LOOKS,
    canvas,
    categories,
    legend_below,
    log_axis,
    measure_axis,
    problem_line,
    styled,
)
from rfsim.plotting.style import number

STYLE = "paper"
MEASURES = ("memorized_fraction", "frechet_per_dim", "sliced_wasserstein", "membership_auc")
PLANE = ("sliced_wasserstein", "memorized_fraction")
NULL = "random-teacher"
ZERO = "consistency, from zero"
LINES = ("teacher", "consistency", ZERO, "consistency-training", "segments", "two-time", "score:noise-online", "hard")
ONE, MANY = "#C04F00", "#00507F"  # a student in one step, and in all that it has


class Row(NamedTuple):
    """A student: its name, and where it is."""

    name: str
    result: xr.Dataset
    variant: int

    @property
    def last(self) -> xr.Dataset:
        """Its results at the last distill_time."""
        return self.result.isel(variant=self.variant, distill_time=-1)

    def samples(self, measure: str, steps: int | None = None) -> NDArray[np.float64]:
        """(seeds,), in its method's own steps unless given."""
        own = int(self.result.evaluations.values[0, self.variant])
        values = self.last.student if steps in (None, own) else self.last.student_steps.sel(steps=steps)
        return values.sel(quality=measure).values

    def steps(self) -> list[int]:
        """The numbers of steps that it samples in."""
        own = int(self.result.evaluations.values[0, self.variant])
        every = sorted({own, *(int(steps) for steps in self.result.steps.values)})
        return [steps for steps in every if np.isfinite(self.samples(MEASURES[0], steps)).all()]


def _rows(results: Results, cell: str = "methods") -> list[Row]:
    found = []
    for place, one in enumerate(store.settings(results[cell])["variants"]):
        method = one.get("method", "consistency")
        name = ZERO if method == "consistency" and one["start"] == "zero" else method
        found.append(Row(name, results[cell], place))
    return found


def _mark(ax: Axes, values: NDArray[np.float64], row: float, color: str, marker: str, *, filled: bool) -> None:
    """A mean over seeds with its standard error, in a row."""
    if np.isfinite(values).all():
        face = color if filled else "white"
        error = values.std(ddof=1) / np.sqrt(values.size) if values.size > 1 else None
        ax.errorbar(
            values.mean(),
            row,
            xerr=error,
            color=color,
            marker=marker,
            markerfacecolor=face,
            markersize=4,
            linewidth=0.8,
        )


def _named(axes: Sequence[Axes], names: Sequence[str]) -> None:
    """Rows with their names at the left, a thin line between them."""
    for ax in axes:
        for row in range(1, len(names)):
            ax.axhline(row - 0.5, color="#DDDDDD", linewidth=0.5, zorder=0)
        ax.set_yticks(range(len(names)), names)
        ax.set_ylim(len(names) - 0.5, -0.5)
    for ax in axes[1:]:
        ax.tick_params(axis="y", labelleft=False)


def methods(results: Results) -> Figure:
    figure, axes = canvas(1, 4, style=STYLE, width="double", aspect=1.75)
    rows = [row for row in _rows(results) if row.name != NULL]
    result = results["methods"]
    most = int(result.steps.max())
    with styled(STYLE):
        for ax, measure in zip(axes[0], MEASURES, strict=True):
            one, every = (measured(result, "teacher_steps", measure, steps=steps) for steps in (1, most))
            for values, dash, filled in ((one, (0, (4, 2)), False), (every, "-", True)):
                ax.axvline(values.mean(), color="black", linestyle=dash, linewidth=0.7, zorder=0.5)
                _mark(ax, values, 0, "black", "o", filled=filled)
            for place, row in enumerate(rows, 1):
                steps = row.steps()
                if measure == "membership_auc":
                    _mark(ax, row.samples(measure), place, MANY, "s", filled=True)
                    continue
                if steps[-1] > 1:
                    _mark(ax, row.samples(measure, steps[-1]), place, MANY, "s", filled=True)
                if steps[0] == 1:
                    _mark(ax, row.samples(measure, 1), place, ONE, "D", filled=False)
            measure_axis(ax, measure, axis="x")
        _named(axes[0], ["teacher", *(row.name for row in rows)])
        told = (("1 step", ONE, "D", False), ("most steps", MANY, "s", True))
        handles = [_key(f"teacher, {name}", "black", "o", filled=filled) for name, _, _, filled in told]
        handles += [_key(f"student, {name}", color, marker, filled=filled) for name, color, marker, filled in told]
        legend_below(figure, handles, handle_length=1.4)
        figure.suptitle(_title(result), x=0.01, ha="left")
    return figure


def _key(label: str, color: str, marker: str, *, filled: bool) -> Line2D:
    face = color if filled else "white"
    return Line2D([], [], color=color, marker=marker, markerfacecolor=face, linestyle="", label=label)


def _line(results: Results, name: str, measure: str) -> tuple[list[int], NDArray[np.float64]]:
    """Numbers of steps, and a measure in each, (steps, seeds), of the teacher, a student, or segments by their own."""
    result = results["methods"]
    if name == "teacher":
        steps = [int(one) for one in result.steps.values]
        return steps, np.array([measured(result, "teacher_steps", measure, steps=one) for one in steps])
    rows = _rows(results)
    if name == "segments":
        several = [row for row in rows if row.name.startswith("segments:")]
        every = [next(row for row in rows if row.name == "consistency"), *several]
        steps = [1, *(row.steps()[-1] for row in several)]
        return steps, np.array([row.samples(measure, count) for row, count in zip(every, steps, strict=True)])
    row = next(row for row in rows if row.name == name)
    return row.steps(), np.array([row.samples(measure, count) for count in row.steps()])


def steps(results: Results) -> Figure:
    figure, axes = canvas(2, 2, style=STYLE, width="double", aspect=0.7)
    result, handles = results["methods"], []
    with styled(STYLE):
        for name, look in zip(LINES, categories(len(LINES)), strict=True):
            lines = {measure: _line(results, name, measure) for measure in MEASURES[:3]}
            drawn: dict[str, Any] = {"color": look.color, "linestyle": look.dash, "marker": look.marker, "label": name}
            for ax, (counts, values) in zip(axes.flat, lines.values(), strict=False):
                error = values.std(1, ddof=1) / np.sqrt(values.shape[1])
                handles += [ax.plot(counts, values.mean(1), **drawn)[0]] if ax is axes[0, 0] else []
                ax.errorbar(counts, values.mean(1), yerr=error, **drawn)
            axes[1, 1].plot(*(lines[measure][1].mean(1) for measure in PLANE), **drawn)
        for ax, measure in zip(axes.flat, MEASURES[:3], strict=False):
            ticks = [
                int(one) for one in result.steps.values if one == result.steps.max() or 1.4 * one < result.steps.max()
            ]
            ax.set_xscale("log", base=2)
            ax.set_xticks(ticks, [str(one) for one in ticks])
            ax.set_xlabel("evaluations of the network")
            measure_axis(ax, measure)
        measure_axis(axes[1, 1], PLANE[0], axis="x")
        measure_axis(axes[1, 1], PLANE[1])
        legend_below(figure, handles)
        figure.suptitle(_title(result), x=0.01, ha="left")
    return figure


def parts(results: Results) -> Figure:
    result = results["methods"]
    names = [str(name) for name in result.part.values[::-1]]
    figure, axes = canvas(1, len(names), style=STYLE, width="double", aspect=1.75)
    rows = [row for row in _rows(results) if np.isfinite(row.last.suppression.median("level")).all()]
    with styled(STYLE):
        for ax, part in zip(axes[0], names, strict=True):
            look = PART_LOOKS[part]
            color = "#666666" if part == "null" else look.color  # its own is light on white
            for place, row in enumerate(rows):
                values = row.last.suppression.sel(part=part)
                low, high = values.mean("seed").min(), values.mean("seed").max()
                ax.plot([low, high], [place, place], color=color, linewidth=0.5)
                _mark(ax, values.median("level").values, place, color, look.marker, filled=row.name != NULL)
            ax.axvline(1, color="black", linewidth=0.5, zorder=0.5)
            log_axis(ax, "x")
            ax.set_xlabel(f"{part}'s energy over teacher's")
        _named(axes[0], [row.name for row in rows])
        figure.suptitle(f"{_title(result)}; median and range of levels", x=0.01, ha="left")
    return figure


def ridges(results: Results) -> Figure:
    """Memorization against quality over γ, in each method's own steps and in all."""
    figure, axes = canvas(1, 2, style=STYLE, width="double", aspect=0.85)
    result = results["ridges"]
    every = int(result.steps.max())
    rows, variants = _rows(results, "ridges"), store.settings(result)["variants"]
    names = list(dict.fromkeys(row.name for row in rows))
    few: Callable[[Row], bool] = lambda row: True  # noqa: E731
    panels = ((few, None, "own steps"), (lambda row: every in row.steps(), every, f"{every} steps"))
    with styled(STYLE):
        handles = []
        for ax, (able, asked, title) in zip(axes[0], panels, strict=True):
            teacher = [_line(results, "teacher", measure)[1].mean(1) for measure in PLANE]
            (line,) = ax.plot(
                *teacher, color="black", marker=MODEL_LOOKS["teacher"].marker, label="teacher, 1 to all steps"
            )
            handles += [line] if ax is axes[0, 0] else []
            for name, look in zip(names, categories(len(names) + 1)[1:], strict=True):
                family = [row for row in rows if row.name == name and able(row)]
                if not family:
                    continue
                points = [[row.samples(measure, asked).mean() for row in family] for measure in PLANE]
                (line,) = ax.plot(*points, color=look.color, linestyle=look.dash, marker=look.marker, label=name)
                handles += [line] if ax is axes[0, 0] else []
                for row, *at in zip(family, *points, strict=True):
                    ax.annotate(
                        f"{variants[row.variant]['ridge']:g}", at, xytext=(2, 2), textcoords="offset points", fontsize=5
                    )
            ax.set_title(f"students in {title}", loc="left")
            measure_axis(ax, PLANE[0], axis="x")
            measure_axis(ax, PLANE[1])
        legend_below(figure, handles)
        figure.suptitle(f"{_title(result)}; numbers: $\\gamma$", x=0.01, ha="left")
    return figure


def _title(result: xr.Dataset) -> str:
    pieces = [
        one for one in problem_line(result) if r"\gamma" not in one and "teacher" not in one and "from" not in one
    ]
    return ", ".join([*pieces, rf"$\tau_S={number(float(result.distill_time[-1]))}$"])


DRAW = {"methods": methods, "methods-steps": steps, "methods-parts": parts, "methods-ridge": ridges}
