"""A result as it shows itself: what was computed, with which settings, and the numbers in short."""

from __future__ import annotations

import html
import json
import textwrap
from typing import Any

import numpy as np
import xarray as xr

KIND = "rfsim_kind"
WIDTH = 110
FEW = 6  # values that are told one by one
SIZES = ("dim", "n", "p", "samples_per_dim", "features_per_dim", "diffusion_time", "activation", "data", "seeds")


class Result(xr.Dataset):
    """A labelled xarray.Dataset whose representation is short: a title, settings, and a table of numbers.

    Everything else is xarray's. What `store.label` has not marked shows itself as xarray has it.
    """

    __slots__ = ()

    @classmethod
    def of(cls, data: xr.Dataset) -> Result:
        """A dataset as a result.

        Args:
            data: Any dataset.

        Returns:
            The same variables, coordinates and attributes.
        """
        return cls(data.data_vars, data.coords, data.attrs)

    def __repr__(self) -> str:
        if KIND not in self.attrs:
            return super().__repr__()
        rows = table(self)
        widths = [max(len(row[k]) for row in rows) for k in range(3)] if rows else [0] * 3
        lines = ["  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[3]]) for row in rows]
        told = textwrap.wrap(settings_line(self), WIDTH, initial_indent="  ", subsequent_indent="  ")
        return "\n".join([title(self), *told, "", *(f"  {line.rstrip()}" for line in lines)])

    def _repr_html_(self) -> str:
        if KIND not in self.attrs:
            return super()._repr_html_()
        cells = "".join(
            "<tr>" + "".join(f'<td style="text-align:left">{html.escape(cell)}</td>' for cell in row) + "</tr>"
            for row in table(self)
        )
        return (
            f"<div><strong>{html.escape(title(self))}</strong><br>{html.escape(settings_line(self))}"
            f"<table>{cells}</table><details><summary>all of it, as xarray shows it</summary>"
            f"{super()._repr_html_()}</details></div>"
        )


def title(data: xr.Dataset) -> str:
    """What was computed, and over what.

    Args:
        data: A result.

    Returns:
        One line.
    """
    sizes = ", ".join(f"{name} {size}" for name, size in data.sizes.items())
    return f"rfsim {data.attrs[KIND]}" + (f": {sizes}" if sizes else "")


def settings_line(data: xr.Dataset) -> str:
    """Its settings in short: sizes first, then the others; what is not set, and lists that are dimensions, left out.

    Args:
        data: A result.

    Returns:
        One line.
    """
    told: dict[str, Any] = json.loads(data.attrs.get("settings", "{}"))
    first = [name for name in SIZES if name in told]
    names = [*first, *(name for name in told if name not in first)]
    return ", ".join(f"{name} {_setting(told[name])}" for name in names if not _unset(told[name]))


def table(data: xr.Dataset) -> list[tuple[str, str, str, str]]:
    """A row for each variable: name, dimensions, values in short, and what it is.

    Values are one by one where there are few (means over seeds), else the least and the greatest, each with where along
    a dimension it lies.

    Args:
        data: A result.

    Returns:
        The rows.
    """
    return [
        (str(name), ", ".join(map(str, one.dims)), _values(one), str(one.attrs.get("long_name", "")))
        for name, one in data.data_vars.items()
    ]


def _unset(value: Any) -> bool:
    return value is None or value is False or value in ("", [], {})


def _setting(value: Any) -> str:
    if isinstance(value, list) and len(value) > FEW:
        return f"{_setting(value[0])} … {_setting(value[-1])} ({len(value)})"
    if isinstance(value, list):
        return "[" + ", ".join(map(_setting, value)) + "]"
    if isinstance(value, dict):
        return " ".join(f"{name}={_setting(one)}" for name, one in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def _values(one: xr.DataArray) -> str:
    if not one.size:
        return "none"
    if one.dtype.kind not in "fiu":
        found = list(dict.fromkeys(map(str, np.ravel(one.values).tolist())))
        return ", ".join(found[:FEW]) + (", …" if len(found) > FEW else "")
    if one.dtype.kind == "f" and "seed" in one.dims:
        one = one.mean("seed")
    if one.size <= FEW and one.ndim <= 1:
        names = [f"{name} " for name in one[one.dims[0]].values] if _named(one) else [""] * one.size
        return ", ".join(f"{name}{value:.4g}" for name, value in zip(names, np.ravel(one.values), strict=True))
    values = one.values.astype(float)
    if not np.isfinite(values).any():
        return "no finite value"
    finite = np.where(np.isfinite(values), values, np.nan)
    ends = [np.unravel_index(find(finite), finite.shape) for find in (np.nanargmin, np.nanargmax)]
    told = " … ".join(f"{finite[at]:.4g}{_where(one, at)}" for at in ends)
    missing = int(np.isnan(values).sum())
    return told + (f"; {missing} of {values.size} NaN" if missing else "")


def _named(one: xr.DataArray) -> bool:
    """Whether its dimension has labels that are texts."""
    return one.ndim == 1 and one.dims[0] in one.coords and one[one.dims[0]].dtype.kind == "U"


def _where(one: xr.DataArray, at: tuple[Any, ...]) -> str:
    """Where a value of a curve lies: nothing where there is more than one dimension, or none that is numbered."""
    if one.ndim != 1 or one.dims[0] not in one.coords:
        return ""
    place = one[one.dims[0]].values[at[0]]
    return f" at {one.dims[0]} " + (f"{place:.4g}" if isinstance(place, (float, np.floating)) else str(place))
