"""One-step generators by the difference of two scores: linear modes, and a memorized teacher."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rfsim.claims import Results
from rfsim.disk import store
from rfsim.plotting import (
    MODEL_LOOKS,
    canvas,
    categories,
    legend_below,
    measure_axis,
    problem_line,
    seeds_line,
    styled,
)

STYLE = "paper"
PANELS = (("linear", "frechet_per_dim"), ("memorized", "memorized_fraction"), ("memorized", "sliced_wasserstein"))


def matching(results: Results) -> Figure:
    figure, axes = canvas(1, 3, style=STYLE, width="double", aspect=1.0)
    looks = dict(zip(_names(results["memorized"]), categories(9)[1:], strict=True))
    with styled(STYLE):
        handles: list[Line2D] = []
        for ax, (cell, measure) in zip(axes[0], PANELS, strict=True):
            result = results[cell]
            drawn = _students(ax, result, measure, looks)
            if cell == "memorized":
                handles = drawn + _references(ax, result, measure)
            ax.set_xlabel(r"distillation time $\tau_S$")
            measure_axis(ax, measure)
            if cell == "linear":
                ax.set_yscale("log")
                ax.set_xlim(0, 0.1)  # what is later is noise of the samples
                ax.set_title("linear features", loc="left")
            else:
                ax.set_xscale("log")
                ax.set_title("memorized teacher", loc="left")
        legend_below(figure, handles)
        pieces = [one for one in problem_line(results["memorized"]) if r"\gamma" not in one and "from" not in one]
        figure.suptitle(", ".join(pieces), x=0.01, ha="left")
    return figure


def _names(result: xr.Dataset) -> list[str]:
    told = ((one.get("method", "consistency"), one.get("critic")) for one in store.settings(result)["variants"])
    return [method if critic is None else rf"{method}, $\rho={critic}$" for method, critic in told]


def _students(ax: Axes, result: xr.Dataset, measure: str, looks: dict) -> list[Line2D]:
    names, times = _names(result), result.distill_time.values
    values = result.student.sel(quality=measure).transpose("variant", "distill_time", "seed").values
    found = []
    for name, rows in zip(names, values, strict=True):
        found.append(seeds_line(ax, times, rows, looks[name]._replace(label=name)))
    return found


def _references(ax: Axes, result: xr.Dataset, measure: str) -> list[Line2D]:
    """The teacher in all steps and in one, and fresh samples of the truth."""
    teacher, truth, found = MODEL_LOOKS["teacher"], MODEL_LOOKS["reference"], []
    steps = result.teacher_steps.sel(quality=measure)
    for words, values, dash in (
        ("teacher, all steps", steps.isel(steps=-1), teacher.dash),
        ("teacher, one step", steps.isel(steps=0), ":"),
    ):
        found.append(ax.axhline(float(np.mean(values)), color=teacher.color, linestyle=dash, label=words))
    level = float(result.reference.sel(quality=measure).mean())
    found.append(ax.axhline(level, color=truth.color, linestyle=truth.dash, label=truth.label))
    return found


DRAW = {"matching": matching}
