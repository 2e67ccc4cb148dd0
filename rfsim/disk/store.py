"""Results on disk: one labelled netCDF file each, written atomically, read without executing anything; sweeps in zarr.

Knows no physics. Every result holds the schema, the settings as JSON, versions and wall time as attributes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from rfsim.computing.machine import memory_limit, versions
from rfsim.disk import kinds, netcdf, places, renamed, sealed, sweep_files
from rfsim.disk.files import FileError, require_regular
from rfsim.disk.result import KIND, Result
from rfsim.disk.writing import StoreError, atomic, check_writable, write

__all__ = [
    "KIND",
    "SCHEMA",
    "StoreError",
    "atomic",
    "canonical",
    "check_writable",
    "differences",
    "guard",
    "label",
    "load",
    "load_checked",
    "plain",
    "save",
    "settings",
    "write",
]

SCHEMA = 1
_NOT_GIVEN = object()


def save(data: xr.Dataset, path: str | Path) -> None:
    """Write a result, whole or not at all, with a digest of what it holds.

    Args:
        data: A dataset made by `label`.
        path: The netCDF file.

    Raises:
        StoreError: For a dataset without a label, or a folder that cannot be written.
    """
    if KIND not in data.attrs:
        raise StoreError("only a labelled result can be saved; call store.label first")
    write(path, netcdf.to_bytes(data))


def label(
    data: xr.Dataset, kind: str, settings: Mapping[str, Any], *, wall_time: float, digest: str = ""
) -> xr.Dataset:
    """Make a dataset a result: kind, schema, settings, versions, wall time and code digest as attributes.

    Args:
        data: The dataset.
        kind: Of the result, such as "train".
        settings: What it was made with.
        wall_time: Seconds.
        digest: Of the code that computed it.

    Returns:
        The dataset with its attributes.
    """
    return Result.of(data).assign_attrs(
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
    """Read a result into memory; nothing is executed.

    Args:
        path: A netCDF file, a folder given to --out, the TOML file of a sweep, or its zarr store, which another process
            may be writing.

    Returns:
        The dataset.

    Raises:
        StoreError: In one line, for a missing, truncated, damaged or foreign file and for an unknown schema.

    >>> load("no-such-result.nc")
    Traceback (most recent call last):
    ...
    rfsim.disk.writing.StoreError: no-such-result.nc is not a file; give a result written by rfsim (result.nc)
    """
    return Result.of(load_checked(path)[0])


def load_checked(path: str | Path) -> tuple[xr.Dataset, bool]:
    """What `load` reads, and whether it is known to be what was written.

    Args:
        path: As in `load`.

    Returns:
        The dataset, and whether a digest agrees with it: files of older versions have none.

    Raises:
        StoreError: As `load`.
    """
    path = places.find(path)
    kind, read = ("store of a sweep", _sweep) if path.is_dir() else ("readable netCDF file", _netcdf)
    try:
        data, checked = read(path)
    except StoreError:
        raise
    except netcdf.DamagedFile as error:
        raise StoreError(f"{path} {error}") from None
    except sealed.Damaged as error:
        raise StoreError(f"{path} {error}; it was left as it is") from None
    except Exception as error:  # h5py, zarr and xarray raise many types for one thing: nothing that can be read
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise StoreError(f"{path} is not a {kind} ({reason}); it was left as it is") from None
    if KIND not in data.attrs:
        raise StoreError(f"{path} was not written by rfsim: it has no {KIND!r} attribute")
    schema = data.attrs.get("rfsim_schema")
    if not (isinstance(schema, (int, np.integer)) and schema == SCHEMA):
        raise StoreError(f"{path} has results schema {schema}; this version reads schema {SCHEMA}")
    for words in _wrong(data, checked):
        raise StoreError(f"{path} is no whole result: {words}; it was left as it is")
    return data, checked


def _wrong(data: xr.Dataset, checked: bool) -> Iterator[str]:
    kind = data.attrs[KIND]
    if not isinstance(kind, str):
        yield f"its attribute {KIND!r} is no text"
        return
    yield from kinds.missing_attributes(data, kind)
    if not checked:
        yield from kinds.missing_variables(data, kind)


def _netcdf(path: Path) -> tuple[xr.Dataset, bool]:
    try:
        size = require_regular(path)
    except FileNotFoundError:
        raise StoreError(f"{path} is not a file; give a result written by rfsim (result.nc)") from None
    except FileError as error:
        raise StoreError(f"{error}; give a result written by rfsim (result.nc)") from None
    if size > memory_limit():
        raise StoreError(f"{path} is larger than the memory this process may use; it was left as it is")
    data, checked = netcdf.from_bytes(path.read_bytes())
    data = renamed.renamed(data)
    if data.attrs.get(KIND) == "sweep":
        sweep_files.require_sound(data)
    return data, checked


def _sweep(path: Path) -> tuple[xr.Dataset, bool]:
    return keep_order(renamed.renamed(sweep_files.read(path))), True


def keep_order(data: xr.Dataset) -> xr.Dataset:
    """A sweep as it was read, with the order of its dimensions as an attribute, which no selection loses.

    Args:
        data: The sweep.

    Returns:
        The sweep with the attribute.
    """
    longest = sorted(data.data_vars.values(), key=lambda one: -one.ndim)  # marks of cells lack some
    return data.assign_attrs({sweep_files.DIMS: list(dict.fromkeys(str(dim) for one in longest for dim in one.dims))})


def settings(data: xr.Dataset) -> dict[str, Any]:
    """The settings a result was made with.

    Args:
        data: A result.

    Returns:
        The settings, infinities as the text "inf".
    """
    return json.loads(data.attrs["settings"])


def guard(path: str | Path, wanted: Mapping[str, Any], *, force: bool) -> None:
    """Refuse to replace a result of other settings, or a file that is no result.

    Args:
        path: Where a result is to be written.
        wanted: Its settings.
        force: Replace it all the same.

    Raises:
        StoreError: Where something else is there, and how it differs.
    """
    path = Path(path)
    if force or not path.exists():
        return
    try:
        stored = settings(load(path))
    except StoreError as error:
        raise StoreError(f"{error}; use --force to replace it or another --out") from None
    if told := differences(stored, wanted):
        raise StoreError(
            f"{path} holds a result with other settings; use --force to replace it or another --out "
            f"({', '.join(told.values())})"
        )


def differences(
    stored: Mapping[str, Any], wanted: Mapping[str, Any], *, there: str = "there", here: str = "here"
) -> dict[str, str]:
    """Where stored settings differ from those wanted.

    Args:
        stored: Settings of a result.
        wanted: Those asked for.
        there: What the first are called.
        here: What the second are called.

    Returns:
        By name, words such as "rate is 1 there and 2 here"; settings inside of settings are named "problem.dim".

    >>> differences({"rate": 1}, {"rate": 2})
    {'rate': 'rate is 1 there and 2 here'}
    """
    found = {}
    for name, first, second in _pairs(stored, json.loads(canonical(wanted))):
        if first != second:
            found[name] = f"{name} is {_shown(first)} {there} and {_shown(second)} {here}"
    return found


def _pairs(stored: Mapping[str, Any], wanted: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every setting's name and its two values, of which one may be _NOT_GIVEN."""
    for key in sorted({*stored, *wanted}):
        pair = [one.get(key, _NOT_GIVEN) for one in (stored, wanted)]
        tables = [one for one in pair if isinstance(one, Mapping)]
        if any(tables) and all(one is _NOT_GIVEN or one in tables for one in pair):
            first, second = ({} if one is _NOT_GIVEN else one for one in pair)
            yield from _pairs(first, second, f"{where}{key}.")
        else:
            yield f"{where}{key}", *pair


def _shown(value: Any) -> str:
    text = "not given" if value is _NOT_GIVEN else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def canonical(settings: Mapping[str, Any]) -> str:
    """One JSON text per content: sorted keys, infinities as the text "inf".

    Args:
        settings: The content.

    Returns:
        The text.

    >>> canonical({"b": float("inf"), "a": 1})
    '{"a": 1, "b": "inf"}'
    """
    return json.dumps(plain(settings), sort_keys=True, allow_nan=False)


def plain(value: Any) -> Any:
    """A value in numbers, text, lists and dicts only, as JSON takes it.

    Args:
        value: Of these, arrays, tuples and mappings.

    Returns:
        The value: NaN becomes None, ±infinity "inf" or "-inf", arrays lists.
    """
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
