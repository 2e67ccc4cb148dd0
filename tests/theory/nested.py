"""A second derivation of P(z, z') at m = ∞ for any Σ: two nested deterministic equivalents (equations.md §6)."""

from __future__ import annotations

import numpy as np


class Nested:
    """The scalars and functions of l of one point z, from (q, r, h) by their definitions."""

    def __init__(self, limit, q, h, z):
        self.psi_n, self.psi_p = limit.samples_per_dim, limit.features_per_dim
        self.l, self.w = np.asarray(limit.values), np.asarray(limit.weights)
        self.alpha, self.b2, self.v2, self.s2 = limit.gain * limit.signal, limit.gain * limit.noise, limit.v2, limit.s2
        self.q = q
        self.delta = self.psi_p / self.psi_n * (self.alpha * h + self.v2 * q)
        self.k = self.v2 / (1 + self.delta) + self.s2 - z
        self.s = self.alpha * self.l / (1 + self.delta) + self.b2
        # r̂ + lĥ = 1/q + ψ_p S is what Q̄ = 1/(k + ψ_p S/(1+e)) divides: 1 + e = 1/(kq)
        self.e = 1 / (self.k * q) - 1
        self.q_bar = 1 / (self.k + self.psi_p * self.s / (1 + self.e))
        self.y = self.psi_p / (self.k * (1 + self.e) + self.psi_p * self.s)

    def consistent(self):
        """How far the defining equations of (q, δ, e) are from holding."""
        return (
            abs(self.e - self.w @ (self.s * self.q_bar)),
            abs(self.q - (1 - (self.w @ (self.s * self.y)) / self.psi_p) / self.k),
            abs(self.delta - (self.alpha * (self.w @ (self.l * self.y)) + self.v2 * self.psi_p * self.q) / self.psi_n),
        )


def overlap(one: Nested, two: Nested):
    """P(z, z')."""
    w, l = one.w, one.l  # noqa: E741
    yy, qq = one.y * two.y, one.q_bar * two.q_bar
    factor = one.psi_p / ((1 + one.e) * (1 + two.e))
    middle = one.k * two.k * factor / (1 - factor * (w @ (one.s * two.s * qq)))

    def pair(k1, k2):
        return w @ (k1 * k2 * yy) + middle * (w @ (k1 * qq)) * (w @ (k2 * qq))

    def trace(k):  # (1/d) Tr K Wᵀ R R' W/d
        return (w @ (k * one.y) - pair(k, two.s)) / two.k

    squared = (one.psi_p * one.q - trace(two.s)) / (one.psi_n * two.k)
    ones = np.ones_like(l)

    def inner(k, linear, constant):
        return pair(k, linear) + constant * trace(k)

    def sample(linear, constant):
        direct = one.alpha / one.psi_n * inner(l, linear, constant)
        return direct + one.v2 * (trace(linear) / one.psi_n + constant * squared)

    linear, spread = one.alpha * l + one.b2, one.v2 + one.s2
    through = sample(linear, spread) / ((1 + one.delta) * (1 + two.delta) - sample(one.alpha * l, one.v2))
    return one.b2 * (inner(ones, linear, spread) + inner(ones, one.alpha * l, one.v2) * through)
