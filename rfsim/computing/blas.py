"""Threads of BLAS: one where products are small, or where results must not depend on their number.

BLAS's threads wait for the next product at full speed: between products of milliseconds they cost more than they bring.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

SMALL = 1536  # rows of a square matrix: below, a second thread brings less than its waiting costs

_lock = threading.Lock()
_holders = 0
_limit: Any = None


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """BLAS in one thread inside; the setting is the process's, so that the last to leave takes it back."""
    from threadpoolctl import threadpool_limits

    global _holders, _limit
    with _lock:
        if _holders == 0:
            _limit = threadpool_limits(limits=1, user_api="blas")
        _holders += 1
    try:
        yield
    finally:
        with _lock:
            _holders -= 1
            if _holders == 0:
                _limit.restore_original_limits()
                _limit = None


def suited(rows: int) -> contextlib.AbstractContextManager[None]:
    """BLAS in one thread where the largest matrix has few rows, else as it is."""
    return one_thread() if rows < SMALL else contextlib.nullcontext()
