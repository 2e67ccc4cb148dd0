"""Whether every cell of a sweep can be asked for, before any is: values, whole sizes, memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rfsim.checking.scalars import whole
from rfsim.checking.text import nearest
from rfsim.computing.machine import GIB, memory_limit
from rfsim.problem.model import Problem
from rfsim.quantities.catalog import QUANTITIES, resolve
from rfsim.quantities.parameters import DRAW
from rfsim.sweeps.cells import each
from rfsim.sweeps.costs import sizes
from rfsim.sweeps.plan import Group, SweepPlan
from rfsim.sweeps.quantities import needed_bytes
from rfsim.sweeps.spec import refusal

SHOWN = 3  # cells beyond memory that are named


def require_possible(plan: SweepPlan, workers: int | None = 1, array: NDArray | None = None) -> None:
    """Raise ValueError, in one line that lists every problem, for cells that would be refused or pass the memory limit
    of `workers` at once on this machine; None where they are on others.
    """
    wrong = list(_values(plan))
    try:
        wrong = wrong or _beyond_values(plan, workers, array)
    except TypeError as error:
        wrong = [f"a parameter is of a wrong type: {error}"]
    if wrong:
        raise refusal("the sweep", wrong)


def _beyond_values(plan: SweepPlan, workers: int | None, array: NDArray | None) -> list[str]:
    """What is wrong with values that are each what they may be."""
    known = dict(plan.quantity.defaults) | plan.parameters()
    wrong = [*_together(plan), *_sizes(plan, known), *_options(plan, array)]
    if not wrong and workers is not None:
        wrong = list(_memory(plan, min(workers, plan.groups)))
    return wrong


def _varies(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim > 0


def _values(plan: SweepPlan) -> Iterator[str]:
    """What a problem, its least value or its choices refuse of each parameter's values, one parameter at a time."""
    for name, values in plan.parameters().items():
        parameter = plan.quantity.swept[name]
        for value in _telling(values):
            try:
                if parameter.role == "problem":
                    Problem(**{name: value})
                    if parameter.check is not None:
                        resolve(parameter.check)(value, name)
                elif parameter.least is not None and value is not None:
                    whole(name, value, parameter.least)
                elif parameter.choices and value is not None and value not in parameter.choices:
                    choices = f"{', '.join(parameter.choices)}; got {value!r}{nearest(str(value), parameter.choices)}"
                    raise ValueError(f"{name} must be one of {choices}")
            except ValueError as error:
                yield str(error)
                break


def _telling(values: Any) -> list:
    """Values among which one is refused if any of all is: refusals are of ranges, of fractions and of names."""
    if not isinstance(values, np.ndarray):
        return [values]
    if values.dtype.kind not in "iuf":
        return list(dict.fromkeys(values.ravel().tolist()))
    found = [values.min(), values.max(), *values[np.isnan(values)][:1], *values[values != np.round(values)][:1]]
    return [value.item() for value in found]


def _together(plan: SweepPlan) -> Iterator[str]:
    """Parameters that have no default, and those that do not go together."""
    given = {*plan.parameters()}
    for name in plan.quantity.swept:
        if name not in plan.quantity.defaults and name not in given:
            yield f"{plan.quantity.name} needs {name}: give it in [problem] or [axes]"
    if "seeds" in plan.varied():
        yield "seeds cannot vary, since they are a dimension of a result; give an axis of seed"
    elif "seed" in plan.varied() and plan.parameters().get("seeds", 1) != 1:
        yield "seeds are seed, seed + 1, … of each cell: give an axis of seed or a number of seeds, not both"
    for name, words in (plan.quantity.cells.apart or {}).items():
        if name in plan.varied():
            yield words
            break


def _sizes(plan: SweepPlan, known: Mapping[str, Any]) -> Iterator[str]:
    """Cells of too few samples or features: their ratios times dim are rounded."""
    if "dim" in plan.quantity.swept:
        names = np.asarray(known.get("data", Problem.data))
        few = np.zeros((2, *plan.shape), dtype=bool)
        for name in dict.fromkeys(names.ravel().tolist()):  # an array of data has a dim of its own
            found = sizes({**known, "data": name})
            few |= np.stack(
                [np.broadcast_to((names == name) & one, plan.shape) for one in (found.samples < 2, found.features < 1)]
            )
        yield from _cells(plan, few[0], "have fewer than 2 samples")
        yield from _cells(plan, few[1], "have no features")


def _options(plan: SweepPlan, array: NDArray | None) -> Iterator[str]:
    """What the quantity itself refuses of its other parameters, at the first cell and along each axis from there."""
    seen: set[str] = set()
    for number in _looks(plan):
        if (problem := refused(plan.group(number), array)) and problem not in seen:
            seen.add(problem)
            yield problem


def refused(group: Group, array: NDArray | None = None) -> str:
    """Why the settings of a group do not go together, as far as that is known without computing; "" where they do."""
    quantity = QUANTITIES[group.quantity]
    for one in each(group):
        try:
            if quantity.cells.refuses is not None:
                resolve(quantity.cells.refuses)(one, group.cells, array)
            for name, value in one.items():
                if (check := quantity.swept[name].check) is not None:
                    resolve(check)(value, name)
        except (ValueError, TypeError) as error:
            return str(error)
    return ""


def _looks(plan: SweepPlan) -> Iterator[int]:
    """The first group, and those beside it along every axis of what neither a problem nor its draw states."""
    stated = {one.name for one in (*plan.quantity.parameters, *DRAW) if one.role == "problem" or one in DRAW}
    yield 0
    for k, axis in enumerate(plan.axes):
        if not stated.issuperset(axis.values):
            index = np.zeros((len(plan.axes), plan.counts[k]), dtype=int)
            index[k] = np.arange(plan.counts[k])
            yield from np.ravel_multi_index(tuple(index), plan.counts)[1:].tolist()


def cell_bytes(plan: SweepPlan) -> NDArray[np.float64]:
    """What the group of each cell needs at its peak, of the shape of the axes."""
    known = dict(plan.quantity.defaults) | plan.parameters()
    cells = max(plan.group(0).size, 1)
    spread = {name: np.broadcast_to(one, plan.shape).ravel() for name, one in known.items() if _varies(one)}
    found = np.nan_to_num(needed_bytes(plan.quantity, {**known, **spread}, cells))
    return np.broadcast_to(found.reshape(plan.shape) if found.size == plan.cells else found, plan.shape)


def _memory(plan: SweepPlan, workers: int) -> Iterator[str]:
    needed = cell_bytes(plan)
    limit, most = memory_limit(), float(needed.max(initial=0.0))
    if most > limit:
        words = f"need more than the {limit / GIB:.3g} GiB this process may use"
        yield from _cells(plan, needed > limit, words, needed)
    elif most * workers > limit:
        fit = int(limit // most)
        yield (
            f"{workers} workers may need {workers * most / GIB:.3g} GiB together, and {limit / GIB:.3g} GiB are there; "
            f"take {fit} worker{'s' if fit > 1 else ''}"
        )


def _cells(plan: SweepPlan, bad: NDArray[np.bool_], words: str, needed: NDArray | None = None) -> Iterator[str]:
    """One line that names the first of the cells that are bad."""
    where = np.broadcast_to(bad, plan.shape)
    count = int(np.count_nonzero(where))
    if not count:
        return
    named = []
    for index in map(tuple, np.argwhere(where)[:SHOWN].tolist()):
        size = "" if needed is None else f" ({np.broadcast_to(needed, plan.shape)[index] / GIB:.3g} GiB)"
        named.append(f"{words_of(plan, index)}{size}")
    more = f" and {count - len(named)} more" if count > len(named) else ""
    yield f"{count} of {plan.cells} cells {words}: {'; '.join(named)}{more}"


def words_of(plan: SweepPlan, index: tuple[int, ...]) -> str:
    """A cell in words: the value of every parameter that varies."""
    found: Mapping[str, Any] = {
        key: values[at] for at, axis in zip(index, plan.axes, strict=True) for key, values in axis.values.items()
    }
    return ", ".join(
        f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}" for key, value in found.items()
    )
