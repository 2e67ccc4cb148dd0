"""The spectrum of a sampled U: eigenvalues, its parts by rank, densities, and the target seen from its eigenbasis.

The module is `spectra` and not `spectrum` because `rfsim.spectrum` is the front door's function.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
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

ROTATION_BLOCKS = 8
PARTS = ("zero", "null", "mini", "main", "gen")


class SampleSpectrum(NamedTuple):
    """A sampled U in its eigenbasis (`protocol.Spectrum`).

    points: eigenvalues ascending (features,); basis: Q (features, features); sources: QᵀS_j (sources, features, dim);
    constant: loss of the zero score; orders, error_bound: of U (`moments.Moments`); residual: ‖UB − QΛQᵀB‖_F over
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


@dataclass(frozen=True)
class Bulk:
    """One part of a sampled spectrum, by rank (equations.md §8).

    gap_below: smallest eigenvalue here over the largest of the part below, None for the lowest part;
    merged: that ratio does not exceed the largest ratio between neighbors inside the two parts.
    """

    name: str
    count: int
    mass: float
    lower: float
    upper: float
    gap_below: float | None
    merged: bool


class Density(NamedTuple):
    """Histogram of eigenvalues: edges (bins + 1,), density ρ (bins,) per unit λ, atoms as (position, mass) rows."""

    edges: NDArray[np.float64]
    density: NDArray[np.float64]
    atoms: NDArray[np.float64]


def part_counts(features: int, samples: int, dim: int, noise_copies: float = math.inf) -> dict[str, int]:
    """Counts of the parts of U, ascending, by rank (equations.md §8); they add up to `features`.

    >>> part_counts(6400, 800, 100)
    {'zero': 0, 'null': 5500, 'mini': 100, 'main': 700, 'gen': 100}
    """
    rank = int(min(features, samples * noise_copies))
    gen = min(dim, rank)
    main = min(max(samples - dim, 0), rank - gen)
    mini = min(samples, dim, rank - gen - main)
    null = rank - gen - main - mini
    return {"zero": features - rank, "null": null, "mini": mini, "main": main, "gen": gen}


def part_slices(counts: dict[str, int]) -> dict[str, slice]:
    """Where each non-empty part lies in the ascending eigenvalues."""
    slices, start = {}, 0
    for name, count in counts.items():
        if count:
            slices[name] = slice(start, start + count)
        start += count
    return slices


def bulks(eigenvalues: ArrayLike, counts: dict[str, int]) -> list[Bulk]:
    """The non-empty parts of ascending eigenvalues, with the ratio at each border; masses add up to 1."""
    lam = np.asarray(eigenvalues)
    found, below = [], None
    for name, where in part_slices(counts).items():
        inside = lam[where]
        gap, merged = None, False
        if below is not None:
            gap = _ratio(float(inside[0]), float(lam[below][-1]))
            merged = gap <= max(_widest_ratio(inside), _widest_ratio(lam[below]))
        found.append(Bulk(name, len(inside), len(inside) / lam.size, float(inside[0]), float(inside[-1]), gap, merged))
        below = where
    return found


def density(eigenvalues: ArrayLike, *, bins: int = 80, scale: str = "log") -> Density:
    """Histogram of positive eigenvalues on "log" or "linear" bins; many that are equal to rounding become an atom.

    Many is three, or one in a thousand: fewer of many eigenvalues agree to 1e-9 by chance. What is zero is always an
    atom. Bins and atoms together hold mass 1.
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


def sample_spectrum(
    problem: Problem, draw: Instance, *, start: ArrayLike | None = None, tolerance: float = 1e-6
) -> SampleSpectrum:
    """Decompose the U of one draw; `start` is Ā_0 (dim, features), if training does not begin at zero.

    The error of U by truncated orders is held below tolerance × (λ_min + γ): the moments work from an estimate of
    λ_min, the eigenvalues decide, and the moments are computed again in the rare case that the estimate was too high.
    """
    require_float64()
    moments, lam, basis = _decomposed(problem, draw, tolerance)
    residual = float(_residual(moments.second, lam, basis, moments.noise))
    v, zero = basis.T @ moments.noise, part_counts(*_sizes(draw), problem.noise_copies)["zero"]
    _require_resolved(problem, draw, np.asarray(lam)[zero:])
    if zero:
        # V lies in the range of U: outside of it only rounding is left, and 1/λ would blow it up
        lam, v = lam.at[:zero].set(0.0), v.at[:zero].set(0.0)
    sources = [v]
    if start is not None:
        scale = math.sqrt(noise_variance(problem.diffusion_time))
        sources.append(-scale * (basis.T @ jnp.asarray(start).T))
    return SampleSpectrum(
        lam, basis, jnp.stack(sources), moments.constant, moments.orders, moments.error_bound, residual
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


def _ratio(above: float, below: float) -> float:
    return float(above / below) if below > 0 else math.inf


def _widest_ratio(inside: NDArray[np.float64]) -> float:
    if inside.size < 2 or inside[0] <= 0:
        return 1.0
    return float(np.max(inside[1:] / inside[:-1]))


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
