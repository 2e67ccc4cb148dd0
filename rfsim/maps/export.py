"""A sweep in the forms that other programs read: netCDF, and CSV with one row per cell and the command that redoes it.

Rows are written block by block, so that a sweep of any size passes through the memory of a few thousand cells.
"""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from rfsim.disk import store
from rfsim.disk.sweep_files import paths_of
from rfsim.maps.commands import command
from rfsim.maps.names import axes, parameters, text_of
from rfsim.maps.slices import STATES
from rfsim.maps.views import View

ROWS = 4096
WIDEST = 64  # columns of one variable


def to_netcdf(data: xr.Dataset, path: str | Path) -> None:
    """Write a sweep as one netCDF file, whole or not at all; `rfsim.load` reads it.

    Args:
        data: The sweep.
        path: The file.

    Raises:
        StoreError: Where the folder cannot be written.
    """
    store.save(data.drop_encoding(), path)


def to_csv(data: xr.Dataset, path: str | Path, *, rows: int = ROWS) -> list[str]:
    """Write a sweep as CSV, one row per cell, and per value of lists such as train_times; whole or not at all.

    Columns are parameters, status, reason, values and the command that redoes the cell. A variable over dimensions of
    its own has a column for each of their labels, tau_mem[formula]; one with more than 64 (every eigenvalue, say) is
    left out. What is not known is empty.

    Args:
        data: The sweep.
        path: The file.
        rows: Held in memory at once.

    Returns:
        A line for each variable left out.

    Raises:
        StoreError: Where the folder cannot be written.
    """
    over = axes(data)
    known = [str(name) for name in data.coords if set(data[name].dims) <= set(over)]
    plain = [*(name for name in over if name in known), *sorted(set(known) - set(over))]
    left_out, columns = [], [one for one in ("status", "reason") if one in data]
    for name, one in data.data_vars.items():
        count = math.prod(data.sizes[dim] for dim in one.dims if dim not in over)
        if count > WIDEST:
            own = " and ".join(str(dim) for dim in one.dims if dim not in over)
            left_out.append(f"{name} is left out of {Path(path).name}: {count} values a cell, over {own}")
        elif str(name) not in columns:
            columns.append(str(name))
    with store.atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        headings = [title for name in columns for title in _titles(data, name, over)]
        writer.writerow([*plain, *headings, "command"])
        told, known = store.settings(data), [name for name in parameters(data) if name in plain]
        paths = paths_of(data.attrs)
        for block in _blocks(data[[*columns]].assign_coords({name: data[name] for name in plain}), over, rows):
            coordinates = {name: _column(block, block[name], over) for name in plain}
            values = [one for name in columns for one in _values(block, name, over)]
            commands = (
                command(told, dict(zip(known, cell, strict=True)), paths)
                for cell in zip(*(coordinates[name].tolist() for name in known), strict=True)
            )
            texts = [[_text(one) for one in column.tolist()] for column in (*coordinates.values(), *values)]
            writer.writerows((*row, text) for row, text in zip(zip(*texts, strict=True), commands, strict=True))
    return left_out


def lines_to_csv(found: View, path: str | Path) -> None:
    """Write the level lines of a view as points in order, whole or not at all.

    Columns are contour, sweep ("over" for those of the other one), the facet's value, piece, x and y.

    Args:
        found: The view.
        path: The file.

    Raises:
        StoreError: Where the folder cannot be written.
    """
    panels = found.main.values[found.facet].values.tolist() if found.facet else []
    with store.atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["contour", "sweep", *([found.facet] if found.facet else []), "piece", found.x, found.y])
        for whose, lines in (("this", found.lines), ("over", found.over_lines)):
            for line in lines:
                first = [line.name, whose, *([text_of(panels[line.panel])] if found.facet else [])]
                points = (line.points[one].values.tolist() for one in ("piece", "x", "y"))
                writer.writerows([*first, *map(_text, row)] for row in zip(*points, strict=True))


def _blocks(data: xr.Dataset, over: Sequence[str], rows: int) -> Iterator[xr.Dataset]:
    """Pieces of at most `rows` cells, in the order of the axes, the last one fastest, each in memory."""
    sizes = [data.sizes[dim] for dim in over]
    inner = next(k for k in range(len(over) + 1) if math.prod(sizes[k:]) <= max(1, rows))
    if inner == 0:
        yield data.load()
        return
    # all axes before the one that is cut in pieces are held, all behind it are whole
    step = max(1, rows // math.prod(sizes[inner:]))
    for place in itertools.product(*map(range, sizes[: inner - 1])):
        held = {dim: [k] for dim, k in zip(over, place, strict=False)}
        for start in range(0, sizes[inner - 1], step):
            yield data.isel(held | {over[inner - 1]: slice(start, start + step)}).load()


def _own(data: xr.Dataset, name: str, over: Sequence[str]) -> list[str]:
    return [str(dim) for dim in data[name].dims if dim not in over]


def _titles(data: xr.Dataset, name: str, over: Sequence[str]) -> list[str]:
    own = _own(data, name, over)
    if not own:
        return [name]
    labels = [
        [text_of(one) for one in data[dim].values.tolist()] for dim in own
    ]  # a range where there is no coordinate
    return [f"{name}[{','.join(one)}]" for one in itertools.product(*labels)]


def _values(block: xr.Dataset, name: str, over: Sequence[str]) -> list[np.ndarray]:
    """One column (cells,) per label of the variable's own dimensions; status as a word."""
    own = _own(block, name, over)
    one = block[name]
    if name == "status":
        one = one.copy(data=np.array(STATES, dtype=object)[one.values])
    return [
        _column(block, one.isel(dict(zip(own, place, strict=True))), over)
        for place in itertools.product(*(range(block.sizes[dim]) for dim in own))
    ]


def _column(block: xr.Dataset, one: xr.DataArray, over: Sequence[str]) -> np.ndarray:
    """Values (cells,) of a variable over some of the axes."""
    sizes = {dim: block.sizes[dim] for dim in over}
    present = one.transpose(*(dim for dim in over if dim in one.dims))
    shape = [size if dim in one.dims else 1 for dim, size in sizes.items()]
    return np.broadcast_to(present.values.reshape(shape), list(sizes.values())).ravel()


def _text(value: Any) -> str:
    return "" if value != value else text_of(value)
