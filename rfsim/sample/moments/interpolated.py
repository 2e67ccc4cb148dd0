"""g_s(i,ν) and E σ² of all features and centers by interpolation from a rule at a few (η, T) (equations.md T3).

An average over Gaussian noise of deviation T is an entire function of η whatever σ is, and smooth in T > 0. The
coefficients of its Chebyshev series on |η| ≤ L, T_min ≤ T ≤ T_max fall off faster than any power, those of η beyond
degree L/T. A rule is therefore needed at some thousand pairs (η, T) and not at features × centers of them; polynomials
of η and their product with the coefficients give the rest.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.blas import in_threads
from rfsim.computing.numerics import chebyshev_points, chebyshev_polynomials
from rfsim.problem.activations import Activation
from rfsim.sample.moments.planning import PANEL_NODES, Pilot, accepted, disagreement
from rfsim.sample.moments.rules import ClosedRule, HostRule, Kernel, Rule, without_grid

SETTLED = 1e-15  # of √E σ² and of E σ²: below, coefficients are rounding
POINTS, SPREADS = 256, 32  # of η and of T, where the coefficients are looked at
FEWER = 16  # features × centers for each of these, from where interpolation is tried
STEP = 8  # of the degrees of T_qa
ROWS = 8  # features at once: their polynomials stay in the cache
BLOCK = 32  # features whose pre-activations are held at once


class Interpolated(NamedTuple):
    """A rule at Chebyshev points of |η| ≤ `reach` and of deviations T between two `ends`; of NumPy's arrays alone."""

    rule: Rule
    offset: float
    reach: float
    ends: tuple[float, float]
    points: int
    spreads: int

    @property
    def host(self) -> Kernel:
        """As `rules.HostRule` has it; the offset is that of the window."""
        return self._values

    @property
    def doubles(self) -> int:
        """As `rules.HostRule` has it."""
        return self.points

    def window(self, first: int, orders: int) -> tuple[Any, ...]:
        """As `rules.HostRule` has it: orders that are there, and `series` by products."""
        return np.ones(orders), in_products(self.series(first, orders))

    def series(self, first: int, orders: int) -> NDArray[np.float64]:
        """Chebyshev coefficients of g_s from `first` on and last of E σ², (orders + 1, spreads, points)."""
        eta, of_eta = chebyshev_points(self.points)
        spread, of_spread = chebyshev_points(self.spreads)
        middle, half = self._ends
        at = np.broadcast_to(self.reach * eta, (self.spreads, self.points))
        g, square = self.rule.host(at, middle + half * spread, self.rule.window(first, orders), self.offset)
        return of_spread.T @ np.concatenate([g, square[None]]) @ of_eta

    @property
    def _ends(self) -> tuple[float, float]:
        low, high = self.ends
        return (low + high) / 2, (high - low) / 2

    def _values(
        self, eta: NDArray[np.float64], deviation: NDArray[np.float64], window: Any, offset: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        _, series = window
        middle, half = self._ends
        spread = chebyshev_polynomials((deviation - middle) / (half or 1.0), self.spreads)
        each = np.einsum("ji,sjk->isk", spread, series, optimize=True)
        near, far = factors(eta / self.reach, self.points)
        # memory that is there already: new pages take as long as the products that fill them
        rows, found = min(ROWS, len(eta)), np.empty((len(series), *eta.shape))
        at = np.empty((rows, len(far), STEP, eta.shape[1]))
        for lo in range(0, len(eta), rows):
            here = slice(lo, min(lo + rows, len(eta)))
            values = at[: here.stop - lo]
            np.multiply(by_rows(far[:, here])[:, :, None], by_rows(near[:, here])[:, None], out=values)
            values = values.reshape(len(values), self.points, -1)
            np.matmul(each[here], values, out=by_rows(found[:, here]))
        return found[:-1], found[-1]


def factors(x: NDArray[np.float64], count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """T_b(x) for b < q = `STEP`, (q, …), and T_(qa)(x), (count/q, …), at points of any shape.

    Their products span the same polynomials as T_k with k = qa + b < count, where a recurrence takes two passes for
    each.
    """
    near = chebyshev_polynomials(x, STEP + 1)
    return near[:STEP], chebyshev_polynomials(near[STEP], count // STEP)  # T_qa = T_a(T_q)


def by_rows(array: NDArray[np.float64]) -> NDArray[np.float64]:
    """(kinds, rows, columns) as (rows, kinds, columns)."""
    return np.moveaxis(array, 0, 1)


def in_products(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coefficients of T_k, (…, count), as those of the products of `factors`: 2 T_qa T_b = T_(qa+b) + T_(qa−b)."""
    found = series.reshape(*series.shape[:-1], -1, STEP).copy()
    for a in range(found.shape[-2] - 1, 0, -1):
        found[..., a, 1:] *= 2
        found[..., a - 1, 1:] -= found[..., a, :0:-1] / 2
    return found.reshape(series.shape)


def interpolated(
    rule: Rule,
    pilot: Pilot,
    weights: NDArray[np.float64],
    centers: NDArray[np.float64],
    deviation: NDArray[np.float64],
    sigma: Activation,
    orders: int,
) -> HostRule:
    """The rule by interpolation, where that is less work and agrees with the finest one on the probes, or as it is.

    Args:
        rule: As it was chosen.
        pilot: What it was chosen by.
        weights: W, (features, dim).
        centers: Of the law, (centers, dim).
        deviation: T, (features,).
        sigma: The activation.
        orders: That the rule was chosen for.

    Returns:
        One or the other.
    """
    points = min(POINTS, 2 * rule.doubles) // STEP * STEP
    if isinstance(rule, ClosedRule) or FEWER * SPREADS * points > len(weights) * len(centers):
        return rule
    reach = _reach(weights, centers)
    # panels that are few enough for the pairs that are there may be too few for T_min beside the largest |η|
    base = without_grid(sigma, PANEL_NODES[-1]) or rule
    fine = Interpolated(base, sigma.offset, reach, (deviation.min(), deviation.max()), points, SPREADS)
    series = np.abs(fine.series(0, orders))
    scale = max(float(pilot.square.max()), 1.0)
    left = np.maximum(series[:-1].max(axis=0) / math.sqrt(scale), series[-1] / scale) > SETTLED
    spreads, points = (int(np.flatnonzero(left.any(axis=k))[-1]) + 2 for k in (1, 0))
    if spreads > fine.spreads or points > fine.points:
        return rule
    found = fine._replace(points=-(-points // STEP) * STEP, spreads=spreads)
    g, square = found.host(pilot.eta[:, : pilot.drawn], pilot.deviation, found.window(0, orders), sigma.offset)
    return found if disagreement(pilot, np.moveaxis(g, 0, -1), square) < accepted(sigma) else rule


def _reach(weights: NDArray[np.float64], centers: NDArray[np.float64]) -> float:
    """The largest |η|; 1 where all are 0."""

    def largest(lo: int) -> float:
        return float(np.abs(weights[lo : lo + BLOCK] @ centers.T).max())

    return max(in_threads(largest, range(0, len(weights), BLOCK))) / math.sqrt(weights.shape[1]) or 1.0
