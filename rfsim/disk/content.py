"""Digests: what something holds in one short text, for all of rfsim.

Of numbers, names and settings, those are of what is there and not of how it lies in a file, so that a result read back
gives the digest of the one written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import xarray as xr


def of_bytes(*parts: bytes | memoryview) -> str:
    """SHA-256 of bytes as they are, such as a file's; of several, of one after the other."""
    return _of(parts)


def of_text(text: str) -> str:
    """SHA-256 of a text in UTF-8."""
    return _of([text.encode()])


def of_files(paths: Iterable[Path], root: Path) -> str:
    """SHA-256 over files and their names below `root`, in sorted order."""
    return _of(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes() + b"\0" for path in sorted(paths))


def of_arrays(arrays: Mapping[str, ArrayLike]) -> str:
    """SHA-256 over names, dtypes, shapes and bits; of text over its characters, however it is held."""

    def parts() -> Iterator[bytes]:
        for name, array in sorted((name, np.asarray(array)) for name, array in arrays.items()):
            dtype = "text" if array.dtype.kind in "OUT" else array.dtype.name
            yield f"{name} {dtype} {array.shape}\0".encode()
            yield json.dumps(array.tolist()).encode() if dtype == "text" else _bits(array)

    return _of(parts())


def of_dataset(data: xr.Dataset, without: Collection[str] = ()) -> str:
    """SHA-256 over a dataset's numbers, names, dimensions, dtypes, coordinates and attributes.

    Every NaN is one NaN: files do not keep its bits. `without`: attributes of the whole that do not count.
    """
    arrays = {str(name): _one_nan(np.asarray(one.values)) for name, one in data.variables.items()}
    told = [
        (str(name), [str(dim) for dim in one.dims], name in data.coords, _attributes(one.attrs))
        for name, one in sorted(data.variables.items(), key=lambda item: str(item[0]))
    ]
    attributes = _attributes({name: value for name, value in data.attrs.items() if name not in without})
    return of_text(repr((of_arrays(arrays), told, attributes)))


def _of(parts: Iterable[bytes | memoryview]) -> str:
    total = hashlib.sha256()
    for part in parts:
        total.update(part)
    return total.hexdigest()


def _bits(array: NDArray) -> bytes:
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def _one_nan(array: NDArray) -> NDArray:
    return np.where(np.isnan(array), array.dtype.type(np.nan), array) if array.dtype.kind in "fc" else array


def _attributes(attributes: Mapping[Any, Any]) -> list[tuple[str, Any]]:
    """In order, as a file gives them back: lists as arrays, those of one element as that element."""
    found = {str(name): np.asarray(value).tolist() for name, value in attributes.items()}
    one = {name: value[0] if isinstance(value, list) and len(value) == 1 else value for name, value in found.items()}
    return sorted(one.items())
