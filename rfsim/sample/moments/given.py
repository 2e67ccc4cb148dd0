"""The second moment of features' means given y, exact (equations.md §13).

Two draws of x_t with one y have pre-activations of covariance C^y = M_yM_yᵀ, so that
    E_y E[φ|y]E[φ|y]ᵀ = Σ_s (C^y_ij/(T_iT_j))^s a_s(i)a_s(j), the diagonal too,
a_s(i) = E h_s(u) σ(T_i u) at the deviation T_i of all that the feature sees. Every order is positive semi-definite, and
what those from S on add is at most its trace, Σ_i (C^y_ii/T_i²)^S (E σ² − Σ_{s<S} a_s(i)²).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers
from rfsim.computing.precision import Unresolved, require_float64
from rfsim.problem.activations import Activation
from rfsim.problem.conditions import Seen
from rfsim.sample.moments.planning import MAX_CLOSED_ORDERS, MAX_ORDERS, choose_rule, geometry_of, run_pilot
from rfsim.sample.moments.sharded import assembler

FIRST = 8  # orders that are tried before more


class MeanSecond(NamedTuple):
    """The moment and what is known of its error, as `averages.Moments` has it.

    Attributes:
        second: E_y E[φ|y]E[φ|y]ᵀ, (features, features).
        orders: Hermite orders summed.
        error_bound: On the spectral norm of what was left out.
    """

    second: Numbers
    orders: int
    error_bound: float


def mean_second(seen: Seen, means: NDArray[np.float64], sigma: Activation, *, target: float) -> MeanSecond:
    """E_y E[φ|y]E[φ|y]ᵀ over a Gaussian population and its inputs (§13).

    Args:
        seen: What the features see, one Gaussian of mean 0.
        means: M_y, (features, d_y).
        sigma: The activation, centered.
        target: Of the error in the spectral norm.

    Returns:
        The moment.

    Raises:
        ValueError: Where more orders are needed than a noise average may take.
        RuntimeError: In float32.
    """
    require_float64()
    geometry = geometry_of(seen.weights, seen.law)
    directions = means / geometry.deviation[:, None]
    along = (directions**2).sum(axis=1)
    most = MAX_CLOSED_ORDERS if sigma.closed and sigma.closed.orders else MAX_ORDERS
    pilot, work = run_pilot(seen.weights, seen.law, geometry, sigma, most), assembler(None, len(means))
    orders = FIRST if sigma.degrees is None else max(sigma.degrees) + 1
    w = work.pad(seen.weights / math.sqrt(seen.weights.shape[1]))
    while True:
        rule = choose_rule(pilot, sigma, orders)
        window, spread = rule.window(0, orders), work.pad(geometry.deviation)
        g, sums = work.coefficients(w, spread, seen.law.centers, window, sigma.offset, rule)
        square, energy, _ = work.values(sums)
        left = np.maximum(square - energy, 4 * np.finfo(float).eps * square)
        bound = float(along**orders @ left) if sigma.degrees is None else 0.0
        if bound <= target:
            break
        if orders >= most:
            raise Unresolved(
                f"features' means given a condition need more than {most} Hermite orders: the error bound reached is "
                f"{bound:.1e}, asked is {target:.1e}",
                "use fewer features or a larger {ridge}",
            )
        orders = min(2 * orders, most)
    second = work.add_orders(work.zero(), g, work.pad(directions), 1.0, 0, orders)
    return MeanSecond(work.finish(second), orders, bound)
