"""A dask scheduler and workers with one thread each, started and ended here."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from rfsim.checking.text import one_line
from rfsim.sweeps.engines.outcome import Lost
from rfsim.sweeps.engines.processes import STARTS, interrupts_blocked
from rfsim.sweeps.engines.worker import ENVIRONMENT

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

PATIENCE = 5.0  # seconds to connect, at first and again
DEATHS = 2  # of its worker until a task is given up
LEAKED = ("MALLOC_TRIM_THRESHOLD_", "PYTHONHASHSEED", "__DASK_PARENT_PID")  # set in this process by dask's nannies


@contextmanager
def local(workers: int) -> Iterator[Client]:
    import dask.config
    from distributed import Client

    with (
        _environment(),
        dask.config.set({"distributed.scheduler.allowed-failures": DEATHS - 1}),
        ExitStack() as stack,
    ):
        with interrupts_blocked():  # threads and processes that are started here never see Ctrl-C
            started = _started(workers)
            stack.enter_context(started)
            client = stack.enter_context(Client(started, timeout=PATIENCE, set_as_default=False))
        stack.callback(_end_workers, started)
        yield client


def _started(workers: int) -> LocalCluster:
    from distributed import LocalCluster

    words = ""
    for _ in range(STARTS):  # one of the workers may be killed meanwhile
        try:
            return LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",  # of its metrics; with None it takes a port that others have
                scheduler_kwargs={"dashboard": False},
                memory_limit=None,
                silence_logs=logging.CRITICAL,
                env=ENVIRONMENT,
            )
        except (OSError, RuntimeError) as error:
            words = one_line(str(error))
    raise Lost(
        f"dask's workers did not start here ({words}); a script must start them under "
        "`if __name__ == \"__main__\":`, because each imports it again; executor 'processes' needs no such line"
    )


def _end_workers(started: LocalCluster) -> None:
    """Without the seconds that dask would wait for what they compute."""

    async def end() -> None:
        await asyncio.gather(*(worker.close(timeout=1.0) for worker in started.workers.values()))

    with suppress(TimeoutError):
        started.sync(end)


@contextmanager
def _environment() -> Iterator[None]:
    """The workers' environment, in this process: dask's nannies live here, and pass theirs on, at restarts too."""
    before = {name: os.environ.get(name) for name in (*ENVIRONMENT, *LEAKED)}
    os.environ.update(ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
