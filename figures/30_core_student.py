"""A memorized teacher and its student: memorized share and shape against the number of steps that make a sample."""

from __future__ import annotations

from matplotlib.figure import Figure

from rfsim.claims import Results
from rfsim.plotting import canvas, legend_below, problem_line, steps_panel, styled

STYLE = "paper"
MEASURES = ("memorized_fraction", "frechet_per_dim", "sliced_wasserstein")


def steps(results: Results) -> Figure:
    figure, axes = canvas(1, 3, style=STYLE, width="double", aspect=1.0)
    (result,) = results.values()
    with styled(STYLE):
        for ax, measure in zip(axes[0], MEASURES, strict=True):
            steps_panel(ax, result, measure, legend=False)
        legend_below(figure, axes[0, 0].get_legend_handles_labels()[0])
        figure.suptitle(", ".join(problem_line(result)), x=0.01, ha="left")
    return figure


DRAW = {"core-student": steps}
