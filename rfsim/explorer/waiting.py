"""What waits for a few workers: the newest question of each session in order of arrival, and work for idle hours."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Hashable
from itertools import chain
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")


class Waiting(Generic[T]):
    """At most one question for each session: a later one takes the place of one that no worker has begun.

    A session goes back to the worker that drew for it last, which holds its solved problem and its figures; another
    takes its question only where that one has its hands full.
    """

    def __init__(self, workers: int) -> None:
        self._asked: OrderedDict[Hashable, T] = OrderedDict()
        self._homes: WeakKeyDictionary[Hashable, int] = WeakKeyDictionary()
        self._free = [False] * workers
        self._later: list[deque[T]] = [deque() for _ in range(workers)]
        self._changed = threading.Condition()
        self.closed = False

    def put(self, session: Hashable, question: T) -> None:
        """Let a question wait, at the place of the session's older one."""
        with self._changed:
            self._asked[session] = question
            self._changed.notify_all()

    def put_off(self, worker: int, work: T) -> None:
        """Let work wait until this worker has no question."""
        with self._changed:
            self._later[worker].append(work)
            self._changed.notify_all()

    def take(self, worker: int) -> T | None:
        """The next for a worker, which is free until it has one; None when all is closed."""
        with self._changed:
            self._free[worker] = True
            while (session := self._next(worker)) is None and not self._later[worker] and not self.closed:
                self._changed.wait()
            self._free[worker] = False
            self._changed.notify_all()  # what waits for this one may now be another's
            if self.closed:
                return None
            if session is None:
                return self._later[worker].popleft()
            self._homes[session] = worker
            return self._asked.pop(session)

    def close(self) -> None:
        """Give nothing out any more."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def _next(self, worker: int) -> Hashable | None:
        """The session whose turn it is: the first of this worker's own or of nobody's, else of one that is not free."""
        homes = {session: self._homes.get(session, worker) for session in self._asked}
        own = (session for session, home in homes.items() if home == worker)
        others = (session for session, home in homes.items() if not self._free[home])
        return next(chain(own, others), None)
