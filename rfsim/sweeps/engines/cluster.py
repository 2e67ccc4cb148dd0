"""dask.distributed: workers that others started behind a scheduler, or a scheduler and workers started here."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from rfsim.checking.text import counted, one_line
from rfsim.sweeps.engines.local import PATIENCE, local
from rfsim.sweeps.engines.outcome import Lost, Outcome, bug
from rfsim.sweeps.engines.worker import question, read, remote, version

if TYPE_CHECKING:
    from distributed import Client, Future

T = TypeVar("T")

POLL = 0.01  # seconds
GIVEN_UP = 10  # times that dask may give up each of its workers here while no task ends
WINDOW = 2  # tasks for each thread of a worker: one computes, one waits beside it
# with those that dask's configuration gives a level of their own
LOGGERS = ("distributed", "distributed.client", "distributed.gc", "tornado", "tornado.application", "asyncio")


class _Job(NamedTuple):
    number: int
    call: bytes
    alone: bool = False


class Cluster:
    """The workers behind one scheduler. place: in words."""

    def __init__(self, client: Client, place: str) -> None:
        self._client = client
        self._place = place
        self._counted = self._looked = 0.0
        self._given_up = 0  # workers since the last task ended
        self._workers = self._threads = 0

    @property
    def words(self) -> str:
        self._count()
        return f"with dask {self._place} ({counted(self._workers, 'worker')})"

    @property
    def in_flight(self) -> int:
        """Follows the cluster as workers come and go; and one more, that was just given back."""
        self._count()
        return WINDOW * max(1, self._threads) + 1

    def outcomes(self, task: Callable[[T], Any], work: Iterable[tuple[int, T]]) -> Iterator[Outcome]:
        """As `Executor.outcomes`. A task that dask gave up because its workers died runs again alone: dask counts the
        death of a worker against every task that waited there.
        """
        from distributed import as_completed

        jobs = (_Job(number, question(task, payload)) for number, payload in work)
        aside: deque[_Job] = deque()
        pending: dict[Future, _Job] = {}
        finished = as_completed(loop=self._client.loop)

        def submit(job: _Job) -> None:
            with self._lost():
                future = self._client.submit(remote, job.call, version(), pure=False)
                finished.add(future)
            pending[future] = job

        def give() -> None:
            if aside or any(job.alone for job in pending.values()):
                if not pending:
                    submit(aside.popleft())
                return
            while len(pending) < self.in_flight - 1 and (job := next(jobs, None)) is not None:
                submit(job)

        try:
            give()
            while pending:
                while not finished.has_ready():
                    self._restart()
                    time.sleep(POLL)
                with self._lost():
                    future = next(finished)
                    job = pending.pop(future)
                    found = self._found(future, job)
                del future  # dask forgets what nobody holds
                self._given_up = 0
                if found is None:
                    aside.append(job._replace(alone=True))
                give()
                if found is not None:
                    yield Outcome(job.number, *found)
        finally:
            if pending and self._client.status == "running":
                with suppress(Exception):
                    self._client.cancel(list(pending), force=True)

    def _found(self, future: Future, job: _Job) -> tuple[Any, str] | None:
        """(value, failure); None where it must run again, alone."""
        from distributed import KilledWorker

        try:
            return read(future.result())
        except KilledWorker as error:
            died = error.allowed_failures + 1
            return (None, f"its worker died {died} times while it ran alone (out of memory?)") if job.alone else None
        except Exception as error:
            if future.status != "error":
                raise
            return None, bug(error)

    def _restart(self) -> None:
        """Start workers anew that dask gave up, as it does where one is killed while it starts.

        Without them the scheduler would wait for ever. Raises Lost where they end again and again.
        """
        started = self._client.cluster
        if started is None or time.monotonic() < self._looked + 1:
            return
        self._looked = time.monotonic()
        if missing := len(started.worker_spec) - len(started.workers):
            self._given_up += missing
            if self._given_up > GIVEN_UP * len(started.worker_spec):
                raise Lost(
                    "dask's workers here ended before they could compute, again and again; run the same command again "
                    "when that is mended, or with executor 'serial'"
                )
            started.scale(len(started.worker_spec))

    def _count(self) -> None:
        """Workers and their threads, asked again after a second."""
        if self._counted and time.monotonic() < self._counted + 1:
            return
        with self._lost():
            threads: dict[str, int] = self._client.nthreads()  # pyright: ignore[reportAssignmentType]
        self._workers, self._threads, self._counted = len(threads), sum(threads.values()), time.monotonic()

    @contextmanager
    def _lost(self) -> Iterator[None]:
        """Whatever goes wrong between this process and the scheduler is Lost."""
        try:
            yield
        except Exception as error:
            words = getattr(error, "reason", "") or one_line(str(error)) or type(error).__name__
            raise Lost(
                f"the dask scheduler {self._place} is gone ({words}); "
                "run the same command again, with a running scheduler"
            ) from None


@contextmanager
def cluster(workers: int, scheduler: str | None) -> Iterator[Cluster]:
    """The cluster at `scheduler`, or one of `workers` processes with one thread each that is started, and ended, here.

    Raises ConnectionError where no scheduler answers, ValueError where dask is missing or the workers' rfsim is
    another.
    """
    try:
        import distributed  # noqa: F401
    except ImportError:
        raise ValueError("executor 'dask' needs dask.distributed; install the extra rfsim[cluster]") from None
    with ExitStack() as stack:
        stack.enter_context(_silent())
        if scheduler is None:
            client = stack.enter_context(local(workers))
            place = "on this machine"
        else:
            client = stack.enter_context(_connected(scheduler))
            place = f"at {scheduler}"
            _require_same_version(client, scheduler)
        yield Cluster(client, place)


@contextmanager
def _connected(scheduler: str) -> Iterator[Client]:
    from distributed import Client

    try:
        client = Client(scheduler, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConnectionError(
            f"no dask scheduler answers at {scheduler!r} ({one_line(str(error))}); give the address that "
            "`dask scheduler` prints, such as tcp://127.0.0.1:8786, or none: workers are then started here"
        ) from None
    with client:
        yield client


def _require_same_version(client: Client, scheduler: str) -> None:
    try:
        found: dict[str, str] = client.run(version)  # pyright: ignore[reportAssignmentType]
    except ImportError as error:
        raise ValueError(
            f"the workers of {scheduler} cannot import rfsim ({error}); install rfsim {version()} there"
        ) from None
    if others := sorted(set(found.values()) - {version()}):
        raise ValueError(
            f"the workers of {scheduler} have rfsim {', '.join(others)}, this process {version()}; "
            "install the same version for both"
        )


@contextmanager
def _silent() -> Iterator[None]:
    """Without dask's log of every connection it loses: `Lost` says it in one line."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
