"""Samples of teachers along training time: beside `distill`, exact maps of a linear σ, and what few samples add."""

from __future__ import annotations

import math

import numpy as np
import pytest

import rfsim
from rfsim import Problem, theory
from rfsim.disk import store
from rfsim.distillation.distances import frechet_bias, frechet_per_dim

INF = math.inf
TINY = {"dim": 4, "levels": 3, "generated": 32}


def test_samples_are_those_of_the_teacher_of_a_distillation():
    problem = Problem(2, 6)
    found = rfsim.generated(problem, [10.0, 1e3], seeds=2, **TINY)
    for tau in (10.0, 1e3):
        other = rfsim.distill(problem, [1.0], teacher_time=tau, seeds=2, **TINY).teacher
        for name in ("frechet_per_dim", "memorized_fraction", "memorized_low", "memorized_high"):
            np.testing.assert_allclose(found[name].sel(train_time=tau), other.sel(quality=name), rtol=1e-9)


def test_a_path_is_that_of_a_distillation():
    problem, few = Problem(2, 6), {"dim": 4, "generated": 32, "path": [2.0, 0.5, 0.1]}
    found = rfsim.generated(problem, [1e3], **few)
    other = rfsim.distill(problem, [1.0], teacher_time=1e3, **few).teacher
    np.testing.assert_allclose(found.frechet_per_dim, other.sel(quality=["frechet_per_dim"]), rtol=1e-9)
    assert store.settings(found)["path"] == [0.1, 0.5, 2.0]
    assert store.settings(found)["levels"] == 2


def test_of_a_linear_activation_the_map_is_all_there_is():
    found = rfsim.generated(Problem(2, 1, activation="linear"), [30.0, INF], dim=12, levels=5, generated=400)
    np.testing.assert_allclose(found.linear_share, 1.0, rtol=1e-12)
    few = rfsim.generated(Problem(2, 1, activation="linear"), [30.0, INF], dim=12, levels=5, generated=16)
    np.testing.assert_allclose(few.variance, found.variance, rtol=1e-8)  # whatever the number of samples


def test_more_nearly_linear_samples_with_larger_dimensions_and_widths():
    """σ whose slope rises with the variance, so that norms settle; the share is that of W6 at the end."""
    problem = {"samples_per_dim": 2, "activation": rfsim.Hermite({1: 1, 3: 0.2})}
    shares = [
        float(rfsim.generated(Problem(features_per_dim=p, **problem), [100.0], dim=d, levels=6, generated=500)
        .linear_share[0, 0])
        for d, p in ((6, 8), (12, 8), (24, 8), (24, 16))
    ]  # fmt: skip
    assert shares == sorted(shares)
    assert shares[-1] > 0.9


@pytest.mark.parametrize("scales", [(1.0, 1.0, 1.0, 1.0), (0.2, 0.7, 1.0, 1.6)])
def test_few_samples_add_to_the_distance_what_is_told(scales):
    rng, rows, covariance = np.random.default_rng(0), 60, np.diag([1.0, 1.2, 0.8, 1.0])
    root = np.diag(scales)
    exact = np.trace(root @ root + covariance) - 2 * np.sqrt(np.diag(covariance)) @ np.array(scales)
    draws = [rng.standard_normal((rows, 4)) @ root for _ in range(4000)]
    found = np.array([frechet_per_dim(one, np.zeros(4), covariance) for one in draws])
    told = np.mean([frechet_bias(one, covariance) for one in draws[:200]])
    added, error = found.mean() - exact / 4, found.std() / math.sqrt(len(found))
    assert abs(added - told) < 4 * error + 0.05 * told  # the next order is a share 1/rows
    assert told > 5 * error


def test_it_is_drawn_beside_its_limit():
    """A linear σ at d = 40: the mean over directions of W8 within a few over d."""
    problem = {"samples_per_dim": 2, "activation": "linear"}
    found = rfsim.generated(Problem(features_per_dim=1, **problem), [INF], dim=40, seeds=3, generated=2000)
    limit = theory.generated(Problem(features_per_dim=INF, **problem), [INF]).sel(way="steps")
    distance = (found.frechet_per_dim - found.frechet_bias).values[:, 0]
    assert abs(distance.mean() - float(limit.frechet_per_dim[0])) < 0.01
    exact = ((np.sqrt(found.variance) - 1) ** 2).mean("rank").values[:, 0]
    np.testing.assert_allclose(distance, exact, atol=5 * float(found.frechet_error.max()))


def test_settings_and_refusals():
    found = rfsim.generated(Problem(2, 4), [0.0, INF], **TINY)
    assert store.settings(found)["generated"] == 32
    for options, message in (
        ({"sampler": "sde"}, "^sampler must be one of ddim, euler, heun; got 'sde'"),
        ({"generated": 3}, "^generated must be a whole number of at least 16"),
        (
            {"generated": 20, "dim": 30},
            "^generated must be more than dim 30, so .* got 20",
        ),
        ({"path": [3, 1, 0.1]}, "^path says all diffusion times; got levels 3 beside it: leave it out$"),
        ({"levels": 0}, "^levels must be a whole number of at least 1"),
    ):
        with pytest.raises(ValueError, match=message):
            rfsim.generated(Problem(2, 4), [1.0], **(TINY | options))
    with pytest.raises(ValueError, match="^generated does not use diffusion_time"):
        rfsim.generated(Problem(2, 4, diffusion_time=0.3), [1.0], **TINY)
