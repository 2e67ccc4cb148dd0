"""The filter of plain descent whose rate goes by a schedule (equations.md §3): a product over the steps."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.computing.arrays import Numbers
from rfsim.learning.filters import Filter


def scheduled_descent(
    steps: ArrayLike, step: float, shares: NDArray[np.float64], decay: float = 0.0, ridge: float = 0.0
) -> Filter:
    """Descent from zero by steps of different sizes, and its moving average (§3).

    f_k = (1 − c s_k(λ+γ)) f_{k−1} + c s_k, so that 1 − (λ+γ) f_k = Π_j (1 − c s_j(λ+γ)); a_k = E a_{k−1} + (1 − E) f_k.
    `filters.averaged_descent` where all shares are 1.

    Args:
        steps: k (steps,), whole numbers that rise, at most as many as shares.
        step: c of a share of 1, from `filters.descent_step`.
        shares: s of the rate at each step, (steps,).
        decay: E in [0, 1], per step.
        ridge: γ ≥ 0, in units of the eigenvalues of U.

    Returns:
        The filter, from real eigenvalues (points,) to values (steps, points).

    >>> scheduled_descent([0, 2], 0.5, np.array([1.0, 0.5]))(np.array([1.0])).ravel().tolist()
    [0.0, 0.625]
    """
    stops = np.asarray(steps, dtype=int)

    def f(lam: Numbers) -> Numbers:
        u = np.asarray(lam, dtype=float) + ridge
        now, average = np.zeros_like(u), np.zeros_like(u)
        found, done = np.empty((len(stops), *u.shape)), 0
        for row, stop in enumerate(stops):
            for share in shares[done:stop]:
                size = step * share
                now = now + size * (1 - u * now)
                average = decay * average + (1 - decay) * now
            done = stop
            found[row] = average
        return found

    return f
