"""Linear scores of disjoint halves: published numbers, samples, and the limits of many and of few rows."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from rfsim import Problem, plot, theory
from rfsim.limit.populations import Population
from rfsim.limit.split import renormalized_noise, split_distance, split_distance_in_steps
from tests.commands import answer
from tests.commands import place as place

START = 0.5 * math.log1p(6400)  # σ_T = 80
# E‖x_1 − x_2‖²/d and to the population's map at d = 128, λ_j ∝ 1/j: means of 40 draws and their standard errors
PUBLISHED = {
    16: (1.225, 0.008, 0.857),
    32: (0.927, 0.004, 0.602),
    64: (0.612, 0.003, 0.361),
    128: (0.300, 0.001, 0.161),
    256: (0.1415, 0.0005, 0.0734),
    512: (0.0703, 0.0002, 0.0358),
    1024: (0.0349, 0.0001, 0.0175),
}
DRAWS = 40


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
        draws = np.array([sampled(harmonic(128).values, n, 6400.0, 0.0, seed)[:2] for seed in range(DRAWS)])
        mean, spread = draws.mean(axis=0), draws.std(axis=0, ddof=1) / math.sqrt(len(draws))
        # a digit that was rounded is half a unit beside the error
        assert abs(mean[0] - across) < 4 * math.hypot(spread[0], error) + 0.5e-4
        # that of the published one is not known: both are means of as many draws
        assert abs(mean[1] - apart) < 4 * math.sqrt(2) * spread[1] + 0.5e-3
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


def in_steps(times, eigenvalues):
    """DDIM steps of the score −(e^{−2t}λ + Δ)^{-1}x from the last time to the first, by the noise estimate (T15)."""
    x = np.ones_like(eigenvalues)
    for t, to in zip(times[:0:-1], times[-2::-1], strict=True):
        a, delta = math.exp(-t), -math.expm1(-2 * t)
        noise = math.sqrt(delta) * x / (a**2 * eigenvalues + delta)
        x = math.exp(-to) * (x - math.sqrt(delta) * noise) / a + math.sqrt(-math.expm1(-2 * to)) * noise
    return x


@pytest.mark.parametrize("psi_n", [0.5, 2.0])
def test_the_law_in_steps_is_that_of_samples_and_its_error_falls_with_the_dimension(psi_n):
    times, errors = np.geomspace(0.02, 3.0, 9), []
    for d in (24, 96):
        population, n = harmonic(d), round(psi_n * d)
        law = split_distance_in_steps(population, psi_n, times=times, sampler="ddim")
        expected = np.array([population.weights @ one for one in law])
        truth, draws = np.diag(in_steps(times, population.values)), []
        for seed in range(20):
            rng, maps = np.random.default_rng(seed), []
            for _ in range(2):
                x = rng.standard_normal((n, d)) * np.sqrt(population.values)
                lam, basis = np.linalg.eigh(x.T @ x / n)
                maps.append((basis * in_steps(times, np.maximum(lam, 0))) @ basis.T)
            one, two = maps
            draws.append([((a - b) ** 2).sum() / d for a, b in ((one, two), (one, truth), (one, 0 * truth))])
        spread = np.std(draws, axis=0, ddof=1) / math.sqrt(len(draws))
        off = np.abs(np.mean(draws, axis=0) - expected)
        assert (off < 4 * spread + 1.5 / d * expected).all()
        errors.append(off / expected)
    assert errors[1][0] < 0.5 * errors[0][0] + 4 * spread[0] / expected[0]


def test_many_steps_are_the_flow_in_units_of_x_at_the_end():
    problem = Problem(samples_per_dim=2.0, data="atoms:0.5@0.5,0.5@1.5")
    flow = theory.split(problem, time_max=4.0, time_min=0.1)
    steps = theory.split(problem, time_max=4.0, time_min=0.1, levels=2000, sampler="heun")
    # from e^T z in the place of σ_T z, and less e^{−ε}
    factor = math.exp(-0.2) / -math.expm1(-8.0)
    for name in ("across", "population", "variance"):
        np.testing.assert_allclose(steps[name], factor * flow[name], rtol=2e-5)
    assert np.isclose(steps.kappa, flow.kappa)
    truth = in_steps(np.array([0.1, 4.0]), np.array([0.5, 1.5]))
    many = theory.split(replace(problem, samples_per_dim=1e6), time_max=4.0, time_min=0.1, levels=1)
    np.testing.assert_allclose(many.variance, truth**2, rtol=1e-4)


def test_the_quantity_is_the_law(capsys, place):
    np.save("rows.npy", np.random.default_rng(0).standard_normal((200, 8)))
    given = ["--samples-per-dim", "2", "--time-max", "4", "--data", "atoms:0.5@0.5,0.5@1.5"]
    told = answer(capsys, "theory", "split", *given)
    law = split_distance(Population(np.array([0.5, 1.5]), np.array([0.5, 0.5])), 2.0, first=math.expm1(8.0), last=0.0)
    assert told["across"] == pytest.approx(list(law.across))
    assert told["across_all"] == pytest.approx(law.across.mean())
    told = answer(capsys, "theory", "split", "--data", "rows.npy", "--samples", "16")
    assert told["problem"]["samples_per_dim"] == 2.0


def test_it_keeps_its_digits_from_any_noise_and_with_any_number_of_rows():
    """σ_T z tends to a limit with σ_T, and both distances to 1/n; of few rows nothing is shared."""
    late = [theory.split(Problem(2.0, data="powerlaw:1"), time_max=t) for t in (12.0, 30.0, 300.0)]
    for one in late[1:]:
        for name in ("across", "population", "variance"):
            np.testing.assert_allclose(one[name], late[0][name], rtol=1e-8)
    for end in (0.0, 0.5):
        few, many = (theory.split(Problem(n, data="powerlaw:1"), time_min=end) for n in (1e6, 1e20))
        for name in ("across", "population"):
            np.testing.assert_allclose(1e14 * many[name], few[name], rtol=1e-5)
    none = theory.split(Problem(1e-20, data="powerlaw:1"))
    np.testing.assert_allclose(none.across, 2 * none.variance, rtol=1e-9)
    assert (none.across > 0).all()


@pytest.mark.parametrize("steps", [{}, {"levels": 3, "time_min": 0.1}])
def test_at_other_numbers_of_samples_it_is_the_law_there(steps):
    found = theory.split(Problem(2.0, data="powerlaw:1"), sample_ratios=[0.5, 2.0, 8.0], **steps)
    for one in (0.5, 8.0):
        alone = theory.split(Problem(one, data="powerlaw:1"), **steps)
        for name in ("across", "population"):
            assert float(found[f"{name}_by_samples"].sel(sample_ratio=one)) == float(alone[f"{name}_all"])
    assert float(found.across_by_samples.sel(sample_ratio=2.0)) == float(found.across_all)


def test_its_figure_draws_the_law_against_samples_and_flags_those_asked_for():
    found = theory.split(Problem(2.0, data="atoms:0.5@0.5,0.5@2"), time_min=0.8, sample_ratios=[0.5, 1.0, 4.0])
    figure = plot(found)
    samples, directions = figure.axes
    drawn = {line.get_label(): line for line in samples.lines}
    np.testing.assert_allclose(drawn["between halves"].get_xydata()[:, 1], found.across_by_samples)
    np.testing.assert_allclose(drawn["to the population's"].get_xydata()[:, 1], found.population_by_samples)
    assert any(set(line.get_xdata()) == {2.0} for line in samples.lines)  # the ψ_n asked for
    drawn = {line.get_label(): line for line in directions.lines}
    np.testing.assert_allclose(drawn["variance of samples"].get_xydata()[:, 1], found.variance)
    kappa = float(found.kappa)
    flagged = 0.5 < kappa < 2
    assert any(set(line.get_xdata()) == {kappa} for line in directions.lines) == flagged
    assert figure.get_suptitle().count("0.8") == 1  # each time once
    assert len(plot(theory.split(Problem(2.0))).axes) == 1  # of one direction there is nothing to see
    before = found.drop_vars(["across_by_samples", "population_by_samples", "sample_ratio"])
    assert len(plot(before).axes) == 1


@pytest.mark.parametrize(
    ("problem", "options", "message"),
    [
        (Problem(1e7), {"levels": 4, "time_min": 0.1}, "in levels the law is known up to 1e.06 samples .*; got 1e.07"),
        (Problem(), {"levels": 4, "time_min": 0.1, "sample_ratios": [1, 1e9]}, "got 1e.09: leave levels out$"),
        (Problem(), {"sample_ratios": [1.0, 0.0]}, "sample_ratios must lie between 1e-100 and 1e\\+100; got 0$"),
        (Problem(ridge=0.1), {}, "does not use ridge, which the problem has at 0.1: its scores are linear"),
        (Problem(data="classes:0.5@1,0.5@2"), {}, "classes have several; take isotropic:1.5, of the same variance"),
        (Problem(diffusion_time=0.2), {}, "give time_max and time_min"),
        (Problem(activation="relu"), {}, "is for linear scores; got activation relu: leave it out"),
        (Problem(), {"time_min": 3.0}, "time_min must be below time_max; got 3 and 3"),
        (Problem(), {"levels": 4}, "levels end at a time_min of .* or more; got 0"),
        (Problem(), {"levels": -1}, "levels must be"),
        (Problem(), {"levels": 4, "time_min": 0.1, "sampler": "sde"}, "sampler must be one of ddim, euler, heun; got"),
        (Problem(), {"time_max": -1.0}, "time_max must lie between 0 and 300; got -1"),
    ],
)
def test_refusals(problem, options, message):
    with pytest.raises(ValueError, match=message):
        theory.split(problem, **options)
