from __future__ import annotations

import math
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rfsim.computing import arrays
from rfsim.distillation import sampling
from rfsim.distillation.networks import Network, features, readout
from rfsim.distillation.sampling import (
    generate,
    generate_consistent,
    generation_noise,
    ode_map,
    path,
    starting_points,
    step_counts,
)
from rfsim.problem.activations.catalog import identity
from rfsim.problem.diffusion import (
    Step,
    forward,
    noise_variance,
    ode_step,
    renoise,
    reverse_sde_step,
    signal,
    time_grid,
)

VARIANCE = 0.3


def total(t: float) -> float:
    """Γ_t² of clean data N(0, VARIANCE I)."""
    return signal(t) ** 2 * VARIANCE + noise_variance(t)


def gaussian(times, dim: int = 3, readouts=None) -> Network:
    """The true score −x/Γ² of that Gaussian, or other matrices: with W = √d I and σ(x) = x, φ(x) = x."""
    if readouts is None:
        readouts = np.stack([-np.eye(dim) / total(t) for t in times])
    return Network(math.sqrt(dim) * np.eye(dim), readouts, np.zeros(len(times)), np.asarray(times))


def matrix(step: Step, here, there):
    """The linear map of one step for s_t(x) = here·x, s_to(x) = there·x."""
    eye = np.eye(len(here))
    moved = step.x * eye + step.score * here
    return moved + step.half * ((eye + there) @ moved - (eye + here))


def test_ddim_with_the_exact_noise_returns_the_exact_earlier_point():
    rng = np.random.default_rng(0)
    clean, xi = rng.standard_normal((2, 50, 4))
    for t, to in pairwise(time_grid(0.02, 3.0, 5)[::-1]):
        x, score = forward(clean, xi, t), -xi / math.sqrt(noise_variance(t))
        found = ode_map(
            ode_step("ddim", t, to), False, x, lambda _, score=score: score, lambda _: pytest.fail("called")
        )
        np.testing.assert_allclose(found, forward(clean, xi, to), atol=1e-13)


@pytest.mark.parametrize("solver", ["ddim", "euler", "heun"])
def test_samples_are_the_product_of_the_linear_steps(solver):
    rng = np.random.default_rng(1)
    times, dim = time_grid(0.05, 2.0, 6), 4
    readouts = rng.standard_normal((7, dim, dim)) / 3
    start, along = starting_points(0, 30, dim), path(6, 4)
    product = np.eye(dim)
    for k, j in pairwise(along):
        product = matrix(ode_step(solver, times[k], times[j]), readouts[k], readouts[j]) @ product
    found = generate(gaussian(times, dim, readouts), start, along, identity, solver)
    np.testing.assert_allclose(found, start @ product.T, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(("solver", "order"), [("ddim", 1), ("euler", 1), ("heun", 2)])
def test_solvers_approach_the_flow_of_a_gaussian_at_their_order(solver, order):
    """The probability flow of N(0, Γ_t²) is x_t ∝ Γ_t."""
    start, errors = np.ones((1, 3)), []
    for levels in (50, 100):
        times = time_grid(0.05, 2.0, levels)
        found = generate(gaussian(times), start, path(levels, levels), identity, solver)
        errors.append(abs(found - math.sqrt(total(0.05) / total(2.0))).max())
    assert errors[0] < 0.02
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.1)


def test_the_law_of_samples_is_that_of_the_product_of_steps():
    rng = np.random.default_rng(2)
    times, dim, rows = time_grid(0.05, 2.0, 3), 3, 20000
    readouts = rng.standard_normal((4, dim, dim)) / 3
    product = np.eye(dim)
    for k, j in pairwise(path(3, 3)):
        product = matrix(ode_step("ddim", times[k], times[j]), readouts[k], readouts[j]) @ product
    covariance = product @ product.T
    found = generate(gaussian(times, dim, readouts), starting_points(5, rows, dim), path(3, 3), identity)
    variances = np.diag(covariance)
    assert np.all(abs(found.mean(axis=0)) < 4 * np.sqrt(variances / rows))
    error = np.sqrt((covariance**2 + np.outer(variances, variances)) / rows)
    assert np.all(abs(np.cov(found.T) - covariance) < 4 * error)


def test_the_reverse_sde_has_the_variance_of_its_steps():
    rows, dim, times = 5000, 4, time_grid(0.05, 2.0, 40)
    found = generate(
        gaussian(times, dim),
        starting_points(7, rows, dim),
        path(40, 40),
        identity,
        "sde",
        generation_noise(7, rows, dim),
    )
    variance = 1.0
    for t, to in pairwise(times[::-1]):
        step = reverse_sde_step(t, to)
        variance = (step.x - step.score / total(t)) ** 2 * variance + step.noise**2
    assert abs((found**2).mean() / variance - 1) < 4 * math.sqrt(2 / found.size)
    # and on short steps the variance is that of the law
    fine = 1.0
    for t, to in pairwise(time_grid(0.05, 2.0, 4000)[::-1]):
        step = reverse_sde_step(t, to)
        fine = (step.x - step.score / total(t)) ** 2 * fine + step.noise**2
    assert fine == pytest.approx(total(0.05), rel=2e-3)


def test_the_noise_of_a_step_is_that_of_the_index_it_leaves():
    times, start = time_grid(0.1, 2.0, 4), np.zeros((1, 3))
    drawn = []

    def noise(k):
        drawn.append(k)
        return np.full((1, 3), float(k))

    silent = Network(np.eye(3), np.zeros((5, 3, 3)), np.zeros(5), times)
    found = generate(silent, start, [4, 1, 0], identity, "sde", noise)
    assert drawn == [4, 1]
    first, last = reverse_sde_step(times[4], times[1]), reverse_sde_step(times[1], times[0])
    np.testing.assert_allclose(found, last.x * first.noise * 4 + last.noise)


def jumps(times) -> tuple[Network, np.ndarray, np.ndarray]:
    """Consistency functions that are the exact jumps of the Gaussian, Γ_ε/Γ_k, part of them in the read-out."""
    ratio = np.array([math.sqrt(total(times[0]) / total(t)) for t in times])
    skip, out = np.full(len(times), 0.5), np.full(len(times), 2.0)
    skip[0], out[0] = 1.0, 0.0
    return gaussian(times, 3, (ratio - 0.5)[:, None, None] / 2 * np.eye(3)), skip, out


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_exact_jumps_keep_the_law_at_any_number_of_steps(steps):
    times, rows = time_grid(0.05, 2.0, 5), 5000
    start = math.sqrt(total(2.0)) * starting_points(3, rows, 3)
    found = generate_consistent(*jumps(times), start, path(5, steps), identity, generation_noise(3, rows, 3))
    assert abs((found**2).mean() / total(0.05) - 1) < 4 * math.sqrt(2 / found.size)


def test_multi_step_sampling_renoises_from_the_first_time():
    times, start = time_grid(0.05, 2.0, 4), starting_points(0, 6, 3)
    noise = generation_noise(0, 6, 3)
    ratio = [math.sqrt(total(0.05) / total(t)) for t in times]
    expected = ratio[2] * renoise(ratio[4] * start, noise(2), times[0], times[2])
    np.testing.assert_allclose(generate_consistent(*jumps(times), start, [4, 2, 0], identity, noise), expected)


@pytest.mark.parametrize("share", [0.0, 0.6])
def test_a_share_of_what_a_jump_took_off_is_put_back(share):
    times, start = time_grid(0.05, 2.0, 4), starting_points(0, 6, 3)
    fresh = generation_noise(0, 6, 3)
    ratio = [math.sqrt(total(0.05) / total(t)) for t in times]
    kept = math.exp(-(times[4] - times[0]))
    x = ratio[4] * start
    taken_off = (start - kept * x) / math.sqrt(1 - kept**2)
    noise = share * fresh(2) + math.sqrt(1 - share**2) * taken_off
    expected = ratio[2] * renoise(x, noise, times[0], times[2])
    asked = fresh if share else pytest.fail  # without fresh noise none is drawn
    found = generate_consistent(*jumps(times), start, [4, 2, 0], identity, asked, share)
    np.testing.assert_allclose(found, expected)


def test_without_fresh_noise_the_teachers_score_jumps_as_its_ddim_steps_do():
    """With the teacher's score the noise put back is the estimate at the level left, as in DDIM."""
    rng = np.random.default_rng(4)
    times, start = time_grid(0.02, 3.0, 5), starting_points(1, 20, 3)
    network = Network(rng.standard_normal((30, 3)), rng.standard_normal((6, 3, 30)) / 30, np.zeros(6), times)
    steps = [ode_step("ddim", t, times[0]) for t in times]
    skip, out = [step.x for step in steps], [step.score for step in steps]
    found = generate_consistent(network, skip, out, start, [5, 3, 0], jnp.tanh, pytest.fail, 0.0)
    score = (np.tanh(start @ network.weights.T / math.sqrt(3))) @ network.readouts[5].T
    estimate = -math.sqrt(1 - math.exp(-2 * times[5])) * score
    clean = math.exp(times[5]) * (start - math.sqrt(1 - math.exp(-2 * times[5])) * estimate)
    first = math.exp(-times[0]) * clean + math.sqrt(1 - math.exp(-2 * times[0])) * estimate
    held = math.exp(-(times[5] - times[0]))
    put_back = (start - held * first) / math.sqrt(1 - held**2)
    there = renoise(first, put_back, times[0], times[3])
    expected = generate(network, there, [3, 0], jnp.tanh)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_one_jump_of_a_student_with_the_teachers_score_is_one_ddim_step():
    rng = np.random.default_rng(4)
    times, start = time_grid(0.02, 3.0, 5), starting_points(1, 20, 3)
    network = Network(rng.standard_normal((30, 3)), rng.standard_normal((6, 3, 30)), rng.standard_normal(6), times)
    steps = [ode_step("ddim", t, times[0]) for t in times]
    skip, out = [step.x for step in steps], [step.score for step in steps]
    found = generate_consistent(network, skip, out, start, path(5, 1), jnp.tanh, pytest.fail)
    np.testing.assert_allclose(found, generate(network, start, path(5, 1), jnp.tanh), rtol=1e-12)
    score = (np.tanh(start @ network.weights.T / math.sqrt(3)) - network.offsets[5]) @ network.readouts[5].T
    np.testing.assert_allclose(found, skip[5] * start + out[5] * score, rtol=1e-11)


def test_features_and_read_outs_are_their_formulas():
    rng = np.random.default_rng(5)
    network = Network(
        *map(jnp.asarray, (rng.standard_normal((8, 2)), rng.standard_normal((3, 2, 8)), np.arange(3.0))),
        times=np.arange(3.0),
    )
    x = jnp.asarray(rng.standard_normal((5, 2)))
    phi = np.tanh(x @ network.weights.T / math.sqrt(2)) - 1.5
    np.testing.assert_allclose(features(network.weights, x, 1.5, jnp.tanh), phi)
    np.testing.assert_allclose(readout(network, 2, x, jnp.tanh), (phi - 0.5) @ network.readouts[2].T)


def test_rows_in_chunks_are_the_same_samples(monkeypatch):
    rng = np.random.default_rng(6)
    times = time_grid(0.1, 1.0, 3)
    network = Network(rng.standard_normal((16, 2)), rng.standard_normal((4, 2, 16)), np.zeros(4), times)
    start = starting_points(0, 23, 2)
    whole = generate(network, start, path(3, 3), jnp.tanh, "heun")
    monkeypatch.setattr(sampling, "CHUNK", 16 * 5)
    np.testing.assert_allclose(generate(network, start, path(3, 3), jnp.tanh, "heun"), whole, rtol=1e-12)


def test_a_whole_path_and_the_students_jumps_compile_one_program(monkeypatch):
    monkeypatch.setattr(arrays, "on_host", lambda: False)
    times = time_grid(0.1, 1.0, 6)
    network, start = gaussian(times, dim=5), np.zeros((7, 5))
    before = sampling._stepped.program._cache_size()
    generate(network, start, path(6, 6), identity)
    generate(network, start, path(6, 4), identity, "euler")
    generate_consistent(network, np.ones(7), np.zeros(7), start, path(6, 3), identity, generation_noise(0, 7, 5))
    assert sampling._stepped.program._cache_size() == before + 1


def test_draws_are_by_seed_and_a_larger_sample_begins_with_the_smaller():
    np.testing.assert_array_equal(starting_points(1, 9, 2)[:4], starting_points(1, 4, 2))
    assert not np.array_equal(starting_points(1, 4, 2), starting_points(2, 4, 2))
    noise = generation_noise(1, 4, 2)
    np.testing.assert_array_equal(noise(3), generation_noise(1, 4, 2)(3))
    assert not np.array_equal(noise(3), noise(2))


def test_paths_take_the_steps_asked_for():
    assert path(20, 3) == [20, 13, 7, 0]
    for levels in (1, 7, 20):
        for steps in range(1, levels + 1):
            found = path(levels, steps)
            assert (found[0], found[-1], len(found)) == (levels, 0, steps + 1)
            assert all(k > j for k, j in pairwise(found))
    assert step_counts(1) == [1]
    assert step_counts(8) == [1, 2, 4, 8]


def test_what_cannot_be_sampled_is_refused():
    network, start = gaussian(time_grid(0.1, 1.0, 3)), np.zeros((1, 3))
    with pytest.raises(ValueError, match="solver must be one of ddim, euler, heun, sde; got 'rk4'"):
        generate(network, start, path(3, 3), identity, "rk4")
    with pytest.raises(ValueError, match="'sde' draws fresh noise at every step; pass noise"):
        generate(network, start, path(3, 3), identity, "sde")
    for steps in ([4, 0], [3], [2, 2, 0], [0, 3], [3, -1]):
        with pytest.raises(ValueError, match="must descend from at most 3 to at least 0"):
            generate(network, start, steps, identity)
    with pytest.raises(ValueError, match="jumps to the first time of its grid; got a path to index 1"):
        generate_consistent(network, np.ones(4), np.zeros(4), start, [3, 1], identity, pytest.fail)
    for steps in (0, 4):
        with pytest.raises(ValueError, match=f"between 1 and the 3 levels; got {steps}"):
            path(3, steps)
    with jax.enable_x64(False), pytest.raises(RuntimeError, match="float64"):
        generate(network, start, path(3, 3), identity)
