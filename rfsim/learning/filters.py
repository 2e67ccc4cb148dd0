"""Every trainer is a filter f(λ) on the spectrum of U: the only home of e^{−κτλ} (equations.md T7).

A filter is a function of eigenvalues `lam` (points,) — real, or complex on a contour — that returns
(..., points). Ā(τ) = −(1/√Δ) Vᵀ f(U) + Ā_0 decay(U). Zero eigenvalues at γ = 0 and τ = ∞ are directions in which
the loss is flat: f is 0 there (pseudo-inverse) and the start stays.
Values are arrays of JAX's where eigenvalues or times are, and of NumPy's else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.computing.arrays import Numbers, namespace
from rfsim.computing.numerics import decay_integral

Filter = Callable[[Numbers], Numbers]
Number = TypeVar("Number", float, NDArray[np.float64])
LATE = 1e4  # e^{−LATE} is 0 in float64
quiet = np.errstate(all="ignore")  # of NumPy's arrays, as of JAX's: what is infinite or undefined is not picked


def learning_rate_constant(noise_variance: Number, features_per_dim: float) -> Number:
    """Rate constant κ = 2Δ/ψ_p: the eigenvalue λ relaxes at κ(λ + γ) per unit of train_time (T7; B25 Eq. 10).

    Args:
        noise_variance: Δ of the diffusion time, dimensionless; c_out² at a level of distillation (T16). A number or
            an array of any shape.
        features_per_dim: ψ_p = p/d.

    Returns:
        κ, of the shape of noise_variance.
    """
    return 2 * noise_variance / features_per_dim


def flow(train_time: ArrayLike, kappa: float, ridge: float = 0.0) -> Filter:
    """Gradient flow from zero: f = (1 − e^{−κτ(λ+γ)})/(λ+γ) (T7; B25 Prop. C.1).

    Args:
        train_time: τ, of any shape (...), ≥ 0; inf gives the minimizer, 0 at λ + γ = 0.
        kappa: κ, from `learning_rate_constant`.
        ridge: γ ≥ 0, in units of the eigenvalues of U.

    Returns:
        The filter, from eigenvalues (points,), real or complex, to values (..., points).

    >>> flow([0.0, 1.0, np.inf], kappa=2.0)(np.array([0.0, 0.5])).round(6).tolist()
    [[0.0, 0.0], [2.0, 1.264241], [0.0, 2.0]]
    """
    tau = over_points(train_time)

    @quiet
    def f(lam: Numbers) -> Numbers:
        xp, u = namespace(tau, lam), lam + ridge
        late = _late(tau, kappa, u)
        time = xp.where(late, 0.0, tau)
        return xp.where(late, minimizer(ridge)(lam), kappa * time * decay_integral(kappa * time * u))

    return f


def learned_share(eigenvalues: ArrayLike, train_time: float, kappa: float, ridge: float = 0.0) -> NDArray[np.float64]:
    """Share λ f(λ) of each direction's least-squares score that the flow has learned (T7).

    1 − e^{−κλτ} without a ridge; with one it is λ/(λ+γ) at τ = ∞. This is `flow` in NumPy, for real eigenvalues and one
    time.

    Args:
        eigenvalues: λ of U, of any shape.
        train_time: τ ≥ 0; may be inf.
        kappa: κ, from `learning_rate_constant`.
        ridge: γ ≥ 0, in units of the eigenvalues of U.

    Returns:
        The shares, between 0 and 1, of the shape of eigenvalues; 0 where λ + γ is not positive.

    >>> learned_share([0.0, 0.5], float("inf"), kappa=2.0, ridge=0.5).tolist()
    [0.0, 0.5]
    """
    lam = np.asarray(eigenvalues, dtype=float)
    u = lam + ridge
    positive = u > 0
    safe = np.where(positive, u, 1.0)
    with np.errstate(over="ignore"):  # e^{−∞} is 0
        progress = -np.expm1(-(kappa * safe) * train_time)
    return np.where(positive, lam / safe * progress, 0.0)


def flow_decay(train_time: ArrayLike, kappa: float, ridge: float = 0.0) -> Filter:
    """What the flow leaves of the start Ā_0: e^{−κτ(λ+γ)} (T7).

    Args:
        train_time: τ, of any shape (...), ≥ 0; at inf only directions with λ + γ = 0 keep their start.
        kappa: κ, from `learning_rate_constant`.
        ridge: γ ≥ 0, in units of the eigenvalues of U.

    Returns:
        The filter, from eigenvalues (points,) to values (..., points).
    """
    tau = over_points(train_time)

    @quiet
    def f(lam: Numbers) -> Numbers:
        xp, u = namespace(tau, lam), lam + ridge
        late = _late(tau, kappa, u)
        time = xp.where(late, 0.0, tau)
        return xp.where(late, xp.where(u == 0, 1.0, 0.0), xp.exp(-kappa * time * u))

    return f


def over_points(given: ArrayLike) -> Numbers:
    """Times or steps with an axis for the points after theirs (no equation).

    Args:
        given: Times or steps, (...).

    Returns:
        An array of their kind, (..., 1).
    """
    return namespace(given).asarray(given)[..., None]


def _late(tau: Numbers, kappa: float, u: Numbers) -> Numbers:
    """Where κτ|u| is beyond LATE, without a product that could overflow; everywhere at τ = ∞."""
    return (abs(u) > LATE / (kappa * tau)) | ~namespace(tau).isfinite(tau)


def minimizer(ridge: Numbers) -> Filter:
    """Ridge minimizer f = 1/(λ+γ), the end of every trainer; 0 at λ + γ = 0 (§3).

    Args:
        ridge: γ ≥ 0, in units of the eigenvalues of U; a number, or several, (..., 1).

    Returns:
        The filter, from eigenvalues (points,) to values (points,), or (..., points).
    """

    def f(lam: Numbers) -> Numbers:
        xp, u = namespace(lam, ridge), lam + ridge
        return xp.where(u == 0, 0.0, 1 / xp.where(u == 0, 1.0, u))

    return f


def compose(teacher: Filter, student: Filter) -> Filter:
    """Same-time self-distillation from zero with the same W and U: f_T(λ) · λ f_S(λ) (§3).

    Args:
        teacher: f_T, the teacher's filter.
        student: f_S, the filter of the student's own training.

    Returns:
        The filter of the student; its leading shape is that to which the two broadcast.
    """
    return lambda lam: teacher(lam) * lam * student(lam)


def held(f: Filter) -> Filter:
    """A filter whose values at the points it was last asked for are kept (no equation).

    Args:
        f: The filter.

    Returns:
        The filter; asked again for the same array it computes nothing.
    """
    last: list[Numbers] = []

    def g(lam: Numbers) -> Numbers:
        if not last or last[0] is not lam:
            last[:] = lam, f(lam)
        return last[1]

    return g


def restricted(f: Filter, keep: ArrayLike) -> Filter:
    """A filter switched on for some directions only: f · keep (§8).

    Args:
        f: The filter.
        keep: 1 where the direction is kept and 0 where it is switched off, (points,): one for each point of the
            spectrum.

    Returns:
        The filter, of the shape of `f`; its eigenvalues must be the spectrum's points.
    """
    return lambda lam: f(lam) * namespace(keep).asarray(keep)
