"""Running an experiment: its cells computed or reused, its claims judged, its figures drawn."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import xarray as xr

from rfsim.claims import Results, Row
from rfsim.computing import machine
from rfsim.disk import locks, provenance, store
from rfsim.reproduce.cells import Cell, code_digest
from rfsim.reproduce.listing import Experiment, module_of
from rfsim.reproduce.storage import cell_path, pictures, stored
from rfsim.results.runs import Report


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


def run(
    root: Path, experiment: Experiment, figures: Sequence[str], size: str, *, report: Report | None = None
) -> ExperimentOutcome:
    """Compute or reuse every cell of one experiment, draw its figures where they show other results, judge its claims.

    Each cell is stored when it ends, so an interrupted run resumes. A failing cell, figure or rule ends this experiment
    alone and is named in the outcome.

    Args:
        root: Of the checkout.
        experiment: The experiment.
        figures: To draw.
        size: "quick" or "paper".
        report: Hears of progress.

    Returns:
        What became of it.
    """
    tell = report or (lambda step, values: None)
    cells = experiment.cells(size)
    results: dict[str, Any] = {}
    computed, files, shown, rows = 0, [], [], []
    try:
        for number, cell in enumerate(cells):
            path = cell_path(root, experiment, size, cell)
            data = stored(path, cell)
            tell(cell.label, {"done": number, "total": len(cells)})
            if data is None:

                def step(name: str, values: Mapping[str, Any], number: int = number, cell: Cell = cell) -> None:
                    tell(f"{cell.label}: {name}", {"done": number, "total": len(cells), **values})

                with locks.held(path):
                    data = _computed(cell, path, step)
                computed += 1
                machine.release_programs()
            results[cell.label] = data
        tell("figures", {"done": len(cells), "total": len(cells)})
        source = drawn_from(experiment, results)
        for name in figures:
            have = [pictures(root) / f"{name}{suffix}" for suffix in (".pdf", ".png")]
            if provenance.source_of(have[1]) == source and provenance.is_whole_pdf(have[0]):
                shown += have
            else:
                files.extend(draw(experiment, [name], results, pictures(root), source=source))
        rows = judge(experiment, results, figures, size)
    except Exception as error:  # an experiment is a user's file: whatever it does, the others go on
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        return ExperimentOutcome(experiment, files, rows, computed, len(results) - computed, reason, shown)
    return ExperimentOutcome(experiment, files, rows, computed, len(cells) - computed, None, shown)


def _computed(cell: Cell, path: Path, step: Report) -> xr.Dataset:
    """The result of a cell as it is stored."""
    started = time.perf_counter()
    data = cell.run(path, step).assign_attrs(cell=cell.key(), code_digest=code_digest(cell))
    data.attrs["cell_seconds"] = time.perf_counter() - started  # a resumed sweep's: of its last run
    store.save(data, path)
    shutil.rmtree(cell.unfinished(path), ignore_errors=True)
    return store.load(path)  # so that a figure is always of what is stored


def judge(experiment: Experiment, results: Results, figures: Sequence[str], size: str) -> list[Row]:
    """Every claim of an experiment under its rule, with the command that redoes it.

    Args:
        experiment: The experiment.
        results: By label of the cell.
        figures: Named in the command.
        size: "quick" or "paper".

    Returns:
        A row for each claim.
    """
    command = f"rfsim reproduce {' '.join(figures)} --size {size}"
    return [Row(claim, claim.rule(results), command) for claim in experiment.claims]


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
