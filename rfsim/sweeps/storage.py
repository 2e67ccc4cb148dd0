"""Sweeps on disk: one labelled dataset in zarr, a chunk for each group, that is written as groups end.

A group's values go first and its status last, each file whole or not at all: what is not marked is computed again.
Nothing in a store is executed. One process writes (`rfsim.locks`), any may read meanwhile (`store.load`).
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import xarray as xr
import zarr
from numpy.typing import NDArray

from rfsim import store
from rfsim.store import KIND, ORDER, StoreError
from rfsim.sweeps import chunks
from rfsim.sweeps.cells import FAILED, UNCONVERGED
from rfsim.sweeps.plan import Plan

SWEEP = "sweep"
STATUS = ("waiting", "done", "unconverged", "failed")
WAITING = 0
EACH = {  # variables of every store: type, value of a cell that waits, what it is
    "status": ("int8", WAITING, "what became of the cell"),
    "reason": (str, "", "why it did not end well"),
    "residual": ("float64", np.nan, "largest residual of what was solved"),
    "seconds": ("float64", np.nan, "wall time of the cell's group in seconds"),
    "decompositions": ("int32", 0, "of U that the cell's group did"),
}


class Storage:
    """The open store of one plan."""

    def __init__(self, path: Path, plan: Plan, root: zarr.Group) -> None:
        self.path, self.plan, self.root = path, plan, root
        self.arrays: dict[str, zarr.Array] = dict(root.arrays())

    def status(self) -> NDArray[np.int8]:
        """Over the cells."""
        return np.asarray(self.arrays["status"][...])

    def waiting(self, *, failed: bool) -> NDArray[np.intp]:
        """Numbers of the groups with a cell that waits; or that did not end well, where `failed`."""
        again = self.status() == WAITING
        if failed:
            again |= self.status() >= UNCONVERGED
        return np.flatnonzero(_any_in_tiles(again, self.plan.tiles).ravel())

    def totals(self) -> tuple[int, float]:
        """Decompositions done and seconds spent, over all groups."""
        first = tuple(slice(None, None, tile) for tile in self.plan.tiles)
        counted = np.asarray(self.arrays["decompositions"][...])[first]
        spent = np.asarray(self.arrays["seconds"][...])[first]
        return int(counted.sum()), float(np.nansum(spent))

    def write(self, number: int, data: xr.Dataset, *, seconds: float, decompositions: int) -> None:
        """One group's result: variables over cell and dimensions of their own; the status goes last.

        Raises StoreError, in one line, where the disk does not take it.
        """
        where = self.plan.where(number)
        data = data.assign(
            seconds=("cell", np.full(data.sizes["cell"], seconds)),
            decompositions=("cell", np.full(data.sizes["cell"], decompositions)),
        )
        with self._writing():
            self._prepare(data)
            values = {str(name): one for name, one in data.data_vars.items() if "cell" in one.dims}
            # of an earlier try nothing stays: first its status, so that whatever happens the group is computed again
            for name in ("status", *(self._over_cells() - values.keys())):
                chunks.clear(self.path, name, self.arrays[name], [one.start for one in where])
            for name in (*(name for name in values if name != "status"), "status"):
                self._put(name, where, values[name].transpose("cell", ...).values)

    def fail(self, number: int, reason: str) -> None:
        """Mark all cells of a group that gave no result; where an earlier try gave one, that stands."""
        if (self.status()[self.plan.where(number)] != WAITING).any():
            return
        size = self.plan.group(number).size
        status = ("cell", np.full(size, FAILED, dtype=np.int8))
        data = xr.Dataset({"status": status, "reason": ("cell", np.full(size, reason))})
        self.write(number, data.assign(residual=("cell", np.full(size, np.nan))), seconds=np.nan, decompositions=0)

    def _put(self, name: str, where: tuple[slice, ...], values: NDArray) -> None:
        shape = tuple(one.stop - one.start for one in where)
        cells = values.reshape((*shape, *values.shape[1:]))
        chunks.put(self.path, name, self.arrays[name], [one.start for one in where], cells)

    def _over_cells(self) -> set[str]:
        """Arrays with a chunk for each group: all but coordinates."""
        dims = tuple(axis.dim for axis in self.plan.axes)
        found = {name: chunks.dims_of(array) for name, array in self.arrays.items()}
        varied = self.plan.varied()
        return {name for name, own in found.items() if own[: len(dims)] == dims and name not in (*varied, *own)}

    def _prepare(self, data: xr.Dataset) -> None:
        """Arrays for what is seen for the first time, made beside the store and moved there whole."""
        new = [str(name) for name in data.variables if name not in self.arrays]
        if not new:
            return
        with _scratch(self.path) as folder:
            root = zarr.create_group(folder, zarr_format=3)
            for name in new:
                variable = data[name]
                dims = [str(dim) for dim in variable.dims if dim != "cell"]
                own = [self.plan.length(dim, data.sizes[dim]) for dim in dims]
                if "cell" in variable.dims:
                    kind = str if variable.dtype.kind in "OUT" else variable.dtype
                    fill = "" if kind is str else chunks.UNFILLED[variable.dtype.kind]
                    chunks.new_array(root, name, cells_of(self.plan), kind, fill, variable.attrs, dims, own)
                else:
                    chunks.new_coordinate(root, name, variable)
            for name in new:
                (folder / name).rename(self.path / name)
        self.arrays |= {name: array for name, array in self.root.arrays() if name in new}
        known = cast(list[str], self.root.attrs.get(ORDER, []))
        self.root.attrs[ORDER] = [*known, *new]
        chunks.consolidate(self.root)

    def close(self) -> None:
        """Say how long all groups took."""
        self.root.attrs["wall_time_seconds"] = self.totals()[1]
        chunks.consolidate(self.root)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"cannot write {self.path}: {error.strerror or error}; what was stored before stands: make room and "
                "run the same command again"
            ) from error


def create(path: Path, plan: Plan, attributes: Mapping[str, Any]) -> Storage:
    """A new store in which every cell waits.

    It is made beside its place and moved there whole. Raises StoreError where it cannot be written.
    """
    try:
        with _scratch(path) as folder:
            found = list(plan.coordinates())
            # what xarray reads as coordinates, beside those that name a dimension
            beside = " ".join(name for name, _, dims, _ in found if dims != (name,))
            told = dict(attributes) | ({"coordinates": beside} if beside else {})
            root = zarr.create_group(folder, zarr_format=3, attributes=told)
            for name, values, dims, attrs in found:
                chunks.new_coordinate(root, name, xr.Variable(dims, values, attrs))
            for name, (kind, fill, words) in EACH.items():
                flags = {"flag_values": list(range(len(STATUS))), "flag_meanings": " ".join(STATUS)}
                attrs = {"long_name": words} | (flags if name == "status" else {})
                chunks.new_array(root, name, cells_of(plan), kind, fill, attrs)
            chunks.consolidate(root)
            folder.rename(path)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}; nothing there was changed") from error
    return Storage(path, plan, chunks.open_root(path, "r+"))


def reopen(path: Path, plan: Plan, settings: Mapping[str, Any]) -> Storage:
    """A store to go on with.

    Raises StoreError, saying what differs, where it was made with other settings, and for what is no store of a sweep.
    """
    attributes = describe(path)
    stored, wanted = json.loads(attributes["settings"]), json.loads(store.canonical(settings))
    if stored != wanted:
        told = "; ".join(_differences(stored, wanted))
        raise StoreError(f"{path} was made with other settings ({told}); give another --out, or remove it")
    kept = Storage(path, plan, chunks.open_root(path, "r+"))
    dims, wanted_dims = chunks.dims_of(kept.arrays["status"]), tuple(axis.dim for axis in plan.axes)
    if dims != wanted_dims:
        raise StoreError(
            f"{path} has its axes in another order ({', '.join(dims)} there, {', '.join(wanted_dims)} here); give "
            "another --out, or the file its old order"
        )
    if kept.arrays["status"].chunks != plan.tiles:
        raise StoreError(f"{path} was made by a version that groups cells otherwise; give another --out, or remove it")
    return kept


def describe(path: Path) -> dict[str, Any]:
    """The attributes of a sweep's store; StoreError where there is none."""
    try:
        attributes = dict(chunks.open_root(path, "r").attrs)
    except Exception as error:  # zarr raises many types for one thing
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise StoreError(f"{path} is no store of a sweep ({reason}); it was left as it is") from None
    if attributes.get(KIND) != SWEEP:
        raise StoreError(f"{path} is no store of a sweep: it has no {KIND!r} of {SWEEP!r}; it was left as it is")
    if attributes.get("rfsim_schema") != store.SCHEMA:
        raise StoreError(
            f"{path} has results schema {attributes.get('rfsim_schema')}; this version reads schema {store.SCHEMA}"
        )
    return attributes


def _differences(stored: Mapping[str, Any], wanted: Mapping[str, Any], where: str = "") -> Iterator[str]:
    for key in sorted({*stored, *wanted}):
        here, there = stored.get(key), wanted.get(key)
        if isinstance(here, Mapping) and isinstance(there, Mapping):
            yield from _differences(here, there, f"{where}{key}.")
        elif here != there:
            yield f"{where}{key} is {_short(here)} there and {_short(there)} here"


def _short(value: Any) -> str:
    text = "not given" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def cells_of(plan: Plan) -> list[tuple[str, int, int]]:
    """(dimension, cells, cells of a group) along each axis."""
    return [(axis.dim, axis.size, tile) for axis, tile in zip(plan.axes, plan.tiles, strict=True)]


def _any_in_tiles(cells: NDArray[np.bool_], tiles: Sequence[int]) -> NDArray[np.bool_]:
    for axis, tile in enumerate(tiles):
        cells = np.logical_or.reduceat(cells, np.arange(0, cells.shape[axis], tile), axis=axis)
    return cells


@contextlib.contextmanager
def _scratch(path: Path) -> Iterator[Path]:
    """A folder beside the store, gone afterwards; one that a killed run left is in nobody's way."""
    folder = path.parent / f".{path.name}.new"
    try:
        shutil.rmtree(folder, ignore_errors=True)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
