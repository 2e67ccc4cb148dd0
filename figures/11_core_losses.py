"""Losses over training time with their limit, and L_gen in units of B25's τ_mem and of τ_mini."""

from __future__ import annotations

from matplotlib.figure import Figure

from rfsim.claims import Results, limits, sampled
from rfsim.plotting import canvas, family_panel, legend_below, limit_handle, limit_losses, problem_line, styled

STYLE = "paper"


def losses(results: Results) -> Figure:
    figure, axes = canvas(1, 3, style=STYLE, width="double", aspect=1.0)
    family, known = (
        {f"$\\psi_n={name.removeprefix('psi_n-')}$": one for name, one in found.items() if name.startswith("psi_n-")}
        for found in (sampled(results), limits(results))
    )
    with styled(STYLE):
        first, *others = axes[0]
        handles = family_panel(first, family, ("train", "test"), legend=False)
        for name in ("train", "test"):
            limit_losses(first, known, name)
        first.set_ylim(0, 3.5)
        for ax, scale in zip(others, ("formula", "mini"), strict=True):
            family_panel(ax, family, ("gen",), scale_time=scale, relative=True, legend=False)
            limit_losses(ax, known, "gen", scale_time=scale, relative=True)
            ax.axvline(1, color="black", linewidth=0.5)
            ax.axhline(0.5, color="black", linewidth=0.5)
            ax.set_xlim(1e-3, 1e2)
        legend_below(figure, [*handles, limit_handle()])
        # ψ_n is what the family varies
        figure.suptitle(", ".join(problem_line(next(iter(family.values())))[1:]), x=0.01, ha="left")
    return figure


DRAW = {"core-losses": losses}
