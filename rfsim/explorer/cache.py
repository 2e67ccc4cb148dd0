"""A bounded cache of results that sessions share: each is computed once, however many threads ask for it at once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")


class ResultCache(Generic[K, R]):
    """The last `size` results by key; what was not asked for longest leaves first.

    Threads that ask for a result that is being computed wait for it, and get the same error where it fails; an error is
    not kept.
    """

    def __init__(self, compute: Callable[[K], R], size: int) -> None:
        self._compute, self._size = compute, size
        self._held: OrderedDict[K, Future[R]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: K) -> R:
        """The result for `key`; raises what computing it raises."""
        with self._lock:
            mine = key not in self._held
            future = self._held.setdefault(key, Future())
            self._held.move_to_end(key)
            while len(self._held) > self._size:
                self._held.popitem(last=False)
        if mine:
            try:
                future.set_result(self._compute(key))
            except BaseException as error:
                with self._lock:
                    if self._held.get(key) is future:
                        del self._held[key]
                future.set_exception(error)
        return future.result()
