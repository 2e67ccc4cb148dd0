"""ρ_Σ of the d → ∞ equations, as atoms: named populations, files of eigenvalues, and arrays of data.

isotropic, atoms and subspace are exact limits, and so is mixture (its two means are one direction of d, the rest is
isotropic). powerlaw has no limit that fits: its eigenvalues at `dim` directions stand for it, as those of a file or
of an array's covariance do, so that theory is that of n, p → ∞ along copies of these eigenvalues.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.disk.files.numbers import DataError
from rfsim.limit import from_samples
from rfsim.problem import populations
from rfsim.problem.covariances import distinct
from rfsim.problem.populations import Data
from rfsim.quantities.parameters import COVARIANCE

POWERLAW_DIM = 100
ROUNDING = 1e-9  # of covariances that are multiples of one
MOST_APART = 16  # classes with an h each: every pair of points of a contour has a system of so many and two


class Population(NamedTuple):
    """ρ_Σ as atoms (§5).

    Attributes:
        values: l ≥ 0, (atoms,).
        weights: Which sum to 1, (atoms,).
        classes: Shares of classes and their powers in units of Σ's, (classes,) each; None without.
        by_class: l_c of each class at each atom, (atoms, classes), where these are no multiples of l.
    """

    values: NDArray[np.float64]
    weights: NDArray[np.float64]
    classes: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    by_class: NDArray[np.float64] | None = None

    @property
    def power(self) -> float:
        """σ_x² = ∫l dρ_Σ."""
        return float(self.weights @ self.values)

    @property
    def isotropic(self) -> bool:
        """Whether it is one Gaussian and all directions have one variance."""
        if self.by_class is not None or (self.classes is not None and np.ptp(self.classes[1]) > 0):
            return False
        return np.ptp(self.values[self.weights > 0]) == 0


def population(given: str | Data, *, dim: int = POWERLAW_DIM) -> Population:
    """ρ_Σ of data: a named population, or the eigenvalues of Σ or Σ itself in a file (equations.md §5).

    Args:
        given: Data, or their text: `isotropic[:VARIANCE]`, `atoms:…`, `powerlaw:ALPHA`, `subspace:…`, `mixture:…`,
            `eigenvalues:FILE` (one eigenvalue of Σ per entry) or `covariance:FILE`.
        dim: The dimension at which the eigenvalues of powerlaw stand for its limit.

    Returns:
        Values l ≥ 0 and weights that sum to 1, both (atoms,).

    Raises:
        DataError: For a text that cannot be read, samples, or values that no covariance has.

    >>> population("atoms:0.5@0.5,0.5@1.5")
    Population(values=array([0.5, 1.5]), weights=array([0.5, 0.5]), classes=None, by_class=None)
    """
    data = populations.read(given)
    if isinstance(data, populations.GaussianClasses):
        return _of_classes(data)
    found = data.covariance()
    if isinstance(data, populations.Classes):
        variances, shares = data.shares
        (mean,), weights = data.covariance()
        return Population(np.array([mean]), weights, (shares, variances / mean))
    return from_eigenvalues(data.law(dim).variances) if found is None else Population(*found)


def _of_classes(data: populations.GaussianClasses) -> Population:
    """ρ_Σ of classes without means; DataError for any others."""
    variances = data.variances_of_atoms()
    atoms, counts = np.unique(variances.T, axis=0, return_counts=True)
    weights, pooled = counts / counts.sum(), atoms @ data.weights
    powers = weights @ atoms
    scales = powers / (data.weights @ powers)
    if np.abs(atoms - pooled[:, None] * scales).max() > ROUNDING * atoms.max():
        if scales.size > MOST_APART:
            raise DataError(
                f"data {str(data)!r}: the limit takes at most {MOST_APART} classes whose covariances are no multiples "
                f"of one; got {scales.size}"
            )
        return Population(pooled, weights, (data.weights, scales), atoms)
    return Population(*data.covariance(), (data.weights, scales))


def from_eigenvalues(eigenvalues: ArrayLike) -> Population:
    """ρ_Σ with equal weights on the eigenvalues of a covariance; equal ones become one atom (§5).

    Args:
        eigenvalues: (dim,).

    Returns:
        The population.
    """
    return Population(*distinct(eigenvalues))


def from_array(array: ArrayLike, covariance: str = "sample", *, centered: bool = True) -> Population:
    """ρ_Σ of data by their covariance XᵀX/rows (§5), or an estimate of what lies behind it.

    Args:
        array: Centered, (rows, dim).
        covariance: "sample", "shrunk" or "deconvolved" (`from_samples`).
        centered: Whether the mean was taken off, which costs one row.

    Returns:
        The population.

    Raises:
        ValueError: For another covariance, or too few rows to estimate one.
    """
    if covariance not in COVARIANCE.choices:
        raise ValueError(f"covariance must be one of {', '.join(COVARIANCE.choices)}; got {covariance!r}")
    x = np.asarray(array, dtype=np.float64)
    scale = np.abs(x).max() or 1.0
    # rounding leaves eigenvalues of −1e-17 where there is no variance
    eigenvalues = np.linalg.svd(x / scale, compute_uv=False) ** 2 * scale**2 / len(x)
    eigenvalues = np.pad(eigenvalues, (0, x.shape[1] - eigenvalues.size))
    if covariance == "sample":
        return from_eigenvalues(eigenvalues)
    rows = len(x) - centered
    if rows < from_samples.FEWEST:
        least = from_samples.FEWEST + centered
        raise ValueError(f"covariance {covariance!r} needs at least {least} samples; got {len(x)}")
    if covariance == "shrunk":
        return from_eigenvalues(from_samples.shrunk(eigenvalues, rows))
    return Population(*from_samples.deconvolved(eigenvalues, rows))
