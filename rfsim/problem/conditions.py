"""Noise-free inputs y beside x_t, and what features σ(W_1x_t/√(2d) + W_2y/√(2d_y)) see of both (equations.md §13).

x_t and y are one vector to them, of which x_t alone is noisy: moments, trainings and spectra are those of (T3) to (T8)
with other pre-activations, other correlations of the noise, and the derivative by the noise along x_t.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.problem.data import stream
from rfsim.problem.diffusion import noise_variance, signal
from rfsim.problem.laws import Law
from rfsim.problem.populations import Condition, Told


class Inputs(NamedTuple):
    """The inputs of one draw.

    Attributes:
        weights: W_2, (features, d_y).
        points: y of the training points, (samples, d_y).
        held_out: y of the rows that play the population of an array, (rows, d_y); None for a population.
        told: What y tells of each direction of a population's x; None for an array.
    """

    weights: NDArray[np.float64]
    points: NDArray[np.float64]
    held_out: NDArray[np.float64] | None = None
    told: Told | None = None


class Seen(NamedTuple):
    """What features see: a law in coordinates of its own, some without noise, and the weights there.

    Attributes:
        weights: (features, coordinates); pre-activations are these · values/√coordinates.
        law: Of x_t and y, in these coordinates.
        slopes: The pre-activations' derivatives by x_t, (features, dim); None where these are W/√d.
    """

    weights: NDArray[np.float64]
    law: Law
    slopes: NDArray[np.float64] | None


def draw_inputs(
    data: Condition, dim: int, samples: int, seed: int, *, of: str = ""
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points of a population and their inputs, (samples, dim) and (samples, d_y): for training, or `of` other streams.

    What y leaves of x is made of the same normal values as the points of `isotropic` are.
    """
    told, rest = data.at(dim), stream(seed, f"{of}data").standard_normal((samples, dim))
    y = stream(seed, f"{of}condition").standard_normal((samples, data.inputs(dim)))
    return told_mean(data, y, dim) + rest * np.sqrt(told.residual), y


def told_mean(data: Condition, y: NDArray[np.float64], dim: int) -> NDArray[np.float64]:
    """By, the mean of x given y (rows, d_y), (rows, dim)."""
    found, both = np.zeros((len(y), dim)), min(y.shape[1], dim)
    found[:, :both] = data.gain * y[:, :both]
    return found


def input_weights(seed: int, features: int, inputs: int) -> NDArray[np.float64]:
    """W_2 of one seed, (features, d_y)."""
    return stream(seed, "features/condition").standard_normal((features, inputs))


def joint_variance(total: float, inputs: float | None) -> float:
    """Γ² of the pre-activations: that of x_t, or with inputs of E‖y‖²/d_y beside it the half of both (§13)."""
    return total if inputs is None else (total + inputs) / 2


def joint(weights: NDArray[np.float64], inputs: Inputs) -> NDArray[np.float64]:
    """Weights of (x, y) as one vector: W with Wz/√D = W_1x/√(2d) + W_2y/√(2d_y), D = d + d_y."""
    several = weights, inputs.weights
    coordinates = sum(one.shape[1] for one in several)
    return np.hstack([one * math.sqrt(coordinates / (2 * one.shape[1])) for one in several])


def seen_points(
    weights: NDArray[np.float64], inputs: Inputs, points: NDArray[np.float64], y: NDArray[np.float64], time: float
) -> Seen:
    """What features see of points with fresh noise, and of their inputs."""
    shape = points.shape[1], y.shape[1]
    variances = np.repeat([noise_variance(time), 0.0], shape)
    centers = np.hstack([signal(time) * points, y])
    return Seen(joint(weights, inputs), Law(centers, variances), slopes(weights))


def seen_population(weights: NDArray[np.float64], inputs: Inputs, time: float) -> Seen:
    """What features see of the population, in the principal axes of each direction of x_t and the input that tells it.

    Both have variance 1 and covariance e^{−t}c.
    """
    assert inputs.told is not None  # an array's is that of its held-out rows
    d, both = weights.shape[1], int(np.count_nonzero(inputs.told.residual < 1))
    whole = joint(weights, inputs)
    variances = np.ones(whole.shape[1])
    x, y = slice(both), slice(d, d + both)
    along = signal(time) * np.sqrt(inputs.told.explained[:both])
    variances[x], variances[y] = 1 + along, 1 - along
    plus, minus = (whole[:, x] + whole[:, y]) / math.sqrt(2), (whole[:, x] - whole[:, y]) / math.sqrt(2)
    whole[:, x], whole[:, y] = plus, minus
    return Seen(whole, Law(np.zeros((1, variances.size)), variances), slopes(weights))


def mean_weights(weights: NDArray[np.float64], inputs: Inputs, time: float) -> NDArray[np.float64]:
    """M_y: pre-activations of the mean of x_t given y, and of y, are M_y y, (features, d_y)."""
    assert inputs.told is not None
    d, d_y = weights.shape[1], inputs.weights.shape[1]
    found = inputs.weights / math.sqrt(2 * d_y)
    both = min(d, d_y)
    found[:, :both] += signal(time) * np.sqrt(inputs.told.explained[:both]) * weights[:, :both] / math.sqrt(2 * d)
    return found


def slopes(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """W_1/√(2d), the pre-activations' derivatives by x_t."""
    return weights / math.sqrt(2 * weights.shape[1])
