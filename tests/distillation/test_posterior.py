"""Samples beside noise-free inputs: an explicit loop, no inputs at all, the true score, and what is refused."""

from __future__ import annotations

import math
from itertools import pairwise
from unittest import mock

import jax
import numpy as np
import pytest
from jax import numpy as jnp

import rfsim
from rfsim import Condition, Problem
from rfsim.disk import store
from rfsim.distillation.posterior import Asked, measured, truth
from rfsim.problem import conditions, realization
from rfsim.problem.activations import centered
from rfsim.problem.diffusion import noise_variance, ode_step, signal
from rfsim.problem.draws import Draw
from rfsim.sample.spectra.accurate import training_moments
from tests.commands import answer, assert_refused
from tests.commands import place as place

INF = math.inf
TIMES = (2.0, 0.8, 0.3, 0.05)


@pytest.mark.parametrize("sampler", ["ddim", "heun"])
def test_samples_are_those_of_an_explicit_loop(sampler):
    """Read-outs of the normal equations at every level, features as §13 writes them, one sample at a time."""
    problem, d, d_y, draws, rows = Problem(3, 5, data="condition:4@0.5", ridge=0.02), 6, 3, 3, 4
    found = rfsim.posterior(
        problem, [INF], dim=d, path=TIMES, inputs=rows, generated=draws, sampler=sampler, seed=5
    ).isel(seed=0, train_time=0)
    origin, sizes = Draw(dim=d, seed=5).of(problem, conditions=True)
    draw = realization.instance(problem, origin, sizes, 5)
    assert draw.inputs is not None
    models = {}
    for t in TIMES:
        total = (signal(t) ** 2 + noise_variance(t) + 1) / 2  # x and y of variance 1
        one = draw._replace(sigma=centered(problem.activation, math.sqrt(total)))
        asked = Problem(3, 5, data="condition:4@0.5", ridge=0.02, diffusion_time=t)
        moments = training_moments(asked, one, 1e-8, 0.02)
        whole = np.asarray(moments.second) + 0.02 * np.eye(sizes.features)
        readout = -np.linalg.solve(whole, np.asarray(moments.noise)).T / math.sqrt(noise_variance(t))
        models[t] = one.sigma, readout

    def score(x, y, t):
        sigma, readout = models[t]
        along = draw.weights @ x / math.sqrt(2 * d) + draw.inputs.weights @ y / math.sqrt(2 * d_y)
        return readout @ (np.tanh(along) - sigma.offset)

    asked_y = realization.data_room.stream(5, "posterior/condition").standard_normal((rows, d_y))
    left = realization.data_room.stream(5, "posterior/data").standard_normal((rows, d))
    start = realization.data_room.stream(5, "generation/start").standard_normal((rows * draws, d))
    samples = np.zeros((rows, draws, d))
    for i in range(rows):
        for j in range(draws):
            x = start[i * draws + j]
            for t, to in pairwise(TIMES):
                step = ode_step(sampler, t, to)
                slope = score(x, asked_y[i], t)
                moved = step.x * x + step.score * slope
                if sampler == "heun":
                    moved = moved + step.half * (moved + score(moved, asked_y[i], to) - x - slope)
                x = moved
            samples[i, j] = x
    c, eps = math.sqrt(0.8), TIMES[-1]
    mean = np.hstack([c * asked_y, np.zeros((rows, 3))])
    clean = mean + left * np.sqrt([0.2] * 3 + [1.0] * 3)
    spread = np.mean([[one.var(ddof=1) for one in samples[i].T] for i in range(rows)])
    middle = samples.mean(axis=1)
    assert float(found.predictive_variance) == pytest.approx(spread, rel=1e-6)
    error = ((middle - math.exp(-eps) * mean) ** 2).mean() - spread / draws
    assert float(found.mean_error) == pytest.approx(error, rel=1e-6)
    distance = ((middle - math.exp(-eps) * clean) ** 2).mean() - spread / draws + 1 - math.exp(-2 * eps)
    assert float(found.mean_distance) == pytest.approx(distance, rel=1e-6)
    assert float(found.calibration) == pytest.approx(spread / distance, rel=1e-6)


@pytest.mark.parametrize("copies", [INF, 3])
def test_inputs_that_are_zero_give_the_samples_of_the_activation_over_root_two(copies):
    rows = np.random.default_rng(3).standard_normal((200, 8))
    sigma = rfsim.Activation("shrunk", lambda x: jnp.tanh(x / jnp.sqrt(2.0)), odd=True)
    asked, few = {"samples_per_dim": 4, "features_per_dim": 6, "ridge": 1e-2, "noise_copies": copies}, {"levels": 4}
    beside = rfsim.posterior(
        Problem(**asked), [10, INF], array=rows, condition=np.full((200, 3), 7.0), inputs=1, generated=64, **few
    )
    alone = rfsim.generated(Problem(**asked, activation=sigma), [10, INF], array=rows, generated=64, **few)
    np.testing.assert_allclose(beside.predictive_variance, alone.variance_mean, rtol=1e-9)
    assert "mean_error" not in beside  # By of an array is not known


def test_an_accelerators_arrays_give_the_same():
    asked, few = Problem(2, 4, data="condition:4@0.5", ridge=0.01), {"dim": 4, "levels": 2, "inputs": 3, "generated": 4}
    here = rfsim.posterior(asked, [10.0, INF], sampler="heun", **few)
    with mock.patch.object(jax, "default_backend", return_value="gpu"):
        there = rfsim.posterior(asked, [10.0, INF], sampler="heun", **few)
    for name in here.data_vars:
        np.testing.assert_allclose(there[name], here[name], rtol=1e-9)


def test_the_true_score_in_many_steps_is_the_posterior_but_for_where_it_starts():
    told, times = Condition(4.0, 0.5).at(8), np.geomspace(0.05, 8.0, 4000)
    found = truth(told, times.tolist(), "ddim")
    assert float(found.true_predictive_variance) == pytest.approx(
        (0.2 + 1) / 2 * math.exp(-0.1) + noise_variance(0.05), rel=1e-12
    )
    assert float(found.steps_predictive_variance) == pytest.approx(float(found.true_predictive_variance), rel=2e-3)
    assert float(found.steps_mean_error) < 1e-6


@pytest.mark.parametrize("sampler", ["ddim", "euler", "heun"])
def test_the_true_scores_steps_are_those_of_its_samples(sampler):
    told, times, rng = Condition(4.0, 1.0).at(2), [0.1, 0.4, 1.5], np.random.default_rng(0)
    x, y = rng.standard_normal((1_000_000, 1)), rng.standard_normal((1_000_000, 1))
    mean = math.sqrt(0.8) * y

    def score(at, t):
        return -(at - signal(t) * mean) / (signal(t) ** 2 * 0.2 + noise_variance(t))

    for t, to in ((1.5, 0.4), (0.4, 0.1)):
        step = ode_step(sampler, t, to)
        slope = score(x, t)
        moved = step.x * x + step.score * slope
        x = moved + step.half * (moved + score(moved, to) - x - slope) if step.half else moved
    gain = float((x * mean).mean() / (mean**2).mean())
    found = truth(told, times, sampler)
    assert float(found.steps_mean_error) == pytest.approx(0.8 * (gain - signal(0.1)) ** 2, rel=0.02)
    assert float(found.steps_predictive_variance) == pytest.approx(float((x - gain * mean).var()), rel=0.01)


def test_few_samples_of_each_input_add_nothing():
    rng, rows, d, eps = np.random.default_rng(1), 20_000, 3, 0.2
    means = rng.standard_normal((rows, d))
    points = means + 0.5 * rng.standard_normal((rows, d))
    of = Asked(np.zeros((rows, 1)), points, means)
    shifted = 0.8 * means[:, None] + 0.7 * rng.standard_normal((rows, 2, d))
    found = measured(shifted, of, eps)
    assert float(found.predictive_variance) == pytest.approx(0.49, abs=0.01)
    error = (0.8 - math.exp(-eps)) ** 2
    assert float(found.mean_error) == pytest.approx(error, abs=0.01)
    distance = error + math.exp(-2 * eps) * 0.25 + noise_variance(eps)
    assert float(found.mean_distance) == pytest.approx(distance, abs=0.015)
    exact = math.exp(-eps) * means[:, None] + math.sqrt(
        math.exp(-2 * eps) * 0.25 + noise_variance(eps)
    ) * rng.standard_normal((rows, 2, d))
    assert float(measured(exact, of, eps).calibration) == pytest.approx(1, abs=0.02)


def test_inputs_of_a_population_are_fresh_and_those_of_an_array_held_out():
    problem = Problem(3, 4, data="condition:4@1")
    found = rfsim.posterior(problem, [0.0], dim=4, levels=2, inputs=3)
    asked = store.settings(found)
    assert (asked["inputs"], asked["generated"], asked["levels"]) == (3, 32, 2)
    x, y = conditions.draw_inputs(problem.data, 4, 3, 0, of="posterior/")
    others, _ = conditions.draw_inputs(problem.data, 4, 12, 0)
    assert not np.isin(x, others).any()
    assert y.shape == (3, 4)
    rows = np.random.default_rng(0).standard_normal((24, 4))
    found = rfsim.posterior(Problem(2, 4, ridge=0.1), [1.0], array=rows, condition=rows[:, :2], levels=2, split=0.75)
    assert store.settings(found)["inputs"] == 6


@pytest.mark.parametrize(
    ("problem", "given", "message"),
    [
        (Problem(), {}, r"^posterior is of data beside inputs: data condition:SNR@PER_DIM, .*; got isotropic$"),
        (Problem(data="condition:4@1", diffusion_time=0.3), {}, "^posterior does not use diffusion_time"),
        (Problem(data="condition:4@1"), {"sampler": "dimm"}, "sampler must be one of ddim, .*; got 'dimm'"),
        (Problem(data="condition:4@1"), {"generated": 1}, "^generated must be a whole number of at least 2, .*got 1$"),
        (Problem(data="condition:4@1"), {"inputs": 0}, "^inputs must be a whole number of at least 1, .*; got 0$"),
        (Problem(data="condition:4@1"), {"path": [3, 1, 2]}, "^path must be three diffusion times or more that fall"),
        (Problem(data="condition:4@1"), {"path": [3, 1, 0.1], "levels": 4}, "^path says all .*; got levels 4 beside"),
        (Problem(data="condition:4@1"), {"time_min": 4.0}, "0 < lower < upper, all finite; got 4 and 3"),
        (Problem(data="condition:4@1"), {"time_max": INF}, "0 < lower < upper, all finite; got 0.02 and inf"),
        (Problem(data="condition:4@1"), {"path": [3, 1, -0.1]}, "^path's diffusion times must lie .*; got -0.1$"),
        (Problem(data="condition:4@1"), {"condition": np.zeros((3, 1))}, "^condition goes with samples"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_one_line(problem, given, message):
    with pytest.raises(ValueError, match=message) as caught:
        rfsim.posterior(problem, **{"dim": 4} | given)
    assert "\n" not in str(caught.value)


def test_the_command_answers(capsys):
    words = "posterior --data condition:4@1 --dim 4 --samples-per-dim 2 --features-per-dim 4 --levels 2 --inputs 4 "
    found = answer(capsys, *words.split(), "--train-times", "1,inf", "--seeds", "2")
    assert len(found["calibration"]) == len(found["mean_error_se"]) == 2
    assert found["true_predictive_variance"] == pytest.approx(0.2 * math.exp(-0.04) + noise_variance(0.02))
    assert_refused(capsys, *words.split(), "--path", "3,1,2", match="path must be three diffusion times")


def test_a_sweep_maps_it(tmp_path):
    axes = {"features_per_dim": [2.0, 4.0], "data": ["condition:1@1", "condition:9@1"]}
    spec = {"command": "posterior", "axes": axes, "problem": {"dim": 4, "samples_per_dim": 2, "levels": 2}}
    swept = rfsim.sweep(spec, out=tmp_path / "swept.zarr")
    one = rfsim.posterior(Problem(2, 4.0, data="condition:9@1"), dim=4, levels=2)
    cell = swept.sel(features_per_dim=4.0, data="condition:9@1")
    np.testing.assert_allclose(np.ravel(cell.calibration), np.ravel(one.calibration), rtol=1e-12)
