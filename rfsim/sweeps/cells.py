"""What becomes of the cells of a group: their values one beside the other, or the reason why there are none."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple, Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.limit.solver import NotConverged
from rfsim.problem.model import Problem
from rfsim.problem.ranks import PARTS
from rfsim.results.progress import FAILURES

DONE, UNCONVERGED, FAILED = 1, 2, 3
PROBLEM = tuple(field.name for field in fields(Problem))
LONGEST = 400  # characters of a reason

# theory names parts that no gap separates as one; atoms always stand alone
MERGED = (*PARTS[:2], "mini", "mini+main", "mini+main+gen", "mini+gen", "main", "main+gen", "gen")
ABSENT = {"count": 0.0, "mass": 0.0, "rank_mass": 0.0}  # of a part that is not there, others being unknown


class Given(Protocol):
    """What is asked of one group: parameters of all of its cells, and those that differ from cell to cell."""

    @property
    def quantity(self) -> str: ...
    @property
    def fixed(self) -> Mapping[str, Any]: ...
    @property
    def cells(self) -> Mapping[str, Sequence[Any] | NDArray]: ...
    @property
    def size(self) -> int: ...


class CellResult(NamedTuple):
    """One cell: its values, None where it has failed; status; the reason, in one line, where it is not done; the
    residual of its solver, NaN where it has none."""

    data: xr.Dataset | None
    status: int = DONE
    reason: str = ""
    residual: float = math.nan


def failed(error: Exception) -> CellResult:
    """A cell without values; equations that were not solved leave it unconverged."""
    return CellResult(None, UNCONVERGED if isinstance(error, NotConverged) else FAILED, reason(error))


def reason(error: Exception) -> str:
    """What an error says, in one line."""
    said = " ".join(str(error).split()) or type(error).__name__
    known = isinstance(error, (ValueError, MemoryError, NotConverged)) and type(error).__module__ != "numpy.linalg"
    line = said if known else f"{type(error).__name__}: {said}"
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def attempt(call: Callable[[], CellResult]) -> CellResult:
    """The cell that a call computes, or why it does not."""
    try:
        return call()
    except FAILURES as error:
        return failed(error)


def each(given: Given) -> Iterator[dict[str, Any]]:
    """Every cell's parameters, as plain numbers, texts and lists."""
    for k in range(given.size):
        yield {name: plain(value) for name, value in given.fixed.items()} | {
            name: plain(values[k]) for name, values in given.cells.items()
        }


def plain(value: Any) -> Any:
    """NumPy's numbers and arrays as Python's."""
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value


def problem(parameters: Mapping[str, Any], without: Sequence[str] = ()) -> Problem:
    """The problem among a cell's parameters; ValueError as `Problem` raises it."""
    return Problem(**{name: parameters[name] for name in PROBLEM if name in parameters and name not in without})


def options(parameters: Mapping[str, Any], without: Sequence[str] = ()) -> dict[str, Any]:
    """The parameters that are not the problem's."""
    return {name: value for name, value in parameters.items() if name not in (*PROBLEM, *without)}


def tidy(data: xr.Dataset, labels: Sequence[str] = PARTS, without: Sequence[str] = ()) -> xr.Dataset:
    """The values of one cell: of one seed without that dimension, over all parts that there may be, unlabelled."""
    data = data.drop_vars([name for name in ("residual", *without) if name in data]).drop_attrs(deep=False)
    if data.sizes.get("seed") == 1:
        data = data.isel(seed=0, drop=True)
    parts = {dim: list(labels) for dim in ("part", "other", "source") if dim in data.dims}
    if parts:
        fill = {name: ABSENT.get(str(name), np.nan) for name in data.data_vars}
        data = data.reindex(parts, fill_value=fill)
    return data


def stacked(cells: Sequence[CellResult]) -> xr.Dataset:
    """All cells along the dimension cell, numbers as float64: NaN where a cell has failed or knows no such value."""
    found = {k: cell.data for k, cell in enumerate(cells) if cell.data is not None}
    variables: dict[str, xr.Variable] = {}
    for data in found.values():
        for name in data.data_vars:
            variables.setdefault(str(name), data[name].variable)
    columns = {}
    for name, first in variables.items():
        values = np.full((len(cells), *first.shape), np.nan)
        for k, data in found.items():
            if name in data:
                values[k] = data[name].values
        columns[name] = (("cell", *first.dims), values, first.attrs)
    coords: dict[str, Any] = {}
    for data in found.values():
        coords = {str(name): one.variable for name, one in data.coords.items() if name in data.dims} | coords
    status = np.array([cell.status for cell in cells], dtype=np.int8)
    told = {
        "status": ("cell", status, {"long_name": "whether the cell was computed"}),
        "reason": ("cell", np.array([cell.reason for cell in cells], dtype=object), {"long_name": "why not"}),
        "residual": ("cell", np.array([cell.residual for cell in cells]), {"long_name": "of what was solved"}),
    }
    return xr.Dataset(columns | told, coords=coords)
