"""A sampled U decomposed: its eigenvalues, its basis, and V seen from it (`protocol.Spectrum`).

Arrays are NumPy's on a CPU and JAX's on accelerators, as the moments are.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rfsim.computing.arrays import Numbers, namespace
from rfsim.computing.precision import require_float64
from rfsim.problem.diffusion import noise_variance
from rfsim.problem.model import Problem
from rfsim.problem.realization import Instance
from rfsim.sample.moments import Moments
from rfsim.sample.spectra.accurate import (
    decomposed,
    null_directions,
    require_resolved,
)
from rfsim.sample.spectra.eigen import relative_residual, rounding


class SampleSpectrum(NamedTuple):
    """A sampled U in its eigenbasis, or on a Krylov space (`spectra.krylov`), as a `protocol.Spectrum` (T8).

    Attributes:
        points: Eigenvalues ascending (features,), or Ritz values (columns,).
        basis: Q, (features, features); empty where it is not kept.
        sources: QᵀS_j, (sources, points, dim).
        constant: Loss of the zero score.
        orders: Hermite orders of U.
        error_bound: On the eigenvalues of U.
        residual: ‖UB − QΛQᵀB‖_F over λ_max‖B‖_F for B = V; of a Krylov space ‖V − (U + γ)X‖_F over ‖V‖_F for the
            minimizer X in it.
        blocks: Of the Krylov space; None for a whole decomposition.
        remaining: What further blocks are estimated to change in own, cross and overlap (relative where these exceed
            1); 0 where the space is exhausted.
    """

    points: Numbers
    basis: Numbers
    sources: Numbers
    constant: float
    orders: int
    error_bound: float
    residual: float
    blocks: int | None = None
    remaining: float = 0.0

    def own(self, g: Numbers, left: int = 0, right: int = 0) -> Numbers:
        """Trace (1/d) Tr S_leftᵀ g(U) S_right, as in `protocol.Spectrum` (T8).

        Args:
            g: Values of a function of U at the points, (..., points).
            left: Source on the left: 0 is V, 1 a start.
            right: Source on the right.

        Returns:
            The trace, (...).
        """
        return g @ (self.sources[left] * self.sources[right]).sum(1) / self.sources.shape[2]


def sample_spectrum(
    problem: Problem, draw: Instance, *, start: ArrayLike | None = None, tolerance: float = 1e-6
) -> SampleSpectrum:
    """Decompose the U of one draw (T4, T8).

    The error of U by truncated orders is held below tolerance × (λ_min + γ): the moments work from an estimate of
    λ_min, the eigenvalues decide, and the moments are computed again in the rare case that the estimate was too high.
    `error_bound` adds what rounding in float64 does to any eigenvalue, about 4 eps λ_max: where λ_min is smaller than
    1e9 times that, its relative accuracy is the lower for it.

    Args:
        problem: What is asked.
        draw: Its population, points and weights.
        start: Ā_0, (dim, features), if training does not begin at zero.
        tolerance: Of the moments, relative to λ_min + γ.

    Returns:
        The spectrum, its points the eigenvalues (features,).

    Raises:
        ValueError: Where the noise average needs too many orders, or float64 does not resolve the smallest nonzero
            eigenvalue and there is no ridge.
        RuntimeError: In float32.
    """
    require_float64()
    return decomposition(problem, draw, *decomposed(problem, draw, tolerance), start=start)


def decomposition(
    problem: Problem,
    draw: Instance,
    moments: Moments,
    lam: Numbers,
    basis: Numbers,
    *,
    zero: int | None = None,
    start: ArrayLike | None = None,
) -> SampleSpectrum:
    """The spectrum that eigenvalues and eigenvectors of given moments make (T8).

    Args:
        problem: What is asked.
        draw: Its population, points and weights.
        moments: U and V.
        lam: Eigenvalues of U, ascending, (features,).
        basis: Eigenvectors, (features, features).
        zero: How many eigenvalues are zero but for rounding; those of the real model by default.
        start: Ā_0, (dim, features), if training does not begin at zero.

    Returns:
        The spectrum.

    Raises:
        ValueError: Where float64 does not resolve the smallest nonzero eigenvalue and there is no ridge.
    """
    residual = float(relative_residual(moments.second, lam, basis, moments.noise))
    v, zero = basis.T @ moments.noise, null_directions(problem, draw) if zero is None else zero
    require_resolved(problem, draw, float(lam[zero]), float(lam[-1]))
    if zero:
        # V lies in the range of U: outside of it only rounding is left, and 1/λ would blow it up
        kept = np.arange(len(lam)) >= zero
        lam, v = lam * kept, v * kept[:, None]
    sources = [v]
    if start is not None:
        scale = math.sqrt(noise_variance(problem.diffusion_time))
        sources.append(-scale * (basis.T @ np.asarray(start).T))
    error_bound = moments.error_bound + rounding(float(lam[-1]))
    stacked = namespace(v).stack(sources)
    return SampleSpectrum(lam, basis, stacked, moments.constant, moments.orders, error_bound, residual)
