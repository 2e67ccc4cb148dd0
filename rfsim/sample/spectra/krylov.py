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
from scipy.linalg.lapack import dpotrf  # type: ignore[attr-defined]

from rfsim.computing.arrays import Numbers, compiled, namespace, placed
from rfsim.computing.blas import one_thread, suited
from rfsim.computing.decompositions import counted
from rfsim.computing.parallel import decomposing
from rfsim.computing.precision import require_float64
from rfsim.problem.model import Problem
from rfsim.problem.realization import Instance
from rfsim.sample.moments import Moments
from rfsim.sample.spectra.accurate import (
    next_floor,
    null_directions,
    population_above,
    require_resolved,
    training_moments,
)
from rfsim.sample.spectra.basis import KrylovBasis, SeenFrom
from rfsim.sample.spectra.eigen import eigh, eigvalsh, resolution, rounding
from rfsim.sample.spectra.operators import Seen
from rfsim.sample.spectra.sample import SampleSpectrum, decomposition
from rfsim.sample.spectra.targets import SampleTarget, sample_target

RATE_COUNTS, LEAST_COUNTS = 6, 4  # changes from block to block that the rate of convergence is fitted over
AGREEING = 3
RATES = 0.05, 0.95


def krylov_spectrum(
    problem: Problem, draw: Instance, *, tolerance: float = 1e-6, largest_share: float = 0.5
) -> tuple[SampleSpectrum, SampleTarget]:
    """Spectrum and population of one draw for losses of a fresh start, on a Krylov space, by `project` (§3).

    Where the basis would pass largest_share × features columns U is decomposed whole after all: `spectrum.blocks` is
    None then, and says otherwise how many blocks ran. Neither has labels of parts. The moments keep the promise of
    `sample_spectrum`, truncation below tolerance × (λ_min + γ), without eigenvalues: see `certified_moments`. Ũ is
    computed to tolerance × (θ_min + γ): it acts inside the Krylov space only, where no filter exceeds 1/(θ_min + γ).

    Peak memory: about 2.8 features² doubles beside the basis, while Ũ is assembled next to U (1.3 GiB in all, measured
    at p = 6400 with a basis of 1700 columns).

    Args:
        problem: What is asked.
        draw: Its population, points and weights.
        tolerance: Within which losses agree with the whole decomposition's, relative where they exceed 1.
        largest_share: Of the features, the most columns of the basis.

    Returns:
        The spectrum, its points Ritz values (columns,), and the population seen from it.

    Raises:
        ValueError: Where the noise average needs too many orders, or float64 does not resolve an eigenvalue.
        RuntimeError: In float32.
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
        # what a Ritz value asked for may be too little for the smallest eigenvalue
        fine = found and found[0].error_bound <= tolerance * smallest
        return spectrum, sample_target(spectrum, found[0] if fine else population(smallest))
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
        counted(again=True)
        lam = eigvalsh(moments.second)
        require_resolved(problem, draw, float(lam[0]), float(lam[-1]))
        floor = next_floor(moments, float(lam[0]), problem.ridge, tolerance)
        if floor is None:
            return moments


def project(
    training: Seen,
    target: Callable[[float], Seen],
    *,
    ridge: float = 0.0,
    rank: int | None = None,
    tolerance: float = 1e-6,
    largest_share: float = 1.0,
) -> tuple[SampleSpectrum, SampleTarget] | None:
    """U and V, Ũ and Ṽ on the smallest Krylov space of U on V's columns that the losses ask for (§3).

    The space grows by blocks of dim columns until it is exhausted — the result is exact then — or until own, cross and
    overlap of the minimizer at `ridge`, the slowest of the flow's filters, will change by no more than tolerance/2: see
    `remaining_change`.

    Args:
        training: U and V.
        target: Gives Ũ and Ṽ accurately enough for θ_min + γ of the space that L_train asks for.
        ridge: γ, in units of the eigenvalues of U.
        rank: Of U, where known to be less than features.
        tolerance: Of the losses, relative where they exceed 1.
        largest_share: Of the features, the most columns of the basis.

    Returns:
        The spectrum and the target; None where more than largest_share × features columns are needed.
    """
    found = _grown(training, target, ridge, rank, tolerance, largest_share)
    if found is None:
        return None
    with suited(len(found[0].second)):
        return _turned(*found)


# after every call the threads of BLAS spin for a while, on cores that the next product wants: a sixth of the time
@one_thread()
def _grown(
    training: Seen,
    target: Callable[[float], Seen],
    ridge: float,
    rank: int | None,
    tolerance: float,
    largest_share: float,
) -> tuple[KrylovBasis, SeenFrom, float] | None:
    most = largest_share * training.second.shape[0]
    basis, seen = KrylovBasis(training, rank, ridge, most), None
    while basis.edges[-1] + basis.pending <= most:
        basis.extend()
        if seen is None and remaining_change(basis, None) <= tolerance / 2:
            # half: later blocks lower the smallest Ritz value a little
            seen = SeenFrom(target(0.5 * basis.smallest()))
        if seen is not None:
            seen.extend(basis)
            change = remaining_change(basis, seen)
            if change <= tolerance / 2:
                return basis, seen, change
    return None


def remaining_change(basis: KrylovBasis, seen: SeenFrom | None) -> float:
    """What further blocks would still change in the minimizer's own (and cross and overlap, once `seen`).

    Relative where these exceed 1; 0 where the space is exhausted. Changes from block to block fall geometrically, but
    those of cross and overlap change sign on the way, and one can be small by chance. So it is the larger of two
    estimates: how far the last AGREEING counts lie apart, and the last changes, the largest of three carried to now at
    the rate fitted over RATE_COUNTS of them, extrapolated.
    """
    if basis.ended:
        return 0.0
    counts = range(max(len(basis.edges) - RATE_COUNTS - 1, 1), len(basis.edges))
    if len(counts) < LEAST_COUNTS:
        return np.inf
    values = np.array([basis.minimizer(count, seen) for count in counts])
    values /= np.maximum(1.0, np.abs(values[-1]))
    changes = np.abs(np.diff(values, axis=0)).max(axis=1)
    logs = np.log(np.maximum(changes, np.finfo(float).tiny))
    rate = np.exp(np.clip(np.polyfit(np.arange(len(logs)), logs, 1)[0], *np.log(RATES)))
    ahead = max(changes[-1 - k] * rate**k for k in range(3)) * rate / (1 - rate)
    return float(max(ahead, np.ptp(values[-AGREEING:], axis=0).max()))


def _turned(basis: KrylovBasis, seen: SeenFrom, change: float) -> tuple[SampleSpectrum, SampleTarget]:
    """Ritz values and vectors of T, and what is seen from them."""
    training, moments = basis.training, seen.moments
    theta, vectors = eigh(placed(basis.second))
    spectrum = SampleSpectrum(
        points=theta,
        basis=np.zeros((0, 0)),
        sources=(vectors[: len(basis.sources)].T @ basis.sources)[None],
        constant=training.constant,
        orders=training.orders,
        error_bound=training.error_bound + rounding(float(theta[-1])),
        residual=basis.residual(),
        blocks=len(basis.edges) - 1,
        remaining=change,
    )
    target = SampleTarget(
        second=_turn(vectors, seen.second),
        noise=vectors.T @ seen.noise,
        sources=spectrum.sources,
        constant=moments.constant,
        orders=moments.orders,
        error_bound=moments.error_bound,
    )
    return spectrum, target


@compiled
def _turn(vectors: Numbers, second: Numbers) -> Numbers:
    return vectors.T @ (second @ vectors)


@compiled
def _row_sum(second: Numbers) -> Numbers:
    return abs(second).sum(1).max()


def _exceeds(second: Numbers, bound: float) -> bool:
    """Whether all eigenvalues of a positive semidefinite matrix exceed `bound`, by whether second − bound factors."""
    if bound <= 0:
        return True
    if namespace(second) is jnp:
        return bool(jnp.isfinite(_last_pivot(second, bound)))
    moved = np.array(second.T, order="F")  # symmetric, so that its rows are read one after another
    np.fill_diagonal(moved, np.diagonal(moved) - bound)
    with suited(len(moved) // 3):  # much less work than a decomposition
        return dpotrf(moved, lower=True, overwrite_a=True, clean=False)[1] == 0


@decomposing
@jax.jit
def _last_pivot(second: Numbers, bound: float) -> Numbers:
    p = second.shape[0]
    return jnp.linalg.cholesky(second - bound * jnp.eye(p), symmetrize_input=False)[p - 1, p - 1]
