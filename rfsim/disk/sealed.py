"""Files of a sweep's store, each vouched for: digests written with them, held against them whenever they are read.

The store is a zarr group. Its root's metadata repeat those of all arrays, and hold a digest of every coordinate's file
and one of themselves; the array `digest` holds one for each group of cells, over all files that the group wrote. Cells
of a group that does not hold what was written wait, and are counted. Stores of earlier versions have no digests and are
read as they are. Nothing is written here.
"""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.disk import content

ROOT = "zarr.json"
STATUS = "status"
DIGEST = "digest"  # the array of the groups' digests, and the root's attribute with its own
FILES = "digests"  # the root's attribute with those of the coordinates' files
BYTES = 32  # of a digest
LARGEST = 2**30  # bytes of one file
TRIES = 5  # to read a store that is written meanwhile
TEXT = "string"  # zarr's name of the type


class Damaged(ValueError):
    """A store that does not hold what was written to it; the text goes on from the store's name."""


class Root(NamedTuple):
    """The root's attributes, the metadata of every array by its name, and whether there are digests."""

    attributes: dict[str, Any]
    arrays: dict[str, dict[str, Any]]
    sealed: bool


class StoreLayout(NamedTuple):
    """An array as its metadata have it. dtype: None for text."""

    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    dims: tuple[str, ...]
    dtype: np.dtype | None
    fill: Any

    def empty(self) -> NDArray:
        """A chunk of fill values."""
        return np.full(self.chunks, self.fill, dtype=object if self.dtype is None else self.dtype)

    def encoded(self, chunk: NDArray) -> bytes:
        """The bytes of a chunk, (chunks), as zarr writes it without compression."""
        if self.dtype is None:
            return bytes(_texts().encode(np.ascontiguousarray(chunk).ravel()))
        return chunk.astype(self.dtype.newbyteorder("<"), copy=False).tobytes()

    def decoded(self, written: bytes) -> NDArray:
        """The chunk of these bytes, which may be written to."""
        if self.dtype is None:
            return _texts().decode(written).reshape(self.chunks)
        return np.frombuffer(written, dtype=self.dtype.newbyteorder("<")).reshape(self.chunks).astype(self.dtype)


class SealedGroup(NamedTuple):
    """What is stored of one group.

    Its place among the groups, the bytes of its chunks by array, none where it waits; broken: whether it waits because
    they are not what was written.
    """

    place: tuple[int, ...]
    chunks: dict[str, bytes]
    broken: bool = False


class Contents(NamedTuple):
    """All of a store: its root, the bytes of its files by name, and how many cells and groups are broken."""

    root: Root
    files: dict[str, bytes]
    broken_cells: int
    broken_groups: int


def layout(metadata: Mapping[str, Any]) -> StoreLayout:
    """Raises KeyError, TypeError or ValueError for what are no metadata of an array."""
    kind, fill = metadata["data_type"], metadata["fill_value"]
    return StoreLayout(
        tuple(map(int, metadata["shape"])),
        tuple(map(int, metadata["chunk_grid"]["configuration"]["chunk_shape"])),
        tuple(map(str, metadata.get("dimension_names") or ())),
        None if kind == TEXT else np.dtype(kind),
        fill if kind == TEXT else np.dtype(kind).type(fill),
    )


def over_cells(arrays: Mapping[str, Mapping[str, Any]]) -> dict[str, StoreLayout]:
    """The arrays with a chunk for each group; those of coordinates lie in folders of their own."""
    return {
        name: layout(one)
        for name, one in arrays.items()
        if one["chunk_key_encoding"]["configuration"]["separator"] == "." and name != DIGEST
    }


def key(name: str, index: Sequence[int], dims: int) -> str:
    """The file of a group's chunk of an array of so many dimensions."""
    return f"{name}/{'.'.join(['c', *map(str, index), *['0'] * (dims - len(index))])}"


def of_group(index: Sequence[int], chunks: Mapping[str, bytes]) -> bytes:
    """A digest over all chunks of a group, and of which group they are."""
    told = [f"{'.'.join(map(str, index))}\0".encode()]
    for name in sorted(chunks):
        told += [f"{name}\0{len(chunks[name])}\0".encode(), chunks[name]]
    return bytes.fromhex(content.of_bytes(*told))


def root_text(attributes: Mapping[str, Any], arrays: Mapping[str, Any]) -> bytes:
    """The root's metadata with the digest of themselves."""
    plain = {name: value for name, value in attributes.items() if name != DIGEST}
    consolidated = {"kind": "inline", "must_understand": False, "metadata": dict(sorted(arrays.items()))}
    node = {"attributes": plain, "zarr_format": 3, "consolidated_metadata": consolidated, "node_type": "group"}
    return json.dumps(node | {"attributes": plain | {DIGEST: _of_root(node)}}, indent=2).encode()


def read_root(path: Path) -> Root:
    """The metadata of a store; Damaged where they are not what was written, ValueError where there are none."""
    return _root(_whole(path / ROOT), path)


def groups(path: Path, root: Root) -> Iterator[SealedGroup]:
    """Every group in order."""
    arrays = over_cells(root.arrays)
    if STATUS not in arrays:
        raise Damaged(f"has no {STATUS}")
    marks = arrays[STATUS]
    counts = tuple(-(-size // tile) for size, tile in zip(marks.shape, marks.chunks, strict=True))
    for index in np.ndindex(counts):
        found = group(path, root, arrays, index)
        # a run that writes it meanwhile takes its status away first and gives it back last
        yield group(path, root, arrays, index) if found.broken else found


def group(path: Path, root: Root, arrays: Mapping[str, StoreLayout], index: tuple[int, ...]) -> SealedGroup:
    """One group of these arrays, `over_cells` of the root's."""
    told = _content(path / key(DIGEST, index, len(index) + 1)) if root.sealed else None
    status = _content(path / key(STATUS, index, len(index)))
    if status is None:
        return SealedGroup(index, {}, broken=_is_there(path / key(STATUS, index, len(index))) or told is not None)
    found = {name: _content(path / key(name, index, len(one.chunks))) for name, one in arrays.items()}
    chunks = {name: one for name, one in found.items() if one is not None}
    if root.sealed and told != of_group(index, chunks):
        return SealedGroup(index, {}, broken=True)
    return SealedGroup(index, chunks)


def coordinates(path: Path, root: Root) -> tuple[dict[str, bytes], list[str]]:
    """The bytes of the coordinates' files by their names, and the names of those that are not what was written."""
    cells = over_cells(root.arrays)
    names = [name for name in root.arrays if name not in (*cells, DIGEST)]
    told = root.attributes[FILES] if root.sealed else dict.fromkeys(_files_of(names, root))
    found, lost = {}, []
    for name, digest in told.items():
        written = _content(path / name)
        if written is None or digest not in (None, content.of_bytes(written)):
            lost.append(name)
        else:
            found[name] = written
    return found, lost


def contents(path: Path) -> Contents:
    """All that a store holds, for those who decode it; another process may write to it meanwhile.

    Raises Damaged where its metadata or a coordinate are not what was written, ValueError where it is no store.
    """
    before = _whole(path / ROOT)
    found, lost = _contents(path, before)
    for _ in range(TRIES):
        now = _whole(path / ROOT)
        if now == before:
            break
        before = now
        found, lost = _contents(path, before)
    if lost:
        shown = ", ".join(lost[:3]) + (f" and {len(lost) - 3} more" if len(lost) > 3 else "")
        words = f"{shown} {'does' if len(lost) == 1 else 'do'} not hold what was written"
        raise Damaged(f"is damaged: {words}; run rfsim sweep again, which mends it")
    return found


def _contents(path: Path, before: bytes) -> tuple[Contents, list[str]]:
    """The same with this root, and the coordinates' files that are not what was written."""
    root = _root(before, path)
    files, lost = coordinates(path, root)
    arrays = over_cells(root.arrays)
    cells = broken = 0
    for one in groups(path, root):
        files |= {key(name, one.place, len(arrays[name].chunks)): chunk for name, chunk in one.chunks.items()}
        broken += one.broken
        cells += one.broken * _cells(arrays[STATUS], one.place)
    files |= {f"{name}/{ROOT}": json.dumps(metadata).encode() for name, metadata in root.arrays.items()}
    node = {"attributes": root.attributes, "zarr_format": 3, "node_type": "group"}
    return Contents(root, files | {ROOT: json.dumps(node).encode()}, cells, broken), lost


def _root(written: bytes, path: Path) -> Root:
    try:
        node = json.loads(written)
        attributes, arrays = node["attributes"], node["consolidated_metadata"]["metadata"]
        for one in arrays.values():
            layout(one)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{ROOT} is not what zarr writes: {type(error).__name__}") from None
    marks = DIGEST in attributes, FILES in attributes, DIGEST in arrays
    if any(marks) and not (all(marks) and attributes[DIGEST] == _of_root(node)):
        raise Damaged(f"is damaged: {ROOT} does not hold what was written")
    if not any(marks) and (path / DIGEST).exists():
        raise Damaged(f"is damaged: {ROOT} does not hold what was written")
    return Root(attributes, arrays, all(marks))


def _of_root(node: Mapping[str, Any]) -> str:
    plain = {name: value for name, value in node["attributes"].items() if name != DIGEST}
    return content.of_text(json.dumps({**node, "attributes": plain}, sort_keys=True))


def _cells(marks: StoreLayout, index: tuple[int, ...]) -> int:
    sizes = zip(index, marks.chunks, marks.shape, strict=True)
    return math.prod(min(tile, size - at * tile) for at, tile, size in sizes)


def _files_of(names: Sequence[str], root: Root) -> list[str]:
    """Of coordinates in stores without digests: one chunk each."""
    return [f"{name}/{'/'.join(['c', *['0'] * len(layout(root.arrays[name]).shape)])}" for name in names]


def _whole(path: Path) -> bytes:
    found = _content(path)
    if found is None:
        raise ValueError(f"{path.name} is {'no file' if _is_there(path) else 'missing'}")
    return found


def _content(path: Path) -> bytes | None:
    """The bytes of a regular file of at most LARGEST; None for anything else."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe in its place must not hang this
    except OSError:
        return None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_size > LARGEST:
            return None
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read()
    except OSError:
        return None
    finally:
        os.close(handle)


def _is_there(path: Path) -> bool:
    try:
        return stat.S_IFMT(path.lstat().st_mode) != 0
    except OSError:
        return False


def _texts() -> Any:
    from numcodecs.vlen import VLenUTF8

    return VLenUTF8()
