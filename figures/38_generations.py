"""Memorization and quality of models trained on samples of the last one, by generation."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from rfsim.claims import Results, measured
from rfsim.disk import store
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


def generations(results: Results) -> Figure:
    result = results["generations"]
    counts = [one.get("generations", 1) for one in store.settings(result)["variants"]]
    times = result.distill_time.values
    figure, axes = canvas(1, 3, style=STYLE, width="double", aspect=1.0)
    with styled(STYLE):
        for ax, measure in zip(axes[0], MEASURES, strict=True):
            teacher, handles = measured(result, "teacher", measure), []
            looks = zip(times, categories(len(times) + 1)[1:], places(len(times)), strict=True)
            for time, look, place in looks:
                rows = [
                    measured(result, "student", measure, variant=one, distill_time=time)
                    for one in result.variant.values
                ]
                named = look._replace(label=rf"trained for $\tau={number(float(time))}$")
                handles.append(seeds_line(ax, [0, *counts], np.array([teacher, *rows]), named, place=place))
            truth = MODEL_LOOKS["reference"]
            level = measured(result, "reference", measure).mean()
            handles.append(ax.axhline(level, color=truth.color, linestyle=truth.dash, label=truth.label))
            ax.set_xticks([0, *counts])
            ax.set_xlabel("generation (0: the teacher)")
            measure_axis(ax, measure)
        legend_below(figure, handles)
        pieces = [one for one in problem_line(result) if r"\gamma" not in one and "from" not in one]
        figure.suptitle(", ".join(pieces), x=0.01, ha="left")
    return figure


DRAW = {"generations": generations}
