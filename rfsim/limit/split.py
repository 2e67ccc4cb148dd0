"""Linear scores of disjoint halves: how far apart the samples are that one noise becomes (equations.md §5, T30 to T33).

Wang, Zavatone-Veth and Pehlevan 2026 (arXiv 2602.02908): a finite sample renormalizes the noise of a linear score.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.limit.generation import generated
from rfsim.limit.populations import Population
from rfsim.limit.sample_covariance import sample_covariance
from rfsim.limit.solver import NotConverged
from rfsim.problem.diffusion import noise_variance, signal

NEWTON, ACCURACY, ROUNDING = 200, 1e-13, 8 * np.finfo(float).eps  # steps; relative, both
REACH, STEP = 24.0, 0.1  # of the trapezoidal rule over log tan θ, whose error is below 1e-10


class SplitDistance(NamedTuple):
    """Squared distances per dimension along the directions of Σ, (atoms,) (T32).

    Attributes:
        across: Between samples of two models from disjoint halves and the same noise.
        population: From those of one to those of the population's own score.
        variance: Of the samples of one.
    """

    across: NDArray[np.float64]
    population: NDArray[np.float64]
    variance: NDArray[np.float64]


def renormalized_noise(population: Population, samples_per_dim: float, noise: ArrayLike) -> NDArray[np.float64]:
    """κ(z) of E Σ̂(Σ̂ + z)^{-1} ≍ Σ(Σ + κ)^{-1}: κ − z = (1/ψ_n) ∫ κl/(κ + l) dρ_Σ (T30).

    Args:
        population: ρ_Σ.
        samples_per_dim: ψ_n.
        noise: z > 0, of any shape.

    Returns:
        κ, of the shape of noise.

    Raises:
        NotConverged: Where Newton's steps do not end.

    >>> float(renormalized_noise(Population(np.ones(1), np.ones(1)), 2.0, 0.5).round(6))
    0.707107
    """
    z = np.asarray(noise, dtype=float)[..., None]
    lam, weights = population.values, population.weights
    # convex and rising to the right of its root: Newton's steps from there never pass it
    kappa = z + population.power / samples_per_dim
    for _ in range(NEWTON):
        share = lam / (kappa + lam)
        value = kappa - z - kappa * (share @ weights)[..., None] / samples_per_dim
        slope = 1 - (share**2 @ weights)[..., None] / samples_per_dim
        step = value / slope
        # at ψ_n = 1 and z → 0 the slope vanishes with κ, and what is left of the value is rounding
        done = (np.abs(step) <= ACCURACY * kappa) | (np.abs(value) <= ROUNDING * kappa)
        kappa = np.maximum(kappa - step, z)
        if done.all():
            return kappa[..., 0]
    raise NotConverged(f"the renormalized noise was not found at samples_per_dim {samples_per_dim:g}")


def split_distance(population: Population, samples_per_dim: float, *, first: float, last: float) -> SplitDistance:
    """How far apart models of disjoint halves are, ψ_n = n/d of each (T31, T32).

    A linear score of Σ̂ takes σ_T z to [(Σ̂ + σ_0²)/(Σ̂ + σ_T²)]^{1/2} σ_T z. The root is an integral over resolvents.

    Args:
        population: ρ_Σ.
        samples_per_dim: ψ_n of each half.
        first: σ_T² > σ_0², the variance of the noise at which sampling begins.
        last: σ_0² ≥ 0, that at which it ends.

    Returns:
        The distances.

    Raises:
        NotConverged: As `renormalized_noise`.
    """
    lam, weights = population.values, population.weights
    # to the left of log tan θ = −log σ_T the integrands are constants: what is left out there is e^{−REACH} of them
    left = -REACH - max(0.0, math.log(first / population.power) / 2)
    y = np.linspace(left, REACH, round((REACH - left) / STEP) + 1)
    sine2 = 1 / (1 + np.exp(-2 * y))  # u = σ_0² + (σ_T² − σ_0²) sin² θ, tan θ = e^y
    measure = (y[1] - y[0]) * (2 / np.pi) / (2 * np.cosh(y))
    u = last + (first - last) * sine2
    kappa, end = (renormalized_noise(population, samples_per_dim, one) for one in (u, first))
    part, rest = (first - last) * sine2 / u, last / u
    k, z = kappa[:, None], u[:, None]
    # what a finite sample adds to the noise, κ − u without the difference
    added, more = (one * (lam / (lam + one[..., None]) @ weights) / samples_per_dim for one in (kappa, end))
    root = math.sqrt(first)
    mean = root * (measure @ ((lam + k * rest[:, None]) / (lam + k)))
    lost = root * ((measure * part) @ ((lam / (lam + z)) * (added[:, None] / (lam + k))))
    truth = root * np.sqrt((lam + last) / (lam + first))
    variance = lam * (first / (lam + end)) + last * end / (lam + end)
    shrunk = (first - last) / (lam + first) * (lam * more / (lam + end))
    # σ_TF is `mean`, and `truth` less `lost`; σ_T²G is `variance`, and `truth`² less `shrunk`: of many rows the second
    # form of each, of few the first, keeps its digits
    apart = 2 * lost * truth - shrunk
    across = np.where(lost < truth / 2, 2 * (apart - lost**2), 2 * (variance - mean**2))
    return SplitDistance(across, apart, variance)


def split_distance_in_steps(
    population: Population, samples_per_dim: float, *, times: NDArray[np.float64], sampler: str
) -> SplitDistance:
    """The same of samples that are made from N(0, I) in steps, as `rfsim.distill` makes them (T33).

    A step of a linear score is a polynomial of it, so that all of them are one function F of Σ̂. Units are those of
    x_t at the first of the times.

    Args:
        population: ρ_Σ.
        samples_per_dim: ψ_n of each half.
        times: Diffusion times where steps begin and end, ascending, (levels + 1,), the first above 0.
        sampler: "ddim", "euler" or "heun".

    Returns:
        The distances.
    """
    rule = sample_covariance(population.values, population.weights, samples_per_dim)
    factor, truth = (_in_steps(times, sampler, eigenvalues) for eigenvalues in (rule.points, population.values))
    mean, square = factor @ rule.measures, factor**2 @ rule.measures
    return SplitDistance(2 * (square - mean**2), square - 2 * mean * truth + truth**2, square)


def _in_steps(times: NDArray[np.float64], sampler: str, eigenvalues: NDArray[np.float64]) -> NDArray[np.float64]:
    """What steps of the score −(e^{−2t}Σ̂ + Δ)^{-1}x make of the noise along each eigenvector, (eigenvalues,)."""

    def score(time: float) -> NDArray[np.float64]:
        return -1 / (signal(time) ** 2 * eigenvalues + noise_variance(time))[None]

    found = generated(sampler, times, score, lambda time, variance: np.ones((1, 1))).factor
    assert found is not None  # samplers without noise have one
    return found[0]
