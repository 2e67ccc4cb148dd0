"""Diffusion times of one's own, in the place of a grid (equations.md §7)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.checking.scalars import numbers, real, told, whole
from rfsim.problem.diffusion import time_grid
from rfsim.problem.model import EARLIEST, LATEST
from rfsim.quantities.distill import LEVELS

MOST_LEVELS = 10**4


def grid_given(path: ArrayLike, **beside: float) -> tuple[float, ...]:
    """Diffusion times of one's own, ascending.

    Args:
        path: The times, from either end, (grid,).
        **beside: levels, time_min and time_max, whose place they take.

    Returns:
        The times.

    Raises:
        ValueError: For fewer than three, where they do not fall or rise all the way, for one that is no diffusion time,
            and beside what they say already.

    >>> grid_given([3, 1, 0.3, 0.02])
    (0.02, 0.3, 1.0, 3.0)
    """
    given = numbers("path", path)
    steps = np.diff(given)
    if given.size < 3 or not (np.all(steps < 0) or np.all(steps > 0)):
        raise ValueError(
            f"path must be three diffusion times or more that fall all the way, such as 3,1,0.3,0.02; got "
            f"{told(given.tolist())}"
        )
    if wrong := [one for one in given if not EARLIEST <= one <= LATEST]:
        raise ValueError(f"path's diffusion times must lie between {EARLIEST:g} and {LATEST:g}; got {wrong[0]:g}")
    usual = {one.name: one.default for one in LEVELS}
    for name, value in beside.items():
        if value != usual[name]:
            raise ValueError(f"path says all diffusion times; got {name} {value:g} beside it: leave it out")
    return tuple(np.sort(given).tolist())


def steps_given(path: ArrayLike | None, *, levels: int, time_min: float, time_max: float) -> NDArray[np.float64]:
    """The diffusion times between which steps are taken: a path of one's own, or a geometric grid.

    Args:
        path: The times, from either end, (grid,), or None.
        levels: N of the grid, as it was given.
        time_min: ε.
        time_max: T.

    Returns:
        The times, ascending, (levels + 1,).

    Raises:
        ValueError: For what is no path and no grid, and for both.

    >>> steps_given(None, levels=2, time_min=0.01, time_max=1.0).tolist()
    [0.01, 0.1, 1.0]
    """
    if path is not None:
        return np.array(grid_given(path, levels=levels, time_min=time_min, time_max=time_max))
    return time_grid(real("time_min", time_min), real("time_max", time_max), whole("levels", levels, 1, MOST_LEVELS))
