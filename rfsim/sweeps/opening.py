"""A sweep's store as a run finds it: gone on with as it is, or carried over to what its file asks for now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.disk import renamed, sealed, store
from rfsim.disk.store import StoreError
from rfsim.disk.sweep_files import BROKEN, ORDER
from rfsim.sweeps import scratch
from rfsim.sweeps.assembly import CellSource, assemble
from rfsim.sweeps.matching import places_of
from rfsim.sweeps.plan import SweepPlan
from rfsim.sweeps.storage import REMEDY, WAITING, Storage, in_groups
from rfsim.sweeps.stores import describe

OWN = (ORDER, "coordinates", sealed.FILES, sealed.DIGEST)  # attributes that a store has of itself


class StoreStatus(NamedTuple):
    """How far a store is, over the cells of a plan; broken: cells that do not hold what was written; lost: files of
    coordinates that do not."""

    status: NDArray[np.int8]
    decompositions: int
    seconds: float
    broken: int = 0
    lost: Sequence[str] = ()

    def waiting(self, plan: SweepPlan) -> int:
        """Groups of the plan with a cell that waits."""
        return len(in_groups(self.status == WAITING, plan.tiles))


def reopen(path: Path, plan: SweepPlan, settings: Mapping[str, Any], unread: Collection[str] = ()) -> Storage:
    """A store to go on with: as it is, with the values that its axes lack, whose cells wait, or with names of today.

    unread: data of which no digest could be made. What it holds stays until all of it is carried over. Raises
    StoreError, saying what differs, where it was made with other settings, and for what is no store of a sweep.
    """
    root = describe(path)
    places = places_of(path, root, plan, settings, unread)
    if _same(path, root, plan, places):
        kept = Storage(path, plan, root)
        kept.mend()
        if not _old_names(kept.arrays):
            return kept
    real = path.resolve()
    label = {name: value for name, value in root.attributes.items() if name not in OWN}
    source = CellSource(store.load(path), places, tiles_of(root))
    try:
        with scratch.beside(real) as folder:
            assemble(folder / "store", plan, {**label, "settings": store.canonical(settings)}, [source])
            scratch.exchange(real, folder / "store", folder)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}; {REMEDY}") from error
    return Storage(path, plan, describe(path))


def look(path: Path, plan: SweepPlan, settings: Mapping[str, Any], unread: Collection[str] = ()) -> StoreStatus:
    """How far a store is for a plan that may have values more; nothing is written. Raises as `reopen` does."""
    root = describe(path)
    places = places_of(path, root, plan, settings, unread)
    if _same(path, root, plan, places):
        kept = Storage(path, plan, root)
        return StoreStatus(kept.status(), *kept.totals(), kept.broken, kept.lost)
    data = store.load(path)
    source = CellSource(data, places, tiles_of(root))
    seconds, decompositions = (float(np.nansum(one)) for one in source.costs())
    return StoreStatus(source.status(), int(decompositions), seconds, int(data.attrs.get(BROKEN, 0)))


def tiles_of(root: sealed.Root) -> tuple[int, ...]:
    """Cells of a group along each axis, as a store has them."""
    return sealed.layout(root.arrays[sealed.STATUS]).chunks


def _old_names(arrays: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether any of these arrays, or of their dimensions, has a name of an earlier version."""
    layouts = {name: sealed.layout(one) for name, one in arrays.items()}
    kinds = {name: "U" if one.dtype is None else one.dtype.kind for name, one in layouts.items()}
    return bool(renamed.old_names(kinds, {dim for one in layouts.values() for dim in one.dims}))


def _same(path: Path, root: sealed.Root, plan: SweepPlan, places: tuple[NDArray[np.intp], ...]) -> bool:
    """Whether a store has the plan's cells, in its groups, and digests; StoreError where its groups alone differ."""
    layout = sealed.layout(root.arrays[sealed.STATUS])
    if layout.shape != plan.shape or any((one != np.arange(one.size)).any() for one in places):
        return False
    if layout.chunks != plan.tiles:
        raise StoreError(f"{path} was made by a version that groups cells otherwise; give another --out, or remove it")
    return root.sealed
