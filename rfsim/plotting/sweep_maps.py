"""A sweep over two axes: cells colored by value, those without one marked by why, level lines over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, LogNorm, Normalize
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from rfsim.maps import scales
from rfsim.maps.lines import MEMORY, P_N, P_NM, Line
from rfsim.maps.slices import DONE, STATES
from rfsim.plotting.style import in_style
from rfsim.plotting.sweep_axes import Scale, contour_words, dress

COLORS = "cividis"
ZERO, INFINITE, NEGATIVE = len(STATES), len(STATES) + 1, len(STATES) + 2  # states of cells that a color cannot show


class Mark(NamedTuple):
    """How a cell without a color is filled, a point of a curve marked at the foot, and what the legend says."""

    label: str
    color: str
    hatch: str
    marker: str


MARKS = {
    0: Mark("waiting", "#E8E8E8", "", "o"),
    2: Mark("unconverged", "#DDDDDD", "////", "+"),
    3: Mark("failed", "#BBBBBB", "xxxx", "x"),
    4: Mark("not defined", "#F4F4F4", "....", "."),
    ZERO: Mark("0", "#FFFFFF", "----", "v"),
    INFINITE: Mark(r"$\infty$", "#FFFFFF", "||||", "^"),
}
STANDARD = {P_N: r"$p=n$", P_NM: r"$p=n\,m$", MEMORY: r"$\tau_\mathrm{mem}=\tau$"}
DASHES: dict[str, Any] = {P_N: (0, (2, 1.2)), P_NM: (0, (6, 1.5, 1.5, 1.5)), MEMORY: (0, (5, 2))}
ASKED: tuple[tuple[str, Any], ...] = (
    ("#FF7F3F", "-"),
    ("#F6B6DC", "-"),
    ("#FF7F3F", (0, (6, 2))),
    ("#F6B6DC", (0, (6, 2))),
    ("#FF7F3F", (0, (1, 1))),
)
OVER = (0, (3, 1.5))


def color_norm(values: NDArray[np.float64], log: bool | None = None) -> Normalize:
    """Colors for all finite values, a log scale for those that call for one.

    Args:
        values: Of any shape.
        log: Whether the scale is logarithmic; by default where values call for it.

    Returns:
        The norm.
    """
    finite = values[np.isfinite(values)]
    log = scales.wide(finite) if log is None else log and bool((finite > 0).any())
    shown = finite[finite > 0] if log else finite
    low, high = (float(shown.min()), float(shown.max())) if shown.size else (0.0, 1.0)
    if low == high:
        low, high = low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
    return LogNorm(low, high) if log else Normalize(low, high)


def marked(values: NDArray[np.float64], state: NDArray[np.integer], norm: Normalize) -> NDArray[np.int8]:
    """State of every cell, with those whose value has no color on this scale."""
    found = np.array(state, dtype=np.int8)
    found[(found == DONE) & np.isinf(values)] = INFINITE
    if isinstance(norm, LogNorm):
        found[(found == DONE) & (values == 0)] = ZERO
    return found


@in_style
def map_panel(ax: Axes, values: xr.DataArray, state: xr.DataArray, x: Scale, y: Scale, norm: Normalize) -> set[int]:
    """Colored cells of values (y, x), and of marked cells their filling; returns the marks that occur."""
    marks = marked(values.values, state.values, norm)
    colors = np.where(marks == DONE, values.values, np.nan)
    grid = x.edges, y.edges
    spread = y.spread(x.spread(colors, 1, np.nan), 0, np.nan)
    ax.pcolormesh(*grid, np.ma.masked_invalid(spread), norm=norm, cmap=COLORS, rasterized=True)
    filled = y.spread(x.spread(marks, 1, DONE), 0, DONE)
    for mark, look in MARKS.items():
        here = np.ma.masked_where(filled != mark, filled)
        if here.count():
            more: dict[str, Any] = {"facecolor": look.color, "edgecolor": "#555555", "linewidth": 0}
            ax.pcolor(*grid, here, cmap=_one(look.color), hatch=look.hatch, **more)
    dress(ax, x, "x")
    dress(ax, y, "y")
    return set(np.unique(marks).tolist()) - {DONE}


def _one(color: str) -> Any:
    return ListedColormap([color])


@in_style
def line_panel(ax: Axes, lines: Sequence[Line], looks: dict[str, dict[str, Any]]) -> None:
    """Level lines on one panel, in the looks of their names."""
    for line in lines:
        piece = line.points.piece.values
        for k in np.unique(piece):
            here = piece == k
            look: dict[str, Any] = looks[line.name] | {"label": None}
            ax.plot(line.points.x.values[here], line.points.y.values[here], **look)


def line_looks(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Color, dash and words of every line by name: standard ones in white, those asked for in turn."""
    width = matplotlib.rcParams["lines.linewidth"]
    halo = [withStroke(linewidth=2.0 * width, foreground="#222222")]
    contours = [name for name in dict.fromkeys(names) if name not in STANDARD]
    looks: dict[str, dict[str, Any]] = {
        name: {"color": "white", "linestyle": DASHES[name], "label": STANDARD[name]}
        for name in names
        if name in STANDARD
    }
    for k, name in enumerate(contours):
        color, dash = ASKED[k % len(ASKED)]
        looks[name] = {"color": color, "linestyle": dash, "label": contour_words(name)}
    return {name: look | {"path_effects": halo, "linewidth": width} for name, look in looks.items()}


def over_look() -> dict[str, Any]:
    """Level lines of the sweep that lies over the cells."""
    return {"color": "black", "linestyle": OVER, "linewidth": matplotlib.rcParams["lines.linewidth"]}


def mark_handles(found: set[int]) -> list[Patch]:
    """Legend entries of cells without a color.

    Args:
        found: The marks that occur, from `plane_panel`.

    Returns:
        The entries.
    """
    return [
        Patch(facecolor=look.color, edgecolor="#555555", hatch=look.hatch, label=look.label, linewidth=0.4)
        for mark, look in MARKS.items()
        if mark in found
    ]


def line_handles(looks: dict[str, dict[str, Any]]) -> list[Line2D]:
    """Legend entries of lines."""
    return [Line2D([], [], **look) for look in looks.values()]


def colors_of(norm: Normalize) -> ScalarMappable:
    """What a color bar shows."""
    return ScalarMappable(norm, COLORS)
