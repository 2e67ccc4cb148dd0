"""Every trainer is a filter f(λ) on the spectrum of U: the only home of e^{−κτλ} (equations.md T7).

A filter is a function of eigenvalues `lam` (points,) — real, or complex on a contour — that returns
(..., points). Ā(τ) = −(1/√Δ) Vᵀ f(U) + Ā_0 decay(U). Zero eigenvalues at γ = 0 and τ = ∞ are directions in which
the loss is flat: f is 0 there (pseudo-inverse) and the start stays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike
from numpy.typing import NDArray

from rfsim.numerics import decay_integral

Filter = Callable[[Array], Array]
Number = TypeVar("Number", float, NDArray[np.float64])
LATE = 1e4  # e^{−LATE} is 0 in float64


def learning_rate_constant(noise_variance: Number, features_per_dim: float) -> Number:
    """κ = 2Δ/ψ_p: the rate of eigenvalue λ is κ(λ + γ) per unit of train_time; c_out² for Δ in distillation (T16)."""
    return 2 * noise_variance / features_per_dim


def descent_step(rate: float, noise_variance: float, features: int, dim: int) -> float:
    """c = 2Δη/(pd), the contraction 1 − c(λ + γ) of one step of size η; k steps are train_time kη/d²."""
    return 2 * noise_variance * rate / (features * dim)


def flow(train_time: ArrayLike, kappa: float, ridge: float = 0.0) -> Filter:
    """Gradient flow from zero, f = (1 − e^{−κτ(λ+γ)})/(λ+γ) (T7); train_time of shape (...,) may hold inf.

    >>> import jax
    >>> with jax.enable_x64(True):
    ...     flow(jnp.array([0.0, 1.0, jnp.inf]), kappa=2.0)(jnp.array([0.0, 0.5])).round(6).tolist()
    [[0.0, 0.0], [2.0, 1.264241], [0.0, 2.0]]
    """
    tau = jnp.asarray(train_time)[..., None]

    def f(lam: Array) -> Array:
        u = lam + ridge
        late = _late(tau, kappa, u)
        time = jnp.where(late, 0.0, tau)
        return jnp.where(late, minimizer(ridge)(lam), kappa * time * decay_integral(kappa * time * u))

    return f


def flow_decay(train_time: ArrayLike, kappa: float, ridge: float = 0.0) -> Filter:
    """What is left of the start Ā_0 under the flow: e^{−κτ(λ+γ)} (T7)."""
    tau = jnp.asarray(train_time)[..., None]

    def f(lam: Array) -> Array:
        u = lam + ridge
        late = _late(tau, kappa, u)
        time = jnp.where(late, 0.0, tau)
        return jnp.where(late, jnp.where(u == 0, 1.0, 0.0), jnp.exp(-kappa * time * u))

    return f


def _late(tau: Array, kappa: float, u: Array) -> Array:
    """Where κτ|u| is beyond LATE, without a product that could overflow; everywhere at τ = ∞."""
    return (jnp.abs(u) > LATE / (kappa * tau)) | ~jnp.isfinite(tau)


def minimizer(ridge: float) -> Filter:
    """The ridge minimizer 1/(λ+γ), 0 at λ + γ = 0."""

    def f(lam: Array) -> Array:
        u = lam + ridge
        return jnp.where(u == 0, 0.0, 1 / jnp.where(u == 0, 1.0, u))

    return f


def descent(steps: ArrayLike, step: float, ridge: float = 0.0) -> Filter:
    """`steps` steps of gradient descent from zero, (1 − (1 − c(λ+γ))^k)/(λ+γ), c from `descent_step` (§3).

    steps (...,) are whole numbers, or inf: the minimizer.
    """
    given = jnp.asarray(steps)[..., None]
    end = ~jnp.isfinite(given)
    k = jnp.where(end, 0, given)

    def f(lam: Array) -> Array:
        u = lam + ridge
        small = jnp.abs(step * u) < 0.5
        rise = jnp.where(small, -jnp.expm1(k * jnp.log1p(-jnp.where(small, step * u, 0.0))), 1 - (1 - step * u) ** k)
        risen = jnp.where(u == 0, k * step, rise / jnp.where(u == 0, 1.0, u))
        return jnp.where(end, minimizer(ridge)(lam), risen)

    return f


def descent_decay(steps: ArrayLike, step: float, ridge: float = 0.0) -> Filter:
    """What is left of the start after `steps` steps: (1 − c(λ+γ))^k (§3)."""
    k = jnp.asarray(steps)[..., None]
    return lambda lam: (1 - step * (lam + ridge)) ** k


def compose(teacher: Filter, student: Filter) -> Filter:
    """Same-time self-distillation from zero with the same W, U: f_T(λ) · λ f_S(λ) (§3)."""
    return lambda lam: teacher(lam) * lam * student(lam)


def restricted(f: Filter, keep: ArrayLike) -> Filter:
    """f where keep = 1, switched off where keep = 0; keep (points,), one value for each point of the spectrum."""
    return lambda lam: f(lam) * jnp.asarray(keep)
