"""Losses over training time and their collapse: B25 Fig. 5A, B, and L_gen in units of τ_mem and of τ_mini."""

from __future__ import annotations

from matplotlib.figure import Figure

from rfsim.claims import Results, limits, sampled
from rfsim.plotting import canvas, family_panel, legend_below, limit_handle, limit_losses, problem_line, styled

STYLE = "paper"


def losses(results: Results) -> Figure:
    figure, axes = canvas(2, 3, style=STYLE, width="double", aspect=0.95)
    family, known = (
        {rf"$\psi_n={label.removeprefix('psi_n-')}$": result for label, result in found.items()}
        for found in (sampled(results), limits(results))
    )
    with styled(STYLE):
        handles = family_panel(axes[0, 0], family, ("train", "test"), legend=False)
        family_panel(axes[0, 1], family, ("score",), legend=False)
        axes[0, 1].set_yscale("log")
        family_panel(axes[0, 2], family, ("gen",), legend=False)
        axes[0, 2].set_yscale("log")
        axes[0, 2].set_ylim(1e-4, None)
        for ax, names in zip(axes[0], (("train", "test"), ("score",), ("gen",)), strict=True):
            for name in names:
                limit_losses(ax, known, name)
        for ax, scale in zip(axes[1], ("formula", "mini", "curve"), strict=True):
            family_panel(ax, family, ("gen",), scale_time=scale, relative=True, legend=False)
            limit_losses(ax, known, "gen", scale_time=scale, relative=True)
            ax.axvline(1, color="black", linewidth=0.5)
            ax.axhline(0.5, color="black", linewidth=0.5)
            ax.set_xlim(1e-3, 1e2)
        axes[0, 0].set_ylim(0, 3.5)
        legend_below(figure, [*handles, limit_handle()])
        # ψ_n is what the family varies
        figure.suptitle(", ".join(problem_line(next(iter(family.values())))[1:]), x=0.01, ha="left")
    return figure


DRAW = {"b25-fig5": losses}
