from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

import rfsim
from rfsim import Problem
from rfsim.computing.jackknife import jackknife_error
from rfsim.problem import origins, realization
from rfsim.problem.diffusion import diffuse, noise_variance
from rfsim.sample.moments import averaged_moments
from rfsim.sample.spectra import Method
from rfsim.sample.spectra.montecarlo import Estimates, fewest_draws

PROBLEM = Problem(samples_per_dim=4, features_per_dim=4)


def estimates(draws, problem=PROBLEM, dim=6):
    origin = origins.source(problem)
    draw = realization.instance(problem, origin, origins.resolve(problem, origin, dim), 0)
    return draw, Estimates(problem, draw, problem.activation, draws)


@pytest.mark.parametrize("spec", ["isotropic", "mixture:3"])
def test_estimates_lie_within_five_standard_errors_of_the_exact_moments(spec):
    problem = Problem(samples_per_dim=4, features_per_dim=4, data=spec)
    draw, found = estimates(400, problem)
    scale = math.sqrt(noise_variance(0.1))
    for law, mean in (
        (diffuse(draw.population, 0.1), found.population),
        (realization.training_law(draw, 0.1), found.train),
    ):
        exact = averaged_moments(draw.weights, law, problem.activation, noise_scale=scale)
        for name in ("second", "noise"):
            error = jackknife_error([np.asarray(getattr(mean(k), name)) for k in range(found.groups)])
            z = (np.asarray(getattr(mean(), name)) - np.asarray(getattr(exact, name))) / error
            # from 8 groups an error is known to a quarter: Student's t with 7 degrees of freedom, of rms 1.18
            assert 0.7 < math.sqrt((z**2).mean()) < 1.7
            assert np.abs(z).max() < stats.t.ppf(1 - 1e-6, 7)
    assert found.train().constant == pytest.approx(1.0, abs=0.05)


def test_the_jackknife_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(0).standard_normal((8, 5))
    left_out = [(values.sum(0) - one) / 7 for one in values]
    np.testing.assert_allclose(jackknife_error(left_out), values.std(0, ddof=1) / math.sqrt(8))


def test_leaving_out_every_group_in_turn_averages_to_the_whole():
    _, found = estimates(40)
    parts = np.mean([np.asarray(found.train(k).second) for k in range(found.groups)], axis=0)
    np.testing.assert_allclose(parts, np.asarray(found.train().second), atol=1e-15)


@pytest.mark.slow
def test_losses_and_eigenvalues_come_with_errors_that_fall_as_the_root_of_the_draws():
    few, many = (rfsim.train(PROBLEM, [1.0, 30.0], dim=8, moments=f"montecarlo:{draws}") for draws in (16, 400))
    exact = rfsim.train(PROBLEM, [1.0, 30.0], dim=8)
    for name in ("train", "test", "score", "gen"):
        ratio = float(few[f"{name}_error"].mean() / many[f"{name}_error"].mean())
        assert 2 < ratio < 12.5  # 5 in expectation
        assert float((np.abs(many[name] - exact[name]) / many[f"{name}_error"]).max()) < 5
    found = rfsim.spectrum(PROBLEM, dim=8, moments="montecarlo:400")
    assert (found.eigenvalue_error > 0).all()
    assert "eigenvalue_error" not in rfsim.spectrum(PROBLEM, dim=8)


@pytest.mark.slow
def test_digits_have_no_score_and_no_error_of_it():
    found = rfsim.train(Problem(samples_per_dim=2, features_per_dim=2, data="digits:8"), [1.0], moments="montecarlo:9")
    assert np.isnan(found.score_error).all()
    assert (found.test_error > 0).all()


@pytest.mark.parametrize(("samples", "features"), [(40, 800), (10, 10), (100, 7), (1, 3), (2, 10**15), (13, 1001)])
def test_the_fewest_draws_leave_full_rank_with_any_group_left_out(samples, features):
    draws = fewest_draws(samples, features)
    largest = [math.ceil(k / min(8, k)) for k in (draws, draws - 1) if k >= 2]
    assert (draws - largest[0]) * samples >= features
    assert len(largest) == 1 or (draws - 1 - largest[1]) * samples < features


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"moments": "montecarlo:1"}, "DRAWS a whole number of at least 2"),
        ({"moments": "mc:10"}, "moments must be exact or montecarlo:DRAWS"),
        ({"moments": "montecarlo:3"}, "take montecarlo:4 or more, or a ridge"),
        ({"moments": "montecarlo:20", "model": "gaussian"}, "are for the real model by the dense route"),
        ({"model": "gausian"}, "did you mean 'gaussian'"),
        ({"route": "sparse"}, "route must be one of auto, dense, krylov"),
        ({"route": "krylov", "by_part": True}, "by_part needs labelled eigenvalues"),
    ],
)
def test_methods_that_do_not_apply_are_refused(given, match):
    with pytest.raises(ValueError, match=match):
        rfsim.train(Problem(samples_per_dim=2, features_per_dim=5), [1.0], dim=8, **given)


def test_frozen_copies_need_no_estimate():
    sizes = origins.resolve(PROBLEM, origins.source(PROBLEM), 8)
    with pytest.raises(ValueError, match="whose frozen draws need no estimate"):
        Method(moments="montecarlo:9").check(Problem(noise_copies=2), sizes)
