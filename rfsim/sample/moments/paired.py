"""Moments of one point at two noise levels with the same noise (equations.md M2).

x_t = e^{−t}x + √Δ_t ξ at a lower and an upper diffusion time with one ξ, each seen by σ centered at its own time:
    C_ij = Σ_s c_ij^s (1/n) Σ_ν g_s^lower(i,ν) g_s^upper(j,ν) off the diagonal, its diagonal by quadrature,
with the g_s of (T3). C is not symmetric: rows belong to the lower level.
"""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers
from rfsim.computing.numerics import hermite_rule
from rfsim.computing.precision import Unresolved, require_float64
from rfsim.problem.activations import Activation
from rfsim.problem.laws import Law
from rfsim.sample.moments.assembly import Whole, add_pairs, finish
from rfsim.sample.moments.planning import (
    MAX_CLOSED_ORDERS,
    MAX_ORDERS,
    Geometry,
    Pilot,
    choose_orders,
    choose_rule,
    geometry_of,
    run_pilot,
    truncation_bound,
)

AT_ONCE = 2**22  # features × centers × nodes of the diagonal


class Level(NamedTuple):
    """One of the two levels: the points' law there, (centers, dim), and σ centered at its diffusion time."""

    law: Law
    sigma: Activation


def mean_features(weights: NDArray[np.float64], clean: NDArray[np.float64], at: Level) -> NDArray[np.float64]:
    """E xφ(x_t)ᵀ = X g_0ᵀ/n of clean points and the features of their noisy copies, (dim, features) (T3)."""
    work, geometry = Whole(len(weights)), geometry_of(weights, at.law)
    rule = choose_rule(run_pilot(weights, at.law, geometry, at.sigma, MAX_ORDERS), at.sigma, 2)
    w, deviation = work.pad(weights / math.sqrt(weights.shape[1])), work.pad(geometry.deviation)
    window, found = rule.window(0, 2), 0.0
    rows = work.chunk_rows(window[0].shape[0], rule.doubles)
    for lo in range(0, len(clean), rows):
        g, _ = work.coefficients(w, deviation, at.law.centers[lo : lo + rows], window, at.sigma.offset, rule)
        found = found + clean[lo : lo + rows].T @ np.asarray(g[0]).T[:, : len(weights)]
    return np.asarray(found) / len(clean)


def paired_second(weights: NDArray[np.float64], lower: Level, upper: Level, *, target: float) -> Numbers:
    """C = E φ(x_lower)φ(x_upper)ᵀ over points and their common noise, (features, features) (M2).

    Args:
        weights: W, (features, dim).
        lower: The lower level; its law has the upper one's centers but for their scale.
        upper: The upper level.
        target: Of the error of C in the spectral norm.

    Returns:
        C, rows of the lower level.

    Raises:
        ValueError: For σ with kinks, or where the series needs too many orders.
        RuntimeError: In float32.
    """
    require_float64()
    sigma, both = upper.sigma, (lower, upper)
    if sigma.kinks:
        raise ValueError(f"moments of two levels need σ without kinks; got {sigma.name!r}")
    most = MAX_CLOSED_ORDERS if sigma.closed and sigma.closed.orders else MAX_ORDERS
    geometries = [geometry_of(weights, one.law) for one in both]
    pilots = [run_pilot(weights, one.law, at, one.sigma, most) for one, at in zip(both, geometries, strict=True)]
    # a polynomial's series ends
    ends = None if sigma.degrees is None else max(sigma.degrees) + 1
    tail = np.maximum(*(pilot.tail.mean(0) for pilot in pilots))[None]
    orders = choose_orders(geometries[1], tail, target)[0] if ends is None else ends
    while True:
        total, left = _summed(weights, both, geometries, pilots, orders)
        # |error_ij| ≤ |c_ij|^orders √(r_i r_j), r the energy left out at either level (Cauchy–Schwarz)
        bound = truncation_bound(Whole(len(weights)), geometries[1], left, orders) if ends is None else 0.0
        if bound <= target:
            return finish(total, _diagonal(weights, lower, upper, geometries))
        if orders >= most:
            raise Unresolved(
                f"moments of two levels need more than {most} Hermite orders at dim = {weights.shape[1]}: the error "
                f"bound reached is {bound:.1e}, asked is {target:.1e}",
                "use a larger dim, fewer features or a larger {ridge}",
            )
        orders = min(orders + max(2, orders // 4), most)


def _summed(
    weights: NDArray[np.float64],
    both: tuple[Level, Level],
    geometries: list[Geometry],
    pilots: list[Pilot],
    orders: int,
) -> tuple[Array, NDArray[np.float64]]:
    """The series, padded, and the larger of the energies E σ² − Σ_s E g_s² left out at the two levels, (features,)."""
    work, n = Whole(len(weights)), len(both[0].law.centers)
    w, directions = work.pad(weights / math.sqrt(weights.shape[1])), work.pad(geometries[1].directions)
    rules = [choose_rule(pilot, one.sigma, orders) for pilot, one in zip(pilots, both, strict=True)]
    windows = [rule.window(0, orders) for rule in rules]
    total, square, energy = work.zero(), *np.zeros((2, 2, len(weights)))
    held = sum(len(window[0]) for window in windows)
    rows = work.chunk_rows(held, max(rule.doubles for rule in rules))
    for lo in range(0, n, rows):
        tables = []
        for k, (one, rule) in enumerate(zip(both, rules, strict=True)):
            centers, spread = one.law.centers[lo : lo + rows], work.pad(geometries[k].deviation)
            g, sums = work.coefficients(w, spread, centers, windows[k], one.sigma.offset, rule)
            square[k], energy[k] = (square[k], energy[k]) + work.values(sums)[:2] / n
            tables.append(g)
        total = add_pairs(total, *tables, directions, 1 / n, orders)
    return total, np.maximum(square - energy, 4 * np.finfo(float).eps * square).max(axis=0)


def _diagonal(
    weights: NDArray[np.float64], lower: Level, upper: Level, geometries: list[Geometry]
) -> NDArray[np.float64]:
    """E σ(η_lower + T_lower u)σ(η_upper + T_upper u) over u and the centers, (features,), by a trapezoid rule.

    Its step h leaves e^{−π²/(hT)} < 1e-17 of a σ whose nearest pole is tanh's, at iπ/2.
    """
    spreads = [one.deviation for one in geometries]
    rule = hermite_rule(1, min(0.5, 0.25 / float(np.max(spreads))))
    w, n = weights / math.sqrt(weights.shape[1]), len(upper.law.centers)
    chunk = min(max(AT_ONCE // (rule.nodes.size * len(w)), 1), n)
    found = np.zeros(len(w))
    for lo in range(0, n, chunk):
        few = min(chunk, n - lo)
        etas = [np.pad(w @ one.law.centers[lo : lo + few].T, ((0, 0), (0, chunk - few))) for one in (lower, upper)]
        kept = (np.arange(chunk) < few) / n
        offsets = lower.sigma.offset, upper.sigma.offset
        found += _products(*etas, *spreads, *offsets, kept, *rule, function=upper.sigma.function)
    return found


@partial(jax.jit, static_argnames=("function",))
def _products(eta_lower, eta_upper, t_lower, t_upper, offset_lower, offset_upper, kept, nodes, heights, *, function):
    lower, upper = (
        function(eta[..., None] + t[:, None, None] * nodes) - offset
        for eta, t, offset in ((eta_lower, t_lower, offset_lower), (eta_upper, t_upper, offset_upper))
    )
    return jnp.einsum("icu,icu,u,c->i", lower, upper, heights[0], kept)
