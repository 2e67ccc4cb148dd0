"""M and N at d ≤ 3 by tensor quadrature over the d-dimensional noise (equations.md §2).

There the correlations of the pre-activations are near 1 and the Hermite series needs too many orders; a grid over the
noise itself does not. For smooth activations: where there are kinks the trapezoid rule converges slowly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from numpy.typing import NDArray

from rfsim.problem.activations import Activation
from rfsim.problem.laws import Law
from rfsim.sample.moments.assembly import CHUNK_BYTES

MOST_DIM = 3
MOST_POINTS = 2**26  # of noise and centers together
STEPS = 0.75 * 0.8 ** np.arange(14)
REACH = 9.2  # e^{−REACH²/2} is below rounding
ROUNDING = 8 * np.finfo(float).eps  # of ‖M‖: what rounding leaves between two rules, measured up to half of this


def tensor_moments(
    weights: NDArray[np.float64], law: Law, sigma: Activation, *, noise_scale: float, target: float
) -> tuple[Array, Array, float]:
    """Moments by tensor quadrature over the noises, and how far the last two rules differ.

    M (features, features), N (features, dim) and the Frobenius norm by which these differ, beyond the rounding of their
    sums. The rule is refined until that is not above `target`, or until it cannot be: callers compare.
    """
    found, error = (jnp.zeros((len(weights),) * 2), jnp.zeros(weights.shape)), math.inf
    for points, point_weights in _grids(weights.shape[1], len(law.centers)):
        second, shifted = _average(weights, law, sigma, points, point_weights)
        previous, found = found, (second, shifted * noise_scale / np.sqrt(law.variances))
        differences = (float(jnp.linalg.norm(a - b)) for a, b in zip(found, previous, strict=True))
        error = max(math.hypot(*differences) - ROUNDING * float(jnp.linalg.norm(second)), 0.0)
        if error <= target:
            break
    return *found, error


def _grids(dim: int, centers: int) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Trapezoid rules on the ball of radius REACH, coarse to fine, while they are affordable."""
    for step in STEPS:
        half = int(REACH / step)
        axis = step * np.arange(-half, half + 1)
        if len(axis) ** dim * centers > MOST_POINTS:
            return
        points = np.stack(np.meshgrid(*[axis] * dim, indexing="ij"), axis=-1).reshape(-1, dim)
        points = points[(points**2).sum(1) <= REACH**2]
        yield points, (step / math.sqrt(2 * math.pi)) ** dim * np.exp(-(points**2).sum(1) / 2)


def _average(weights, law, sigma, points, point_weights) -> tuple[Array, Array]:
    """E φφᵀ and E φzᵀ for x = center + √variances·z, streamed over points z."""
    p, d = weights.shape
    w = jnp.asarray(weights / math.sqrt(d))
    eta, spread = w @ law.centers.T, w * np.sqrt(law.variances)
    # whole chunks, those beyond the points without weight: one compiled program serves all rules
    rows = max(min(CHUNK_BYTES // (16 * p), 2**14), 1)
    extra = -len(points) % rows
    points, point_weights = np.pad(points, ((0, extra), (0, 0))), np.pad(point_weights, (0, extra))
    totals = jnp.zeros((p, p)), jnp.zeros((p, d))
    for lo in range(0, len(points), rows):
        chunk = jnp.asarray(points[lo : lo + rows]), jnp.asarray(point_weights[lo : lo + rows])
        totals = _accumulate(totals, eta, spread, *chunk, sigma.offset, sigma.function)
    return totals[0] / len(law.centers), totals[1] / len(law.centers)


@partial(jax.jit, static_argnames=("function",), donate_argnums=0)
def _accumulate(totals, eta, spread, points, point_weights, offset, function):
    noise = spread @ points.T

    def center(k, totals):
        second, shifted = totals
        phi = function(eta[:, k, None] + noise) - offset
        weighted = phi * point_weights
        return second + weighted @ phi.T, shifted + weighted @ points

    return lax.fori_loop(0, eta.shape[1], center, totals)
