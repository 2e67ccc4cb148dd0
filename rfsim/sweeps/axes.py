"""Axes of a sweep: the values that parameters take along its dimensions, as a list, a range or a table says them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from rfsim.checking import lists
from rfsim.checking.text import geometric, nearest
from rfsim.quantities.catalog import Quantity

FORMS = {"log": "points", "linear": "points", "range": "step"}  # of an axis, and what may stand beside each
LARGEST = 10**5  # values along one axis
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


def plain(where: str, value: Any, wrong: list[str]) -> bool:
    """Whether a fixed value is one that settings can hold."""
    items = value if isinstance(value, (list, tuple)) else [value]
    good = all(isinstance(item, (bool, int, float, str, np.number)) for item in items) and len(items) > 0
    if not good:
        wrong.append(f"{where} must be a number, a text, true or false, or a list of such; got {value!r}")
    return good


def crossed(quantity: Quantity, table: Mapping[str, Any], wrong: list[str]) -> Iterator[Axis]:
    """The axes that cross, each a parameter of its own; to wrong is added what is wrong with them."""
    for key, given in table.items():
        values = _values(f"[axes] {key}", given, wrong)
        if values is None or key not in quantity.swept:
            continue
        rises = all(map(is_number, values))
        if rises and any(not a < b for a, b in pairwise(values)):
            wrong.append(f"[axes] {key} must increase; got {_shown(values)}")
        elif not rises and len(set(values)) < len(values):
            wrong.append(f"[axes] {key} must not repeat a value; got {_shown(values)}")
        else:
            own = key in quantity.lists
            yield Axis(quantity.lists[key] if own else key, {key: values}, own)


def zipped(table: Mapping[str, Any], wrong: list[str]) -> Iterator[Axis]:
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
    return tuple(given) if plain(where, given, wrong) else None


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


def is_number(value: Any) -> bool:
    """Whether it is a number, which True is not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _finite(value: Any) -> bool:
    return is_number(value) and math.isfinite(value)


def _shown(values: Sequence) -> str:
    few = ", ".join(map(str, values[:6]))
    return f"[{few}{', …' if len(values) > 6 else ''}]"
