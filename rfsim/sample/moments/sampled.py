"""U and V as plain averages over draws of the noise: frozen copies (finite m), or Monte Carlo as a check."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers
from rfsim.computing.parallel import DeviceLayout
from rfsim.computing.precision import require_float64
from rfsim.problem.activations import Activation
from rfsim.sample.moments.averages import Moments, require_finite
from rfsim.sample.moments.sharded import Assembler, assembler

Draws = Iterable[tuple[NDArray[np.float64], NDArray[np.float64]]]


def sampled_moments(
    weights: NDArray[np.float64], draws: Draws, sigma: Activation, *, layout: DeviceLayout | None = None
) -> Moments:
    """U and V as plain averages of φφᵀ and φξᵀ over draws, streamed: frozen copies or Monte Carlo (§2).

    Args:
        weights: W, (features, dim).
        draws: Pairs of x_t (rows, dim) and its ξ (rows, dim).
        sigma: The activation, centered.
        layout: Of the devices over which the rows of both are divided; none of them ever holds the whole of the first.

    Returns:
        The moments, `orders` 0.

    Raises:
        ValueError: For an activation that is NaN or infinite on this data.
        RuntimeError: In float32.
    """
    work = assembler(layout, len(weights))
    moments = _averaged(work, _features(work, weights, draws, sigma))
    require_finite(work.host(moments.noise), sigma)
    return moments


def moments_of_features(features: int, draws: Iterable[tuple[Numbers, NDArray]]) -> Moments:
    """Averages of φφᵀ and φξᵀ over draws of features themselves, streamed (§2).

    Args:
        features: p.
        draws: Pairs of φ (features, rows), padded or not, and ξ (rows, dim).

    Returns:
        The moments, `orders` 0.

    Raises:
        RuntimeError: In float32.
    """
    return _averaged(work := assembler(None, features), ((work.pad(phi), xi) for phi, xi in draws))


def _averaged(work: Assembler, draws: Iterable[tuple[Numbers, NDArray]]) -> Moments:
    """Of padded φ."""
    require_float64()
    second, no_directions = work.zero(), work.pad(np.zeros((work.features, 1)))
    noise, power, count, dim = 0.0, 0.0, 0, 0
    for phi, xi in draws:
        noise = phi @ work.share(xi) + noise
        second = work.add_orders(second, phi[None], no_directions, 1.0, 0, 1)
        power += float((xi**2).sum())
        count, dim = count + len(xi), xi.shape[1]
    second = work.finish(second)
    second /= count
    return Moments(second, work.unpad(noise) / count, power / dim / count, 0, 0.0)


def _features(
    work: Assembler, weights: NDArray[np.float64], draws: Draws, sigma: Activation
) -> Iterator[tuple[Numbers, NDArray]]:
    """φ(x_t), padded, in chunks of rows that fit the memory budget of `chunk_rows`."""
    w = work.pad(weights / math.sqrt(weights.shape[1]))
    for x, xi in draws:
        for lo in range(0, len(x), rows := work.chunk_rows(1)):
            yield work.features_of(w, x[lo : lo + rows], sigma.offset, sigma.function), xi[lo : lo + rows]
