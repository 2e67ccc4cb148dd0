"""The lines of the (ψ_n, ψ_p) plane: p = n, p = n m, and n*(p), above which training fully costs nothing."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.numerics import minimum_value, zero_between
from rfsim.computing.precision import in_complex128
from rfsim.learning.filters import learning_rate_constant
from rfsim.learning.timescales import time_grid
from rfsim.limit.dynamics import limit_curves
from rfsim.limit.limits import Limit, limit
from rfsim.limit.minimizer import ridge_losses
from rfsim.limit.solver import NotConverged
from rfsim.limit.tables import eigenvalue_bounds
from rfsim.problem.model import Problem

WITHIN = 0.01
LARGEST, SMALLEST, STEP = 1e5, 1e-3, 4.0  # of ψ_n over max(ψ_p, 1), and from one look to the next
ACCURACY, CURVE_ACCURACY = 1e-4, 1e-7  # of n*, relative; of the curves


class PlaneLines(NamedTuple):
    """The lines of the (ψ_n, ψ_p) plane at one ψ_p, as values of samples_per_dim (§9).

    Attributes:
        samples: Where p = n.
        copies: Where p = n m; None at m = ∞.
        n_star: n*(p); None where there is none.
    """

    samples: float
    copies: float | None
    n_star: float | None


@in_complex128
def plane_lines(problem: Problem) -> PlaneLines:
    """Where the lines p = n, p = n m and n*(p) cross a problem's features_per_dim (§9; U26, B25 Fig. 1).

    Args:
        problem: What is asked; its samples_per_dim is ignored.

    Returns:
        The three values of samples_per_dim.

    Raises:
        ValueError: As `limit_curves`.
        NotConverged: As `limit_curves`.
    """
    psi_p, m = float(problem.features_per_dim), problem.noise_copies
    return PlaneLines(psi_p, None if math.isinf(m) else psi_p / m, n_star(problem))


@in_complex128
def n_star(problem: Problem) -> float | None:
    """The ψ_n above which early stopping gains nothing ([ours]; T14).

    L_test at τ = ∞ is within 1% of its lowest over all τ there, so that this is the border of what B25 (Fig. 1) call
    architectural regularization. Accurate to 0.1%.

    Args:
        problem: What is asked; its samples_per_dim is ignored, its ridge kept.

    Returns:
        n*(p) as a value of samples_per_dim; None where early stopping gains more than 1% up to ψ_n = 10⁵ max(ψ_p, 1),
        or nowhere down to 10⁻³ of it.

    Raises:
        ValueError: As `limit_curves`.
        NotConverged: As `limit_curves`.
    """
    return enough_samples(limit(problem), float(problem.ridge))


@in_complex128
def enough_samples(base: Limit, ridge: float = 0.0) -> float | None:
    """`n_star` of a limit, whatever data it is of ([ours]; T14).

    Args:
        base: What the equations depend on; its samples_per_dim is ignored.
        ridge: γ, in units of the eigenvalues of U.

    Returns:
        n*(p) as a value of samples_per_dim, or None.

    Raises:
        ValueError: As `limit_curves`.
        NotConverged: As `limit_curves`.
    """

    def left(log: float) -> float:
        return math.log(early_stopping_gain(base._replace(samples_per_dim=math.exp(log)), ridge) / WITHIN)

    scale = max(base.features_per_dim, 1.0)
    grid = np.arange(math.log(LARGEST * scale), math.log(SMALLEST * scale), -math.log(STEP))
    for above, below in itertools.pairwise(grid):
        if left(above) > 0:
            return None
        if left(below) > 0:
            return math.exp(zero_between(left, below, above, within=ACCURACY))
    return None


def early_stopping_gain(limit: Limit, ridge: float = 0.0) -> float:
    """L_test at τ = ∞ over its minimum over τ, less 1 ([ours]; T12, T14).

    Args:
        limit: What the equations depend on.
        ridge: γ, in units of the eigenvalues of U.

    Returns:
        The gain; at least the accuracy of the curves, 1e-7.

    Raises:
        ValueError: As `limit_curves`.
        NotConverged: As `limit_curves`.
        RuntimeError: In float32.
    """
    kappa = learning_rate_constant(limit.noise, limit.features_per_dim)

    def test(tau: NDArray[np.float64]) -> NDArray[np.float64]:
        return limit_curves(limit, tau, ridge, tolerance=CURVE_ACCURACY).curves.test

    bounds = np.array(eigenvalue_bounds(limit, ridge)) + ridge
    lowest = minimum_value(test, time_grid(bounds, kappa))[1]
    final = ridge_losses(limit, ridge)
    if np.isnan(final.test[0]):
        raise NotConverged(f"L_test at τ = ∞ was not found; the equations are left with {final.residual[0]:.1e}")
    return max(float(final.test[0]) / lowest - 1, CURVE_ACCURACY)
