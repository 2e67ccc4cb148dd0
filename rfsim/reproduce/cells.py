"""Cells of an experiment: each one call of a public function, with the code behind it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rfsim
from rfsim.checking.written import plain
from rfsim.claims import LIMIT
from rfsim.disk import content, provenance, store
from rfsim.disk.files import read_toml
from rfsim.problem.model import Problem
from rfsim.quantities.catalog import QUANTITIES
from rfsim.results.progress import Report

THEORY = {"spectrum": "theory.spectrum", "train": "theory.curves"}
SHARED = ("train_times", "trainer", "by_part", "array", "center", "scale")  # options of a sample and of its limit


@dataclass(frozen=True)
class Cell:
    """One call of a quantity's public function.

    Attributes:
        label: Names it within the experiment.
        quantity: Its name (`train`, `theory.curves`).
        problem: What is asked; None for a sweep, whose problem is among the options.
        options: Further arguments.
        home: The experiment beside which its result lies, where that is another one that has the same cell.
    """

    label: str
    quantity: str
    problem: Problem | None
    options: Mapping[str, Any] = field(default_factory=dict)
    home: str | None = None

    def key(self) -> str:
        """The canonical text of everything asked for.

        Raises:
            ValueError: Where an option has no text.
        """
        problem = None if self.problem is None else self.problem.settings
        options = {name: plain(value) for name, value in self.options.items()}
        for name, value in options.items():
            try:
                store.canonical({name: value})
            except TypeError as error:
                what = f"options of a cell are numbers, texts, and lists and tables of them; got {name} of {self.label}"
                raise ValueError(f"{what}: {error}") from None
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
            kept = QUANTITIES[self.quantity].kept if self.quantity in QUANTITIES else {}
            return self.function(self.problem, **{**kept, **self.options}, report=report)
        return self.function(**self.options, out=self.unfinished(path), report=report)

    def unfinished(self, path: Path) -> Path:
        """Where a sweep is stored until its result lies at a path.

        Args:
            path: Where its result will lie.

        Returns:
            A zarr folder beside it, named by what is asked and the code.
        """
        digest = content.of_text(self.key() + code_digest(self))
        return path.with_name(f"{path.stem}-{digest[:12]}.zarr")

    def limit(self) -> Cell:
        """The d → ∞ cell of a sampled one, labelled `limit-…`: the same problem without what belongs to a draw."""
        options = {name: self.options[name] for name in SHARED if name in self.options}
        return Cell(LIMIT + self.label, THEORY[self.quantity], self.problem, options, self.home)

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


def code_digest(cell: Cell) -> str:
    """SHA-256 of the module of a cell's quantity and of every module of rfsim that it imports, directly or not.

    Args:
        cell: The cell.

    Returns:
        The digest, in hexadecimal.
    """
    return provenance.of_module(cell.function.__module__)
