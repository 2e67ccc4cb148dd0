"""Threads of BLAS: one where products are small, or where results must not depend on their number.

BLAS's threads wait for the next product at full speed: between products of milliseconds they cost more than they bring.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rfsim.computing import machine

T = TypeVar("T")
R = TypeVar("R")

GRAM_TILE = 256
SMALL = 1536  # rows of a square matrix: below, a second thread brings less than its waiting costs

_lock = threading.Lock()
_holders = 0
_limit: Any = None


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """BLAS in one thread inside; the setting is the process's, so that the last to leave takes it back."""
    global _holders, _limit
    with _lock:
        if _holders == 0:
            _limit = _controller("scipy.linalg" in sys.modules).limit(limits=1, user_api="blas")
        _holders += 1
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if _holders == 0:
                _limit.restore_original_limits()
                _limit = None


@cache
def _controller(scipy: bool) -> Any:
    """What sets the threads of the BLAS libraries that are loaded: NumPy's and, once it is there, SciPy's own.

    Finding them reads the process's memory maps, milliseconds each time.
    """
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def suited(rows: int) -> contextlib.AbstractContextManager[None]:
    """BLAS in one thread where the largest matrix has few rows, else as it is."""
    return one_thread() if rows < SMALL else contextlib.nullcontext()


def in_threads(work: Callable[[T], R], pieces: Iterable[T]) -> list[R]:
    """A thread for a piece: BLAS's own meet after every product, and wait for one another where others are at work."""
    with one_thread(), ThreadPoolExecutor(machine.threads()) as threads:
        return list(threads.map(work, pieces))


def product(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Left @ right, columns of a large matrix on the right divided among threads.

    Args:
        left: (rows, inner).
        right: (inner, columns).

    Returns:
        The product, (rows, columns).
    """
    columns = right.shape[1]
    if right.size < SMALL**2:
        return left @ right
    found = np.empty((len(left), columns))

    def multiply(start: int) -> None:
        where = slice(start, start + each)
        np.matmul(left, right[:, where], out=found[:, where])

    each = -(-columns // machine.threads())
    in_threads(multiply, range(0, columns, each))
    return found


def add_gram(total: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """ValuesᵀValues added to a total on and above its diagonal, by tiles in threads; below it in tiles on it alone.

    Args:
        total: (columns, columns); it changes.
        values: (rows, columns).

    Returns:
        The total.
    """
    columns = len(total)
    edges = range(0, columns, GRAM_TILE)

    def add(tile: tuple[int, int]) -> None:
        here, there = (slice(k, k + GRAM_TILE) for k in tile)
        total[here, there] += values[:, here].T @ values[:, there]

    tiles = [(i, j) for i in edges for j in edges if i <= j]
    if columns <= GRAM_TILE:
        add(*tiles)
    else:
        in_threads(add, tiles)
    return total
