"""The float64 policy: programs switch double precision on, solvers demand it.

A null eigenvalue of 1e-6 lost to float32 rounding, times a training time of 1e6, is an error of order one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

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
