"""L_gen at several diffusion times against τ, τ/τ_mem and τ/τ_mini: B25 Fig. 11."""

from __future__ import annotations

from matplotlib.figure import Figure

from rfsim.claims import Results, limits, sampled
from rfsim.plotting import canvas, collapse_grid, problem_line, styled

STYLE = "paper"


def noise_levels(results: Results) -> Figure:
    families, known = ({}, {})
    for found, of in ((sampled(results), families), (limits(results), known)):
        for result in found.values():
            psi_n, _, t, *_ = problem_line(result)
            of.setdefault(t, {})[psi_n] = result
    figure, axes = canvas(len(families), 3, style=STYLE, width="double", aspect=0.62)
    collapse_grid(axes, families, known)
    shared = problem_line(next(iter(results.values())))
    with styled(STYLE):
        figure.suptitle(", ".join([shared[1], *shared[3:]]), x=0.01, ha="left")
    return figure


DRAW = {"b25-fig11": noise_levels}
