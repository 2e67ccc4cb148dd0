"""Noise-free inputs beside x_t: draws, moments and trainings, sampled exactly; and who refuses them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from jax import numpy as jnp

import rfsim
from rfsim import Condition, Problem
from rfsim.problem import conditions, origins, populations, realization
from rfsim.problem.diffusion import noise_variance, signal
from rfsim.problem.draws import Draw
from rfsim.problem.ranks import part_counts
from rfsim.sample.moments.given import mean_second
from rfsim.sample.spectra.accurate import population_above, training_moments

TOLERANCE = 1e-8


def drawn(data, dim=6, features=2.0, samples=3.0, **problem):
    asked = Problem(samples, features, data=data, **problem)
    origin, sizes = Draw(dim=dim).of(asked, conditions=True)
    return asked, realization.instance(asked, origin, sizes, 0)


def features(draw, x, y):
    """φ of points x_t and their inputs, as §13 writes it."""
    d, d_y = draw.sizes.dim, y.shape[1]
    along = x @ draw.weights.T / math.sqrt(2 * d) + y @ draw.inputs.weights.T / math.sqrt(2 * d_y)
    return np.asarray(draw.sigma.function(along)) - draw.sigma.offset


def noisy(rng, problem, told, gain, draws, d_y):
    """Independent (x_t, ξ, y, E[x_t|y]) of the population."""
    d, t = told.residual.size, problem.diffusion_time
    y, both = rng.standard_normal((draws, d_y)), min(d, d_y)
    mean = np.zeros((draws, d))
    mean[:, :both] = gain * y[:, :both]
    xi = rng.standard_normal((draws, d))
    x = mean + rng.standard_normal((draws, d)) * np.sqrt(told.residual)
    return signal(t) * x + math.sqrt(noise_variance(t)) * xi, xi, y, signal(t) * mean


def test_a_populations_points_are_told_by_their_inputs():
    data = Condition(3.0, 0.5)
    _, draw = drawn(data, dim=20, samples=200.0)
    assert draw.inputs is not None
    y, x = draw.inputs.points, draw.points
    assert y.shape == (4000, 10)
    slope = (x[:, :10] * y).mean(axis=0) / (y**2).mean(axis=0)
    np.testing.assert_allclose(slope, math.sqrt(0.75), atol=0.05)
    assert (x**2).mean() == pytest.approx(1, abs=0.02)
    assert np.abs(x[:, 10:].T @ y / 4000).max() < 0.09
    # none at all: the points of isotropic data
    _, alone = drawn("condition:0@0.5", dim=20)
    _, plain = drawn("isotropic", dim=20)
    np.testing.assert_array_equal(alone.points, plain.points)


@pytest.mark.parametrize("data", ["condition:4@0.5", "condition:9@1", "condition:1@2"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_moments_are_averages_over_draws(data, activation):
    problem, draw = drawn(data, activation=activation, diffusion_time=0.4)
    assert draw.inputs is not None
    rng, draws, t = np.random.default_rng(1), 400_000, problem.diffusion_time
    told, d_y = draw.inputs.told, draw.inputs.weights.shape[1]
    assert told is not None
    x, xi, y, mean = noisy(rng, problem, told, problem.data.gain, draws, d_y)
    phi = features(draw, x, y)
    found = population_above(problem, draw, 1e-2)
    np.testing.assert_allclose(found.second, phi.T @ phi / draws, atol=5e-3)
    np.testing.assert_allclose(found.noise, phi.T @ xi / draws, atol=5e-3)
    # two draws of x_t with one y
    spread = signal(t) ** 2 * told.residual + noise_variance(t)
    other = features(draw, mean + rng.standard_normal(x.shape) * np.sqrt(spread), y)
    seen = conditions.seen_population(draw.weights, draw.inputs, t)
    means = conditions.mean_weights(draw.weights, draw.inputs, t)
    given = mean_second(seen, means, draw.sigma, target=1e-8)
    average = phi.T @ other / draws
    np.testing.assert_allclose(given.second, (average + average.T) / 2, atol=5e-3)
    assert given.error_bound <= 1e-8
    # of the training points: their own noise
    points, repeats = draw.points, draws // len(draw.points)
    xi = rng.standard_normal((repeats * len(points), points.shape[1]))
    again = np.repeat(points, repeats, axis=0), np.repeat(draw.inputs.points, repeats, axis=0)
    phi = features(draw, signal(t) * again[0] + math.sqrt(noise_variance(t)) * xi, again[1])
    found = training_moments(problem, draw, 1e-6, 1e-2)
    np.testing.assert_allclose(found.second, phi.T @ phi / len(phi), atol=5e-3)
    np.testing.assert_allclose(found.noise, phi.T @ xi / len(phi), atol=5e-3)


def test_errors_are_those_of_the_denoised_points():
    """ME, PV, RE and RA by their definition, from the read-out that the normal equations give."""
    problem, draw = drawn("condition:4@0.5", dim=8, ridge=0.05, diffusion_time=0.4)
    assert draw.inputs is not None
    told, t = draw.inputs.told, problem.diffusion_time
    assert told is not None
    delta, a = noise_variance(t), signal(t)
    found = rfsim.train(problem, [math.inf], dim=8).isel(seed=0, train_time=0)
    u = training_moments(problem, draw, 1e-8, 0.05)
    p = draw.sizes.features
    readout = -np.linalg.solve(u.second + 0.05 * np.eye(p), u.noise).T / math.sqrt(delta)
    rng, draws = np.random.default_rng(2), 200_000
    x, _, y, mean = noisy(rng, problem, told, problem.data.gain, draws, draw.inputs.weights.shape[1])
    twin = mean + rng.standard_normal(x.shape) * np.sqrt(a**2 * told.residual + delta)
    clean = [(one + delta * features(draw, one, y) @ readout.T) / a for one in (x, twin)]
    error = [one - mean / a for one in clean]
    of_mean = (error[0] * error[1]).sum(1).mean() / 8
    assert float(found.mean_error) == pytest.approx(of_mean, abs=3e-3)
    whole = (error[0] ** 2).sum(1).mean() / 8
    assert float(found.predictive_variance) == pytest.approx(whole - of_mean, rel=0.01)
    # the part of x_t − E[x_t|y] that what y leaves of x explains
    share = (x - mean) * (a * told.residual / (a**2 * told.residual + delta))
    alignment = ((clean[0] - clean[1]) * share).sum(1).mean() / 8
    assert float(found.residual_alignment) == pytest.approx(alignment, rel=0.02)
    left = told.residual.mean()
    rest = left + float(found.predictive_variance) - 2 * float(found.residual_alignment)
    assert float(found.residual_error) == pytest.approx(rest, rel=1e-12)
    assert float(found.test) == pytest.approx(a**2 / delta * float(found.mean_error + found.residual_error), rel=1e-9)


@pytest.mark.parametrize("copies", [math.inf, 3])
def test_inputs_that_are_zero_are_the_activation_over_root_two(copies):
    rows = np.random.default_rng(3).standard_normal((400, 10))
    sigma = rfsim.Activation("shrunk", lambda x: jnp.tanh(x / jnp.sqrt(2.0)), odd=True)
    asked = {"samples_per_dim": 4, "features_per_dim": 6, "ridge": 1e-3, "noise_copies": copies}
    beside = rfsim.train(Problem(**asked), [10, 1e3, math.inf], array=rows, condition=np.full((400, 3), 7.0))
    alone = rfsim.train(Problem(**asked, activation=sigma), [10, 1e3, math.inf], array=rows)
    for name in ("train", "test", "gen", "cross"):
        np.testing.assert_allclose(beside[name], alone[name], rtol=1e-10, atol=1e-12)


def test_inputs_that_are_the_data_tell_more_than_none():
    rows = np.random.default_rng(0).standard_normal((400, 8))
    problem = Problem(16, 8, ridge=1e-3, diffusion_time=1.0)
    told = rfsim.train(problem, [math.inf], array=rows, condition=rows)
    none = rfsim.train(problem, [math.inf], array=rows, condition=np.random.default_rng(1).standard_normal((400, 8)))
    assert float(told.test[0, 0]) < 0.8 * float(none.test[0, 0])
    assert "mean_error" not in told


def test_rows_keep_their_inputs_through_the_split():
    """Inputs in another order are others: rows and inputs are permuted as one."""
    rng = np.random.default_rng(0)
    rows, y = rng.standard_normal((60, 4)), rng.standard_normal((60, 2))
    problem = Problem(3, 3)
    origin = origins.source(problem, array=rows, condition=y, center=False, scale="none", conditions=True)
    draw = realization.instance(problem, origin, origins.resolve(problem, origin, None), 5)
    assert draw.inputs is not None
    assert draw.inputs.held_out is not None
    assert isinstance(draw.population, rfsim.problem.laws.Law)
    pairs = {row.tobytes(): one for row, one in zip(rows, y, strict=True)}
    for points, own in ((draw.points, draw.inputs.points), (draw.population.centers, draw.inputs.held_out)):
        for row, one in zip(points, own, strict=True):
            np.testing.assert_array_equal(pairs[row.tobytes()], one)


def test_parts_have_the_inputs_directions_in_gen():
    assert part_counts(1600, 400, 20, inputs=10) == {"zero": 0, "null": 1180, "mini": 20, "main": 370, "gen": 30}
    found = rfsim.spectrum(Problem(20, 160, data="condition:1@0.5", diffusion_time=0.5), dim=10)
    assert found["count"].values.tolist() == [1600 - 210, 10, 185, 15]
    assert float(found.gap_below.sel(part="gen")[0]) > 2


@pytest.mark.parametrize(
    "asked",
    [
        lambda problem: rfsim.simulate(problem, steps=3, rate=0.1, dim=6),
        lambda problem: rfsim.distill(problem, dim=6),
        lambda problem: rfsim.density(problem, dim=6),
        lambda problem: rfsim.generated(problem, dim=6),
        lambda problem: rfsim.advise(problem),
        lambda problem: rfsim.theory.curves(problem),
        lambda problem: rfsim.theory.spectrum(problem),
        lambda problem: rfsim.theory.ridge(problem, [0.1]),
        lambda problem: rfsim.theory.ridge_plane(problem, [4.0]),
        lambda problem: rfsim.theory.limit(problem),
        lambda problem: rfsim.theory.population(problem.data),
        lambda problem: rfsim.theory.split(problem),
        lambda problem: rfsim.theory.distill(problem, [0.1, 0.3]),
        lambda problem: rfsim.theory.gamma_star(problem, 0.05),
        lambda problem: rfsim.theory.score_minimum(problem, samples_per_dim=[2], features_per_dim=[4]),
        lambda problem: rfsim.theory.mini_gap(problem, samples_per_dim=[8], diffusion_times=[0.1]),
    ],
)
def test_who_does_not_know_inputs_refuses_them(asked):
    with pytest.raises(ValueError, match="^data 'condition:4@1' have inputs beside x_t, which train, spectrum, post"):
        asked(Problem(2, 4, data="condition:4@1"))


ROWS, INPUTS = np.random.default_rng(0).standard_normal((2, 40, 4))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"array": ROWS, "condition": INPUTS[:30]}, "^condition has 30 rows, the array 40; give a row for each$"),
        ({"condition": INPUTS}, "^condition goes with samples, a row for each; a population's is data condition:SNR"),
        ({"array": ROWS, "condition": "isotropic"}, "^condition must name a file of samples .*; got 'isotropic'$"),
        ({"array": ROWS, "condition": "gone.npy"}, "gone.npy does not exist"),
        ({"array": ROWS, "condition": INPUTS[:, 0]}, "has shape"),
        ({"array": ROWS, "condition": INPUTS * np.nan}, "160 NaN or infinite"),
        ({"array": ROWS, "condition": INPUTS, "held_out": ROWS}, "^held_out rows have no condition of their own"),
        ({"array": ROWS, "condition": INPUTS, "model": "gaussian"}, "^beside a condition the real model, exact mom"),
        ({"array": ROWS, "condition": INPUTS, "route": "krylov"}, "^beside a condition .* route krylov$"),
        ({"array": ROWS, "condition": INPUTS, "moments": "montecarlo:40"}, "^beside a condition .*montecarlo:40"),
        (
            {"array": ROWS, "condition": INPUTS, "keep_weights": True},
            "^keep_weights keeps read-outs of features of x_t",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_a_line(given, told):
    with pytest.raises(ValueError, match=told) as caught:
        rfsim.train(Problem(2, 2), [1.0], **given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("condition:4", "condition is written SNR@PER_DIM; got '4'"),
        ("condition:-1@1", "the signal-to-noise ratio must not be negative"),
        ("condition:4@0", "the inputs per dimension must lie between 1e-6 and 1e6"),
        ("condition:x@1", "SNR must be a finite number; got 'x'"),
        ("condition:1@inf", "PER_DIM must be a finite number"),
    ],
)
def test_a_text_that_is_no_condition_is_refused(text, told):
    with pytest.raises(populations.DataError, match=told):
        populations.read(text)


def test_a_file_of_inputs_is_the_array(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", ROWS)
    np.save("y.npy", INPUTS[:, :2])
    named = rfsim.train(Problem(2, 2, data="x.npy"), [10.0], condition="y.npy")
    given = rfsim.train(Problem(2, 2), [10.0], array=ROWS, condition=INPUTS[:, :2])
    np.testing.assert_array_equal(named.test, given.test)
    assert '"condition": "y.npy"' in named.attrs["settings"]
    from rfsim.cli import main

    call = "train --data x.npy --condition y.npy --samples 8 --features 8 --train-times 10 --json"
    assert main(call.split()) == 0
    assert capsys.readouterr().out.count('"condition": "y.npy"') == 1
