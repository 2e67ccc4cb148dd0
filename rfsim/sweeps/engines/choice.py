"""Which engine is meant by the settings, and its life: from the first task to the end of its processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager

from rfsim.checking.text import nearest
from rfsim.computing import machine
from rfsim.sweeps.engines.outcome import Executor

KINDS = ("serial", "processes", "dask")
MOST_WORKERS = 4096  # of one machine


def chosen(kind: str | None, workers: int | None, scheduler: str | None) -> str:
    """The kind that is meant; ValueError for settings that contradict each other."""
    if kind is not None and kind not in KINDS:
        raise ValueError(f"executor must be one of {', '.join(KINDS)}; got {kind!r}{nearest(str(kind), KINDS)}")
    if workers is not None and (not isinstance(workers, int) or isinstance(workers, bool) or workers < 1):
        raise ValueError(f"workers must be a positive integer; got {workers!r}")
    if workers is not None and workers > MOST_WORKERS:
        raise ValueError(f"workers must be at most {MOST_WORKERS}; got {workers}")
    several = workers is not None and workers > 1
    if scheduler is not None:
        if kind not in (None, "dask"):
            raise ValueError(f"a scheduler is for executor 'dask'; got executor {kind!r} with scheduler {scheduler!r}")
        if several:
            raise ValueError(f"the scheduler at {scheduler} has its own workers; give either workers or scheduler")
        return "dask"
    if kind == "serial" and several:
        raise ValueError(f"executor 'serial' is this process alone; with workers={workers} take 'processes' or 'dask'")
    return kind or ("processes" if several else "serial")


@contextmanager
def executor(kind: str | None = None, workers: int | None = None, scheduler: str | None = None) -> Iterator[Executor]:
    """An executor, closed with all its processes at the end.

    kind: "serial", "processes" or "dask"; None takes "dask" where a scheduler is given, "processes" where more than
    one worker is, else "serial". workers: processes of this machine, by default one for each core; each computes with
    one thread. scheduler: address of a running dask scheduler, whose workers are its own; without it "dask" starts a
    scheduler and workers here. Raises ValueError for settings that contradict each other, ConnectionError where no
    scheduler answers.
    """
    end_if_starting()
    kind = chosen(kind, workers, scheduler)
    if kind == "serial":
        from rfsim.sweeps.engines.serial import Serial

        yield Serial()
    elif kind == "processes":
        from rfsim.sweeps.engines.processes import Processes

        with Processes(workers or machine.threads()) as pool:
            yield pool
    else:
        from rfsim.sweeps.engines.cluster import cluster

        with cluster(workers or machine.threads(), scheduler) as engine:
            yield engine


def end_if_starting() -> None:
    """End this process where it is a worker of dask's that still imports the script of its parent.

    The script starts a sweep as soon as it is imported; its parent says what is wrong with that, in one line.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise SystemExit(1)
