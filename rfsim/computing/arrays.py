"""NumPy's arrays where the CPU computes, JAX's on accelerators, and formulas that are written once for both.

On a CPU XLA multiplies and decomposes with the same libraries as NumPy and SciPy, and compiles a program for every new
size before it does: seconds, where the numbers are there in milliseconds. What depends on d, n or p therefore takes
NumPy's arrays there. A formula asks its arrays for their `namespace`; `compiled` compiles it for JAX's alone.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, ParamSpec, TypeAlias, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

P = ParamSpec("P")
R = TypeVar("R")

Numbers: TypeAlias = Any  # an array of NumPy's or of JAX's, or what JAX traces
FEW = 2**11  # points that NumPy's own functions have done before a program has begun
PIECE, LARGE = 2**14, 2**18  # points of the two programs of a function
UFUNCS = {"tanh": np.tanh, "sin": np.sin, "cos": np.cos}  # by their names as JAX's primitives
ALIGNED = 64  # bytes
NONE = np.float64(0)  # of one kind with every offset: another would be another program
WIDE = {"X86_V4", "AVX512_SKX", "AVX512_ICL", "AVX512_SPR"}  # instructions with which NumPy's own are the faster ones


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
    """A function of JAX's at points of any shape; those of NumPy are taken in pieces of two sizes.

    Args:
        function: Pointwise, hashable.
        points: JAX's or NumPy's, float64.

    Returns:
        Its values, an array of the kind of points: of NumPy's two programs serve any number of them.
    """
    if isinstance(points, jax.Array):
        return function(points)
    if (ufunc := _ufunc(function, np.size(points))) is not None:
        with np.errstate(all="ignore"):  # as in JAX
            return ufunc(points)
    flat, values = np.ravel(points), np.empty(points.size)
    lo = 0
    while lo < flat.size:
        size = LARGE if flat.size - lo > LARGE // 4 else PIECE  # a few small ones take as long
        part = flat[lo : lo + size]
        values[lo : lo + size] = np.asarray(_piece(_whole(part, size), NONE, function))[: part.size]
        lo += size
    return values.reshape(points.shape)


def pointwise_product(
    function: Callable[[jax.Array], jax.Array], left: Numbers, right: Numbers, offset: Numbers | float
) -> Iterator[tuple[slice, Numbers]]:
    """function(left·right) − offset, of NumPy's arrays as many rows at a time as stay in the cache.

    Args:
        function: As `pointwise` takes it.
        left: (rows, inner).
        right: (inner, columns).
        offset: A number.

    Yields:
        Some rows, and the values there, until the next ones are asked for; of JAX's arrays all at once.
    """
    if namespace(left, right) is jnp:
        yield slice(None), function(left @ right) - offset
        return
    columns = right.shape[1]
    ufunc = _ufunc(function, len(left) * columns)
    size = LARGE if len(left) * columns > LARGE // 4 else PIECE
    each = max(size // max(columns, 1), 1)
    room = _rooms(max(size, columns))
    points = room.pop() if room else _aligned(max(size, columns))
    for lo in range(0, len(left), each):
        here = slice(lo, min(lo + each, len(left)))
        shape = here.stop - lo, columns
        some = points[: shape[0] * columns]
        np.matmul(left[here], right, out=some.reshape(shape))
        if ufunc is not None:
            with np.errstate(all="ignore"):  # as in JAX
                ufunc(some, out=some)
            some -= offset
            yield here, some.reshape(shape)
        elif some.size <= size == len(points):
            yield here, np.asarray(_piece(points, np.float64(offset), function))[: some.size].reshape(shape)
        else:
            yield here, (pointwise(function, some) - offset).reshape(shape)
    room.append(points)


def _ufunc(function: Callable[[jax.Array], jax.Array], points: int) -> np.ufunc | None:
    """NumPy's own where a function is one primitive of JAX's that has one, for few points or on a CPU made for it.

    With AVX-512 NumPy's tanh takes a quarter of the time of XLA's, without ten times as long.
    """
    return _own(function) if points <= FEW or _is_wide() else None


@functools.cache
def _is_wide() -> bool:
    known: Any = np.show_config(mode="dicts")  # without what is empty
    return bool(WIDE.intersection(known.get("SIMD Extensions", {}).get("found", [])))


@functools.cache
def _own(function: Callable[[jax.Array], jax.Array]) -> np.ufunc | None:
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


_kept = threading.local()


def _rooms(size: int) -> list[NDArray[np.float64]]:
    """This thread's free arrays of a size: new memory takes as long as what is computed in it."""
    kept = _kept.__dict__.setdefault("rooms", {})
    return kept.setdefault(size, []) if size <= LARGE else []


def _aligned(size: int) -> NDArray[np.float64]:
    """Zeros where XLA reads them in place: what begins elsewhere it copies."""
    raw = np.zeros(8 * size + ALIGNED, np.uint8)
    start = -raw.ctypes.data % ALIGNED
    return raw[start : start + 8 * size].view(np.float64)


def _whole(part: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    if part.size == size:
        return part
    whole = np.zeros(size)
    whole[: part.size] = part
    return whole


@functools.partial(jax.jit, static_argnames=("function",))
def _piece(points: jax.Array, offset: jax.Array | float, function: Callable[[jax.Array], jax.Array]) -> jax.Array:
    return function(points) - offset
