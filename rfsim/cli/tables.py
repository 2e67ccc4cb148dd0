"""A stored result as CSV, for spreadsheets and other programs: the table that most of its variables share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable

import xarray as xr

from rfsim.disk import store
from rfsim.maps.views import KIND as SWEEP


def csv(data: xr.Dataset) -> tuple[str, list[str]]:
    """A row for each value along the dimensions that most variables have, and names of the variables that have others.

    Raises ValueError for a sweep, whose cells are exported with the commands that redo them.
    """
    if data.attrs.get(store.KIND) == SWEEP:
        raise ValueError("a sweep's cells are written by rfsim sweep FILE.toml --export FILE.csv, not by show --csv")
    shared: dict[tuple[Hashable, ...], list[Hashable]] = defaultdict(list)
    for name, variable in data.data_vars.items():
        if variable.dims:
            shared[variable.dims].append(name)
    dims = max(shared, key=lambda one: len(shared[one]))
    chosen = data[shared[dims]].drop_vars([name for name in data.coords if name not in data.dims], errors="ignore")
    rows = chosen.to_dataframe(dim_order=list(dims)).reset_index()
    others = [str(name) for name in data.data_vars if name not in shared[dims]]
    return rows.to_csv(index=False, lineterminator="\n").rstrip("\n"), others
