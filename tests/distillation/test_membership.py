from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
import pytest

from rfsim.distillation import membership
from rfsim.distillation.consistency import consistency
from rfsim.distillation.memorization import auc
from rfsim.problem import data, populations
from rfsim.problem.diffusion import diffuse, forward, noise_variance, ode_step
from rfsim.problem.laws import Law, score
from tests.distillation.cases import DIM, TIMES, any_network, phi

NETWORK = any_network(3)
LEVEL, SEED = 2, 4
LAW = populations.read("isotropic").law(DIM)
TRAINING = data.draw(LAW, 6, SEED)


@pytest.fixture
def points(monkeypatch):
    monkeypatch.setattr(membership, "MOST", 10)
    return membership.points(TRAINING, LAW, SEED)


@pytest.fixture
def probe(points):
    return membership.probe(points, TIMES[LEVEL], SEED, "test", NETWORK, LEVEL, jnp.tanh)


def by_hand(points, score_at):
    """‖√Δ s(x) + ξ‖²/d of every point, averaged over its copies, with loops."""
    noise = data.stream(SEED, "test").standard_normal((membership.COPIES, len(points.clean), DIM))
    found = np.zeros(len(points.clean))
    for copy in noise:
        for i, (clean, xi) in enumerate(zip(points.clean, copy, strict=True)):
            x = forward(clean, xi, TIMES[LEVEL])
            residual = math.sqrt(noise_variance(TIMES[LEVEL])) * score_at(x[None])[0] + xi
            found[i] += residual @ residual / DIM / membership.COPIES
    return found


def test_points_are_the_training_ones_and_then_fresh_ones(points):
    assert points.training == 6
    assert points.clean.shape == (16, DIM)
    np.testing.assert_array_equal(points.clean[:6], TRAINING)
    np.testing.assert_array_equal(points.clean[6:], data.draw(LAW, 10, SEED, "membership"))
    assert np.abs(points.clean[6:, None] - TRAINING).max(-1).min() > 1e-3  # other points
    many = membership.points(data.draw(LAW, 30, SEED), LAW, SEED)
    assert many.training == 10
    assert len(many.clean) == 20


def test_losses_are_those_of_single_points_written_out(points, probe):
    readouts = np.stack([NETWORK.readouts, -2 * NETWORK.readouts])[:, 1:]  # (2, 2, dim, features)
    found = membership.losses(probe, jnp.asarray(readouts), along=-0.3, factor=1.7)
    assert found.shape == (2, 2, 16)
    for index in np.ndindex(2, 2):
        expected = by_hand(points, lambda x, m=readouts[index]: -0.3 * x + 1.7 * phi(NETWORK, LEVEL, x) @ m.T)
        np.testing.assert_allclose(found[index], expected, rtol=1e-12)
    plain = membership.losses(probe, jnp.asarray(readouts[0, 0]))
    np.testing.assert_allclose(plain, by_hand(points, lambda x: phi(NETWORK, LEVEL, x) @ readouts[0, 0].T), rtol=1e-12)


def test_losses_of_a_function_are_those_of_the_read_out_that_it_is(probe):
    m = NETWORK.readouts[1]
    of_function = membership.losses_of_score(probe, lambda x: phi(NETWORK, LEVEL, x) @ m.T)
    np.testing.assert_allclose(of_function, membership.losses(probe, jnp.asarray(m)), rtol=1e-12)
    # the score that knows each point leaves nothing: s = −ξ/√Δ
    known = -np.asarray(probe.noise) / probe.scale
    np.testing.assert_allclose(membership.losses_of_score(probe, lambda _: known), 0, atol=1e-28)


@pytest.mark.parametrize("name", ["ddim", "edm"])
def test_a_consistency_function_is_the_jump_of_the_score_it_is_read_as(name):
    form, x = consistency(name, TIMES, 1.3), np.random.default_rng(0).standard_normal((5, DIM))
    for level in (1, 2):
        jump = ode_step("ddim", TIMES[level], TIMES[0])
        along, factor = membership.as_score(form, level, jump)
        if name == "ddim":
            assert (along, factor) == (0.0, 1.0)
        read_out = phi(NETWORK, level, x) @ NETWORK.readouts[level].T
        jumped = jump.x * x + jump.score * (along * x + factor * read_out)
        np.testing.assert_allclose(jumped, form.skip[level] * x + form.out[level] * read_out, rtol=1e-12)


def test_a_memorizing_score_tells_training_points_and_the_true_one_does_not():
    law = populations.read("isotropic").law(10)
    training = data.draw(law, 200, 0)
    points, time = membership.points(training, law, 0), 0.01
    network = any_network(3)._replace(weights=np.ones((1, 10)))
    probe = membership.probe(points, time, 0, "test", network, 0, jnp.tanh)
    memorizing, true = Law(training, np.zeros(10)), diffuse(law, time)
    told, blind = (
        membership.losses_of_score(probe, lambda x, one=one: score(one, x)) for one in (diffuse(memorizing, time), true)
    )
    assert auc(told[:200], told[200:]) == 1.0
    # Mann–Whitney: the standard deviation of an AUC between 200 and 512 losses of one law
    deviation = math.sqrt((200 + 512 + 1) / (12 * 200 * 512))
    assert abs(auc(blind[:200], blind[200:]) - 0.5) < 3 * deviation
