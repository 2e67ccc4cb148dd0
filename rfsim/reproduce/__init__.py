"""Running the experiments of a checkout: cells computed once, stored as they end, reused while their code stands.

An experiment `experiments/NN_name.py` defines FIGURES {figure name: source}, SECONDS {size: measured seconds on two
cores}, cells(size) and CLAIMS; `figures/NN_name.py` defines DRAW {figure name: results → Figure}. Cells are calls of
the front door, so everything that shapes a stored result is the cell and the code behind its quantity.
"""

from __future__ import annotations

import importlib.util
import inspect
import operator
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import xarray as xr

import rfsim
from rfsim.checking.text import nearest
from rfsim.checking.written import plain
from rfsim.claims import LIMIT, Claim, Results, Row
from rfsim.computing import machine
from rfsim.disk import content, locks, provenance, store
from rfsim.disk.files import read_toml
from rfsim.disk.headers import header
from rfsim.problem.model import Problem
from rfsim.results.runs import Report

SIZES = ("quick", "paper")
THEORY = {"spectrum": "theory.spectrum", "train": "theory.curves"}
SHARED = ("train_times", "trainer", "by_part", "array", "center", "scale")  # options of a sample and of its limit


@dataclass(frozen=True)
class Cell:
    """One call of a front-door quantity.

    Attributes:
        label: Names it within the experiment.
        quantity: Its name (`train`, `theory.curves`).
        problem: What is asked; None for a sweep, whose problem is among the options.
        options: Further arguments.
    """

    label: str
    quantity: str
    problem: Problem | None
    options: Mapping[str, Any] = field(default_factory=dict)

    def key(self) -> str:
        """The canonical text of everything asked for."""
        problem = None if self.problem is None else self.problem.settings
        options = {name: plain(value) for name, value in self.options.items()}
        return store.canonical({"quantity": self.quantity, "problem": problem, "options": options})

    def run(self, path: Path, report: Report | None = None):
        """Compute the cell: a sweep goes on where the same code left it.

        Args:
            path: Where its result will lie.
            report: Hears of progress.

        Returns:
            The result.
        """
        if self.problem is not None:
            return self.function(self.problem, **self.options, report=report)
        return self.function(**self.options, out=self.unfinished(path), report=report)

    def unfinished(self, path: Path) -> Path:
        """Where a sweep is stored until its result lies at a path.

        Args:
            path: Where its result will lie.

        Returns:
            A zarr folder beside it, named by what is asked and the code.
        """
        asked = content.of_text(self.key() + code_digest(self))
        return path.with_name(f"{path.stem}-{asked[:12]}.zarr")

    def limit(self) -> Cell:
        """The d → ∞ cell of a sampled one, labelled `limit-…`: the same problem without what belongs to a draw."""
        options = {name: self.options[name] for name in SHARED if name in self.options}
        return Cell(LIMIT + self.label, THEORY[self.quantity], self.problem, options)

    @property
    def function(self) -> Callable[..., Any]:
        """What `rfsim` offers under the quantity's name."""
        return operator.attrgetter(self.quantity)(rfsim)


def sweep_cell(label: str, path: Path, **changes: Any) -> Cell:
    """The sweep of a TOML file as a cell.

    Args:
        label: Names it within the experiment.
        path: The TOML file.
        **changes: Replace whole tables of it.

    Returns:
        The cell.
    """
    return Cell(label, "sweep", None, {"spec": read_toml(path) | changes})


def with_limits(cells: Sequence[Cell]) -> list[Cell]:
    """Sampled cells, and after them the limit of each.

    Args:
        cells: Of `spectrum` or `train`.

    Returns:
        Twice as many cells.
    """
    return [*cells, *(cell.limit() for cell in cells)]


class Experiment(NamedTuple):
    """One experiment file of a checkout and the figure file that belongs to it.

    Attributes:
        name: Of the file, without its suffix.
        module: The experiment, loaded.
        drawing: The figure file.
    """

    name: str
    module: ModuleType
    drawing: Path

    @property
    def figures(self) -> Mapping[str, str]:
        """Figure name → source."""
        return self.module.FIGURES

    @property
    def claims(self) -> Sequence[Claim]:
        """The claims that it decides."""
        return self.module.CLAIMS

    def cells(self, size: str) -> list[Cell]:
        """All cells of one size.

        Args:
            size: "quick" or "paper".

        Returns:
            The cells.
        """
        return self.module.cells(size)

    def seconds(self, size: str) -> float:
        """Measured wall seconds of all cells on two cores.

        Args:
            size: "quick" or "paper".

        Returns:
            The seconds.
        """
        return self.module.SECONDS[size]


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


def checkout() -> Path:
    """The root of the checkout that holds the experiments: the package's own, or the current folder.

    Returns:
        The folder.

    Raises:
        ValueError: In one line, outside of one.
    """
    for root in (Path(rfsim.__file__).resolve().parents[1], Path.cwd()):
        if (root / "experiments").is_dir() and (root / "figures").is_dir() and (root / "rfsim").is_dir():
            return root
    raise ValueError(
        "rfsim reproduce needs a checkout of rfsim, the folder with experiments/ and figures/; "
        "run it there after python -m pip install -e '.[data]'"
    )


def experiments(root: Path) -> list[Experiment]:
    """All experiments of a checkout, in order of their numbers; those below 10 are tutorials.

    Args:
        root: Of the checkout.

    Returns:
        The experiments, loaded.
    """
    files = sorted((root / "experiments").glob("[1-9][0-9]_*.py"))
    return [Experiment(f.stem, _module(f), root / "figures" / f.name) for f in files]


def select(found: Sequence[Experiment], names: Sequence[str]) -> list[tuple[Experiment, list[str]]]:
    """The experiments behind figure names, each with the figures asked for.

    Args:
        found: All experiments.
        names: Of figures; all of them where none is given.

    Returns:
        Experiments and their figures.

    Raises:
        ValueError: For an unknown figure.
    """
    known = [name for one in found for name in one.figures]
    for name in names:
        if name not in known:
            raise ValueError(f"unknown figure {name!r}; choose among {', '.join(known)}{nearest(name, known)}")
    wanted = [(one, [name for name in one.figures if not names or name in names]) for one in found]
    return [(one, figures) for one, figures in wanted if figures]


def cell_path(root: Path, experiment: Experiment, size: str, cell: Cell) -> Path:
    """Where a cell's result lies: beside its experiment.

    Args:
        root: Of the checkout.
        experiment: The experiment.
        size: "quick" or "paper".
        cell: The cell.

    Returns:
        The file.
    """
    return root / "experiments" / "out" / f"{experiment.name}-{size}" / f"{cell.label}.nc"


def pictures(root: Path) -> Path:
    """Where figures are drawn.

    Args:
        root: Of the checkout.

    Returns:
        The folder.
    """
    return root / "figures" / "out"


def kept(path: Path, cell: Cell) -> xr.Dataset | None:
    """The stored result of a cell if its settings and schema match, whatever code computed it.

    Args:
        path: Where it lies.
        cell: The cell.

    Returns:
        The result, or None.
    """
    if not path.exists():
        return None
    try:
        data = store.load(path)
    except store.StoreError:
        return None  # unreadable or of another schema: computed anew
    return data if data.attrs.get("cell") == cell.key() else None


def current(data: xr.Dataset, cell: Cell) -> bool:
    """Whether the code behind the cell's quantity is still the one that computed a result.

    Args:
        data: The result.
        cell: The cell.

    Returns:
        Whether it is.
    """
    return data.attrs.get("code_digest") == code_digest(cell)


def stored(path: Path, cell: Cell) -> xr.Dataset | None:
    """The stored result of a cell if its settings, schema and code match.

    Args:
        path: Where it lies.
        cell: The cell.

    Returns:
        The result, or None.
    """
    data = kept(path, cell)
    return data if data is not None and current(data, cell) else None


def remaining_seconds(root: Path, experiment: Experiment, size: str) -> float:
    """Estimated seconds left: the measured time of a size, shared evenly by the cells that are not stored.

    Taken from what results say of themselves: one whose numbers are damaged counts as stored until it is read.

    Args:
        root: Of the checkout.
        experiment: The experiment.
        size: "quick" or "paper".

    Returns:
        The seconds.
    """
    cells = experiment.cells(size)
    missing = 0
    for cell in cells:
        found = header(cell_path(root, experiment, size, cell))
        missing += (found.get("cell"), found.get("code_digest")) != (cell.key(), code_digest(cell))
    return experiment.seconds(size) * missing / len(cells)


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


def code_digest(cell: Cell) -> str:
    """SHA-256 of the module of a cell's quantity and of every module of rfsim that it imports, directly or not.

    Args:
        cell: The cell.

    Returns:
        The digest, in hexadecimal.
    """
    return provenance.of_module(cell.function.__module__)


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

    drawing = _module(experiment.drawing)
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


def _module(path: Path) -> ModuleType:
    name = f"rfsim_{path.parent.name}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} cannot be loaded as a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def describe(experiment: Experiment) -> str:
    """The first line of an experiment's docstring: its claim.

    Args:
        experiment: The experiment.

    Returns:
        The line.
    """
    return (inspect.getdoc(experiment.module) or experiment.name).splitlines()[0]
