"""`rfsim.sweep`: any quantity over a grid of its parameters, stored as it is computed, resumed where it was left."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from rfsim.checking.text import counted
from rfsim.computing.machine import threads
from rfsim.disk import locks, store
from rfsim.disk.files.numbers import DataError
from rfsim.disk.store import StoreError
from rfsim.disk.sweep_files import PATHS
from rfsim.problem.arrays import rows
from rfsim.problem.model import Problem, source
from rfsim.results.runs import Report
from rfsim.sweeps import imports, opening, paths, quantities, scratch, storage, stores
from rfsim.sweeps.checks import require_possible
from rfsim.sweeps.engines.choice import chosen, end_if_starting
from rfsim.sweeps.engines.choice import executor as engine
from rfsim.sweeps.engines.outcome import Executor
from rfsim.sweeps.imports import DIGEST, Imports
from rfsim.sweeps.plan import SweepPlan, plan
from rfsim.sweeps.spec import read
from rfsim.sweeps.storage import SWEEP, Storage
from rfsim.sweeps.work import Done, Job, work


class SweepRequest(NamedTuple):
    """A sweep that may be run.

    Attributes:
        plan: Its groups of cells.
        settings: What its store is identified by.
        array: Its data, if any, (samples, dim).
        imports: The activations that it imports.
        paths: Whole ones of the files of data that it names.
        unread: Data that cannot be read now, and why not: a store that lacks nothing does without.
    """

    plan: SweepPlan
    settings: Mapping[str, Any]
    array: NDArray | None
    imports: Imports = Imports()
    paths: Mapping[str, str] = {}
    unread: Mapping[str, ValueError] = {}


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
    allow_import: bool = False,
    report: Report | None = None,
) -> xr.Dataset:
    """Compute a public quantity over a grid of any of its parameters, and store every cell with its status.

    Cells that share a draw and its decomposition, or one compiled program, are one group, computed once. A cell's draw
    depends on its own parameters, so that neither order nor workers matter.

    Args:
        spec: A TOML file, or a mapping of the same form. `command` is a quantity's name ("train", "theory.curves");
            [problem] its fixed parameters; [axes] each a list, {log or linear = [first, last], points} or {range =
            [first, end], step}, without its end; [zip] lists that vary together along one dimension; [derive]
            arithmetic on the numbers of a cell.
        out: The store, a zarr folder; by default that of the file with the suffix .zarr, and for a mapping none that is
            kept.
        workers: How many processes compute at once; by default as many as there are cores.
        executor: Who computes, "serial", "processes" or "dask" (`rfsim.sweeps.engines`).
        scheduler: Address of a running dask scheduler.
        resume: Go on with a store of the same settings, else refuse one that is there.
        retry_failed: Also compute cells again that did not end well.
        array: Data (samples, dim) in the place of the problem's.
        allow_import: Let a file name activations by `module:attribute`, looked for beside it too, which runs code; a
            mapping may always.
        report: Hears of progress, what is done and numbers.

    Returns:
        The quantity's variables over the axes, in their order, and its own dimensions; lists such as train_times are
        axes named train_time. status: 0 waiting, 1 done, 2 unconverged, 3 failed; a reason where a cell did not end
        well, NaN in what is not known of it; residual; seconds, of the cell's group, and decompositions, of U that it
        did.

    Raises:
        ValueError: Before anything runs, with all that is wrong with the spec.
        StoreError: For a store of other settings, one that another process writes to, or a disk that takes no more.
        engines.outcome.Lost: Where the engine is gone.

    >>> grid = {"command": "train", "problem": {"dim": 6}, "axes": {"features_per_dim": [2, 4], "train_times": [0, 9]}}
    >>> result = sweep(grid)
    >>> result.gen.dims, result.gen.sel(train_time=0).values.round(12).tolist()
    (('features_per_dim', 'train_time'), [0.0, 0.0])
    """
    end_if_starting()
    with _place(spec, out) as path:
        how = (executor, workers, scheduler)
        request = ask(spec, array, allow_import=allow_import)
        mended = fill(request, path, how, resume=resume, retry_failed=retry_failed, report=report)
        if mended and report:
            report(mended, {"done": 1, "total": 1})
        return store.load(path)


def fill(
    request: SweepRequest,
    path: Path,
    how: tuple[str | None, int | None, str | None],
    *,
    resume: bool = True,
    retry_failed: bool = False,
    report: Report | None = None,
) -> str:
    """Compute what is missing in a store.

    Args:
        request: The sweep.
        path: Its store.
        how: Executor, workers and scheduler, as in `sweep`.
        resume: As in `sweep`.
        retry_failed: As in `sweep`.
        report: As in `sweep`.

    Returns:
        In words, what was not what was written and is now; "" where all was.

    Raises:
        ValueError: Where memory or the engine does not suffice, or data cannot be read.
        StoreError: As `sweep`.
    """
    executor, workers, scheduler = how
    here = 1 if chosen(executor, workers, scheduler) == "serial" else workers or threads()
    if chosen(executor, workers, scheduler) != "serial":
        imports.require_everywhere(_activations(request.plan))
    if request.unread:
        _require_complete(request, path)
    else:
        require_possible(request.plan, here if scheduler is None else None, request.array)
    with locks.held(path.resolve()):
        kept = _opened(path, request, resume)
        kept.tell(_paths(request))
        found = f"{damaged(kept.broken, kept.lost)}; now it is again" if kept.broken or kept.lost else ""
        _run(kept, request, how, retry_failed, report or (lambda step, values: None))
    return found


def ask(
    spec: str | Path | Mapping[str, Any],
    array: ArrayLike | None = None,
    *,
    allow_import: bool = False,
    read_only: bool = False,
) -> SweepRequest:
    """Read and plan a sweep; nothing is computed, and nothing is written.

    Args:
        spec: As in `sweep`.
        array: As in `sweep`.
        allow_import: As in `sweep`.
        read_only: For `summary` alone; nothing is imported, whatever the activations are.

    Returns:
        The sweep.

    Raises:
        ValueError: In one line, with all that is wrong.
    """
    found = read(spec, allow_import=allow_import or read_only)
    values = None if array is None else rows(array).values
    if values is not None and "dim" in found.quantity.swept:
        found = found._replace(fixed={"dim": values.shape[1], **found.fixed})
    beside = None if isinstance(spec, Mapping) else Path(spec).parent
    brought = imports.find(_activations(plan(found)), beside, read_only=read_only)
    if values is not None:
        digest = source(Problem(), array=values).settings["data_digest"]
        return SweepRequest(plan(found), {**found.settings, **brought.settings, "array": digest}, values, brought)
    found = paths.located(found, beside or Path())
    digests, unread = {}, {}
    for name, place in (paths.named(found) or {Problem.data: Problem.data}).items():
        try:
            digest = source(Problem(data=place)).settings.get("data_digest")
        except DataError as error:
            unread[name] = error
        else:
            digests |= {f"{DIGEST}{name}": digest} if digest is not None else {}
    whole = {name: path for path, name in found.written.items()}
    settings = {**found.settings, **brought.settings, **digests}
    return SweepRequest(plan(found), settings, None, brought, whole, unread)


def _activations(planned: SweepPlan) -> list[str]:
    return [str(one) for one in np.ravel(planned.parameters().get("activation", Problem.activation)).tolist()]


def default_store(spec: str | Path) -> Path:
    """Where the store of a TOML file lies: beside it.

    Args:
        spec: The file.

    Returns:
        Its path with the suffix .zarr.
    """
    return Path(spec).with_suffix(".zarr")


def summary(path: Path, request: SweepRequest) -> dict[str, Any]:
    """How far a sweep is.

    Args:
        path: Its store, which need not exist.
        request: The sweep.

    Returns:
        Cells by status, groups, decompositions announced and done, seconds of work, and the holder; damaged, in words,
        where something is not what was written.

    Raises:
        StoreError: For a store of other settings, or one that cannot be read.
    """
    planned = request.plan
    if not path.exists() and scratch.left(path.resolve()):
        with locks.held(path.resolve()):
            scratch.tidy(path.resolve())
    if path.exists():
        found = opening.look(path, planned, request.settings, [*request.unread, *request.imports.unread])
    else:
        _require_read(request)
        found = opening.StoreStatus(np.zeros(planned.shape, dtype=np.int8), 0, 0.0)
    counts = np.bincount(found.status.ravel(), minlength=len(storage.STATUS))
    return {
        "store": str(path),
        "cells": planned.cells,
        **dict(zip(storage.STATUS, counts.tolist(), strict=True)),
        "groups": {"total": planned.groups, "waiting": found.waiting(planned)},
        "decompositions": {"announced": _announced(request, found.decompositions), "done": found.decompositions},
        "seconds": found.seconds,
        "holder": locks.holder(path.resolve()),
        **({"damaged": damaged(found.broken, found.lost)} if found.broken or found.lost else {}),
    }


def damaged(broken: int, lost: Sequence[str] = ()) -> str:
    """What of a store does not hold what was written to it, in words.

    Args:
        broken: Number of cells whose values do not.
        lost: Further words.

    Returns:
        The words.
    """
    words = [f"values of {counted(broken, 'cell')}"] if broken else []
    return f"{' and '.join([*words, *lost])} did not hold what was written"


def decompositions(planned: SweepPlan) -> int:
    """Number of decompositions of U that all groups of a plan need.

    Args:
        planned: The plan.

    Returns:
        The number.
    """
    each = planned.evaluate(partial(quantities.decompositions, planned.quantity))
    return int(np.broadcast_to(each, planned.counts).sum()) if planned.counts else int(each)


def announcement(planned: SweepPlan, todo: int, words: str) -> str:
    """What a run will do, in one line.

    Args:
        planned: The plan.
        todo: Number of groups to do.
        words: How, at the end.

    Returns:
        The line.
    """
    announced = counted(decompositions(planned), "decomposition")
    total = f"{counted(planned.cells, 'cell')} in {counted(planned.groups, 'group')}, {announced} of U"
    return f"{total}; {counted(todo, 'group')} to do {words}"


@contextlib.contextmanager
def _place(spec: str | Path | Mapping[str, Any], out: str | Path | None) -> Iterator[Path]:
    if out is not None:
        yield Path(out)
    elif not isinstance(spec, Mapping):
        yield default_store(spec)
    else:
        with tempfile.TemporaryDirectory() as scratch:
            yield Path(scratch) / "sweep.zarr"


def _opened(path: Path, request: SweepRequest, resume: bool) -> Storage:
    scratch.tidy(path.resolve())
    if not path.exists():
        _require_read(request)
        label = store.label(xr.Dataset(), SWEEP, request.settings, wall_time=0.0).attrs
        return stores.create(path, request.plan, label)
    if not resume:
        raise StoreError(f"{path} exists; leave out --no-resume to go on with it, or give another --out")
    return opening.reopen(path, request.plan, request.settings, request.unread)


def _paths(request: SweepRequest) -> dict[str, str]:
    """The store's attribute for the commands that compute a cell again."""
    return {PATHS: store.canonical(request.paths)} if request.paths else {}


def _require_read(request: SweepRequest) -> None:
    for error in request.unread.values():
        raise error


def _require_complete(request: SweepRequest, path: Path) -> None:
    """Raise what is wrong with data that cannot be read, but for a store that needs them no more."""
    if not path.exists() or opening.look(path, request.plan, request.settings, request.unread).waiting(request.plan):
        _require_read(request)


def _announced(request: SweepRequest, done: int) -> int:
    """Decompositions that the plan needs; those done where its data, whose size tells them, cannot be read."""
    try:
        return decompositions(request.plan)
    except DataError:
        return done


def _run(
    kept: Storage, request: SweepRequest, how: tuple[str | None, int | None, str | None], again: bool, tell: Report
) -> None:
    planned = request.plan
    todo = kept.waiting(failed=again)
    shared = request.array, planned.single(), planned.loose(), planned.varied(), request.imports
    if not todo.size:
        return
    _require_read(request)
    with engine(*how) as where:
        imports.require_same(request.imports, partial(_answer, where))
        tell(announcement(planned, len(todo), where.words), {"done": 0, "total": len(todo)})
        cells = {int(k): kept.cells(int(k), failed=again) for k in todo}
        jobs = ((k, Job(planned.group(k, one), *shared)) for k, one in cells.items())
        started = time.monotonic()
        for done, outcome in enumerate(where.outcomes(work, jobs), 1):
            if outcome.failure:
                kept.fail(outcome.number, outcome.failure)
            else:
                found: Done = outcome.value
                kept.write(
                    outcome.number,
                    found.data,
                    seconds=found.seconds,
                    decompositions=found.decompositions,
                    cells=cells[outcome.number],
                )
            left = (time.monotonic() - started) / done * (len(todo) - done)
            tell(f"about {left:.0f} s left", {"done": done, "total": len(todo)})
    kept.close()


def _answer(where: Executor, task: Callable[[Imports], str], payload: Imports) -> str:
    """What one worker says, or why it does not."""
    (outcome,) = where.outcomes(task, [(0, payload)])
    return outcome.failure or outcome.value
