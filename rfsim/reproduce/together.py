"""Experiments side by side: each cell a task of a worker process, each experiment concluded when its cells are stored.

The workers are those of sweeps. What may run side by side is what leaves memory for as many as there are; the rest runs
afterwards, one at a time, with all of the machine.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rfsim.computing import interrupts, machine
from rfsim.reproduce.board import Board, Progress, Task
from rfsim.reproduce.listing import Experiment, experiment
from rfsim.reproduce.report.parts import remember
from rfsim.reproduce.running import Concluded, ExperimentOutcome, compute, conclude
from rfsim.results.progress import Report
from rfsim.sweeps.engines.choice import executor


def run_all(
    root: Path,
    selected: Sequence[tuple[Experiment, Sequence[str]]],
    size: str,
    *,
    workers: int | None = None,
    tell: Callable[[Progress], None] = lambda progress: None,
    step: Report | None = None,
) -> list[ExperimentOutcome]:
    """Compute or reuse every cell of experiments, draw their figures where they show other results, judge their claims.

    Each cell is stored when it ends, so an interrupted run resumes. A failing cell, figure or rule ends its experiment
    alone and is named in the outcome.

    Args:
        root: Of the checkout.
        selected: Experiments, and the figures to draw of each.
        size: "quick" or "paper".
        workers: How many processes compute at once; by default one for each core, and no more than memory allows. With
            one everything runs in this process.
        tell: Hears of every experiment of which cells are to be computed, of every cell and experiment that ends.
        step: Hears of the steps within a cell that runs in this process.

    Returns:
        What became of each, in the same order.

    Raises:
        engines.outcome.Lost: Where worker processes cannot be started.
    """
    board = Board(root, selected, size, tell)
    board.begin()
    count = min(workers or machine.threads(), max(len(board.waiting), 1))
    if count > 1:
        most = machine.available_memory() / count
        with executor("processes", count) as pool:
            board.drain(pool, work, most)
    with executor("serial") as alone:
        board.drain(alone, functools.partial(work, step=step), math.inf)
    return [one.outcome() for one in board.entries]


def run(
    root: Path, one: Experiment, figures: Sequence[str], size: str, *, report: Report | None = None
) -> ExperimentOutcome:
    """One experiment in this process.

    Args:
        root: Of the checkout.
        one: The experiment.
        figures: To draw.
        size: "quick" or "paper".
        report: Hears of the steps within a cell.

    Returns:
        What became of it.
    """
    return run_all(root, [(one, figures)], size, workers=1, step=report)[0]


def work(task: Task, step: Report | None = None) -> str | Concluded | None:
    """What a worker does; a cell is given back as what failed.

    Args:
        task: The task.
        step: Hears of the steps within a cell.

    Returns:
        What `compute` or `conclude` gives.
    """
    root, one = task.file.parents[1], _loaded(task.file, task.file.read_bytes())

    def heed(name: str, values: Any) -> None:
        interrupts.check()  # all that takes long tells of its steps
        if step:
            step(name, values)

    if task.label is None:
        keep = functools.partial(remember, root, one, task.size)
        return conclude(root, one, task.figures, task.size, further=keep)
    cell = next(cell for cell in one.cells(task.size) if cell.label == task.label)
    return compute(root, one, task.size, cell, heed)


@functools.cache
def _loaded(file: Path, held: bytes) -> Experiment:
    return experiment(file)
