"""Eigenvalues of Σ from those of a sample covariance: as they are, shrunk, or deconvolved.

A sample covariance of n rows spreads its eigenvalues even where Σ = 1: as n, d → ∞ they follow the law of Marčenko and
Pastur (1967), of which the two estimates undo as much as each is made for.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FEWEST = 12  # rows, below which the kernel of `shrunk` is wider than any eigenvalue
ENOUGH = 5  # rows for each column, from which on a sample covariance may stand for Σ

_GRID = 200  # eigenvalues of Σ among which `deconvolved` looks for those there are
_HEIGHTS = 0.05, 0.1, 0.3  # of the points off the real axis, in units of the largest eigenvalue
_POINTS = 60  # at each height
_HELD = 1e3  # weight of total mass and mean beside the equations at the points


def shrunk(eigenvalues: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    """Ledoit and Wolf's analytical nonlinear shrinkage (Annals of Statistics 48(5), 2020).

    What uᵀΣu is along each eigenvector u of the sample covariance: the best that can be done with these eigenvectors.
    It lies closer together than the eigenvalues of Σ themselves.

    Args:
        eigenvalues: Of the sample covariance, (dim,).
        rows: Independent ones; one less than there are where the mean was taken off.

    Returns:
        The eigenvalues, (dim,), with the mean of those given.
    """
    positive = np.sort(eigenvalues[eigenvalues > 1e-12 * eigenvalues.max()])
    # where data do not vary there is nothing to shrink: these zeros are Σ's own
    d = eigenvalues.size if positive.size >= rows else positive.size
    lam = positive[max(0, positive.size - rows) :]
    ratio, width, root5 = d / rows, rows ** (-1 / 3), math.sqrt(5)
    spread = width * lam[None, :]
    x = (lam[:, None] - lam[None, :]) / spread
    density = (3 / (4 * root5) * np.maximum(1 - x**2 / 5, 0) / spread).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        tail = 3 / (4 * root5 * np.pi) * (1 - x**2 / 5) * np.log(np.abs((root5 - x) / (root5 + x)))
    transform = (-3 / (10 * np.pi) * x + np.where(np.abs(x) == root5, 0.0, tail)) / spread
    hilbert = transform.mean(axis=1)
    if d <= rows:
        found = lam / ((np.pi * ratio * lam * density) ** 2 + (1 - ratio - np.pi * ratio * lam * hilbert) ** 2)
    else:
        slope = np.log((1 + root5 * width) / (1 - root5 * width))
        at_zero = (3 / (10 * width**2) + 3 / (4 * root5 * width) * (1 - 1 / (5 * width**2)) * slope) / np.pi
        null = 1 / (np.pi * (d - rows) / rows * at_zero * (1 / lam).mean())
        range_ = 1 / (np.pi**2 * lam * (density**2 + hilbert**2))
        found = np.concatenate([np.full(d - lam.size, null), range_])
    found = np.concatenate([np.zeros(eigenvalues.size - d), found])
    return found * (eigenvalues.mean() / found.mean())


def deconvolved(eigenvalues: NDArray[np.float64], rows: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The law of Σ's eigenvalues by inverting the equation of Marčenko and Pastur (El Karoui, Ann. Stat. 36, 2008).

    With v(z) the Stieltjes transform of XXᵀ/n, known from the sample, z = −1/v + (d/n) ∫ l/(1 + l v) dρ_Σ is linear in
    ρ_Σ: weights on a grid of l are found by least squares, none of them negative.

    Args:
        eigenvalues: Of the sample covariance, (dim,).
        rows: Independent ones; one less than there are where the mean was taken off.

    Returns:
        Values l and weights that sum to 1, both (atoms,), with the mean of the eigenvalues given.
    """
    from scipy.optimize import nnls  # a tenth of a second that others do without

    top, ratio = float(eigenvalues.max()), eigenvalues.size / rows
    lam = np.maximum(eigenvalues, 0.0) / top
    along = np.linspace(-0.5, 1.5, _POINTS)
    z = np.concatenate([*(along + 1j * height for height in _HEIGHTS), -np.geomspace(1e-2, 10, _POINTS // 3) + 0j])
    v = (ratio - 1) / z + ratio * (1 / (lam - z[:, None])).mean(axis=1)
    grid = np.concatenate([[0.0], np.geomspace(1e-4, 1e-2, _GRID // 4, endpoint=False), np.linspace(1e-2, 1, _GRID)])
    left = z + 1 / v
    scale = 1 / np.abs(left)
    rows_of = (ratio * grid / (1 + v[:, None] * grid)) * scale[:, None]
    held = _HELD * np.stack([np.ones_like(grid), grid / lam.mean()])
    matrix = np.concatenate([rows_of.real, rows_of.imag, held])
    right = np.concatenate([(left * scale).real, (left * scale).imag, [_HELD, _HELD]])
    weights, _ = nnls(matrix, right, maxiter=100 * grid.size)
    kept = weights > 1e-9
    values, weights = grid[kept], weights[kept] / weights[kept].sum()
    return values * (eigenvalues.mean() / (weights @ values)), weights
