"""What a teacher descends: (T1) with its noise averaged exactly, over frozen draws, or drawn anew at every step.

Weights are A = √p Ā (dim, features), those of the flow A' = −d² ∇_A L (B25 Eq. 10). Each objective is a `loop.Loss`
over arrays that may be sharded over the features: W and the moments by rows, A by columns. What a step draws, (rows,
dim), is the same on every device.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jax import Array

from rfsim.computing.numerics import standard_normal
from rfsim.learning.losses import weights_loss
from rfsim.sample.moments.assembly import features_of
from rfsim.simulation.loop import Loss

Function: TypeAlias = Callable[[Array], Array]


class Averaged(NamedTuple):
    """The noise averaged exactly, or over every frozen draw: U (features, features), V (features, dim), E‖ξ‖²/d."""

    second: Array
    noise: Array
    constant: float
    noise_variance: float
    ridge: float


class Features(NamedTuple):
    """What a draw is read by: W/√d (features, dim), σ's mean, Δ and γ."""

    weights: Array
    offset: Array
    noise_variance: float
    ridge: float


class Frozen(NamedTuple):
    """The frozen draws: x_t and ξ, (samples · copies, dim) each."""

    features: Features
    x: Array
    xi: Array


class Fresh(NamedTuple):
    """Points (samples, dim) that get noise of their own at every step; signal: e^{−t}."""

    features: Features
    points: Array
    signal: float


Source: TypeAlias = Averaged | Frozen | Fresh


@cache  # one function per choice, so that each is compiled once
def averaged(products: str) -> Loss:
    """(T1) and the ridge's penalty, over `Averaged`. products: JAX's precision of matrix products."""

    def loss(weights: Array, average: Array, key: Array, step: Array, one: Averaged) -> Array:
        with jax.default_matmul_precision(products):
            return averaged_loss(weights, one)

    return loss


@cache
def drawn(function: Function, rows: int | None, products: str) -> Loss:
    """The loss over `rows` draws with replacement, or over every draw once, of `Frozen` or `Fresh`."""

    def loss(weights: Array, average: Array, key: Array, step: Array, source: Frozen | Fresh) -> Array:
        with jax.default_matmul_precision(products):
            return batch_loss(weights, *batch(key, source, rows), source.features, function)

    return loss


def averaged_loss(weights: Array, one: Averaged) -> Array:
    """(T1) of weights A, and the ridge's penalty."""
    bar = weights / math.sqrt(weights.shape[1])
    loss = weights_loss(bar, one.second, one.noise, one.noise_variance, one.constant)
    return loss + _penalty(weights, one.noise_variance, one.ridge)


def batch(key: Array, source: Frozen | Fresh, rows: int | None) -> tuple[Array, Array]:
    """x_t and ξ of one step, (rows, dim) each."""
    choice, noise = jax.random.split(key)
    count = len(source.points if isinstance(source, Fresh) else source.x)
    at = None if rows is None else jax.random.randint(choice, (rows,), 0, count)
    if isinstance(source, Frozen):
        return (source.x, source.xi) if at is None else (source.x[at], source.xi[at])
    points = source.points if at is None else source.points[at]
    xi = standard_normal(noise, points.shape, points.dtype)
    return source.signal * points + jnp.sqrt(jnp.asarray(source.features.noise_variance, points.dtype)) * xi, xi


def batch_loss(weights: Array, x: Array, xi: Array, by: Features, function: Function) -> Array:
    """(1/d) mean ‖√Δ Ā φ(x) + ξ‖² over the rows, and the ridge's penalty."""
    p = weights.shape[1]
    phi = features_of(by.weights, x, by.offset, function)
    scale = jnp.sqrt(jnp.asarray(by.noise_variance / p, weights.dtype))
    return ((scale * (weights @ phi) + xi.T) ** 2).mean() + _penalty(weights, by.noise_variance, by.ridge)


@partial(jax.jit, static_argnames=("function", "rows", "products"))
def rounding(
    weights: Array, key: Array, source: Source, *, function: Function, rows: int | None, products: str
) -> Array:
    """‖g − g₆₄‖/‖g₀‖ of the gradient at `weights`, over one batch: what the precision of the weights costs.

    g₆₄ is the same gradient in float64, g₀ that at zero weights: the size of the terms that cancel late in training.
    """
    given = source if isinstance(source, Averaged) else (*batch(key, source, rows), source.features)

    def loss(weights: Array, given: Averaged | tuple[Array, Array, Features]) -> Array:
        if isinstance(given, Averaged):
            return averaged_loss(weights, given)
        return batch_loss(weights, *given, function)

    wide, exactly = jax.tree.map(lambda leaf: jnp.asarray(leaf, float), (weights, given))
    with jax.default_matmul_precision(products):
        found = jax.grad(loss)(weights, given)
    slope = jax.grad(loss)
    return jnp.linalg.norm(found - slope(wide, exactly)) / jnp.linalg.norm(slope(jnp.zeros_like(wide), exactly))


def _penalty(weights: Array, noise_variance: float, ridge: float) -> Array:
    """(Δγ/d)‖Ā‖²."""
    return noise_variance * ridge * (weights**2).sum() / weights.size
