"""Values where none are given: those that are told, and a grid beside them where a figure is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rfsim.cli.flags import OutputFlags
from rfsim.quantities.catalog import Quantity

if TYPE_CHECKING:
    import xarray as xr


def with_grids(quantity: Quantity, values: Mapping[str, Any], output: OutputFlags) -> dict[str, Any]:
    """The values to compute: those given, and of lists that were not, where a figure is drawn, a grid beside them."""
    found = dict(values)
    if output.json and output.out is None:
        return found
    for name, one in quantity.flagged.items():
        if one.drawn and values[name] is one.given and one.reader is not None:
            found[name] = tuple(sorted({*one.reader(one.drawn), *one.given}))
    return found


def told(quantity: Quantity, values: Mapping[str, Any], data: xr.Dataset) -> xr.Dataset:
    """What is said of a result: of lists with a grid beside them the values asked for alone."""
    for name, one in quantity.flagged.items():
        if one.drawn and data.sizes.get(one.makes, 0) > len(values[name]):
            data = data.sel({one.makes: list(values[name])})
    return data
