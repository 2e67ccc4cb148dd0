"""NumPy's arrays where the CPU computes, JAX's on accelerators, and formulas that are written once for both.

On a CPU XLA multiplies and decomposes with the same libraries as NumPy and SciPy, and compiles a program for every new
size before it does: seconds, where the numbers are there in milliseconds. What depends on d, n or p therefore takes
NumPy's arrays there. A formula asks its arrays for their `namespace`; `compiled` compiles it for JAX's alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any, ParamSpec, TypeAlias, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

P = ParamSpec("P")
R = TypeVar("R")

Numbers: TypeAlias = Any  # an array of NumPy's or of JAX's, or what JAX traces
PIECE = 16384  # points of one program
UFUNCS = {"tanh": np.tanh, "sin": np.sin, "cos": np.cos}  # by their names as JAX's primitives


def on_host() -> bool:
    """Whether what one device computes is computed by NumPy: where JAX's own device is this machine's CPU."""
    return jax.default_backend() == "cpu"


def namespace(*arrays: object) -> ModuleType:
    """The module jax.numpy where one of them is JAX's array, and numpy else.

    >>> namespace(np.zeros(2), 1.0).__name__
    'numpy'
    """
    return jnp if any(isinstance(one, jax.Array) for one in jax.tree.leaves(arrays)) else np


def placed(array: Any) -> Numbers:
    """An array where one device computes: NumPy's on a CPU, JAX's elsewhere."""
    return np.asarray(array) if on_host() else jnp.asarray(array)


def put(array: Numbers, where: Any, values: Numbers) -> Numbers:
    """The array with other values at an index; NumPy's own changes, JAX's is made anew."""
    if isinstance(array, jax.Array):
        return array.at[where].set(values)
    array[where] = values
    return array


def added(array: Numbers, where: Any, values: Numbers) -> Numbers:
    """The array with values added at an index; NumPy's own changes, JAX's is made anew."""
    if isinstance(array, jax.Array):
        return array.at[where].add(values)
    array[where] += values
    return array


def mapped(function: Callable[..., Any], *over: Numbers) -> Any:
    """What a function gives for each entry of arrays, one at a time, stacked; compiled as a loop where JAX compiles."""
    if namespace(over) is jnp:
        return jax.lax.map(lambda one: function(*one), over)
    return jax.tree.map(lambda *found: np.stack(found), *(function(*one) for one in zip(*over, strict=True)))


def compiled(
    function: Callable[P, R], *, static: tuple[str, ...] = (), donated: tuple[int, ...] = ()
) -> Callable[P, R]:
    """`function`, compiled for arrays of JAX's; of NumPy's arrays alone it is called as it is.

    There infinities and what is undefined are meant, as in JAX: formulas pick around them.

    Args:
        function: Of arrays of either kind.
        static: Names of arguments that a program is made for, as `jax.jit` has them.
        donated: Numbers of arguments whose memory the result may take; NumPy's arrays it may change.

    Returns:
        The function; its attribute `program` is what JAX compiles.
    """
    program = jax.jit(function, static_argnames=static, donate_argnums=donated)

    @functools.wraps(function)
    def chosen(*args: P.args, **kwargs: P.kwargs) -> R:
        if namespace(args, kwargs) is jnp:
            return program(*args, **kwargs)
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    chosen.program = program  # type: ignore[attr-defined]
    return chosen


def pointwise(function: Callable[[jax.Array], jax.Array], points: Numbers) -> Numbers:
    """A function of JAX's at points of any shape; those of NumPy are taken in pieces of one size.

    Args:
        function: Pointwise, hashable.
        points: JAX's or NumPy's, float64.

    Returns:
        Its values, an array of the kind of points: of NumPy's one program serves any number of them.
    """
    if isinstance(points, jax.Array):
        return function(points)
    if (ufunc := _ufunc(function)) is not None:
        with np.errstate(all="ignore"):  # as in JAX
            return ufunc(points)
    flat, values = np.ravel(points), np.empty(points.size)
    for lo in range(0, flat.size, PIECE):
        part = flat[lo : lo + PIECE]
        values[lo : lo + PIECE] = np.asarray(_piece(_whole(part), function))[: part.size]
    return values.reshape(points.shape)


@functools.cache
def _ufunc(function: Callable[[jax.Array], jax.Array]) -> np.ufunc | None:
    """NumPy's own where a function is one primitive of JAX's that has one: a quarter of the time of XLA's tanh."""
    traced = jax.make_jaxpr(function)(np.zeros(1)).jaxpr
    while len(traced.eqns) == 1:
        (equation,) = traced.eqns
        if equation.primitive.name in UFUNCS and equation.outvars == traced.outvars:
            return UFUNCS[equation.primitive.name]
        inner = equation.params.get("jaxpr")
        if inner is None:
            return None
        traced = inner.jaxpr
    return None


def _whole(part: NDArray[np.float64]) -> NDArray[np.float64]:
    return part if part.size == PIECE else np.pad(part, (0, PIECE - part.size))


@functools.partial(jax.jit, static_argnames=("function",))
def _piece(points: jax.Array, function: Callable[[jax.Array], jax.Array]) -> jax.Array:
    return function(points)
