"""The smallest score error over training, over a grid of (ψ_n, ψ_p), as a labelled result."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.computing.numerics import minimum_value
from rfsim.computing.precision import in_complex128
from rfsim.learning import losses
from rfsim.learning.curves import loss_curves
from rfsim.learning.filters import learning_rate_constant
from rfsim.learning.protocol import Spectrum, Target
from rfsim.learning.timescales import time_grid
from rfsim.learning.trainers import FlowFilter
from rfsim.limit.limits import Limit
from rfsim.limit.tables import converged, eigenvalue_bounds, limit_spectrum
from rfsim.problem.model import Problem
from rfsim.quantities.meant import known_keywords
from rfsim.results.progress import Report
from rfsim.theory.diagram import AXES, axis
from rfsim.theory.run import LimitRun, require_tolerance


@known_keywords
@in_complex128
def score_minimum(
    problem: Problem,
    *,
    samples_per_dim: Sequence[float],
    features_per_dim: Sequence[float],
    tolerance: float = 1e-8,
    report: Report | None = None,
) -> xr.Dataset:
    """min_τ E_score of the flow as d → ∞, all τ from 0 to ∞ considered, over a grid of (ψ_n, ψ_p).

    Equations.md T14; Bonnaire et al. 2025, Fig. 13.

    Args:
        problem: What is trained on, a named population, and its ridge γ. The grid takes the place of its own
            samples_per_dim and features_per_dim.
        samples_per_dim: ψ_n (rows,), increasing.
        features_per_dim: ψ_p (columns,), increasing.
        tolerance: Contour nodes are doubled until the smallest L_test moves by at most this.
        report: Hears of each step.

    Returns:
        Variables score and train_time, where it is reached (inf where training on does not harm by more than the
        tolerance), final, E_score at τ = ∞, error, of the smallest E_score at the last doubling, and residual of the
        equations, all (samples_per_dim, features_per_dim); where the tolerance is not met score, final and train_time
        are NaN.

    Raises:
        ValueError: For parameters outside the theory's domain, and for data, whose true score is not known.
        theory.NotConverged: Where the equations are not solved.

    >>> found = score_minimum(Problem(diffusion_time=0.01), samples_per_dim=[8], features_per_dim=[32])
    >>> float(found.score[0, 0].round(4)), bool(found.score[0, 0] < found.final[0, 0])
    (0.0577, True)
    """
    psi_n = axis(problem, "samples_per_dim", samples_per_dim)
    psi_p = axis(problem, "features_per_dim", features_per_dim)
    require_tolerance(tolerance)
    run = LimitRun(problem)
    if not run.named:
        raise ValueError(f"data {str(problem.data)!r} have no true score to be in error of; name a population")
    values = np.full((5, psi_n.size, psi_p.size), np.nan)
    for i, k in np.ndindex(psi_n.size, psi_p.size):
        if report:
            report(f"samples_per_dim {psi_n[i]:g}, features_per_dim {psi_p[k]:g}", {})
        here = run.limit._replace(samples_per_dim=float(psi_n[i]), features_per_dim=float(psi_p[k]))
        values[:, i, k] = _smallest(here, problem.ridge, tolerance)
    lowest, final = (np.asarray(losses.score_error(test, run.delta, run.score_power)) for test in values[:2])
    columns = {
        "score": (lowest, "smallest E_score over training"),
        "final": (final, "E_score at τ = ∞"),
        "train_time": (values[2], "training time τ of the smallest E_score"),
        "error": (values[3] / run.delta, "of the smallest E_score at the last doubling of the nodes"),
        "residual": (values[4], "of the equations, relative"),
    }
    data = xr.Dataset(
        {name: (tuple(AXES), column, {"long_name": words, "units": "1"}) for name, (column, words) in columns.items()},
        coords={
            name: (name, found, {"long_name": AXES[name], "units": "1"})
            for name, found in zip(AXES, (psi_n, psi_p), strict=True)
        },
    )
    extra = {"samples_per_dim": psi_n.tolist(), "features_per_dim": psi_p.tolist(), "tolerance": tolerance}
    return run.label("theory-score-minimum", data, extra)


def _smallest(limit: Limit, ridge: float, tolerance: float) -> tuple[float, float, float, float, float]:
    """(smallest L_test, L_test at τ = ∞, train_time of the smallest, error, residual)."""
    trained = FlowFilter(learning_rate_constant(limit.noise, limit.features_per_dim), ridge)
    bounds = eigenvalue_bounds(limit, ridge)
    grid = time_grid(np.array(bounds) + ridge, trained.kappa)

    def lowest(spectrum: Spectrum, target: Target) -> tuple[float, float, float]:
        def curve(tau: NDArray[np.float64]) -> NDArray[np.float64]:
            return loss_curves(spectrum, target, tau, trained).test

        at, value = minimum_value(curve, grid)
        start, final = curve(np.array([0.0, np.inf]))
        if final <= min(value, start) + tolerance:
            return float(final), float(final), np.inf
        best = min((value, at), (float(start), 0.0))
        return best[0], float(final), best[1]

    found = converged(limit, lambda *pair: np.array(lowest(*pair)[:2]), bounds=bounds, ridge=ridge, tolerance=tolerance)
    if found.error[0] > tolerance:
        return np.nan, np.nan, np.nan, float(found.error[0]), found.residual
    *values, at = lowest(*limit_spectrum(limit, found.nodes, bounds=bounds, ridge=ridge))
    return values[0], values[1], at, float(found.error[0]), found.residual
