"""What `Problem.data` holds, of any kind: its text, its samples or its covariance and law."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.checking.scalars import real
from rfsim.checking.text import number_or_nan
from rfsim.checking.written import Written, short
from rfsim.disk.files.numbers import DataError
from rfsim.problem.arrays import Rows
from rfsim.problem.laws import AnyLaw, Law

Spectrum = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class Data(Written):
    """What `Problem.data` holds: a population, or samples (§1)."""

    kind: ClassVar[str] = ""
    of_classes: ClassVar[bool] = False  # whether each point is of one of several Gaussians with numbers of its own

    @property
    def dimension(self) -> int | None:
        """D of a population that fixes it; None for one of any dimension."""
        return None

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

    def law(self, dim: int) -> AnyLaw:
        """The law of clean data: diagonal, since random features see no direction before another.

        Args:
            dim: d.

        Returns:
            The law.

        Raises:
            DataError: For samples, and where no direction gets a variance.

        >>> import rfsim
        >>> rfsim.Atoms({0.5: 0.5, 1.5: 0.5}).law(4).variances.tolist()
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


def numbered(kind: str, value: Any) -> str:
    """Before it is checked the value may be anything."""
    return f"{kind}:{short(value) if isinstance(value, (int, float)) else value}"


def weighed(
    data: Data, name: str, given: Mapping[float, float] | Iterable[tuple[float, float]]
) -> tuple[tuple[float, float], ...]:
    """Values and their weights as pairs, of a mapping or of pairs; `name` is what errors call a value."""
    pairs = given.items() if isinstance(given, Mapping) else given
    # a text says the weight first, and what is wrong with it is told first
    found = [(value, data._number("WEIGHT", weight)) for value, weight in pairs]
    return tuple((data._number(name, value), weight) for value, weight in found)


def checked(data: Data, name: str, pairs: Sequence[tuple[float, float]]) -> None:
    """Raise DataError for values and weights that are no shares of anything; `name` is what errors call the values."""
    if not pairs:
        raise DataError(f"{data.kind} need one {name[:-1]} with its weight, or more; got none")
    values, weights = np.array(pairs).T
    if np.any(weights <= 0) or np.any(values < 0) or not np.any(values > 0):
        raise DataError(f"data {str(data)!r}: weights must be positive, {name} not negative and not all zero")
    if abs(weights.sum() - 1) > 1e-9:
        raise DataError(f"data {str(data)!r}: the weights sum to {weights.sum():g}, not 1")


def weights_at(kind: str, pairs: Iterable[tuple[float, float]]) -> str:
    """The text of values with their weights."""
    return f"{kind}:" + ",".join(f"{short(weight)}@{short(value)}" for value, weight in pairs)
