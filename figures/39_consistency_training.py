"""Students with and without a teacher, in one step and in all, over the number of levels."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from rfsim.claims import Results, measured
from rfsim.plotting import (
    MODEL_LOOKS,
    canvas,
    categories,
    legend_below,
    measure_axis,
    places,
    problem_line,
    seeds_line,
    styled,
)
from rfsim.plotting.style import number

STYLE = "paper"
MEASURES = ("memorized_fraction", "frechet_per_dim", "sliced_wasserstein")
NAMES = ("consistency training", "consistency distillation")


def training(results: Results) -> Figure:
    family = dict(sorted((int(name.removeprefix("levels-")), one) for name, one in results.items()))
    levels, several = list(family), list(family.values())
    figure, axes = canvas(1, 3, style=STYLE, width="double", aspect=1.0)
    with styled(STYLE):
        for ax, measure in zip(axes[0], MEASURES, strict=True):
            rows = np.array([measured(one, "teacher", measure) for one in several])
            handles = [seeds_line(ax, levels, rows, MODEL_LOOKS["teacher"]._replace(label="teacher, all steps"))]
            looks = zip(NAMES, categories(3)[1:], places(2), strict=True)
            for number_, (name, look, place) in enumerate(looks):
                for many, dash in ((False, (0, (4, 2))), (True, "-")):
                    rows = np.array([_samples(one, number_, measure, many) for one in several])
                    named = look._replace(label=f"{name}, {'all steps' if many else '1 step'}", dash=dash)
                    line = seeds_line(ax, levels, rows, named, place=place)
                    line.set_fillstyle("full" if many else "none")
                    handles.append(line)
            ax.set_xscale("log", base=2)
            ax.set_xticks(levels, [str(one) for one in levels])
            ax.minorticks_off()
            ax.set_xlabel("levels $N$")
            measure_axis(ax, measure)
        legend_below(figure, handles)
        pieces = [
            one
            for one in problem_line(several[0])
            if "levels" not in one and r"\gamma" not in one and "from" not in one
        ]
        time = number(float(several[0].distill_time[-1]))
        figure.suptitle(", ".join([*pieces, rf"$\tau_S={time}$"]), x=0.01, ha="left")
    return figure


def _samples(result, variant: int, measure: str, many: bool) -> np.ndarray:
    asked = {"steps": int(result.steps.max())} if many else {}
    return measured(
        result, "student_steps" if many else "student", measure, variant=result.variant.values[variant], **asked
    )


DRAW = {"consistency-training": training}
