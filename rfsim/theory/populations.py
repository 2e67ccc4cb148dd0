"""ρ_Σ of the d → ∞ equations, as atoms: named populations, files of eigenvalues, and arrays of data.

isotropic, atoms and subspace are exact limits, and so is mixture (its two means are one direction of d, the rest is
isotropic). powerlaw has no limit that fits: its eigenvalues at `dim` directions stand for it, as those of a file or
of an array's covariance do, so that theory is that of n, p → ∞ along copies of these eigenvalues.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim import data
from rfsim.files import DataError, load

POWERLAW_DIM = 100
PREFIX = "eigenvalues:"


class Population(NamedTuple):
    """ρ_Σ as atoms: values l ≥ 0 and weights that sum to 1, both (atoms,)."""

    values: NDArray[np.float64]
    weights: NDArray[np.float64]

    @property
    def power(self) -> float:
        """σ_x² = ∫l dρ_Σ."""
        return float(self.weights @ self.values)

    @property
    def isotropic(self) -> bool:
        return np.ptp(self.values[self.weights > 0]) == 0


def population(spec: str, *, dim: int = POWERLAW_DIM) -> Population:
    """ρ_Σ of `isotropic[:VARIANCE]`, `atoms:…`, `powerlaw:ALPHA` (at `dim`), `subspace:…`, `mixture:…` or
    `eigenvalues:FILE` (.npy, .npz or .csv with one eigenvalue of Σ per entry).

    Raises data.DataError for a spec that cannot be read or values that no covariance has.

    >>> population("atoms:0.5@0.5,0.5@1.5")
    Population(values=array([0.5, 1.5]), weights=array([0.5, 0.5]))
    """
    if spec.startswith(PREFIX):
        return from_eigenvalues(_read(spec.removeprefix(PREFIX)))
    found = data.covariance(spec)
    if found is None:
        return from_eigenvalues(data.population(spec, dim).variances)
    return _checked(*found)


def from_eigenvalues(eigenvalues: ArrayLike) -> Population:
    """Equal weights on the eigenvalues (dim,) of a covariance; equal ones become one atom."""
    values, counts = np.unique(np.asarray(eigenvalues, dtype=np.float64).ravel(), return_counts=True)
    return _checked(values, counts / max(counts.sum(), 1))


def from_array(array: ArrayLike) -> Population:
    """Eigenvalues of the covariance XᵀX/rows of centered data (rows, dim)."""
    x = np.asarray(array, dtype=np.float64)
    scale = np.abs(x).max() or 1.0
    # rounding leaves eigenvalues of −1e-17 where there is no variance
    eigenvalues = np.linalg.svd(x / scale, compute_uv=False) ** 2 * scale**2 / len(x)
    return from_eigenvalues(np.pad(eigenvalues, (0, x.shape[1] - eigenvalues.size)))


def _read(path: str) -> NDArray[np.float64]:
    values = load(Path(path))
    if values.dtype.kind not in "fiu" or values.size == 0 or max(values.shape, default=1) != values.size:
        raise DataError(f"data file {path} must hold one real eigenvalue per entry; it has shape {values.shape}")
    return np.ravel(values)


def _checked(values: NDArray[np.float64], weights: NDArray[np.float64]) -> Population:
    if values.size == 0 or not np.all(np.isfinite(values)) or np.any(values < 0) or not np.any(values * weights > 0):
        raise DataError("the eigenvalues of Σ must be finite and not negative, and one of them positive")
    if np.any(weights < 0) or abs(weights.sum() - 1) > 1e-9:
        raise DataError(f"the weights of ρ_Σ must be positive and sum to 1; they sum to {weights.sum():.6g}")
    return Population(values, weights)
