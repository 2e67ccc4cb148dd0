"""Checkpoints of a long run: its arrays on disk, the two newest kept, read back bit for bit and without pickle.

Knows no physics. A checkpoint is a netCDF file of `rfsim.disk.store`, written whole or not at all; it holds no wall
time, date or host, so equal states give equal bytes. One that cannot be used is refused by name, and never removed for
that.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from rfsim.disk import content, locks, store
from rfsim.disk.store import StoreError

KIND = "checkpoint"
KEPT = 2
MOST_STEPS = 10**12 - 1  # what a name has digits for
NAME = re.compile(r"checkpoint-(\d{12})\.nc")
DTYPES = ("float64", "float32", "int64", "int32", "uint32", "bool")

Stamp = tuple[int, ...]  # of a file: another one where it was written, or anything put into its place
_read_back: dict[Path, tuple[Stamp, dict[str, Any]]] = {}  # what this process has read whole, and of which run it is


class Checkpoint(NamedTuple):
    """The step reached, the arrays of the state in their order, and what was measured so far by name."""

    step: int
    leaves: list[NDArray]
    records: dict[str, NDArray]


class _Other(StoreError):
    """A checkpoint that can be read, of a run with other settings."""


def save(
    folder: str | Path,
    step: int,
    leaves: Sequence[ArrayLike],
    records: Mapping[str, ArrayLike],
    settings: Mapping[str, Any],
) -> Path:
    """Write the state after `step` steps to `folder`, which is made if need be; its path.

    Arrays of any shape and of a dtype in DTYPES. `settings` say which run it is (numbers, text, lists and mappings).
    Once it stands, all but the KEPT newest of this run up to `step` are removed; files that `newest` would refuse
    stay. Raises StoreError where the folder cannot be written.
    """
    if not 0 <= step <= MOST_STEPS:
        raise ValueError(f"step must be from 0 to {MOST_STEPS}; got {step}")
    folder = Path(folder)
    path = _path(folder, step)
    store.save(_dataset(step, leaves, records, settings), path)
    mine = [one for k in present(folder) if k <= step and _usable(one := _path(folder, k), settings)]
    try:
        for one in mine[:-KEPT]:
            one.unlink(missing_ok=True)
            _read_back.pop(one, None)
    except OSError as error:
        raise StoreError(f"cannot remove old checkpoints in {folder}: {error.strerror or error}") from None
    return path


@contextlib.contextmanager
def held(folder: str | Path) -> Iterator[None]:
    """Be the only run that writes checkpoints to `folder` inside the block; StoreError where another one does."""
    with locks.held(Path(folder) / "checkpoint"):
        yield


def newest(folder: str | Path, settings: Mapping[str, Any], told: Callable[[str], None]) -> Checkpoint | None:
    """The newest checkpoint in `folder` that can be used by a run with these settings; None where there is none.

    Each newer one is refused in one line to `told`, which names the file and what is wrong with it. Raises StoreError
    where none can be used and one is of a run with other settings: that folder is taken.
    """
    refused, other = [], None
    for step in reversed(present(folder)):
        try:
            found = _read(_path(Path(folder), step), settings)
            break
        except StoreError as error:
            refused.append(error)
            other = other or (error if isinstance(error, _Other) else None)
    else:
        found = None
    for error in refused:
        if found is not None or not isinstance(error, _Other):  # what is raised is not said twice
            told(f"{error}; this checkpoint is not used")
    if found is None and other is not None:
        raise StoreError(f"{other}; choose another folder for this run, or go on with the settings there")
    return found


def present(folder: str | Path) -> list[int]:
    """The steps of the checkpoints in `folder`, by their names and in order; none where there is no such folder."""
    folder = Path(folder)
    try:
        names = [one.name for one in folder.iterdir()] if folder.is_dir() else []
    except OSError as error:
        raise StoreError(f"cannot look into {folder}: {error.strerror or error}; choose another folder") from None
    return sorted(int(found[1]) for found in map(NAME.fullmatch, names) if found)


def _path(folder: Path, step: int) -> Path:
    return folder / f"checkpoint-{step:012d}.nc"


def _dataset(
    step: int, leaves: Sequence[ArrayLike], records: Mapping[str, ArrayLike], settings: Mapping[str, Any]
) -> xr.Dataset:
    arrays = {f"leaf_{k:04d}": np.asarray(leaf) for k, leaf in enumerate(leaves)}
    arrays |= {f"record_{name}": np.asarray(record) for name, record in sorted(records.items())}
    for name, array in arrays.items():
        if array.dtype.name not in DTYPES:
            raise ValueError(f"a checkpoint holds arrays of {', '.join(DTYPES)}; {name} is {array.dtype.name}")
    # each array has axes of its own; without a fill value NaN is a number like any other
    variables = {
        name: xr.Variable([f"{name}_{k}" for k in range(array.ndim)], array, encoding={"_FillValue": None})
        for name, array in arrays.items()
    }
    data = store.label(xr.Dataset(variables), KIND, settings, wall_time=0.0)
    del data.attrs["wall_time_seconds"], data.attrs["code_digest"]
    return data.assign_attrs(step=int(step), leaves=len(leaves))


def _read(path: Path, settings: Mapping[str, Any]) -> Checkpoint:
    """Raises StoreError for what is no checkpoint or a damaged one, _Other for one of other settings."""
    data, checked = store.load_checked(path)
    if data.attrs[store.KIND] != KIND:
        raise StoreError(f"{path} is no checkpoint but a result of kind {data.attrs[store.KIND]!r}")
    numbers = [one for one in map(data.attrs.get, ("step", "leaves")) if isinstance(one, (int, np.integer))]
    if len(numbers) != 2:
        raise StoreError(f"{path} is no whole checkpoint: it does not say its step and how many leaves it has")
    if told := store.differences(store.settings(data), settings):
        raise _Other(f"{path} is of a run with other settings: {', '.join(told.values())}")
    arrays = {str(name): np.asarray(data[name].values) for name in data.variables}
    # an older version's digest is of the arrays alone
    if not checked and content.of_arrays(arrays) != data.attrs.get("content"):
        raise StoreError(f"{path} does not hold what was written to it; it was left as it is")
    step, count = map(int, numbers)
    if path != _path(path.parent, step):
        raise StoreError(f"{path} is of step {step}, not of the step in its name")
    leaves = [f"leaf_{k:04d}" for k in range(count)]
    if leaves != sorted(name for name in arrays if name.startswith("leaf_")):
        raise StoreError(f"{path} is no whole checkpoint: it says that it has {count} leaves, and has others")
    return Checkpoint(
        step,
        [arrays[name] for name in leaves],
        {name.removeprefix("record_"): array for name, array in arrays.items() if name.startswith("record_")},
    )


def _usable(path: Path, settings: Mapping[str, Any]) -> bool:
    """Whether `_read` takes it: each file is read once, as long as it stays as it is."""
    try:
        known = _stamp(path), dict(settings)
        if _read_back.get(path) != known:
            _read_back.pop(path, None)
            _read(path, settings)
            _read_back[path] = known
    except (OSError, StoreError):
        return False
    return True


def _stamp(path: Path) -> Stamp:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
