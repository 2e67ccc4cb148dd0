"""What a quantity is, and where those that there are stand once they are registered (`rfsim.quantities.catalog`).

Importing this loads no NumPy, no xarray and no JAX: functions are named as "module:function" and found when they run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any, TypeAlias

from rfsim.checking.text import nearest
from rfsim.quantities.forms import Form
from rfsim.quantities.parameter import REQUIRED, Parameter
from rfsim.quantities.parameters import LIMIT

Reference: TypeAlias = str | Callable[..., Any]
PLAIN_PAGE = "rfsim.plotting.plain_page:page"
FIELDS = {one.name for one in LIMIT if one.role == "problem"}
GROUPS = {"theory": "The d → ∞ theory: spectra, learning curves and ridge losses without a sample."}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a command says of a result: one JSON object, lines for a reader, and a line for each part that failed.

    summed: lines for a reader of all that was computed, the values beside those that were asked for too.
    """

    json: Reference = "rfsim.cli.plain_answers:answer"
    lines: Reference = "rfsim.cli.plain_answers:lines"
    summed: Reference = "rfsim.cli.best_times:lines"
    failed: Reference = "rfsim.cli.plain_answers:failed"


@dataclass(frozen=True, kw_only=True)
class Cells:
    """What the cells of a sweep share, and what they cost.

    computes: a group of them, called with the group, the array and what is told of progress. together: parameters of
    which one group serves many values; tile: the most cells of a group, 0 for no bound; mapped: of fixed parameters,
    whether there is one program for many cells of them, and where it is not there for all, apart: parameters that
    choose the program, with the words for why they do not vary. decompositions: of U, that a group of these fixed
    parameters does over all of its seeds; needed_bytes: at the peak of a group, of values that may be arrays (groups,)
    and a number of cells; one_by_one: numbers that this formula takes one at a time. sizes: of dimensions whose length
    depends on parameters; grids: dimensions along which every group has a grid of its own. refuses: raises ValueError
    for parameters of a cell that do not go together, called with them, the names of those that differ from cell to
    cell, and the array.
    """

    computes: Reference = "rfsim.sweeps.alone:compute"
    together: tuple[str, ...] = ()
    tile: int = 0
    mapped: Reference | None = None
    apart: Mapping[str, str] | None = None
    decompositions: Reference = "rfsim.sweeps.costs:none"
    needed_bytes: Reference = "rfsim.sweeps.costs:nothing_large"
    one_by_one: tuple[str, ...] = ()
    sizes: Reference = "rfsim.sweeps.costs:fixed"
    grids: tuple[str, ...] = ()
    refuses: Reference | None = None


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A quantity: everything about it that is not how it is computed.

    name: in a sweep ("theory.curves"), and with a space in the place of the dot on the command line; help: one line;
    function: of a problem, by `parameters` as keywords, and report and begin (`rfsim.results.progress`); parameters: in
    the order of the command's help. command: whether there is one; around: a context manager that a command enters
    first, given its values and where its answer goes, for both of which it may give others; kept: what commands, sweeps
    and experiments, which keep all that a result can hold, take in the place of a default; speaks_of_parts: whether its
    answers name parts of U, which the help then explains. page: the panels of its figure; None where it has none. over:
    fields of the problem that its function takes as lists, and the keyword of each. form: what a stored result holds;
    results of a quantity without one are not held against anything.
    """

    name: str
    help: str
    function: Reference
    parameters: tuple[Parameter, ...]
    command: bool = True
    around: Reference | None = None
    kept: Mapping[str, Any] = field(default_factory=dict)
    speaks_of_parts: bool = False
    answer: Answer = Answer()
    cells: Cells = Cells()
    page: Reference | None = PLAIN_PAGE
    over: Mapping[str, str] | None = None
    form: Form | None = None

    @property
    def kind(self) -> str:
        """Of its stored results."""
        return self.name.replace(".", "-").replace("_", "-")

    @property
    def typed(self) -> str:
        """On the command line."""
        return self.name.replace(".", " ").replace("_", "-")

    @cached_property
    def swept(self) -> dict[str, Parameter]:
        """What a sweep may give, by name."""
        return {one.name: one for one in self.parameters if one.swept}

    @cached_property
    def flagged(self) -> dict[str, Parameter]:
        """What its command takes, by name."""
        return {one.name: one for one in self.parameters if one.flagged}

    @cached_property
    def lists(self) -> dict[str, str]:
        """Those parameters of a sweep that are lists, and the dimension of the result that each makes."""
        return {name: one.makes for name, one in self.swept.items() if one.makes}

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """Of every parameter of a sweep that has one."""
        return {name: one.default for name, one in self.swept.items() if one.default is not REQUIRED}

    def ignores(self, name: str) -> bool:
        """Whether a field of the problem does not count."""
        known = {one.name: one for one in self.parameters}
        return name in FIELDS and (name not in known or bool(known[name].unused))

    def given(self, **values: Any) -> dict[str, Any]:
        """What its command takes where these flags are given, by the names of the parameters."""
        for name in values:
            if name not in self.flagged:
                raise TypeError(f"{self.typed} has no {name!r}{nearest(name, self.flagged)}")
        return {name: one.given for name, one in self.flagged.items()} | values


QUANTITIES: dict[str, Quantity] = {}
FORMS: dict[str, Form] = {}  # by the kind of a stored result
PAGES: dict[str, Reference] = {}  # of what its figure consists


def register(quantity: Quantity) -> Quantity:
    """Add a quantity to all that there are."""
    if quantity.name in QUANTITIES:
        raise ValueError(f"there are two quantities {quantity.name!r}; give one of them another name")
    QUANTITIES[quantity.name] = quantity
    if quantity.form is not None:
        FORMS[quantity.kind] = quantity.form
    if quantity.page is not None:
        PAGES[quantity.kind] = quantity.page
    return quantity


def of_kind(kind: str) -> Quantity | None:
    """The quantity of a stored result; None of a sweep, and of what only Python gives."""
    return next((one for one in QUANTITIES.values() if one.kind == kind), None)


def resolve(reference: Reference) -> Callable[..., Any]:
    """The function that a reference names."""
    if callable(reference):
        return reference
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)


def declared() -> dict[str, Parameter]:
    """Every parameter of every quantity by name, as the first that has it declares it."""
    found: dict[str, Parameter] = {}
    for quantity in QUANTITIES.values():
        for one in quantity.parameters:
            found.setdefault(one.name, one)
    return found
