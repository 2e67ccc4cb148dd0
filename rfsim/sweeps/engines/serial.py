"""Tasks in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from rfsim.computing import machine
from rfsim.sweeps.engines.outcome import Outcome, bug

T = TypeVar("T")


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
