"""How data are drawn, prepared and split; what they are is in `populations`.

Samples of a population are drawn from its `Law`; an array is split into rows to train on and rows held out, which play
the population.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.disk.files.numbers import DataError
from rfsim.problem.laws import AnyLaw

SCALES = ("none", "global", "columns")


class Split(NamedTuple):
    """An array, or what goes with its rows, in two parts, (rows, …) each; `train` in the order samples are taken."""

    train: NDArray[Any]
    held_out: NDArray[Any]


def stream(seed: int, use: str) -> np.random.Generator:
    """The Philox stream of one use ("features", "data", "split", "noise/0"…) under one seed.

    Uses are independent, and rows are drawn in order: a wider W or a larger sample begins with the smaller one.
    """
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, *use.encode()])))


def draw(law: AnyLaw, samples: int, seed: int, use: str = "data") -> NDArray[np.float64]:
    """`samples` points of a population, (samples, dim); components take turns by their shares.

    `use` names the stream: the training points' own unless told otherwise.
    """
    dim = law.variances.shape[-1]
    return law.points(law.in_turn(0, samples), stream(seed, use).standard_normal((samples, dim)))


class Prepared(NamedTuple):
    """An array centered and scaled, and other rows by the same numbers: both (rows, dim)."""

    array: NDArray[np.float64]
    others: NDArray[np.float64]


def prepare(array: NDArray[np.float64], *, center: bool = True, scale: str = "global") -> NDArray[np.float64]:
    """Centered, and scaled so that E‖x‖²/d = 1: by one number ("global"), or each column to variance 1 ("columns")."""
    return prepare_both(array, array[:0], center=center, scale=scale).array


def prepare_both(
    array: NDArray[np.float64], others: NDArray[np.float64], *, center: bool = True, scale: str = "global"
) -> Prepared:
    """As `prepare`, with other rows less the same mean and divided by the same numbers: of them nothing is learned."""
    if scale not in SCALES:
        raise DataError(f"scale must be one of {', '.join(SCALES)}; got {scale!r}")
    # an array in units of its largest entry: no square of it over- or underflows
    unit = 1.0 if scale == "none" else np.abs(array).max() or 1.0
    values, others = array / unit, others / unit
    if center:
        # what centering leaves of a constant column is rounding, not data
        small = 8 * np.finfo(float).eps * np.abs(values).max(axis=0)
        constant, mean = np.ptp(values, axis=0) <= small, values.mean(axis=0)
        values = np.where(constant, 0.0, values - mean)
        others = np.where(constant & (np.abs(others - mean) <= small), 0.0, others - mean)
    if not values.any():
        raise DataError("the data are constant: there is no variance to learn from")
    if scale == "columns":
        flat = np.flatnonzero(~values.any(axis=0))
        if flat.size:
            raise DataError(
                f"scale 'columns' cannot divide constant columns {', '.join(map(str, flat[:8]))}"
                f"{'…' if flat.size > 8 else ''}; drop them or use scale 'global'"
            )
    if scale == "none":
        return Prepared(values, others)
    by = np.sqrt((values**2).mean(axis=0)) if scale == "columns" else math.sqrt((values**2).mean())
    return Prepared(values / by, others / by)


def prepare_inputs(array: NDArray[np.float64], *, center: bool, scale: str) -> NDArray[np.float64]:
    """As `prepare`, of inputs, which may also tell nothing: constant ones become 0 where they are centered."""
    if not array.any() or (center and not np.ptp(array, axis=0).any()):
        return np.zeros(array.shape)
    return prepare(array, center=center, scale=scale)


def split(array: NDArray[Any], seed: int, training: int | None = None) -> Split:
    """`training` rows, half of all unless given, and the others, by a permutation drawn from `seed`."""
    order = stream(seed, "split").permutation(len(array))
    training = len(array) // 2 if training is None else training
    return Split(array[order[:training]], array[order[training:]])
