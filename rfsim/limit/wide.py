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

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from rfsim.computing.precision import in_complex128
from rfsim.limit.limits import Limit, padded
from rfsim.limit.minimizer import RidgeLosses

STEPS = 64


@in_complex128
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
    return RidgeLosses(*(np.asarray(value) for value in _losses(padded(limit), g)))


class _Levels(NamedTuple):
    """λ_1 and λ_2."""

    first: Array
    second: Array


def _next(limit: Limit, g: Array, x: _Levels) -> _Levels:
    """The right sides of the two equations: rising and concave, so that Newton from above descends to their root."""
    _, _, y, k = _averages(limit, x)
    eps, a2 = limit.copies_inverse, limit.gain
    second = g + eps / limit.samples_per_dim * (a2 * limit.noise * x.second * y + limit.s2)
    first = second + (a2 * limit.signal * x.second * k + limit.v2) / limit.samples_per_dim
    return _Levels(first, second)


def _averages(limit: Limit, x: _Levels) -> tuple[Array, Array, Array, Array]:
    """κ, 1/D (atoms,), y and k."""
    eps, kappa = limit.copies_inverse, x.second / x.first
    shared = limit.noise * (eps * kappa + 1 - eps)
    below = x.second + limit.gain * (shared + limit.values * limit.signal * kappa)
    over = 1 / jnp.where(below > 0, below, 1.0)  # 0 where a = 0 and g = 0 at m = ∞: nothing is learned
    return kappa, over, limit.weights @ over, (limit.weights * limit.values) @ over


def _solution(limit: Limit, g: Array) -> tuple[_Levels, Array]:
    """The root, and how far it is from holding, relative."""
    eps, psi_n = limit.copies_inverse, limit.samples_per_dim
    power = limit.weights @ limit.values
    second = g + eps / psi_n * (limit.gain * limit.noise + limit.s2)
    above = jnp.stack([second + (limit.gain * limit.signal * power + limit.v2) / psi_n, second])

    def left(x: Array) -> Array:
        return x - jnp.stack(_next(limit, g, _Levels(*x)))

    def step(_: int, x: Array) -> Array:
        return x - jnp.linalg.solve(jax.jacfwd(left)(x), left(x))

    x = jax.lax.fori_loop(0, STEPS, step, above)
    residual = jnp.where(x > 0, jnp.abs(left(x)) / x, jnp.abs(left(x)))
    return _Levels(*x), residual.max()


class _Slopes(NamedTuple):
    """Changes of log λ_2 and of Φ(1 − C)."""

    second: Array
    rest: Array


def _slopes(limit: Limit, x: _Levels, share: ArrayLike, source: Array) -> _Slopes:
    """For g → g + share·λ_2 and D → D + source (atoms,), to first order: two linear equations in those of log λ."""
    eps, a2, delta, e, psi_n = limit.copies_inverse, limit.gain, limit.noise, limit.signal, limit.samples_per_dim
    kappa, over, y, k = _averages(limit, x)
    squares = limit.weights * over**2

    def averages(first: ArrayLike, second: ArrayLike, source: Array) -> tuple[Array, Array]:
        change = kappa * (second - jnp.asarray(first))
        inside = second * x.second + a2 * (delta * eps + limit.values * e) * change + source
        return -(squares @ inside), -((squares * limit.values) @ inside)

    def right(first: ArrayLike, second: ArrayLike, share: ArrayLike, source: Array) -> Array:
        dy, dk = averages(first, second, source)
        two = share + eps / psi_n * a2 * delta * (second * y + dy)
        return jnp.stack([kappa * (two + a2 * e / psi_n * (second * k + dk)), two])

    none = jnp.zeros_like(source)
    matrix = jnp.stack([right(1.0, 0.0, 0.0, none), right(0.0, 1.0, 0.0, none)], axis=1)
    first, second = jnp.linalg.solve(jnp.eye(2) - matrix, right(0.0, 0.0, share, source))
    dy, _ = averages(first, second, source)
    phi, change = eps * kappa + 1 - eps, eps * kappa * (second - first)
    rest = change * (1 - a2 * delta * y * phi) - phi * a2 * delta * (dy * phi + y * change)
    return _Slopes(second, rest)


def _one(limit: Limit, g: Array) -> tuple[Array, ...]:
    x, residual = _solution(limit, g)
    eps, a2, delta, e = limit.copies_inverse, limit.gain, limit.noise, limit.signal
    kappa, _, y, _ = _averages(limit, x)
    phi = eps * kappa + 1 - eps
    cross = a2 * delta * y * phi
    rest = phi * (1 - cross)
    omega = jnp.where(x.second > 0, g / jnp.where(x.second > 0, x.second, 1.0), 1.0)

    def quadratic(source: Array) -> Array:
        """The change of T1 for a source in r̂ + lĥ over ψ_p; ω itself is g/λ_2."""
        slopes = _slopes(limit, x, 0.0, source)
        return slopes.second * rest - slopes.rest

    along = _slopes(limit, x, omega, jnp.zeros_like(limit.values))
    penalized = omega * rest
    train = omega * (along.second * rest - along.rest)
    test = quadratic(-a2 * (delta + e * limit.values))
    # as `functions.fresh_noise_overlap`, where (ψ_p/ψ_n) s_H/L1 is 1 − κ
    own = eps * (1 - kappa) ** 2
    emp = quadratic(-a2 * (delta * (1 + own) + e * kappa**2 * limit.values)) + own * (1 - 2 * cross)
    return train, penalized, 1 - 2 * cross + test, 1 - 2 * cross + emp, cross, residual


_losses = jax.jit(jax.vmap(_one, in_axes=(None, 0)))
