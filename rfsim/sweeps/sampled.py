"""Groups of sampled quantities: one draw, its moments and its decompositions serve all of a group's cells."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from rfsim.problem import origins
from rfsim.quantities.distill import OPTIONS
from rfsim.quantities.simulate import OPTIMIZER
from rfsim.results.progress import FAILURES, Report
from rfsim.sampled import distill as distillation
from rfsim.sampled import simulate as simulation
from rfsim.sampled.density import density as density_of
from rfsim.sampled.train import Variant, train_variants
from rfsim.sweeps.alone import cell as of_result
from rfsim.sweeps.alone import one_by_one
from rfsim.sweeps.cells import (
    MERGED,
    UNCONVERGED,
    CellResult,
    Given,
    each,
    failed,
    options,
    problem,
    stacked,
    tidy,
)

SETTINGS = tuple(one.name for one in OPTIMIZER)  # options of one simulation
PLAN = tuple(one.name for one in OPTIONS)  # options of one distillation


def train(given: Given, array: ArrayLike | None, report: Report | None) -> xr.Dataset:
    """`rfsim.train` by every ridge and trainer of a group."""
    found: list[CellResult | None] = [None] * given.size
    cells = list(each(given))
    ridges = np.full(given.size, np.nan)
    for k, parameters in enumerate(cells):
        try:
            ridges[k] = problem(parameters).ridge
        except FAILURES as error:
            found[k] = failed(error)
    shared = options(cells[0], ("trainer",))
    while left := [k for k, cell in enumerate(found) if cell is None]:
        variants = [Variant(float(ridges[k]), cells[k].get("trainer", Variant(0.0).trainer)) for k in left]
        try:
            results = train_variants(problem(cells[left[0]]), variants=variants, array=array, report=report, **shared)
        except FAILURES as error:
            # an eigenvalue that float64 does not resolve beside the smallest ridge may be fine beside the next one
            gone = left if not isinstance(error, ValueError) else np.flatnonzero(ridges == ridges[left].min())
            found = [failed(error) if k in gone and cell is None else cell for k, cell in enumerate(found)]
            continue
        for k, result in zip(left, results, strict=True):
            found[k] = of_result(result)
    return stacked([cell for cell in found if cell is not None])


def density(given: Given, array: ArrayLike | None, report: Report | None) -> xr.Dataset:
    """`rfsim.density`, the eigenvalues of its smoothed form being values of their own: they differ by cell."""

    def compute(one: dict[str, Any]) -> xr.Dataset:
        data = density_of(problem(one), array=array, report=report, **options(one))
        points = data.eigenvalue.variable
        data = data.drop_vars("eigenvalue").rename(eigenvalue="point")
        return data.assign(eigenvalue=("point", points.values, points.attrs))

    return one_by_one(given, compute, MERGED)


def simulate(given: Given, array: ArrayLike | None, report: Report | None) -> xr.Dataset:
    """`rfsim.simulate` by every setting of a group; a run that diverged is unconverged, its finite rows kept."""
    cells = list(each(given))
    several = [{name: one[name] for name in given.cells} for one in cells]
    shared = options(cells[0], tuple(given.cells))
    own = {name: shared.pop(name) for name in SETTINGS if name in shared}
    try:
        results = simulation.simulate_variants(
            problem(cells[0]), [own | one for one in several], array=array, report=report, **shared
        )
    except FAILURES as error:
        return stacked([failed(error)] * given.size)
    return stacked([_simulated(result) for result in results])


def distill(given: Given, array: ArrayLike | None, report: Report | None) -> xr.Dataset:
    """`rfsim.distill` of every student of a group, the variants of one run."""
    cells = list(each(given))
    shared = {name: value for name, value in options(cells[0], ("dim",)).items() if name not in given.cells}
    found: list[CellResult | None] = [None] * given.size
    variants: dict[int, dict[str, Any]] = {}
    for k, one in enumerate(cells):
        try:
            variant = {name: one[name] for name in given.cells}
            require_student(one, variant, array)
            variants[k] = variant
        except FAILURES as error:
            found[k] = failed(error)
    if variants:
        first = cells[next(iter(variants))]
        try:
            data = distillation.distill(
                problem(first),
                array=array,
                dim=first.get("dim"),
                report=report,
                variants=list(variants.values()),
                **shared,
            )
        except FAILURES as error:
            found = [failed(error) if cell is None else cell for cell in found]
        else:
            data = _distilled(data)
            for number, k in enumerate(variants):
                found[k] = CellResult(data.isel(variant=number, drop=True))
    return stacked([cell for cell in found if cell is not None])


def require_student(one: dict[str, Any], variant: dict[str, Any], array: ArrayLike | None) -> None:
    """Raise what this student alone is refused for."""
    taught = problem(one)
    chosen = {name: value for name, value in options(one).items() if name in PLAN}
    origin = origins.source(
        taught, array=array, **{name: one[name] for name in ("center", "scale", "split") if name in one}
    )
    sizes = origins.resolve(taught, origin, one.get("dim"))
    kept = {name: value for name, value in chosen.items() if name not in variant}
    times = {"distill_times": one["distill_times"]} if "distill_times" in one else {}
    planned = distillation.plan(taught, **times, **kept, variants=[variant])
    planned.number_of_draws(planned.student_features(sizes))


def _distilled(data: xr.Dataset) -> xr.Dataset:
    """Names that a sweep's axes cannot have taken: `ridge` is the student's, and grids follow from their ends."""
    data = data.rename(ridge="leakage_ridge")
    if "source" in data.dims:
        data = data.assign_coords(source=data.part.values)
    times = data.diffusion_time.variable
    data = data.drop_vars("diffusion_time").assign(grid_time=("grid", times.values, times.attrs))
    return tidy(data)


def _simulated(result: xr.Dataset | Exception) -> CellResult:
    if isinstance(result, Exception):
        return failed(result)
    lines = json.loads(result.attrs["diverged"])
    cell = of_result(result)
    return cell._replace(status=UNCONVERGED, reason="; ".join(lines.values())) if lines else cell
