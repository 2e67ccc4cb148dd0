"""What the noise of batches does to descent: its excess loss, where it ends, and the clock of Adam (equations.md §3).

A batch of B draws moves Ā in the mean as the filter says, whatever B is. What it adds is a deviation with covariance Σ
over the features, summed over the d rows. Where the draws' ‖φ‖² and residuals keep near their means, one step is

    Σ ← Σ − c(UΣ + ΣU) + c²(1 − 1/B) UΣU + (c²/B)(Tr UΣ + R) U,   R = L_train d/Δ,   c = 2Δη/(pd),

which comes to rest at Σ = (c/B)(Tr UΣ + R)/(2 − c(1 − 1/B)U) [derived, as for least mean squares]. A step along the
moving average of the gradients, of decay β, has (1 − β)/(1 + β) − 1/B in the place of 1 − 1/B [derived].
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

ADAM_MOMENTUM = 0.9  # optax's β₁


def noise_share(eigenvalues: ArrayLike, contraction: float, batch: float, momentum: float = 0.0) -> float:
    """Share S of the loss that the noise of batches adds at rest (§3, [derived]).

    S = (c/B) Σ_λ λ/(2 − c(b − 1/B)λ) with b = (1 − β)/(1 + β). At rest L_train = L/(1 − S) with L that of the mean
    weights: the excess is L S/(1 − S), linear in η/B where S ≈ c Tr U/(2B) is small. S = 1 is the limit of stability in
    the mean square. At β = 0 it lies below that of the mean, c λ_max = 2, and far below it at small B.

    Args:
        eigenvalues: λ of U, (features,).
        contraction: c of a step, from `descent.descent_step`.
        batch: B, draws per step.
        momentum: β in [0, 1), the decay of the moving average of gradients.

    Returns:
        S; inf where a direction alone is unstable.

    >>> noise_share([1.0, 1.0], 0.5, 1)
    0.5
    """
    lam = np.asarray(eigenvalues, dtype=np.float64)
    left = _left(lam, contraction, batch, momentum)
    return float(contraction / batch * (lam / left).sum()) if (left > 0).all() else math.inf


def gradient_power(eigenvalues: ArrayLike, contraction: float, batch: float, momentum: float = 0.0) -> float:
    """Mean square E‖Āφφᵀ + ξφᵀ/√Δ‖² of a batch's gradient, over R = L_train d/Δ, at rest (§3, [derived]).

    It is (1/B) Σ_λ λ [1 + (1 − 1/B) cλ/(2 − c(b − 1/B)λ)]/(1 − S), which is Tr U/B at small c.

    Args:
        eigenvalues: λ of U, (features,).
        contraction: c of a step, from `descent.descent_step`.
        batch: B, draws per step.
        momentum: β in [0, 1), the decay of the moving average of gradients.

    Returns:
        Q; inf where S, the `noise_share`, is not below 1.
    """
    lam = np.asarray(eigenvalues, dtype=np.float64)
    if (share := noise_share(lam, contraction, batch, momentum)) >= 1:
        return math.inf
    left = _left(lam, contraction, batch, momentum)
    return float((lam * (1 + (1 - 1 / batch) * contraction * lam / left)).sum() / batch / (1 - share))


def adam_steps(
    train_times: ArrayLike,
    train_loss: ArrayLike,
    eigenvalues: ArrayLike,
    *,
    rate: float,
    batch: int,
    noise_variance: float,
    kappa: float,
) -> NDArray[np.float64]:
    """Steps at which Adam, its gradients mostly the noise of batches, is where the flow is (§3, [derived]).

    Adam divides the gradient by its root mean square. If that is one number for all weights, it is plain descent with
    momentum on another clock: c of a step solves c² L_train Q(c) = η²Δ, Q = `gradient_power`, and the step is
    train_time c/κ. At small rates k(τ) = (κ/η) √(Tr U/(ΔB)) ∫_0^τ √L_train.

    Args:
        train_times: τ, (times,), ascending from 0.
        train_loss: L_train of the flow at these, (times,).
        eigenvalues: λ of U, (features,).
        rate: η of Adam.
        batch: B, draws per step.
        noise_variance: Δ.
        kappa: κ, from `filters.learning_rate_constant`.

    Returns:
        The number of steps at each train_time, (times,), from 0.
    """
    from scipy.integrate import cumulative_trapezoid  # half a second that others do without
    from scipy.optimize import bisect

    lam = np.asarray(eigenvalues, dtype=np.float64)

    def power(c: float, loss: float) -> float:
        return c**2 * loss * gradient_power(lam, c, batch, ADAM_MOMENTUM) - rate**2 * noise_variance

    loss = np.asarray(train_loss, dtype=np.float64)
    most = rate * np.sqrt(noise_variance * batch / (lam.sum() * loss))  # Q is not below Tr U/B
    c = np.array([bisect(partial(power, loss=one), 0.0, 2 * top) for one, top in zip(loss, most, strict=True)])
    return cumulative_trapezoid(kappa / c, np.asarray(train_times, dtype=np.float64), initial=0.0)


def _left(lam: NDArray[np.float64], contraction: float, batch: float, momentum: float) -> NDArray[np.float64]:
    return 2 - contraction * ((1 - momentum) / (1 + momentum) - 1 / batch) * lam
