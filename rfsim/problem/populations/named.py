"""Populations of a name and a few numbers: Gaussians by their covariance, and two of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rfsim.disk.files.numbers import DataError
from rfsim.problem.laws import ClassLaw, Law
from rfsim.problem.populations.base import Data, Spectrum, checked, numbered, weighed, weights_at


@dataclass(frozen=True)
class Isotropic(Data):
    """Gaussian data of covariance `variance` times the identity; `isotropic[:VARIANCE]`.

    Attributes:
        variance: σ_x².

    >>> str(Isotropic()), str(Isotropic(2.0))
    ('isotropic', 'isotropic:2')
    """

    variance: float = 1.0
    kind: ClassVar[str] = "isotropic"

    def __post_init__(self) -> None:
        object.__setattr__(self, "variance", self._number("VARIANCE", self.variance))
        if self.variance <= 0:
            raise DataError(f"data {str(self)!r}: the variance must be positive")

    @property
    def form(self) -> str:
        return self.kind if self.variance == 1 else numbered(self.kind, self.variance)

    def covariance(self) -> Spectrum:
        return np.array([self.variance]), np.ones(1)

    def law(self, dim: int) -> Law:
        return Law(np.zeros((1, dim)), np.full(dim, self.variance))


@dataclass(frozen=True)
class Atoms(Data):
    """Gaussian data whose covariance has a few eigenvalues; `atoms:WEIGHT@VALUE,…`.

    Attributes:
        atoms: Eigenvalues and their shares, given as a mapping value → weight or as pairs of both, held as pairs; the
            weights sum to 1.

    >>> str(Atoms({0.5: 0.5, 1.5: 0.5}))
    'atoms:0.5@0.5,0.5@1.5'
    """

    atoms: tuple[tuple[float, float], ...]
    kind: ClassVar[str] = "atoms"

    def __init__(self, atoms: Mapping[float, float] | Iterable[tuple[float, float]]) -> None:
        object.__setattr__(self, "atoms", weighed(self, "VALUE", atoms))
        checked(self, "values", self.atoms)

    @property
    def form(self) -> str:
        # none while they are checked
        return weights_at(self.kind, self.__dict__.get("atoms", ()))

    def covariance(self) -> Spectrum:
        values, weights = np.array(self.atoms).T
        return values, weights


@dataclass(frozen=True)
class Classes(Data):
    """Isotropic Gaussian classes of mean 0 and variances of their own; `classes:WEIGHT@VARIANCE,…` (§12).

    Attributes:
        classes: Variances and their classes' shares, given as a mapping variance → weight or as pairs of both, held as
            pairs; the weights sum to 1.

    >>> str(Classes({0.5: 0.3, 1.5: 0.7}))
    'classes:0.3@0.5,0.7@1.5'
    >>> Classes({0.5: 0.25, 1.5: 0.75}).law(2).in_turn(0, 8).tolist()
    [1, 0, 1, 1, 1, 0, 1, 1]
    """

    classes: tuple[tuple[float, float], ...]
    kind: ClassVar[str] = "classes"
    of_classes: ClassVar[bool] = True

    def __init__(self, classes: Mapping[float, float] | Iterable[tuple[float, float]]) -> None:
        object.__setattr__(self, "classes", weighed(self, "VARIANCE", classes))
        checked(self, "variances", self.classes)

    @property
    def form(self) -> str:
        return weights_at(self.kind, self.__dict__.get("classes", ()))

    @property
    def shares(self) -> Spectrum:
        """The variances and the shares of the classes, each (classes,)."""
        variances, weights = np.array(self.classes).T
        return variances, weights

    def covariance(self) -> Spectrum:
        variances, weights = self.shares
        return np.array([weights @ variances]), np.ones(1)

    def law(self, dim: int) -> ClassLaw:
        variances, weights = self.shares
        return ClassLaw(weights, np.repeat(variances[:, None], dim, axis=1), np.zeros((variances.size, dim)))


@dataclass(frozen=True)
class PowerLaw(Data):
    """Gaussian data whose eigenvalue k is proportional to k^−exponent, with mean 1; `powerlaw:ALPHA`.

    Attributes:
        exponent: α.

    >>> str(PowerLaw(1.2))
    'powerlaw:1.2'
    """

    exponent: float
    kind: ClassVar[str] = "powerlaw"

    def __post_init__(self) -> None:
        object.__setattr__(self, "exponent", self._number("ALPHA", self.exponent))

    @property
    def form(self) -> str:
        return numbered(self.kind, self.exponent)

    def covariance(self) -> None:
        return None

    def law(self, dim: int) -> Law:
        logs = -self.exponent * np.log(np.arange(1, dim + 1))
        values = np.exp(logs - logs.max())
        return Law(np.zeros((1, dim)), values / values.mean())


@dataclass(frozen=True)
class Subspace(Data):
    """Gaussian data that fill some of all directions, with mean variance 1; `subspace:FRACTION`.

    Attributes:
        fraction: Of the directions, in (0, 1].

    >>> Subspace(0.25).law(4).variances.tolist()
    [4.0, 0.0, 0.0, 0.0]
    """

    fraction: float
    kind: ClassVar[str] = "subspace"

    def __post_init__(self) -> None:
        object.__setattr__(self, "fraction", self._number("FRACTION", self.fraction))
        if not 0 < self.fraction <= 1:
            raise DataError(f"data {str(self)!r}: the fraction must lie in (0, 1]")

    @property
    def form(self) -> str:
        return numbered(self.kind, self.fraction)

    def covariance(self) -> Spectrum:
        return np.array([1 / self.fraction, 0.0]), np.array([self.fraction, 1 - self.fraction])

    def law(self, dim: int) -> Law:
        count = round(self.fraction * dim)
        if count == 0:
            raise DataError(f"data {str(self)!r}: a fraction of {self.fraction:g} leaves no direction of {dim}")
        return Law(np.zeros((1, dim)), np.where(np.arange(dim) < count, dim / count, 0.0))


@dataclass(frozen=True)
class Mixture(Data):
    """Two Gaussians of unit covariance in equal parts; `mixture:SEPARATION`.

    Attributes:
        separation: Distance of their means.

    >>> Mixture(3).law(2).centers.tolist()
    [[1.5, 0.0], [-1.5, -0.0]]
    """

    separation: float
    kind: ClassVar[str] = "mixture"

    def __post_init__(self) -> None:
        object.__setattr__(self, "separation", self._number("SEPARATION", self.separation))
        if self.separation < 0:
            raise DataError(f"data {str(self)!r}: the separation must not be negative")

    @property
    def form(self) -> str:
        return numbered(self.kind, self.separation)

    def covariance(self) -> Spectrum:
        return np.ones(1), np.ones(1)

    def law(self, dim: int) -> Law:
        half = np.zeros(dim)
        half[0] = self.separation / 2
        return Law(np.stack([half, -half]), np.ones(dim))
