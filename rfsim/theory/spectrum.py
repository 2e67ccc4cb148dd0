"""The spectrum of the limit as a labelled result: parts with masses and edges, and the density on a grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from rfsim.checking.scalars import MOST_VALUES, numbers, whole
from rfsim.computing.precision import in_complex128
from rfsim.limit.bulks import LimitPart, density_with_residual, parts
from rfsim.limit.intervals import Interval
from rfsim.limit.large import large_densities, large_form
from rfsim.limit.wide_copies import copies_density, copies_parts
from rfsim.limit.wide_spectrum import tables, wide_density, wide_parts
from rfsim.problem.arrays import Rows
from rfsim.problem.model import Problem, require_unused
from rfsim.quantities.meant import known_keywords
from rfsim.results.progress import Begin, Report
from rfsim.theory.run import LimitRun

POINTS = 400


@known_keywords
@in_complex128
def spectrum(
    problem: Problem,
    *,
    points: int = POINTS,
    grid: ArrayLike | None = None,
    array: ArrayLike | Rows | None = None,
    center: bool = True,
    scale: str = "global",
    covariance: str = "sample",
    report: Report | None = None,
    begin: Begin | None = None,
) -> xr.Dataset:
    """The spectrum of U as d → ∞ and its parts.

    Equations.md T10 and T11, §5 and §8; Bonnaire et al. 2025, Theorem 3.1. At features_per_dim inf the limit of many
    features, taken after d → ∞ (W1, W11; Urfin et al. 2026, arXiv 2609.35377, have the lazy counterpart): eigenvalues
    over ψ_p and masses times ψ_p, per dimension, and nothing whose eigenvalues are 0 there, as null's at m = ∞; the
    attribute "per" says so.

    Args:
        problem: What U is made of. Its ridge is not used, and refused where one is given.
        points: About how many values of λ the density is given at over all intervals, denser toward their edges.
        grid: Eigenvalues λ (eigenvalues,) in the place of these.
        array: Samples (rows, dim) in the place of the problem's data, of which the covariance alone is used.
        center: Whether an array is centered.
        scale: How an array is scaled: "global", "columns" or "none".
        covariance: Of an array: "sample", or an estimate of Σ's eigenvalues, "shrunk" or "deconvolved".
        report: Hears of each step.
        begin: Called with the settings of the result when all input is checked and before anything is computed; what it
            raises ends the run.

    Returns:
        Variables density (eigenvalue), per unit λ and without atoms, NaN where a point did not converge, with
        density_residual (eigenvalue); per part (part) mass, mean, lower, upper, gap_below, an atom having lower =
        upper, and parts that no gap separates one name, "mini+main"; interval_lower, interval_upper, interval_part
        (interval); beside them, where noise is averaged exactly, Theorem 3.2's forms for large ψ_p and ψ_n:
        large_density and large_interval (large_eigenvalue), and large_mass, large_lower, large_upper (form) of rho_1
        and rho_2; the constants a, b, v2, s2 (T9).

    Raises:
        ValueError: For parameters outside the theory's domain.
        theory.NotConverged: Where an edge or a mass is not found.

    >>> result = spectrum(Problem(samples_per_dim=8, features_per_dim=64))
    >>> [(str(name), float(mass)) for name, mass in zip(result.part.values, result.mass.values.round(6))]
    [('null', 0.859375), ('mini', 0.015625), ('main', 0.109375), ('gen', 0.015625)]
    """
    require_unused(problem, "theory.spectrum", ridge="leave it out; theory.curves takes it")
    run = LimitRun(
        problem, array=array, center=center, scale=scale, covariance=covariance, wide=True, copies=True, classes=True
    )
    count = whole("points", points, 1, MOST_VALUES)
    given = None if grid is None else _checked(grid)
    run.begin(begin)
    if report:
        report("spectrum", {})
    found = _parts(run)
    lam = _grid(_intervals(found), count) if given is None else given
    data = spectrum_dataset(run, found, lam)
    return run.label(
        "theory-spectrum", data if run.finite_copies or run.wide or run.limit.classes else data.merge(_large(run))
    )


def spectrum_dataset(run: LimitRun, found: Sequence[LimitPart], lam: NDArray[np.float64] | None = None) -> xr.Dataset:
    """The parts, their intervals and the density at lam (eigenvalues,), by default on a grid of POINTS."""
    lam = _grid(_intervals(found), POINTS) if lam is None else lam
    density, residual = _density(run, lam)
    unit, share = (" over ψ_p", "per dimension") if run.wide else ("", "share of the features")
    intervals = [(one, k) for k, part in enumerate(found) for one in part.intervals]
    lower, upper = (np.array([getattr(part, edge) for part in found]) for edge in ("lower", "upper"))
    gaps = np.concatenate([[np.nan], _ratios(lower[1:], upper[:-1])])
    return xr.Dataset(
        {
            "density": ("eigenvalue", density, {"long_name": "density ρ(λ) without atoms", "units": "1"}),
            "density_residual": ("eigenvalue", residual, {"long_name": "of the equations there, relative"}),
            "mass": ("part", np.array([part.mass for part in found]), {"long_name": share}),
            "mean": ("part", np.array([part.mean for part in found]), {"long_name": "mean eigenvalue"}),
            "lower": ("part", lower, {"long_name": "lower edge"}),
            "upper": ("part", upper, {"long_name": "upper edge"}),
            "gap_below": ("part", gaps, {"long_name": "lower over upper of the part below"}),
            "interval_lower": ("interval", np.array([one.lower for one, _ in intervals])),
            "interval_upper": ("interval", np.array([one.upper for one, _ in intervals])),
            "interval_part": ("interval", np.array([k for _, k in intervals], dtype=np.int32)),
        },
        coords={
            "eigenvalue": ("eigenvalue", lam, {"long_name": f"eigenvalue λ of U{unit}", "units": "1"}),
            "part": [part.name for part in found],
        },
    )


def _parts(run: LimitRun) -> Sequence[LimitPart]:
    if not run.wide:
        return parts(run.limit)
    return copies_parts(run.limit) if run.finite_copies else wide_parts(run.limit)


def _density(run: LimitRun, lam: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if run.wide and run.finite_copies:
        return copies_density(run.limit, lam)
    if run.wide:
        return wide_density(run.limit, lam), np.full(lam.shape, tables(run.limit).law.residual)
    return density_with_residual(run.limit, lam)


def _large(run: LimitRun) -> xr.Dataset:
    """ρ_1 and ρ_2 of Theorem 3.2: masses and edges, and the density of both together on a grid over their intervals."""
    form = large_form(run.limit)
    held = {name: one for name, one in (("rho_1", form.mem), ("rho_2", form.gen)) if one.intervals}
    intervals = [one for part in held.values() for one in part.intervals]
    lam = _grid(intervals, POINTS)
    first, second = large_densities(run.limit, lam, form)
    told = {"long_name": "Theorem 3.2's density of rho_1 and rho_2 together", "units": "1"}
    return xr.Dataset(
        {
            "large_density": ("large_eigenvalue", first + second, told),
            "large_interval": ("large_eigenvalue", np.repeat(np.arange(len(intervals)), lam.size // len(intervals))),
            "large_mass": ("form", np.array([one.mass for one in held.values()])),
            "large_lower": ("form", np.array([one.intervals[0].lower for one in held.values()])),
            "large_upper": ("form", np.array([one.intervals[-1].upper for one in held.values()])),
        },
        coords={"large_eigenvalue": lam, "form": list(held)},
    )


def _grid(intervals: Sequence[Interval], points: int) -> NDArray[np.float64]:
    """About `points` values of λ over intervals, cosines in log λ: dense where edges are steep."""
    each = max(points // max(len(intervals), 1), 1)
    angles = (np.arange(each) + 0.5) * np.pi / each
    # an interval that reaches down to 0 is drawn over its upper eight decades
    ends = np.log([(max(one.lower, 1e-8 * one.upper), one.upper) for one in intervals]).reshape(-1, 2)
    center, half = ends.mean(1), np.ptp(ends, axis=1) / 2
    return np.exp(center[:, None] - half[:, None] * np.cos(angles)).ravel()


def _intervals(found: Sequence[LimitPart]) -> list[Interval]:
    return [one for part in found for one in part.intervals if one.lower < one.upper]


def _checked(grid: ArrayLike) -> NDArray[np.float64]:
    lam = numbers("grid", grid)
    if not np.all(np.isfinite(lam)):
        raise ValueError(f"grid must hold finite eigenvalues; got {lam[~np.isfinite(lam)][0]:g}")
    return lam


def _ratios(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore", invalid="ignore"):  # nothing is far above 0: inf
        return above / below
