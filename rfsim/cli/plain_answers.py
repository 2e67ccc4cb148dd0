"""The answer of a quantity that says nothing of its own: every variable with its dimensions, and those of one number or
along one dimension as lines for a reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rfsim.cli.answers import head, mean, short, standard_error, table
from rfsim.disk import store
from rfsim.quantities.catalog import of_kind

if TYPE_CHECKING:
    import xarray as xr

ROWS = 30  # of a table that a reader sees


def answer(data: xr.Dataset) -> dict[str, Any]:
    """Schema and problem, then coordinates and variables by name; over several seeds the mean, with `NAME_se`."""
    quantity = of_kind(data.attrs[store.KIND])
    found = head(data, () if quantity is None else tuple(quantity.lists))
    found |= {str(name): one.values for name, one in data.coords.items() if name != "seed" and name in data.dims}
    for name, one in data.data_vars.items():
        if "seed" not in one.dims:
            found[str(name)] = one.values
            continue
        found[str(name)] = mean(one)
        if one.sizes["seed"] > 1:
            found[f"{name}_se"] = standard_error(one)
    return store.plain(found)


def lines(data: xr.Dataset) -> list[str]:
    """Single numbers, then a table for each dimension of its own variables."""
    found = answer(data)
    own = {str(name): [str(dim) for dim in one.dims if dim != "seed"] for name, one in data.data_vars.items()}
    told = [f"{name} {short(found[name])}" for name, dims in own.items() if not dims]
    for dim in dict.fromkeys(dims[0] for dims in own.values() if len(dims) == 1):
        columns = [*([dim] if dim in found else []), *(name for name, dims in own.items() if dims == [dim])]
        rows = list(zip(*([short(value) for value in found[name]] for name in columns), strict=True))
        more = [f"… {len(rows) - ROWS} more rows"] if len(rows) > ROWS else []
        told += [*table([columns, *map(list, rows[:ROWS])]), *more]
    return told


def failed(data: xr.Dataset) -> list[str]:
    """Nothing: a quantity that can fail in parts says so itself."""
    return []
