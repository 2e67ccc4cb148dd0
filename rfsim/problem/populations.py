"""What data are: named populations, files of eigenvalues, covariances or samples, digits; objects that have texts.

A text is read once, where it is given (`read`). A population has a covariance, and a law in every number of
dimensions; samples fix their own dimension, and a half of them plays the population.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.checking.scalars import real
from rfsim.checking.text import digits as whole_number
from rfsim.checking.text import nearest, number_or_nan
from rfsim.checking.written import Written, short
from rfsim.disk.files.numbers import FORMS, DataError, load, names_file, place
from rfsim.problem import covariances, digits
from rfsim.problem.arrays import Rows, rows
from rfsim.problem.diffusion import Law

Spectrum = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class Data(Written):
    """What `Problem.data` holds: a population, or samples (§1)."""

    kind: ClassVar[str] = ""

    @property
    def path(self) -> Path | None:
        """The file that the data lie in; None for named populations and digits."""
        return None

    def rows(self) -> Rows | None:
        """The checked samples of data that fix their own dimension; None for a population.

        Raises DataError, in one line, for what cannot be read; nothing is unpickled.
        """
        return None

    def covariance(self) -> Spectrum | None:
        """Σ's eigenvalues and their shares, each (atoms,), as d → ∞; None for powerlaw, whose eigenvalues follow d.

        A mixture's is that of its components: two means are one direction of d.
        """
        raise DataError(f"data {str(self)!r} are samples, whose covariance is found where they are read")

    def law(self, dim: int) -> Law:
        """The law of clean data: diagonal, since random features see no direction before another.

        Args:
            dim: d.

        Returns:
            The law.

        Raises:
            DataError: For samples, and where no direction gets a variance.

        >>> Atoms({0.5: 0.5, 1.5: 0.5}).law(4).variances.tolist()
        [0.5, 0.5, 1.5, 1.5]
        """
        found = self.covariance()
        assert found is not None  # where there is none, the law is the population's own
        return Law(np.zeros((1, dim)), self._counted(*found, dim))

    def images(self, points: ArrayLike) -> NDArray[np.float64]:
        """Points as images, of digits alone.

        Args:
            points: (rows, dim).

        Returns:
            (rows, 8, 8).

        Raises:
            DataError: For other data.
        """
        raise DataError(f"images are of data digits or digits:K; got {str(self)!r}")

    def _number(self, name: str, value: Any) -> float:
        found = number_or_nan(value) if isinstance(value, str) else real(name.lower(), value)
        if not math.isfinite(found):
            raise DataError(f"data {str(self)!r}: {name} must be a finite number; got {value!r}")
        return found

    def _counted(self, values: NDArray[np.float64], weights: NDArray[np.float64], dim: int) -> NDArray[np.float64]:
        """Each value as often as its weight asks in `dim` directions, by largest remainder."""
        counts = np.floor(weights * dim + 1e-9).astype(int)
        remainder = weights * dim - counts
        for k in np.argsort(-remainder, kind="stable")[: dim - counts.sum()]:
            counts[k] += 1
        found = np.repeat(values, counts)
        if not found.any():
            raise DataError(
                f"data {str(self)!r}: at dim {dim} only atoms at 0 get a direction; raise dim or their weight"
            )
        return found


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
        return self.kind if self.variance == 1 else _form(self.kind, self.variance)

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
        pairs = atoms.items() if isinstance(atoms, Mapping) else atoms
        # a text says the weight first, and what is wrong with it is told first
        found = [(value, self._number("WEIGHT", weight)) for value, weight in pairs]
        object.__setattr__(self, "atoms", tuple((self._number("VALUE", value), weight) for value, weight in found))
        if not self.atoms:
            raise DataError("atoms need one value with its weight, or more; got none")
        values, weights = self.covariance()
        if np.any(weights <= 0) or np.any(values < 0) or not np.any(values > 0):
            raise DataError(f"data {str(self)!r}: weights must be positive, values not negative and not all zero")
        if abs(weights.sum() - 1) > 1e-9:
            raise DataError(f"data {str(self)!r}: the weights sum to {weights.sum():g}, not 1")

    @property
    def form(self) -> str:
        pairs = self.__dict__.get("atoms", ())  # none while they are checked
        return "atoms:" + ",".join(f"{short(weight)}@{short(value)}" for value, weight in pairs)

    def covariance(self) -> Spectrum:
        values, weights = np.array(self.atoms).T
        return values, weights


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
        return _form(self.kind, self.exponent)

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
        return _form(self.kind, self.fraction)

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
        return _form(self.kind, self.separation)

    def covariance(self) -> Spectrum:
        return np.ones(1), np.ones(1)

    def law(self, dim: int) -> Law:
        half = np.zeros(dim)
        half[0] = self.separation / 2
        return Law(np.stack([half, -half]), np.ones(dim))


@dataclass(frozen=True)
class InFile(Data):
    """Data that lie in a file.

    Attributes:
        file: .npy, .npz, .csv or .tsv, or FILE.npz:KEY for one array of several.
    """

    file: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "file", _named(self.file))

    @property
    def form(self) -> str:
        return f"{self.kind}:{self.file}" if self.kind else self.file

    @property
    def path(self) -> Path:
        return place(self.file).path

    def moved(self, path: Path) -> str:
        """The text of the same data in another file.

        Args:
            path: Of that file.

        Returns:
            The text.
        """
        key = place(self.file).key
        return f"{self.kind and self.kind + ':'}{path}{'' if key is None else f':{key}'}"


@dataclass(frozen=True)
class Eigenvalues(InFile):
    """Gaussian data whose covariance has the eigenvalues of a file, one per entry; `eigenvalues:FILE`.

    Attributes:
        file: As in `InFile`.

    >>> str(Eigenvalues("spectrum.npy"))
    'eigenvalues:spectrum.npy'
    """

    kind: ClassVar[str] = "eigenvalues"

    def covariance(self) -> Spectrum:
        return covariances.read(self.kind, self.file)


@dataclass(frozen=True)
class Covariance(InFile):
    """Gaussian data of a covariance in a file; `covariance:FILE`.

    Attributes:
        file: Of a symmetric matrix, of which the eigenvalues alone matter.

    >>> str(Covariance("matrices.npz:first"))
    'covariance:matrices.npz:first'
    """

    kind: ClassVar[str] = "covariance"

    def covariance(self) -> Spectrum:
        return covariances.read(self.kind, self.file)


@dataclass(frozen=True)
class Samples(InFile):
    """Samples in a file, split into a training half and one that plays the population; `FILE`.

    Attributes:
        file: Of an array (rows, dim).

    >>> str(Samples("points.csv"))
    'points.csv'
    """

    def rows(self) -> Rows:
        return rows(load(self.file), str(self))


@dataclass(frozen=True)
class Digits(Data):
    """scikit-learn's 1797 images of digits, dim 64, or principal components of them; `digits[:K]`.

    Attributes:
        components: K, from 1 to 64; None for the images.

    >>> str(Digits()), str(Digits(10))
    ('digits', 'digits:10')
    """

    components: int | None = None
    kind: ClassVar[str] = "digits"

    def __post_init__(self) -> None:
        given = self.components
        count = whole_number(str(given)) or 0
        if given is not None and not 1 <= count <= digits.PIXELS:
            raise DataError(
                f"data {str(self)!r}: K must be a whole number from 1 to {digits.PIXELS}; got {str(given)!r}"
            )
        object.__setattr__(self, "components", None if given is None else count)

    @property
    def form(self) -> str:
        return self.kind if self.components is None else f"{self.kind}:{self.components}"

    def rows(self) -> Rows:
        return Rows(digits.read(self.components), str(self))

    def images(self, points: ArrayLike) -> NDArray[np.float64]:
        """Points of these data as images.

        Args:
            points: (rows, dim), centered and scaled by one number as `data.prepare` does.

        Returns:
            Images (rows, 8, 8) in units of grey, 0 to 16, which samples may leave.

        Raises:
            DataError: For points of another shape.

        >>> Digits(3).images(np.zeros((1, 3))).shape  # the mean image
        (1, 8, 8)
        """
        values = np.asarray(points, dtype=np.float64)
        dim = digits.PIXELS if self.components is None else self.components
        if values.ndim != 2 or values.shape[1] != dim:
            raise DataError(f"points of {str(self)!r} have shape (rows, {dim}); got {values.shape}")
        return digits.images(self.components, values)


NUMBERED = {one.kind: one for one in (PowerLaw, Subspace, Mixture)}
FILES = {one.kind: one for one in (Eigenvalues, Covariance)}
KINDS = ("isotropic", "atoms", *NUMBERED, *FILES, "digits")


def read(given: str | os.PathLike[str] | Data) -> Data:
    """The data that a text names, or a path, or what they already are; no file is opened.

    Args:
        given: The data.

    Returns:
        The data as an object.

    Raises:
        DataError: In one line, with the nearest valid name or with what is wrong with its argument.

    >>> read("isotropic:2")
    Isotropic(variance=2.0)
    >>> read("isotropc")
    Traceback (most recent call last):
    ...
    rfsim.disk.files.numbers.DataError: unknown data 'isotropc'; use one of isotropic, atoms, powerlaw, subspace, \
mixture, eigenvalues, covariance, digits or a .npy, .npz, .csv or .tsv file; did you mean 'isotropic'?
    """
    if isinstance(given, Data):
        return given
    text = _named(given)
    kind, colon, argument = text.partition(":")
    if kind == "isotropic":
        return Isotropic.of(text, *([argument] if colon else []))
    if kind == "atoms":
        return Atoms.of(text, list(_pairs(text, argument)))
    if kind == "digits":
        return Digits.of(text, *([argument] if colon else []))
    if found := NUMBERED.get(kind) or FILES.get(kind):
        return found.of(text, argument)
    if names_file(text):
        return Samples.of(text, text)
    hint, told = nearest(kind, KINDS), text if len(text) <= 40 else text[:37] + "..."
    raise DataError(f"unknown data {told!r}; use one of {', '.join(KINDS)} or a {FORMS} file{hint}")


def in_file(text: str) -> InFile | None:
    """The data of a text where they lie in a file; None for all others, and for what no data are.

    Of settings and titles, which also name data that are gone, or were an array.
    """
    kind, _, argument = text.partition(":")
    if kind in FILES and argument:
        return FILES[kind].of(text, argument)
    return Samples.of(text, text) if kind not in KINDS and names_file(text) else None


def _pairs(text: str, argument: str) -> Iterable[tuple[Any, Any]]:
    for item in argument.split(","):
        weight, at, value = item.partition("@")
        if not at:
            raise DataError(f"data {text!r}: atoms are written WEIGHT@VALUE,…; got {item!r}")
        yield value, weight


def _form(kind: str, value: Any) -> str:
    """Before it is checked the value may be anything."""
    return f"{kind}:{short(value) if isinstance(value, (int, float)) else value}"


def _named(given: Any) -> str:
    text = os.fspath(given) if isinstance(given, os.PathLike) else given
    if not isinstance(text, str) or not text:
        told = "an array: give it as array=" if isinstance(text, np.ndarray) else repr(text)
        raise ValueError(f"data must name a population or a file; got {told}")
    return text
