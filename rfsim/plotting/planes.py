"""Planes of two parameters for figures that experiments compose: colored cells, level lines, a color bar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator

from rfsim.maps import scales
from rfsim.maps.contours import level_lines
from rfsim.maps.slices import DONE, UNDEFINED
from rfsim.plotting.style import in_style
from rfsim.plotting.sweep import color_ticks
from rfsim.plotting.sweep_axes import Scale, scale_of
from rfsim.plotting.sweep_maps import colors_of, map_panel

BORDER_COLOR = "#FF7F3F"  # of level lines over cells
NEAR = 0.12  # of an axis: two numbers closer than this would touch


def plane_panel(ax: Axes, values: xr.DataArray, norm: Normalize, *, left: bool = True, below: bool = True) -> set[int]:
    """Cells of a plane in color, those without a value hatched as not defined; 0 and ∞ stand beside an axis.

    Args:
        ax: Axes to draw on.
        values: (y, x); axes and their names are those of the coordinates.
        norm: Of the colors.
        left: Whether the axis there has numbers and a name.
        below: Whether the axis there has numbers and a name.

    Returns:
        The marks of cells without a color that occur, for the legend (`mark_handles`).
    """
    state = xr.where(values.notnull(), DONE, UNDEFINED).astype(np.int8)
    y, x = (scale_of(values[dim]) for dim in values.dims)
    marks = map_panel(ax, values, state, x, y, norm)
    _clear(ax.xaxis, x)
    _clear(ax.yaxis, y)
    for name, shown in (("y", left), ("x", below)):
        if not shown:
            ax.set(**{f"{name}label": ""})
            ax.tick_params(**{"axis": name, "labelleft" if name == "y" else "labelbottom": False})
    return marks


def _clear(side: Axis, scale: Scale) -> None:
    """Take away numbers that stand too near to a 0 or ∞ beside the axis."""
    straight = np.log if scale.log else np.asarray
    span = np.ptp(straight(scale.edges[[0, -1]]))
    own = [
        tick
        for tick in side.get_majorticklocs()
        if all(tick == one or abs(straight(tick) - straight(one)) > NEAR * span for one in scale.beside)
    ]
    side.set_major_locator(FixedLocator(own))


@in_style
def plane_line(ax: Axes, values: xr.DataArray, level: float, color: str = BORDER_COLOR, **look: Any) -> None:
    """Where values of a plane are at a level, on the numbers that a log or a linear axis can show.

    Args:
        ax: Axes to draw on.
        values: (y, x).
        level: Of the line.
        color: Of the line.
        **look: Further settings of the line.
    """
    y, x = (values[dim].values.astype(float) for dim in values.dims)
    log = scales.logarithmic(x), scales.logarithmic(y)
    inside = [np.isfinite(one) & ((one > 0) | (not on)) for one, on in ((y, log[1]), (x, log[0]))]
    field = values.values[np.ix_(*inside)]
    if min(field.shape) < 2:
        return
    lines = level_lines(x[inside[1]], y[inside[0]], field, level, log=log)
    for k in np.unique(lines.piece.values):
        here = lines.piece.values == k
        ax.plot(lines.x.values[here], lines.y.values[here], color=color, **look)


@in_style
def diagonal(ax: Axes, factor: float = 1.0, **look: Any) -> None:
    """The line y = factor · x over a panel of log axes, as p = n over ψ_n and ψ_p.

    Args:
        ax: Axes to draw on, their limits set.
        factor: y over x.
        **look: Further settings of the line.
    """
    low, high = ax.get_xlim()
    width = matplotlib.rcParams["lines.linewidth"]
    shown: dict[str, Any] = {"color": "white", "linestyle": (0, (2, 1.2)), "linewidth": width}
    shown.update(look)
    ax.add_line(Line2D([low, high], [factor * low, factor * high], **shown))


def color_bar(figure: Figure, axes: Sequence[Axes], norm: Normalize, label: str, *, above: bool = False) -> None:
    """The color bar of panels that share a norm.

    Args:
        figure: The figure.
        axes: Of the panels.
        norm: Of the colors.
        label: Names it.
        above: Above them, or beside.
    """
    place: dict[str, Any] = {"location": "top", "aspect": 22} if above else {"pad": 0.02, "aspect": 25}
    bar = figure.colorbar(colors_of(norm), ax=list(axes), **place)
    color_ticks(bar, norm)
    bar.set_label(label)
