"""`rfsim.sweep`: any quantity over a grid of its parameters, stored as it is computed, resumed where it was left."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from rfsim import data as data_room
from rfsim import locks, store
from rfsim.arrays import rows
from rfsim.machine import threads
from rfsim.model import Problem, source
from rfsim.runs import Report
from rfsim.store import StoreError
from rfsim.sweeps import storage
from rfsim.sweeps.checks import require_possible
from rfsim.sweeps.executors import chosen, end_if_starting
from rfsim.sweeps.executors import executor as engine
from rfsim.sweeps.plan import Group, Plan, plan
from rfsim.sweeps.spec import read
from rfsim.sweeps.storage import SWEEP, Storage
from rfsim.sweeps.work import Done, Job, work


class Asked(NamedTuple):
    """A sweep that may be run: its plan, what its store is identified by, and its array of data, if any."""

    plan: Plan
    settings: Mapping[str, Any]
    array: NDArray | None


def sweep(
    spec: str | Path | Mapping[str, Any],
    out: str | Path | None = None,
    *,
    workers: int | None = None,
    executor: str | None = None,
    scheduler: str | None = None,
    resume: bool = True,
    retry_failed: bool = False,
    array: ArrayLike | None = None,
    report: Report | None = None,
) -> xr.Dataset:
    """Compute a public quantity over a grid of any of its parameters, and store every cell with its status.

    spec: a TOML file, or a mapping of the same form — `command`, a quantity's name ("train", "theory.curves");
    [problem], fixed parameters; [axes], each a list, {log or linear = [first, last], points} or {range = [first, end],
    step}, without its end; [zip], lists that vary together along one dimension; [derive], arithmetic on the numbers of
    a cell.
    out: the store, a zarr folder; by default that of the file with the suffix .zarr, and for a mapping none that is
    kept. workers, executor ("serial", "processes", "dask"), scheduler: who computes (`rfsim.sweeps.executors`).
    resume: go on with a store of the same settings, else refuse one that is there; retry_failed: also compute cells
    again that did not end well. array (samples, dim) takes the place of the problem's data.

    Cells that share a draw and its decomposition, or one compiled program, are one group, computed once. A cell's draw
    depends on its own parameters, so that neither order nor workers matter.

    Returns the quantity's variables over the axes, in their order, and its own dimensions; lists such as train_times
    are axes named train_time. status: 0 waiting, 1 done, 2 unconverged, 3 failed; a reason where a cell did not end
    well, NaN in what is not known of it; residual; seconds, of the cell's group, and decompositions, of U that it did.

    Raises ValueError, before anything runs, with all that is wrong with the spec; StoreError for a store of other
    settings, one that another process writes to, or a disk that takes no more; executors.Lost where the engine is gone.

    >>> grid = {"command": "train", "problem": {"dim": 6}, "axes": {"features_per_dim": [2, 4], "train_times": [0, 9]}}
    >>> result = sweep(grid)
    >>> result.gen.dims, result.gen.sel(train_time=0).values.round(12).tolist()
    (('features_per_dim', 'train_time'), [0.0, 0.0])
    """
    end_if_starting()
    with _place(spec, out) as path:
        how = (executor, workers, scheduler)
        fill(ask(spec, array), path, how, resume=resume, retry_failed=retry_failed, report=report)
        return store.load(path)


def fill(
    asked: Asked,
    path: Path,
    how: tuple[str | None, int | None, str | None],
    *,
    resume: bool = True,
    retry_failed: bool = False,
    report: Report | None = None,
) -> None:
    """Compute what is missing in a store; how: (executor, workers, scheduler). All else as `sweep`."""
    executor, workers, scheduler = how
    here = 1 if chosen(executor, workers, scheduler) == "serial" else workers or threads()
    require_possible(asked.plan, here if scheduler is None else None, asked.array)
    with locks.held(path):
        _run(_opened(path, asked, resume), asked, how, retry_failed, report)


def ask(spec: str | Path | Mapping[str, Any], array: ArrayLike | None = None) -> Asked:
    """Read and plan a sweep; nothing is computed, and nothing is written.

    Raises ValueError, in one line, with all that is wrong.
    """
    found = read(spec)
    values = None if array is None else rows(array).values
    if values is not None and "dim" in found.quantity.parameters:
        found = found._replace(fixed={"dim": values.shape[1], **found.fixed})
    planned = plan(found)
    if values is not None:
        return Asked(
            planned, {**found.settings, "array": source(Problem(), array=values).settings["data_digest"]}, values
        )
    names = dict.fromkeys(np.ravel(planned.parameters().get("data", Problem.data)).tolist())
    digests = {name: source(Problem(data=name)).settings.get("data_digest") for name in names}
    known = {f"digest of {name}": digest for name, digest in digests.items() if digest is not None}
    return Asked(planned, {**found.settings, **known}, None)


def default_store(spec: str | Path) -> Path:
    """Where the store of a TOML file lies: beside it."""
    return Path(spec).with_suffix(".zarr")


def summary(path: Path, asked: Asked) -> dict[str, Any]:
    """How far a sweep is: cells by status, groups, decompositions announced and done, seconds of work, its holder."""
    planned = asked.plan
    counts: dict[str, int] = dict.fromkeys(storage.STATUS, 0) | {"waiting": planned.cells}
    waiting, done, seconds = planned.groups, 0, 0.0
    if path.exists():
        kept = storage.reopen(path, planned, asked.settings)
        found = np.bincount(kept.status().ravel(), minlength=len(storage.STATUS))
        counts = dict(zip(storage.STATUS, found.tolist(), strict=True))
        waiting = len(kept.waiting(failed=False))
        done, seconds = kept.totals()
    return {
        "store": str(path),
        "cells": planned.cells,
        **counts,
        "groups": {"total": planned.groups, "waiting": waiting},
        "decompositions": {"announced": decompositions(planned), "done": done},
        "seconds": seconds,
        "holder": locks.holder(path),
    }


def decompositions(planned: Plan) -> int:
    """Of U, that all groups need."""
    each = planned.evaluate(planned.quantity.decompositions)
    return int(np.broadcast_to(each, planned.counts).sum()) if planned.counts else int(each)


def announcement(planned: Plan, todo: int, words: str) -> str:
    """What a run will do, in one line."""
    total = f"{planned.cells} cells in {planned.groups} groups, {decompositions(planned)} decompositions of U"
    return f"{total}; {todo} groups to do {words}"


@contextlib.contextmanager
def _place(spec: str | Path | Mapping[str, Any], out: str | Path | None) -> Iterator[Path]:
    if out is not None:
        yield Path(out)
    elif not isinstance(spec, Mapping):
        yield default_store(spec)
    else:
        with tempfile.TemporaryDirectory() as scratch:
            yield Path(scratch) / "sweep.zarr"


def _opened(path: Path, asked: Asked, resume: bool) -> Storage:
    if not path.exists():
        label = store.label(xr.Dataset(), SWEEP, asked.settings, wall_time=0.0).attrs
        return storage.create(path, asked.plan, label)
    if not resume:
        raise StoreError(f"{path} exists; leave out --no-resume to go on with it, or give another --out")
    return storage.reopen(path, asked.plan, asked.settings)


def _run(
    kept: Storage, asked: Asked, how: tuple[str | None, int | None, str | None], again: bool, report: Report | None
) -> None:
    planned = asked.plan
    todo = kept.waiting(failed=again)
    shared = asked.array, planned.single(), planned.loose(), planned.varied()
    if not todo.size:
        return
    tell = report or (lambda step, values: None)
    with engine(*how) as where:
        tell(announcement(planned, len(todo), where.words), {"done": 0, "total": len(todo)})
        jobs = ((int(k), Job(_located(planned.group(int(k))), *shared)) for k in todo)
        started = time.monotonic()
        for done, outcome in enumerate(where.outcomes(work, jobs), 1):
            if outcome.failure:
                kept.fail(outcome.number, outcome.failure)
            else:
                found: Done = outcome.value
                kept.write(outcome.number, found.data, seconds=found.seconds, decompositions=found.decompositions)
            left = (time.monotonic() - started) / done * (len(todo) - done)
            tell(f"about {left:.0f} s left", {"done": done, "total": len(todo)})
    kept.close()


def _located(group: Group) -> Group:
    """The group with the whole path of a data file: a worker may stand in another folder."""
    spec = str(group.fixed.get("data", ""))
    path = data_room.file_of(spec)
    if path is not None and path.is_file():
        return group._replace(fixed={**group.fixed, "data": data_room.moved(spec, path.resolve())})
    return group
