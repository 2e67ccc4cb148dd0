"""Sweeps on disk: one labelled dataset in zarr, a chunk for each group, that is written as groups end.

A group's values go first, then a digest of them (`rfsim.disk.sealed`), its status last, each file whole or not at all:
what is not marked, and what does not hold what was written, is computed again. Nothing in a store is executed. One
process writes (`rfsim.disk.locks`), any may read meanwhile (`store.load`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr
from numpy.typing import NDArray

from rfsim.disk import sealed
from rfsim.disk.store import StoreError
from rfsim.disk.sweep_files import ORDER, STATES
from rfsim.sweeps import chunks, scratch
from rfsim.sweeps.cells import FAILED, UNCONVERGED
from rfsim.sweeps.plan import SweepPlan

SWEEP = "sweep"
STATUS = STATES
WAITING = 0
EACH = {  # variables of every store: type, value of a cell that waits, what it is
    "status": ("int8", WAITING, "what became of the cell"),
    "reason": (str, "", "why it did not end well"),
    "residual": ("float64", np.nan, "largest residual of what was solved"),
    "seconds": ("float64", np.nan, "wall time of the cell's group in seconds"),
    "decompositions": ("int32", 0, "of U that the cell's group did"),
}
REMEDY = "what was stored before stands: make room, or move what lies there, and run the same command again"


class Storage:
    """The store of one plan, read and held against its digests once; whoever writes to it opens it by `reopen`.

    broken: cells that do not hold what was written, and wait; lost: files of coordinates that do not; lengths: of
    dimensions of the quantity's own, where the plan cannot tell them.
    """

    def __init__(self, path: Path, plan: SweepPlan, root: sealed.Root) -> None:
        self.path, self.plan = path, plan
        self.attributes, self.arrays = dict(root.attributes), dict(root.arrays)
        self._layouts = sealed.over_cells(self.arrays)
        self._status = np.full(plan.shape, WAITING, dtype=np.int8)
        self._seconds, self._decompositions = np.full(plan.groups, np.nan), np.zeros(plan.groups, dtype=np.int64)
        self._first: dict[str, int] = {}  # group that has values of an array
        self.broken, self.lengths = 0, dict[str, int]()
        for number, group in enumerate(sealed.groups(path, root)):
            where = plan.where(number)
            if group.broken:
                self.broken += self._status[where].size
            elif group.chunks:
                found = {name: self._decoded(name, group.chunks, where) for name in EACH if name in group.chunks}
                self._status[where] = found["status"]
                self._seconds[number] = found["seconds"].flat[0]
                self._decompositions[number] = found["decompositions"].flat[0]
                for name in group.chunks:
                    self._first.setdefault(name, number)
        self.lost = sealed.coordinates(path, root)[1]

    def status(self) -> NDArray[np.int8]:
        """Over the cells."""
        return self._status.copy()

    def cells(self, number: int, *, failed: bool) -> NDArray[np.intp]:
        """Which cells of a group wait; or did not end well, where `failed`."""
        return np.flatnonzero(self._again(failed)[self.plan.where(number)])

    def waiting(self, *, failed: bool) -> NDArray[np.intp]:
        """Numbers of the groups that have such cells."""
        return in_groups(self._again(failed), self.plan.tiles)

    def totals(self) -> tuple[int, float]:
        """Decompositions done and seconds spent, over all groups."""
        return int(self._decompositions.sum()), float(np.nansum(self._seconds))

    def write(
        self,
        number: int,
        data: xr.Dataset,
        *,
        seconds: float,
        decompositions: int,
        cells: NDArray[np.intp] | None = None,
    ) -> None:
        """One group's result: variables over cell and dimensions of their own; the status goes last.

        cells: those of the group that it is of; what the others hold stays, and its cost is added to theirs.
        Raises StoreError, in one line, where the disk does not take it.
        """
        where = self.plan.where(number)
        held = self._held(number) if cells is not None and len(cells) < self._status[where].size else {}
        if held:
            seconds = float(np.nansum([self._seconds[number], seconds]))
            decompositions += int(self._decompositions[number])
        with self._writing():
            self._prepare(data)
            values = {
                str(name): one.transpose("cell", ...).values
                for name, one in data.data_vars.items()
                if "cell" in one.dims
            }
            places = _places(self.plan, where)
            whole = {
                name: self._merged(name, values.get(name), places if cells is None else places[cells], held)
                for name in (*values, *(name for name in held if name not in values))
            }
            for name, value in (("seconds", seconds), ("decompositions", decompositions)):
                whole[name] = self._layouts[name].empty()
                whole[name].ravel()[places] = value
            written = {
                name: self._layouts[name].encoded(one)
                for name, one in whole.items()
                if self._layouts[name].dtype is not None or (one != "").any()
            }
            index = _index(self.plan, number)
            files = written | {sealed.DIGEST: sealed.of_group(index, written)}
            # of an earlier try nothing stays: first its status, so that whatever happens the group is computed again
            for name in ("status", *(self._layouts.keys() - written.keys())):
                self._file(name, index).unlink(missing_ok=True)
            for name in (*(name for name in files if name != "status"), "status"):
                self._put(name, index, files[name])
        for name in written:
            self._first.setdefault(name, number)
        self._status[where] = whole["status"].ravel()[places].reshape(self._status[where].shape)
        self._seconds[number], self._decompositions[number] = seconds, decompositions

    def fail(self, number: int, reason: str) -> None:
        """Mark the cells of a group that gave no result; those of which an earlier try gave one stand."""
        waiting = self.cells(number, failed=False)
        if not waiting.size:
            return
        size = len(waiting)
        status = ("cell", np.full(size, FAILED, dtype=np.int8))
        data = xr.Dataset({"status": status, "reason": ("cell", np.full(size, reason))})
        data = data.assign(residual=("cell", np.full(size, np.nan)))
        self.write(number, data, seconds=np.nan, decompositions=0, cells=waiting)

    def mend(self) -> None:
        """Bring back what its digests miss: metadata, the sweep's own coordinates; those that results brought come
        with one group more to compute. Raises StoreError where that cannot be written.
        """
        with self._writing():
            chunks.mend(self.path, self.arrays)
            of_plan = {name: xr.Variable(dims, values, attrs) for name, values, dims, attrs in self.plan.coordinates()}
            lost = dict.fromkeys(name.split("/")[0] for name in self.lost)
            with scratch.beside(self.path.resolve()) as folder:
                root = zarr.create_group(folder / "store", zarr_format=3)
                for name in lost.keys() & of_plan.keys():
                    chunks.new_coordinate(root, name, of_plan[name])
                    for path in sorted(one for one in (folder / "store" / name / "c").rglob("*") if one.is_file()):
                        place = self.path / path.relative_to(folder / "store")
                        place.parent.mkdir(parents=True, exist_ok=True)
                        chunks.put(place, path.read_bytes())
            for name in lost.keys() - of_plan.keys():
                along = [one for one, own in self._layouts.items() if name in own.dims]
                for number in [self._first[one] for one in along if one in self._first][:1]:
                    self._file("status", _index(self.plan, number)).unlink(missing_ok=True)
                    self._status[self.plan.where(number)] = WAITING
                del self.arrays[name]
            for one in [one for one in self.attributes[sealed.FILES] if one.split("/")[0] not in self.arrays]:
                del self.attributes[sealed.FILES][one]
            if lost:
                self._seal()

    def tell(self, attributes: Mapping[str, Any]) -> None:
        """Attributes of the whole that may be others from run to run."""
        if any(self.attributes.get(name) != value for name, value in attributes.items()):
            with self._writing():
                self.attributes |= attributes
                self._seal()

    def close(self) -> None:
        """Say how long all groups took."""
        with self._writing():
            self.attributes["wall_time_seconds"] = self.totals()[1]
            self._seal()

    def _again(self, failed: bool) -> NDArray[np.bool_]:
        return (self._status == WAITING) | (failed & (self._status >= UNCONVERGED))

    def _merged(
        self, name: str, values: NDArray | None, places: NDArray[np.intp], held: Mapping[str, NDArray]
    ) -> NDArray:
        """A group's chunk: what it holds, and at these places the values, of which none are the fill value."""
        own = self._layouts[name]
        chunk = held[name] if name in held else own.empty()
        flat = chunk.reshape(-1, *own.chunks[len(self.plan.tiles) :])
        flat[places] = own.fill  # an edge of what is shorter there
        if values is not None:
            flat[(places, *(slice(size) for size in values.shape[1:]))] = values
        return chunk

    def _held(self, number: int) -> dict[str, NDArray]:
        """The chunks of a group that are whole."""
        root = sealed.Root(self.attributes, self.arrays, sealed=True)
        found = sealed.group(self.path, root, self._layouts, _index(self.plan, number))
        return {name: self._layouts[name].decoded(one) for name, one in found.chunks.items()}

    def _decoded(self, name: str, found: Mapping[str, bytes], where: tuple[slice, ...]) -> NDArray:
        return self._layouts[name].decoded(found[name])[tuple(slice(one.stop - one.start) for one in where)]

    def _file(self, name: str, index: Sequence[int]) -> Path:
        dims = len(index) + 1 if name == sealed.DIGEST else len(self._layouts[name].chunks)
        return self.path / sealed.key(name, index, dims)

    def _put(self, name: str, index: Sequence[int], written: bytes) -> None:
        chunks.put(self._file(name, index), written)

    def _prepare(self, data: xr.Dataset) -> None:
        """Arrays for what is seen for the first time, made beside the store and moved there whole."""
        new = [str(name) for name in data.variables if name not in self.arrays]
        if not new:
            return
        with scratch.beside(self.path.resolve()) as folder:
            root = zarr.create_group(folder / "store", zarr_format=3)
            for name in new:
                variable = data[name]
                dims = [str(dim) for dim in variable.dims if dim != "cell"]
                own = [self.lengths.get(dim) or self.plan.length(dim, data.sizes[dim]) for dim in dims]
                if "cell" in variable.dims:
                    kind = str if variable.dtype.kind in "OUT" else variable.dtype
                    fill = "" if kind is str else chunks.UNFILLED[variable.dtype.kind]
                    chunks.new_array(root, name, cells_of(self.plan), kind, fill, variable.attrs, dims, own)
                else:
                    chunks.new_coordinate(root, name, variable)
            arrays, files = chunks.described(folder / "store", new)
            for name in new:
                chunks.give_way(self.path / name, arrays[name], folder)
                (folder / "store" / name).rename(self.path / name)
        self.arrays |= arrays
        self._layouts = sealed.over_cells(self.arrays)
        self.attributes[sealed.FILES] = self.attributes[sealed.FILES] | files
        self.attributes[ORDER] = [*self.attributes.get(ORDER, []), *new]
        self._seal()

    def _seal(self) -> None:
        chunks.put(self.path / sealed.ROOT, sealed.root_text(self.attributes, self.arrays))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            place = error.filename2 or error.filename or self.path
            raise StoreError(f"cannot write {place}: {error.strerror or error}; {REMEDY}") from error


def cells_of(plan: SweepPlan) -> list[tuple[str, int, int]]:
    """(dimension, cells, cells of a group) along each axis."""
    return [(axis.dim, axis.size, tile) for axis, tile in zip(plan.axes, plan.tiles, strict=True)]


def _index(plan: SweepPlan, number: int) -> tuple[int, ...]:
    """A group's place along each axis."""
    return tuple(map(int, np.unravel_index(number, plan.counts))) if plan.counts else ()


def _places(plan: SweepPlan, where: tuple[slice, ...]) -> NDArray[np.intp]:
    """Where the cells of a group lie in its chunk, which at an end may be longer."""
    grid = np.arange(np.prod(plan.tiles, dtype=int)).reshape(plan.tiles)
    return grid[tuple(slice(one.stop - one.start) for one in where)].ravel()


def in_groups(cells: NDArray[np.bool_], tiles: Sequence[int]) -> NDArray[np.intp]:
    """Numbers of the groups in which any of these cells lies."""
    for axis, tile in enumerate(tiles):
        cells = np.logical_or.reduceat(cells, np.arange(0, cells.shape[axis], tile), axis=axis)
    return np.flatnonzero(cells.ravel())
