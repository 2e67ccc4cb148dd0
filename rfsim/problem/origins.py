"""Where samples come from, a population or the rows of an array, and the d, n, p and settings that this makes (§1)."""

from __future__ import annotations

import json
import math
import os
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.checking import notes
from rfsim.checking.scalars import real, whole
from rfsim.disk import content
from rfsim.disk.files.numbers import DataError
from rfsim.problem import data as data_room
from rfsim.problem import populations
from rfsim.problem.activations import (
    fingerprint,
)
from rfsim.problem.arrays import Rows, rows, transposed
from rfsim.problem.model import HALF, Problem, require_finite_width
from rfsim.problem.populations import Condition, Covariance, Labels

DIM = 100  # where nothing else says it


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


def _digest(values: NDArray[np.float64]) -> str:
    return content.of_bytes(np.ascontiguousarray(values).tobytes())[:16]
