"""The losses of a fresh start without a whole decomposition: U, Ũ and Ṽ on the Krylov space of U on V's columns (§3).

Filters act on V alone, so span{V, UV, U²V, …} is all of U that a curve from zero can see. In an orthonormal basis K of
it, T = KᵀUK = RΘRᵀ has Ritz values Θ in the place of eigenvalues, and own, cross and overlap keep their formulas. Ritz
values carry no labels: parts of the spectrum and their energies need the whole decomposition of `sample_spectrum`.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg
from jax import Array

from rfsim.filters import flow
from rfsim.model import Instance, Problem
from rfsim.moments import Moments
from rfsim.precision import require_float64
from rfsim.spectra.basis import KrylovBasis, SeenFrom, Square
from rfsim.spectra.sample import (
    SampleSpectrum,
    SampleTarget,
    decomposition,
    eigh,
    next_floor,
    null_directions,
    population_above,
    require_resolved,
    resolution,
    rounding,
    sample_target,
    training_moments,
)

# cross and overlap do not converge from one side: two counts can agree by chance where the third still moves
AGREEING = 4
CHECKED_TIMES = 16


def krylov_spectrum(
    problem: Problem, draw: Instance, *, tolerance: float = 1e-6, largest_share: float = 0.5
) -> tuple[SampleSpectrum, SampleTarget]:
    """Spectrum and population of one draw for losses of a fresh start, by `project`; neither has labels.

    Where the basis would pass largest_share × features columns U is decomposed whole after all: `spectrum.blocks` is
    None then, and says otherwise how many blocks ran. Losses agree with the whole decomposition's to `tolerance`
    (relative where they exceed 1).

    The moments keep the promise of `sample_spectrum`, truncation below tolerance × (λ_min + γ), without eigenvalues:
    see `certified_moments`. Ũ is computed to tolerance × (θ_min + γ): it acts inside the Krylov space only, where no
    filter exceeds 1/(θ_min + γ).

    Peak memory: about 3.5 features² doubles beside the basis, while Ũ is assembled next to U (1.5 GiB in all, measured
    at p = 6400 with a basis of 1700 columns). Raises ValueError as `sample_spectrum` does.
    """

    def population(floor: float) -> Moments:
        return population_above(problem, draw, floor, tolerance=tolerance)

    training = certified_moments(problem, draw, tolerance)
    return reduced(problem, draw, training, population, tolerance=tolerance, largest_share=largest_share)


def reduced(
    problem: Problem,
    draw: Instance,
    training: Moments,
    population: Callable[[float], Moments],
    *,
    tolerance: float = 1e-6,
    largest_share: float = 0.5,
) -> tuple[SampleSpectrum, SampleTarget]:
    """`krylov_spectrum` from U, V and, given a lower bound on λ_min + γ or θ_min + γ, Ũ and Ṽ."""
    zero = null_directions(problem, draw)
    found: list[Moments] = []

    def once(floor: float) -> Moments:
        found.append(population(floor))
        return found[0]

    rank = draw.sizes.features - zero
    projected = project(
        training, once, ridge=problem.ridge, rank=rank, tolerance=tolerance, largest_share=largest_share
    )
    if projected is None:
        spectrum = decomposition(problem, draw, training, *eigh(training.second))
        smallest = float(spectrum.points[zero]) + problem.ridge
        return spectrum, sample_target(spectrum, found[0] if found else population(smallest))
    require_resolved(problem, draw, float(projected[0].points[0]), float(projected[0].points[-1]))
    return projected


def certified_moments(problem: Problem, draw: Instance, tolerance: float) -> Moments:
    """U and V of one draw with U's truncation below tolerance × (λ_min + γ), proved by one Cholesky factorization.

    Ritz values bound λ_min from above only. That U − (bound/tolerance + bound − γ) factors proves λ_min large enough
    (Sylvester) for a third of p³ operations. In the rare case that it does not factor the eigenvalues decide, as in
    `sample_spectrum`. Over frozen draws and for a polynomial that
    spans less than the features nothing is truncated, and U of full rank is held against rounding alone.

    Raises ValueError for an eigenvalue that float64 does not resolve.
    """
    require_float64()
    floor = None
    while True:
        moments = training_moments(problem, draw, tolerance, floor)
        if null_directions(problem, draw):
            return moments
        needed = moments.error_bound / tolerance + moments.error_bound
        # the largest row sum bounds λ_max from above, so this certifies no less than `require_resolved` asks for
        resolved = resolution(draw.sizes.features, float(_row_sum(moments.second)))
        if _exceeds(moments.second, max(needed, resolved) - problem.ridge):
            return moments
        lam = jnp.linalg.eigvalsh(moments.second)
        require_resolved(problem, draw, float(lam[0]), float(lam[-1]))
        floor = next_floor(moments, float(lam[0]), problem.ridge, tolerance)
        if floor is None:
            return moments


def project(
    training: Moments,
    target: Callable[[float], Moments],
    *,
    ridge: float = 0.0,
    rank: int | None = None,
    tolerance: float = 1e-6,
    largest_share: float = 1.0,
) -> tuple[SampleSpectrum, SampleTarget] | None:
    """`training` and `target` on the smallest Krylov space of U on V's columns that the losses ask for.

    target: Ũ and Ṽ to an accuracy, given θ_min + γ of the space that L_train asks for; rank: of U where known to be
    less than features. The space grows by blocks of dim columns until it is exhausted — the result is exact then — or
    until own, cross and overlap of the minimizer at `ridge`, the slowest filter, agree over the last AGREEING counts of
    blocks, and those of the flow at CHECKED_TIMES times over all scales over the last two, within tolerance/2.

    None where more than largest_share × features columns are needed.
    """
    basis = KrylovBasis(training, rank, ridge)
    seen: SeenFrom | None = None
    most = largest_share * training.second.shape[0]
    while basis.ended or basis.edges[-1] + basis.pending <= most:
        basis.extend()
        if seen is None and _settled(basis, None, tolerance):
            smallest = float(scipy.linalg.eigvalsh(basis.second, subset_by_index=[0, 0])[0])
            # half: later blocks lower the smallest Ritz value a little
            seen = SeenFrom(target(0.5 * (smallest + ridge)))
        if seen is not None:
            seen.extend(basis)
            if _settled(basis, seen, tolerance):
                spectrum, projected, change = _reduced(basis, seen)
                if change <= tolerance / 2:
                    return spectrum._replace(disagreement=change), projected
    return None


def _settled(basis: KrylovBasis, seen: SeenFrom | None, tolerance: float) -> bool:
    """Whether the minimizer's own (and cross and overlap, once `seen`) agree over the last AGREEING counts."""
    if basis.ended or len(basis.edges) <= AGREEING:
        return basis.ended
    counts = range(len(basis.edges) - AGREEING, len(basis.edges))
    values = np.array([basis.minimizer(count, seen) for count in counts])
    spread = np.ptp(values, axis=0) / np.maximum(1.0, np.abs(values[-1]))
    return bool(spread.max() <= tolerance / 2)


def _reduced(basis: KrylovBasis, seen: SeenFrom) -> tuple[SampleSpectrum, SampleTarget, float]:
    """The spectrum and target of a basis, and the most that its last block changed in the flow's curves.

    Of own, cross and overlap, at CHECKED_TIMES times over all scales and at infinity; 0 where the space is exhausted.
    """
    spectrum, target = _turned(basis, seen, basis.second)
    if basis.ended:
        return spectrum, target, 0.0
    cut, last = basis.second.copy(), basis.edges[-2]
    # without its coupling the last block has no share of V: one shape, one compiled program, serves both counts
    cut[last:, :last] = cut[:last, last:] = 0.0
    ridge = basis.ridge
    low, high = float(spectrum.points[0]) + ridge, float(spectrum.points[-1]) + ridge
    tau = jnp.asarray([*np.geomspace(1e-2 / high, 1e2 / low, CHECKED_TIMES), np.inf])
    now = np.asarray(_flow_values(spectrum, target, tau, ridge))
    before = np.asarray(_flow_values(*_turned(basis, seen, cut), tau, ridge))
    return spectrum, target, float(np.max(np.abs(now - before) / np.maximum(1.0, np.abs(now))))


def _turned(basis: KrylovBasis, seen: SeenFrom, second: Square) -> tuple[SampleSpectrum, SampleTarget]:
    """Ritz values and vectors of `second`, T or a part of it, and what is seen from them."""
    training = basis.training
    theta, vectors = eigh(jnp.asarray(second))
    spectrum = SampleSpectrum(
        points=theta,
        basis=jnp.zeros((0, 0)),
        sources=(vectors[: len(basis.sources)].T @ jnp.asarray(basis.sources))[None],
        constant=training.constant,
        orders=training.orders,
        error_bound=training.error_bound + rounding(float(theta[-1])),
        residual=basis.residual(),
        blocks=len(basis.edges) - 1,
    )
    moments = seen.moments
    target = SampleTarget(
        second=_turn(vectors, jnp.asarray(seen.second)),
        noise=vectors.T @ jnp.asarray(seen.noise),
        sources=spectrum.sources,
        constant=moments.constant,
        orders=moments.orders,
        error_bound=moments.error_bound,
    )
    return spectrum, target


@jax.jit
def _flow_values(spectrum: SampleSpectrum, target: SampleTarget, tau: Array, ridge: float) -> Array:
    """Twice own(f), own(λf²), twice cross(f) and overlap(f, f) of the flow at κτ = tau: (4, times)."""
    lam, f = spectrum.points, flow(tau, 1.0, ridge)(spectrum.points)
    return jnp.stack([2 * spectrum.own(f), spectrum.own(lam * f**2), 2 * target.cross(f), target.overlap(f, f)])


@jax.jit
def _turn(vectors: Array, second: Array) -> Array:
    return vectors.T @ (second @ vectors)


@jax.jit
def _row_sum(second: Array) -> Array:
    return jnp.abs(second).sum(1).max()


def _exceeds(second: Array, bound: float) -> bool:
    """Whether all eigenvalues of a positive semidefinite matrix exceed `bound`, by whether second − bound factors."""
    return bound <= 0 or bool(jnp.isfinite(_last_pivot(second, bound)))


@jax.jit
def _last_pivot(second: Array, bound: float) -> Array:
    p = second.shape[0]
    return jnp.linalg.cholesky(second - bound * jnp.eye(p), symmetrize_input=False)[p - 1, p - 1]
