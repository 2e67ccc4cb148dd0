"""Closed forms of the activations that have them, written so that no small difference cancels (equations.md §4)."""

from __future__ import annotations

import math

import jax.numpy as jnp
import jax.scipy.special
import numpy as np
from jax import Array, lax

from rfsim.computing.numerics import hermite_step, log_share

SERIES_TERMS = 32


def no_mean(gamma2: float) -> float:
    """E σ(Γz) of an odd σ."""
    return 0.0


def linear_constants(signal: float, noise: float) -> tuple[float, float, float]:
    """σ(x) = x: a = 1, and nothing is left for v² and s²."""
    return 1.0, 0.0, 0.0


def hermite3_constants(signal: float, noise: float) -> tuple[float, float, float]:
    """σ = He_3/√6: a = √(3/2)(Γ² − 1), 0 where Γ = 1; v² = (e^{−2t}σ_x²)³, s² = Γ⁶ − v² as a positive sum."""
    gamma2 = signal + noise
    excess = math.fsum([signal, noise, -1.0])
    if abs(excess) <= 4 * np.finfo(float).eps:  # the rounding of Δ, not a scale of data
        excess = 0.0
    return math.sqrt(1.5) * excess, signal**3, noise * (gamma2**2 + gamma2 * signal + signal**2)


def sine_constants(signal: float, noise: float) -> tuple[float, float, float]:
    """σ = sin: a = e^{−Γ²/2}, and c_s² = Γ^{2s} e^{−Γ²}/s! at odd s under the sums of positive terms of (T9).

    sinh in place of the sums would cancel at small α² = e^{−2t}σ_x², v² = e^{−Γ²}(sinh α² − α²); at large α² the sums
    lose digits, and it does not.
    """
    gamma2 = signal + noise
    a = math.exp(-gamma2 / 2)
    if signal > 1:
        v2 = -math.exp(-noise) * math.expm1(-2 * signal) / 2 - signal * a**2
        return a, v2, (-math.expm1(-noise) + a**4 * math.expm1(noise)) / 2 - noise * a**2
    from scipy.special import gammaln  # slow to load, for one activation

    s = np.arange(3, 40 + 2 * gamma2 + 40 * math.sqrt(gamma2), 2)
    energy = np.exp(s * math.log(gamma2) - gamma2 - gammaln(s + 1))
    log_x = log_share(signal, noise)
    return a, float(energy @ np.exp(s * log_x)), float(-energy @ np.expm1(s * log_x))


def relu_mean(gamma2: float) -> float:
    """E max(Γz, 0) = Γ/√(2π)."""
    return math.sqrt(gamma2 / (2 * math.pi))


def relu_constants(signal: float, noise: float) -> tuple[float, float, float]:
    """Constants of max(x, 0): a = 1/2, v² = Γ²/(2π) f(x), s² = Γ²/(2π)(f(1) − f(x)), x the signal's share.

    f(x) = x asin x + √(1−x²) − 1, which is Σ_k C(2k,k)/4^k x^{2k+2}/((2k+1)(2k+2)) at small x. With x = cos θ, f(1) −
    f(x) is π sin²(θ/2) − (sin θ − θ cos θ), where sin²(θ/2) = (1 − x)/2 is known without a difference.
    """
    gamma2 = signal + noise
    x, half_sine2 = signal / gamma2, noise / gamma2 / 2
    if x < 0.5:
        k = np.arange(SERIES_TERMS)
        ratios = np.cumprod(np.append(1.0, (2 * k[1:] - 1) / (2 * k[1:])))  # C(2k,k)/4^k
        f = float((ratios * x ** (2 * k + 2) / ((2 * k + 1) * (2 * k + 2))).sum())
    else:
        f = x * math.asin(x) + math.sqrt((1 - x) * (1 + x)) - 1
    theta = 2 * math.asin(math.sqrt(half_sine2))
    rest = math.pi * half_sine2 - _sine_less_cosine(theta)
    return 0.5, gamma2 / (2 * math.pi) * f, gamma2 / (2 * math.pi) * rest


def relu_orders(eta: Array, deviation: Array, window: tuple[Array, Array], offset: Array) -> tuple[Array, Array]:
    """`Closed.orders` of max(x, 0), with T the deviation and z = η/T (equations.md §2).

    g_0 = ηΦ(z) + Tφ(z) − offset, g_1 = TΦ(z), g_s = T(−1)^s h_{s−2}(z)φ(z)/√(s(s−1)), h_s = He_s/√s!.
    """
    wanted, first = window
    spread = jnp.where(deviation > 0, deviation, 1.0)[:, None]  # rows of padding have none
    z = eta / spread
    root = jnp.exp(-(z**2) / 4) / (2 * jnp.pi) ** 0.25
    below = jax.scipy.special.ndtr(z)
    mean = eta * below + spread * root**2
    square = (eta**2 + spread**2) * below + eta * spread * root**2 - offset * (2 * mean - offset)

    def order(k, state):
        """The state holds √φ h_{s−2} for s = k and the one before."""
        before, row = state
        sign = jnp.where(k % 2 == 0, 1.0, -1.0)
        kinked = spread * sign * root * row / jnp.sqrt(jnp.maximum(k * (k - 1.0), 1.0))
        g = jnp.where(k == 0, mean - offset, jnp.where(k == 1, spread * below, kinked))
        after = hermite_step(z, jnp.maximum(k - 2.0, 0.0), before, row)
        return (jnp.where(k < 2, before, row), jnp.where(k < 2, row, after)), g

    start = jnp.zeros_like(root), root
    start = lax.fori_loop(0, first, lambda k, state: order(k, state)[0], start)
    _, g = lax.scan(lambda state, k: order(k, state), start, first + jnp.arange(wanted.shape[0]))
    return g * wanted[:, None, None], square


def _sine_less_cosine(theta: float) -> float:
    """Difference sin θ − θ cos θ, by its series θ³ Σ_k (−1)^k θ^{2k}·2(k+1)/(2k+3)! where the two are nearly equal."""
    if theta > 0.5:
        return math.sin(theta) - theta * math.cos(theta)
    terms = [(-1) ** k * theta ** (2 * k) * 2 * (k + 1) / math.factorial(2 * k + 3) for k in range(9)]
    return theta**3 * math.fsum(terms)
