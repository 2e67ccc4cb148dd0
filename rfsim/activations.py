"""Activations σ and their Gaussian constants (equations.md T9)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import jax.scipy.special
import numpy as np
from jax import Array

from rfsim.numerics import hermite_averages
from rfsim.words import nearest

MAX_ORDER = 16384
PIECE = 16384


class Activation(NamedTuple):
    """A pointwise nonlinearity: `function` acts on JAX arrays of any shape; `odd` means σ(−x) = −σ(x)."""

    name: str
    function: Callable[[Array], Array]
    odd: bool


class Constants(NamedTuple):
    """(T9): a = E σ'(Γz), b = √Δ a, v² and s², dimensionless; `error` bounds the relative error of each."""

    a: float
    b: float
    v2: float
    s2: float
    error: float


ACTIVATIONS = {
    activation.name: activation
    for activation in (
        Activation("tanh", jnp.tanh, odd=True),
        Activation("erf", jax.scipy.special.erf, odd=True),
    )
}


def activation(name: str) -> Activation:
    """The activation of that name; ValueError with the nearest valid name otherwise.

    >>> activation("tanh").name
    'tanh'
    """
    if name not in ACTIVATIONS:
        hint = nearest(str(name), ACTIVATIONS)
        raise ValueError(f"unknown activation {name!r}; choose one of {', '.join(ACTIVATIONS)}{hint}")
    return ACTIVATIONS[name]


def evaluate(sigma: Activation, points: np.ndarray) -> np.ndarray:
    """σ at points of any shape, in pieces of one size: a new shape would compile a new program for a few numbers."""
    flat = np.ravel(points)
    padded = np.zeros((-(-flat.size // PIECE), PIECE))
    padded.ravel()[: flat.size] = flat
    values = np.concatenate([np.asarray(sigma.function(jnp.asarray(piece))) for piece in padded])
    return values[: flat.size].reshape(points.shape)


def hermite_coefficients(sigma: Activation, scale: float, orders: int) -> np.ndarray:
    """c_s = E[h_s(z) σ(scale·z)], z ~ N(0,1), for s < orders: shape (orders,).

    The grid resolves both the polynomial (wavenumber √orders) and σ, whose nearest pole limits the step.
    """
    step = min(0.2 / max(scale, 1.0), 2.0 / np.sqrt(orders))
    c = hermite_averages(lambda z: evaluate(sigma, scale * z), orders, step)
    if sigma.odd:
        c[::2] = 0.0  # exact zeros: rounding of 1e-17 would swamp v² ~ x³ at large t
    return c


def gaussian_constants(
    sigma: Activation, *, signal_variance: float, noise_variance: float, tolerance: float = 1e-12
) -> Constants:
    """Constants (T9) of σ for pre-activations √signal_variance·u + √noise_variance·v.

    signal_variance is e^{−2t}σ_x² and noise_variance is Δ_t, so Γ² is their sum. With σ(Γz) = Σ c_s h_s(z) and
    x = signal_variance/Γ² the definitions become sums of positive terms,
        a = c_1/Γ,   v² = Σ_{s≥2} c_s² x^s,   s² = Σ_{s≥2} c_s² (1 − x^s),
    which lose no digits where s² or v² is a small difference (small t, large t). The number of orders is doubled
    until the tail, estimated from the last half of the terms, is below `tolerance`.

    Raises ValueError where σ is not centered (E σ(Γz) ≠ 0), the tolerance is not met at 16384 orders, or Γ lies
    outside [1e-3, 1e3].
    """
    gamma2 = signal_variance + noise_variance
    gamma = float(np.sqrt(gamma2))
    if not 1e-3 <= gamma <= 1e3:
        raise ValueError(f"the scale of x_t, Γ = {gamma:.3g}, must lie in [1e-3, 1e3]; scale the data toward 1")
    log_x = _log_share(signal_variance, noise_variance)
    orders, previous = 64, None
    while True:
        c = hermite_coefficients(sigma, gamma, orders)
        if abs(c[0]) > 1e-12 * np.sqrt((c**2).sum()):
            raise ValueError(f"activation {sigma.name!r} must be centered: E σ(Γz) = {c[0]:.3g} at Γ = {gamma:.3g}")
        s = np.arange(2, orders)
        share = np.exp(s * log_x)
        values = np.array([c[1] / gamma, c[2:] ** 2 @ share, -(c[2:] ** 2) @ np.expm1(s * log_x)])
        if previous is not None:
            error = float(np.max(np.abs(values - previous) / np.where(values == 0, 1.0, np.abs(values))))
            if error <= tolerance:
                a, v2, s2 = map(float, values)
                return Constants(a, math.sqrt(noise_variance) * a, v2, s2, error)
            if 2 * orders > MAX_ORDER:
                raise ValueError(
                    f"constants of {sigma.name!r} at Γ = {gamma:.3g} reach a relative error of {error:.1e}, "
                    f"not {tolerance:.1e}, at {orders} Hermite orders; scale the data toward 1"
                )
        previous, orders = values, 2 * orders


def _log_share(signal_variance: float, noise_variance: float) -> float:
    """log(signal/(signal + noise)), from whichever of the two is the smaller, so that neither end cancels."""
    if signal_variance < noise_variance:
        with np.errstate(divide="ignore"):
            return float(np.log(signal_variance / (signal_variance + noise_variance)))
    return float(np.log1p(-noise_variance / (signal_variance + noise_variance)))
