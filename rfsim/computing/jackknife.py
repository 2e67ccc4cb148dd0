"""Standard errors by leaving out groups (equations.md §2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

GROUPS = 8  # replicates; the relative error of a standard error from G of them is about 1/√(2G)


def jackknife(
    measure: Callable[[NDArray[np.float64]], ArrayLike], samples: NDArray[np.float64], groups: int = GROUPS
) -> NDArray[np.float64]:
    """Standard error of a measure of samples, by leaving out groups of rows (§2).

    Args:
        measure: From samples (fewer rows, dim) to a number or an array.
        samples: (rows, dim).
        groups: Between 2 and rows.

    Returns:
        The standard error, of the measure's shape.

    Raises:
        ValueError: For another number of groups.
    """
    if not 2 <= groups <= len(samples):
        raise ValueError(
            f"a jackknife needs 2 groups or more, none of them empty; got {groups} for {len(samples)} rows"
        )
    parts = np.array_split(np.arange(len(samples)), groups)
    return jackknife_error([np.asarray(measure(np.delete(samples, part, axis=0))) for part in parts])


def jackknife_error(replicates: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Jackknife standard error √((G − 1)/G Σ_g (θ_g − θ̄)²) (§2).

    Args:
        replicates: G values with one group left out each, of one shape.

    Returns:
        The standard error, of that shape; with groups of unequal size up to 2% high.
    """
    values = np.asarray(replicates)
    return np.sqrt((len(values) - 1) * values.var(axis=0))
