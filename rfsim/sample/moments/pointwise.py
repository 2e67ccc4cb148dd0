"""What the noise of single points averages of a read-out: E M φ(x_ν), E ξ·M φ(x_ν), E‖M φ(x_ν)‖² (equations.md T3).

Moments of U average over points too; of one point alone they are quadratic forms in its Hermite coefficients g_s(·, ν),
    E‖Mφ(x_ν)‖² = Σ_s g_sᵀ(MᵀM ∘ c^s)g_s + Σ_i (MᵀM)_ii [E σ_i² − Σ_s g_s(i,ν)²],
whose last term takes the diagonal as it is. What S orders leave out is at most √r ᵀ(|MᵀM| ∘ |c|^S)√r off the diagonal,
r_i the energy E σ_i² − Σ_{s<S} g_s(i,ν)² (Cauchy–Schwarz), which is checked for every point.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.precision import Unresolved, require_float64
from rfsim.problem.activations import Activation
from rfsim.problem.diffusion import diffuse, noise_variance, signal
from rfsim.problem.laws import Law
from rfsim.sample.moments.planning import (
    MAX_CLOSED_ORDERS,
    MAX_ORDERS,
    Geometry,
    choose_orders,
    choose_rule,
    geometry_of,
    run_pilot,
)
from rfsim.sample.moments.rules import Rule

TOLERANCE = 1e-8  # of a loss per dimension
AT_ONCE = 2**25  # doubles of Hermite coefficients
WINDOW = 16  # orders at a time


class PointMoments(NamedTuple):
    """Averages over the noise of each point, (read-outs, points).

    toward: E x·Mφ(x_t), x the clean point; along: E ξ·Mφ(x_t); power: E‖Mφ(x_t)‖².
    """

    toward: NDArray[np.float64]
    along: NDArray[np.float64]
    power: NDArray[np.float64]


def point_moments(
    weights: NDArray[np.float64],
    readouts: NDArray[np.float64],
    clean: NDArray[np.float64],
    diffusion_time: float,
    sigma: Activation,
) -> PointMoments:
    """Averages of read-outs over the noise of single points (T3).

    Args:
        weights: W, (features, dim).
        readouts: M, (count, dim, features).
        clean: The points x, (points, dim).
        diffusion_time: t of x_t = e^{−t}x + √Δ ξ.
        sigma: σ, centered at that time.

    Returns:
        The averages; Δ times the error of a power is below `TOLERANCE` d.

    Raises:
        Unresolved: Where the series needs too many orders, as in few dimensions.
        RuntimeError: In float32.
    """
    require_float64()
    law = diffuse(Law(clean, np.zeros(clean.shape[1])), diffusion_time)
    geometry = geometry_of(weights, law)
    accuracy = TOLERANCE * clean.shape[1] / noise_variance(diffusion_time)
    most = (MAX_CLOSED_ORDERS if sigma.closed and sigma.closed.orders else MAX_ORDERS) // WINDOW * WINDOW
    pilot = run_pilot(weights, law, geometry, sigma, most)
    largest = max(float((one**2).sum()) for one in readouts)
    guess = choose_orders(geometry, pilot.tail, accuracy / max(largest, accuracy))[0]
    last = most if sigma.degrees is None else max(sigma.degrees) + 1  # a polynomial's series ends
    several = (-(-one // WINDOW) * WINDOW for one in (min(guess, last), last))
    for orders in dict.fromkeys(several):
        series = _Series(weights, geometry, choose_rule(pilot, sigma, orders), sigma, orders)
        found = series.averages(readouts, clean, law.centers, accuracy, final=sigma.degrees is not None)
        if found is not None:
            return found
    raise Unresolved(
        f"losses of single points need more than {most} Hermite orders at dim = {weights.shape[1]}",
        "use a larger dim, or fewer features",
    )


def point_losses(
    weights: NDArray[np.float64],
    readouts: NDArray[np.float64],
    clean: NDArray[np.float64],
    diffusion_time: float,
    sigma: Activation,
    along: NDArray[np.float64] | float = 0.0,
    factor: NDArray[np.float64] | float = 1.0,
) -> NDArray[np.float64]:
    """(1/d)E‖√Δ s(x_t) + ξ‖² of single points under the scores s(x) = along·x + factor·Mφ(x), exact in the noise (T1).

    Args:
        weights: W, (features, dim).
        readouts: M, (count, dim, features).
        clean: The points, (points, dim).
        diffusion_time: t.
        sigma: σ, centered at that time.
        along: Of each score, (count,), or one for all.
        factor: Of each score, (count,), or one for all.

    Returns:
        The losses, (count, points).

    Raises:
        Unresolved: As `point_moments`.
    """
    found = point_moments(weights, readouts, clean, diffusion_time, sigma)
    delta, shrink, dim = noise_variance(diffusion_time), signal(diffusion_time), clean.shape[1]
    a, b = (np.broadcast_to(np.asarray(one, dtype=float), (len(readouts),))[:, None] for one in (along, factor))
    # √Δ s + ξ = √Δ a e^{−t}x + (Δa + 1)ξ + √Δ b Mφ
    plain = delta * (a * shrink) ** 2 * (clean**2).sum(axis=1) + (delta * a + 1) ** 2 * dim
    mixed = math.sqrt(delta) * a * shrink * found.toward + (delta * a + 1) * found.along
    return (plain + delta * b**2 * found.power + 2 * math.sqrt(delta) * b * mixed) / dim


class _Series:
    """The Hermite series of one set of features at one diffusion time."""

    def __init__(
        self, weights: NDArray[np.float64], geometry: Geometry, rule: Rule, sigma: Activation, orders: int
    ) -> None:
        self._scaled, self._geometry = weights / math.sqrt(weights.shape[1]), geometry
        self._rule, self._sigma, self._orders = rule, sigma, orders
        self._correlations = geometry.directions @ geometry.directions.T

    def averages(
        self,
        readouts: NDArray[np.float64],
        clean: NDArray[np.float64],
        centers: NDArray[np.float64],
        accuracy: float,
        *,
        final: bool,
    ) -> PointMoments | None:
        """Over all points; None where its orders leave more than the accuracy out, and are not all that there are."""
        found, rows = np.zeros((3, len(readouts), len(clean))), max(AT_ONCE // (self._orders * len(self._scaled)), 1)
        for lo in range(0, len(clean), rows):
            here = slice(lo, lo + rows)
            tables = _Tables(self._scaled @ centers[here].T, self._geometry, self._rule, self._sigma)
            for k, readout in enumerate(readouts):
                found[0, k, here] = (clean[here].T * (readout @ tables.orders(0)[0])).sum(axis=0)
                # E φ_i ξ = g_1(i) D_i
                found[1, k, here] = (readout.T * self._geometry.directions).sum(axis=1) @ tables.orders(0)[1]
                power, left = self._power(readout, tables, accuracy)
                if left > accuracy and not final:
                    return None
                found[2, k, here] = power
        return PointMoments(*found)

    def _power(
        self, readout: NDArray[np.float64], tables: _Tables, accuracy: float
    ) -> tuple[NDArray[np.float64], float]:
        """E‖Mφ‖² of each point, (points,), and a bound on what is left out of the worst of them."""
        terms = readout.T @ readout
        diagonal = np.diagonal(terms).copy()
        left = np.broadcast_to(tables.square, tables.square.shape).copy()  # r
        power, bound = diagonal @ tables.square, math.inf
        np.fill_diagonal(terms, 0.0)  # its own terms are in E σ² already
        for first in range(0, self._orders, WINDOW):
            for g in tables.orders(first):
                power += (g * (terms @ g)).sum(axis=0)
                left -= g**2
                terms *= self._correlations
            root = np.sqrt(np.maximum(left, 0.0))
            bound = float((root * (np.abs(terms) @ root)).sum(axis=0).max())
            if bound <= accuracy:
                break
        return power, bound


class _Tables:
    """Hermite coefficients of some points, a window of orders at a time, and their E σ² (features, points)."""

    def __init__(self, eta: NDArray[np.float64], geometry: Geometry, rule: Rule, sigma: Activation) -> None:
        self._eta, self._geometry, self._rule, self._sigma = eta, geometry, rule, sigma
        self._found: dict[int, NDArray[np.float64]] = {}
        self.orders(0)

    def orders(self, first: int) -> NDArray[np.float64]:
        """g_s for `WINDOW` orders from `first` on, (orders, features, points)."""
        if first not in self._found:
            window = self._rule.window(first, WINDOW)
            g, square = self._rule.host(self._eta, self._geometry.deviation, window, self._sigma.offset)
            self._found[first], self.square = np.asarray(g), np.asarray(square)
        return self._found[first]
