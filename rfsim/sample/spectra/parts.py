"""The parts of a spectrum by rank, their gaps, and its density with atoms (equations.md §8)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class SamplePart:
    """One part of a sampled spectrum, by rank (§8).

    Attributes:
        name: "zero", "null", "mini", "main" or "gen".
        count: Number of eigenvalues.
        mass: count/p.
        lower: Smallest eigenvalue.
        upper: Largest eigenvalue.
        gap_below: Smallest eigenvalue here over the largest of the part below; None for the lowest part.
        merged: Whether that ratio does not exceed the largest ratio between neighbors inside the two parts.
    """

    name: str
    count: int
    mass: float
    lower: float
    upper: float
    gap_below: float | None
    merged: bool


class Density(NamedTuple):
    """Histogram of eigenvalues, with atoms apart (§5).

    Attributes:
        edges: Of the bins, ascending, (bins + 1,).
        density: ρ per unit λ, (bins,).
        atoms: Rows of position and mass, (atoms, 2).
    """

    edges: NDArray[np.float64]
    density: NDArray[np.float64]
    atoms: NDArray[np.float64]


def part_slices(counts: dict[str, int]) -> dict[str, slice]:
    """Where each non-empty part lies in the ascending eigenvalues (§8).

    Args:
        counts: Of the parts, ascending, from `part_counts`.

    Returns:
        A slice by name.
    """
    slices, start = {}, 0
    for name, count in counts.items():
        if count:
            slices[name] = slice(start, start + count)
        start += count
    return slices


def sample_parts(eigenvalues: ArrayLike, counts: dict[str, int]) -> list[SamplePart]:
    """The non-empty parts of a spectrum, with the ratio at each border (§8).

    Args:
        eigenvalues: Ascending, (features,).
        counts: Of the parts, from `part_counts`.

    Returns:
        The parts, ascending; their masses add up to 1.
    """
    lam = np.asarray(eigenvalues)
    found, below = [], None
    for name, where in part_slices(counts).items():
        inside = lam[where]
        gap, merged = None, False
        if below is not None:
            gap = _ratio(float(inside[0]), float(lam[below][-1]))
            merged = gap <= max(_widest_ratio(inside), _widest_ratio(lam[below]))
        size, lower, upper = len(inside), float(inside[0]), float(inside[-1])
        found.append(SamplePart(name, size, size / lam.size, lower, upper, gap, merged))
        below = where
    return found


def density(eigenvalues: ArrayLike, *, bins: int = 80, scale: str = "log") -> Density:
    """Histogram of eigenvalues; many that are equal to rounding become an atom (§5).

    Many is three, or one in a thousand: fewer of many eigenvalues agree to 1e-9 by chance. What is zero is always an
    atom.

    Args:
        eigenvalues: Of any shape and order, ≥ 0.
        bins: Number of bins.
        scale: "log" or "linear" bins.

    Returns:
        Bins and atoms, which together hold mass 1.

    Raises:
        ValueError: For another scale.
    """
    if scale not in ("log", "linear"):
        raise ValueError(f"scale must be 'log' or 'linear'; got {scale!r}")
    lam = np.sort(np.asarray(eigenvalues, dtype=float).ravel())
    tie = 1e-9 * np.maximum(np.abs(lam[1:]), 1e-13 * np.abs(lam).max())
    groups = np.split(lam, np.flatnonzero(np.diff(lam) > tie) + 1)
    tied = [g for g in groups if g[0] <= 0 or g.size >= max(3, 0.001 * lam.size)]
    atoms = np.array([(g.mean(), g.size / lam.size) for g in tied]).reshape(-1, 2)
    positions = {g[0] for g in tied}
    rest = np.concatenate([g for g in groups if g[0] not in positions] or [np.empty(0)])
    if rest.size == 0:
        return Density(np.array([0.0, 1.0]), np.zeros(1), atoms)
    low, high = rest[0], rest[-1] * (1 + 1e-12)
    if low == rest[-1]:
        low, high = low * (1 - 1e-6), low * (1 + 1e-6)
    edges = (np.geomspace if scale == "log" else np.linspace)(low, high, bins + 1)
    edges[0], edges[-1] = min(edges[0], rest[0]), max(edges[-1], rest[-1])
    counts, _ = np.histogram(rest, edges)
    return Density(edges, counts / lam.size / np.diff(edges), atoms)


def _ratio(above: float, below: float) -> float:
    return float(above / below) if below > 0 else math.inf


def _widest_ratio(inside: NDArray[np.float64]) -> float:
    if inside.size < 2 or inside[0] <= 0:
        return 1.0
    return float(np.max(inside[1:] / inside[:-1]))
