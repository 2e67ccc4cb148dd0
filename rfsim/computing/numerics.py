"""Small numerical tools that know no physics: Gaussian quadrature in Hermite coordinates, safe ratios, crossings."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import DTypeLike
from numpy.typing import ArrayLike, NDArray

from rfsim.computing.arrays import Numbers, namespace
from rfsim.computing.precision import emulates_float64


class HermiteRule(NamedTuple):
    """Trapezoid rule for E[h_s(u) f(u)], u ~ N(0, 1), h_s = He_s/√s! orthonormal.

    nodes: (nodes,); weights: (orders, nodes), Gaussian density and step included.
    The rule is spectrally accurate for f analytic in a strip, at any order, where plain Gauss–Hermite is slow
    (equations.md §2: tanh at scale 2.5 keeps an error of 2e-4 at 80 Gauss–Hermite nodes).
    """

    nodes: NDArray[np.float64]
    weights: NDArray[np.float64]


def signed(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit vectors, (count, dim), each with its largest entry positive: LAPACK leaves the signs free.

    >>> signed(np.array([[0.6, -0.8]]))
    array([[-0.6,  0.8]])
    """
    largest = np.abs(directions).argmax(axis=1)
    return directions * np.sign(directions[np.arange(len(directions)), largest])[:, None]


def chebyshev_polynomials(points: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """T_k(x) for k < count at points of any shape, (count, …).

    >>> chebyshev_polynomials(np.array([0.5]), 4).ravel()
    array([ 1. ,  0.5, -0.5, -1. ])
    """
    table, twice = np.empty((count, *points.shape)), 2 * points
    table[0] = 1.0
    table[1:2] = points
    for k in range(2, count):
        np.multiply(twice, table[k - 1], out=table[k])
        table[k] -= table[k - 2]
    return table


def chebyshev_points(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The zeros of T_count, and what values there are multiplied by for coefficients, (values, coefficients).

    >>> nodes, transform = chebyshev_points(3)
    >>> bool(abs(nodes**2 @ transform - [0.5, 0.0, 0.5]).max() < 1e-15)
    True
    """
    # in quarters of 1/count of a turn, as integers: an angle of many turns has lost its last digits
    quarters = np.outer(2 * np.arange(count) + 1, np.arange(count)) % (4 * count)
    transform = 2 / count * np.cos(np.pi / (2 * count) * quarters)
    transform[:, 0] /= 2
    return np.cos(np.pi * (np.arange(count) + 0.5) / count), transform


def hermite_functions(points: ArrayLike, orders: int) -> NDArray[np.float64]:
    """√φ(x) h_s(x) for s < orders, shape (orders, points), φ the standard normal density.

    The factor √φ is inside the recurrence: these functions are bounded by about 1 at every order and point,
    so high orders neither overflow nor need factorials.
    """
    x = np.asarray(points, dtype=np.float64)
    return _hermite_table(x, np.exp(-(x**2) / 4) / (2 * np.pi) ** 0.25, orders)


def hermite_polynomials(points: ArrayLike, orders: int) -> NDArray[np.float64]:
    """h_s(x) for s < orders, shape (orders, points), normalized: E h_s(u)² = 1 of a standard normal u.

    >>> hermite_polynomials([2.0], 3).ravel().round(6).tolist()
    [1.0, 2.0, 2.12132]
    """
    x = np.asarray(points, dtype=np.float64)
    return _hermite_table(x, np.ones_like(x), orders)


def _hermite_table(x: NDArray[np.float64], first: NDArray[np.float64], orders: int) -> NDArray[np.float64]:
    table = np.empty((orders, *x.shape))
    table[0], before = first, np.zeros_like(first)
    for s in range(orders - 1):
        table[s + 1] = hermite_step(x, s, before, table[s])
        before = table[s]
    return table


def hermite_step(points: Any, s: Any, before: Any, row: Any) -> Any:
    """h_{s+1} at points from before = h_{s−1} and row = h_s (times any one weight); NumPy or JAX, 0 before h_0."""
    return (points * row - s**0.5 * before) / (s + 1) ** 0.5


def hermite_rule(orders: int, step: float, reach: float = 12.0) -> HermiteRule:
    """The rule on the grid of spacing `step` that covers [−reach, reach].

    At reach 12 what is cut off is below e^{−36} of the integrand's bound for every order.

    >>> rule = hermite_rule(orders=3, step=0.5)
    >>> bool(abs(rule.weights @ rule.nodes**2 - [1.0, 0.0, 2**0.5]).max() < 1e-12)
    True
    """
    half = int(np.ceil(reach / step))
    nodes = step * np.arange(-half, half + 1, dtype=np.float64)
    table = hermite_functions(nodes, orders)
    return HermiteRule(nodes, step * table[0] * table)


def hermite_averages(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]], orders: int, step: float
) -> NDArray[np.float64]:
    """E[h_s(u) function(u)] for s < orders by the rule of that step, one order at a time: memory of one row only."""
    nodes = hermite_rule(1, step).nodes
    before, row = np.zeros_like(nodes), hermite_functions(nodes, 1)[0]
    weighted = step * row * function(nodes)
    averages = np.empty(orders)
    for s in range(orders):
        averages[s] = row @ weighted
        before, row = row, hermite_step(nodes, s, before, row)
    return averages


class LegendrePanels(NamedTuple):
    """Gauss–Legendre quadrature on panels: nodes and weights, (panels·count,), the weights of dx."""

    nodes: NDArray[np.float64]
    weights: NDArray[np.float64]


def legendre_panels(edges: ArrayLike, count: int) -> LegendrePanels:
    """`count` nodes on each panel between increasing edges (..., panels + 1); a panel may be empty."""
    x, w = np.polynomial.legendre.leggauss(count)
    half, middle = np.diff(edges) / 2, (np.asarray(edges)[..., 1:] + np.asarray(edges)[..., :-1]) / 2
    nodes = middle[..., None] + half[..., None] * x
    shape = (*nodes.shape[:-2], -1)
    return LegendrePanels(nodes.reshape(shape), (half[..., None] * w).reshape(shape))


def log_share(part: float, rest: float) -> float:
    """log(part/(part + rest)) of two positive numbers, from whichever is the smaller: neither end cancels."""
    if part < rest:
        return math.log(part / (part + rest)) if part > 0 else -math.inf
    return math.log1p(-rest / (part + rest))


def decay_integral(x: Numbers) -> Numbers:
    """(1 − e^{−x})/x, equal to 1 at x = 0 and accurate near it; x real or complex, e^{−∞} = 0.

    >>> [float(v) for v in decay_integral(np.array([0.0, 1e-9]))]
    [1.0, 0.9999999995]
    """
    xp = namespace(x)
    small = abs(x) < 1e-5
    safe = xp.where(small, 1.0, x)
    return xp.where(small, 1 - x / 2 + x**2 / 6, -xp.expm1(-safe) / safe)


def log_grid(lower: float, upper: float, per_decade: int) -> NDArray[np.float64]:
    """A logarithmic grid from lower to upper, both included, with at least `per_decade` points per decade."""
    points = int(np.ceil(per_decade * np.log10(upper / lower))) + 1
    return np.geomspace(lower, upper, max(points, 2))


def first_crossing(
    curve: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    grid: NDArray[np.float64],
    *,
    zooms: int = 3,
    points: int = 32,
) -> float | None:
    """First x on a positive increasing grid where `curve` is ≥ 0, refined in log x; None where it never is.

    The left end where it is ≥ 0 there already: a caller for whom that is no crossing asks before. curve maps (points,)
    to (points,). Each zoom refines the bracket `points` times; the last step is linear in log x.
    """
    for level in range(zooms + 1):
        values = np.asarray(curve(grid))
        above = np.flatnonzero(values >= 0)
        if above.size == 0:
            return None
        k = int(above[0])
        if k == 0:
            return float(grid[0])
        if level == zooms:
            left, right = values[k - 1], values[k]
            share = -left / (right - left)
            return float(grid[k - 1] * (grid[k] / grid[k - 1]) ** share)
        grid = np.geomspace(grid[k - 1], grid[k], points)
    return None


def zero_between(function: Callable[[float], float], lower: float, upper: float, *, within: float = 2e-12) -> float:
    """Where a continuous function is 0 between two points at which its signs differ (Chandrupatla 1997).

    Inverse quadratic interpolation where that is safe, else halving; within the accuracy that `scipy.optimize` has by
    default, which is slow to load.

    Args:
        function: Of one number.
        lower: Where its sign is one,
        upper: and the other.
        within: Absolute accuracy of the point, beside that of float64.

    Returns:
        The point.

    Raises:
        ValueError: Where the signs are the same.

    >>> round(zero_between(lambda x: x**3 - 2, 0.0, 2.0), 12) == round(2 ** (1 / 3), 12)
    True
    """
    a, b, c = upper, lower, upper
    fa, fb = function(a), function(b)
    fc = fa
    if fa == 0 or fb == 0:
        return a if fa == 0 else b
    if not fa * fb < 0:
        raise ValueError(f"the function has one sign at both ends, {fb:g} at {lower:g} and {fa:g} at {upper:g}")
    share = 0.5
    while True:
        x = a + share * (b - a)
        fx = function(x)
        if (fx > 0) == (fa > 0):
            c, fc = a, fa
        else:
            c, b, fc, fb = b, a, fb, fa
        a, fa = x, fx
        best, least = (a, fa) if abs(fa) < abs(fb) else (b, fb)
        near = (2 * np.finfo(float).eps * abs(best) + within / 2) / abs(b - c)
        if near > 0.5 or least == 0:
            return best
        xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
        share = 0.5
        if phi**2 < xi and (1 - phi) ** 2 < 1 - xi:
            share = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
        share = min(max(share, near), 1 - near)


def standard_normal(key: Array, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """`jax.random.normal`, to the bit, also where float64 cannot be made of bits (`precision.emulates_float64`)."""
    if jnp.dtype(dtype) != jnp.float64 or not emulates_float64():
        return jax.random.normal(key, shape, dtype)
    low = np.nextafter(-1.0, 0.0)  # of the uniform numbers, 52 bits each
    share = (jax.random.bits(key, shape, "uint64") >> np.uint64(12)).astype(dtype) * 2.0**-52
    return math.sqrt(2) * jax.lax.erf_inv(jnp.maximum(share * (1 - low) + low, low))


def minimum_value(
    curve: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    grid: NDArray[np.float64],
    *,
    zooms: int = 2,
    points: int = 32,
) -> tuple[float, float]:
    """(x, value) at the lowest point of `curve` over a positive increasing grid, refined around it in log x."""
    for level in range(zooms + 1):
        values = np.asarray(curve(grid))
        k = int(np.argmin(values))
        if level == zooms:
            return float(grid[k]), float(values[k])
        grid = np.geomspace(grid[max(k - 1, 0)], grid[min(k + 1, grid.size - 1)], points)
    raise AssertionError("unreachable: the last zoom returns")
