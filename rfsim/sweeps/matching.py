"""Whether a store is of what is asked for now: the same sweep, to whose axes values may have been added."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rfsim.disk import sealed, store
from rfsim.disk.store import StoreError
from rfsim.disk.sweep_files import tables
from rfsim.sweeps.imports import DIGEST
from rfsim.sweeps.plan import SweepPlan

TABLES = ("axes", "zip")
WHOLE = ", which each run takes whole: every cell would be computed again"


def places_of(
    path: Path, root: sealed.Root, plan: SweepPlan, settings: Mapping[str, Any], unread: Collection[str] = ()
) -> tuple[NDArray[np.intp], ...]:
    """For each axis of the plan, where each of its values stands in the store; −1 for one that is not there.

    unread: data of which no digest could be made. Raises StoreError, saying what differs, for a store of other
    settings: of axes in another order, of values that the plan has not, of another list that each run takes whole.
    """
    there, here = json.loads(root.attributes["settings"]), json.loads(store.canonical(settings))
    there = {**there, **tables(root.attributes)}
    dims = sealed.layout(root.arrays[sealed.STATUS]).dims
    moving = {key for axis in plan.axes for key in axis.values}
    stored, wanted = _fixed(there, moving, here, unread), _fixed(here, moving, there, unread)
    lists = {f"axes.{key}" for key in stored["axes"].keys() & wanted["axes"].keys()}
    told = [f"{words}{WHOLE if name in lists else ''}" for name, words in store.differences(stored, wanted).items()]
    if not told:
        wanted = tuple(axis.dim for axis in plan.axes)
        if dims != wanted:
            raise StoreError(
                f"{path} has its axes in another order ({', '.join(dims)} there, {', '.join(wanted)} here); give "
                "another --out, or the file its old order"
            )
        found = tuple(
            places(values_along(there, [*axis.values]), values_along(here, [*axis.values])) for axis in plan.axes
        )
        told = [word for axis, one in zip(plan.axes, found, strict=True) for word in _missing(there, axis.values, one)]
        if not told:
            return found
    raise StoreError(f"{path} was made with other settings ({'; '.join(told)}); give another --out, or remove it")


def places(there: Sequence[tuple], here: Sequence[tuple]) -> NDArray[np.intp]:
    """Where each value of `here` stands in `there`, those that stand twice in their order; −1 where it does not."""
    homes: dict[tuple, list[int]] = {}
    for at, value in enumerate(there):
        homes.setdefault(value, []).append(at)
    left = {value: iter(found) for value, found in homes.items()}
    return np.array([next(left.get(value, iter(())), -1) for value in here], dtype=np.intp)


def values_along(settings: Mapping[str, Any], keys: Sequence[str]) -> list[tuple]:
    """The values along one axis: of its parameters, one tuple a cell."""
    columns = [settings[table][key] for key in keys for table in TABLES if key in settings[table]]
    return list(zip(*columns, strict=True))


def _fixed(
    settings: Mapping[str, Any], moving: Collection[str], other: Mapping[str, Any], unread: Collection[str]
) -> dict[str, Any]:
    """Settings without what may differ: values along axes that both have, digests of data that one has not."""
    found = dict(settings)
    for table in TABLES:
        both = {key for key in moving if key in found[table] and key in other.get(table, {})}
        found[table] = {key: value for key, value in found[table].items() if key not in both}
    data = {DIGEST + str(name) for table in (settings, other) for name in _data(table)}
    data |= {DIGEST + name for name in unread}
    return {key: value for key, value in found.items() if key in other or key not in data}


def _data(settings: Mapping[str, Any]) -> list:
    """The data along an axis, whose values may be added to."""
    return [name for table in TABLES for name in settings[table].get("data", [])]


def _missing(there: Mapping[str, Any], keys: Mapping[str, Any], found: NDArray[np.intp]) -> Iterator[str]:
    values = values_along(there, [*keys])
    if lost := [values[at] for at in sorted({*range(len(values))} - {*found.tolist()})]:
        name = " ".join(keys)
        shown = ", ".join(" ".join(map(str, one)) for one in lost[:3]) + (", …" if len(lost) > 3 else "")
        yield f"{name} {shown} {'is' if len(lost) == 1 else 'are'} there and not here: values are added, not taken away"
