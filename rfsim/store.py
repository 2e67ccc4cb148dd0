"""Results on disk: one labelled netCDF file each, written atomically, read without executing anything; sweeps in zarr.

Knows no physics. Every result holds the schema, the settings as JSON, versions and wall time as attributes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import xarray as xr

from rfsim.files import require_regular
from rfsim.machine import require_memory, versions

SCHEMA = 1
KIND = "rfsim_kind"
ORDER = "variables"  # of a zarr store, whose own order is none


class StoreError(ValueError):
    """A file that cannot be read as, or replaced by, a result."""


@contextlib.contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """A temporary path in the same folder that replaces `path` only when the block ends well."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    except OSError as error:
        raise StoreError(
            f"cannot write {path}: {error.strerror or error}; choose a folder that can be written"
        ) from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        _flush(temporary)
        temporary.replace(path)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}; nothing there was changed") from error
    finally:
        temporary.unlink(missing_ok=True)


def check_writable(folder: Path) -> None:
    """Refuse, with StoreError, a folder in which nothing can be written; creates nothing."""
    present = folder.absolute()
    while not present.exists() and present != present.parent:
        present = present.parent
    try:
        # permission bits do not bind every user and do not know of read-only disks: a nameless file does
        with tempfile.TemporaryFile(dir=present):
            pass
    except OSError as error:
        raise StoreError(
            f"cannot write to {folder}: {error.strerror or error}; choose a folder that can be written"
        ) from None


def save(data: xr.Dataset, path: str | Path) -> None:
    """Write a dataset made by `label` to `path`, whole or not at all."""
    if KIND not in data.attrs:
        raise StoreError("only a labelled result can be saved; call store.label first")
    with atomic(path) as temporary:
        data.to_netcdf(temporary, engine="h5netcdf")


def label(
    data: xr.Dataset, kind: str, settings: Mapping[str, Any], *, wall_time: float, digest: str = ""
) -> xr.Dataset:
    """`data` with what makes it a result: kind, schema, settings, versions, wall time in seconds, code digest."""
    return data.assign_attrs(
        {
            KIND: kind,
            "rfsim_schema": SCHEMA,
            "settings": canonical(settings),
            "versions": canonical(versions()),
            "wall_time_seconds": float(wall_time),
            "code_digest": digest,
        }
    )


def load(path: str | Path) -> xr.Dataset:
    """Read a result into memory.

    A folder is a sweep's zarr store, which another process may be writing.
    Raises StoreError, in one line, for a missing, truncated or foreign file and for an unknown schema.
    """
    path = Path(path)
    if not path.exists():
        raise StoreError(f"{path} is not a file; give a result written by rfsim (result.nc)")
    kind, read = ("store of a sweep", _sweep) if path.is_dir() else ("readable netCDF file", _netcdf)
    try:
        if not path.is_dir():
            require_regular(path)
        data = read(path)
    except MemoryError:  # told what is declared and what there is
        raise
    except Exception as error:  # h5py, zarr and xarray raise many types for one thing: nothing that can be read
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise StoreError(f"{path} is not a {kind} ({reason}); it was left as it is") from None
    if KIND not in data.attrs:
        raise StoreError(f"{path} was not written by rfsim: it has no {KIND!r} attribute")
    schema = data.attrs.get("rfsim_schema")
    if schema != SCHEMA:
        raise StoreError(f"{path} has results schema {schema}; this version reads schema {SCHEMA}")
    return data


def _netcdf(path: Path) -> xr.Dataset:
    with xr.open_dataset(path, engine="h5netcdf", create_default_indexes=False) as found:
        _require_room(found, path)
    return xr.load_dataset(path, engine="h5netcdf")


def _sweep(path: Path) -> xr.Dataset:
    # an index is loaded as soon as it is there
    _require_room(xr.open_zarr(path, consolidated=False, chunks=None, create_default_indexes=False), path)
    data = xr.open_zarr(path, consolidated=False, chunks=None).load()
    order = data.attrs.pop(ORDER, [])
    data = data[[*(name for name in order if name in data.data_vars), *(n for n in data.data_vars if n not in order)]]
    found = {name: one.to_base_variable() for name, one in data.variables.items() if one.dtype.kind == "T"}
    texts = {name: one.copy(data=one.values.astype(object).astype(str)) for name, one in found.items()}
    return data.assign_coords({name: text for name, text in texts.items() if name in data.coords}).assign(
        {name: text for name, text in texts.items() if name not in data.coords}
    )


def _require_room(data: xr.Dataset, path: Path) -> None:
    """MemoryError where what is declared, which compression may hide, is more than this process may hold."""
    declared = sum(one.size * one.dtype.itemsize for one in data.variables.values())
    require_memory(declared, str(path), "it was left as it is", each=0)


def settings(data: xr.Dataset) -> dict[str, Any]:
    """The settings a result was made with."""
    return json.loads(data.attrs["settings"])


def guard(path: str | Path, wanted: Mapping[str, Any], *, force: bool) -> None:
    """Refuse to replace a result of other settings, or a file that is no result, unless `force`."""
    path = Path(path)
    if force or not path.exists():
        return
    try:
        stored = load(path).attrs["settings"]
    except StoreError as error:
        raise StoreError(f"{error}; use --force to replace it or another --out") from None
    if stored != canonical(wanted):
        raise StoreError(f"{path} holds a result with other settings; use --force to replace it or another --out")


def canonical(settings: Mapping[str, Any]) -> str:
    """One JSON text per content: sorted keys, infinities as the string "inf"."""
    return json.dumps(plain(settings), sort_keys=True, allow_nan=False)


def plain(value: Any) -> Any:
    """Numbers, text, lists and dicts only: NaN becomes None, ±infinity "inf" or "-inf", arrays lists."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        if value != value:
            return None
        if value in (float("inf"), float("-inf")):
            return "inf" if value > 0 else "-inf"
    return value


def digest(paths: list[Path], root: Path) -> str:
    """SHA-256 over files and their names below `root`, in sorted order."""
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(str(path.relative_to(root).as_posix()).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
