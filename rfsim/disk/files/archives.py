"""NumPy's .npy and .npz files: what their headers declare is held against the file and the memory before it is read."""

from __future__ import annotations

import io
import math
import struct
import tokenize
import zipfile
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.machine import require_memory

LONGEST = 2**16  # bytes of a header: one of real numbers has about a hundred
READ = {1: ("<H", np.lib.format.read_array_header_1_0), 2: ("<I", np.lib.format.read_array_header_2_0)}
SHOWN = 8  # names in a message
HINT = "take fewer rows of it"


class Unnamed(ValueError):
    """An archive of several arrays of which none, or none that is there, was asked for."""


def load_npy(path: Path, name: str) -> NDArray:
    """The array of a .npy file; ValueError where it is none, MemoryError where it is larger than the memory."""
    with path.open("rb") as file:
        _require_room(file, path.stat().st_size, name)
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)


def load_npz(path: Path, key: str | None, name: str) -> NDArray:
    """The array `key` of a .npz file, or its only one; Unnamed with the keys there are, all else as `load_npy`."""
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        members = {one.filename.removesuffix(".npy"): one for one in archive.infolist()}
        listed = ", ".join([*members][:SHOWN]) + ", …" * (len(members) > SHOWN)
        if key is None and len(members) != 1:
            hint = f": give one of them as {path}:KEY" if members else ""
            raise Unnamed(f"must hold exactly one array; it holds {listed or 'none'}{hint}")
        if key is not None and key not in members:
            raise Unnamed(f"holds no array {key!r}; it holds {listed or 'none'}")
        member = members[next(iter(members)) if key is None else key]
        with archive.open(member) as data:
            _require_room(data, member.file_size, name)
        with archive.open(member) as data:
            return np.lib.format.read_array(data, allow_pickle=False)


def _require_room(file: IO[bytes], size: int, name: str) -> None:
    """Raise where a file of `size` bytes, or the memory, cannot hold the numbers that its header declares."""
    start = file.read(8)
    np.lib.format.read_magic(io.BytesIO(start))
    if start[6] not in READ:
        raise ValueError(f"version {start[6]} of the format does not hold plain numbers")
    form, read = READ[start[6]]
    told = file.read(struct.calcsize(form))
    if len(told) < struct.calcsize(form):
        raise ValueError("it ends within its header")
    (length,) = struct.unpack(form, told)
    if length > LONGEST:
        raise ValueError(f"its header has {length} bytes, which is no array's")
    try:
        shape, _, dtype = read(io.BytesIO(told + file.read(length)))
    except (MemoryError, RecursionError, tokenize.TokenError):  # of Python's parser
        raise ValueError("its header is no array's") from None
    if dtype.hasobject or dtype.kind not in "fiubcUS":
        texts = ", or texts as array.astype(str)" if dtype.hasobject else ""
        raise ValueError(f"it holds {dtype} values; real numbers are needed{texts}")
    if any(length < 0 for length in shape):
        raise ValueError(f"its header declares the shape {shape}")
    needed = math.prod(shape) * dtype.itemsize
    if needed > size or not dtype.itemsize:
        raise ValueError(f"its header declares the shape {shape}, {needed} bytes, and the file has {size}")
    # float64 whatever it holds; the factor covers the copies made while centering and splitting
    require_memory(4 * 8 * math.prod(shape), name, HINT, each=0)
