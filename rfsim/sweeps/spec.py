"""What a sweep is asked for: a quantity, fixed parameters, axes, and parameters that follow from others.

Read from TOML or a mapping of the same form, and checked as a whole: everything that is wrong with it is said at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rfsim.checking import lists
from rfsim.checking.text import geometric, nearest
from rfsim.disk import places
from rfsim.disk.files import read_toml
from rfsim.quantities.catalog import QUANTITIES, Quantity
from rfsim.quantities.meant import hint
from rfsim.sweeps import imports
from rfsim.sweeps.expressions import Expression, expression

TABLES = ("problem", "axes", "zip", "derive")
FORMS = {"log": "points", "linear": "points", "range": "step"}  # of an axis, and what may stand beside each
LARGEST, CELLS = 10**5, 10**7  # values along one axis, and cells of a sweep
ROUNDING = 1e-9  # of a number of steps: 0.3 is not below 0.1 + 0.1 + 0.1


class Axis(NamedTuple):
    """One dimension of the result: the parameters that vary along it, all of one length, the first of which names it.

    own: whether it is a list that one run of the quantity takes whole, and so no axis of cells.
    """

    dim: str
    values: Mapping[str, tuple]
    own: bool

    @property
    def size(self) -> int:
        return len(next(iter(self.values.values())))


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
    fixed = {key: value for key, value in tables["problem"].items() if _plain(f"[problem] {key}", value, wrong)}
    wrong += [
        f"[problem] {key} must be one value; got {value!r}: give several in [axes]"
        for key, value in fixed.items()
        if isinstance(value, (list, tuple)) and key in quantity.swept and key not in quantity.lists
    ]
    axes = [*_axes(quantity, tables["axes"], wrong), *_zipped(tables["zip"], wrong)]
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


def _plain(where: str, value: Any, wrong: list[str]) -> bool:
    """Whether a fixed value is one that settings can hold."""
    items = value if isinstance(value, (list, tuple)) else [value]
    good = all(isinstance(item, (bool, int, float, str, np.number)) for item in items) and len(items) > 0
    if not good:
        wrong.append(f"{where} must be a number, a text, true or false, or a list of such; got {value!r}")
    return good


def _axes(quantity: Quantity, table: Mapping[str, Any], wrong: list[str]) -> Iterator[Axis]:
    for key, given in table.items():
        values = _values(f"[axes] {key}", given, wrong)
        if values is None or key not in quantity.swept:
            continue
        rises = all(map(_number, values))
        if rises and any(not a < b for a, b in pairwise(values)):
            wrong.append(f"[axes] {key} must increase; got {_shown(values)}")
        elif not rises and len(set(values)) < len(values):
            wrong.append(f"[axes] {key} must not repeat a value; got {_shown(values)}")
        else:
            own = key in quantity.lists
            yield Axis(quantity.lists[key] if own else key, {key: values}, own)


def _zipped(table: Mapping[str, Any], wrong: list[str]) -> Iterator[Axis]:
    """The parameters that vary together, along one dimension."""
    found = {key: _values(f"[zip] {key}", given, wrong) for key, given in table.items()}
    if not found or any(values is None for values in found.values()):
        return
    lengths = {key: len(values) for key, values in found.items() if values is not None}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{key} {length}" for key, length in lengths.items())
        wrong.append(f"[zip] needs lists of one length; got {told}")
        return
    yield Axis(next(iter(found)), {key: values for key, values in found.items() if values is not None}, own=False)


def _values(where: str, given: Any, wrong: list[str]) -> tuple | None:
    """The values of an axis: a list, or a mapping of one of FORMS; None, and what is wrong, for anything else."""
    if isinstance(given, Mapping):
        return _spaced(where, given, wrong)
    if isinstance(given, np.ndarray):
        given = given.tolist()
    if isinstance(given, str):
        given = _ranged(given)
    if not isinstance(given, (list, tuple)):
        wrong.append(
            f'{where} must be a list, such as [0.1, 1], a range, such as "0.1:10:20", or a table with log, linear or '
            f"range, such as {{log = [0.1, 10], points = 20}}; got {given!r}"
        )
        return None
    if not given:
        wrong.append(f"{where} is empty; give at least one value")
        return None
    if len(given) > LARGEST:
        wrong.append(f"{where} has {len(given)} values; take at most {LARGEST}")
        return None
    return tuple(given) if _plain(where, given, wrong) else None


def _ranged(given: str) -> Any:
    """What is written as the command line has it, 0.1:10:20, as numbers; anything else as it is."""
    try:
        return lists.numbers(given)
    except ValueError:
        return given


def _spaced(where: str, given: Mapping[str, Any], wrong: list[str]) -> tuple | None:
    forms = [form for form in FORMS if form in given]
    if len(forms) != 1:
        hint = "".join(nearest(key, FORMS) for key in given)
        wrong.append(f"{where} needs one of log, linear and range; got {', '.join(given) or 'nothing'}{hint}")
        return None
    form = forms[0]
    beside = FORMS[form]
    problems = [
        f"{where} has an unknown key {key!r}{nearest(key, (form, beside))}"
        for key in given
        if key not in (form, beside)
    ]
    ends = given[form]
    if not (isinstance(ends, (list, tuple)) and len(ends) == 2 and all(map(_finite, ends))):
        problems.append(f"{where}: {form} must be [first, last], two finite numbers; got {ends!r}")
    elif not ends[0] < ends[1]:
        problems.append(f"{where}: {form} must increase from first to last; got {list(ends)}")
    elif form == "log" and ends[0] <= 0:
        problems.append(f"{where}: log needs positive ends; got {list(ends)}")
    count = given.get(beside, 1 if form == "range" else None)
    if form == "range":
        if not (_finite(count) and count > 0):
            problems.append(f"{where}: step must be positive; got {count!r}")
    elif beside not in given:
        problems.append(f"{where} lacks points, how many values there are; such as points = 20")
    elif not isinstance(count, int) or isinstance(count, bool) or not 2 <= count <= LARGEST:
        problems.append(f"{where}: points must be a whole number from 2 to {LARGEST}; got {count!r}")
    if problems:
        wrong += problems
        return None
    if form == "range":
        return _steps(where, ends, given.get(beside, 1), wrong)
    if form == "log":
        return geometric(float(ends[0]), float(ends[1]), given[beside])
    return tuple(map(_short, np.linspace(float(ends[0]), float(ends[1]), given[beside]).tolist()))


def _steps(where: str, ends: Sequence[float], step: float, wrong: list[str]) -> tuple | None:
    """first, first + step, … below last: as Python's range, of floats too."""
    count = math.ceil((ends[1] - ends[0]) / step - ROUNDING)
    if count > LARGEST:
        wrong.append(f"{where} has {count} values; take at most {LARGEST}")
        return None
    if all(isinstance(one, int) for one in (*ends, step)):
        return tuple(range(int(ends[0]), int(ends[1]), int(step)))
    return tuple(_short(ends[0] + step * k) for k in range(count))


def _short(value: float) -> float:
    """As short as it may be said: 8, not 7.999999999999999."""
    return float(f"{value:.15g}")


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _finite(value: Any) -> bool:
    return _number(value) and math.isfinite(value)


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
    numbers = {key for key, value in fixed.items() if _number(value)}
    numbers |= {
        key for axis in axes if not axis.own for key, values in axis.values.items() if all(map(_number, values))
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


def _shown(values: Sequence) -> str:
    few = ", ".join(map(str, values[:6]))
    return f"[{few}{', …' if len(values) > 6 else ''}]"
