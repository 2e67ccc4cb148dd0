"""The random-feature problem: its settings and what they must be (equations.md §1)."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.checking.scalars import numbers, plain, real
from rfsim.checking.written import Parsed
from rfsim.problem import populations
from rfsim.problem.activations import Activation, Constants, gaussian_constants
from rfsim.problem.activations import read as read_activation
from rfsim.problem.diffusion import noise_variance, signal
from rfsim.problem.laws import ClassLaw
from rfsim.problem.populations import Data
from rfsim.quantities.meant import known_fields

HALF = 0.5  # of an array's rows are trained on, where nothing else says it
EARLIEST, LATEST = 1e-12, 300.0  # a noise of 1e-6 beside data of order 1; e^{−t} is still a float64 there
LARGEST_RIDGE = LARGEST_RATIO = 1e100  # their squares are still float64
TRAIN_TIMES = (1.0, 100.0, 1e5)
LATEST_TRAINING = 1e100  # squares of κτ, the filter of a flat direction, are still float64 there


@known_fields
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
        # σ as a text: a function of this process alone is refused by another one, in a line that says so
        return type(self), tuple((self.settings | {"data": self.data}).values())


def constants(problem: Problem, data_power: float, inputs_power: float | None = None) -> Constants:
    """The Gaussian constants (T9) at σ_x² = data_power, beside inputs of this power those of §13 where it is given."""
    t = problem.diffusion_time
    clean, noise = signal(t) ** 2 * data_power, noise_variance(t)
    if inputs_power is not None:
        clean, noise = (clean + inputs_power) / 2, noise / 2
    return gaussian_constants(problem.activation, signal_variance=clean, noise_variance=noise)


def constants_by_class(problem: Problem, law: ClassLaw) -> list[Constants]:
    """The Gaussian constants (T9) at the σ_x² of each class (§12)."""
    return [constants(problem, power) for power in law.powers.tolist()]


def mean_constants(shares: NDArray[np.float64], several: Sequence[Constants]) -> Constants:
    """Those of a population of classes: what E φξᵀ and the features' energies hold of each, by shares (§12)."""
    a, b, v2, s2, error = np.transpose(several)
    return Constants(float(shares @ a), float(shares @ b), float(shares @ v2), float(shares @ s2), float(error.max()))


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
