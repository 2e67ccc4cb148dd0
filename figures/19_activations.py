"""Spectra of U for every activation, with the Gaussian constants, and the onset of memorization in units of τ_mini."""

from __future__ import annotations

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rfsim.claims import Results, limits, sampled
from rfsim.plotting import (
    canvas,
    family_panel,
    legend_below,
    limit_handle,
    limit_losses,
    part_legend,
    problem_line,
    spectrum_strip,
    styled,
)

STYLE = "paper"


def _facts(name: str, result: xr.Dataset) -> str:
    """The activation's name and constants, and the share of eigenvalues that are 0, which a log axis cannot show."""
    pieces = [rf"$a={float(result.a):.3f}$", rf"$v^2={float(result.v2):.4f}$", rf"$s^2={float(result.s2):.4f}$"]
    if "zero" in result.part:
        pieces.append(rf"{100 * float(result.mass.sel(part='zero')):.1f}% at 0")
    return f"{name}: " + ", ".join(pieces)


def _stack(figure: Figure, ax: Axes, rows: int) -> list[Axes]:
    """Rows of their own in the place of `ax`: those of the other column do not part them."""
    spec = ax.get_subplotspec()
    assert spec is not None
    ax.remove()
    grid = spec.subgridspec(rows, 1)
    return [figure.add_subplot(grid[row]) for row in range(rows)]


def activations(stored: Results) -> Figure:
    results, known = sampled(stored), limits(stored)
    figure, halves = canvas(1, 2, style=STYLE, width="double", aspect=0.24 * len(results))
    positive = [result.eigenvalue.values[result.eigenvalue.values > 0] for result in results.values()]
    ends = (0.5 * min(lam.min() for lam in positive), 2 * max(lam.max() for lam in positive))
    tanh = results["tanh"]
    with styled(STYLE):
        strips, (gap, onset) = (_stack(figure, ax, rows) for ax, rows in zip(halves[0], (len(results), 2), strict=True))
        for ax, (name, result) in zip(strips, results.items(), strict=True):
            spectrum_strip(ax, result, _facts(name, result), ends, limit=known[name])
            ax.set_ylim(1e-3, 100)  # room for the line above the bars
            if ax is not strips[-1]:
                ax.tick_params(axis="x", which="both", labelbottom=False)
        part_legend(strips[0], tanh)
        strips[-1].set_xlabel(r"eigenvalue $\lambda$ of $U$")
        strips[len(results) // 2].set_ylabel(r"$\lambda\,\rho(\lambda)$ (mass per $\ln\lambda$)")
        family_panel(gap, results, ordered=False)
        limit_losses(gap, known, ordered=False)
        gap.set_yscale("log")
        gap.set_ylim(1e-4, None)
        family_panel(onset, results, scale_time="mini", relative=True, ordered=False, legend=False)
        limit_losses(onset, known, scale_time="mini", relative=True, ordered=False)
        onset.set_xlim(1e-3, 1e2)
        onset.axvline(1, color="black", linewidth=0.5)
        onset.axhline(0.5, color="black", linewidth=0.5)
        onset.set_ylabel(r"$L_\mathrm{gen}(\tau)/L_\mathrm{gen}(\infty)$")
        line = [piece for piece in problem_line(tanh) if "sigma" not in piece]
        figure.suptitle(", ".join(line), x=0.01, ha="left")
        legend_below(figure, [limit_handle("density", dash="-"), limit_handle("losses, open markers")])
    return figure


DRAW = {"activations": activations}
