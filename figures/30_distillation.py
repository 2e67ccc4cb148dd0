"""Samples of teachers stopped at several times and of their students, in one step and in all; one pair in detail."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rfsim.claims import Results
from rfsim.plotting import (
    MODEL_LOOKS,
    canvas,
    legend_above,
    legend_below,
    level_panel,
    places,
    problem_line,
    quality_panel,
    seeds_line,
    steps_panel,
    styled,
    suppression_panel,
    teachers_panel,
)

STYLE = "paper"
MEASURES = ("memorized_fraction", "frechet_per_dim", "sliced_wasserstein")
MEMORIZED = "teacher-1e+08"


def teachers(results: Results) -> Figure:
    figure, axes = canvas(2, 3, style=STYLE, width="double", aspect=0.95)
    by_time = {float(name.removeprefix("teacher-")): result for name, result in results.items()}
    first = next(iter(results.values()))
    with styled(STYLE):
        for row, many in zip(axes, (False, True), strict=True):
            for ax, measure in zip(row, MEASURES, strict=True):
                teachers_panel(ax, by_time, measure, many=many)
            steps = f"{int(first.steps.max())} steps" if many else "1 step"
            row[0].set_title(steps, loc="left")
        for ax in axes[0]:
            ax.set_xlabel("")
        legend_below(figure, axes[0, 0].get_legend_handles_labels()[0])
        pieces = [piece for piece in problem_line(first) if "teacher $" not in piece]
        figure.suptitle(", ".join(pieces), x=0.01, ha="left")
    return figure


def controls(results: Results) -> Figure:
    figure, axes = canvas(3, 3, style=STYLE, width="double", aspect=0.95)
    result = results[MEMORIZED]
    with styled(STYLE):
        for column, measure in zip(axes.T, MEASURES, strict=True):
            handles = quality_panel(column[0], result, measure, legend=False)
            steps_panel(column[1], result, measure, legend=False)
        suppression_panel(axes[2, 0], result)
        level_panel(axes[2, 1], result)
        _losses(axes[2, 2], results)
        legend_below(figure, handles)
        figure.suptitle(", ".join(problem_line(result)), x=0.01, ha="left")
    return figure


def _losses(ax: Axes, results: Results) -> None:
    """Denoising losses of teacher and student, read as scores, over the levels."""
    own = results[MEMORIZED].isel(variant=0, distill_time=-1)
    times = own.diffusion_time.values[1:]
    handles = []
    for name, place in zip(("teacher", "student"), places(2), strict=True):
        look = MODEL_LOOKS[name]
        for loss, dash in (("test", "-"), ("train", (0, (4, 2)))):
            label = rf"{name} $L_\mathrm{{{loss}}}$"
            rows = own[f"{name}_{loss}"].transpose("level", "seed").values
            handles.append(seeds_line(ax, times, rows, look._replace(label=label, dash=dash), place=place))
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel(r"diffusion time $t_k$")
    ax.set_ylabel("loss per dimension")
    legend_above(ax, handles)


DRAW = {"distillation": teachers, "distillation-controls": controls}
