"""What a sweep is asked for: a quantity, fixed parameters, axes, and parameters that follow from others.

Read from TOML or a mapping of the same form, and checked as a whole: everything that is wrong with it is said at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, NamedTuple

from rfsim.checking.text import nearest
from rfsim.disk import places
from rfsim.disk.files import read_toml
from rfsim.quantities.catalog import QUANTITIES, Quantity
from rfsim.quantities.meant import hint
from rfsim.sweeps import imports
from rfsim.sweeps.axes import Axis, crossed, is_number, plain, zipped
from rfsim.sweeps.expressions import Expression, expression

TABLES = ("problem", "axes", "zip", "derive")
CELLS = 10**7  # of a sweep


class Spec(NamedTuple):
    """A checked sweep: quantity, fixed parameters, axes in the order given, derived parameters in an order in which
    each follows from those before it; settings, what a store of it is identified by; written: how the file names data
    whose whole paths (`rfsim.sweeps.paths`) stand among the values.
    """

    quantity: Quantity
    fixed: Mapping[str, Any]
    axes: tuple[Axis, ...]
    derived: Mapping[str, Expression]
    settings: Mapping[str, Any]
    written: Mapping[str, str] = {}


def read(given: str | Path | Mapping[str, Any], *, allow_import: bool = False) -> Spec:
    """The sweep that a TOML file, or a mapping of the same form, asks for.

    allow_import: whether a file may name activations that are imported; a mapping, which Python code made, may.
    Nothing is imported here. Raises ValueError, in one line, that lists all that is wrong with it.
    """
    if isinstance(given, Mapping):
        return check(imports.written(given), "the sweep", allow_import=True)
    path = Path(given)
    if path.exists() and path.suffix != ".toml" and (what := _no_sweep(path)):
        raise ValueError(f"{path} is {what}; a sweep is written in TOML, such as {path.with_suffix('.toml').name}")
    try:
        content = read_toml(path)
    except FileNotFoundError:
        raise ValueError(f"{path} is not a file; give a sweep written in TOML") from None
    return check(content, str(path), allow_import=allow_import)


def _no_sweep(path: Path) -> str:
    """What is given in the place of a file that asks for a sweep; "" of what may be one."""
    if path.is_dir():
        return "the store of a sweep, which rfsim show and rfsim plot read" if path.suffix == ".zarr" else "a folder"
    return "a result, which rfsim show and rfsim plot read" if path.suffix == ".nc" else places.other(path)


def check(content: Mapping[str, Any], name: str, *, allow_import: bool) -> Spec:
    """The sweep of a mapping; `name` is what errors call it."""
    wrong: list[str] = [] if allow_import else imports.refusals(content)
    quantity = _quantity(content, wrong)
    if quantity is None:
        raise refusal(name, wrong)
    for key in content:
        if key not in ("command", *TABLES):
            where = "; parameters belong in [problem] or [axes]" if key in quantity.swept else ""
            wrong.append(f"unknown key {key!r}{where or nearest(key, ('command', *TABLES))}")
    tables = {key: _table(content, key, wrong) for key in TABLES}
    _require_known(quantity, tables, wrong)
    fixed = {key: value for key, value in tables["problem"].items() if plain(f"[problem] {key}", value, wrong)}
    wrong += [
        f"[problem] {key} must be one value; got {value!r}: give several in [axes]"
        for key, value in fixed.items()
        if isinstance(value, (list, tuple)) and key in quantity.swept and key not in quantity.lists
    ]
    axes = [*crossed(quantity, tables["axes"], wrong), *zipped(tables["zip"], wrong)]
    if (cells := math.prod(axis.size for axis in axes if not axis.own)) > CELLS:
        wrong.append(f"its axes have {cells} cells together; take at most {CELLS}, by fewer values along each")
        raise refusal(name, wrong)  # before values of all cells are made
    derived = _derived(tables["derive"], fixed, axes, wrong)
    if not axes and not wrong:
        wrong.append("there is nothing to vary: give a parameter several values in [axes]")
    if wrong:
        raise refusal(name, wrong)
    settings = {
        "command": quantity.name,
        "problem": fixed,
        "axes": {key: axis.values[key] for axis in axes for key in axis.values if key in tables["axes"]},
        "zip": {key: axis.values[key] for axis in axes for key in axis.values if key in tables["zip"]},
        "derive": {key: one.text for key, one in derived.items()},
    }
    return Spec(quantity, fixed, tuple(axes), derived, settings)


def refusal(name: str, wrong: Sequence[str]) -> ValueError:
    """One line that lists every problem."""
    if len(wrong) == 1:
        return ValueError(f"{name}: {wrong[0]}")
    listed = "; ".join(f"({number}) {one}" for number, one in enumerate(wrong, 1))
    return ValueError(f"{name} has {len(wrong)} problems: {listed}")


def _quantity(content: Mapping[str, Any], wrong: list[str]) -> Quantity | None:
    if "command" not in content:
        wrong.append(f"command is missing; choose among {', '.join(QUANTITIES)}")
        return None
    command = str(content["command"]).strip()
    name = ".".join(command.removeprefix("rfsim ").split())
    if name not in QUANTITIES:
        wrong.append(f"unknown command {command!r}; choose among {', '.join(QUANTITIES)}{nearest(name, QUANTITIES)}")
        return None
    return QUANTITIES[name]


def _table(content: Mapping[str, Any], key: str, wrong: list[str]) -> Mapping[str, Any]:
    found = content.get(key, {})
    if isinstance(found, Mapping):
        return found
    wrong.append(f"{key} must be a table, [{key}]; got {found!r}")
    return {}


def _require_known(quantity: Quantity, tables: Mapping[str, Mapping[str, Any]], wrong: list[str]) -> None:
    """Every name is a parameter of the quantity, and has one place."""
    seen: dict[str, str] = {}
    for table, content in tables.items():
        for key in content:
            if key not in quantity.swept:
                found = hint(key, quantity.swept, of=quantity.typed) or f"; it has {', '.join(quantity.swept)}"
                wrong.append(f"[{table}] {key} is no parameter of {quantity.name}{found}")
            elif key in seen:
                wrong.append(f"{key} stands in [{seen[key]}] and in [{table}]; give it once")
            else:
                seen[key] = table


def _derived(
    table: Mapping[str, Any], fixed: Mapping[str, Any], axes: Sequence[Axis], wrong: list[str]
) -> dict[str, Expression]:
    """Expressions in an order in which each refers only to what is known before it."""
    parsed: dict[str, Expression] = {}
    for key, text in table.items():
        try:
            parsed[key] = expression(text)
        except ValueError as error:
            wrong.append(f"[derive] {key}: {error}")
    numbers = {key for key, value in fixed.items() if is_number(value)}
    numbers |= {
        key for axis in axes if not axis.own for key, values in axis.values.items() if all(map(is_number, values))
    }
    waiting = {}
    for key, one in parsed.items():
        unknown = sorted(one.names - numbers - parsed.keys())
        if key in one.names:
            wrong.append(f"[derive] {key} refers to itself: {one.text!r}")
        elif unknown:
            known = sorted(numbers | parsed.keys() - {key})
            found = hint(unknown[0], known) or f"; there are {', '.join(known) or 'none'}"
            wrong.append(f"[derive] {key} refers to {unknown[0]!r}, which is no number of a cell{found}")
        else:
            waiting[key] = one
    try:
        behind = {key: sorted(one.names & waiting.keys()) for key, one in waiting.items()}
        return {key: waiting[key] for key in TopologicalSorter(behind).static_order()}
    except CycleError as error:
        circle = [key for key in waiting if key in error.args[1]]
        wrong.append(f"[derive] {', '.join(circle)} refer to each other in a circle")
        return {}
