"""The random-feature problem: its settings, its sizes, and one draw of it (equations.md §1)."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.checking import notes
from rfsim.checking.scalars import numbers, plain, real, whole
from rfsim.checking.written import Parsed
from rfsim.disk import content
from rfsim.disk.files.numbers import DataError
from rfsim.problem import data as data_room
from rfsim.problem import populations
from rfsim.problem.activations import (
    Activation,
    Constants,
    centered,
    fingerprint,
    gaussian_constants,
)
from rfsim.problem.activations import read as read_activation
from rfsim.problem.arrays import Rows, rows
from rfsim.problem.diffusion import Law, diffuse, forward, noise_variance, signal, total_variance
from rfsim.problem.populations import Covariance, Data

DIM = 100  # where nothing else says it
HALF = 0.5  # of an array's rows are trained on, where nothing else says it
EARLIEST, LATEST = 1e-12, 300.0  # a noise of 1e-6 beside data of order 1; e^{−t} is still a float64 there
LARGEST_RIDGE = LARGEST_RATIO = 1e100  # their squares are still float64
TRAIN_TIMES = (1.0, 100.0, 1e5)
LATEST_TRAINING = 1e100  # squares of κτ, the filter of a flat direction, are still float64 there


@dataclass(frozen=True, repr=False)
class Problem:
    """What theory and sample share; every field is dimensionless (§1).

    A callable activation is tried: where it is not odd its mean at each Γ is subtracted, and its kinks are found; an
    `Activation` declares these. It is held as an `Activation`, not yet centered at a Γ, and stored as the text by which
    it can be imported again, or, where there is none, as its name and a digest of what it computes. Texts are read
    once, here.

    Attributes:
        samples_per_dim: ψ_n = n/d.
        features_per_dim: ψ_p = p/d; inf: the limit of many features, after d → ∞, where theory knows it.
        diffusion_time: t.
        noise_copies: m, noise draws per sample; inf: averaged exactly.
        activation: σ: a name, a callable written with jax.numpy (`jax.nn.gelu`, a lambda), an `Activation`, or
            `module:attribute` where one of these is found.
        data: The population or samples, an object (`rfsim.Isotropic(2.0)`, `rfsim.Atoms({0.5: 0.5, 1.5: 0.5})`…) or its
            text (`isotropic:2`, `atoms:0.5@0.5,0.5@1.5`, `covariance:FILE`, `digits`, a file of samples…).
        ridge: γ, in units of the eigenvalues of U.

    >>> Problem(data="isotropic:2") == Problem(data=populations.Isotropic(2.0))
    True
    >>> Problem(samples_per_dim=4, features_per_dim=16).ridge
    0.0
    >>> Problem(samples_per_dim=-1)
    Traceback (most recent call last):
    ...
    ValueError: samples_per_dim must be positive and finite; got -1
    """

    samples_per_dim: float = 4.0
    features_per_dim: float = 16.0
    diffusion_time: float = 0.1
    noise_copies: float = math.inf
    activation: Parsed[str | Callable | Activation, Activation] = Parsed(read_activation, "tanh")
    data: Parsed[str | os.PathLike[str] | Data, Data] = Parsed(populations.read, "isotropic")
    ridge: float = 0.0

    def __post_init__(self) -> None:
        for name in ("samples_per_dim", "features_per_dim", "diffusion_time", "ridge", "noise_copies"):
            # NumPy's, fractions, decimals: results and settings hold Python's own
            object.__setattr__(self, name, plain(name, getattr(self, name)))
        for name in ("samples_per_dim", "features_per_dim", "diffusion_time"):
            value = getattr(self, name)
            if name == "features_per_dim" and value == math.inf:
                continue  # those who know no such limit say so: `require_finite_width`
            if not 0 < value < math.inf:
                raise ValueError(f"{name} must be positive and finite; got {value:g}")
            if name != "diffusion_time" and not 1 / LARGEST_RATIO <= value <= LARGEST_RATIO:
                raise ValueError(f"{name} must lie between {1 / LARGEST_RATIO:g} and {LARGEST_RATIO:g}; got {value:g}")
        if self.diffusion_time > LATEST:
            raise ValueError(
                f"diffusion_time must be at most {LATEST:g}, where no data are left; got {self.diffusion_time:g}"
            )
        if self.diffusion_time < EARLIEST:
            raise ValueError(f"diffusion_time must be at least {EARLIEST:g}; got {self.diffusion_time:g}")
        require_ridge("ridge", self.ridge)
        m = self.noise_copies
        if m != math.inf and not (1 <= m <= 1e9 and m == int(m)):
            raise ValueError(f"noise_copies must be a whole number of at least 1, at most 1e9, or inf; got {m:g}")

    @property
    def settings(self) -> dict[str, Any]:
        """Every field as settings tell it: the activation and the data as texts."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return found | {"activation": str(self.activation), "data": str(self.data)}

    def __repr__(self) -> str:
        return f"Problem({', '.join(f'{name}={value!r}' for name, value in self.settings.items())})"

    def __reduce__(self) -> tuple[Any, ...]:
        # as texts: a function of this process alone is refused by another one, in a line that says so
        return type(self), tuple(self.settings.values())


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
    """

    array: NDArray[np.float64] | None
    settings: dict[str, Any]
    called: str = ""
    share: float = HALF
    held_out: NDArray[np.float64] | None = None

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


class Instance(NamedTuple):
    """One draw (§1).

    Attributes:
        sizes: d, n and p.
        weights: W, (features, dim).
        points: Training points, (samples, dim).
        population: The clean law that plays it.
        sigma: σ, centered at the problem's Γ.
        seed: Of the draw.
    """

    sizes: Sizes
    weights: NDArray[np.float64]
    points: NDArray[np.float64]
    population: Law
    sigma: Activation
    seed: int


def source(
    problem: Problem,
    *,
    array: ArrayLike | Rows | None = None,
    center: bool = True,
    scale: str = "global",
    split: float = HALF,
    held_out: ArrayLike | Rows | str | os.PathLike[str] | None = None,
) -> Source:
    """The data behind a problem; reads and prepares an array once, for all seeds.

    `array` (samples, dim) takes the place of the problem's data, and the settings say "array"; `Rows` that were read
    before keep their name. `split` and `held_out` as in `DrawOptions`.
    """
    if not 0 < real("split", split) < 1:
        raise ValueError(f"split, the share of rows to train on, must lie between 0 and 1; got {split:g}")
    if held_out is not None and split != HALF:
        raise ValueError("held_out brings the rows that play the population, split takes them of the data; give one")
    if not isinstance(center, bool):
        raise ValueError(f"center must be True or False; got {center!r}")
    raw = problem.data.rows() if array is None else rows(array)
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


def resolve(problem: Problem, origin: Source, dim: int | None) -> Sizes:
    """Whole numbers d, n, p; an array fixes d, its training rows bound n. ValueError where they do not fit."""
    if origin.array is not None:
        columns = origin.array.shape[1]
        if dim is not None and dim != columns:
            raise ValueError(f"dim is {columns}, given by {origin.called}; got {dim}: leave it out")
        dim = columns
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
        part = "half" if origin.share == HALF else "part"
        within = f" and a training {part} of {origin.training}" if origin.held_out is None else ", all to train on"
        raise ValueError(f"{origin.called} has {len(origin.array)} rows{within}; got {samples} samples")
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
    gamma2 = total_variance(power(problem, origin, sizes), problem.diffusion_time)
    sigma = centered(problem.activation, math.sqrt(gamma2))
    if origin.array is None:
        law = problem.data.law(sizes.dim)
        return Instance(sizes, weights, data_room.draw(law, sizes.samples, seed), law, sigma, seed)
    train, held_out = origin.split(seed)
    return Instance(sizes, weights, train[: sizes.samples], _points(held_out), sigma, seed)


def training_law(draw: Instance, diffusion_time: float) -> Law:
    """The law of x_t over the training points and fresh noise."""
    return diffuse(_points(draw.points), diffusion_time)


def frozen_draws(draw: Instance, problem: Problem) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """The m frozen noise copies, one (x_t, ξ) of shapes (samples, dim) at a time; copy a is the same for every m."""
    for copy in range(int(problem.noise_copies)):
        xi = data_room.stream(draw.seed, f"noise/{copy}").standard_normal(draw.points.shape)
        yield forward(draw.points, xi, problem.diffusion_time), xi


def named_population(problem: Problem, origin: Source, sizes: Sizes) -> Law | None:
    """The law of clean data of a named population; None for an array, whose held-out half differs by seed."""
    return problem.data.law(sizes.dim) if origin.array is None else None


def power(problem: Problem, origin: Source, sizes: Sizes) -> float:
    """σ_x² = E‖x‖²/d of the population, or of a whole array."""
    if origin.array is None:
        return problem.data.law(sizes.dim).power
    return float((origin.array**2).mean())


def constants(problem: Problem, data_power: float) -> Constants:
    """The Gaussian constants (T9) at σ_x² = data_power."""
    t = problem.diffusion_time
    return gaussian_constants(
        problem.activation, signal_variance=signal(t) ** 2 * data_power, noise_variance=noise_variance(t)
    )


def require_unused(
    problem: Problem, function: str, axes: Mapping[str, ArrayLike] | None = None, **instead: str
) -> None:
    """Raise ValueError where a problem states what a function does not use: a field that is not at its default.

    instead: field → what to do; axes: field → the values that are given in its place, of which it may be one.
    """
    for name, remedy in instead.items():
        value = getattr(problem, name)
        if value != getattr(Problem, name) and value not in np.atleast_1d((axes or {}).get(name, ())):
            raise ValueError(f"{function} does not use {name}, which the problem has at {value:g}: {remedy}")


def require_finite_width(value: float, name: str = "features_per_dim") -> None:
    """Raise ValueError for ψ_p = ∞, where the limit of many features is not known."""
    if value == math.inf:
        raise ValueError(
            f"{name} must be positive and finite; got inf, the limit of many features, which theory.curves, "
            "theory.spectrum and theory.ridge_plane take"
        )


def require_ridge(name: str, value: float) -> None:
    """Raise ValueError for a ridge that is negative, or not finite, or so large that its squares are not."""
    if not 0 <= real(name, value) < math.inf:
        raise ValueError(f"{name} must be finite and not negative; got {value:g}")
    if value > LARGEST_RIDGE:
        raise ValueError(f"{name} must be at most {LARGEST_RIDGE:g}; got {value:g}")


def ridges_given(ridges: ArrayLike) -> NDArray[np.float64]:
    """`ridges` as (ridges,), or ValueError for what is not finite or negative, or too large."""
    gamma = numbers("ridges", ridges)
    if not np.all(np.isfinite(gamma)):
        raise ValueError(f"ridges must be finite; got {gamma[~np.isfinite(gamma)][0]:g}")
    if np.any(gamma < 0):
        raise ValueError(f"ridges must not be negative; got {gamma[gamma < 0][0]:g}")
    require_ridge("ridges", float(gamma.max()))
    return gamma


def times(train_times: ArrayLike, name: str = "train_times") -> NDArray[np.float64]:
    """train_times (times,) as float64, or ValueError: not negative, at most LATEST_TRAINING, or inf.

    `name` is what errors call them.
    """
    tau = numbers(name, train_times)
    if np.any(np.isnan(tau)) or np.any(tau < 0):
        raise ValueError(f"{name} must not be negative; got {tau[np.isnan(tau) | (tau < 0)][0]:g}")
    if np.any(tau[np.isfinite(tau)] > LATEST_TRAINING):
        raise ValueError(f"{name} must be at most {LATEST_TRAINING:g}, or inf; got {tau[np.isfinite(tau)].max():g}")
    return tau


def _digest(values: NDArray[np.float64]) -> str:
    return content.of_bytes(np.ascontiguousarray(values).tobytes())[:16]


def _points(points: NDArray[np.float64]) -> Law:
    return Law(points, np.zeros(points.shape[1]))
