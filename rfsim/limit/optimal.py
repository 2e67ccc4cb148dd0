"""The optimal ridge of the limit: the γ ≥ 0 at which L_test is lowest (equations.md T12)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.numerics import log_grid, minimum_value
from rfsim.computing.precision import in_complex128
from rfsim.limit.intervals import support
from rfsim.limit.limits import Limit
from rfsim.limit.minimizer import ridge_losses

LOWEST, HIGHEST = 1e-3, 1e2  # of the grid, in units of the smallest eigenvalue and of `_largest_minimum`
AT_ZERO = 1e-14  # the grid's start in units of the largest eigenvalue, where they reach 0 and no small ridge is best
PER_DECADE, POINTS, ZOOMS = 8, 128, 2  # L_test moves on the scale of its eigenvalues, by a factor e or more
ROUNDING = 1e-9  # relative: an L_test within it is not better


class BestRidge(NamedTuple):
    """The ridge at which L_test is lowest (T12).

    Attributes:
        ridge: γ; 0 where no positive ridge is better, inf where the zero score is best.
        test: L_test there.
    """

    ridge: float
    test: float


@in_complex128
def best_ridge(limit: Limit) -> BestRidge:
    """The lowest L_test over all ridges γ ≥ 0 (T12).

    Each minimum on a logarithmic grid is refined, 0 and inf are compared with it. Ridges at which the equations do not
    converge are left out.

    Args:
        limit: What the equations depend on.

    Returns:
        The ridge and L_test there.

    Raises:
        NotConverged: Where the spectrum's edges are not found.
    """

    def test(gamma: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.nan_to_num(ridge_losses(limit, gamma).test, nan=np.inf)

    if limit.gain == 0:
        return BestRidge(math.inf, 1.0)
    smallest = support(limit)[0].lower
    start = LOWEST * smallest if smallest > 0 else AT_ZERO * float(limit.ceiling)
    grid = log_grid(start, HIGHEST * _largest_minimum(limit), PER_DECADE)
    values = test(grid)
    found = [BestRidge(math.inf, 1.0)]
    if smallest > 0:
        found.append(BestRidge(0.0, float(test(np.zeros(1))[0])))
    for k in np.flatnonzero((values[1:-1] < values[:-2]) & (values[1:-1] <= values[2:])):
        near = np.geomspace(grid[k], grid[k + 2], POINTS)
        found.append(BestRidge(*minimum_value(test, near, zooms=ZOOMS, points=POINTS)))
    best = min(one.test for one in found)
    return next(one for one in found if one.test <= best * (1 + ROUNDING))


def _largest_minimum(limit: Limit) -> float:
    """A bound on where L_test = 1 − 2 Tr VᵀṼ/(γd) + Tr VᵀŨV/(γ²d) is lowest at large γ: λ_max Tr VᵀV/Tr VᵀṼ.

    At finite m the noise of V can make it much larger than λ_max.
    """
    power = float(limit.gain * (limit.signal * (limit.weights @ limit.values) + limit.noise) + limit.v2 + limit.s2)
    excess = limit.copies_inverse * power / (limit.samples_per_dim * limit.gain * limit.noise)
    return float(limit.ceiling) * (1 + excess)
