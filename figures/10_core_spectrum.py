"""The spectrum of U by part with the d → ∞ density, B25's edges and s²: all of it, and the parts that memorize."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rfsim.claims import Results, limits, sampled
from rfsim.learning.timescales import largest_bulk_eigenvalue, smallest_bulk_eigenvalue
from rfsim.plotting import canvas, legend_below, limit_density, limit_handle, problem_line, spectrum_panel, styled

STYLE = "paper"
THIN = {"color": "black", "linewidth": 0.7}
EDGES, S2 = (0, (1, 1.5)), (0, (5, 2))


def spectrum(results: Results) -> Figure:
    figure, axes = canvas(style=STYLE, width="double", aspect=0.5)
    ((label, result),) = sampled(results).items()
    with styled(STYLE):
        ax = axes[0, 0]
        spectrum_panel(ax, result)
        # the parts differ a hundredfold in mass: a linear height would show the null part alone
        ax.set_yscale("log")
        ax.set_ylim(1e-3, 3)
        for edge in (smallest_bulk_eigenvalue, largest_bulk_eigenvalue):
            ax.axvline(edge(result, 8, 64), linestyle=EDGES, **THIN)
        ax.axvline(float(result.s2), linestyle=S2, **THIN)
        limit_density(ax, limits(results)[label])
        handles = [limit_handle(dash="-"), Line2D([], [], linestyle=S2, label="$s^2$", **THIN)]
        edges = r"$s^2+v^2(1\pm\sqrt{\psi_p/\psi_n})^2$"
        legend_below(figure, [*handles, Line2D([], [], linestyle=EDGES, label=edges, **THIN)])
        figure.suptitle(", ".join(problem_line(result)), x=0.01, ha="left")
    return figure


DRAW = {"core-spectrum": spectrum}
