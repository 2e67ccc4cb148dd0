"""Spectrum, losses and generalization gap for 8 × 8 digits."""

from __future__ import annotations

from matplotlib.figure import Figure

from rfsim.claims import Results, limits, sampled
from rfsim.plotting import (
    canvas,
    legend_below,
    limit_density,
    limit_handle,
    limit_losses,
    loss_panel,
    problem_line,
    spectrum_panel,
    styled,
)

STYLE = "paper"
GAUSSIAN = "Gaussian data of this covariance"


def digits(results: Results) -> Figure:
    figure, axes = canvas(len(sampled(results)), 3, style=STYLE, width="double", aspect=1.1)
    with styled(STYLE):
        for row, (label, result) in zip(axes, sampled(results).items(), strict=True):
            known = limits(results)[label]
            spectrum_panel(row[0], result)
            row[0].set_yscale("log")
            row[0].set_ylim(1e-3, 3)
            limit_density(row[0], known)
            row[0].text(0.97, 0.97, problem_line(result)[0], transform=row[0].transAxes, ha="right", va="top")
            loss_panel(row[1], result, ("train", "test"), flags=("tau_gen",))
            loss_panel(row[2], result, ("gen",), flags=("tau_mem",))
            for name, ax in (("train", row[1]), ("test", row[1]), ("gen", row[2])):
                limit_losses(ax, known, name)
        legend_below(figure, [limit_handle(f"{GAUSSIAN}: density", dash="-"), limit_handle(f"{GAUSSIAN}: losses")])
        figure.suptitle(", ".join(problem_line(next(iter(results.values())))[1:]), x=0.01, ha="left")
    return figure


DRAW = {"digits": digits}
