"""How many decompositions of U were done: a hook for whoever has announced a number of them.

Counted where matrices are decomposed whole (`spectra.eigen.eigh`): once for every U, also where a smaller Gram matrix
or a Krylov space takes its place. What is done again, because U had been truncated too coarsely for the smallest
eigenvalue that it turned out to have, is counted apart.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Counter:
    """count: of different U; again: of those that were decomposed once more with more orders."""

    count: int = 0
    again: int = 0


_counters: ContextVar[tuple[Counter, ...]] = ContextVar("counters", default=())


@contextlib.contextmanager
def counting() -> Iterator[Counter]:
    """Count what the block decomposes in this thread; blocks may lie in one another.

    >>> with counting() as done:
    ...     counted()
    >>> done.count
    1
    """
    counter = Counter()
    token = _counters.set((*_counters.get(), counter))
    try:
        yield counter
    finally:
        _counters.reset(token)


def counted(*, again: bool = False) -> None:
    """A decomposition is being done."""
    for counter in _counters.get():
        if again:
            counter.again += 1
        else:
            counter.count += 1
