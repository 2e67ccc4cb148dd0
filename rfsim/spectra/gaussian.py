"""The Gaussian-equivalent model as a sample (equations.md §2; Bonnaire et al. 2025, Lemma C.1).

φ is replaced by a Gaussian vector of the same moments given the data: with G = e^{−t} a W Xᵀ/√d + v Ω, at m = ∞
    U = GGᵀ/n + b² WWᵀ/d + s² I,   V = Ṽ = b W/√d,   Ũ = a² W Σ_t Wᵀ/d + (v² + s²) I.
U − s² = FFᵀ with F = [G/√n, b W/√d] of width n + d: where that is below p, its Gram matrix FᵀF is decomposed instead,
and the p − n − d eigenvalues left over are s² exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from rfsim.activations import Constants
from rfsim.data import stream
from rfsim.diffusion import diffuse, noise_variance, signal
from rfsim.model import Instance, Problem, frozen_draws
from rfsim.moments import moments_of_features
from rfsim.precision import require_float64
from rfsim.spectra.sample import SampleSpectrum, decomposition, eigh, relative_residual, rounding


class GaussianTarget(NamedTuple):
    """The population in the eigenbasis of a sampled U (`protocol.Target`), without a matrix wider than F.

    QᵀŨQ = noise·covariance·noiseᵀ/Δ + isotropic·I with covariance = Σ_t (dim, dim) and noise = QᵀṼ (rows, dim): the
    last rows of it, all others being zero. sources are the spectrum's own, (sources, points, dim).
    """

    noise: Array
    covariance: Array
    noise_variance: float
    isotropic: float
    sources: Array
    constant: float = 1.0

    def cross(self, g: Array, source: int = 0) -> Array:
        rows, dim = self.noise.shape
        return g[..., -rows:] @ (self.sources[source, -rows:] * self.noise).sum(1) / dim

    def overlap(self, f: Array, g: Array, left: int = 0, right: int = 0) -> Array:
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
        moments = moments_of_features(draw.sizes.features, _frozen_features(problem, draw, constants))
        rank = min(n * int(problem.noise_copies), p if constants.v2 + constants.s2 > 0 else d)
        return decomposition(problem, draw, moments, *eigh(moments.second), zero=max(p - rank, 0))
    width = n + d
    factor = jnp.asarray(np.hstack([_of_points(problem, draw, constants) / math.sqrt(n), _noise(draw, constants)]))
    if width < p:
        gram = factor.T @ factor
        mu, rotation = eigh(gram)
        # with V = F·last, QᵀV = √μ Rᵀ·last for FᵀF = R μ Rᵀ and Q = F R/√μ
        rows = jnp.sqrt(jnp.maximum(mu, 0.0))[:, None] * rotation[n:].T
        residual = relative_residual(gram, mu, rotation, jnp.eye(width, d, -n))
    else:
        square = factor @ factor.T
        mu, basis = eigh(square)
        rows = basis.T @ factor[:, n:]
        residual = relative_residual(square, mu, basis, jnp.eye(p, min(d, p)))
    # what lies beyond the rank of F is rounding, and has no share of V
    beyond = max(mu.size - (width if constants.v2 > 0 else d), 0)
    mu, rows = mu.at[:beyond].set(0.0), rows.at[:beyond].set(0.0)
    absent = p - mu.size
    points = constants.s2 + jnp.pad(mu, (absent, 0))
    sources = jnp.pad(rows, ((absent, 0), (0, 0)))[None]
    return SampleSpectrum(points, jnp.zeros(0), sources, 1.0, 0, rounding(float(points[-1])), float(residual))


def gaussian_target(problem: Problem, draw: Instance, constants: Constants, spectrum: SampleSpectrum) -> GaussianTarget:
    """The population seen from a `gaussian_spectrum`: Gaussian features of the population's second moment."""
    law = diffuse(draw.population, problem.diffusion_time)
    covariance = np.diag(law.variances) + law.centers.T @ law.centers / len(law.centers)
    if math.isfinite(problem.noise_copies):
        noise = spectrum.basis.T @ jnp.asarray(_noise(draw, constants))
    else:  # V = Ṽ, and beyond the width of F they have no share
        noise = spectrum.sources[0, -min(draw.sizes.features, draw.sizes.samples + draw.sizes.dim) :]
    delta, isotropic = noise_variance(problem.diffusion_time), constants.v2 + constants.s2
    return GaussianTarget(noise, jnp.asarray(covariance), delta, isotropic, spectrum.sources)


def _of_points(problem: Problem, draw: Instance, constants: Constants) -> NDArray[np.float64]:
    """G = e^{−t} a W Xᵀ/√d + v Ω, (features, samples)."""
    d, n, p = draw.sizes
    linear = signal(problem.diffusion_time) * constants.a / math.sqrt(d) * draw.weights @ draw.points.T
    return linear + math.sqrt(constants.v2) * stream(draw.seed, "gaussian/points").standard_normal((p, n))


def _noise(draw: Instance, constants: Constants) -> NDArray[np.float64]:
    """b W/√d = Ṽ, (features, dim)."""
    return constants.b / math.sqrt(draw.sizes.dim) * draw.weights


def _frozen_features(problem: Problem, draw: Instance, constants: Constants) -> Iterator[tuple[NDArray, NDArray]]:
    """φ (features, samples) and ξ (samples, dim) of each frozen copy: G + b W ξ/√d + s Z."""
    of_points, noise = _of_points(problem, draw, constants), _noise(draw, constants)
    for copy, (_, xi) in enumerate(frozen_draws(draw, problem)):
        fresh = stream(draw.seed, f"gaussian/noise/{copy}").standard_normal(of_points.shape)
        yield of_points + noise @ xi.T + math.sqrt(constants.s2) * fresh, xi
