"""Processes of this machine, spawned, with one thread and one task each.

concurrent.futures would not do: its pool breaks as a whole when one worker is killed, without a word about which task
it had; it imports the caller's script again in every worker; and what a worker's environment is must be set in the
caller's own. loky, which imports no script and sets an environment, breaks as a whole too: whatever the others computed
is lost, all start again (two tests that kill workers took 40 s and 26 s with it, 23 s and 9 s here, in one run each on
a busy machine), and a death while a worker starts looks like its task's. Left to itself its workers outlive a killed
parent, and its tracker of semaphores complains on standard error. Here each worker is a fresh interpreter on one
connection, so that the one that died is known, its task with it, and the others go on.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import wait
from typing import Any, TypeVar

from rfsim.checking.text import counted
from rfsim.sweeps.engines.outcome import Lost, Outcome
from rfsim.sweeps.engines.worker import ENVIRONMENT, READY, TOLD, question, read

T = TypeVar("T")

DEATHS = 2  # of its worker while a task ran alone: then the task is to blame
STARTS, KILLED_STARTS = 3, 10  # workers in a row that ended, the last killed, before they were ready: then none will be


@dataclass
class _Job:
    number: int
    call: bytes
    alone: bool = False
    deaths: int = 0  # of its worker, while alone


class Processes:
    """`count` workers, started as they are needed. A context: they end with it, busy or not.

    told: hears what tasks say by `worker.tell` before they answer. deaths: how workers ended that had a task.
    """

    def __init__(self, count: int, told: Callable[[Any], None] | None = None) -> None:
        self.count, self._told = count, told
        self.deaths: list[str] = []
        self._workers: dict[Any, _Worker] = {}
        self._failed_starts = 0
        self._stopped = False

    @property
    def words(self) -> str:
        return f"in {counted(self.count, 'process')}"

    @property
    def in_flight(self) -> int:
        """One in each worker, and one that was just given back: its worker has the next already."""
        return self.count + 1

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self._drop(*self._workers.values())

    def stop(self) -> None:
        """End all processes from another thread; `outcomes` raises Lost there, now and ever after."""
        self._stopped = True
        for worker in list(self._workers.values()):
            worker.kill()

    def outcomes(self, task: Callable[[T], Any], work: Iterable[tuple[int, T]]) -> Iterator[Outcome]:
        """As `Executor.outcomes`. A task whose worker died runs again alone, and nothing is drawn until it has ended:
        where the machine ran out of memory it was perhaps another's.
        """
        jobs = (_Job(number, question(task, payload)) for number, payload in work)
        aside: deque[_Job] = deque()
        try:
            self._give(jobs, aside)
            while self._busy():
                for end in wait(list(self._workers)):
                    outcome = self._hear(self._workers[end], aside)
                    self._give(jobs, aside)
                    if outcome is not None:
                        yield outcome
        finally:
            self._drop(*self._busy())

    def _busy(self) -> list[_Worker]:
        return [worker for worker in self._workers.values() if worker.job]

    def _give(self, jobs: Iterator[_Job], aside: deque[_Job]) -> None:
        """Jobs to as many workers as may have one now."""
        busy = self._busy()
        if aside or any(worker.job.alone for worker in busy if worker.job):
            if not busy:
                self._assign(aside.popleft())
            return
        for _ in range(self.count - len(busy)):
            if (job := next(jobs, None)) is None:
                return
            self._assign(job)

    def _assign(self, job: _Job) -> None:
        """To an idle worker, or to a new one, which is asked when it is ready."""
        worker = next((worker for worker in self._workers.values() if not worker.job), None)
        if worker is None:
            worker = _Worker()
            self._workers[worker.end] = worker
        worker.job = job
        self._require_running()  # after it is known to `stop`
        if worker.ready:
            worker.ask()

    def _hear(self, worker: _Worker, aside: deque[_Job]) -> Outcome | None:
        """What a worker's connection has to say: that it is ready, an answer, or its end."""
        job = worker.job
        try:
            message = worker.end.recv_bytes()
        except (EOFError, OSError):
            self._drop(worker)
            self._require_running()
            return job and self._died(worker, job, aside)
        if not worker.ready and message == READY:
            worker.ready, self._failed_starts = True, 0
            worker.ask()
            return None
        if message.startswith(TOLD):
            if self._told is not None:
                self._told(pickle.loads(message[len(TOLD) :]))
            return None
        assert job is not None
        worker.job = None
        return Outcome(job.number, *read(message))

    def _died(self, worker: _Worker, job: _Job, aside: deque[_Job]) -> Outcome | None:
        if not worker.ready:
            self._failed_starts += 1
            if self._failed_starts >= (KILLED_STARTS if worker.killed else STARTS):
                raise Lost(
                    f"{self._failed_starts} workers in a row ended before they could compute ({worker.end_words}); "
                    "run the same command again when that is mended, or with executor 'serial'"
                )
            self._assign(job)
            return None
        self.deaths.append(worker.end_words)
        job.deaths += job.alone
        if job.deaths == DEATHS:
            words = f"its worker died {DEATHS} times while it ran alone ({worker.end_words})"
            return Outcome(job.number, None, words)
        job.alone = True
        aside.append(job)
        return None

    def _require_running(self) -> None:
        if self._stopped:
            raise Lost("the workers were ended")

    def _drop(self, *workers: _Worker) -> None:
        for worker in workers:
            del self._workers[worker.end]
            worker.close()


class _Worker:
    """A process that runs `worker.serve`."""

    def __init__(self) -> None:
        self.ready = False
        self.job: _Job | None = None
        self.end_words = ""
        self.killed = False
        self.end, far = Pipe()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `close`)
        try:
            with interrupts_blocked():
                self._process = subprocess.Popen(
                    [
                        sys.executable,
                        "-P",
                        "-c",
                        "from rfsim.sweeps.engines.worker import serve; serve()",
                        str(far.fileno()),
                    ],
                    stdin=subprocess.PIPE,
                    stdout=self._log,
                    stderr=self._log,
                    env={**os.environ, **ENVIRONMENT, "PYTHONPATH": os.pathsep.join(sys.path)},
                    pass_fds=[far.fileno()],
                )
        except BaseException as error:
            self.end.close()
            self._log.close()
            if isinstance(error, OSError):
                raise Lost(f"no worker can be started ({error}); run the same command again with fewer") from None
            raise
        finally:
            far.close()

    def ask(self) -> None:
        with suppress(OSError):  # it died: its connection says so
            self.end.send_bytes(self.job.call if self.job else b"")

    def kill(self) -> None:
        """End the process, whatever it does: what it computes is nowhere yet."""
        self._process.kill()

    def close(self) -> None:
        """End it and forget it."""
        self.end.close()
        self.kill()
        status = self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()
        self._log.seek(0)
        last = self._log.read().decode(errors="replace").strip().rpartition("\n")[2]
        self._log.close()
        self.killed = status < 0
        self.end_words = _manner(status) + (f": {last}" if last else "")


def _manner(status: int) -> str:
    if status >= 0:
        return f"it ended with status {status}"
    return f"killed by signal {-status}" + (": out of memory?" if -status == signal.SIGKILL else "")


@contextmanager
def interrupts_blocked() -> Iterator[None]:
    """A process started inside never sees Ctrl-C: its parent does, and ends it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
