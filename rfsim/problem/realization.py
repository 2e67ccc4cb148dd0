"""One realization of a problem: d, n, p, where its samples come from, its weights and points (equations.md §1)."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.checking import notes
from rfsim.checking.scalars import real, whole
from rfsim.disk import content
from rfsim.disk.files.numbers import DataError
from rfsim.problem import conditions, populations
from rfsim.problem import data as data_room
from rfsim.problem.activations import (
    Activation,
    centered,
    fingerprint,
)
from rfsim.problem.arrays import Rows, rows, transposed
from rfsim.problem.diffusion import diffuse, forward, total_variance
from rfsim.problem.laws import AnyLaw, ClassLaw, Law
from rfsim.problem.model import HALF, Problem, require_finite_width
from rfsim.problem.populations import Condition, Covariance, Labels

DIM = 100  # where nothing else says it
Kept = slice | NDArray[np.bool_]  # which of the training points
EVERY = slice(None)


class Sizes(NamedTuple):
    """d, n and p as whole numbers (§1).

    Attributes:
        dim: d.
        samples: n.
        features: p.
    """

    dim: int
    samples: int
    features: int


class Source(NamedTuple):
    """Where samples come from.

    Attributes:
        array: Prepared, (rows, dim); None for the problem's named population.
        settings: What they are identified by.
        called: What messages call the array.
        share: Of the array's rows, to train on.
        held_out: Rows of their own that play the population, prepared as the array, (rows, dim); all rows of the array
            may then be trained on. None: the array's others.
        inputs: y of each row of the array, prepared, (rows, d_y); None without a condition.
        labels: Of the rows of the array; None where they have none.
    """

    array: NDArray[np.float64] | None
    settings: dict[str, Any]
    called: str = ""
    share: float = HALF
    held_out: NDArray[np.float64] | None = None
    inputs: NDArray[np.float64] | None = None
    labels: Labels | None = None

    @property
    def training(self) -> int:
        """How many rows of the array may be trained on."""
        assert self.array is not None
        # 0.7 × 10 is not a float64 below 7
        return len(self.array) if self.held_out is not None else math.floor(self.share * len(self.array) + 1e-9)

    def split(self, seed: int) -> data_room.Split:
        """Rows of the array to train on, in the order they are taken, and those that play the population."""
        assert self.array is not None
        found = data_room.split(self.array, seed, self.training)
        return found if self.held_out is None else found._replace(held_out=self.held_out)


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


def source(
    problem: Problem,
    *,
    array: ArrayLike | Rows | None = None,
    center: bool = True,
    scale: str = "global",
    split: float = HALF,
    held_out: ArrayLike | Rows | str | os.PathLike[str] | None = None,
    condition: ArrayLike | Rows | str | os.PathLike[str] | None = None,
    labels: ArrayLike | Labels | str | os.PathLike[str] | None = None,
    conditions: bool = False,
) -> Source:
    """The data behind a problem; reads and prepares an array once, for all seeds.

    `array` (samples, dim) takes the place of the problem's data, and the settings say "array"; `Rows` that were read
    before keep their name. `split` and `held_out` as in `DrawOptions`, `condition` and `labels` as in `LabelOptions`;
    `conditions`: whether inputs beside x_t are known where this is asked for.
    """
    if not 0 < real("split", split) < 1:
        raise ValueError(f"split, the share of rows to train on, must lie between 0 and 1; got {split:g}")
    if held_out is not None and split != HALF:
        raise ValueError("held_out brings the rows that play the population, split takes them of the data; give one")
    if not isinstance(center, bool):
        raise ValueError(f"center must be True or False; got {center!r}")
    raw = problem.data.rows() if array is None else rows(array)
    if raw is None and isinstance(problem.data, Condition) and not conditions:
        raise DataError(populations.unknown(str(problem.data)))
    if labels is not None:
        if raw is None:
            raise DataError("labels go with samples, one for each; a population's are data classes:WEIGHT@VARIANCE,…")
        if held_out is not None:
            raise DataError("held_out rows have no labels of their own: leave one of both out, or give split")
        found = source(
            problem,
            array=raw,
            center=center,
            scale=scale,
            split=split,
            condition=condition,
            conditions=conditions,
        )
        return _with_labels(found, populations.labels(labels, raw))
    if condition is not None:
        if raw is None:
            raise DataError("condition goes with samples, a row for each; a population's is data condition:SNR@PER_DIM")
        if held_out is not None:
            raise DataError("held_out rows have no condition of their own: leave one of both out, or give split")
        found = source(problem, array=raw, center=center, scale=scale, split=split)
        return _with_inputs(found, populations.inputs(condition, raw))
    if raw is None and held_out is not None:
        raise DataError(
            f"data {str(problem.data)!r} play their own population: held_out goes with samples; leave it out"
        )
    if raw is None:
        found = None if problem.data.path is None else problem.data.covariance()
        return Source(None, {} if found is None else {"data_digest": _digest(np.concatenate(found))})
    told = {"data": raw.name, "center": center, "scale": scale, "data_digest": _digest(raw.values)}
    if held_out is None:
        values = data_room.prepare(raw.values, center=center, scale=scale)
        found = Source(values, told | ({} if split == HALF else {"split": float(split)}), str(raw), float(split))
        if found.training < 1 or found.training == len(values):
            raise DataError(
                f"split {split:g} of {found.called} of {len(values)} rows trains on {found.training}; at least one row "
                "is needed on either side"
            )
        return found
    others = populations.held_out(held_out, raw)
    told |= {"held_out": others.name, "held_out_digest": _digest(others.values)}
    values, population = data_room.prepare_both(raw.values, others.values, center=center, scale=scale)
    return Source(values, told, str(raw), held_out=population)


def _with_inputs(origin: Source, given: Rows) -> Source:
    """An array's source with the inputs of its rows, prepared as they are."""
    told = origin.settings
    values = data_room.prepare_inputs(given.values, center=told["center"], scale=told["scale"])
    own = {"condition": given.name, "condition_digest": _digest(given.values)}
    return origin._replace(settings=told | own, inputs=values)


def _with_labels(origin: Source, given: Labels) -> Source:
    """An array's source with the labels of its rows."""
    told = json.dumps([given.codes.tolist(), given.names])
    own = {"labels": given.name, "labels_digest": content.of_bytes(told.encode())[:16]}
    return origin._replace(settings=origin.settings | own, labels=given)


def inputs_of(problem: Problem, origin: Source, dim: int) -> tuple[int, float] | None:
    """d_y and E‖y‖²/d_y of the inputs beside x_t; None without a condition."""
    if origin.inputs is not None:
        return origin.inputs.shape[1], float((origin.inputs**2).mean())
    return (problem.data.inputs(dim), 1.0) if origin.array is None and isinstance(problem.data, Condition) else None


def resolve(problem: Problem, origin: Source, dim: int | None) -> Sizes:
    """Whole numbers d, n, p; an array fixes d, its training rows bound n. ValueError where they do not fit."""
    if origin.array is not None:
        columns = origin.array.shape[1]
        if dim is not None and dim != columns:
            raise ValueError(f"dim is {columns}, given by {origin.called}; got {dim}: leave it out")
        dim = columns
    elif (own := problem.data.dimension) is not None:
        if dim is not None and dim != own:
            raise ValueError(f"dim is {own}, given by data {str(problem.data)!r}; got {dim}: leave it out")
        dim = own
    dim = DIM if dim is None else whole("dim", dim, 1)
    require_finite_width(problem.features_per_dim)
    largest = max(problem.samples_per_dim, problem.features_per_dim) * dim
    if not largest < 2**53:
        raise ValueError(f"samples and features must stay below 2^53; got {largest:.3g} at dim {dim}")
    samples, features = round(problem.samples_per_dim * dim), round(problem.features_per_dim * dim)
    for name, count, ratio in (
        ("samples", samples, problem.samples_per_dim),
        ("features", features, problem.features_per_dim),
    ):
        if count < 1:
            raise ValueError(f"{ratio:g} {name} per dimension round to no {name} at dim {dim}; raise one of them")
    if samples < 2:
        raise ValueError(f"at least 2 samples are needed; {problem.samples_per_dim:g} per dimension give {samples}")
    if origin.array is not None and samples > origin.training:
        part, turned = "half" if origin.share == HALF else "part", transposed(origin.array.shape)
        within = f" and a training {part} of {origin.training}" if origin.held_out is None else ", all to train on"
        raise ValueError(
            f"{origin.called} has {len(origin.array)} rows{within}; got {samples} samples"
            f"{turned and f'; it has {turned}'}"
        )
    if isinstance(problem.data, Covariance) and origin.array is None:
        counts = problem.data.covariance()[1] * dim
        if np.abs(counts - np.round(counts)).max() > 1e-6:
            notes.say(
                f"data {str(problem.data)!r}: at dim {dim} the eigenvalues do not all have their shares; give dim as "
                "the rows of the matrix, or a multiple of them"
            )
    return Sizes(dim, samples, features)


def settings(problem: Problem, origin: Source, sizes: Sizes, *, seed: int, seeds: int) -> dict[str, Any]:
    """Every setting as resolved: what a result is identified by."""
    return limit_settings(problem, origin) | {
        "samples_per_dim": sizes.samples / sizes.dim,
        "features_per_dim": sizes.features / sizes.dim,
        "dim": sizes.dim,
        "n": sizes.samples,
        "p": sizes.features,
        "seed": seed,
        "seeds": seeds,
    }


def limit_settings(problem: Problem, origin: Source) -> dict[str, Any]:
    """The settings without those of a draw; of an imported activation also a digest of what it computes."""
    found = fingerprint(problem.activation)
    return problem.settings | origin.settings | ({} if found is None else {"activation_digest": found})


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


def require_halves(origin: Source, sizes: Sizes) -> None:
    """ValueError where an array has no second training set of as many rows (`other_half`)."""
    if origin.array is None:
        return
    spare = len(origin.array) - origin.training if origin.held_out is None else origin.training - sizes.samples
    if spare < sizes.samples:
        where = "held out" if origin.held_out is None else "beside them"
        raise ValueError(
            f"split_pair trains on two disjoint sets of as many rows; got {sizes.samples} samples and {spare} rows "
            f"{where} in {origin.called}: take fewer samples"
        )


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


def _digest(values: NDArray[np.float64]) -> str:
    return content.of_bytes(np.ascontiguousarray(values).tobytes())[:16]


def _points(points: NDArray[np.float64]) -> Law:
    return Law(points, np.zeros(points.shape[1]))
