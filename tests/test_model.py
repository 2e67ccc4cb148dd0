from __future__ import annotations

import math

import numpy as np
import pytest

from rfsim import Problem
from rfsim.problem import origins, realization


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("samples_per_dim", -1, "samples_per_dim must be positive and finite; got -1"),
        ("features_per_dim", 0, "features_per_dim must be positive"),
        ("features_per_dim", -math.inf, "features_per_dim must be positive and finite; got -inf"),
        ("diffusion_time", 0.0, "diffusion_time must be positive"),
        ("diffusion_time", math.nan, "diffusion_time must be a number; got nan"),
        ("diffusion_time", "0.1", "diffusion_time must be a number; got '0.1'"),
        ("ridge", -0.1, "ridge must be finite and not negative; got -0.1"),
        ("ridge", math.inf, "ridge must be finite"),
        ("noise_copies", 0, "noise_copies must be a whole number of at least 1, at most 1e9, or inf; got 0"),
        ("noise_copies", 2.5, "noise_copies must be a whole number"),
        ("activation", "relux", "unknown activation 'relux'"),
        ("data", "", "data must name a population or a file"),
        ("samples_per_dim", True, "must be a number; got True"),
    ],
)
def test_a_problem_is_valid_or_says_what_is_not(field, value, message):
    with pytest.raises(ValueError, match=message):
        Problem(**{field: value})


def resolved(problem, dim=None, array=None):
    return origins.resolve(problem, origins.source(problem, array=array), dim)


def test_sizes_are_rounded_to_whole_numbers():
    assert resolved(Problem(samples_per_dim=2.55, features_per_dim=0.44), 10) == (10, 26, 4)
    assert resolved(Problem()).dim == 100


@pytest.mark.parametrize(
    ("problem", "dim", "message"),
    [
        (Problem(features_per_dim=0.04), 10, "0.04 features per dimension round to no features at dim 10"),
        (Problem(samples_per_dim=0.1), 10, "at least 2 samples are needed"),
        (Problem(), 0, "dim must be a whole number of at least 1, .* got 0"),
        (Problem(), 3.5, "dim must be a whole number of at least 1, .* got 3.5"),
        (Problem(data="digits:10"), 12, "dim is 10, given by data 'digits:10'; got 12"),
        (Problem(data="digits:10", samples_per_dim=90), None, "a training half of 898; got 900 samples"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(problem, dim, message):
    with pytest.raises(ValueError, match=message):
        resolved(problem, dim)


def test_an_array_fixes_the_dimension():
    array = np.random.default_rng(0).standard_normal((40, 7))
    assert resolved(Problem(samples_per_dim=2), array=array) == (7, 14, 112)


def test_a_draw_depends_on_what_shapes_it_only():
    small, wide = Problem(features_per_dim=2), Problem(features_per_dim=4, ridge=1.0, diffusion_time=0.5)
    origin = origins.source(small)
    one = realization.instance(small, origin, resolved(small, 6), 3)
    other = realization.instance(wide, origin, resolved(wide, 6), 3)
    np.testing.assert_array_equal(other.weights[:12], one.weights)
    np.testing.assert_array_equal(other.points, one.points)


def test_noise_copies_begin_alike():
    two, three = Problem(noise_copies=2), Problem(noise_copies=3)
    origin = origins.source(two)
    draw = realization.instance(two, origin, resolved(two, 5), 0)
    short, long = list(realization.frozen_draws(draw, two)), list(realization.frozen_draws(draw, three))
    assert [len(short), len(long)] == [2, 3]
    np.testing.assert_array_equal(short[1][1], long[1][1])
    assert not np.array_equal(long[0][1], long[2][1])


def test_real_data_train_on_one_half_and_are_judged_on_the_other():
    array = np.random.default_rng(1).standard_normal((30, 4))
    problem = Problem(samples_per_dim=2)
    origin = origins.source(problem, array=array)
    draw = realization.instance(problem, origin, origins.resolve(problem, origin, None), 0)
    assert draw.points.shape == (8, 4)
    assert draw.population.centers.shape == (15, 4)
    assert not (draw.points[:, None] == draw.population.centers).all(axis=-1).any()


def test_the_settings_hold_everything_that_was_resolved():
    problem = Problem(samples_per_dim=2.55, noise_copies=3)
    origin = origins.source(problem, array=np.random.default_rng(2).standard_normal((90, 10)), scale="none")
    found = origins.settings(problem, origin, origins.resolve(problem, origin, None), seed=1, seeds=2)
    assert found["n"] == 26
    assert found["samples_per_dim"] == 2.6
    assert found["p"] == 160
    assert found["scale"] == "none"
    assert len(found["data_digest"]) == 16
