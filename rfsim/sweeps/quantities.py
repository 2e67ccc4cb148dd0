"""What one group of a sweep computes, and what it costs, by what the catalog declares of its quantity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from rfsim.quantities.catalog import QUANTITIES, Quantity, resolve
from rfsim.results.progress import Report
from rfsim.sweeps.cells import Given
from rfsim.sweeps.costs import Parameters, vectorized


def compute(group: Given, array: ArrayLike | None = None, report: Report | None = None) -> xr.Dataset:
    """All cells of a group, along the dimension cell; what one cell costs itself is in status and reason.

    Variables and dimensions are those of the public function's result, numbers as float64, labels of parts in full,
    without the seed where there is one; status (1 done, 2 unconverged, 3 failed), reason and residual by cell.
    """
    return resolve(QUANTITIES[group.quantity].cells.computes)(group, array, report)


def tile(quantity: Quantity, fixed: Parameters) -> int:
    """The most cells of a group of these fixed parameters: 1 where the quantity has no program for many of them."""
    mapped = quantity.cells.mapped
    return quantity.cells.tile if mapped is None or resolve(mapped)(fixed) else 1


def decompositions(quantity: Quantity, fixed: Parameters) -> int:
    """Of U, that a group of these fixed parameters does over all of its seeds."""
    return resolve(quantity.cells.decompositions)(fixed)


def sizes(quantity: Quantity, fixed: Parameters) -> Mapping[str, int]:
    """Lengths of the dimensions whose length depends on parameters."""
    return resolve(quantity.cells.sizes)(fixed)


def needed_bytes(quantity: Quantity, values: Mapping[str, Any], cells: Any = 1) -> NDArray[np.float64]:
    """At the peak of a group, of values that may be arrays (groups,), and of a number of cells."""
    formula = resolve(quantity.cells.needed_bytes)
    return vectorized(formula, tuple(quantity.lists), quantity.cells.one_by_one)(values, cells)
