"""Numbers from .npy, .npz and .csv files, read without unpickling and refused in one line."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rfsim.machine import require_memory

SUFFIXES = (".npy", ".npz", ".csv")


class DataError(ValueError):
    """Data that cannot be used, with what was given and what is accepted."""


def load(path: Path) -> NDArray:
    """The one array in a .npy, .npz or .csv file, as it is there; DataError where there is none that can be read."""
    if not is_file(path):
        raise DataError(f"data file {path} does not exist")
    if path.suffix not in SUFFIXES:
        raise DataError(f"data file {path} is not one of {', '.join(SUFFIXES)}")
    # text takes less room as numbers; the factor covers the copies made while centering and splitting
    require_memory(4 * path.stat().st_size, f"data file {path}")
    try:
        return _load_csv(path) if path.suffix == ".csv" else _load_numpy(path)
    except DataError:
        raise
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"data file {path} cannot be read as numbers ({reason}); it was left as it is") from None


def is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long for a file
        return False


def _load_csv(path: Path) -> NDArray[np.float64]:
    text = path.read_text()
    if not text.strip():
        raise DataError(f"data file {path} is empty")
    return np.loadtxt(text.splitlines(), delimiter=",", ndmin=2)


def _load_numpy(path: Path) -> NDArray:
    # an open file, so that it is closed even where numpy fails halfway through an archive
    with path.open("rb") as file:
        loaded = np.load(file, allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            return loaded
        with loaded:
            if len(loaded.files) != 1:
                raise DataError(f"data file {path} must hold exactly one array; it holds {loaded.files}")
            return loaded[loaded.files[0]]
