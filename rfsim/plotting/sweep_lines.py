"""A sweep along one axis: means over seeds with their standard errors, a color per member of a family."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from rfsim.maps import scales
from rfsim.maps.names import matches
from rfsim.maps.slices import DONE, Slice
from rfsim.maps.views import View
from rfsim.plotting.looks import MARKER_COLOR, sequence
from rfsim.plotting.style import in_style
from rfsim.plotting.sweep_axes import Scale, assigned, dress, scale_of
from rfsim.plotting.sweep_maps import INFINITE, MARKS, OVER, color_norm, marked

MANY = 24  # points from which on a curve has no markers
LEGEND = 8  # members from which on a color bar takes the legend's place


@in_style
def curves_panel(ax: Axes, view: View, *, words_over: str = "") -> list[Line2D]:
    """Curves of a view along its x, those of the sweep over it dashed; then the sampled ones are markers alone.

    Points without a value stand at the foot, by why they have none; infinite ones at the top. Returns what a legend
    has to say; of more than eight members a color bar has to.
    """
    main, family = view.main, view.facet
    scale = scale_of(main.values[view.x])
    members = main.values[family].values.tolist() if family else [None]
    log = scales.wide(main.values.values)
    norm = color_norm(main.values.values)
    marks: set[int] = set()
    handles: list[Line2D] = []
    for k, (member, color) in enumerate(zip(members, sequence(len(members)), strict=True)):
        at = {family: k} if family else {}
        look: dict[str, Any] = {"color": color, "label": assigned(str(family), member) if family else None}
        handle = _curve(ax, scale, main, at, look, joined=view.over is None)
        handles += [handle] if family else []
        marks |= _feet(ax, scale, main, at, norm, color)
        if view.over is not None:
            _over(ax, scale, main.values[view.x].values, view.over, (family, member), color)
    ax.set_yscale("log" if log else "linear")
    dress(ax, scale, "x")
    if len(members) > LEGEND:
        handles = []
    looks: dict[str, Any] = {"color": MARKER_COLOR, "linestyle": "", "markerfacecolor": "none"}
    handles += [Line2D([], [], marker=MARKS[one].marker, label=MARKS[one].label, **looks) for one in sorted(marks)]
    if view.over is not None:
        handles.append(Line2D([], [], color=MARKER_COLOR, linestyle=OVER, label=words_over))
    return handles


def family_colors(members: Scale) -> ScalarMappable:
    """The colors of a family's curves, for a color bar of its members."""
    return ScalarMappable(
        BoundaryNorm(members.edges, members.edges.size - 1), ListedColormap(sequence(members.edges.size - 1))
    )


def _curve(ax: Axes, scale: Scale, found: Slice, at: dict, look: dict[str, Any], *, joined: bool) -> Line2D:
    values, error = found.values.isel(at).values, found.error.isel(at).values
    proper = scale.inside & np.isfinite(values)
    marker = "o" if not joined or proper.sum() < MANY or (~scale.inside).any() else None
    (line,) = ax.plot(
        scale.at[scale.inside],
        np.where(proper, values, np.nan)[scale.inside],
        marker=marker,
        markersize=0.6 * matplotlib.rcParams["lines.markersize"],
        linestyle="-" if joined else "",
        **look,
    )
    lone = ~scale.inside & np.isfinite(values)
    if lone.any():  # beside the axis: 0, inf, or texts
        ax.plot(
            scale.at[lone],
            values[lone],
            marker="o",
            linestyle="",
            color=look["color"],
            markersize=line.get_markersize(),
        )
    known = np.isfinite(error) & np.isfinite(values)
    if joined and (known & scale.inside).sum() > 1:
        low, high = (np.where(known, values + sign * error, np.nan)[scale.inside] for sign in (-1, 1))
        ax.fill_between(scale.at[scale.inside], low, high, color=look["color"], alpha=0.25, linewidth=0)
        known &= ~scale.inside
    ax.vlines(scale.at[known], (values - error)[known], (values + error)[known], color=look["color"], linewidth=0.7)
    return line


def _feet(ax: Axes, scale: Scale, found: Slice, at: dict, norm: Any, color: str) -> set[int]:
    """Points without a value, at the foot of the panel, infinite ones at its top."""
    state = marked(found.values.isel(at).values, found.state.isel(at).values, norm)
    for mark in set(np.unique(state).tolist()) - {DONE}:
        here = state == mark
        height = np.full(here.sum(), 1.0 if mark == INFINITE else 0.0)
        foot: dict[str, Any] = {
            "transform": ax.get_xaxis_transform(),
            "clip_on": False,
            "zorder": 3,
            "markerfacecolor": "none",
        }
        ax.plot(scale.at[here], height, MARKS[mark].marker, color=color, **foot)
    return set(np.unique(state).tolist()) - {DONE}


def _over(ax: Axes, scale: Scale, ours: NDArray, over: Slice, of: tuple[str | None, Any], color: str) -> None:
    """The member `of` a family of another sweep over the axis of `ours`."""
    family, member = of
    values: xr.DataArray = over.values
    if family in values.dims:
        here = np.flatnonzero(matches(values[family].values, member))
        if not here.size:
            return
        values = values.isel({family: int(here[0])})
    x = values[scale.name].values
    y = np.where(np.isfinite(values.values), values.values, np.nan)
    on_axis = np.zeros(x.shape, bool)
    if x.dtype.kind in "fiu":
        on_axis = np.isfinite(x) & ((x > 0) | (not scale.log))
        ax.plot(x[on_axis], y[on_axis], color=color, linestyle=OVER)
    # 0, ∞ and texts stand where the other sweep has them
    places = [
        (scale.at[matches(ours, one)], value) for one, value in zip(x[~on_axis].tolist(), y[~on_axis], strict=True)
    ]
    for place, value in places:
        ax.plot(place, np.full(place.size, value), marker="_", markersize=9, linestyle="", color=color)
