"""Data distributions: named populations with diagonal covariance, and arrays split in halves (`--data`).

A named population is a `Law` of clean data from which samples are drawn; an array is split into a training half and
a held-out half that plays the population.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim import covariances, digits
from rfsim.arrays import Rows, rows
from rfsim.diffusion import Law
from rfsim.files.numbers import FORMS, DataError, load, names_file, place
from rfsim.words import nearest, number_or_nan

KINDS = ("isotropic", "atoms", "powerlaw", "subspace", "mixture", *covariances.KINDS, "digits")
SCALES = ("none", "global", "columns")


class Split(NamedTuple):
    """An array in two halves, (rows, dim) each, centered and scaled; `train` in the order samples are taken."""

    train: NDArray[np.float64]
    held_out: NDArray[np.float64]


def stream(seed: int, use: str) -> np.random.Generator:
    """The Philox stream of one use ("features", "data", "split", "noise/0"…) under one seed.

    Uses are independent, and rows are drawn in order: a wider W or a larger sample begins with the smaller one.
    """
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, *use.encode()])))


def is_array_spec(spec: str) -> bool:
    """True for `digits` and for files: data that fix their own dimension."""
    kind = spec.split(":", 1)[0]
    return kind == "digits" or (kind not in KINDS and names_file(spec))


def is_file_spec(spec: str) -> bool:
    """True for data that lie in a file: samples, eigenvalues or a covariance."""
    return file_of(spec) is not None


def file_of(spec: str) -> Path | None:
    """The file that data lie in; None for named populations and digits."""
    kind, _, argument = spec.partition(":")
    if kind in covariances.KINDS:
        return place(argument).path
    return place(spec).path if is_array_spec(spec) and kind != "digits" else None


def moved(spec: str, path: Path) -> str:
    """The same data in a file that lies at `path`."""
    kind, _, argument = spec.partition(":")
    prefix, rest = (f"{kind}:", argument) if kind in covariances.KINDS else ("", spec)
    key = place(rest).key
    return f"{prefix}{path}{'' if key is None else f':{key}'}"


def population(spec: str, dim: int) -> Law:
    """The law of clean data in `dim` dimensions for a named population.

    isotropic[:VARIANCE]; atoms:W@L,… (weights W sum to 1, counts by largest remainder); powerlaw:ALPHA (∝ k^−ALPHA);
    subspace:FRACTION (that share of directions, zero elsewhere); both normalized to Tr Σ/d = 1;
    mixture:SEPARATION (means ±SEPARATION/2 along one axis, unit covariance); eigenvalues:FILE (.npy, .npz, .csv or .tsv
    with one eigenvalue of Σ per entry, each as often as its share asks, by largest remainder); covariance:FILE, those
    of a symmetric matrix: features that are invariant to rotations see its eigenvalues alone.

    >>> population("atoms:0.5@0.5,0.5@1.5", 4).variances.tolist()
    [0.5, 0.5, 1.5, 1.5]
    """
    kind, _, argument = spec.partition(":")
    found, origin = covariance(spec), np.zeros((1, dim))
    if found is None:
        logs = -float(argument) * np.log(np.arange(1, dim + 1))
        values = np.exp(logs - logs.max())
        return Law(origin, values / values.mean())
    values, weights = found
    if kind in ("atoms", *covariances.KINDS):
        return Law(origin, _counted(spec, values, weights, dim))
    if kind == "subspace":
        count = round(weights[0] * dim)
        if count == 0:
            raise DataError(f"data {spec!r}: a fraction of {weights[0]:g} leaves no direction of {dim}")
        return Law(origin, np.where(np.arange(dim) < count, dim / count, 0.0))
    if kind == "mixture":
        half = np.zeros(dim)
        half[0] = float(argument) / 2
        return Law(np.stack([half, -half]), np.ones(dim))
    return Law(origin, np.full(dim, values[0]))


def covariance(spec: str) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Σ's eigenvalues and their shares, each (atoms,), as d → ∞; None for powerlaw, whose eigenvalues depend on d.

    A mixture's is that of its components: two means are one direction of d.
    """
    kind, colon, argument = spec.partition(":")
    if kind == "isotropic":
        variance = _number(spec, argument, "VARIANCE") if colon else 1.0
        if variance <= 0:
            raise DataError(f"data {spec!r}: the variance must be positive")
        return np.array([variance]), np.ones(1)
    if kind == "atoms":
        return _atoms(spec, argument)
    if kind == "powerlaw":
        _number(spec, argument, "ALPHA")
        return None
    if kind == "subspace":
        fraction = _number(spec, argument, "FRACTION")
        if not 0 < fraction <= 1:
            raise DataError(f"data {spec!r}: the fraction must lie in (0, 1]")
        return np.array([1 / fraction, 0.0]), np.array([fraction, 1 - fraction])
    if kind == "mixture":
        if _number(spec, argument, "SEPARATION") < 0:
            raise DataError(f"data {spec!r}: the separation must not be negative")
        return np.ones(1), np.ones(1)
    if kind in covariances.KINDS:
        return covariances.read(kind, argument)
    raise _unknown(spec)


def draw(law: Law, samples: int, seed: int, use: str = "data") -> NDArray[np.float64]:
    """`samples` points of a population, (samples, dim); a balanced mixture alternates its components.

    `use` names the stream: the training points' own unless told otherwise.
    """
    dim = law.variances.size
    points = stream(seed, use).standard_normal((samples, dim)) * np.sqrt(law.variances)
    return points + law.centers[np.arange(samples) % len(law.centers)]


def read(spec: str) -> Rows:
    """The samples of `digits`, `digits:K`, or of a file (`files.numbers.load`); never unpickles.

    Raises DataError, in one line. Says where a covariance may have been meant.
    """
    kind = spec.partition(":")[0]
    if kind == "digits":
        return Rows(digits.read(spec), spec)
    if not names_file(spec):
        raise _unknown(spec)
    return rows(load(spec), spec)


def prepare(array: NDArray[np.float64], *, center: bool = True, scale: str = "global") -> NDArray[np.float64]:
    """Centered, and scaled so that E‖x‖²/d = 1: by one number ("global"), or each column to variance 1 ("columns")."""
    if scale not in SCALES:
        raise DataError(f"scale must be one of {', '.join(SCALES)}; got {scale!r}")
    # an array in units of its largest entry: no square of it over- or underflows
    values = array.copy() if scale == "none" else array / (np.abs(array).max() or 1.0)
    if center:
        # what centering leaves of a constant column is rounding, not data
        constant = np.ptp(values, axis=0) <= 8 * np.finfo(float).eps * np.abs(values).max(axis=0)
        values = np.where(constant, 0.0, values - values.mean(axis=0))
    if not values.any():
        raise DataError("the data are constant: there is no variance to learn from")
    if scale == "columns":
        flat = np.flatnonzero(~values.any(axis=0))
        if flat.size:
            raise DataError(
                f"scale 'columns' cannot divide constant columns {', '.join(map(str, flat[:8]))}"
                f"{'…' if flat.size > 8 else ''}; drop them or use scale 'global'"
            )
        return values / np.sqrt((values**2).mean(axis=0))
    return values if scale == "none" else values / math.sqrt((values**2).mean())


def split(array: NDArray[np.float64], seed: int) -> Split:
    """A training and a held-out half, by a permutation drawn from `seed`."""
    order = stream(seed, "split").permutation(len(array))
    half = len(array) // 2
    return Split(array[order[:half]], array[order[half:]])


def _unknown(spec: str) -> DataError:
    hint, spec = nearest(spec.split(":", 1)[0], KINDS), spec if len(spec) <= 40 else spec[:37] + "..."
    return DataError(f"unknown data {spec!r}; use one of {', '.join(KINDS)} or a {FORMS} file{hint}")


def _number(spec: str, text: str, name: str) -> float:
    value = number_or_nan(text)
    if not math.isfinite(value):
        raise DataError(f"data {spec!r}: {name} must be a finite number; got {text!r}")
    return value


def _atoms(spec: str, argument: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    pairs = []
    for item in argument.split(","):
        weight, at, value = item.partition("@")
        if not at:
            raise DataError(f"data {spec!r}: atoms are written WEIGHT@VALUE,…; got {item!r}")
        pairs.append((_number(spec, weight, "WEIGHT"), _number(spec, value, "VALUE")))
    weights, values = np.array(pairs).T
    if np.any(weights <= 0) or np.any(values < 0) or not np.any(values > 0):
        raise DataError(f"data {spec!r}: weights must be positive, values not negative and not all zero")
    if abs(weights.sum() - 1) > 1e-9:
        raise DataError(f"data {spec!r}: the weights sum to {weights.sum():g}, not 1")
    return values, weights


def _counted(spec: str, values: NDArray[np.float64], weights: NDArray[np.float64], dim: int) -> NDArray[np.float64]:
    """Each value as often as its weight asks in `dim` directions, by largest remainder."""
    counts = np.floor(weights * dim + 1e-9).astype(int)
    remainder = weights * dim - counts
    for k in np.argsort(-remainder, kind="stable")[: dim - counts.sum()]:
        counts[k] += 1
    found = np.repeat(values, counts)
    if not found.any():
        raise DataError(f"data {spec!r}: at dim {dim} only atoms at 0 get a direction; raise dim or their weight")
    return found
