"""A store put together from the cells of others: of the same sweep, with other values along its axes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.sweeps.cells import DONE, FAILED, UNCONVERGED
from rfsim.sweeps.plan import SweepPlan
from rfsim.sweeps.storage import EACH, WAITING, Storage
from rfsim.sweeps.stores import make

RANKS = {WAITING: 0, FAILED: 1, UNCONVERGED: 2, DONE: 3}  # of what is known of a cell


class CellSource(NamedTuple):
    """A store in memory; for each axis of the plan where its values stand in it, −1 for none; its cells of a group."""

    data: xr.Dataset
    places: tuple[NDArray[np.intp], ...]
    tiles: tuple[int, ...]

    def status(self) -> NDArray[np.int8]:
        """Over the cells of the plan."""
        found = np.asarray(self.data["status"].values)[np.ix_(*self.places)] if self.places else self.data.status.values
        known = np.ones(found.shape, dtype=bool)
        for k, one in enumerate(self.places):
            known &= (one >= 0).reshape([-1 if at == k else 1 for at in range(len(self.places))])
        return np.where(known, found, WAITING).astype(np.int8)

    def costs(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Seconds and decompositions of each of its own groups."""
        first = tuple(slice(None, None, tile) for tile in self.tiles)
        seconds, counted = (np.asarray(self.data[name].values)[first] for name in ("seconds", "decompositions"))
        return np.atleast_1d(seconds), np.atleast_1d(counted).astype(float)

    def costs_in(self, plan: SweepPlan) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The same by group of the plan: each is of the group in which its first cell lies."""
        totals = np.zeros((2, plan.groups))
        numbers = np.zeros((1,) * len(plan.axes), dtype=np.intp)
        for k, (one, tile, own, count) in enumerate(zip(self.places, plan.tiles, self.tiles, plan.counts, strict=True)):
            back = np.zeros(self.data["status"].shape[k], dtype=np.intp)
            back[one[one >= 0]] = np.flatnonzero(one >= 0)
            shape = [-1 if at == k else 1 for at in range(len(plan.axes))]
            numbers = numbers * count + (back[::own] // tile).reshape(shape)
        for total, cost in zip(totals, self.costs(), strict=True):
            np.add.at(total, numbers.ravel(), np.nan_to_num(cost).ravel())
        return totals[0], totals[1]


def assemble(folder: Path, plan: SweepPlan, attributes: Mapping[str, Any], sources: Sequence[CellSource]) -> Storage:
    """A new store of the plan in a folder that is not yet there, with all that the sources know: of a cell that several
    know, what the first says of those that got furthest. OSError and StoreError where it cannot be written.
    """
    made = make(folder, plan, attributes)
    if "array" in json.loads(attributes["settings"]):  # whose size the settings do not tell
        made.lengths = {
            str(dim): max(source.data.sizes.get(dim, 0) for source in sources)
            for dim in {dim for source in sources for dim in source.data.dims}
        }
    states = np.stack([source.status() for source in sources])
    ranks = np.vectorize(RANKS.__getitem__, otypes=[int])(states)
    chosen = np.where(ranks.max(axis=0) > 0, ranks.argmax(axis=0), -1)
    for at, source in enumerate(sources):
        values, coords = _columns(source, plan)
        seconds, decompositions = source.costs_in(plan)
        for number in range(plan.groups):
            where = plan.where(number)
            cells = np.flatnonzero(chosen[where] == at)
            if not cells.size:
                continue
            shape = tuple(one.stop - one.start for one in where)
            grid = np.unravel_index(cells, shape) if shape else ()
            index = tuple(one[part][on] for one, part, on in zip(source.places, where, grid, strict=True))
            picked = {name: one[index] if index else one[None] for name, (_, one, _) in values.items()}
            data = {
                name: (("cell", *values[name][0]), one, values[name][2])
                for name, one in picked.items()
                if name in EACH or _known(one)
            }
            made.write(
                number,
                xr.Dataset(data, coords=coords).drop_vars(("seconds", "decompositions")),
                seconds=float(seconds[number]),
                decompositions=int(decompositions[number]),
                cells=cells,
            )
    return made


Column = tuple[tuple[str, ...], NDArray, Mapping[str, Any]]


def _columns(source: CellSource, plan: SweepPlan) -> tuple[dict[str, Column], dict[str, xr.Variable]]:
    """Variables over cells as (own dimensions, values, attributes), and coordinates of own dimensions; of those that
    differ from group to group in the plan, variables."""
    data, axes = source.data, tuple(axis.dim for axis in plan.axes)
    coords = {
        str(name): one.variable for name, one in data.coords.items() if name in one.dims and name not in axes
    }  # fmt: skip
    columns: dict[str, Column] = {
        str(name): (tuple(map(str, one.dims[len(axes) :])), one.values, one.attrs)
        for name, one in ((name, one.transpose(*axes, ...)) for name, one in data.data_vars.items())
    }
    shape = tuple(data.sizes[dim] for dim in axes)
    for dim in plan.loose():
        if dim in coords:
            held = coords.pop(dim)
            columns[f"{dim}_value"] = ((dim,), np.broadcast_to(held.values, (*shape, held.size)), held.attrs)
    return columns, coords


def _known(values: NDArray) -> bool:
    return not (values.dtype.kind == "f" and np.isnan(values).all())
