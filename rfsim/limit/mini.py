"""The mini-bulk: where it lies at large ψ, and at which ψ_p a gap opens between it and main (equations.md §5) [ours].

For p, n ≫ d the d loud directions of W project out of U, and what is left is s² + (v²/n) Ω D Ωᵀ with Ω (p, n) standard
normal and D = 1, but for d directions of the n-space. There the samples' signal and the noise of the features' linear
part cancel, and D is the noise's share ℓ = Δ/(e^{−2t}l + Δ) of a direction of variance l. That is a spiked covariance
(Baik, Ben Arous, Péché 2005): below a threshold the d eigenvalues stand alone, above it they are the edge of main.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rfsim.learning.timescales import mini_eigenvalue
from rfsim.limit.bulks import parts
from rfsim.limit.limits import Limit

FURTHEST = 2.0**12  # in units of ψ_n: as far as an opening is looked for


def noise_shares(limit: Limit) -> NDArray[np.float64]:
    """ℓ = Δ/(e^{−2t}l + Δ) for each variance l of the population, (atoms,)."""
    return np.asarray(limit.noise / (limit.signal * np.asarray(limit.values) + limit.noise))


def opening_ratio(limit: Limit) -> NDArray[np.float64]:
    """ψ_p/ψ_n = 1/(1−ℓ)² from which on the eigenvalues of l stand below main as ψ → ∞, (atoms,): e^{4t} at Σ = I."""
    with np.errstate(divide="ignore"):  # a direction without signal never stands alone
        return 1 / (1 - noise_shares(limit)) ** 2


def large_eigenvalue(limit: Limit) -> NDArray[np.float64]:
    """`timescales.mini_eigenvalue` for each variance l, (..., atoms); the limit's ψ_n and ψ_p may be arrays (...,)."""
    psi_n, psi_p = (np.asarray(value)[..., None] for value in (limit.samples_per_dim, limit.features_per_dim))
    return mini_eigenvalue(limit, psi_n, psi_p, noise_shares(limit))


def opening(limit: Limit, tolerance: float = 1e-3) -> float | None:
    """ψ_p at which a gap opens between mini and main, at the rest of `limit`'s parameters, relative to `tolerance`.

    None where ψ_n ≤ 1, there is no main then, or where no gap opens up to ψ_p = FURTHEST · ψ_n. Raises NotConverged.
    """
    if limit.samples_per_dim <= 1:
        return None
    lower = limit.samples_per_dim  # no mini at p ≤ n
    upper = 2 * lower
    while not separate(limit._replace(features_per_dim=upper)):
        lower, upper = upper, 2 * upper
        if upper > FURTHEST * limit.samples_per_dim:
            return None
    while upper > (1 + tolerance) * lower:
        middle = math.sqrt(lower * upper)
        if separate(limit._replace(features_per_dim=middle)):
            upper = middle
        else:
            lower = middle
    return math.sqrt(lower * upper)


def separate(limit: Limit) -> bool:
    """Whether mini is a part of its own."""
    return any(part.name == "mini" for part in parts(limit))
