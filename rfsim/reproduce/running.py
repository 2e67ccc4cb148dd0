"""Running an experiment: its cells computed or reused, its claims judged, its figures drawn."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import xarray as xr

from rfsim.claims import Judgment, Results, Row
from rfsim.disk import locks, provenance, store
from rfsim.reproduce.cells import Cell, code_digest
from rfsim.reproduce.listing import Experiment, module_of
from rfsim.reproduce.storage import cell_path, pictures, stored
from rfsim.results.progress import Report


class ExperimentOutcome(NamedTuple):
    """What became of one experiment.

    Attributes:
        experiment: The experiment.
        files: Drawn now.
        rows: Judged claims.
        computed: Number of cells.
        reused: Number of cells.
        failure: Its message, if any.
        current: Files that show these results already.
    """

    experiment: Experiment
    files: list[Path]
    rows: list[Row]
    computed: int
    reused: int
    failure: str | None
    current: Sequence[Path] = ()


class Concluded(NamedTuple):
    """What an experiment's results gave, once all of them are stored.

    Attributes:
        files: Drawn now.
        current: Files that show these results already.
        judgments: Of its claims, in their order.
        failure: Its message, if any.
        damaged: Labels of cells that could not be read after all; then nothing else was done.
    """

    files: list[Path]
    current: list[Path]
    judgments: list[Judgment]
    failure: str | None = None
    damaged: Sequence[str] = ()


Made = Callable[[Mapping[str, xr.Dataset]], object]


def compute(root: Path, experiment: Experiment, size: str, cell: Cell, report: Report | None = None) -> str | None:
    """Compute a cell and store it.

    Args:
        root: Of the checkout.
        experiment: The experiment.
        size: "quick" or "paper".
        cell: One of its cells.
        report: Hears of progress.

    Returns:
        What failed, in one line; None where nothing did.
    """
    path = cell_path(root, experiment, size, cell)
    try:
        named = {"cell": cell.key(), "code_digest": code_digest(cell)}  # what has no name is told before it computes
        with locks.held(path):
            started = time.perf_counter()
            data = cell.run(path, report).assign_attrs(named)
            data.attrs["cell_seconds"] = time.perf_counter() - started  # a resumed sweep's: of its last run
            store.save(data, path)
            shutil.rmtree(cell.unfinished(path), ignore_errors=True)
    except Exception as error:  # an experiment is a user's file: whatever it does, the others go on
        return words(error)
    return None


def conclude(
    root: Path,
    experiment: Experiment,
    figures: Sequence[str],
    size: str,
    *,
    further: Made = lambda results: None,
) -> Concluded:
    """Draw the figures of an experiment whose cells are stored, where they show other results, and judge its claims.

    Every result is read once, so that figures and verdicts are of what is stored.

    Args:
        root: Of the checkout.
        experiment: The experiment.
        figures: To draw.
        size: "quick" or "paper".
        further: Called with the results, by label, when all is drawn and judged.

    Returns:
        What its results gave.
    """
    results: dict[str, xr.Dataset] = {}
    files: list[Path] = []
    shown: list[Path] = []
    try:
        damaged = []
        for cell in experiment.cells(size):
            data = stored(cell_path(root, experiment, size, cell), cell)
            if data is None:
                damaged.append(cell.label)
            else:
                results[cell.label] = data
        if damaged:
            return Concluded([], [], [], None, damaged)
        source = drawn_from(experiment, results)
        for name in figures:
            have = [pictures(root) / f"{name}{suffix}" for suffix in (".pdf", ".png")]
            if provenance.source_of(have[1]) == source and provenance.is_whole_pdf(have[0]):
                shown += have
            else:
                files.extend(draw(experiment, [name], results, pictures(root), source=source))
        judgments = [claim.rule(results) for claim in experiment.claims]
        further(results)
        return Concluded(files, shown, judgments)
    except Exception as error:  # as above
        return Concluded(files, shown, [], words(error))


def words(error: Exception) -> str:
    """An exception on one line.

    Args:
        error: The exception.

    Returns:
        Its type and the first line of what it says.
    """
    return f"{type(error).__name__}: {error}".splitlines()[0]


def rows(experiment: Experiment, judgments: Sequence[Judgment], figures: Sequence[str], size: str) -> list[Row]:
    """Judged claims of an experiment, with the command that redoes them.

    Args:
        experiment: The experiment.
        judgments: Of its claims, in their order.
        figures: Named in the command.
        size: "quick" or "paper".

    Returns:
        A row for each judgment.
    """
    command = f"rfsim reproduce {' '.join(figures)} --size {size}"
    return [Row(claim, found, command) for claim, found in zip(experiment.claims, judgments, strict=False)]


def draw(
    experiment: Experiment,
    figures: Sequence[str],
    results: Results,
    folder: Path,
    *,
    source: str,
    suffixes: Sequence[str] = (".pdf", ".png"),
) -> Iterator[Path]:
    """Draw figures of an experiment; a PNG says in its text what it was drawn from.

    Args:
        experiment: The experiment.
        figures: Their names.
        results: By label of the cell.
        folder: To draw into.
        source: What they are drawn from, `drawn_from`.
        suffixes: Of the files of each.

    Yields:
        Each file written.
    """
    from rfsim import plotting  # the figures' own room: only a run that draws needs matplotlib

    drawing = module_of(experiment.drawing)
    for name in figures:
        yield from plotting.save(drawing.DRAW[name](results), folder / name, source=source, suffixes=suffixes)


def drawn_from(experiment: Experiment, results: Results) -> str:
    """What pictures of these results are drawn from, in one text: equal texts, equal pictures.

    Args:
        experiment: The experiment.
        results: By label of the cell.

    Returns:
        The text.
    """
    return provenance.of_picture(experiment.drawing, results)
