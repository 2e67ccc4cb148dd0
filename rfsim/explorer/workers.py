"""Who draws: worker processes, so that neither solving nor drawing holds up the interpreter that serves the page.

Each is an engine of its own (`sweeps.engines`) with a thread that hands it one question after another, so that what is
slow for one session stops no other. Theory and drawing take turns in Python hundreds of times each: threads of one
interpreter would hand each other its lock so slowly that two at once took several times as long.
"""

from __future__ import annotations

import atexit
import gc
import logging
import threading
from collections.abc import Callable, Hashable, Sequence
from functools import cache
from typing import Any, NamedTuple

from rfsim.computing import machine
from rfsim.explorer.parts import Tell
from rfsim.explorer.questions import Answer, Filmed, FilmQuestion, Question, answer, filmed, filmed_apart
from rfsim.explorer.waiting import Waiting
from rfsim.sweeps.engines.outcome import Executor, Lost
from rfsim.sweeps.engines.processes import Processes
from rfsim.sweeps.engines.serial import Serial

MOST = 2
GONE = Lost, OSError  # the latter where there is no room for a connection
PATIENCE = 5.0  # seconds for a thread to notice that its process is gone
_ALONE = threading.Lock()  # of what is drawn in this process
log = logging.getLogger(__name__)


class Job(NamedTuple):
    """An importable task, what it takes, and who hears what became of it: its value, or why there is none."""

    task: Callable[[Any], Any]
    payload: Any
    then: Callable[[Any, str], None]


class Workers:
    """`count` workers, each started as soon as there is something to do; `close` ends them, whatever they do."""

    def __init__(self, count: int) -> None:
        self._waiting: Waiting[Job] = Waiting(count)
        self._engines = [Processes(1) for _ in range(count)]
        self._threads = [threading.Thread(target=self._work, args=(k,), daemon=True) for k in range(count)]
        self._warm: list[Question] = []
        self._filming, self._starting = threading.Lock(), threading.Lock()
        self._film: Processes | None = None
        self.here = False  # whether this process draws because no other can be started

    def ask(self, session: Hashable, question: Question, then: Callable[[Answer], None]) -> None:
        """Have a question answered; `then` hears it in another thread.

        Never, where the session asks anew before a worker has begun.
        """
        self.give(session, Job(answer, question, lambda found, failure: then(found or _failed(failure))))

    def give(self, session: Hashable, job: Job) -> None:
        """`ask` of any task."""
        self._start()
        self._waiting.put(session, job)

    def warm_up(self, questions: Sequence[Question], tell: Tell) -> None:
        """Answer them in every worker, each of which begins elsewhere: what one has compiled the others read."""
        every, changed, done = len(self._threads), threading.Condition(), 0
        steps = every * (len(questions) + 1)

        def one(found: Any, failure: str) -> None:
            nonlocal done
            with changed:
                done += 1
                changed.notify_all()

        self._warm = list(questions)
        for k in range(every):
            begin = k * len(questions) // every
            for question in (*questions[begin:], *questions[:begin]):
                self._waiting.put_off(k, Job(answer, question, one))
            self._waiting.put_off(k, Job(settle, None, one))
        self._start()
        with changed:
            while done < steps and not self._waiting.closed:
                tell(done, steps)
                changed.wait()

    def film(self, question: FilmQuestion, tell: Tell) -> Filmed:
        """An animation, by a process of its own that takes its memory with it; one at a time of all sessions."""
        with self._filming:
            try:
                with Processes(1, told=lambda told: tell(*told)) as self._film:
                    (outcome,) = self._film.outcomes(filmed_apart, [(0, question)])
            except GONE:
                if self._waiting.closed:
                    raise
                with _ALONE:
                    return filmed(question, tell)
        return outcome.value or Filmed(b"", f"the animation could not be drawn: {outcome.failure}")

    def close(self) -> None:
        """End all processes at once; whoever waits is never answered."""
        self._waiting.close()
        for engine in (*self._engines, self._film):
            if engine is not None:
                engine.stop()
        for thread in self._threads:
            if thread.ident is not None and thread is not threading.current_thread():
                thread.join(PATIENCE)

    def _start(self) -> None:
        with self._starting:
            for thread in self._threads:
                if thread.ident is None and not self._waiting.closed:
                    thread.start()

    def _work(self, worker: int) -> None:
        """The life of a worker's thread."""
        engine = self._engines[worker]
        with engine:
            try:
                self._serve(worker, engine)
            except GONE as lost:
                if self._waiting.closed:
                    return
                self._fall_back(lost)
                self._serve(worker, _Here())

    def _serve(self, worker: int, engine: Executor) -> None:
        while (job := self._waiting.take(worker)) is not None:
            before = self._died(worker)
            try:
                (outcome,) = engine.outcomes(job.task, [(0, job.payload)])
            except GONE:
                self._waiting.put_off(worker, job)  # for whoever takes the engine's place
                raise
            if self._died(worker) > before:
                words = self._engines[worker].deaths[-1]
                log.warning("a process that draws ended (%s); another has taken its place", words)
                for question in self._warm:
                    self._waiting.put_off(worker, Job(answer, question, lambda found, failure: None))
            try:
                job.then(outcome.value, outcome.failure)
            except Exception:  # of a session that has ended
                log.exception("an answer did not reach its page")

    def _died(self, worker: int) -> int:
        return len(self._engines[worker].deaths)

    def _fall_back(self, lost: Exception) -> None:
        with self._starting:
            if not self.here:
                log.warning("pictures are drawn by the process that serves them, one at a time: %s", lost)
            self.here = True


class _Here(Serial):
    """This process, one task at a time of all threads."""

    def outcomes(self, task: Callable[[Any], Any], work: Any) -> Any:
        with _ALONE:
            yield from super().outcomes(task, work)


def settle(_: None) -> None:
    """What stays is not searched for garbage again and again: it is most of the memory."""
    gc.collect()
    gc.freeze()


def _failed(failure: str) -> Answer:
    return {"messages": {"": f"this could not be drawn: {failure}"}}


@cache
def shared() -> Workers:
    """Those of this process's pages: two, or one on a single core; they end with it."""
    found = Workers(min(MOST, machine.threads()))
    atexit.register(found.close)
    return found
