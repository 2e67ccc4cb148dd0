"""The ridge minimizer's losses as ψ_p → ∞, any m and any Σ: kernel regression (U26 Props C.3, C.4) [derived].

With γ = ψ_p g the equations (T11) have a limit in ψ_p(q, r, h), where ψ_p q = 1/g and two unknowns are left: with
ε = 1/m, e = e^{−2t}, λ_i = g L_i, κ = λ_2/λ_1 and D(l) = λ_2 + a²Δ(εκ + 1−ε) + l a²eκ,
    λ_2 = g + (ε/ψ_n)(a²Δ λ_2 y + s²),      λ_1 = λ_2 + (1/ψ_n)(a²e λ_2 k + v²),      y, k = ∫(1, l) dρ_Σ(l)/D(l).
In them θ = ωΦ, ω = g/λ_2, Φ = εκ + 1−ε; (1/d) Tr VᵀRṼ = a²ΔyΦ = C; T1 = 1 − θ(1 − C). At g = 0 all stay finite: a
ridge that is fixed while ψ_p grows, whatever its value. The parts of Ũ and U that are multiples of the identity do not
contribute, since weights are of size 1/ψ_p. A source added to r̂ + l ĥ, divided by ψ_p ω, is added to D.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.limit.limits import Limit
from rfsim.limit.minimizer import RidgeLosses

STEPS = 64

Values = float | NDArray[np.float64]


@np.errstate(all="ignore")  # what over- or underflows is judged by the residual
def wide_losses(limit: Limit, ridges_per_feature: ArrayLike = 0.0) -> RidgeLosses:
    """Losses of the ridge minimizer as ψ_p → ∞, any m and any Σ ([derived] under T12; U26 Props C.3, C.4).

    Args:
        limit: What the equations depend on; its features_per_dim is ignored.
        ridges_per_feature: g = lim γ/ψ_p ≥ 0, (ridges,); 0 is the limit at any fixed ridge γ.

    Returns:
        The losses, each (ridges,).

    Raises:
        ValueError: For other ridges, and for g = 0 where σ is linear: there is no limit then.
    """
    g = np.atleast_1d(np.asarray(ridges_per_feature, dtype=float))
    wrong = ~((g >= 0) & (g < np.inf))
    if wrong.any():
        raise ValueError(f"a ridge over features_per_dim must be finite and not negative; got {g[wrong][0]:g}")
    if limit.v2 == 0 and np.any(g == 0):
        raise ValueError("a linear activation has no limit of many features at a fixed ridge; let the ridge grow too")
    x, residual = _solution(limit, g)
    eps, a2, delta, e = limit.copies_inverse, limit.gain, limit.noise, limit.signal
    means = _means(limit, x)
    phi = eps * means.kappa + 1 - eps
    cross = a2 * delta * means.y * phi
    rest = phi * (1 - cross)
    omega = _over(g, x.second, 1.0)

    def quadratic(source: NDArray[np.float64]) -> NDArray[np.float64]:
        """The change of T1 for a source in r̂ + lĥ over ψ_p; ω itself is g/λ_2."""
        slopes = _slopes(limit, x, means, 0.0, source)
        return slopes.second * rest - slopes.rest

    along = _slopes(limit, x, means, omega, np.zeros_like(limit.values))
    penalized = omega * rest
    train = omega * (along.second * rest - along.rest)
    test = quadratic(-a2 * (delta + e * limit.values))
    # as `functions.fresh_noise_overlap`, where (ψ_p/ψ_n) s_H/L1 is 1 − κ
    own = eps * (1 - means.kappa) ** 2
    emp = quadratic(-a2 * (delta * (1 + own)[:, None] + e * means.kappa[:, None] ** 2 * limit.values))
    emp += own * (1 - 2 * cross)
    return RidgeLosses(train, penalized, 1 - 2 * cross + test, 1 - 2 * cross + emp, cross, residual)


class _Levels(NamedTuple):
    """λ_1 and λ_2, or their relative changes, each (ridges,)."""

    first: NDArray[np.float64]
    second: NDArray[np.float64]


class _Means(NamedTuple):
    """κ, y and k, each (ridges,), and 1/D (ridges, atoms)."""

    kappa: NDArray[np.float64]
    over: NDArray[np.float64]
    y: NDArray[np.float64]
    k: NDArray[np.float64]


def _over(value: Values, size: NDArray[np.float64], otherwise: float) -> NDArray[np.float64]:
    """Value/size, and another number where the size is 0."""
    return np.where(size > 0, value / np.where(size > 0, size, 1.0), otherwise)


def _means(limit: Limit, x: _Levels) -> _Means:
    eps, kappa = limit.copies_inverse, x.second / x.first
    shared = x.second + limit.gain * limit.noise * (eps * kappa + 1 - eps)
    below = shared[:, None] + limit.gain * limit.signal * kappa[:, None] * limit.values
    over = _over(1.0, below, 1.0)  # 0 where a = 0 and g = 0 at m = ∞: nothing is learned
    return _Means(kappa, over, over @ limit.weights, over @ (limit.weights * limit.values))


def _next(limit: Limit, g: NDArray[np.float64], x: _Levels, means: _Means) -> _Levels:
    """The right sides of the two equations: rising and concave, so that Newton from above descends to their root."""
    eps, a2 = limit.copies_inverse, limit.gain
    second = g + eps / limit.samples_per_dim * (a2 * limit.noise * x.second * means.y + limit.s2)
    first = second + (a2 * limit.signal * x.second * means.k + limit.v2) / limit.samples_per_dim
    return _Levels(first, second)


def _solution(limit: Limit, g: NDArray[np.float64]) -> tuple[_Levels, NDArray[np.float64]]:
    """The root, and how far it is from holding, relative, (ridges,).

    Newton's next point is that of the tangents' intercepts, which are sums of what is positive: a root many decades
    below has all of its digits, where the difference from the last point would have none.
    """
    eps, psi_n = limit.copies_inverse, limit.samples_per_dim
    power = limit.weights @ limit.values
    second = g + eps / psi_n * (limit.gain * limit.noise + limit.s2)
    x = _Levels(second + (limit.gain * limit.signal * power + limit.v2) / psi_n, second)
    one = np.ones_like(second)
    for _ in range(STEPS):
        means = _means(limit, x)
        dy, dk = _changed(limit, x, means, _Levels(one, one), 0.0)
        below = g + eps / psi_n * (limit.s2 - limit.gain * limit.noise * x.second * dy)
        above = below + (limit.v2 - limit.gain * limit.signal * x.second * dk) / psi_n
        ratio = _solved(limit, x, means, _Levels(_over(above, x.first, 1.0), _over(below, x.second, 1.0)))
        x = _Levels(x.first * ratio.first, x.second * ratio.second)
    ends = zip(_next(limit, g, x, _means(limit, x)), x, strict=True)
    return x, np.maximum(*(np.abs(size - value) * _over(1.0, size, 1.0) for value, size in ends))


def _changed(limit: Limit, x: _Levels, means: _Means, by: _Levels, source: Values) -> tuple[NDArray, NDArray]:
    """Changes of y and k, each (ridges,), for relative ones of λ_1 and λ_2 and a source in D (atoms,)."""
    a2, squares = limit.gain, limit.weights * means.over**2
    change = means.kappa * (by.second - by.first)
    inside = (by.second * x.second + a2 * limit.noise * limit.copies_inverse * change)[:, None] + source
    inside = inside + a2 * limit.signal * change[:, None] * limit.values
    return -(squares * inside).sum(1), -(squares * limit.values * inside).sum(1)


def _response(limit: Limit, x: _Levels, means: _Means, by: _Levels, share: Values, source: Values) -> _Levels:
    """Of the right sides in units of (λ_1, λ_2), for g → g + share·λ_2 too."""
    a2, psi_n = limit.gain, limit.samples_per_dim
    dy, dk = _changed(limit, x, means, by, source)
    second = share + limit.copies_inverse / psi_n * a2 * limit.noise * (by.second * means.y + dy)
    return _Levels(means.kappa * (second + a2 * limit.signal / psi_n * (by.second * means.k + dk)), second)


def _solved(limit: Limit, x: _Levels, means: _Means, right: _Levels) -> _Levels:
    """Relative changes of which the equations' own responses leave `right`."""
    none, one = np.zeros_like(x.first), np.ones_like(x.first)
    (a, c), (b, d) = (_response(limit, x, means, unit, 0.0, 0.0) for unit in (_Levels(one, none), _Levels(none, one)))
    scale = 1 / ((1 - a) * (1 - d) - b * c)
    return _Levels(
        ((1 - d) * right.first + b * right.second) * scale, ((1 - a) * right.second + c * right.first) * scale
    )


class _Slopes(NamedTuple):
    """Changes of log λ_2 and of Φ(1 − C)."""

    second: NDArray[np.float64]
    rest: NDArray[np.float64]


def _slopes(limit: Limit, x: _Levels, means: _Means, share: Values, source: NDArray[np.float64]) -> _Slopes:
    """For g → g + share·λ_2 and D → D + source (atoms,) or (ridges, atoms), to first order."""
    eps, per_y = limit.copies_inverse, limit.gain * limit.noise
    none = np.zeros_like(x.first)
    by = _solved(limit, x, means, _response(limit, x, means, _Levels(none, none), share, source))
    dy, _ = _changed(limit, x, means, by, source)
    phi, change = eps * means.kappa + 1 - eps, eps * means.kappa * (by.second - by.first)
    rest = change * (1 - per_y * means.y * phi) - phi * per_y * (dy * phi + means.y * change)
    return _Slopes(by.second, rest)
