"""Training as the papers' public script does it, repaired: a full-batch loop with fresh noise and Monte Carlo losses.

The baseline of `rfsim bench`, not a route of ours. Repaired: the weights carry 1/√p and the loss 1/d, so that steps
are train_time kη/d² (equations.md §3); the rate stays below its stability limit; float64; everything in one scan.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from rfsim.computing.parallel import decomposing
from rfsim.learning import clocks
from rfsim.problem import data
from rfsim.problem.diffusion import noise_variance, signal
from rfsim.problem.model import Problem
from rfsim.problem.realization import Instance

Function = Callable[[Array], Array]


class Setting(NamedTuple):
    """One draw of the repaired public script (§3; B25's public script).

    Attributes:
        weights: W/√d, (features, dim).
        points: Training points, (samples, dim).
        held_out: Test set, (2 samples, dim).
        signal: e^{−t}.
        noise_scale: √Δ.
        rate: η, on the loss of (T1).
    """

    weights: Array
    points: Array
    held_out: Array
    signal: float
    noise_scale: float
    rate: float


def setting(problem: Problem, draw: Instance, key: Array, stable_share: float) -> Setting:
    """One draw, with a test set of twice its samples, at a share of the largest stable rate (§3).

    Args:
        problem: What is asked; its diffusion time and activation are used.
        draw: The population, points and weights drawn for it.
        key: Of the noise over which λ_max of U is found.
        stable_share: η over the largest stable one.

    Returns:
        The arrays and the rate of the descent.
    """
    t, d = problem.diffusion_time, draw.sizes.dim
    held_out = data.draw(draw.population, 2 * draw.sizes.samples, draw.seed + 1)
    weights = jnp.asarray(draw.weights / math.sqrt(d))
    found = Setting(
        weights, jnp.asarray(draw.points), jnp.asarray(held_out), signal(t), math.sqrt(noise_variance(t)), 0.0
    )
    return found._replace(rate=stable_share * largest_stable_rate(found, key, problem.activation.function))


@partial(jax.jit, static_argnames=("count", "function"))
def descend(setting: Setting, start: Array, key: Array, *, count: int, function: Function) -> Array:
    """Weights after steps of gradient descent, each over all points with noise of its own (§3).

    Args:
        setting: The draw.
        start: A, (dim, features).
        key: Of the noise.
        count: Number of steps.
        function: σ, elementwise; nothing is taken off it.

    Returns:
        A, (dim, features); Ā is A/√p.
    """

    def step(a: Array, key: Array) -> tuple[Array, None]:
        phi, xi = _noisy_features(setting, setting.points, key, function)
        n, d = xi.shape
        slope = 2 * setting.noise_scale / (n * d * phi.shape[1] ** 0.5)
        return a - setting.rate * slope * (_residual(setting, a, phi, xi).T @ phi), None

    return jax.lax.scan(step, start, jax.random.split(key, count))[0]


@partial(jax.jit, static_argnames=("function",))
def monte_carlo_losses(setting: Setting, a: Array, key: Array, *, function: Function) -> Array:
    """L_train over two fresh noises per training point, and L_test over the test set (T1).

    Args:
        setting: The draw.
        a: A, (dim, features).
        key: Of the noise.
        function: σ, elementwise; nothing is taken off it.

    Returns:
        L_train and L_test, (2,).
    """

    def loss(points: Array, key: Array) -> Array:
        phi, xi = _noisy_features(setting, points, key, function)
        return (_residual(setting, a, phi, xi) ** 2).mean()

    train, test = jax.random.split(key)
    return jnp.stack([loss(jnp.tile(setting.points, (2, 1)), train), loss(setting.held_out, test)])


def largest_stable_rate(setting: Setting, key: Array, function: Function) -> float:
    """The η at which c·λ_max = 2, λ_max of U over one draw of the noise (§3).

    Args:
        setting: The draw.
        key: Of the noise.
        function: σ, elementwise; nothing is taken off it.

    Returns:
        The rate, from the Gram matrix (points, points) of the features.
    """
    phi, _ = _noisy_features(setting, setting.points, key, function)
    n, p = phi.shape
    largest = float(decomposing(jnp.linalg.eigvalsh)(phi @ phi.T / n)[-1])
    return clocks.largest_stable_rate(largest, 0.0, setting.noise_scale**2, p, setting.points.shape[1])


def _noisy_features(setting: Setting, points: Array, key: Array, function: Function) -> tuple[Array, Array]:
    xi = jax.random.normal(key, points.shape, dtype=points.dtype)
    x = setting.signal * points + setting.noise_scale * xi
    return function(x @ setting.weights.T), xi


def _residual(setting: Setting, a: Array, phi: Array, xi: Array) -> Array:
    return setting.noise_scale * phi @ a.T / phi.shape[1] ** 0.5 + xi
