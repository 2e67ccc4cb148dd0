"""Moments as accurate as the smallest eigenvalue of U asks for, and what float64 resolves of it (T4, T6)."""

from __future__ import annotations

import math

import numpy as np

from rfsim.computing.arrays import Numbers, placed
from rfsim.computing.parallel import DeviceLayout
from rfsim.computing.precision import Unresolved
from rfsim.problem.conditions import Seen, joint
from rfsim.problem.diffusion import noise_variance
from rfsim.problem.laws import AnyLaw, ClassLaw
from rfsim.problem.model import Problem
from rfsim.problem.ranks import part_counts
from rfsim.problem.realization import EVERY, Instance, Kept, frozen_draws, seen_population, seen_training
from rfsim.sample.moments import Moments, averaged_moments, combined, sampled_moments
from rfsim.sample.spectra.eigen import eigh, resolution


def population_above(
    problem: Problem,
    draw: Instance,
    floor: float | None,
    *,
    tolerance: float = 1e-6,
    layout: DeviceLayout | None = None,
) -> Moments:
    """Ũ and Ṽ of the draw's population, the error of Ũ below tolerance × floor (T6).

    Args:
        problem: What is asked.
        draw: Its population, points and weights.
        floor: λ_min + γ as far as it is known; None for the moments' own estimate.
        tolerance: Relative to floor.
        layout: Of the devices over which their rows are divided.

    Returns:
        The moments.

    Raises:
        ValueError: Where the noise average needs too many orders.
    """
    return averaged(problem, draw, seen_population(draw, problem.diffusion_time), tolerance, floor, layout)


def training_moments(
    problem: Problem,
    draw: Instance,
    tolerance: float,
    floor: float | None,
    layout: DeviceLayout | None = None,
    kept: Kept = EVERY,
) -> Moments:
    """U and V of one draw: over its frozen noise, or averaged with an error of U below tolerance × floor.

    floor: λ_min + γ as far as it is known; None for the moments' own estimate. layout: as in `population_above`. kept:
    the training points that are averaged over.
    """
    if math.isfinite(problem.noise_copies):
        draws, weights = frozen_draws(draw, problem, kept), draw.weights
        if draw.inputs is not None:
            y, weights = draw.inputs.points[kept], joint(draw.weights, draw.inputs)
            draws = ((np.hstack([x, y]), xi) for x, xi in draws)
        return sampled_moments(weights, draws, draw.sigma, layout=layout)
    return averaged(problem, draw, seen_training(draw, problem.diffusion_time, kept), tolerance, floor, layout)


def averaged(
    problem: Problem,
    draw: Instance,
    law: AnyLaw | Seen,
    tolerance: float,
    floor: float | None,
    layout: DeviceLayout | None = None,
) -> Moments:
    """Moments averaged over a law's noise, the error of their second below tolerance × floor (T4, T5, §13).

    Those of a population of classes are a sum over these (§12).
    """
    if isinstance(law, ClassLaw):
        parts = (averaged(problem, draw, one, tolerance, floor, layout) for one in law.laws)
        return combined(law.shares.tolist(), parts)
    seen = law if isinstance(law, Seen) else Seen(draw.weights, law, None)
    return averaged_moments(
        seen.weights,
        seen.law,
        draw.sigma,
        slopes=seen.slopes,
        noise_scale=math.sqrt(noise_variance(problem.diffusion_time)),
        tolerance=tolerance,
        floor=floor,
        ridge=problem.ridge,
        layout=layout,
    )


def decomposed(
    problem: Problem, draw: Instance, tolerance: float, layout: DeviceLayout | None = None
) -> tuple[Moments, Numbers, Numbers]:
    """U and V of one draw, and the eigenvalues and eigenvectors of U, with U's truncation checked against λ_min.

    layout: as in `population_above`; every process decomposes the whole of U by itself.
    """
    floor = None
    while True:
        moments = training_moments(problem, draw, tolerance, floor, layout)
        second = moments.second if layout is None else placed(layout.whole(moments.second))
        lam, basis = eigh(second, again=floor is not None)
        floor = next_floor(moments, float(lam[null_directions(problem, draw)]), problem.ridge, tolerance)
        if floor is None:
            return moments, lam, basis


def next_floor(moments: Moments, smallest: float, ridge: float, tolerance: float) -> float | None:
    """λ_min + γ to compute the moments for again, given U's smallest eigenvalue; None where they are good enough."""
    # what the eigenvalues can still promise when truncation has moved them by its bound
    floor = smallest - moments.error_bound + ridge
    # nothing was left out where the bound is 0: a λ_min that rounding made negative is for the caller to refuse
    if moments.error_bound <= tolerance * max(floor, 0.0):
        return None
    return max(floor, 0.01 * moments.error_bound / tolerance)


def null_directions(problem: Problem, draw: Instance) -> int:
    """How many eigenvalues of U are zero by rank."""
    d, n, p = draw.sizes
    beside = 0 if draw.inputs is None else draw.inputs.weights.shape[1]
    return part_counts(p, n, d, problem.noise_copies, draw.sigma.degrees, inputs=beside)["zero"]


def require_resolved(problem: Problem, draw: Instance, smallest: float, largest: float) -> None:
    """Refuse a smallest nonzero eigenvalue that a decomposition in float64 cannot tell from rounding."""
    resolved = resolution(draw.sizes.features, largest)
    if smallest + problem.ridge <= resolved:
        d, n, p = draw.sizes
        raise Unresolved(
            f"U has the eigenvalue {smallest:.1e} at dim {d}, samples {n}, features {p}, diffusion_time "
            f"{problem.diffusion_time:g}, and float64 resolves {resolved:.1e}",
            "add a {ridge} or take fewer features",
        )
