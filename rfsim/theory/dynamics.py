"""Learning curves of the limit at every training time (equations.md T13, T14), through the losses written once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jax.typing import ArrayLike
from numpy.typing import NDArray

from rfsim.filters import learning_rate_constant
from rfsim.protocol import Spectrum, Target
from rfsim.theory.limits import Limit
from rfsim.theory.tables import converged
from rfsim.training.curves import FlowCurves, flow_curves


class LimitCurves(NamedTuple):
    """Curves of the limit, with the largest change at the last doubling of the contour's nodes, and their number."""

    curves: FlowCurves
    error: float
    nodes: int


def limit_flow_curves(
    limit: Limit, train_times: ArrayLike, ridge: float = 0.0, *, tolerance: float = 1e-8
) -> LimitCurves:
    """The curves as d → ∞ at train_times (times,), which may hold 0 and inf (equations.md T13, T14), to `tolerance`.

    Raises ValueError where there is no contour or the largest does not meet the tolerance (`tables.converged`).
    """
    kappa = learning_rate_constant(limit.noise, limit.features_per_dim)

    def observable(spectrum: Spectrum, target: Target) -> NDArray[np.float64]:
        return np.stack(flow_curves(spectrum, target, train_times, kappa, ridge))

    found = converged(limit, observable, ridge=ridge, tolerance=tolerance)
    return LimitCurves(FlowCurves(*found.values), found.error, found.nodes)
