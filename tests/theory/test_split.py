"""Linear scores of disjoint halves: published numbers, samples, and the limits of many and of few rows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rfsim import Problem, theory
from rfsim.limit.populations import Population
from rfsim.limit.split import renormalized_noise, split_distance
from tests.commands import answer
from tests.commands import place as place

START = 0.5 * math.log1p(6400)  # σ_T = 80
# E‖x_1 − x_2‖²/d and to the population's map at d = 128, λ_j ∝ 1/j: means of 40 draws and their standard errors
PUBLISHED = {
    16: (1.225, 0.008, 0.857),
    64: (0.612, 0.003, 0.361),
    256: (0.1415, 0.0005, 0.0734),
    1024: (0.0349, 1e-4, 0.0175),
}


def harmonic(d):
    values = 1 / np.arange(1, d + 1)
    return Population(values / values.mean(), np.full(d, 1 / d))


def sampled(values, n, first, last, seed):
    """Squared distances per dimension of one draw: across, to the population's, and the variance of one."""
    rng, d = np.random.default_rng(seed), len(values)
    truth = np.diag(np.sqrt((values + last) / (values + first)))
    maps = []
    for _ in range(2):
        x = rng.standard_normal((n, d)) * np.sqrt(values)
        lam, basis = np.linalg.eigh(x.T @ x / n)
        lam = np.maximum(lam, 0)
        maps.append((basis * np.sqrt((lam + last) / (lam + first))) @ basis.T)
    one, two = maps
    return [first / d * ((left - right) ** 2).sum() for left, right in ((one, two), (one, truth), (one, 0 * truth))]


def test_the_renormalized_noise_is_as_published():
    found = [float(renormalized_noise(harmonic(256), 1 / one, 0.05)) for one in (0.25, 0.5, 1, 2, 3.2, 4, 8)]
    published = [0.06338, 0.08379, 0.16276, 0.51218, 1.12195, 1.58873, 4.31071]
    assert np.allclose(found, published, rtol=0, atol=6e-6)


def test_the_published_distances_are_those_of_samples_and_near_the_limit():
    for n, (across, error, apart) in PUBLISHED.items():
        draws = np.array([sampled(harmonic(128).values, n, 6400.0, 0.0, seed)[:2] for seed in range(8)])
        mean, spread = draws.mean(axis=0), draws.std(axis=0, ddof=1) / math.sqrt(len(draws))
        assert abs(mean[0] - across) < 4 * math.hypot(spread[0], error)
        found = split_distance(harmonic(128), n / 128, first=6400.0, last=0.0)
        weights = harmonic(128).weights
        assert weights @ found.across == pytest.approx(across, rel=0.025)
        assert weights @ found.population == pytest.approx(apart, rel=0.025)


def test_the_error_of_the_limit_falls_with_the_dimension():
    """Two variances, n = 2d, down to σ_0 > 0: within standard errors and a term 1/d."""
    population = Population(np.array([0.5, 1.5]), np.array([0.5, 0.5]))
    law = split_distance(population, 2.0, first=30.0, last=0.2)
    expected = np.array([population.weights @ one for one in law])
    for d in (20, 80):
        values = np.repeat([0.5, 1.5], d // 2)
        draws = np.array([sampled(values, 2 * d, 30.0, 0.2, seed) for seed in range(20)])
        error = draws.std(axis=0, ddof=1) / math.sqrt(len(draws))
        assert (np.abs(draws.mean(axis=0) - expected) < 4 * error + 0.5 / d * expected).all()


def test_of_many_rows_both_are_the_population_and_apart_as_one_over_n():
    population = harmonic(20)
    few, many = (split_distance(population, psi, first=100.0, last=0.1) for psi in (1e3, 1e4))
    assert (many.across >= 0).all()
    assert np.allclose(few.across / many.across, 10, rtol=0.02)
    # two of one variance each, to first order
    assert np.allclose(many.across, 2 * many.population, rtol=1e-2)
    assert np.allclose(many.variance, 100.0 * (population.values + 0.1) / (population.values + 100.0), rtol=1e-3)


def test_of_few_rows_they_share_no_more_than_the_directions_of_each():
    found = split_distance(harmonic(20), 1e-3, first=100.0, last=0.0)
    assert np.allclose(found.across, 2 * found.variance, rtol=5e-2)


def test_the_quantity_is_the_law(capsys, place):
    np.save("rows.npy", np.random.default_rng(0).standard_normal((200, 8)))
    given = ["--samples-per-dim", "2", "--time-max", "4", "--data", "atoms:0.5@0.5,0.5@1.5"]
    told = answer(capsys, "theory", "split", *given)
    law = split_distance(Population(np.array([0.5, 1.5]), np.array([0.5, 0.5])), 2.0, first=math.expm1(8.0), last=0.0)
    assert told["across"] == pytest.approx(list(law.across))
    assert told["across_all"] == pytest.approx(law.across.mean())
    told = answer(capsys, "theory", "split", "--data", "rows.npy", "--samples", "16")
    assert told["problem"]["samples_per_dim"] == 2.0


@pytest.mark.parametrize(
    ("problem", "options", "message"),
    [
        (Problem(ridge=0.1), {}, "does not use ridge, which the problem has at 0.1: its scores are linear"),
        (Problem(data="classes:0.5@1,0.5@2"), {}, "classes have several; take isotropic:1.5, of the same variance"),
        (Problem(diffusion_time=0.2), {}, "give time_max and time_min"),
        (Problem(activation="relu"), {}, "is for linear scores; got activation relu: leave it out"),
        (Problem(), {"time_min": 3.0}, "time_min must be below time_max; got 3 and 3"),
        (Problem(), {"time_max": -1.0}, "time_max must lie between 0 and 300; got -1"),
    ],
)
def test_refusals(problem, options, message):
    with pytest.raises(ValueError, match=message):
        theory.split(problem, **options)
