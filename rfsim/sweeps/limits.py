"""Groups of quantities of the limit: all cells of a group in one program where there is one, else one by one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from rfsim.computing.precision import in_complex128
from rfsim.limit.maps import STATUS
from rfsim.problem import populations
from rfsim.problem.model import TRAIN_TIMES, Problem, require_finite_width, times
from rfsim.quantities.forms import PLANE
from rfsim.results.progress import FAILURES, Report
from rfsim.sweeps.alone import of_one, one_by_one
from rfsim.sweeps.cells import (
    DONE,
    MERGED,
    UNCONVERGED,
    CellResult,
    Given,
    attempt,
    each,
    failed,
    options,
    problem,
    reason,
    stacked,
    tidy,
)
from rfsim.theory.diagram import TOLERANCE
from rfsim.theory.diagram import cells as curves_of_cells
from rfsim.theory.ridge import cells as ridges_of_cells
from rfsim.theory.run import LimitRun, require_averaged, require_tolerance

FLOW = "flow"
RAGGED = (  # on grids whose lengths follow from the spectrum
    *("density", "density_residual", "eigenvalue", "interval_lower", "interval_upper", "interval_part"),
    *("large_density", "large_interval", "large_eigenvalue"),
)
FORMS = ("rho_1", "rho_2")
WHY = {
    "no-contour": "eigenvalues reach down to 0 and there is no ridge, or an edge was not found",
    "newton": "no solution of the equations on the resolvent's branch",
    "nodes": "losses still change by {:.1e} when the contour's nodes are doubled",
}


def curves(given: Given, array: ArrayLike | None, report: Report | None) -> xr.Dataset:
    """The flow's losses over a map (`theory.diagram`), or `theory.curves` cell by cell: by trainers, parts, classes."""
    if mapped({**given.fixed, **given.cells}):
        return _plane(given, array, report, _mapped, wide=True)
    return _alone(given, of_one(given.quantity, array, report), _curves)


def mapped(parameters: Mapping[str, Any]) -> bool:
    """Whether all cells of these parameters are points of a map."""
    trainer, by_part = parameters.get("trainer", FLOW), parameters.get("by_part", False)
    return isinstance(trainer, str) and trainer == FLOW and by_part is False and not _of_classes(parameters)


def _of_classes(parameters: Mapping[str, Any]) -> bool:
    """Whether the population has classes, whose limit has no program for many cells."""
    given = parameters.get("data", Problem.data)
    try:
        return populations.read(given).of_classes
    except ValueError:  # of a cell that is refused, which tells why
        return False


def spectrum(given: Given, array: ArrayLike | None, report: Report | None) -> xr.Dataset:
    """`theory.spectrum`; the density where the grid is given, and so the same in all cells."""

    def cell(data: xr.Dataset, one: dict[str, Any]) -> CellResult:
        held = ("density", "density_residual", "eigenvalue") if one.get("grid") is not None else ()
        missing = 0
        residual = np.nan
        if held:
            residual = float(data.density_residual.max())
            missing = int(np.isnan(data.density.values).sum())
        data = tidy(data, MERGED, tuple(name for name in RAGGED if name not in held))
        if "form" in data.dims:
            data = data.reindex(form=list(FORMS))
        why = f"the density did not converge at {missing} eigenvalues" if missing else ""
        return CellResult(data, UNCONVERGED if missing else DONE, why, residual)

    return _alone(given, of_one(given.quantity, array, report), cell)


def ridge(given: Given, array: ArrayLike | None, report: Report | None) -> xr.Dataset:
    """`theory.ridge` over a plane, of classes cell by cell."""
    if _of_classes({**given.fixed, **given.cells}):
        return one_by_one(given, of_one(given.quantity, array, report))
    return _plane(given, array, report, _ridges)


def score_minimum(given: Given, array: ArrayLike | None, report: Report | None) -> xr.Dataset:
    """`theory.score_minimum`; data of an array have no true score."""
    if array is not None:
        error = ValueError("an array of data has no true score to be in error of; name a population")
        return stacked([failed(error)] * given.size)

    return _alone(given, of_one(given.quantity, array, report), _minimum)


def distill(given: Given, array: ArrayLike | None, report: Report | None) -> xr.Dataset:
    """`theory.distill`; parts by their joint names where no gap separates them."""
    return _alone(given, of_one(given.quantity, array, report), _with_residual)


def generated(given: Given, array: ArrayLike | None, report: Report | None) -> xr.Dataset:
    """`theory.generated`, without what stands along the eigenvalues of Σ, which populations have of their own."""

    def cell(data: xr.Dataset, one: dict[str, Any]) -> CellResult:
        own = [name for name in map(str, data.variables) if "direction" in data[name].dims]
        return CellResult(tidy(data.drop_vars(own), MERGED), residual=float(data.residual))

    return _alone(given, of_one(given.quantity, array, report), cell)


def conditions(given: Given, array: ArrayLike | None, report: Report | None) -> xr.Dataset:
    """`theory.conditions`; cells whose equations were not solved at some ψ_p are unconverged."""

    def cell(data: xr.Dataset, one: dict[str, Any]) -> CellResult:
        lost, residual = int(np.isnan(data.test.values).sum()), float(data.residual.max())
        why = f"the equations did not converge at {lost} of {data.test.size} feature_ratios" if lost else ""
        return CellResult(tidy(data, MERGED, ("residual",)), UNCONVERGED if lost else DONE, why, residual)

    return _alone(given, of_one(given.quantity, array, report), cell)


def gamma_star(given: Given, array: ArrayLike | None, report: Report | None) -> xr.Dataset:
    """`theory.gamma_star`."""
    return _alone(given, of_one(given.quantity, array, report), _with_residual)


def _alone(
    given: Given,
    compute: Callable[[dict[str, Any]], xr.Dataset],
    cell: Callable[[xr.Dataset, dict[str, Any]], CellResult],
) -> xr.Dataset:
    """Cells one after the other."""
    return stacked([attempt(lambda one=one: cell(compute(one), one)) for one in each(given)])


def _with_residual(data: xr.Dataset, one: dict[str, Any]) -> CellResult:
    return CellResult(tidy(data, MERGED), residual=float(data.residual))


def _curves(data: xr.Dataset, one: dict[str, Any]) -> CellResult:
    unknown = int(np.isnan(data.test.values).sum())
    why = f"the contour's nodes do not resolve the losses at {unknown} of {data.test.size} train_times"
    found = tidy(data, MERGED, RAGGED)
    if "form" in found.dims:
        found = found.reindex(form=list(FORMS))
    return CellResult(found, UNCONVERGED if unknown else DONE, why if unknown else "", float(data.residual))


def _minimum(data: xr.Dataset, one: dict[str, Any]) -> CellResult:
    residual, error = float(data.residual), float(data.error)
    data = tidy(data)
    if np.isnan(data.score.values):
        return CellResult(data, UNCONVERGED, WHY["nodes"].format(error), residual)
    return CellResult(data, residual=residual)


Whole = Callable[[LimitRun, NDArray[np.float64], NDArray[np.float64], dict[str, Any], Report | None], list[CellResult]]


@in_complex128
def _plane(
    given: Given, array: ArrayLike | None, report: Report | None, whole: Whole, *, wide: bool = False
) -> xr.Dataset:
    """Cells that differ by ψ_n and ψ_p alone, those that are no problem apart; wide: whether ψ_p = ∞ is one."""
    asked = list(each(given))
    found: dict[int, CellResult] = {}
    problems: dict[int, Problem] = {}
    for k, one in enumerate(asked):
        try:
            problems[k] = problem(one)
            require_averaged(problems[k])
            if not wide:
                require_finite_width(problems[k].features_per_dim)
        except FAILURES as error:
            problems.pop(k, None)
            found[k] = failed(error)
    if problems:
        first = options(asked[0])
        prepared = {name: first.pop(name) for name in ("center", "scale", "covariance") if name in first}
        try:
            # the widths are told cell by cell, of which inf is one
            run = LimitRun(replace(next(iter(problems.values())), features_per_dim=1.0), array=array, **prepared)
            psi_n, psi_p = (np.array([getattr(one, name) for one in problems.values()]) for name in PLANE)
            found |= dict(zip(problems, whole(run, psi_n, psi_p, first, report), strict=True))
        except FAILURES as error:
            found |= dict.fromkeys(problems, failed(error))
    return stacked([found[k] for k in range(given.size)])


def _mapped(
    run: LimitRun,
    psi_n: NDArray[np.float64],
    psi_p: NDArray[np.float64],
    asked: dict[str, Any],
    report: Report | None,
) -> list[CellResult]:
    tolerance = asked.get("tolerance", TOLERANCE)
    require_tolerance(tolerance)
    tau = times(asked.get("train_times", TRAIN_TIMES))

    def progress(step: str, done: int, total: int) -> None:
        if report:
            report(f"{step}, cell {done} of {total}", {})

    data = curves_of_cells(run, psi_n, psi_p, tau, tolerance=tolerance, mem_time=True, progress=progress)
    cells = []
    for k in range(psi_n.size):
        one = data.isel(cell=k)
        word, residual = STATUS[int(one.status)], float(one.residual)
        one = one.drop_vars(["status", "residual"])
        if word == STATUS[0]:
            cells.append(CellResult(one, residual=residual))
        else:
            cells.append(CellResult(one, UNCONVERGED, f"{word}: {WHY[word].format(float(one.error))}", residual))
    return cells


def _ridges(
    run: LimitRun,
    psi_n: NDArray[np.float64],
    psi_p: NDArray[np.float64],
    asked: dict[str, Any],
    report: Report | None,
) -> list[CellResult]:
    if report:
        report(f"losses and optimal ridges of {psi_n.size} cells", {})
    data, failures = ridges_of_cells(run, psi_n, psi_p, asked["ridges"])
    cells = []
    for k, failure in enumerate(failures):
        one = data.isel(cell=k)
        lost = int(np.isnan(one.test.values).sum())
        if failure is not None and lost == one.test.size:
            cells.append(failed(failure))
            continue
        why = [f"the equations did not converge at {lost} of {one.test.size} ridges"] if lost else []
        if failure is not None:
            why = [reason(failure)]
        if np.isnan(one.best_test.values):
            why.append("the edges between which the optimal ridge lies were not found")
        residual = float(np.nanmax(one.residual.values))
        cells.append(CellResult(one.drop_vars("residual"), UNCONVERGED if why else DONE, "; ".join(why), residual))
    return cells
