"""The Gaussian-equivalent model as a sample (equations.md §2; Bonnaire et al. 2025, Lemma C.1).

φ is replaced by a Gaussian vector of the same moments given the data: with G = e^{−t} a W Xᵀ/√d + v Ω, at m = ∞
    U = GGᵀ/n + b² WWᵀ/d + s² I,   V = Ṽ = b W/√d,   Ũ = a² W Σ_t Wᵀ/d + (v² + s²) I.
U − s² = FFᵀ with F = [G/√n, b W/√d] of width n + d: where that is below p, its Gram matrix FᵀF is decomposed instead,
and the p − n − d eigenvalues left over are s² exactly. FᵀF is a sum over features: F itself is never held.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers, namespace, placed, put
from rfsim.computing.precision import require_float64
from rfsim.problem.activations import Constants
from rfsim.problem.data import stream
from rfsim.problem.diffusion import diffuse, noise_variance, signal
from rfsim.problem.model import Problem
from rfsim.problem.realization import Instance, frozen_draws
from rfsim.sample.moments import moments_of_features
from rfsim.sample.spectra.eigen import eigh, relative_residual, rounding
from rfsim.sample.spectra.sample import SampleSpectrum, decomposition

CHUNK_BYTES = 64 * 2**20  # of F, held at once where its Gram matrix is summed


class GaussianTarget(NamedTuple):
    """The population in the eigenbasis of a sampled U (`protocol.Target`), without a matrix wider than F.

    QᵀŨQ = noise·covariance·noiseᵀ/Δ + isotropic·I with covariance = Σ_t (dim, dim) and noise = QᵀṼ (rows, dim): the
    last rows of it, all others being zero. sources are the spectrum's own, (sources, points, dim).
    """

    noise: Numbers
    covariance: Numbers
    noise_variance: float
    isotropic: float
    sources: Numbers
    constant: float = 1.0

    def cross(self, g: Numbers, source: int = 0) -> Numbers:
        """As `protocol.Target` has it."""
        rows, dim = self.noise.shape
        return g[..., -rows:] @ (self.sources[source, -rows:] * self.noise).sum(1) / dim

    def overlap(self, f: Numbers, g: Numbers, left: int = 0, right: int = 0) -> Numbers:
        """As `protocol.Target` has it."""
        rows, dim = self.noise.shape
        # rows × rows, as large as what was decomposed: with all times at once there is one product for each of them
        table = (self.noise @ self.covariance @ self.noise.T) * (
            self.sources[left, -rows:] @ self.sources[right, -rows:].T
        )
        linear = ((f[..., -rows:] @ table) * g[..., -rows:]).sum(-1)
        shared = (f * g) @ (self.sources[left] * self.sources[right]).sum(1)
        return (linear / self.noise_variance + self.isotropic * shared) / dim


def gaussian_spectrum(problem: Problem, draw: Instance, constants: Constants) -> SampleSpectrum:
    """The decomposed U of one draw of the Gaussian-equivalent model; W and the points are those of the real model.

    Ω (features, samples), and at finite m the draws of s, come from streams of their own. The basis is left empty: a
    `gaussian_target` needs none. Raises RuntimeError in float32, and at finite m ValueError where eigenvalues drown in
    rounding.
    """
    require_float64()
    d, n, p = draw.sizes
    if math.isfinite(problem.noise_copies):
        moments = moments_of_features(draw.sizes.features, frozen_features(problem, draw, constants))
        zero = p - gaussian_rank(problem, draw, constants)
        return decomposition(problem, draw, moments, *eigh(moments.second), zero=zero)
    width = n + d
    if width < p:
        gram = placed(_gram(problem, draw, constants))
        mu, rotation = eigh(gram)
        # with V = F·last, QᵀV = √μ Rᵀ·last for FᵀF = R μ Rᵀ and Q = F R/√μ
        rows = np.sqrt(np.maximum(mu, 0.0))[:, None] * rotation[n:].T
        residual = relative_residual(gram, mu, rotation, np.eye(width, d, -n))
    else:
        factor = gaussian_factor(problem, draw, constants)
        square = factor @ factor.T
        mu, basis = eigh(square)
        rows = basis.T @ factor[:, n:]
        residual = relative_residual(square, mu, basis, np.eye(p, min(d, p)))
    # what lies beyond the rank of F is rounding, and has no share of V
    beyond = mu.size - gaussian_rank(problem, draw, constants)
    kept, xp = np.arange(mu.size) >= beyond, namespace(mu)
    absent = p - mu.size
    points = constants.s2 + xp.pad(mu * kept, (absent, 0))
    sources = xp.pad(rows * kept[:, None], ((absent, 0), (0, 0)))[None]
    return SampleSpectrum(points, np.zeros(0), sources, 1.0, 0, rounding(float(points[-1])), float(residual))


def gaussian_target(problem: Problem, draw: Instance, constants: Constants, spectrum: SampleSpectrum) -> GaussianTarget:
    """The population seen from a `gaussian_spectrum`: Gaussian features of the population's second moment."""
    covariance = population_covariance(problem, draw)
    if math.isfinite(problem.noise_copies):
        noise = spectrum.basis.T @ noise_moment(draw, constants)
    else:  # V = Ṽ, and beyond the width of F they have no share
        noise = spectrum.sources[0, -min(draw.sizes.features, draw.sizes.samples + draw.sizes.dim) :]
    delta, isotropic = noise_variance(problem.diffusion_time), constants.v2 + constants.s2
    return GaussianTarget(noise, covariance, delta, isotropic, spectrum.sources)


def gaussian_rank(problem: Problem, draw: Instance, constants: Constants) -> int:
    """The rank of U, at m = ∞ that of U − s²: what V and the products with U can reach."""
    d, n, p = draw.sizes
    if math.isfinite(problem.noise_copies):
        return min(n * int(problem.noise_copies), p if constants.v2 + constants.s2 > 0 else d, p)
    return min(n + d if constants.v2 > 0 else d, p)


def gaussian_factor(problem: Problem, draw: Instance, constants: Constants) -> Numbers:
    """F (features, samples + dim) of U = s² + FFᵀ at m = ∞: on the device alone, where its rows are put by chunks."""
    d, n, p = draw.sizes
    factor = placed(np.zeros((p, n + d)))
    for where, rows in _factor_rows(problem, draw, constants):
        factor = put(factor, where, rows) if namespace(factor) is np else _put(factor, rows, where.start)
    return factor


def frozen_features(
    problem: Problem, draw: Instance, constants: Constants
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """φ (features, samples) and ξ (samples, dim) of each frozen copy: G + b W ξ/√d + s Z."""
    of_points = np.concatenate([rows for _, rows in _of_points(problem, draw, constants)])
    noise = noise_moment(draw, constants)
    for copy, (_, xi) in enumerate(frozen_draws(draw, problem)):
        fresh = stream(draw.seed, f"gaussian/noise/{copy}").standard_normal(of_points.shape)
        yield of_points + noise @ xi.T + math.sqrt(constants.s2) * fresh, xi


def population_covariance(problem: Problem, draw: Instance) -> NDArray[np.float64]:
    """Σ_t = E x_t x_tᵀ without its noise, (dim, dim), with the means of a mixture in it."""
    return diffuse(draw.population, problem.diffusion_time).second


def noise_moment(draw: Instance, constants: Constants) -> NDArray[np.float64]:
    """V = Ṽ = b W/√d, (features, dim)."""
    return constants.b / math.sqrt(draw.sizes.dim) * draw.weights


def _gram(problem: Problem, draw: Instance, constants: Constants) -> NDArray[np.float64]:
    """FᵀF (samples + dim, samples + dim), a chunk of features at a time."""
    width = draw.sizes.samples + draw.sizes.dim
    gram = np.zeros((width, width))
    for _, rows in _factor_rows(problem, draw, constants):
        gram += rows.T @ rows  # numpy sees the same matrix twice, and does half of the operations
    return gram


def _factor_rows(problem: Problem, draw: Instance, constants: Constants) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """F = [G/√n, b W/√d] by chunks of rows, and where each belongs."""
    noise = noise_moment(draw, constants)
    for where, rows in _of_points(problem, draw, constants):
        yield where, np.hstack([rows / math.sqrt(draw.sizes.samples), noise[where]])


def _of_points(problem: Problem, draw: Instance, constants: Constants) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """G = e^{−t} a W Xᵀ/√d + v Ω, (features, samples), by chunks of rows: Ω is one stream, whatever their size."""
    d, n, p = draw.sizes
    generator = stream(draw.seed, "gaussian/points")
    linear = signal(problem.diffusion_time) * constants.a / math.sqrt(d) * draw.points.T
    chunk = max(CHUNK_BYTES // (8 * (n + d)), 1)
    for start in range(0, p, chunk):
        where = slice(start, min(start + chunk, p))
        rows = generator.standard_normal((where.stop - start, n))
        rows *= math.sqrt(constants.v2)
        rows += draw.weights[where] @ linear
        yield where, rows


@partial(jax.jit, donate_argnums=0)
def _put(whole: Numbers, rows: Numbers, start: int) -> Numbers:
    return jax.lax.dynamic_update_slice_in_dim(whole, rows, start, axis=0)
