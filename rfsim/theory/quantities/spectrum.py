"""The spectrum of the limit as a labelled result: parts with masses and edges, and the density on a grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from rfsim.model import Problem, whole
from rfsim.precision import in_float64
from rfsim.runs import Report
from rfsim.theory.bulks import Part, density_with_residual, parts
from rfsim.theory.quantities.run import LimitRun

POINTS = 400


@in_float64
def spectrum(
    problem: Problem,
    *,
    points: int = POINTS,
    grid: ArrayLike | None = None,
    array: ArrayLike | None = None,
    center: bool = True,
    scale: str = "global",
    report: Report | None = None,
) -> xr.Dataset:
    """The spectrum of U as d → ∞ (equations.md T10, T11; Bonnaire et al. 2025, Thm 3.1) and its parts (§5, §8).

    The density is given at `grid` (eigenvalues,) or at about `points` values of λ over all intervals, denser toward
    their edges; `array` (samples, dim) takes the place of a data file, of which the covariance alone is used.

    Returns variables density (eigenvalue), per unit λ and without atoms, with residual (eigenvalue), NaN where a point
    did not converge; per part (bulk) mass, mean, lower, upper, gap_below, an atom having lower = upper, and parts that
    no gap separates one name, "mini+main"; interval_lower, interval_upper, interval_part (interval); the constants a,
    b, v2, s2 (T9).

    Raises ValueError for parameters outside the theory's domain, NotConverged where an edge or a mass is not found.

    >>> result = spectrum(Problem(samples_per_dim=8, features_per_dim=64))
    >>> [(str(name), float(mass)) for name, mass in zip(result.bulk.values, result.mass.values.round(6))]
    [('null', 0.859375), ('mini', 0.015625), ('main', 0.109375), ('gen', 0.015625)]
    """
    run = LimitRun(problem, array=array, center=center, scale=scale)
    count = whole("points", points, 1)
    if report:
        report("spectrum", {})
    found = parts(run.limit)
    lam = _grid(found, count) if grid is None else _checked(grid)
    density, residual = density_with_residual(run.limit, lam)
    intervals = [(one, k) for k, part in enumerate(found) for one in part.intervals]
    lower, upper = (np.array([getattr(part, edge) for part in found]) for edge in ("lower", "upper"))
    data = xr.Dataset(
        {
            "density": ("eigenvalue", density, {"long_name": "density ρ(λ) without atoms", "units": "1"}),
            "residual": ("eigenvalue", residual, {"long_name": "of the equations, relative"}),
            "mass": ("bulk", np.array([part.mass for part in found]), {"long_name": "share of the features"}),
            "mean": ("bulk", np.array([part.mean for part in found]), {"long_name": "mean eigenvalue"}),
            "lower": ("bulk", lower, {"long_name": "lower edge"}),
            "upper": ("bulk", upper, {"long_name": "upper edge"}),
            "gap_below": (
                "bulk",
                np.concatenate([[np.nan], _ratios(lower[1:], upper[:-1])]),
                {"long_name": "lower over upper of the part below"},
            ),
            "interval_lower": ("interval", np.array([one.lower for one, _ in intervals])),
            "interval_upper": ("interval", np.array([one.upper for one, _ in intervals])),
            "interval_part": ("interval", np.array([k for _, k in intervals], dtype=np.int32)),
        },
        coords={
            "eigenvalue": ("eigenvalue", lam, {"long_name": "eigenvalue λ of U", "units": "1"}),
            "bulk": [part.name for part in found],
        },
    )
    return run.label("theory-spectrum", data)


def _grid(found: Sequence[Part], points: int) -> NDArray[np.float64]:
    """About `points` values of λ over the intervals of all parts, cosines in log λ: dense where edges are steep."""
    intervals = [one for part in found for one in part.intervals if one.lower < one.upper]
    each = max(points // len(intervals), 1)
    angles = (np.arange(each) + 0.5) * np.pi / each
    # an interval that reaches down to 0 is drawn over its upper eight decades
    ends = np.log([(max(one.lower, 1e-8 * one.upper), one.upper) for one in intervals])
    center, half = ends.mean(1), np.ptp(ends, axis=1) / 2
    return np.exp(center[:, None] - half[:, None] * np.cos(angles)).ravel()


def _checked(grid: ArrayLike) -> NDArray[np.float64]:
    lam = np.atleast_1d(np.asarray(grid, dtype=float))
    if lam.ndim != 1 or lam.size == 0 or not np.all(np.isfinite(lam)):
        raise ValueError(f"grid must be a non-empty list of finite eigenvalues; got shape {lam.shape}")
    return lam


def _ratios(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):  # nothing is far above 0: inf
        return above / below
