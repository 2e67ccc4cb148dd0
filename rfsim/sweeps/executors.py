"""Where the tasks of a sweep run: in this process, in processes on this machine, or on dask's cluster.

An executor knows neither physics nor stores: it takes numbered payloads from an iterable, as it has room for them, and
gives each back with what the task made of it. What a task does wrong comes back as words; only an engine that is gone
altogether raises (`Lost`).
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol, TypeVar

from rfsim import machine
from rfsim.words import nearest

T = TypeVar("T")

KINDS = ("serial", "processes", "dask")
MOST_WORKERS = 4096  # of one machine


class Outcome(NamedTuple):
    """What became of one task. failure: "" where there is a value, else one line."""

    number: int
    value: Any
    failure: str


class Lost(RuntimeError):
    """The engine itself is gone (a killed scheduler): what was given back so far stands, the rest can be run again."""


class Executor(Protocol):
    """words: where tasks run, for people. in_flight: most tasks that are drawn from `work` and not yet given back."""

    @property
    def words(self) -> str: ...

    @property
    def in_flight(self) -> int: ...

    def outcomes(self, task: Callable[[T], Any], work: Iterable[tuple[int, T]]) -> Iterator[Outcome]:
        """Run `task` on every payload; outcomes as they end, in any order.

        task: importable; payloads and values can be pickled. An exception of a task is a bug and comes back as a
        failure "bug: Type: text"; KeyboardInterrupt passes. Raises Lost where the engine is gone.
        """
        ...


class Serial:
    """One at a time, in this process; the next is drawn when the one before was taken."""

    words = "in this process"
    in_flight = 1

    def outcomes(self, task: Callable[[T], Any], work: Iterable[tuple[int, T]]) -> Iterator[Outcome]:
        for number, payload in work:
            try:
                outcome = Outcome(number, task(payload), "")
            except Exception as error:
                outcome = Outcome(number, None, bug(error))
            machine.release_programs()
            yield outcome


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
        yield Serial()
    elif kind == "processes":
        from rfsim.sweeps.processes import Processes

        with Processes(workers or machine.threads()) as pool:
            yield pool
    else:
        from rfsim.sweeps.cluster import cluster

        with cluster(workers or machine.threads(), scheduler) as engine:
            yield engine


def end_if_starting() -> None:
    """End this process where it is a worker of dask's that still imports the script of its parent.

    The script starts a sweep as soon as it is imported; its parent says what is wrong with that, in one line.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        raise SystemExit(1)


def bug(error: BaseException) -> str:
    """An exception of a task in one line."""
    return f"bug: {type(error).__name__}: {one_line(str(error))}"


def counted(count: int, noun: str) -> str:
    """So many of something: 1 group, 2 groups."""
    return f"{count} {noun}{'' if count == 1 else 'es' if noun.endswith('s') else 's'}"


def one_line(text: str) -> str:
    return " ".join(text.split())
