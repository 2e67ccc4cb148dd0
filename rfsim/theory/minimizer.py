"""Losses of the ridge minimizer in the limit, any m and any Σ (equations.md T12; U26 §2.2)."""

from __future__ import annotations

from typing import NamedTuple

import jax
import numpy as np
from jax.typing import ArrayLike
from numpy.typing import NDArray

from rfsim.theory import functions
from rfsim.theory.equations import State, differences
from rfsim.theory.limits import Limit
from rfsim.theory.solver import solve_above


class RidgeLosses(NamedTuple):
    """Losses per dimension at each ridge, with weight Δ: the zero score has loss 1; each (ridges,).

    train: L_train itself; train_penalized: with the penalty (Δγ/d)‖Ā‖² (U26's "L_train"); test: L_test; emp: L_emp,
    the training samples with fresh noise; cross: (1/d) Tr Vᵀ(U+γ)^{−1}Ṽ, from which bias² follows; residual: of the
    equations, relative.
    """

    train: NDArray[np.float64]
    train_penalized: NDArray[np.float64]
    test: NDArray[np.float64]
    emp: NDArray[np.float64]
    cross: NDArray[np.float64]
    residual: NDArray[np.float64]


def ridge_losses(limit: Limit, ridges: ArrayLike) -> RidgeLosses:
    """The losses at `ridges` (ridges,): γ > 0, or γ ≥ 0 where noise is averaged exactly.

    Raises ValueError for other ridges, NotConverged, RuntimeError in float32.
    """
    gamma = np.atleast_1d(np.asarray(ridges, dtype=float))
    offset = gamma + float(limit.floor)
    if not np.all(offset > 0) or np.any(gamma < 0) or not np.all(np.isfinite(gamma)):
        raise ValueError(
            f"a ridge must be finite and positive (or 0 at noise_copies inf); got {gamma.min():g} at noise_copies "
            f"{limit.noise_copies:g}"
        )
    found = solve_above(limit, -offset)
    real = jax.tree.map(np.real, found.state)
    values = (np.asarray(value) for value in _losses(limit, gamma, real))
    return RidgeLosses(*values, residual=np.asarray(found.residual))


@jax.jit
def _losses(limit: Limit, gamma: jax.Array, x: State) -> tuple[jax.Array, ...]:
    system = differences(limit, x, x)
    own, cross = functions.own_transform(limit, x), functions.cross_transform(limit, x)
    slope = functions.own_slope(limit, x, x, system)
    zero = 1 - 2 * cross
    return (
        1 - own - gamma * slope,
        1 - own,
        zero + functions.overlap_transform(limit, x, x, system),
        zero + functions.fresh_noise_overlap(limit, x, system),
        cross,
    )
