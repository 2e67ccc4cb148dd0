"""What is left of a run of experiments, in the order in which it is given to workers, and how far the run is."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from rfsim.reproduce import costs
from rfsim.reproduce.cells import Cell
from rfsim.reproduce.listing import Experiment
from rfsim.reproduce.running import Concluded, ExperimentOutcome, rows, words
from rfsim.reproduce.storage import cell_path, missing
from rfsim.sweeps.engines.outcome import Outcome

FIGURE, REPORT = 3.0, 3.0  # seconds to draw a figure, as PDF and PNG, and to write the report at the end
TRUSTED = 15.0  # seconds of work by which the estimate counts before any of it has been done


class Progress(NamedTuple):
    """How far a run is.

    Attributes:
        experiment: Name of the one that went on.
        step: Its cell that ended, or "figures"; "" before any has.
        done: Of its cells.
        total: Number of its cells.
        all_done: Cells that ended, of all experiments.
        all_total: Number of all cells.
        left: Estimated seconds until the end.
        outcome: What became of the experiment, once it has ended.
    """

    experiment: str
    step: str
    done: int
    total: int
    all_done: int
    all_total: int
    left: float
    outcome: ExperimentOutcome | None = None


class Task(NamedTuple):
    """One thing for a worker: a cell to compute, or an experiment to conclude where `label` is None."""

    file: Path
    size: str
    label: str | None
    figures: tuple[str, ...]


class Engine(Protocol):
    """Of `rfsim.sweeps.engines`."""

    def outcomes(self, task: Callable[[Any], Any], work: Iterable[tuple[int, Any]]) -> Iterator[Outcome]:
        """Of tasks, as they end."""
        ...


class Entry:
    """An experiment of a run: what is left of it, and what became of it."""

    def __init__(self, root: Path, one: Experiment, figures: Sequence[str], size: str) -> None:
        self.experiment, self.figures, self.size = one, figures, size
        self.failure: str | None = None
        self.paths: dict[str, Path] = {}
        self.seconds: dict[str, float] = {}
        self.concluded: Concluded | None = None
        self.concluding = False
        self.cells: list[Cell] = []
        self.left: set[str] = set()  # labels of cells that are not stored yet
        self.computed: set[str] = set()
        try:
            self.cells = one.cells(size)
            shares = costs.shares(self.cells)
            self.seconds = {cell.label: one.seconds(size) * shares[cell.label] for cell in self.cells}
            self.paths = {cell.label: cell_path(root, one, size, cell) for cell in self.cells}
            self.left = {cell.label for cell in missing(root, one, size)}
        except Exception as error:  # an experiment is a user's file: whatever it does, the others go on
            self.failure = words(error)
        self.first = len(self.left)

    @property
    def ready(self) -> bool:
        """Whether it can be concluded now."""
        return not (self.left or self.failure or self.concluding or self.concluded)

    def outcome(self) -> ExperimentOutcome:
        """What became of it."""
        found = self.concluded or Concluded([], [], [], self.failure)
        judged = rows(self.experiment, found.judgments, self.figures, self.size)
        reused = len(self.cells) - self.first if self.failure is None else 0
        return ExperimentOutcome(
            self.experiment,
            found.files,
            judged,
            len(self.computed),
            reused,
            self.failure or found.failure,
            found.current,
        )


class Board:
    """What is left of a run, in the order in which it is given out."""

    def __init__(
        self,
        root: Path,
        selected: Sequence[tuple[Experiment, Sequence[str]]],
        size: str,
        tell: Callable[[Progress], None],
    ) -> None:
        self.tell, self.size = tell, size
        self.entries = [Entry(root, one, figures, size) for one, figures in selected]
        waiting = {  # of cells that several share one
            entry.paths[cell.label]: (entry, cell)
            for entry in reversed(self.entries)
            for cell in entry.cells
            if cell.label in entry.left
        }
        self.waiting = list(waiting.values())
        self.first = first = next((entry for entry in self.entries if entry.left), None)
        # a first figure soon, then what takes longest, so that no worker ends with it alone
        self.waiting.sort(key=lambda one: (one[0] is not first, -one[0].seconds[one[1].label]))
        self.total = len(self.waiting)
        self.flying: dict[int, tuple[Entry, Cell | None]] = {}
        self.number = 0
        self.started = time.monotonic()
        self.whole = (
            REPORT
            + sum(entry.seconds[cell.label] for entry, cell in self.waiting)
            + FIGURE * sum(len(entry.figures) for entry in self.entries)
        )
        self.behind = 0.0  # seconds of work that have ended, by the estimate

    def begin(self) -> None:
        """Tell what there is to compute."""
        for entry in self.entries:
            if entry.left:
                self._say(entry, "")

    def drain(self, engine: Engine, task: Callable[[Any], Any], most: float) -> None:
        """Run what needs at most so many bytes, until none of it is left."""
        while True:
            before = self.number
            for outcome in engine.outcomes(task, self.ready(most)):
                self.hear(outcome)
            if self.number == before:
                return

    def ready(self, most: float) -> Iterator[tuple[int, Task]]:
        """Tasks that can begin, until there is none: what has ended meanwhile counts."""
        while (found := self._next(most)) is not None:
            entry, cell = found
            self.number += 1
            self.flying[self.number] = found
            label = None if cell is None else cell.label
            file = Path(str(entry.experiment.module.__file__))
            yield self.number, Task(file, self.size, label, tuple(entry.figures))

    def _next(self, most: float) -> tuple[Entry, Cell | None] | None:
        for entry in self.entries:
            if entry.ready:
                entry.concluding = True
                return entry, None
        if not self.waiting:
            return None
        order = range(len(self.waiting))
        # the worker that ends a first experiment has its next cell by then: a short one, after which a figure follows
        for k in reversed(order) if self._opening() else order:
            entry, cell = self.waiting[k]
            if most == math.inf or costs.needed_bytes(cell) <= most:
                return self.waiting.pop(k)
        return None

    def _opening(self) -> bool:
        """Whether the last cells of the first experiment run, and no figure is drawn yet."""
        ended = any(entry.concluded for entry in self.entries)
        return not ended and all(entry is not self.first for entry, _ in self.waiting)

    def hear(self, outcome: Outcome) -> None:
        """Of a task that ended."""
        entry, cell = self.flying.pop(outcome.number)
        failed = outcome.failure or (outcome.value if cell is not None else None)
        if cell is not None:
            self.behind += entry.seconds[cell.label]
        if failed:
            sharing = [entry] if cell is None else [one for one in self.entries if self._needs(one, entry, cell)]
            for one in sharing:
                one.failure, one.concluding = failed, False
            self.waiting = [(owner, one) for given, one in self.waiting if (owner := self._owner(given, one))]
        elif cell is not None:
            entry.computed.add(cell.label)
            for other in [one for one in self.entries if self._needs(one, entry, cell)]:
                other.left.discard(cell.label)
        elif again := set(outcome.value.damaged) - entry.computed:
            entry.left, entry.concluding = again, False
            entry.first += len(again)
            self.waiting += [(entry, cell) for cell in entry.cells if cell.label in again]
            self.total += len(again)
        elif outcome.value.damaged:
            entry.failure = f"what was stored cannot be read: {', '.join(outcome.value.damaged)}"
        else:
            entry.concluded = outcome.value
            self.behind += FIGURE * len(entry.figures)
        self._say(entry, "figures" if cell is None else cell.label)

    def _needs(self, entry: Entry, owner: Entry, cell: Cell) -> bool:
        """Whether an experiment waits for a cell that is computed for another, or for itself."""
        return cell.label in entry.left and entry.paths[cell.label] == owner.paths[cell.label]

    def _owner(self, given: Entry, cell: Cell) -> Entry | None:
        """For whom a cell is computed where some experiments have failed; None where nobody waits for it any more."""
        sound = (one for one in self.entries if one.failure is None and self._needs(one, given, cell))
        return next(sound, None)

    def _say(self, entry: Entry, step: str) -> None:
        ended = entry.concluded is not None or (entry.failure is not None and not self._flies(entry))
        done, total = entry.first - len(entry.left), entry.first
        ahead = self.total - len(self.waiting) - sum(cell is not None for _, cell in self.flying.values())
        outcome = entry.outcome() if ended else None
        self.tell(Progress(entry.experiment.name, step, done, total, ahead, self.total, self.left(), outcome))

    def _flies(self, entry: Entry) -> bool:
        return any(one is entry for one, _ in self.flying.values())

    def left(self) -> float:
        """Estimated seconds until the end: what is left at the pace so far; of what runs now half is done."""
        running = sum(0.5 * one.seconds[cell.label] for one, cell in self.flying.values() if cell is not None)
        done = self.behind + running
        pace = (time.monotonic() - self.started + TRUSTED) / (done + TRUSTED)
        return max(self.whole - done, 0.0) * pace
