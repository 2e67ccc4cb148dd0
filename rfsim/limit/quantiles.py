"""Quantiles of the limit's spectrum: λ below which a share of the p eigenvalues lies, for medians of parts by rank."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.computing.numerics import zero_between
from rfsim.computing.precision import in_complex128
from rfsim.limit.bulks import MASS_ERROR, atom, gap_points
from rfsim.limit.contours import arcs
from rfsim.limit.intervals import Interval, support
from rfsim.limit.limits import Limit
from rfsim.limit.solver import solve_above

ANGLE_ERROR = 1e-12


@in_complex128
def mass_below(limit: Limit, lam: ArrayLike) -> NDArray[np.float64]:
    """Share of the eigenvalues below λ, to about 1e-10 (§5).

    The upper half of a contour from λ to beyond the spectrum holds what lies above λ, in a bulk too: there the solution
    is that of the limit from above.

    Args:
        limit: What the equations depend on.
        lam: λ, (points,).

    Returns:
        The shares, (points,), the atom's included above it.

    Raises:
        NotConverged: Where a point does not converge.
    """
    offsets = np.atleast_1d(np.asarray(lam, dtype=float)) - float(limit.floor)
    end = 2 * float(limit.ceiling)
    below = np.zeros(offsets.shape)
    for k in np.flatnonzero(offsets > 0):
        z, weights = (values[0] for values in arcs([offsets[k], max(end, 2 * offsets[k])]))
        below[k] = 1 - 2 * (weights @ solve_above(limit, z).state.q).real
    return below


@in_complex128
def quantile(limit: Limit, shares: ArrayLike, intervals: Sequence[Interval] | None = None) -> NDArray[np.float64]:
    """The λ below which a share of the eigenvalues lies, the inverse of `mass_below` (§5).

    Args:
        limit: What the equations depend on.
        shares: In [0, 1], (shares,).
        intervals: The limit's `support`, if at hand.

    Returns:
        λ, (shares,). At a share that falls on a gap, within 1e-8, it is the lower edge of the interval above; at 1 the
        upper edge of the spectrum; inside the atom's mass the atom.

    Raises:
        ValueError: For other shares.
        NotConverged: Where a point does not converge.
    """
    wanted = np.atleast_1d(np.asarray(shares, dtype=float))
    outside = ~((wanted >= 0) & (wanted <= 1))
    if outside.any():
        raise ValueError(f"a share must lie in [0, 1]; got {wanted[outside][0]:g}")
    found, base = intervals or support(limit), atom(limit)
    start = base.mass if base else 0.0
    borders = np.array([start, *mass_below(limit, gap_points(limit, found)[1:-1]), 1.0])
    floor = float(limit.floor)

    def one(share: float) -> float:
        if share < start - MASS_ERROR:
            return floor
        k = int(np.searchsorted(borders[1:], share + MASS_ERROR, side="right"))
        if k == len(found):
            return found[-1].upper
        lower, width = found[k].lower, found[k].upper - found[k].lower

        def left(angle: float) -> float:
            # the ends are known, and an edge is no point to solve at
            if angle in (0.0, math.pi):
                return borders[k + (angle > 0)] - share
            return float(mass_below(limit, lower + width * math.sin(angle / 2) ** 2)[0]) - share

        if left(0.0) >= -MASS_ERROR:
            return lower
        angle = zero_between(left, 0.0, math.pi, within=ANGLE_ERROR)
        return lower + width * math.sin(angle / 2) ** 2

    return np.array([one(float(share)) for share in wanted])
