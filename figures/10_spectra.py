"""Spectra of U by part: B25 Fig. 4 (isotropic data) and Fig. 14 (two atoms, over the isotropic outline)."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from rfsim import store
from rfsim.claims import Results
from rfsim.plotting import canvas, part_histograms, problem_line, spectrum_panel, styled
from rfsim.plotting.style import MARKER_COLOR
from rfsim.training.timescales import largest_bulk_eigenvalue, smallest_bulk_eigenvalue

STYLE = "paper"


def _title(result: xr.Dataset) -> str:
    return ", ".join(piece for piece in problem_line(result) if not piece.startswith(("$m=", r"$\gamma=")))


def _formula(ax, result: xr.Dataset) -> None:
    """B25's edges of ρ_1 and s², marked inside the top of the panel."""
    problem = store.settings(result)
    psi_n, psi_p = problem["samples_per_dim"], problem["features_per_dim"]
    edges = smallest_bulk_eigenvalue(result, psi_n, psi_p), largest_bulk_eigenvalue(result, psi_n, psi_p)
    top = ax.get_ylim()[1]
    ax.plot(edges, [top, top], "|-", color=MARKER_COLOR, clip_on=False)
    ax.plot([float(result.s2)], [top], "v", color=MARKER_COLOR, clip_on=False)
    ax.text(np.sqrt(edges[0] * edges[1]), top, "edges (formula)", ha="center", va="top", color=MARKER_COLOR)
    ax.text(float(result.s2), 0.955 * top, "$s^2$", ha="center", va="top", color=MARKER_COLOR)


def isotropic(results: Results) -> Figure:
    figure, axes = canvas(1, 2, style=STYLE, width="double", aspect=0.8)
    with styled(STYLE):
        for ax, label in zip(axes[0], ("isotropic-8", "isotropic-32"), strict=True):
            spectrum_panel(ax, results[label])
            _formula(ax, results[label])
            ax.set_title(_title(results[label]), pad=30, loc="left")
    return figure


def atoms(results: Results) -> Figure:
    figure, axes = canvas(1, 2, style=STYLE, width="double", aspect=0.8)
    with styled(STYLE):
        for ax, psi_n in zip(axes[0], (8, 32), strict=True):
            result, other = results[f"atoms-{psi_n}"], results[f"isotropic-{psi_n}"]
            spectrum_panel(ax, result)
            edges, heights, _ = part_histograms(other)
            weight = np.diff(edges) / np.diff(np.log(edges))
            outline = np.sum(list(heights.values()), axis=0) * weight
            ax.stairs(outline, edges, color="black", linewidth=0.8, linestyle=(0, (2, 1)))
            ax.set_ylim(0, max(ax.get_ylim()[1], 1.05 * outline.max()))
            ax.set_title(_title(result) + "\ndashed: isotropic", pad=30, loc="left")
    return figure


DRAW = {"b25-fig4": isotropic, "b25-fig14": atoms}
