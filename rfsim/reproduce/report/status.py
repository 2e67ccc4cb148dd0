"""What is stored of an experiment: at which size all of its cells are there, by what code, in what time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import xarray as xr

from rfsim import reproduce
from rfsim.reproduce import Cell, Experiment

BEST = ("paper", "quick")  # the sizes to look for, the better first
VERSIONS = ("rfsim", "jax", "numpy")  # of the packages a result names, those that the report says


class Status(NamedTuple):
    """What of an experiment is judged.

    size: None where no size is stored whole; `reason` then says what there is. earlier: cells whose code has changed
    since they were computed. seconds: in which the cells were computed, together; None where one does not say. seeds:
    the numbers of seeds among the sampled cells, ascending. versions: what they were computed with, in words.
    """

    size: str | None
    results: Mapping[str, xr.Dataset]
    earlier: int = 0
    seconds: float | None = None
    seeds: Sequence[int] = ()
    versions: Sequence[str] = ()
    reason: str = ""


def standing(root: Path, experiment: Experiment, sizes: tuple[str, ...] = BEST) -> Status:
    """The first of `sizes` of which every cell is stored with today's settings, whatever code computed it.

    Missing, unreadable, truncated and foreign files all count as cells that are not stored. Nothing is raised: an
    experiment whose cells cannot even be listed is one that is not run.
    """
    reasons = []
    for size in sizes:
        try:
            found = _stored(root, experiment, size)
        except Exception as error:  # an experiment is a user's file, and what is stored may be anything
            found = words(error)
        if isinstance(found, Status):
            return found
        reasons.append(f"size {size}: {found}")
    return Status(None, {}, reason="; ".join(reasons))


def _stored(root: Path, experiment: Experiment, size: str) -> Status | str:
    """What is stored at one size, or why that is not all of it."""
    cells = experiment.cells(size)
    paths = {cell.label: reproduce.cell_path(root, experiment, size, cell) for cell in cells}
    present = sum(path.exists() for path in paths.values())
    if present < len(cells):  # reading takes time: only where all may be there
        return f"{present} of {len(cells)} cells stored"
    results = {}
    for cell in cells:
        data = reproduce.kept(paths[cell.label], cell)
        if data is None:
            return f"cell {cell.label} is unreadable or has other settings"
        results[cell.label] = data
    return told(cells, size, results)


def told(cells: Sequence[Cell], size: str, results: Mapping[str, xr.Dataset]) -> Status:
    """What results of every cell say of themselves."""
    earlier = sum(not reproduce.current(results[cell.label], cell) for cell in cells)
    seeds = sorted({data.sizes["seed"] for data in results.values() if "seed" in data.sizes})
    return Status(size, results, earlier, _seconds(results), seeds, _versions(results))


def words(error: Exception) -> str:
    """An exception on one line."""
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _seconds(results: Mapping[str, xr.Dataset]) -> float | None:
    """Cells stored before cells were timed say what their quantity recorded of itself; a sweep records nothing."""
    found = [data.attrs.get("cell_seconds") or data.attrs.get("wall_time_seconds") or None for data in results.values()]
    known = [float(value) for value in found if value is not None]
    return sum(known) if len(known) == len(found) else None


def _versions(results: Mapping[str, xr.Dataset]) -> list[str]:
    """VERSIONS in words, one text for each set that occurs."""
    found = [json.loads(data.attrs["versions"]) for data in results.values()]
    return sorted({", ".join(f"{name} {one[name]}" for name in VERSIONS if name in one) for one in found})
