"""Spectra of U by part: B25 Fig. 4 (isotropic data) and Fig. 14 (two atoms), with the d → ∞ density."""

from __future__ import annotations

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rfsim.claims import Results, limits
from rfsim.disk import store
from rfsim.learning.timescales import largest_bulk_eigenvalue, smallest_bulk_eigenvalue
from rfsim.plotting import (
    MARKER_COLOR,
    canvas,
    legend_below,
    limit_density,
    limit_handle,
    problem_line,
    spectrum_panel,
    styled,
)

STYLE = "paper"
THIN = {"color": "black", "linewidth": 0.7}
EDGES, S2, ISOTROPIC = (0, (1, 1.5)), (0, (5, 2)), (0, (2, 1))


def _formulas(ax: Axes, result: xr.Dataset) -> None:
    """s² and B25's edges of ρ_1 as vertical lines."""
    psi_n, psi_p = (store.settings(result)[name] for name in ("samples_per_dim", "features_per_dim"))
    for edge in (smallest_bulk_eigenvalue, largest_bulk_eigenvalue):
        ax.axvline(edge(result, psi_n, psi_p), linestyle=EDGES, **THIN)
    ax.axvline(float(result.s2), linestyle=S2, **THIN)


def _pair(results: Results, kind: str) -> Figure:
    figure, axes = canvas(1, 2, style=STYLE, width="double", aspect=0.78)
    with styled(STYLE):
        for ax, psi_n in zip(axes[0], (8, 32), strict=True):
            result = results[f"{kind}-{psi_n}"]
            spectrum_panel(ax, result)
            # the parts differ a hundredfold in mass: a linear height would show the null part alone
            ax.set_yscale("log")
            ax.set_ylim(1e-3, 3)
            _formulas(ax, result)
            known = limits(results)
            limit_density(ax, known[f"{kind}-{psi_n}"])
            if kind != "isotropic":
                limit_density(ax, known[f"isotropic-{psi_n}"], dash=ISOTROPIC, color=MARKER_COLOR)
            ax.text(0.97, 0.97, rf"$\psi_n={psi_n}$", transform=ax.transAxes, ha="right", va="top")
        shared = [piece for piece in problem_line(result)[1:] if not piece.startswith(("$m=", r"$\gamma="))]
        figure.suptitle(", ".join(shared), x=0.01, ha="left")
        handles = [limit_handle(dash="-")]
        if kind != "isotropic":
            handles.append(limit_handle("isotropic data", color=MARKER_COLOR, dash=ISOTROPIC))
        handles.append(Line2D([], [], linestyle=S2, label="$s^2$", **THIN))
        edges = r"$s^2+v^2(1\pm\sqrt{\psi_p/\psi_n})^2$"
        legend_below(figure, [*handles, Line2D([], [], linestyle=EDGES, label=edges, **THIN)])
    return figure


def isotropic(results: Results) -> Figure:
    return _pair(results, "isotropic")


def atoms(results: Results) -> Figure:
    return _pair(results, "atoms")


DRAW = {"b25-fig4": isotropic, "b25-fig14": atoms}
