"""U and V as plain averages over draws of the noise: frozen copies (finite m), or Monte Carlo as a check."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from rfsim.activations import Activation
from rfsim.moments.assembly import add_orders, chunk_rows, features_of, finish, pad, padded
from rfsim.moments.averages import Moments, require_finite
from rfsim.precision import require_float64

Draws = Iterable[tuple[NDArray[np.float64], NDArray[np.float64]]]


def sampled_moments(weights: NDArray[np.float64], draws: Draws, sigma: Activation) -> Moments:
    """Averages of φφᵀ and φξᵀ over `draws` of (x_t (rows, dim), ξ (rows, dim)), streamed."""
    moments = moments_of_features(len(weights), _features(weights, draws, sigma))
    require_finite(np.asarray(moments.noise), sigma)
    return moments


def moments_of_features(features: int, draws: Iterable[tuple[Array | NDArray, NDArray]]) -> Moments:
    """Averages of φφᵀ and φξᵀ over `draws` of (φ (features, rows), padded or not, and ξ (rows, dim)), streamed."""
    require_float64()
    second, no_directions = jnp.zeros((padded(features), padded(features))), jnp.zeros((padded(features), 1))
    noise, power, count = jnp.zeros(0), 0.0, 0
    for phi, xi in draws:
        phi = pad(phi)
        noise = phi @ xi + (noise if count else 0.0)
        second = add_orders(second, phi[None], no_directions, 1.0, 0, 1)
        power += float((xi**2).sum())
        count += len(xi)
    second = finish(second, jnp.diagonal(second)[:features]) / count
    return Moments(second, noise[:features] / count, power / noise[0].size / count, 0, 0.0)


def _features(weights: NDArray[np.float64], draws: Draws, sigma: Activation) -> Iterator[tuple[Array, NDArray]]:
    """φ(x_t), padded, in chunks of rows that fit the memory budget of `chunk_rows`."""
    w = pad(weights / math.sqrt(weights.shape[1]))
    for x, xi in draws:
        for lo in range(0, len(x), rows := chunk_rows(len(weights), 1)):
            yield features_of(w, x[lo : lo + rows], sigma.offset, sigma.function), xi[lo : lo + rows]
