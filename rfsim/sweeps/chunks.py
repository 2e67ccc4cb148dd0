"""Arrays of a sweep's store as zarr has them, a chunk for each group, and how a file is written whole or not at all.

A chunk without compression is a file of its values' bytes, little-endian, named by its index (zarr's format 3). It is
written here: its bytes are needed for their digest, and the status has to be the last of a group's. `Dataset.to_zarr`
with a region writes each chunk whole or not at all, but in any order: 2 of 15 trials killed in the middle of it left a
group that was marked as done and lacked values. A call more would put the status last; thirty chunks of 32 kB took 156
ms in it, and 10 ms with their digest here (one trial, on a busy machine).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from rfsim.disk import content, sealed, store
from rfsim.disk.store import StoreError

UNFILLED = {"f": np.nan, "c": np.nan, "i": 0, "u": 0, "b": False}  # by kind of dtype
PARTIAL = re.compile(r"\.(c[.\d]*|zarr\.json|\d+)(\.[0-9a-f]{8})?\.partial")  # what a killed run leaves


def new_array(
    root: zarr.Group,
    name: str,
    cells: Sequence[tuple[str, int, int]],
    kind: Any,
    fill: Any,
    attrs: Mapping[str, Any],
    dims: Sequence[str] = (),
    own: Sequence[int] = (),
) -> None:
    """An array over the cells (dimension, size, cells of a group along it) and dimensions of its own."""
    root.create_array(
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


def new_coordinate(root: zarr.Group, name: str, variable: xr.Variable | xr.DataArray) -> None:
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


def described(folder: Path, names: Sequence[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Arrays that were made in a folder: metadata by name, and the digest of each coordinate's file by its own."""
    arrays = {name: json.loads((folder / name / sealed.ROOT).read_bytes()) for name in names}
    files = {}
    for name in arrays.keys() - sealed.over_cells(arrays).keys() - {sealed.DIGEST}:
        for path in sorted((folder / name).rglob("*")):
            if path.is_file() and path.name != sealed.ROOT:
                files[path.relative_to(folder).as_posix()] = content.of_bytes(path.read_bytes())
    return arrays, dict(sorted(files.items()))


def put(path: Path, written: bytes) -> None:
    """Write a file, whole or not at all, into a folder that exists; nothing that lies there is followed."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(written)
        partial.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise


def mend(path: Path, arrays: Mapping[str, Any]) -> None:
    """Bring back each array's folder and metadata, and remove what killed runs left in it.

    Raises StoreError where a link lies in its place: what it leads to belongs to others.
    """
    for name, metadata in arrays.items():
        folder = path / name
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            raise StoreError(f"{folder} is no folder of this store; move it, and run the same command again")
        folder.mkdir(exist_ok=True)
        with os.scandir(folder) as entries:
            left = [one.path for one in entries if PARTIAL.fullmatch(one.name) and one.is_file(follow_symlinks=False)]
        for one in left:
            Path(one).unlink(missing_ok=True)
        if not _holds(folder / sealed.ROOT, metadata):
            put(folder / sealed.ROOT, json.dumps(metadata, indent=2).encode())


def give_way(path: Path, metadata: Mapping[str, Any], folder: Path) -> None:
    """Move an array of these metadata to `folder`: a killed run made it, and it never became part of the store.

    Raises StoreError for anything else that lies there.
    """
    if not path.exists() and not path.is_symlink():
        return
    if path.is_symlink() or not path.is_dir() or not _holds(path / sealed.ROOT, metadata):
        raise StoreError(f"{path} is no part of this store; move it, and run the same command again")
    path.rename(folder / f"left-{path.name}")


def _holds(path: Path, metadata: Mapping[str, Any]) -> bool:
    try:
        return not path.is_symlink() and json.loads(path.read_bytes()) == metadata
    except (OSError, ValueError, RecursionError):
        return False
