"""The classes of data: those of a population, or of the labels of an array's rows (equations.md §12)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.problem.laws import AnyLaw, ClassLaw
from rfsim.problem.origins import Source
from rfsim.problem.populations import Data, GaussianClasses


class ClassTable(NamedTuple):
    """Classes by name, (classes,) each.

    Attributes:
        names: 0, 1, … of a population's classes, texts where they have names or are of labels.
        shares: π_c, of an array those among its rows.
        variances: Of each class around its own mean, per dimension.
    """

    names: NDArray[np.int64] | NDArray[np.str_]
    shares: NDArray[np.float64]
    variances: NDArray[np.float64]


def named(data: Data, shares: NDArray[np.float64], variances: NDArray[np.float64]) -> ClassTable:
    """The classes of a population by the names that it gives them.

    Args:
        data: The population's.
        shares: Of the classes, (classes,).
        variances: Of the classes, (classes,).

    Returns:
        The classes.
    """
    names = np.array(data.names) if isinstance(data, GaussianClasses) else np.arange(shares.size)
    return ClassTable(names, shares, variances)


def class_table(data: Data, origin: Source, population: AnyLaw | None) -> ClassTable | None:
    """The classes of the data behind a problem.

    Args:
        data: Its own.
        origin: Where samples come from.
        population: Its clean law; None for an array.

    Returns:
        The classes; None where the data have none.
    """
    if isinstance(population, ClassLaw):
        return named(data, population.shares, population.variances.mean(axis=1))
    if origin.labels is None:
        return None
    assert origin.array is not None  # labels go with rows
    codes, names = origin.labels.codes, origin.labels.names
    variances = [origin.array[codes == k].var(axis=0).mean() for k in range(len(names))]
    return ClassTable(np.array(names), np.bincount(codes) / codes.size, np.array(variances))
