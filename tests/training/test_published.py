from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rfsim.learning import descent, losses, published
from rfsim.problem.activations import ACTIVATIONS
from rfsim.problem.laws import Law
from rfsim.sample import moments

D, N, P = 3, 4, 6


def setting(rate, points=N):
    rng = np.random.default_rng(0)
    draw = lambda *shape: jnp.asarray(rng.standard_normal(shape))  # noqa: E731
    delta = 0.3
    return published.Setting(draw(P, D) / D**0.5, draw(points, D), draw(2 * points, D), 0.7**0.5, delta**0.5, rate)


def test_one_step_descends_the_loss_that_it_evaluates():
    """A step from A against automatic differentiation of the mean of ‖√Δ Aφ/√p + ξ‖²/d over the same noise."""
    one, key = setting(0.5), jax.random.key(1)
    start = jnp.asarray(np.random.default_rng(1).standard_normal((D, P)))
    xi = jax.random.normal(jax.random.split(key, 1)[0], (N, D), dtype=jnp.float64)
    phi = jnp.tanh((0.7**0.5 * one.points + 0.3**0.5 * xi) @ one.weights.T)
    slope = jax.grad(lambda a: jnp.sum((0.3**0.5 * phi @ a.T / P**0.5 + xi) ** 2) / (N * D))(start)
    stepped = published.descend(one, start, key, count=1, function=jnp.tanh)
    assert stepped.dtype == jnp.float64
    np.testing.assert_allclose(stepped, start - 0.5 * slope, atol=1e-14)


def averaged(one):
    """U and V of the points, exact in the noise."""
    law = Law(0.7**0.5 * np.asarray(one.points), np.full(D, 0.3))
    weights = np.asarray(one.weights) * D**0.5
    exact = moments.averaged_moments(weights, law, ACTIVATIONS["tanh"], noise_scale=0.3**0.5, floor=1e-2)
    return exact.second, exact.noise


@pytest.mark.slow
def test_its_mean_follows_the_filter_of_discrete_descent():
    """Fresh noise is independent of the weights it meets, so their mean over runs is the filter's exactly."""
    one, steps, runs = setting(0.5), 60, 2000
    descend = jax.vmap(lambda key: published.descend(one, jnp.zeros((D, P)), key, count=steps, function=jnp.tanh))
    a = np.asarray(descend(jax.random.split(jax.random.key(2), runs))) / P**0.5
    second, noise = averaged(one)
    lam, q = jnp.linalg.eigh(second)
    f = descent.descent(steps, descent.descent_step(0.5, 0.3, P, D))(lam)
    exact = -(q * f @ q.T @ noise).T / 0.3**0.5
    assert np.max(np.abs(a.mean(0) - exact) / a.std(0)) <= 5 / runs**0.5


@pytest.mark.slow
def test_its_training_loss_is_that_of_the_weights_on_average():
    one, runs = setting(0.5), 4000
    a = jnp.asarray(np.random.default_rng(3).standard_normal((D, P)))
    keys = jax.random.split(jax.random.key(4), runs)
    values = np.asarray(jax.vmap(lambda key: published.monte_carlo_losses(one, a, key, function=jnp.tanh))(keys))
    exact = float(losses.weights_loss(a / P**0.5, *averaged(one), 0.3))
    assert abs(values[:, 0].mean() - exact) <= 5 * values[:, 0].std() / runs**0.5


@pytest.mark.parametrize(("share", "diverges"), [(0.8, False), (1.5, True)])
def test_beyond_the_largest_stable_rate_it_diverges(share, diverges):
    one, key = setting(0.0, points=200), jax.random.key(5)
    one = one._replace(rate=share * published.largest_stable_rate(one, key, jnp.tanh))
    a = published.descend(one, jnp.zeros((D, P)), key, count=400, function=jnp.tanh)
    assert (float(jnp.abs(a).max()) > 1e6) == diverges
