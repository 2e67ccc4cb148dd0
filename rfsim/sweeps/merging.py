"""Stores of one sweep, but for the values along its axes, joined into one: of every value that any of them has."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.checking.text import counted
from rfsim.disk import locks, sealed, store
from rfsim.disk.store import StoreError
from rfsim.disk.sweep_files import BROKEN, PATHS, paths_of, tables
from rfsim.sweeps import paths, scratch
from rfsim.sweeps.assembly import CellSource, assemble
from rfsim.sweeps.cells import DONE
from rfsim.sweeps.checks import words_of
from rfsim.sweeps.imports import DIGEST
from rfsim.sweeps.matching import TABLES, places, values_along
from rfsim.sweeps.opening import OWN, tiles_of
from rfsim.sweeps.plan import SweepPlan, plan
from rfsim.sweeps.spec import read
from rfsim.sweeps.storage import WAITING
from rfsim.sweeps.stores import describe

ROUNDING = 1e-6  # relative; values of one cell that differ by more are not of one sweep
COSTS = ("seconds", "decompositions")  # differ from run to run


class Joined(NamedTuple):
    """What a merge wrote.

    Attributes:
        plan: Of the whole.
        settings: Of its store.
        text: Of a file that asks for it.
        words: What there is to say.
    """

    plan: SweepPlan
    settings: Mapping[str, Any]
    text: str
    words: list[str]


class _Part(NamedTuple):
    path: Path
    dims: tuple[str, ...]
    settings: dict[str, Any]
    root: sealed.Root
    data: xr.Dataset


def merge(given: Sequence[Path], out: Path) -> Joined:
    """Write one store of all that several stores of one sweep hold.

    Of a cell that several hold, what got furthest stands, that of the first among equals. Cells that none holds wait.

    Args:
        given: Stores that differ in values along axes alone, two or more.
        out: The store, which must not exist.

    Returns:
        What was written.

    Raises:
        ValueError: For fewer than two stores.
        StoreError: In one line, for stores that differ in more than values along axes, or in the values of a cell, and
            for a disk that takes no more.
    """
    if len(given) < 2:
        raise ValueError(f"--merge joins two stores or more; got {', '.join(map(str, given)) or 'none'}")
    if out.exists():
        raise StoreError(f"{out} exists; give another --out")
    parts = [_part(path) for path in given]
    content = _joined(parts)
    known = {name: path for one in parts for name, path in (paths_of(one.root.attributes) or {}).items()}
    spec = paths.located(read(content), out.parent, known)
    planned = plan(spec)
    extra = {key: value for one in parts for key, value in one.settings.items() if key not in spec.settings}
    settings = {**spec.settings, **extra}
    wanted = json.loads(store.canonical(settings))
    sources = [
        CellSource(
            one.data,
            tuple(
                places(values_along(one.settings, [*axis.values]), values_along(wanted, [*axis.values]))
                for axis in planned.axes
            ),
            tiles_of(one.root),
        )
        for one in parts
    ]
    words = [
        f"{one.path}: {counted(broken, 'cell')} did not hold what was written, and wait"
        for one in parts
        if (broken := one.data.attrs.get(BROKEN, 0))
    ]
    for (one, first), (two, second) in itertools.combinations(zip(parts, sources, strict=True), 2):
        words += _compared(planned, (one.path, two.path), (first, second))
    label = {name: value for name, value in parts[0].root.attributes.items() if name not in OWN}
    label |= {"settings": store.canonical(settings)} | ({PATHS: store.canonical(known)} if known else {})
    with locks.held(out.resolve()):
        scratch.tidy(out.resolve())
        try:
            with scratch.beside(out.resolve()) as folder:
                made = assemble(folder / "store", planned, label, sources)
                made.close()
                (folder / "store").rename(out.resolve())
        except OSError as error:
            raise StoreError(f"cannot write {out}: {error.strerror or error}; nothing there was changed") from error
    holes = int((made.status() == WAITING).sum())
    return Joined(
        planned, settings, toml(content), [*words, *([_holes(planned, made.status(), holes)] if holes else [])]
    )


def toml(content: Mapping[str, Any]) -> str:
    """The text of a file that asks for a sweep.

    Args:
        content: `command`, `problem`, `axes`, `zip` and `derive`.

    Returns:
        The text.
    """
    lines = [f"command = {_literal(content['command'])}"]
    for table in ("problem", *TABLES, "derive"):
        if content[table]:
            lines += ["", f"[{table}]", *(f"{key} = {_literal(value)}" for key, value in content[table].items())]
    return "\n".join([*lines, ""])


def _part(path: Path) -> _Part:
    root = describe(path)
    settings = {**json.loads(root.attributes["settings"]), **tables(root.attributes)}
    return _Part(path, sealed.layout(root.arrays[sealed.STATUS]).dims, settings, root, store.load(path))


def _joined(parts: Sequence[_Part]) -> dict[str, Any]:
    """What a file of all parts asks for; StoreError where they differ in more than values along axes."""
    first = parts[0]
    for one in parts[1:]:
        found = store.differences(_rest(first), _rest(one), there=f"in {first.path}", here=f"in {one.path}")
        told = list(found.values())
        if first.dims != one.dims:
            told.append(f"axes are {', '.join(first.dims)} in {first.path} and {', '.join(one.dims)} in {one.path}")
        if told:
            raise StoreError(f"{first.path} and {one.path} are not of one sweep: {'; '.join(told)}")
    axes, zipped = {}, {}
    for dim in first.dims:
        along = dim in first.settings["axes"]
        keys = [dim] if along else [dim, *sorted({*first.settings["zip"]} - {dim})]
        rows = Counter[tuple]()
        for one in parts:
            rows |= Counter(values_along(one.settings, keys))
        found = list(rows.elements())
        columns = [[_number(value) for value in column] for column in zip(*found, strict=True)]
        if along and all(isinstance(value, (int, float)) for value in columns[0]):
            columns = [sorted(columns[0])]
        (axes if along else zipped).update(zip(keys, columns, strict=True))
    lists = {key: [*map(_number, values)] for key, values in first.settings["axes"].items() if key not in axes}
    fixed = {key: _number(value) for key, value in first.settings["problem"].items()}
    return {
        "command": first.settings["command"],
        "problem": fixed,
        "axes": axes | lists,
        "zip": zipped,
        "derive": first.settings["derive"],
    }


def _rest(part: _Part) -> dict[str, Any]:
    """The settings but values along the axes of cells, and digests of data that are along one."""
    moving = {key for table in TABLES for key in part.settings[table] if table == "zip" or key in part.dims}
    rest = {
        table: {key: "varies" if key in moving else value for key, value in part.settings[table].items()}
        for table in TABLES
    }  # fmt: skip
    varied = {DIGEST + str(name) for table in TABLES for name in part.settings[table].get("data", [])}
    return {key: value for key, value in part.settings.items() if key not in varied} | rest


def _compared(plan: SweepPlan, names: tuple[Path, Path], both: tuple[CellSource, CellSource]) -> list[str]:
    """What is to say of cells that are done in both stores; StoreError where their values differ beyond rounding."""
    shared = np.argwhere(np.logical_and(*(one.status() == DONE for one in both)))
    if not len(shared):
        return []
    worst, cells, what = 0.0, np.zeros(len(shared), dtype=bool), ""
    for name in both[0].data.data_vars:
        first, second = (_values(one, str(name), shared) for one in both)
        if name in COSTS or first is None or second is None:
            continue
        found = _distance(first, second)
        cells |= found > 0
        if (largest := float(found.max(initial=0.0))) > worst:
            place = words_of(plan, tuple(shared[int(found.argmax())].tolist()))
            worst, what = largest, f"{name} by {largest:.1g}, relative, at {place}"
    if not cells.any():
        return []
    told = f"{names[0]} and {names[1]} hold different values of {counted(int(cells.sum()), 'cell')}: {what}"
    if worst > ROUNDING:
        raise StoreError(f"{told}; nothing was written")
    return [f"{told}; those of {names[0]} stand"]


def _values(source: CellSource, name: str, shared: NDArray[np.intp]) -> NDArray | None:
    """(cells, own dimensions) of a variable at cells of the plan; None where there are no such numbers."""
    if name not in source.data or source.data[name].dtype.kind not in "fiub":
        return None
    values = source.data[name].transpose(*source.data["status"].dims, ...).values
    index = tuple(one[shared[:, k]] for k, one in enumerate(source.places))
    return values[index] if index else values[None]


def _distance(first: NDArray, second: NDArray) -> NDArray[np.float64]:
    """The largest relative distance of each cell's values, inf where one alone is known."""
    size = tuple(map(min, first.shape[1:], second.shape[1:]))  # one may have a longer dimension, that is not used
    a, b = (one[(slice(None), *map(slice, size))].astype(float).reshape(len(one), -1) for one in (first, second))
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = np.abs(a - b) / np.maximum(np.abs(a), np.abs(b))
    apart[(a == b) | (np.isnan(a) & np.isnan(b))] = 0.0
    return np.nan_to_num(apart, nan=np.inf).max(axis=1, initial=0.0)


def _holes(plan: SweepPlan, status: NDArray[np.int8], holes: int) -> str:
    first = tuple(np.argwhere(status == WAITING)[0].tolist())
    more = f"first {words_of(plan, first)}" if first else "all there is"
    return f"{holes} of {counted(plan.cells, 'cell')}, in none of them, {'waits' if holes == 1 else 'wait'}: {more}"


def _number(value: Any) -> Any:
    """Infinities, that settings hold as text, as numbers."""
    if isinstance(value, list):
        return [_number(one) for one in value]
    return float(value) if value in ("inf", "-inf") else value


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (bool, str)) else repr(value)
