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
SERIES = 16  # terms of a series whose ratio is at most 1/2 and that has factorials: the next is below 1e-17


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


def descent_step(rate: float, noise_variance: Number, features: int, dim: int) -> Number:
    """Contraction constant c = 2Δη/(pd): one step of size η multiplies the rest by 1 − c(λ + γ) (§3).

    Args:
        rate: η, of plain descent on the loss of (T1); k steps are train_time kη/d².
        noise_variance: Δ of the diffusion time; c_out² at a level of distillation (T16). A number or an array.
        features: p.
        dim: d.

    Returns:
        c, per unit of eigenvalue of U, of the shape of noise_variance.
    """
    return 2 * noise_variance * rate / (features * dim)


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
    tau = _last(train_time)

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
    tau = _last(train_time)

    @quiet
    def f(lam: Numbers) -> Numbers:
        xp, u = namespace(tau, lam), lam + ridge
        late = _late(tau, kappa, u)
        time = xp.where(late, 0.0, tau)
        return xp.where(late, xp.where(u == 0, 1.0, 0.0), xp.exp(-kappa * time * u))

    return f


def _last(given: ArrayLike) -> Numbers:
    """Times or steps (...) as an array (..., 1) of their kind."""
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


def descent(steps: ArrayLike, step: float, ridge: float = 0.0) -> Filter:
    """Plain gradient descent from zero: f = (1 − (1 − c(λ+γ))^k)/(λ+γ) after k steps (§3).

    Args:
        steps: k, of any shape (...), whole numbers; inf gives the minimizer.
        step: c, from `descent_step`; the mean is stable while c(λ_max + γ) < 2.
        ridge: γ ≥ 0, in units of the eigenvalues of U.

    Returns:
        The filter, from eigenvalues (points,) to values (..., points).
    """
    k, end = _finite(steps)

    @quiet
    def f(lam: Numbers) -> Numbers:
        u = lam + ridge
        return namespace(k, lam).where(end, minimizer(ridge)(lam), step * _risen(step * u, k))

    return f


def descent_decay(steps: ArrayLike, step: float, ridge: float = 0.0) -> Filter:
    """What k steps of descent leave of the start Ā_0: (1 − c(λ+γ))^k (§3).

    Args:
        steps: k, of any shape (...), whole numbers.
        step: c, from `descent_step`.
        ridge: γ ≥ 0, in units of the eigenvalues of U.

    Returns:
        The filter, from eigenvalues (points,) to values (..., points).
    """
    k = _last(steps)
    return quiet(lambda lam: (1 - step * (lam + ridge)) ** k)


def averaged_descent(steps: ArrayLike, step: float, decay: float, ridge: float = 0.0) -> Filter:
    """Moving average a_k = E a_{k−1} + (1 − E)A_k of descent from zero, a_0 = 0 (§3, [derived]).

    With δ = c(λ+γ), ε = 1 − E and g(s) = (1 − (1−s)^{k+1})/s it is cε(g(ε) − g(δ))/(δ − ε), that is cε times the sum of
    E^a (1−δ)^b over a + b < k; `descent` at E = 0. Right to 1e-14 for δ up to 2, 1e9 steps and ε down to 1e-9, of
    itself or of its terms cε where they alternate and cancel (δ > 1).

    Args:
        steps: k, of any shape (...), whole numbers; inf gives the minimizer, but 0 at E = 1, where the average never
            leaves its start.
        step: c, from `descent_step`.
        decay: E in [0, 1], per step.
        ridge: γ ≥ 0, in units of the eigenvalues of U.

    Returns:
        The filter, from eigenvalues (points,) to values (..., points).
    """
    k, end = _finite(steps)
    share = 1 - decay

    @quiet
    def f(lam: Numbers) -> Numbers:
        xp = namespace(k, lam)
        late = xp.where(share > 0, minimizer(ridge)(lam), 0.0)
        return xp.where(end, late, step * share * _progress(step * (lam + ridge), share, 1.0 * k))

    return f


def _finite(steps: ArrayLike) -> tuple[Numbers, Numbers]:
    """Steps (..., 1), 0 where they are infinite, and where that is."""
    given = _last(steps)
    xp = namespace(given)
    end = ~xp.isfinite(given)
    return xp.where(end, 0, given), end


def _progress(s: Numbers, t: float, k: Numbers) -> Numbers:
    """(g(t) − g(s))/(s − t), g(s) = (1 − (1−s)^{k+1})/s, which is symmetric, with no difference of near numbers."""
    xp, order = namespace(s, k), k + 1
    swap = abs(s) < t
    near, far = xp.where(swap, s, t), xp.where(swap, t, s)
    # Leibniz' rule for the product (1−s)^{k+1} · 1/s: at (k+1)|far| ≥ 1/2 the second term stays below the first
    whole = (_risen(near, order) - _slope(near, far, order)) / xp.where(far == 0, 1.0, far)
    # before: Σ_m (−1)^m C(k+1, m+2) h_m, h_m the sum of near^a far^b over a + b = m
    early = order * abs(far) < 0.5
    x, y = xp.where(early, near, 0.0), xp.where(early, far, 0.0)
    binomial, power, mixed = order * k / 2, xp.ones_like(y), xp.ones_like(y)
    series = binomial * mixed
    for m in range(1, SERIES):
        binomial = -binomial * (k - m) / (m + 2)
        power = power * x
        mixed = mixed * y + power
        series = series + binomial * mixed
    return xp.where(early, series, xp.where(k == 0, 0.0, whole))


def _slope(x: Numbers, y: Numbers, k: Numbers) -> Numbers:
    """((1−x)^k − (1−y)^k)/(y − x), k(1−x)^{k−1} at x = y, for k ≥ 1."""
    xp = namespace(x, y, k)
    swap = abs(1 - y) > abs(1 - x)
    large, small = xp.where(swap, y, x), xp.where(swap, x, y)
    rest = xp.where(large == 1, 1.0, 1 - large)
    return _power(large, k - 1) * _risen((small - large) / rest, k)


def _risen(s: Numbers, k: Numbers) -> Numbers:
    """(1 − (1−s)^k)/s, k at s = 0."""
    xp = namespace(s, k)
    small = abs(s) < 0.5
    rise = xp.where(small, -xp.expm1(k * xp.log1p(-xp.where(small, s, 0.0))), 1 - (1 - s) ** k)
    return xp.where(s == 0, k, rise / xp.where(s == 0, 1.0, s))


def _power(s: Numbers, k: Numbers) -> Numbers:
    """(1−s)^k, exact to rounding where s is small and k large."""
    xp = namespace(s, k)
    small = abs(s) < 0.5
    return xp.where(small, xp.exp(k * xp.log1p(-xp.where(small, s, 0.0))), (1 - s) ** k)


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
