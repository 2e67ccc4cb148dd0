"""Filters of gradient descent in whole steps, and of its moving average (equations.md §3)."""

from __future__ import annotations

from numpy.typing import ArrayLike

from rfsim.computing.arrays import Numbers, namespace
from rfsim.learning.filters import Filter, Number, minimizer, over_points, quiet

SERIES = 16  # terms of a series whose ratio is at most 1/2 and that has factorials: the next is below 1e-17


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
    k = over_points(steps)
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
    given = over_points(steps)
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
