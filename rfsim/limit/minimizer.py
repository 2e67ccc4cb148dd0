"""Losses of the ridge minimizer in the limit, any m and any Σ (equations.md T12; U26 §2.2)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.computing.precision import in_complex128
from rfsim.learning import losses
from rfsim.limit import functions
from rfsim.limit.equations import State, differences
from rfsim.limit.intervals import support
from rfsim.limit.limits import Limit, reaches_zero
from rfsim.limit.solver import attempt_above

# γ = 0 at finite m, where eigenvalues of 0 leave no solution there: a parabola through small multiples of the smallest
# other eigenvalue, on whose scale the losses are analytic
NEAR_ZERO = 1e-4 * np.array([1.0, 2.0, 4.0])
AT_ZERO = np.array([8.0, -6.0, 1.0]) / 3


class RidgeLosses(NamedTuple):
    """Losses of the ridge minimizer in the limit, each (ridges,); the zero score has loss 1 (T12).

    Attributes:
        train: L_train itself.
        train_penalized: With the penalty (Δγ/d)‖Ā‖² (U26's "L_train").
        test: L_test.
        emp: L_emp, of the training samples with fresh noise.
        cross: (1/d) Tr Vᵀ(U+γ)^{−1}Ṽ, from which bias² follows.
        residual: Of the equations, relative.
    """

    train: NDArray[np.float64]
    train_penalized: NDArray[np.float64]
    test: NDArray[np.float64]
    emp: NDArray[np.float64]
    cross: NDArray[np.float64]
    residual: NDArray[np.float64]


class ScoreErrors(NamedTuple):
    """E_score and its two parts, each (ridges,) (T2, T12).

    Attributes:
        score: E_score.
        bias2: bias²; NaN where Σ is not isotropic.
        variance: E_score − bias²; NaN where Σ is not isotropic.
    """

    score: NDArray[np.float64]
    bias2: NDArray[np.float64]
    variance: NDArray[np.float64]


@in_complex128
def ridge_losses(limit: Limit, ridges: ArrayLike) -> RidgeLosses:
    """Losses of the ridge minimizer as d → ∞, any m and any Σ (T12; U26 §2.2).

    Beside zero eigenvalues a ridge far below the smallest other one, λ, costs digits: errors are about 1e-16 λ/γ.

    Args:
        limit: What the equations depend on.
        ridges: γ ≥ 0 in units of the eigenvalues of U, (ridges,); 0 stands for γ → 0.

    Returns:
        The losses. Where the equations do not converge they are NaN, and `residual` tells how far they came.

    Raises:
        ValueError: For other ridges, and for γ = 0 at p = n m, where L_test diverges.
    """
    gamma = _checked(ridges)
    if float(limit.floor) > 0 or gamma.all():
        return losses_along(limit, gamma)
    near = NEAR_ZERO * _smallest_eigenvalue(limit)
    found = losses_along(limit, np.concatenate([near, gamma[gamma > 0]]))
    start = [AT_ZERO @ values[: near.size] for values in found[:-1]]
    whole = [np.full(gamma.shape, value) for value in (*start, found.residual[: near.size].max())]
    for values, others in zip(whole, found, strict=True):
        values[gamma > 0] = others[near.size :]
    return RidgeLosses(*whole)


def losses_along(limit: Limit, ridges: ArrayLike) -> RidgeLosses:
    """Losses of the ridge minimizer of many problems at once (T12).

    Args:
        limit: What the equations depend on; its samples_per_dim and features_per_dim may be (ridges,) too.
        ridges: γ, (ridges,); positive, but where noise is averaged exactly and σ is not linear.

    Returns:
        The losses, NaN where the equations do not converge.

    Raises:
        ValueError: For other ridges.
        RuntimeError: In float32.
    """
    gamma = _checked(ridges)
    if float(limit.floor) == 0 and not gamma.all():
        raise ValueError(
            f"eigenvalues are 0 at noise_copies {limit.noise_copies:g} or for a linear activation: a ridge must be "
            "positive here; got 0"
        )
    found = attempt_above(limit, -(gamma + float(limit.floor)))
    with np.errstate(all="ignore"):  # where they do not converge
        values = _losses(limit, gamma, State(*(np.real(value) for value in found.state)))
    values = [np.where(found.converged, value, np.nan) for value in values]
    return RidgeLosses(*values, residual=np.nan_to_num(found.residual, nan=np.inf))


def score_errors(limit: Limit, found: RidgeLosses) -> ScoreErrors:
    """Score error of the ridge minimizer, its bias² and variance (T2, T12).

    Args:
        limit: What the equations depend on.
        found: Its losses.

    Returns:
        The errors, each (ridges,).
    """
    score = np.asarray(losses.score_error(found.test, limit.noise, float(limit.score_power)))
    own, values = limit.by_class, np.asarray(limit.values)[np.asarray(limit.weights) > 0]
    if np.ptp(values) > 0 or np.ptp(own.scales) > 0 or own.variances is not None:
        return ScoreErrors(score, np.full(score.shape, np.nan), np.full(score.shape, np.nan))
    along = float(limit.signal * (limit.weights @ limit.values) + limit.noise)
    bias2 = np.asarray(losses.bias_squared(found.cross, limit.noise, along))
    return ScoreErrors(score, bias2, score - bias2)


def _smallest_eigenvalue(limit: Limit) -> float:
    """The smallest eigenvalue beside the atom of zeros, at finite m or for a linear σ."""
    lower = support(limit)[0].lower
    if lower <= 0:
        raise ValueError(f"{reaches_zero(limit)}, and L_test diverges as the ridge goes to 0; give a positive ridge")
    return lower


def _checked(ridges: ArrayLike) -> NDArray[np.float64]:
    gamma = np.atleast_1d(np.asarray(ridges, dtype=float))
    wrong = ~((gamma >= 0) & (gamma < np.inf))
    if wrong.any():
        raise ValueError(f"a ridge must be finite and not negative; got {gamma[wrong][0]:g}")
    return gamma


def _losses(limit: Limit, gamma: NDArray[np.float64], x: State) -> tuple[NDArray[np.float64], ...]:
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
