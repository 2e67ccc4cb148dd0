"""One realization of a problem: its weights and points, and the laws of what features see of them (equations.md §1)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.problem import conditions
from rfsim.problem import data as data_room
from rfsim.problem.activations import (
    Activation,
    centered,
)
from rfsim.problem.diffusion import diffuse, forward, total_variance
from rfsim.problem.laws import AnyLaw, ClassLaw, Law
from rfsim.problem.model import Problem
from rfsim.problem.origins import Sizes, Source, inputs_of
from rfsim.problem.populations import Condition

Kept = slice | NDArray[np.bool_]  # which of the training points
EVERY = slice(None)


class SplitLabels(NamedTuple):
    """The class of each row of one draw.

    Attributes:
        train: Of the training points, (samples,).
        held_out: Of the rows that play the population, (rows,).
        classes: How many there are.
    """

    train: NDArray[np.int64]
    held_out: NDArray[np.int64]
    classes: int


class Instance(NamedTuple):
    """One draw (§1).

    Attributes:
        sizes: d, n and p.
        weights: W, (features, dim).
        points: Training points, (samples, dim).
        population: The clean law that plays it.
        sigma: σ, centered at the problem's Γ.
        seed: Of the draw.
        inputs: Noise-free ones beside x_t; None without a condition.
        labels: Of an array's rows; None where they have none.
    """

    sizes: Sizes
    weights: NDArray[np.float64]
    points: NDArray[np.float64]
    population: AnyLaw
    sigma: Activation
    seed: int
    inputs: conditions.Inputs | None = None
    labels: SplitLabels | None = None

    @property
    def classes(self) -> NDArray[np.int64] | None:
        """The class of each training point, (samples,); None for data without classes."""
        if self.labels is not None:
            return self.labels.train
        law = self.population
        return law.in_turn(0, self.sizes.samples) if isinstance(law, ClassLaw) else None


def instance(problem: Problem, origin: Source, sizes: Sizes, seed: int) -> Instance:
    """Draw W and the data of one seed. W depends on seed, d and p alone, the points on seed, population, d and n."""
    weights = data_room.stream(seed, "features").standard_normal((sizes.features, sizes.dim))
    sigma = centered(problem.activation, math.sqrt(feature_variance(problem, origin, sizes)))
    beside = inputs_of(problem, origin, sizes.dim)
    own = None if beside is None else conditions.input_weights(seed, sizes.features, beside[0])
    if origin.array is None:
        law = problem.data.law(sizes.dim)
        if own is not None and isinstance(problem.data, Condition):
            points, y = conditions.draw_inputs(problem.data, sizes.dim, sizes.samples, seed)
            inputs = conditions.Inputs(own, y, told=problem.data.at(sizes.dim))
            return Instance(sizes, weights, points, law, sigma, seed, inputs)
        return Instance(sizes, weights, data_room.draw(law, sizes.samples, seed), law, sigma, seed)
    train, held_out = origin.split(seed)
    found = Instance(sizes, weights, train[: sizes.samples], _points(held_out), sigma, seed)
    if origin.labels is not None:
        of, others = data_room.split(origin.labels.codes, seed, origin.training)
        labels = SplitLabels(of[: sizes.samples], others, len(origin.labels.names))
        found = found._replace(labels=labels)
    if own is None or origin.inputs is None:
        return found
    y, others = data_room.split(origin.inputs, seed, origin.training)
    return found._replace(inputs=conditions.Inputs(own, y[: sizes.samples], others))


def other_half(draw: Instance, origin: Source) -> Instance:
    """The same draw but for its training points, which are as many and none of them.

    Of a named population they are further draws; of an array the rows that are held out, for which those of the first
    play the population, or, where other rows play it, the next ones that may be trained on.
    """
    count = draw.sizes.samples
    if origin.array is None:
        return draw._replace(points=data_room.draw(draw.population, count, draw.seed, "data/other half"))
    train, held_out = origin.split(draw.seed)
    if origin.held_out is None:
        return draw._replace(points=held_out[:count], population=_points(train))
    return draw._replace(points=train[count : 2 * count])


def training_law(draw: Instance, diffusion_time: float, kept: Kept = EVERY) -> Law:
    """The law of x_t over the training points, or those that are kept, and fresh noise."""
    return diffuse(_points(draw.points[kept]), diffusion_time)


def frozen_draws(
    draw: Instance, problem: Problem, kept: Kept = EVERY
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """The m frozen noise copies, one (x_t, ξ) of shapes (samples, dim) at a time; copy a is the same for every m.

    Of the points that are kept alone, where some are.
    """
    for copy in range(int(problem.noise_copies)):
        xi = data_room.stream(draw.seed, f"noise/{copy}").standard_normal(draw.points.shape)[kept]
        yield forward(draw.points[kept], xi, problem.diffusion_time), xi


def named_population(problem: Problem, origin: Source, sizes: Sizes) -> AnyLaw | None:
    """The law of clean data of a named population; None for an array, whose held-out half differs by seed."""
    return problem.data.law(sizes.dim) if origin.array is None else None


def power(problem: Problem, origin: Source, sizes: Sizes) -> float:
    """σ_x² = E‖x‖²/d of the population, or of a whole array."""
    if origin.array is None:
        return problem.data.law(sizes.dim).power
    return float((origin.array**2).mean())


def feature_variance(problem: Problem, origin: Source, sizes: Sizes) -> float:
    """Γ² of the pre-activations."""
    total = total_variance(power(problem, origin, sizes), problem.diffusion_time)
    beside = inputs_of(problem, origin, sizes.dim)
    return conditions.joint_variance(total, beside and beside[1])


def seen_training(draw: Instance, diffusion_time: float, kept: Kept = EVERY) -> AnyLaw | conditions.Seen:
    """What features see of the training points, or those that are kept, with fresh noise."""
    if draw.inputs is None:
        return training_law(draw, diffusion_time, kept)
    points, y = draw.points[kept], draw.inputs.points[kept]
    return conditions.seen_points(draw.weights, draw.inputs, points, y, diffusion_time)


def seen_population(draw: Instance, diffusion_time: float) -> AnyLaw | conditions.Seen:
    """What features see of the population."""
    if draw.inputs is None:
        return diffuse(draw.population, diffusion_time)
    if draw.inputs.held_out is None:
        return conditions.seen_population(draw.weights, draw.inputs, diffusion_time)
    return seen_held_out(draw, diffusion_time)


def seen_held_out(draw: Instance, diffusion_time: float, kept: Kept = EVERY) -> Law | conditions.Seen:
    """What features see of the rows that play the population of an array, or of those that are kept."""
    assert isinstance(draw.population, Law)
    points = draw.population.centers[kept]
    if draw.inputs is None:
        return diffuse(_points(points), diffusion_time)
    assert draw.inputs.held_out is not None
    y = draw.inputs.held_out[kept]
    return conditions.seen_points(draw.weights, draw.inputs, points, y, diffusion_time)


def _points(points: NDArray[np.float64]) -> Law:
    return Law(points, np.zeros(points.shape[1]))
