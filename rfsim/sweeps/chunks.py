"""Arrays of a sweep's store as zarr has them, a chunk for each group, and how a chunk is written at once.

A chunk without compression is a file of its values' bytes, little-endian, named by its index (zarr's format 3). It is
written here: through the library each of a group's thirty small chunks takes a millisecond of its machinery.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr
import zarr
from numpy.typing import NDArray

from rfsim import store

UNFILLED = {"f": np.nan, "c": np.nan, "i": 0, "u": 0, "b": False}  # by kind of dtype


def new_array(
    root: zarr.Group,
    name: str,
    cells: Sequence[tuple[str, int, int]],
    kind: Any,
    fill: Any,
    attrs: Mapping[str, Any],
    dims: Sequence[str] = (),
    own: Sequence[int] = (),
) -> zarr.Array:
    """An array over the cells (dimension, size, cells of a group along it) and dimensions of its own."""
    return root.create_array(
        name,
        shape=(*(size for _, size, _ in cells), *own),
        chunks=(*(tile for *_, tile in cells), *own),
        dtype=kind,
        fill_value=fill,
        compressors=None,  # a chunk is then the bytes of its values
        chunk_key_encoding={"name": "default", "separator": "."},  # and no folder is made for it
        dimension_names=[*(dim for dim, *_ in cells), *dims],
        attributes=store.plain(attrs),
    )


def new_coordinate(root: zarr.Group, name: str, variable: xr.Variable | xr.DataArray) -> zarr.Array:
    values = np.asarray(variable.values)
    text = values.dtype.kind in "OUT"
    array = root.create_array(
        name,
        shape=values.shape,
        chunks=values.shape,
        dtype=str if text else values.dtype,
        fill_value="" if text else UNFILLED[values.dtype.kind],
        dimension_names=[str(dim) for dim in variable.dims],
        attributes=store.plain(variable.attrs),
    )
    array[...] = values.astype(object) if text else values
    return array


def open_root(path: Path, mode: Literal["r", "r+"]) -> zarr.Group:
    return zarr.open_group(path, mode=mode, use_consolidated=False)  # what is consolidated is for others


def consolidate(root: zarr.Group) -> None:
    """All metadata in one place, so that others open the store without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that other readers of zarr may not know of it: they read the rest
        zarr.consolidate_metadata(root.store)


def put(root: Path, name: str, array: zarr.Array, start: Sequence[int], values: NDArray) -> None:
    """Write the chunk whose first cells are `start`, whole or not at all; values that are missing at its ends are the
    array's fill value.
    """
    path = _path(root, name, array, start)
    if values.dtype.kind in "OUT":
        where = tuple(slice(at, at + size) for at, size in zip(start, values.shape, strict=True))
        if path.exists() or (values != "").any():
            array[where] = values
        return
    whole = np.full(array.chunks, array.fill_value, dtype=array.dtype.newbyteorder("<"))
    whole[tuple(slice(size) for size in values.shape)] = values
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(whole.tobytes())
    partial.replace(path)


def clear(root: Path, name: str, array: zarr.Array, start: Sequence[int]) -> None:
    """Make a chunk as if it had never been written."""
    _path(root, name, array, start).unlink(missing_ok=True)


def dims_of(array: zarr.Array) -> tuple[str, ...]:
    """The names of its dimensions."""
    return tuple(map(str, getattr(array.metadata, "dimension_names", None) or ()))


def _path(root: Path, name: str, array: zarr.Array, start: Sequence[int]) -> Path:
    own = array.ndim - len(start)
    index = [at // size for at, size in zip(start, array.chunks, strict=False)] + [0] * own
    return root / name / ".".join(["c", *map(str, index)])
