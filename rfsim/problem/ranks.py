"""The parts of U by rank, counted at finite size and as masses of the limit (equations.md §8)."""

from __future__ import annotations

import math
from collections.abc import Sequence

PARTS = ("zero", "null", "mini", "main", "gen")


def part_counts(
    features: int,
    samples: int,
    dim: int,
    noise_copies: float = math.inf,
    degrees: Sequence[int] | None = None,
    *,
    inputs: int = 0,
) -> dict[str, int]:
    """Counts of the parts of U by rank, at finite size (§8).

    Args:
        features: p.
        samples: n.
        dim: d.
        noise_copies: m, noise draws per sample; inf where the noise is averaged.
        degrees: Of the monomials of a polynomial σ, whose features span Σ_k C(d+k−1, k) directions and no more; None
            for any other σ.
        inputs: d_y of the noise-free ones beside x_t, whose directions are gen's and leave no mini (§13).

    Returns:
        Counts by name, ascending in eigenvalue; they add up to features.

    >>> part_counts(6400, 800, 100)
    {'zero': 0, 'null': 5500, 'mini': 100, 'main': 700, 'gen': 100}
    """
    spanned = math.inf if degrees is None else sum(math.comb(dim + inputs + k - 1, k) for k in degrees)
    sizes = _sizes(features, samples, dim, noise_copies, spanned, inputs)
    return {name: int(size) for name, size in sizes.items()}


def part_masses(
    features_per_dim: float,
    samples_per_dim: float,
    noise_copies: float = math.inf,
    *,
    linear: bool = True,
    nonlinear: bool = True,
) -> dict[str, float]:
    """Masses of the parts of U as d → ∞ (§8).

    Args:
        features_per_dim: ψ_p.
        samples_per_dim: ψ_n.
        noise_copies: m, noise draws per sample; inf where the noise is averaged.
        linear: Whether σ has a linear part. Without one (a = 0) no direction is generalized: what the samples span is
            all main.
        nonlinear: Whether it has any other (v² + s² > 0). Without, the features span d directions and no more.

    Returns:
        Masses by name, ascending in eigenvalue; they add up to 1.

    >>> part_masses(64, 8)
    {'zero': 0.0, 'null': 0.859375, 'mini': 0.015625, 'main': 0.109375, 'gen': 0.015625}
    """
    dim, spanned = float(linear), math.inf if nonlinear else 1.0
    sizes = _sizes(features_per_dim, samples_per_dim, dim, noise_copies, spanned)
    return {name: size / features_per_dim for name, size in sizes.items()}


def _sizes(
    features: float, samples: float, dim: float, noise_copies: float, spanned: float, inputs: float = 0
) -> dict[str, float]:
    rank = min(features, samples * noise_copies, spanned)
    gen = min(dim + inputs, rank)
    main = min(max(samples - dim - inputs, 0), rank - gen)
    mini = min(samples, dim, rank - gen - main)
    null = rank - gen - main - mini
    return {"zero": features - rank, "null": null, "mini": mini, "main": main, "gen": gen}
