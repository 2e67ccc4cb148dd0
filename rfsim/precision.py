"""The float64 policy: programs switch double precision on, solvers demand it.

A null eigenvalue of 1e-6 lost to float32 rounding, times a training time of 1e6, is an error of order one.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar

import jax

P = ParamSpec("P")
R = TypeVar("R")


def require_float64() -> None:
    """Raise RuntimeError unless JAX computes in float64 here."""
    if not jax.config.read("jax_enable_x64"):
        raise RuntimeError(
            "rfsim computes in float64, and JAX is in float32 here; "
            "wrap the call in `with jax.enable_x64(True):` or set JAX_ENABLE_X64=1"
        )


def in_float64(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` inside `jax.enable_x64(True)`, leaving the caller's configuration as it is."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with jax.enable_x64(True):
            return function(*args, **kwargs)

    return wrapped


class Unresolved(ValueError):
    """What float64 does not resolve of a matrix, and what to change: "{ridge}" there is the ridge added to it."""

    def __init__(self, found: str, advice: str, ridge: str = "ridge") -> None:
        super().__init__(f"{found}; {advice.replace('{ridge}', ridge)}")
        self.found, self.advice, self.ridge = found, advice, ridge

    def __reduce__(self) -> Any:  # workers send it
        return type(self), (self.found, self.advice, self.ridge)


@contextlib.contextmanager
def ridge_named(name: str) -> Iterator[None]:
    """What is not resolved inside is told with the parameter that this ridge is: a teacher has one of its own."""
    try:
        yield
    except Unresolved as error:
        raise Unresolved(error.found, error.advice, name) from None
