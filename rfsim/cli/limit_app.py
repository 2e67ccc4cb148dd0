"""`rfsim theory …`: the commands of the d → ∞ theory, on the flags of the sampled ones less dim and seed."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from cyclopts import App

from rfsim.cli.compute import Views, compute
from rfsim.cli.drawn import told, with_grid
from rfsim.cli.flags import (
    LISTED,
    PARTS,
    TRAIN_TIMES,
    ByPart,
    FigureFlags,
    LimitFlags,
    OutputFlags,
    Trainer,
    TrainTimes,
    listed,
    numbers,
    read_as,
)

LIMIT, OUTPUT, FIGURE = LimitFlags(), OutputFlags(), FigureFlags()
RIDGES = (1e-3, 1e-2, 1e-1)

theory = App(name="theory", help="The d → ∞ theory: spectra, learning curves and ridge losses without a sample.")


@theory.command(help_epilogue=PARTS)
def curves(
    *,
    problem: LimitFlags = LIMIT,
    train_times: TrainTimes = TRAIN_TIMES,
    trainer: Trainer = "flow",
    by_part: ByPart = False,
    output: OutputFlags = OUTPUT,
    figure: FigureFlags = FIGURE,
) -> int:
    """Losses at every training time, and timescales."""
    from rfsim import theory
    from rfsim.cli import limit_answers as answers

    return compute(
        "theory curves",
        partial(theory.curves, train_times=with_grid(train_times, output), trainer=trainer, by_part=by_part),
        told(Views(answers.curves_answer, answers.curves_lines, answers.failed_points), train_times),
        (problem, output, figure),
    )


@theory.command(help_epilogue=PARTS)
def spectrum(*, problem: LimitFlags = LIMIT, output: OutputFlags = OUTPUT, figure: FigureFlags = FIGURE) -> int:
    """Density of the eigenvalues of U, and its parts with exact masses and edges."""
    from rfsim import theory
    from rfsim.cli import limit_answers as answers

    return compute(
        "theory spectrum",
        theory.spectrum,
        Views(answers.spectrum_answer, answers.spectrum_lines, answers.failed_points),
        (problem, output, figure),
    )


@theory.command
def ridge(
    *,
    problem: LimitFlags = LIMIT,
    ridges: Annotated[tuple[float, ...], read_as(numbers, f"Ridges γ, {LISTED}.", show_default=listed)] = RIDGES,
    output: OutputFlags = OUTPUT,
    figure: FigureFlags = FIGURE,
) -> int:
    """Losses of the ridge minimizer, and the best ridge."""
    from rfsim import theory
    from rfsim.cli import limit_answers as answers

    if problem.ridge != LimitFlags().ridge:
        raise ValueError(f"theory ridge takes its ridges from --ridges; got --ridge {problem.ridge:g}")
    return compute(
        "theory ridge",
        partial(theory.ridge, ridges=ridges),
        Views(answers.ridge_answer, answers.ridge_lines, answers.failed_points),
        (problem, output, figure),
    )
