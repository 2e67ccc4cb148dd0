"""Lines over a map of a sweep: p = n, p = n m and τ_mem = τ, and the levels that are asked for."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.checking.text import number_or_nan
from rfsim.maps import scales
from rfsim.maps.contours import level_lines
from rfsim.maps.names import axes, fixed_parameters, home, resolve, text_of
from rfsim.maps.slices import Slice, cut, value_of
from rfsim.problem.model import Problem

DEFAULTS = {field.name: field.default for field in dataclasses.fields(Problem)}
FINE = 97  # points of a line that is bent on its axes
P_N, P_NM, MEMORY = "p = n", "p = n m", "tau_mem = train_time"  # names of the standard lines


class Line(NamedTuple):
    """One level line on one panel: its name (a contour as asked for, or a standard line), and its points."""

    name: str
    panel: int
    points: xr.Dataset


class Plane(NamedTuple):
    """The axes of a map: names of coordinates; facet None where there is one panel."""

    facet: str | None
    y: str
    x: str

    @property
    def names(self) -> list[str]:
        return [one for one in self if one is not None]


def parameter(data: xr.Dataset, found: Slice, name: str) -> xr.DataArray | float | None:
    """A parameter of the problem over a slice: along its axes, one number, or None where it is neither."""
    if name in found.values.coords and found.values[name].ndim:
        return found.values[name]
    held = value_of(found, name)
    if held is None:
        held = fixed_parameters(data).get(name, DEFAULTS.get(name))
    return None if held is None else float(held)


def standard(data: xr.Dataset, main: Slice, plane: Plane) -> list[Line]:
    """P = n, p = n m at finite m, and τ_mem = τ, where they cross the map."""
    psi_n, psi_p, m = (parameter(data, main, one) for one in ("samples_per_dim", "features_per_dim", "noise_copies"))
    found: list[Line] = []
    if psi_n is not None and psi_p is not None:
        found += _ruled(main, plane, P_N, psi_p, [psi_n])
        # at infinite m there is no such line
        if m is not None and (isinstance(m, xr.DataArray) or np.isfinite(m)):
            found += _ruled(main, plane, P_NM, psi_p, [psi_n, m])
    times = parameter(data, main, "train_time")
    if times is not None and (predicted := _predicted(data)):
        field = cut(data, predicted, plane.names, held(data, main), strict=False).values
        found += levels(main, plane, MEMORY, field / times, 1.0)
    return found


def _predicted(data: xr.Dataset) -> str | None:
    """τ_mem by B25's formula: one of several routes, or the only one there is."""
    if "tau_mem" not in data:
        return None
    if "mem_route" not in data["tau_mem"].dims:
        return None if "mem_route" in data.coords and str(data["mem_route"].values) != "formula" else "tau_mem"
    return "tau_mem[formula]" if "formula" in data["mem_route"].values.tolist() else None


def requested(data: xr.Dataset, main: Slice, plane: Plane, text: str) -> list[Line]:
    """The lines of one contour QUANTITY=LEVEL; a level is a number, another quantity, or a parameter."""
    left, right = sides(text)
    field = cut(data, left, plane.names, held(data, main), strict=False)
    name, values = f"{_named(left, field)} = {right}", _ordered_like(field, main)
    if is_number(right):
        return levels(main, plane, name, values, float(right))
    if right.partition("[")[0] in data.data_vars:
        other: Any = _ordered_like(cut(data, right, plane.names, held(data, main), strict=False), main)
    else:
        known = right in DEFAULTS or right in fixed_parameters(data)
        other = parameter(data, main, right if known else resolve(data, right))
    if other is None:
        raise ValueError(f"contour {text}: {right} is neither an axis of this map nor held at one value")
    return levels(main, plane, name, values / other, 1.0)


def sides(text: str) -> tuple[str, str]:
    """QUANTITY and LEVEL of a contour."""
    left, sign, right = (part.strip() for part in text.partition("="))
    if not (sign and left and right):
        raise ValueError(f"a contour is QUANTITY=LEVEL, such as gen=0.1 or tau_mem=train_time; got {text!r}")
    return left, right


def is_number(text: str) -> bool:
    """Whether a level is one."""
    return not np.isnan(number_or_nan(text))


def held(data: xr.Dataset, main: Slice) -> dict[str, Any]:
    """The axes of the sweep that a slice holds at a value."""
    return {one.name: one.value for one in main.fixed if home(data, one.name) in axes(data)}


def levels(main: Slice, plane: Plane, name: str, field: xr.DataArray, level: float) -> list[Line]:
    """The lines on which `field`, over axes of a slice, is `level`, panel by panel."""
    field = field.broadcast_like(main.values).transpose(*main.values.dims)
    x, y = (_proper(field[axis].values) for axis in (plane.x, plane.y))
    if min(x.size, y.size) < 2:
        return []
    field = field.isel({plane.x: x, plane.y: y})
    x, y = field[plane.x].values, field[plane.y].values
    finite = field.values[np.isfinite(field.values)]
    log_values = level > 0 and finite.size > 0 and bool(finite.min() > 0)
    log = scales.logarithmic(x), scales.logarithmic(y)
    lines = []
    for panel in range(field.sizes[plane.facet] if plane.facet else 1):
        here = field.isel({plane.facet: panel}) if plane.facet else field
        points = level_lines(x, y, here.values, level, log=log, log_values=log_values)
        lines += [Line(name, panel, points)] if points.sizes["point"] else []
    return lines


def _ruled(
    main: Slice, plane: Plane, name: str, left: xr.DataArray | float, right: Sequence[xr.DataArray | float]
) -> list[Line]:
    """The line left = product of `right`: of parameters, which are known beyond the points of the axes too."""
    grid: dict[str, NDArray] = {}
    logs: dict[str, bool] = {}
    for axis in (plane.y, plane.x):
        points = main.values[axis].values
        points = points[_proper(points)].astype(float)
        if points.size < 2:
            return []
        logs[axis] = scales.logarithmic(points)
        ends = scales.edges(points, log=logs[axis])[[0, -1]]
        # the line is straight where both axes are logarithmic; elsewhere it is followed in fine steps
        grid[axis] = ends if logs[axis] else np.linspace(ends[0], ends[1], FINE)
    if not all(logs.values()):
        grid = {axis: np.geomspace(ends[0], ends[-1], FINE) if logs[axis] else ends for axis, ends in grid.items()}

    def over(one: xr.DataArray | float, panel: int) -> Any:
        """A parameter on the fine grid, (y, 1), (1, x) or a number."""
        if isinstance(one, xr.DataArray) and plane.facet in one.dims:
            one = one.isel({plane.facet: panel})
        if not isinstance(one, xr.DataArray) or not one.ndim:
            return float(one)
        axis = str(one.dims[0])
        proper = _proper(main.values[axis].values)
        known = main.values[axis].values[proper].astype(float)
        values = scales.along(grid[axis], known, one.values[proper], log=logs[axis])
        return values[:, None] if axis == plane.y else values[None, :]

    # what depends on both axes at once is not known beyond them
    if any(isinstance(one, xr.DataArray) and {plane.x, plane.y} <= set(one.dims) for one in (left, *right)):
        return []
    lines = []
    for panel in range(main.values.sizes[plane.facet] if plane.facet else 1):
        a, b = over(left, panel), np.prod(np.broadcast_arrays(*(over(one, panel) for one in right)), axis=0)
        if np.isinf(b).any():  # m = ∞ has no such line
            continue
        shape = grid[plane.y].size, grid[plane.x].size
        # both sides are powers of the axes where these are logarithmic, and straight where they are not
        field = np.log(a / b) if all(logs.values()) else a - b
        log = logs[plane.x], logs[plane.y]
        points = level_lines(grid[plane.x], grid[plane.y], np.broadcast_to(field, shape), 0.0, log=log)
        lines += [Line(name, panel, points)] if points.sizes["point"] else []
    return lines


def _proper(values: NDArray) -> NDArray[np.intp]:
    """Which values of an axis stand on it: numbers, without inf, and without 0 where it is logarithmic."""
    if values.dtype.kind not in "fiu":
        return np.arange(0)
    return np.flatnonzero(np.isfinite(values) & ((values > 0) | (not scales.logarithmic(values))))


def _ordered_like(field: Slice, main: Slice) -> xr.DataArray:
    """The values of one slice in the order of the axes of another."""
    return field.values.reindex({dim: main.values[dim].values for dim in field.values.dims})


def _named(quantity: str, field: Slice) -> str:
    """A quantity with the labels of its own dimensions, those that were not asked for too."""
    own = [text_of(one.value) for one in field.fixed if isinstance(one.value, str)]
    return quantity if "[" in quantity or not own else f"{quantity}[{','.join(own)}]"
