"""Cells of a group one after the other: what any quantity can do, and what those do that share nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from rfsim.problem.ranks import PARTS
from rfsim.quantities.catalog import QUANTITIES, resolve
from rfsim.quantities.parameters import CENTER
from rfsim.results.progress import Report
from rfsim.sweeps.cells import CellResult, Given, attempt, each, failed, options, problem, stacked, tidy


def compute(given: Given, array: ArrayLike | None, report: Report | None) -> xr.Dataset:
    """Any quantity by its function."""
    return one_by_one(given, of_one(given.quantity, array, report))


def of_one(name: str, array: ArrayLike | None, report: Report | None) -> Callable[[dict[str, Any]], xr.Dataset]:
    """What computes one cell of a quantity by its function.

    This is given an array where it says how that is prepared; of the fields of the problem that it takes as lists it is
    given one value.
    """
    quantity = QUANTITIES[name]
    beside: dict[str, Any] = {"array": array} if CENTER.name in quantity.swept else {}
    over = quantity.over or {}

    def call(one: dict[str, Any]) -> xr.Dataset:
        here = problem(one)
        lists = {keyword: [getattr(here, field)] for field, keyword in over.items()}
        found = resolve(quantity.function)(here, report=report, **beside, **lists, **options(one))
        return found.isel(dict.fromkeys(over, 0)).reset_coords(drop=True) if over else found

    return call


def one_by_one(
    given: Given, compute: Callable[[dict[str, Any]], xr.Dataset], labels: Sequence[str] = PARTS
) -> xr.Dataset:
    """The cells of a group, each computed by itself."""
    return stacked([attempt(lambda one=one: cell(compute(one), labels)) for one in each(given)])


def cell(result: xr.Dataset | Exception, labels: Sequence[str] = PARTS) -> CellResult:
    """A result as a cell, or why there is none."""
    if isinstance(result, Exception):
        return failed(result)
    residual = float(result.residual.max()) if "residual" in result else np.nan
    return CellResult(tidy(result, labels), residual=residual)
