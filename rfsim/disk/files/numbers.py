"""Numbers from .npy, .npz, .csv, .tsv and .txt files, read without unpickling and refused in one line."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from numpy.typing import NDArray

from rfsim.computing.machine import require_memory
from rfsim.disk.files import FileError, archives, is_file, require_regular, text

TEXTS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
SUFFIXES = (".npy", ".npz", *TEXTS)
FORMS = ".npy, .npz, .csv, .tsv or .txt"  # in words; text may be compressed by gzip
UNREADABLE = (OSError, ValueError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error)


class DataError(ValueError):
    """Data that cannot be used, with what was given and what is accepted."""


class FilePlace(NamedTuple):
    """Where numbers lie: a file, and one of its arrays where it holds several."""

    path: Path
    key: str | None


def place(spec: str | Path) -> FilePlace:
    """What FILE or FILE.npz:KEY names."""
    head, colon, key = str(spec).rpartition(":")
    if colon and head.lower().endswith(".npz") and not is_file(Path(spec)):
        return FilePlace(Path(head), key)
    return FilePlace(Path(spec), None)


def names_file(spec: str) -> bool:
    """Whether a text looks like a file of numbers, or is the name of one that is there."""
    path = place(spec).path
    return path.name.lower().endswith(SUFFIXES) or "/" in spec or is_file(path)


def load(spec: str | Path, *, table: Callable[..., NDArray] = text.load, called: str = "numbers") -> NDArray:
    """The one array of FILE, or the array KEY of FILE.npz:KEY, as it is there.

    table: reads a text; called: what a message calls what is in the file.
    Raises DataError, in one line, where there is none that can be read, and MemoryError, before it is read, for more
    numbers than this process may hold. A header or an index of a text is left out, and said.
    """
    path, key = place(spec)
    name = f"data file {path}"
    try:
        size = require_regular(path, name)
    except FileError as error:
        raise DataError(str(error)) from None
    except (FileNotFoundError, NotADirectoryError):
        raise DataError(f"{name} does not exist") from None
    except OSError as error:
        raise DataError(f"{name} cannot be read: {error.strerror or error}") from None
    suffix = next((one for one in SUFFIXES if path.name.lower().endswith(one)), None)
    if suffix is None:
        raise DataError(f"{name} is not one of {', '.join(SUFFIXES)}")
    try:
        if suffix in TEXTS:
            # text takes less room as numbers; the factor covers the copies made while centering and splitting
            require_memory(4 * size, name, archives.HINT, each=0)
            return table(path, zipped=suffix.endswith(".gz"))
        return archives.load_npy(path, name) if suffix == ".npy" else archives.load_npz(path, key, name)
    except archives.Unnamed as error:
        raise DataError(f"{name} {error}") from None
    except UNREADABLE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{name} cannot be read as {called} ({reason}); it was left as it is") from None
