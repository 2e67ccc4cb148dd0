"""Cells of a group one after the other: what any quantity can do, and what those do that share nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from rfsim.quantities.catalog import QUANTITIES, resolve
from rfsim.quantities.parameters import CENTER
from rfsim.ranks import PARTS
from rfsim.runs import Report
from rfsim.sweeps.cells import Cell, Given, attempt, each, failed, options, problem, stacked, tidy


def compute(given: Given, array: ArrayLike | None, report: Report | None) -> xr.Dataset:
    """Any quantity by its function, which is given an array where it says how that is prepared."""
    quantity = QUANTITIES[given.quantity]
    function = resolve(quantity.function)
    beside = {"array": array} if CENTER.name in quantity.swept else {}
    return one_by_one(given, lambda one: function(problem(one), report=report, **beside, **options(one)))


def one_by_one(
    given: Given, compute: Callable[[dict[str, Any]], xr.Dataset], labels: Sequence[str] = PARTS
) -> xr.Dataset:
    """The cells of a group, each computed by itself."""
    return stacked([attempt(lambda one=one: cell(compute(one), labels)) for one in each(given)])


def cell(result: xr.Dataset | Exception, labels: Sequence[str] = PARTS) -> Cell:
    """A result as a cell, or why there is none."""
    if isinstance(result, Exception):
        return failed(result)
    residual = float(result.residual.max()) if "residual" in result else np.nan
    return Cell(tidy(result, labels), residual=residual)
