"""Level lines as data: where a quantity over two axes takes a value, as points that a figure or a table can use."""

from __future__ import annotations

import numpy as np
import xarray as xr
from contourpy import LineType, contour_generator
from numpy.typing import ArrayLike, NDArray


def level_lines(
    x: ArrayLike,
    y: ArrayLike,
    values: ArrayLike,
    level: float,
    *,
    log: tuple[bool, bool] = (False, False),
    log_values: bool = False,
) -> xr.Dataset:
    """The lines on which `values` (y, x) are `level`, linear between neighboring points.

    x, y: (columns,), (rows,), increasing; log: whether x, y are taken as logarithms, and log_values whether the values
    are: between points of a log axis a power law is then exact. Cells with a NaN at a corner are cut along its
    diagonal or left out.

    Returns x, y and piece over point, in order along each piece, pieces numbered from 0, and level; a closed piece ends
    where it begins. Without a line there are no points. Raises ValueError for shapes that do not fit and for
    logarithms of what is not positive.

    >>> lines = level_lines([1, 10, 100], [1, 10, 100], [[1, 10, 100], [10, 100, 1e3], [100, 1e3, 1e4]], 50.0,
    ...     log=(True, True), log_values=True)
    >>> (lines.x * lines.y).values.round(9).tolist()
    [50.0, 50.0, 50.0, 50.0]
    """
    given = {"x": np.asarray(x, dtype=float), "y": np.asarray(y, dtype=float)}
    field = np.asarray(values, dtype=float)
    if field.shape != (given["y"].size, given["x"].size):
        raise ValueError(f"values must be of shape (y, x), ({given['y'].size}, {given['x'].size}); got {field.shape}")
    for (name, axis), logarithmic in zip(given.items(), log, strict=True):
        if logarithmic and not np.all(axis > 0):
            raise ValueError(f"{name} must be positive for level lines on a log axis")
        if np.any(np.diff(axis) <= 0):
            raise ValueError(f"{name} must increase")
    if log_values:
        if not level > 0:
            raise ValueError(f"the level of a positive quantity must be positive; got {level:g}")
        field = np.log(np.where(field > 0, field, np.nan))
    straight = [np.log(axis) if on else axis for axis, on in zip(given.values(), log, strict=True)]
    pieces = _pieces(straight[0], straight[1], field, float(np.log(level)) if log_values else level)
    points = np.concatenate(pieces) if pieces else np.empty((0, 2))
    columns = [np.exp(column) if on else column for column, on in zip(points.T, log, strict=True)]
    piece = np.repeat(np.arange(len(pieces), dtype=np.int32), [len(one) for one in pieces])
    return xr.Dataset(
        {"x": ("point", columns[0]), "y": ("point", columns[1]), "piece": ("point", piece), "level": float(level)}
    )


def _pieces(x: NDArray, y: NDArray, field: NDArray, level: float) -> list[NDArray]:
    if min(field.shape) < 2:
        return []
    known = np.ma.masked_invalid(field)
    lines = contour_generator(x, y, known, corner_mask=True, line_type=LineType.Separate).lines(level)
    return [np.asarray(one) for one in lines]
