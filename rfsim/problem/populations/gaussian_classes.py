"""Gaussian classes of any means and variances by direction, as an object (equations.md §12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.computing.numerics import signed
from rfsim.disk import content
from rfsim.disk.files.numbers import DataError
from rfsim.problem.arrays import rows
from rfsim.problem.covariances import distinct
from rfsim.problem.data import prepare
from rfsim.problem.laws import ClassLaw
from rfsim.problem.populations.base import Data, Spectrum
from rfsim.problem.populations.labels import MOST
from rfsim.problem.populations.labels import labels as read_labels

TOLERANCE = 1e-9  # of a sum of weights


@dataclass(frozen=True, eq=False, repr=False)
class GaussianClasses(Data):
    """Gaussian classes, each with its weight, its mean and its variance along each of common axes (§12).

    Its text tells it apart and names no numbers: it is given as an object.

    Attributes:
        weights: π_c, (classes,), positive, adding up to 1.
        variances: Of each class along each direction, (classes, dim), or one number for each class, (classes,).
        means: Of each class, (classes, dim); 0 unless given.
        names: Of the classes; 0, 1, … unless given.

    >>> classes = GaussianClasses([0.3, 0.7], variances=[0.5, 1.5])
    >>> classes.law(2).variances.tolist()
    [[0.5, 0.5], [1.5, 1.5]]
    >>> GaussianClasses([0.5, 0.4], variances=[1.0, 1.0])
    Traceback (most recent call last):
    ...
    rfsim.disk.files.numbers.DataError: gaussian-classes: the weights sum to 0.9, not 1
    """

    weights: NDArray[np.float64]
    variances: NDArray[np.float64]
    means: NDArray[np.float64] | None
    names: tuple[str, ...]
    kind: ClassVar[str] = "gaussian-classes"
    of_classes: ClassVar[bool] = True

    def __init__(
        self,
        weights: ArrayLike,
        variances: ArrayLike,
        means: ArrayLike | None = None,
        names: Sequence[object] | None = None,
    ) -> None:
        found = _table("weights", weights, 1)
        object.__setattr__(self, "weights", found)
        object.__setattr__(self, "variances", _table("variances", variances, 1, 2))
        object.__setattr__(self, "means", None if means is None else _table("means", means, 2))
        object.__setattr__(self, "names", tuple(map(str, range(found.size) if names is None else names)))
        self._check()

    def _check(self) -> None:
        count = self.weights.size
        if not 1 <= count <= MOST:
            raise DataError(f"{self.kind}: from 1 to {MOST} classes are taken; got {count} weights")
        if np.any(self.weights <= 0):
            raise DataError(f"{self.kind}: the weights must be positive; got {self.weights.min():g}")
        if abs(self.weights.sum() - 1) > TOLERANCE:
            raise DataError(f"{self.kind}: the weights sum to {self.weights.sum():g}, not 1")
        if np.any(self.variances < 0) or not self.variances.any():
            raise DataError(
                f"{self.kind}: variances must not be negative, and one of them positive; got {self.variances.min():g}"
            )
        for name, one in (("variances", self.variances), ("means", self.means)):
            if one is not None and len(one) != count:
                raise DataError(f"{self.kind}: {name} has {len(one)} classes, weights {count}; give a row for each")
        if len(self.names) != count or len(set(self.names)) != count:
            raise DataError(f"{self.kind}: {count} classes need as many names, each another one; got {self.names}")
        shapes = {one.shape[1] for one in (self.variances, self.means) if one is not None and one.ndim == 2}
        if len(shapes) > 1:
            raise DataError(
                f"{self.kind}: variances have {self.variances.shape[1]} directions, means {self._means.shape[1]}; give "
                "as many"
            )

    @classmethod
    def fitted(
        cls,
        array: ArrayLike,
        labels: ArrayLike | str | PathLike[str],
        *,
        center: bool = True,
        scale: str = "global",
    ) -> Self:
        """The classes of an array's rows, along the principal axes of all rows.

        Random features see no direction before another, so that axes may be turned; what the variances of a class
        leave out is its correlation between them.

        Args:
            array: Samples, (rows, dim).
            labels: The class of each row, as `rfsim.train` takes labels.
            center: Whether the mean of all rows is taken off.
            scale: How they are scaled: "global", by one number so that E‖x‖²/d = 1, "columns" or "none".

        Returns:
            Weights, means and variances of the classes, named by their labels.

        Raises:
            DataError: For an array or labels that cannot be used.

        >>> rows = np.array([[3.0, 0.1], [1.0, 0.0], [-1.0, 0.0], [-3.0, -0.1]])
        >>> found = GaussianClasses.fitted(rows, ["b", "b", "a", "a"])
        >>> found.names, found.weights.tolist()
        (('a', 'b'), [0.5, 0.5])
        """
        given = rows(array)
        found = read_labels(labels, given)
        values = prepare(given.values, center=center, scale=scale)
        _, axes = np.linalg.eigh(values.T @ values)
        values = values @ signed(axes.T[::-1]).T
        of = [values[found.codes == k] for k in range(len(found.names))]
        return cls(
            np.array([len(one) for one in of]) / len(values),
            np.array([one.var(axis=0) for one in of]),
            np.array([one.mean(axis=0) for one in of]),
            found.names,
        )

    @property
    def form(self) -> str:
        several = (self.weights, self.variances, *([] if self.means is None else [self.means]))
        raw = b"".join(repr(one.shape).encode() + one.tobytes() for one in several) + repr(self.names).encode()
        size = f"{self.weights.size}" if self.dimension is None else f"{self.weights.size}x{self.dimension}"
        return f"{self.kind}:{size}@{content.of_bytes(raw)[:16]}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r}>"

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other) if isinstance(other, GaussianClasses) else NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))

    @property
    def dimension(self) -> int | None:
        found = self.variances if self.variances.ndim == 2 else self.means
        return None if found is None else found.shape[1]

    @property
    def _means(self) -> NDArray[np.float64]:
        return np.zeros((self.weights.size, 1)) if self.means is None else self.means

    def covariance(self) -> Spectrum:
        return distinct(self._pooled)

    def variances_of_atoms(self) -> NDArray[np.float64]:
        """The variances of each class along the directions of the limit's equations, (classes, atoms).

        Raises:
            DataError: For classes with means, and for one without variance.
        """
        if self._means.any():
            raise DataError(
                f"data {str(self)!r}: the limit of classes with means, whose eigenvalues lie outside of all others, is "
                "not derived; leave the means out, or take the sampled commands"
            )
        if not self._by_direction.any(axis=1).all():
            raise DataError(f"data {str(self)!r}: the limit needs a variance of every class; leave those without out")
        return self._by_direction

    @property
    def _pooled(self) -> NDArray[np.float64]:
        """The variances of all classes together around their own means, (dim,), or (1,) in every direction."""
        return self.weights @ self._by_direction

    @property
    def _by_direction(self) -> NDArray[np.float64]:
        return self.variances if self.variances.ndim == 2 else self.variances[:, None]

    def law(self, dim: int) -> ClassLaw:
        if self.dimension not in (None, dim):
            raise DataError(f"data {str(self)!r} have {self.dimension} dimensions; got dim {dim}: leave it out")
        shape = self.weights.size, dim
        variances, means = (np.broadcast_to(one, shape).copy() for one in (self._by_direction, self._means))
        return ClassLaw(self.weights, variances, means)


def _table(name: str, given: ArrayLike, *ranks: int) -> NDArray[np.float64]:
    """Finite numbers of one of some ranks, which cannot be changed; DataError, in one line, for all else."""
    try:
        values = np.array(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{GaussianClasses.kind}: {name} must be numbers, in rows of as many") from None
    if values.ndim not in ranks or not values.size:
        shapes = {1: "(classes,)", 2: "(classes, dim)"}
        accepted = " or ".join(shapes[rank] for rank in ranks)
        raise DataError(f"{GaussianClasses.kind}: {name} must have the shape {accepted}; got {values.shape}")
    if not np.isfinite(values).all():
        raise DataError(f"{GaussianClasses.kind}: {name} must be finite")
    values.flags.writeable = False
    return values
