"""What every engine offers, and in which words: outcomes of tasks, each once.

An executor knows neither physics nor stores: it takes numbered payloads from an iterable, as it has room for them, and
gives each back with what the task made of it. What a task does wrong comes back as words; only an engine that is gone
altogether raises (`Lost`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol, TypeVar

from rfsim.checking.text import one_line

T = TypeVar("T")


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


def bug(error: BaseException) -> str:
    """An exception of a task in one line."""
    return f"bug: {type(error).__name__}: {one_line(str(error))}"
