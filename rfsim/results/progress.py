"""What every quantity's run shares with who waits for it: progress, failures, and Ctrl-C."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import jax
import xarray as xr

Done = TypeVar("Done")  # what is made of a seed
Report = Callable[[str, Mapping[str, Any]], None]
Begin = Callable[[Mapping[str, Any]], None]  # hears the settings a result will carry before anything is computed

# what settings and sizes of a run may cost it, beside which other runs can go on: anything else is a mistake of ours
FAILURES = (ValueError, ArithmeticError, MemoryError, jax.errors.JaxRuntimeError)


class Interrupted(KeyboardInterrupt):
    """Ctrl-C after at least one seed had ended; `result` is the labelled result of those seeds."""

    def __init__(self, result: xr.Dataset) -> None:
        super().__init__("interrupted")
        self.result = result


@contextlib.contextmanager
def keeping(done: Sequence[Any], result: Callable[[], xr.Dataset]) -> Iterator[None]:
    """Turn a Ctrl-C into one that carries what is done."""
    try:
        yield
    except KeyboardInterrupt:
        if not done:
            raise
        raise Interrupted(result()) from None


def each_seed(
    seeds: Iterable[int], one: Callable[[int], Done], result: Callable[[Sequence[Done]], xr.Dataset]
) -> xr.Dataset:
    """What is made of every seed as one result; a Ctrl-C keeps the seeds that are done."""
    done: list[Done] = []
    with keeping(done, lambda: result(done)):
        done.extend(map(one, seeds))  # those made before a Ctrl-C stay
    return result(done)
