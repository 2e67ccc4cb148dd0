"""The float64 policy: programs switch double precision on, solvers demand it. The one place that sets what JAX does.

A null eigenvalue of 1e-6 lost to float32 rounding, times a training time of 1e6, is an error of order one.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar

import jax

from rfsim.computing.blas import one_thread

P = ParamSpec("P")
R = TypeVar("R")

# What the formulas are written for, and what a caller may have set otherwise to find faults of their own: broadcasting
# of ranks and of types, infinities and NaN that are meant (τ = ∞, what is undefined), constants that go to a device.
# The precision of products and the kind of keys are those that tests hold the numbers to.
MEANT: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "jax_enable_x64": (True, jax.enable_x64),
    "jax_numpy_rank_promotion": ("allow", jax.numpy_rank_promotion),
    "jax_numpy_dtype_promotion": ("standard", jax.numpy_dtype_promotion),
    "jax_debug_nans": (False, jax.debug_nans),
    "jax_debug_infs": (False, jax.debug_infs),
    "jax_disable_jit": (False, jax.disable_jit),
    "jax_default_matmul_precision": (None, jax.default_matmul_precision),
    "jax_default_prng_impl": ("threefry2x32", jax.default_prng_impl),
    "jax_threefry_partitionable": (True, jax.threefry_partitionable),
    "jax_legacy_prng_key": ("allow", jax.legacy_prng_key),
}
GUARDS = tuple(f"jax_transfer_guard_{way}" for way in ("host_to_device", "device_to_device", "device_to_host"))


def require_float64() -> None:
    """Raise RuntimeError unless JAX computes in float64 here."""
    if not jax.config.read("jax_enable_x64"):
        raise RuntimeError(
            "rfsim computes in float64, and JAX is in float32 here; "
            "wrap the call in `with jax.enable_x64(True):` or set JAX_ENABLE_X64=1"
        )


@contextlib.contextmanager
def float64() -> Iterator[None]:
    """JAX in float64, and in none of its strict modes, inside; the caller's configuration is left as it is."""
    with contextlib.ExitStack() as stack:
        for name, (value, setting) in MEANT.items():
            if getattr(jax.config, name) != value:  # a setting that is made, even to what it is, compiles again
                stack.enter_context(setting(value))
        if any(getattr(jax.config, name) not in (None, "allow") for name in GUARDS):
            stack.enter_context(jax.transfer_guard("allow"))
        yield


def emulates_float64() -> bool:
    """Whether the backend makes float64 of pairs of float32 (TPU).

    Its compiler then refuses complex128, float64 made of bits and most decompositions, of which all are kept from it.
    Lowering passes them, so that a machine without one does not find them.
    """
    return jax.default_backend() == "tpu"


@contextlib.contextmanager
def complex128() -> Iterator[None]:
    """`float64()` where complex numbers are had in it too: on the host's CPU where the backend emulates float64.

    BLAS has one thread there: what is complex is small, and its sums are the same bytes however many cores there are.
    """
    with float64(), one_thread(), contextlib.ExitStack() as stack:
        if emulates_float64():
            stack.enter_context(jax.default_device(jax.local_devices(backend="cpu")[0]))
        yield


def in_float64(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` inside `float64()`."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with float64():
            return function(*args, **kwargs)

    return wrapped


def in_complex128(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` inside `complex128()`: every public function of the limit, whose equations are complex."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with complex128():
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
    """What is not resolved inside is told with the parameter that this ridge is: a teacher has one of its own.

    What names its ridge already keeps it.
    """
    try:
        yield
    except Unresolved as error:
        raise Unresolved(error.found, error.advice, name if error.ridge == "ridge" else error.ridge) from None
