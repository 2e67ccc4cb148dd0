"""Each class of a population in the limit, and its training points, as `protocol.Target`s (equations.md §12)."""

from __future__ import annotations

from functools import partial

import numpy as np

from rfsim.limit.contour_sums import LimitSpectrum, LimitTarget
from rfsim.limit.functions import cross_transform, overlap_transform, training_overlap
from rfsim.limit.limits import Limit
from rfsim.limit.solver import solve
from rfsim.limit.tables import pair_systems, weighed


def class_targets(limit: Limit, spectrum: LimitSpectrum) -> list[tuple[LimitTarget, LimitTarget]]:
    """The targets on the contour of a spectrum (§12).

    Args:
        limit: What the equations depend on, with classes and noise averaged exactly.
        spectrum: On its contour.

    Returns:
        The population of each class and its training points.

    Raises:
        NotConverged: Where the equations are not solved.
        RuntimeError: In float32.
    """
    x = solve(limit, spectrum.points).state
    pairs, found = pair_systems(limit, x), []
    for target in np.eye(len(limit.by_class.shares)):
        linear = cross_transform(limit, x, target)
        both = (partial(one, limit, target=target) for one in (overlap_transform, training_overlap))
        population, training = (weighed(spectrum.weights, linear, one, pairs) for one in both)
        found.append((population, training))
    return found
