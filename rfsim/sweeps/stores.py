"""A store that is made anew, and one that is looked at: what its root says it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray as xr
import zarr

from rfsim.disk import sealed, store
from rfsim.disk.store import KIND, StoreError
from rfsim.disk.sweep_files import tables
from rfsim.sweeps import chunks, scratch
from rfsim.sweeps.plan import SweepPlan
from rfsim.sweeps.storage import EACH, STATUS, SWEEP, Storage, cells_of


def make(folder: Path, plan: SweepPlan, attributes: Mapping[str, Any]) -> Storage:
    """A new store in which every cell waits, in a folder that is not yet there."""
    found = list(plan.coordinates())
    # what xarray reads as coordinates, beside those that name a dimension
    beside = " ".join(name for name, _, dims, _ in found if dims != (name,))
    root = zarr.create_group(folder, zarr_format=3)
    for name, values, dims, attrs in found:
        chunks.new_coordinate(root, name, xr.Variable(dims, values, attrs))
    for name, (kind, fill, words) in EACH.items():
        flags = {"flag_values": list(range(len(STATUS))), "flag_meanings": " ".join(STATUS)}
        attrs = {"long_name": words} | (flags if name == "status" else {})
        chunks.new_array(root, name, cells_of(plan), kind, fill, attrs)
    groups = [(f"{axis.dim}_group", count, 1) for axis, count in zip(plan.axes, plan.counts, strict=True)]
    told = {"long_name": "SHA-256 of what each group wrote"}
    chunks.new_array(root, sealed.DIGEST, groups, "uint8", 0, told, ["byte"], [sealed.BYTES])
    arrays, files = chunks.described(folder, [*(name for name, *_ in found), *EACH, sealed.DIGEST])
    attributes = {**attributes, **({"coordinates": beside} if beside else {}), sealed.FILES: files}
    chunks.put(folder / sealed.ROOT, sealed.root_text(attributes, arrays))
    return Storage(folder, plan, sealed.Root(attributes, arrays, sealed=True))


def create(path: Path, plan: SweepPlan, attributes: Mapping[str, Any]) -> Storage:
    """A new store in which every cell waits.

    It is made beside its place and moved there whole. Raises StoreError where it cannot be written.
    """
    try:
        with scratch.beside(path.resolve()) as folder:
            made = make(folder / "store", plan, attributes)
            (folder / "store").rename(path.resolve())
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}; nothing there was changed") from error
    made.path = path
    return made


def describe(path: Path) -> sealed.Root:
    """The attributes and arrays of a sweep's store; StoreError where there is none."""
    try:
        root = sealed.read_root(path)
    except sealed.Damaged as error:
        raise StoreError(f"{path} {error}; it was left as it is") from None
    except ValueError as error:
        raise StoreError(f"{path} is no store of a sweep ({error}); it was left as it is") from None
    if root.attributes.get(KIND) != SWEEP:
        raise StoreError(f"{path} is no store of a sweep: it has no {KIND!r} of {SWEEP!r}; it was left as it is")
    if root.attributes.get("rfsim_schema") != store.SCHEMA:
        raise StoreError(
            f"{path} has results schema {root.attributes.get('rfsim_schema')}; this version reads schema {store.SCHEMA}"
        )
    try:
        tables(root.attributes)
    except sealed.Damaged as error:
        raise StoreError(f"{path} {error}; it was left as it is") from None
    if sealed.STATUS not in sealed.over_cells(root.arrays):
        raise StoreError(f"{path} is damaged: it has no {sealed.STATUS}; it was left as it is")
    return root
