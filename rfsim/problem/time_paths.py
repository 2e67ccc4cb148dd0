"""Diffusion times of one's own, in the place of a grid (equations.md §7)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rfsim.checking.scalars import numbers, told
from rfsim.problem.model import EARLIEST, LATEST
from rfsim.quantities.distill import LEVELS


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
