"""Samples of students over the ridge, and of every other way to distill, beside the teacher in as many steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rfsim.claims import Results, measured
from rfsim.disk import store
from rfsim.plotting import (
    MODEL_LOOKS,
    PART_LOOKS,
    canvas,
    legend_above,
    legend_below,
    measure_axis,
    places,
    problem_line,
    ridge_axis,
    seeds_line,
    styled,
)
from rfsim.plotting.style import number

STYLE = "paper"
MEASURES = ("memorized_fraction", "frechet_per_dim", "sliced_wasserstein")
FORMS = {"ddim": ("teacher", "-"), "edm": ("zero", (0, (4, 2)))}  # parameterization → start, dash
NAMES = {"levels": "{} levels", "data": "{} data", "width": r"own features, $\psi_p={}$"}
APART = 0.34  # of a row, of its first and last mark from the middle
MARKS = {  # model, in all steps → color, marker, filled
    ("teacher_steps", True): ("teacher", True),
    ("teacher_steps", False): ("teacher", False),
    ("student_steps", True): ("student", True),
    ("student", False): ("student", False),
    ("regression", False): ("regression", False),
}


def _samples(result, variant: int, model: str, measure: str, many: bool) -> np.ndarray:
    steps = int(result.steps.max()) if many else 1
    asked = {"steps": steps} if model.endswith("_steps") else {}
    return measured(result.isel(variant=variant), model, measure, **asked)


def _family(results: Results, form: str) -> list[tuple[float, int]]:
    """(γ, variant) of one form with its usual start."""
    told = enumerate(store.settings(results["students"])["variants"])
    wanted = (form, FORMS[form][0], "sequential")
    found = [(one["ridge"], k) for k, one in told if (one["parameterization"], one["start"], one["target"]) == wanted]
    # from zero, one more ddim student stands at γ = 0
    return sorted(found)


def _over_ridge(ax: Axes, results: Results, measure: str) -> None:
    """One measure over γ, both forms in one step and in all, the teacher as level lines."""
    result = results["students"]
    family = _family(results, "ddim")
    at = ridge_axis(ax, np.array([ridge for ridge, _ in family]))
    for form, (_, dash) in FORMS.items():
        for model, many in (("student", False), ("student_steps", True)):
            rows = [_samples(result, k, model, measure, many) for _, k in _family(results, form)]
            label = f"{form}, {'all steps' if many else '1 step'}"
            line = seeds_line(ax, at, rows, MODEL_LOOKS["student"]._replace(label=label, dash=dash))
            line.set_fillstyle("full" if many else "none")
    for many, dash in ((True, "-"), (False, (0, (4, 2)))):
        level = _samples(result, 0, "teacher_steps", measure, many).mean()
        ax.axhline(level, color="black", linestyle=dash, label=f"teacher, {'all steps' if many else '1 step'}")
    level = measured(result, "reference", measure).mean()
    ax.axhline(level, color=MODEL_LOOKS["reference"].color, linestyle=(0, (1, 1)), label="true law")
    measure_axis(ax, measure)


def _energies(ax: Axes, results: Results) -> None:
    """Energy over the teacher's by part over γ at the last distill_time, in ddim form: medians over levels."""
    own = results["students"].suppression.isel(distill_time=-1).median("level")
    family = _family(results, "ddim")
    at = ridge_axis(ax, np.array([ridge for ridge, _ in family]))
    handles, names = [], [str(name) for name in own.part.values]
    for name, place in zip(names, places(len(names)), strict=True):
        rows = [own.isel(variant=k).sel(part=name).values for _, k in family]
        handles.append(seeds_line(ax, at, rows, PART_LOOKS[name], place=place))
    ax.axhline(1, color="black", linewidth=0.5)
    ax.set_yscale("log")
    ax.set_ylabel("energy over teacher's")
    legend_above(ax, handles)


def _ways(results: Results) -> list[tuple[str, Any, int]]:
    """Name, result and variant of every way to distill at γ = 0."""
    own = results["students"]
    words = {
        ("ddim", "teacher", "sequential"): "ddim, teacher's start",
        ("ddim", "zero", "sequential"): "from zero",
        ("edm", "zero", "sequential"): "edm, from zero",
    }
    found = []
    for k, one in enumerate(store.settings(own)["variants"]):
        if one["ridge"] == 0:
            key = one["parameterization"], one["start"], one["target"]
            ema = one["target"].rpartition(":")[2]
            found.append((words.get(key, rf"all levels at once, $\tau_\mathrm{{ema}}={ema}$"), own, k))
    found.sort(key=lambda way: [*words.values(), way[0]].index(way[0]))
    for label, result in results.items():
        kind, _, value = label.partition("-")
        if kind in NAMES:
            found.append((NAMES[kind].format({"teacher": "teacher's"}.get(value, value)), result, 0))
    return found


def _dots(ax: Axes, results: Results, measure: str) -> None:
    """One measure of every way to distill, a row each: student, teacher and regression."""
    ways = _ways(results)
    aside = np.linspace(-APART, APART, len(MARKS))  # where marks agree they would hide each other
    for row, (_, result, variant) in enumerate(ways):
        for shift, ((model, many), (look, filled)) in zip(aside, MARKS.items(), strict=True):
            values = _samples(result, variant, model, measure, many)
            color = MODEL_LOOKS[look].color
            ax.errorbar(
                values.mean(),
                row + shift,
                xerr=values.std(ddof=1) / np.sqrt(values.size),
                color=color,
                marker=MODEL_LOOKS[look].marker,
                markerfacecolor=color if filled else "white",
                markersize=3.5,
                linewidth=0.8,
            )
        if row:
            ax.axhline(row - 0.5, color="#DDDDDD", linewidth=0.5, zorder=0)
    ax.set_yticks(range(len(ways)), [name for name, _, _ in ways])
    ax.set_ylim(len(ways) - 0.5, -0.5)
    measure_axis(ax, measure, axis="x")


def ridges(results: Results) -> Figure:
    figure, axes = canvas(2, 2, style=STYLE, width="double", aspect=0.7)
    with styled(STYLE):
        for ax, measure in zip(axes.flat, MEASURES, strict=False):
            _over_ridge(ax, results, measure)
        _energies(axes[1, 1], results)
        legend_below(figure, axes[0, 0].get_legend_handles_labels()[0])
        figure.suptitle(_title(results), x=0.01, ha="left")
    return figure


def settings(results: Results) -> Figure:
    figure, axes = canvas(1, 3, style=STYLE, width="double", aspect=1.5)
    with styled(STYLE):
        for ax, measure in zip(axes[0], MEASURES, strict=True):
            _dots(ax, results, measure)
        for ax in axes[0, 1:]:
            ax.tick_params(axis="y", labelleft=False)
        legend_below(figure, _marks(), handle_length=1.4)
        figure.suptitle(_title(results), x=0.01, ha="left")
    return figure


def _marks() -> list[Line2D]:
    """The legend of the dots."""
    found = []
    for (_, many), (look, filled) in MARKS.items():
        color, name = MODEL_LOOKS[look].color, MODEL_LOOKS[look].label
        label = f"{name}, {'all steps' if many else '1 step'}"
        face = color if filled else "white"
        found.append(
            Line2D(
                [], [], color=color, marker=MODEL_LOOKS[look].marker, markerfacecolor=face, linestyle="", label=label
            )
        )
    return found


def _title(results: Results) -> str:
    """What all settings share."""
    result = results["students"]
    pieces = [piece for piece in problem_line(result) if r"\gamma" not in piece and "from teacher" not in piece]
    return ", ".join([*pieces, rf"$\tau_S={number(float(result.distill_time[-1]))}$"])


DRAW = {"distillation-ridge": ridges, "distillation-settings": settings}
