"""A sweep's store as one labelled dataset, whose coordinates and marks are those of the sweep that it says it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.disk import sealed
from rfsim.disk.sealed import Damaged

ORDER = "variables"  # attribute of a store, whose own order is none
PATHS = "data_paths"  # attribute: JSON of the whole paths of files of data, by how the settings name them
BROKEN = "damaged_cells"  # attribute of a dataset read from a store of which some cells are not what was written
DIMS = "dimensions"  # attribute of a dataset that was read: their order in its file, which selecting loses
STATES = ("waiting", "done", "unconverged", "failed")  # by status
MARKS = {"status": "iu", "reason": "OUT", "residual": "f", "seconds": "f", "decompositions": "iu"}  # kinds of dtype
LISTS = {"grid": "eigenvalue"}  # dimensions that are not the singular of the parameter they list


def read(path: Path) -> xr.Dataset:
    """All of a store, in memory; cells that do not hold what was written wait, and BROKEN says how many they are.

    Raises Damaged, and what zarr and xarray raise for a store of an earlier version that they cannot read.
    """
    import zarr.storage
    from zarr.abc.buffer import Buffer
    from zarr.buffer import cpu

    found = sealed.contents(path)
    held: dict[str, Buffer] = {name: cpu.Buffer.from_bytes(one) for name, one in found.files.items()}
    opened = xr.open_zarr(zarr.storage.MemoryStore(held), consolidated=False, chunks=None, decode_times=False)
    data = opened.load().drop_vars(sealed.DIGEST, errors="ignore")
    for name in (sealed.DIGEST, sealed.FILES):
        data.attrs.pop(name, None)
    order = data.attrs.pop(ORDER, [])
    data = data[[*(name for name in order if name in data.data_vars), *(n for n in data.data_vars if n not in order)]]
    kept = {name: one.to_base_variable() for name, one in data.variables.items() if one.dtype.kind == "T"}
    texts = {name: one.copy(data=one.values.astype(object).astype(str)) for name, one in kept.items()}
    data = data.assign_coords({name: text for name, text in texts.items() if name in data.coords}).assign(
        {name: text for name, text in texts.items() if name not in data.coords}
    )
    require_sound(data, MARKS)
    return data.assign_attrs({BROKEN: found.broken_cells}) if found.broken_cells else data


def require_sound(data: xr.Dataset, marks: Sequence[str] | Mapping[str, str] = ("status",)) -> None:
    """Raise Damaged where a sweep lacks one of `marks` or a coordinate that its settings tell, or has another one."""
    if wrong := next(_unsound(data, marks), ""):
        raise Damaged(f"is damaged: {wrong}")


def _unsound(data: xr.Dataset, marks: Sequence[str] | Mapping[str, str]) -> Iterator[str]:
    for name in marks:
        if name not in data.data_vars:
            yield f"it has no {name}"
        elif data[name].dtype.kind not in MARKS[name]:
            yield f"its {name} is of type {data[name].dtype}"
        elif name == "status" and (odd := data[name].values[~np.isin(data[name].values, range(len(STATES)))]).size:
            yield f"a status is {odd.flat[0]}, and they go from 0 to {len(STATES) - 1}"
    told = _settings(data)
    if told is None:
        yield "its settings are not those of a sweep"
        return
    if paths_of(data.attrs) is None:
        yield f"its {PATHS} are no paths"
    for table in ("axes", "zip"):
        for name, values in told[table].items():
            dim = next((one for one in (name, name.removesuffix("s"), LISTS.get(name)) if one in data.variables), None)
            if dim is not None and not _same(data[dim].values, values):
                yield f"its {dim} is not what its settings say"
            elif dim is None and (table == "zip" or {name, name.removesuffix("s"), LISTS.get(name)} & {*data.dims}):
                yield f"it has no values of {name}"
    for name in told["derive"]:
        if name not in data.coords:
            yield f"it has no values of {name}"
    homes = {str(dim) for name in (*told["axes"], *told["zip"]) if name in data.coords for dim in data[name].dims}
    if "status" in data and not homes.issuperset(map(str, data["status"].dims)):
        yield "its cells lie along other axes than its settings say"


def _settings(data: xr.Dataset) -> dict[str, Mapping[str, Any]] | None:
    """The tables of the settings; None where they have no such form."""
    try:
        return tables(data.attrs)
    except Damaged:
        return None


def tables(attributes: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The tables of the settings among a sweep's attributes; Damaged where they have no such form."""
    found: dict[str, Mapping[str, Any]] = {}
    try:
        told = json.loads(attributes["settings"])
        found |= {name: told.get(name) or {} for name in ("problem", "axes", "zip", "derive")}
        good = isinstance(told["command"], str) and all(isinstance(one, Mapping) for one in found.values())
        lists = all(isinstance(one, list) for name in ("axes", "zip") for one in found[name].values())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        good = lists = False
    if not (good and lists):
        raise Damaged("is damaged: its settings are not those of a sweep")
    return found


def paths_of(attributes: Mapping[str, Any]) -> dict[str, str] | None:
    """The whole paths of a sweep's data, by how its settings name them; None where they have no such form."""
    try:
        found = json.loads(attributes.get(PATHS, "{}"))
    except (ValueError, TypeError, RecursionError):
        return None
    good = isinstance(found, dict) and all(isinstance(one, str) for one in found.values())
    return found if good else None


def _same(values: NDArray, told: list) -> bool:
    if values.shape != (len(told),):
        return False
    if values.dtype.kind in "OUT":
        return [str(one) for one in values.tolist()] == [str(one) for one in told]
    try:
        return np.array_equal(values.astype(float), np.array(told, dtype=float), equal_nan=True)
    except (ValueError, TypeError):
        return False
