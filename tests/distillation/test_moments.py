from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
import pytest

from rfsim.computing.numerics import hermite_rule
from rfsim.distillation import moments
from rfsim.distillation.moments import Noisy, StudentFeatures, level_moments, stage
from rfsim.problem import activations, model, populations
from rfsim.problem.diffusion import noise_variance, ode_step, signal
from rfsim.problem.laws import Law
from rfsim.sample.spectra.accurate import training_moments
from tests.distillation.cases import DIM, FEATURES, TIMES, TINY, any_network, drawn, moved, noisy, phi

POINTS = Law(np.random.default_rng(4).standard_normal((6, DIM)), np.zeros(DIM))
RELU = activations.centered(activations.activation("relu"), 1.0).function


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(moments, "CHUNK_ROWS", 40)


def pupil_of(network, level):
    return StudentFeatures(jnp.asarray(network.weights), network.offsets[level], network.offsets[level - 1])


def found_by(teacher, pupil, law=POINTS, count=137, level=2, solver="ddim", function=jnp.tanh, **wanted):
    """All shares, C and P with them."""
    draws, moving = Noisy(law, TIMES[level], 5, "test", count), stage(teacher, level, solver)
    targets = wanted.pop("targets", lambda x: jnp.zeros((len(x), 0, DIM)))
    given = {"carried": True} | wanted
    return list(level_moments(moving, pupil_of(pupil, level), draws, function, targets, **given))


def written_out(teacher, pupil, count, law=POINTS, total=137, level=2, solver="ddim", function=np.tanh):
    """The same averages over the first `count` draws, one at a time in plain NumPy."""
    step = ode_step(solver, TIMES[level], TIMES[level - 1])
    found = dict.fromkeys(("second", "carried", "steps", "own", "difference"), 0.0)
    for x in noisy(law, TIMES[level], 5, "test", total)[:count]:
        here, y = phi(pupil, level, x, function), moved(step, teacher, level, x, function)
        there = phi(pupil, level - 1, y, function)
        pairs = (here, here), (there, here), (y, here), (x, here), (here - there, here - there)
        for name, (left, right) in zip(found, pairs, strict=True):
            found[name] = found[name] + np.outer(left, right) / count
    return found


def agree(found, expected):
    for name, value in expected.items():
        if getattr(found, name) is not None:
            np.testing.assert_allclose(getattr(found, name), value, atol=1e-13, err_msg=name)


def test_every_average_is_a_plain_loop_over_the_draws_and_half_of_them_are_the_first():
    """137 draws in two shares of 69 and 68, in chunks of 35: none of them a multiple of another."""
    network = any_network(3)
    mixing = np.random.default_rng(9).standard_normal((2, DIM, DIM))
    shares = found_by(
        network, network, difference=True, targets=lambda x: jnp.tanh(jnp.einsum("ri,kij->rkj", x, mixing))
    )
    assert [share.draws for share in shares] == [69, 137]
    for share in shares:
        agree(share, written_out(network, network, share.draws))
        assert share.targets.shape == (2, DIM, FEATURES)
        x = noisy(POINTS, TIMES[2], 5, "test", 137)[: share.draws]
        for found, mix in zip(share.targets, mixing, strict=True):
            np.testing.assert_allclose(found, np.tanh(x @ mix).T @ phi(network, 2, x) / share.draws, atol=1e-13)


def test_heun_and_a_kinked_student_with_features_of_its_own():
    """relu centered differently at every level, by the teacher and by the student; both stages of Heun's step."""
    teacher = any_network(3, features=8, offsets=(0.5, 0.4, 0.3))
    student = any_network(6, offsets=(0.15, 0.25, 0.35))
    (whole,) = found_by(teacher, student, solver="heun", function=RELU, shares=1)
    assert whole.targets.shape == (0, DIM, FEATURES)
    assert whole.difference is None
    agree(whole, written_out(teacher, student, 137, solver="heun", function=lambda z: np.maximum(z, 0)))


def test_what_is_not_asked_for_is_not_averaged():
    network = any_network(3)
    (whole,) = found_by(network, network, shares=1, carried=False)
    assert whole.carried is None
    assert whole.steps is None
    assert whole.difference is None
    agree(whole, written_out(network, network, 137))


def test_at_the_lowest_level_steps_end_at_the_first_time():
    network = any_network(3)
    targets = lambda x: jnp.stack([x, x], axis=1)  # noqa: E731
    whole = found_by(network, network, level=1, difference=True, targets=targets)[-1]
    agree(whole, written_out(network, network, 137, level=1))
    for found in whole.targets:
        np.testing.assert_allclose(found, whole.own, atol=1e-15)


def test_the_second_moment_is_the_exact_one_and_so_is_x(monkeypatch):
    """U of (T4) and X_k = e^{−t}Xg_0ᵀ/n + √Δ Vᵀ over the training points, in standard errors of the draws."""
    monkeypatch.setattr(moments, "CHUNK_ROWS", 6000)
    level, count = 2, 60_000
    t = TIMES[level]
    problem = model.Problem(TINY.samples_per_dim, TINY.features_per_dim, diffusion_time=t)
    draw = drawn(problem)
    exact = training_moments(problem, draw, 1e-8, None)
    # g_0(i, ν) = E σ(e^{−t}w_i·x_ν/√d + √(Δρ_i) u) by quadrature
    rule = hermite_rule(1, step=0.1)
    rho = (draw.weights**2).sum(1) / DIM
    inner = signal(t) * draw.points @ draw.weights.T / math.sqrt(DIM)
    g0 = np.tanh(inner[..., None] + np.sqrt(noise_variance(t) * rho)[:, None] * rule.nodes) @ rule.weights[0]
    own = signal(t) * draw.points.T @ g0 / len(draw.points) + math.sqrt(noise_variance(t)) * np.asarray(exact.noise).T

    law = Law(draw.points, np.zeros(DIM))
    network = any_network(3)._replace(weights=draw.weights, offsets=np.zeros(3))
    moments.CHUNK_ROWS = 6000  # undone with the fixture's patch
    (found,) = found_by(network, network, law, count, level, shares=1)
    x = noisy(law, t, 5, "test", count)
    features = np.tanh(x @ draw.weights.T / math.sqrt(DIM))
    for name, left, value in (("second", features, exact.second), ("own", x, own)):
        products = left.T @ features / count, (left**2).T @ features**2 / count
        error = np.sqrt((products[1] - products[0] ** 2) / count)
        away = np.abs(getattr(found, name) - np.asarray(value)) / error
        assert away.max() < 4.5, name  # of 144 and 36 correlated numbers


def test_draws_come_in_order_whatever_the_pieces():
    for law in (POINTS, populations.read("atoms:0.5@0.5,0.5@1.5").law(DIM), populations.read("mixture:3").law(DIM)):
        pieces = Noisy(law, 0.3, 1, "one", 12)
        whole = Noisy(law, 0.3, 1, "one", 12).take(12)
        np.testing.assert_array_equal(np.concatenate([pieces.take(5), pieces.take(7)]), whole)
        np.testing.assert_array_equal(whole, noisy(law, 0.3, 1, "one", 12))
        assert not np.array_equal(whole, Noisy(law, 0.3, 1, "two", 12).take(12))
        assert not np.array_equal(whole, Noisy(law, 0.3, 2, "one", 12).take(12))


def test_fresh_draws_have_the_law_of_the_diffused_population():
    law = populations.read("mixture:3").law(DIM)
    x = Noisy(law, 0.3, 1, "fresh", 40_000).take(40_000)
    half = signal(0.3) * 1.5
    np.testing.assert_allclose(x.mean(0), 0, atol=5 / math.sqrt(40_000) * math.sqrt(half**2 + 1))
    covariance = np.diag([half**2 + 1, 1.0, 1.0])
    np.testing.assert_allclose(np.cov(x.T), covariance, atol=5 * 3 / math.sqrt(40_000))
    # one clean point serves one draw: with points, each of them serves as often as another
    turns = Noisy(POINTS, 1e-12, 1, "fresh", 12).take(12)
    np.testing.assert_allclose(turns, np.tile(POINTS.centers, (2, 1)), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["ddim", "euler", "heun"])
@pytest.mark.parametrize("count", [25, 80, 161])
def test_any_number_of_draws_in_any_number_of_shares(solver, count):
    network = any_network(3)
    for shares in (1, 2, 3):
        several = found_by(network, network, count=count, solver=solver, shares=shares, difference=True)
        assert len(several) == shares
        assert several[-1].draws == count
        for share in several:
            agree(share, written_out(network, network, share.draws, total=count, solver=solver))


@pytest.mark.slow
@pytest.mark.parametrize("p", [1, 2, 3, 5, 12])
def test_symmetric_sums_are_whole_for_any_number_of_features(p):
    """Upper blocks alone are added: none is left out where features are no multiple of the blocks, or fewer."""
    network = any_network(3)
    student = network._replace(weights=network.weights[:p])
    (found,) = found_by(network, student, shares=1, difference=True, count=30)
    agree(found, written_out(network, student, 30, total=30))
