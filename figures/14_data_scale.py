"""L_gen for data of other variance against τ, τ/τ_mem and τ/τ_mini: B25 Fig. 12."""

from __future__ import annotations

from matplotlib.figure import Figure

from rfsim.claims import Results, limits, sampled
from rfsim.plotting import canvas, collapse_grid, problem_line, styled

STYLE = "paper"


def data_scale(results: Results) -> Figure:
    families, known = ({}, {})
    for found, of in ((sampled(results), families), (limits(results), known)):
        for label, result in found.items():
            scale = label.removeprefix("sigma_x-").partition("-")[0]
            of.setdefault(rf"$\sigma_x={scale}$", {})[problem_line(result)[0]] = result
    figure, axes = canvas(len(families), 3, style=STYLE, width="double", aspect=0.7)
    collapse_grid(axes, families, known)
    shared = problem_line(next(iter(results.values())))[1:]
    with styled(STYLE):
        figure.suptitle(", ".join(piece for piece in shared if "data" not in piece), x=0.01, ha="left")
    return figure


DRAW = {"b25-fig12": data_scale}
