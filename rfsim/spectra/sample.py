"""A sampled U decomposed, and its targets seen from its eigenbasis (`protocol.Spectrum`, `protocol.Target`)."""

from __future__ import annotations

import itertools
import math
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike, NDArray

from rfsim.diffusion import diffuse, noise_variance
from rfsim.model import Instance, Problem, frozen_draws, training_law
from rfsim.moments import Moments, averaged_moments, frozen_moments
from rfsim.precision import require_float64
from rfsim.spectra.parts import part_counts

ROTATION_BLOCKS = 8


class SampleSpectrum(NamedTuple):
    """A sampled U in its eigenbasis (`protocol.Spectrum`).

    points: eigenvalues ascending (features,); basis: Q (features, features); sources: QᵀS_j (sources, features, dim);
    constant: loss of the zero score; orders: of U; error_bound: on its eigenvalues; residual: ‖UB − QΛQᵀB‖_F over
    λ_max‖B‖_F for B = V.
    """

    points: Array
    basis: Array
    sources: Array
    constant: float
    orders: int
    error_bound: float
    residual: float

    def own(self, g: Array, left: int = 0, right: int = 0) -> Array:
        return g @ (self.sources[left] * self.sources[right]).sum(1) / self.sources.shape[2]


class SampleTarget(NamedTuple):
    """Ũ and Ṽ in the eigenbasis of a sampled U (`protocol.Target`): QᵀŨQ, QᵀṼ, and the spectrum's own sources."""

    second: Array
    noise: Array
    sources: Array
    constant: float
    orders: int
    error_bound: float

    def cross(self, g: Array, source: int = 0) -> Array:
        return g @ (self.sources[source] * self.noise).sum(1) / self.noise.shape[1]

    def overlap(self, f: Array, g: Array, left: int = 0, right: int = 0) -> Array:
        f, g = jnp.broadcast_arrays(f, g)
        flat = _overlap(
            f.reshape(-1, f.shape[-1]), g.reshape(-1, g.shape[-1]), self.sources[left], self.sources[right], self.second
        )
        return flat.reshape(f.shape[:-1]) / self.noise.shape[1]


def sample_spectrum(
    problem: Problem, draw: Instance, *, start: ArrayLike | None = None, tolerance: float = 1e-6
) -> SampleSpectrum:
    """Decompose the U of one draw; `start` is Ā_0 (dim, features), if training does not begin at zero.

    The error of U by truncated orders is held below tolerance × (λ_min + γ): the moments work from an estimate of
    λ_min, the eigenvalues decide, and the moments are computed again in the rare case that the estimate was too high.
    `error_bound` adds what rounding in float64 does to any eigenvalue, about 4 eps λ_max: where λ_min is smaller than
    1e9 times that, its relative accuracy is the lower for it.
    """
    require_float64()
    moments, lam, basis = _decomposed(problem, draw, tolerance)
    residual = float(_residual(moments.second, lam, basis, moments.noise))
    v, zero = basis.T @ moments.noise, part_counts(*_sizes(draw), problem.noise_copies)["zero"]
    _require_resolved(problem, draw, np.asarray(lam)[zero:])
    if zero:
        # V lies in the range of U: outside of it only rounding is left, and 1/λ would blow it up
        lam, v = lam.at[:zero].set(0.0), v.at[:zero].set(0.0)
    rounding = 4 * np.finfo(float).eps * float(lam[-1])
    sources = [v]
    if start is not None:
        scale = math.sqrt(noise_variance(problem.diffusion_time))
        sources.append(-scale * (basis.T @ jnp.asarray(start).T))
    return SampleSpectrum(
        lam, basis, jnp.stack(sources), moments.constant, moments.orders, moments.error_bound + rounding, residual
    )


def population_moments(
    problem: Problem, draw: Instance, spectrum: SampleSpectrum, *, tolerance: float = 1e-6
) -> Moments:
    """Ũ and Ṽ of the draw's population, to the accuracy that the spectrum's smallest eigenvalue asks for."""
    t = problem.diffusion_time
    smallest = float(spectrum.points[int(jnp.argmax(spectrum.points > 0))])
    return averaged_moments(
        draw.weights,
        diffuse(draw.population, t),
        problem.sigma,
        noise_scale=math.sqrt(noise_variance(t)),
        tolerance=tolerance,
        floor=smallest + problem.ridge,
    )


def sample_target(spectrum: SampleSpectrum, moments: Moments) -> SampleTarget:
    """A target's moments in the eigenbasis of `spectrum`: the one change of basis."""
    return SampleTarget(
        _rotate(spectrum.basis, moments.second),
        spectrum.basis.T @ moments.noise,
        spectrum.sources,
        moments.constant,
        moments.orders,
        moments.error_bound,
    )


def _decomposed(problem: Problem, draw: Instance, tolerance: float) -> tuple[Moments, Array, Array]:
    """U and V of one draw, and the eigenvalues and eigenvectors of U, with U's truncation checked against λ_min."""
    if math.isfinite(problem.noise_copies):
        moments = frozen_moments(draw.weights, frozen_draws(draw, problem), problem.sigma)
        return moments, *_eigh(moments.second)
    law = training_law(draw, problem.diffusion_time)
    scale, floor = math.sqrt(noise_variance(problem.diffusion_time)), None
    while True:
        moments = averaged_moments(
            draw.weights,
            law,
            problem.sigma,
            noise_scale=scale,
            tolerance=tolerance,
            floor=floor,
            ridge=problem.ridge,
        )
        lam, basis = _eigh(moments.second)
        # what the eigenvalues can still promise when truncation has moved them by its bound
        floor = float(lam[0]) - moments.error_bound + problem.ridge
        if moments.error_bound <= tolerance * floor:
            return moments, lam, basis
        floor = max(floor, 0.01 * moments.error_bound / tolerance)


def _require_resolved(problem: Problem, draw: Instance, lam: NDArray[np.float64]) -> None:
    """Refuse nonzero eigenvalues that a decomposition in float64 cannot tell from rounding."""
    resolution = 1e-14 * math.sqrt(draw.sizes.features) * float(lam[-1])
    if lam[0] + problem.ridge <= resolution:
        d, n, p = draw.sizes
        raise ValueError(
            f"U has the eigenvalue {lam[0]:.1e} at dim {d}, samples {n}, features {p}, diffusion_time "
            f"{problem.diffusion_time:g}, and float64 resolves {resolution:.1e}; add a ridge or take fewer features"
        )


def _sizes(draw: Instance) -> tuple[int, int, int]:
    return draw.sizes.features, draw.sizes.samples, draw.sizes.dim


@jax.jit
def _eigh(second: Array) -> tuple[Array, Array]:
    values, vectors = jnp.linalg.eigh(second, symmetrize_input=False)
    return values, vectors


@jax.jit
def _residual(second, lam, basis, probe):
    difference = second @ probe - basis @ (lam[:, None] * (basis.T @ probe))
    return jnp.linalg.norm(difference) / (jnp.abs(lam).max() * jnp.linalg.norm(probe))


@jax.jit
def _rotate(basis: Array, second: Array) -> Array:
    """QᵀMQ by blocks of columns, upper blocks only and mirrored: three quarters of the products, one p × p less."""
    p = second.shape[0]
    edges = np.linspace(0, p, min(ROTATION_BLOCKS, p) + 1).astype(int).tolist()
    out = jnp.zeros_like(second)
    for lo, hi in itertools.pairwise(edges):
        part = basis[:, :hi].T @ (second @ basis[:, lo:hi])
        out = out.at[:hi, lo:hi].set(part)
        out = out.at[lo:hi, :lo].set(part[:lo].T)
    return out


@jax.jit
def _overlap(f, g, left, right, second):
    """Σ_kl f_k (left·rightᵀ ∘ second)_kl g_l for each row of f, g (times, points), by blocks of rows of `second`."""
    p = second.shape[0]
    block = min(256, p)
    padded = -(-p // block) * block

    def rows(total, start):
        # the last block slides back to end at p: rows it shares with the one before are masked out
        at = jnp.minimum(start, p - block)
        fresh = (at + jnp.arange(block) >= start)[:, None]
        take = partial(jax.lax.dynamic_slice_in_dim, start_index=at, slice_size=block)
        weighted = (take(left) * fresh) @ right.T * take(second)
        return total + (take(f, axis=1) * (g @ weighted.T)).sum(1), None

    return jax.lax.scan(rows, jnp.zeros(f.shape[0]), jnp.arange(0, padded, block))[0]
