from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from rfsim.explorer.cache import ResultCache


def test_a_result_is_computed_once_however_many_ask_at_once():
    calls, gate = [], threading.Event()

    def compute(key):
        calls.append(key)
        gate.wait(5)
        return 2 * key

    shelf = ResultCache(compute, 4)
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(shelf.get, 3) for _ in range(6)]
        while not calls:
            time.sleep(0.001)
        gate.set()
        assert [one.result() for one in asked] == [6] * 6
    assert calls == [3]
    assert shelf.get(3) == 6
    assert calls == [3]


def test_a_shelf_is_bounded_and_loses_what_was_not_asked_for_longest():
    calls = []
    shelf = ResultCache(lambda key: calls.append(key) or key, 2)
    for key in (1, 2, 1, 3, 1):
        assert shelf.get(key) == key
    assert (calls, len(shelf)) == ([1, 2, 3], 2)
    shelf.get(2)
    assert calls == [1, 2, 3, 2]


def test_an_error_reaches_who_asked_and_is_not_kept():
    calls = []

    def compute(key):
        calls.append(key)
        raise ValueError(f"no {key}")

    shelf = ResultCache(compute, 2)
    for _ in range(2):
        with pytest.raises(ValueError, match="no 1"):
            shelf.get(1)
    assert (calls, len(shelf)) == ([1, 1], 0)
