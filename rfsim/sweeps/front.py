"""`rfsim.sweep`: any quantity over a grid of its parameters, stored as it is computed, resumed where it was left."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr
from numpy.typing import ArrayLike

from rfsim.computing.machine import threads
from rfsim.disk import locks, store
from rfsim.disk.store import StoreError
from rfsim.disk.sweep_files import PATHS
from rfsim.results.progress import Report
from rfsim.sweeps import imports, opening, scratch, stores
from rfsim.sweeps.checks import require_possible
from rfsim.sweeps.engines.choice import chosen, end_if_starting
from rfsim.sweeps.engines.choice import executor as engine
from rfsim.sweeps.engines.outcome import Executor
from rfsim.sweeps.imports import Imports
from rfsim.sweeps.request import SweepRequest, activations, prepare
from rfsim.sweeps.storage import SWEEP, Storage
from rfsim.sweeps.summary import announcement, damaged
from rfsim.sweeps.work import Done, Job, work


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
        request = prepare(spec, array, allow_import=allow_import)
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
        imports.require_everywhere(activations(request.plan))
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


def default_store(spec: str | Path) -> Path:
    """Where the store of a TOML file lies: beside it.

    Args:
        spec: The file.

    Returns:
        Its path with the suffix .zarr.
    """
    return Path(spec).with_suffix(".zarr")


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
        request.require_read()
        label = store.label(xr.Dataset(), SWEEP, request.settings, wall_time=0.0).attrs
        return stores.create(path, request.plan, label)
    if not resume:
        raise StoreError(f"{path} exists; leave out --no-resume to go on with it, or give another --out")
    return opening.reopen(path, request.plan, request.settings, request.unread)


def _paths(request: SweepRequest) -> dict[str, str]:
    """The store's attribute for the commands that compute a cell again."""
    return {PATHS: store.canonical(request.paths)} if request.paths else {}


def _require_complete(request: SweepRequest, path: Path) -> None:
    """Raise what is wrong with data that cannot be read, but for a store that needs them no more."""
    if not path.exists() or opening.look(path, request.plan, request.settings, request.unread).waiting(request.plan):
        request.require_read()


def _run(
    kept: Storage, request: SweepRequest, how: tuple[str | None, int | None, str | None], again: bool, tell: Report
) -> None:
    planned = request.plan
    todo = kept.waiting(failed=again)
    shared = request.array, planned.single(), planned.loose(), planned.varied(), request.imports
    if not todo.size:
        return
    request.require_read()
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
