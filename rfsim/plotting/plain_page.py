"""The figure of a quantity that says nothing of its own: every variable against what it varies along."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray

from rfsim.plotting.pages import Page
from rfsim.plotting.style import in_style
from rfsim.plotting.sweep_axes import plain, words
from rfsim.quantities.catalog import declared

MOST = 6  # panels
WIDE = 30.0  # the ratio of a log axis's ends


def page(result: xr.Dataset) -> Page:
    """A panel for each of the first variables that are numbers along one dimension beside the seeds.

    Raises ValueError, in one line, where there is none.
    """
    names = [str(name) for name, one in result.data_vars.items() if one.dtype.kind in "iuf" and len(_own(one)) == 1]
    if not names:
        raise ValueError("this result has no variable along one dimension, of which a line could be drawn")
    names = names[:MOST]
    panels: dict[str, Callable[[Axes], object]] = {
        name: partial(plain_panel, result=result, name=name) for name in names
    }
    width = 2 if len(names) > 1 else 1
    shown = [*names, *names[-1:] * (len(names) % width)]
    return Page([shown[k : k + width] for k in range(0, len(shown), width)], panels)


@in_style
def plain_panel(ax: Axes, result: xr.Dataset, name: str) -> None:
    """One variable, mean over seeds with its standard error, against what it varies along."""
    values = result[name]
    (dim,) = _own(values)
    x = result[dim].values if dim in result.coords else np.arange(values.sizes[dim])
    texts = [plain(one) for one in x] if x.dtype.kind not in "iuf" else []
    x = np.arange(x.size) if texts else x
    rows = np.atleast_2d(values.transpose(..., dim).values)
    mean = rows.mean(0)
    ax.set(xscale="log" if _wide(x) else "linear", yscale="log" if _wide(mean) else "linear")
    if texts:
        ax.set_xticks(x, texts)
    (line,) = ax.plot(x, mean, marker="o" if x.size < 30 else None)
    if len(rows) > 1:
        error = rows.std(0, ddof=1) / np.sqrt(len(rows))
        ax.fill_between(x, mean - error, mean + error, color=line.get_color(), alpha=0.25, linewidth=0)
    ax.set_xlabel(_label(result, dim))
    ax.set_ylabel(_label(result, name))


def _wide(values: NDArray) -> bool:
    """Whether values are positive and of several orders of magnitude."""
    found = values[np.isfinite(values)]
    return bool(found.size and found.min() > 0 and found.max() > WIDE * found.min())


def _own(values: xr.DataArray) -> list[str]:
    return [str(dim) for dim in values.dims if dim != "seed"]


def _label(result: xr.Dataset, name: str) -> str:
    """What a variable says that it is, else what the parameter is called of whose values it is; with its unit."""
    attrs = result[name].attrs if name in result.variables else {}
    made = {one.makes or one.name: one for one in declared().values()}
    told = str(attrs.get("long_name") or (made[name].label if name in made else name.replace("_", " ")))
    unit = str(attrs.get("units") or (made[name].unit if name in made else "1"))
    return words(told if unit == "1" else f"{told} [{unit}]")
