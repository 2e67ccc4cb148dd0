"""Learning curves of the limit at every training time (equations.md T13, T14), through the losses written once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jax.typing import ArrayLike
from numpy.typing import NDArray

from rfsim.computing.precision import in_complex128
from rfsim.learning import trainers
from rfsim.learning.curves import LossCurves, loss_curves
from rfsim.learning.filters import learning_rate_constant
from rfsim.learning.protocol import Spectrum, Target
from rfsim.learning.trainers import Trainer
from rfsim.limit.contour_sums import LimitSpectrum, LimitTarget
from rfsim.limit.intervals import Interval
from rfsim.limit.limits import Limit
from rfsim.limit.tables import converged, eigenvalue_bounds


class LimitCurves(NamedTuple):
    """Learning curves of the limit, and how far they are known (T13, T14).

    Attributes:
        curves: The losses, each (times,).
        error: Largest change of any of them at the last doubling of the contour's nodes, (times,).
        nodes: Of the whole contour.
        residual: The largest of the equations there, relative.
        tables: Spectrum and target on the contour, for the curves at other times.
    """

    curves: LossCurves
    error: NDArray[np.float64]
    nodes: int
    residual: float
    tables: tuple[LimitSpectrum, LimitTarget]


@in_complex128
def limit_curves(
    limit: Limit,
    train_times: ArrayLike,
    ridge: float = 0.0,
    *,
    trainer: str | Trainer = "flow",
    tolerance: float = 1e-8,
    intervals: Sequence[Interval] | None = None,
) -> LimitCurves:
    """The curves as d → ∞ at several train_times.

    Equations.md T13 and T14.

    Args:
        limit: What the equations depend on (`theory.limit`).
        train_times: Training times τ (times,), which may hold 0 and inf.
        ridge: The ridge γ.
        trainer: As in `rfsim.learning.trainers`, or its text.
        tolerance: Nodes are doubled until every error is at most this, relative above 1, up to 1024 of them: what is
            left stands in `error`, for the caller to judge.
        intervals: The limit's `support`, if at hand.

    Returns:
        The losses (times,), their errors, the nodes and the tables on them.

    Raises:
        ValueError: Where there is no contour (`tables.eigenvalue_bounds`) or descent diverges.
        theory.NotConverged: Where the equations are not solved.

    """
    trained = trainers.read(trainer).at(learning_rate_constant(limit.noise, limit.features_per_dim), ridge)
    bounds = eigenvalue_bounds(limit, ridge, trained.reach, intervals)
    trained.require_stable(bounds[1])

    def observable(spectrum: Spectrum, target: Target) -> NDArray[np.float64]:
        return np.stack(loss_curves(spectrum, target, train_times, trained))

    found = converged(limit, observable, bounds=bounds, ridge=ridge, reach=trained.reach, tolerance=tolerance)
    return LimitCurves(LossCurves(*found.values), found.error.max(0), found.nodes, found.residual, found.tables)
