"""A sweep along one axis: means over seeds with their standard errors, a color per member of a family."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap, LogNorm
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from rfsim.maps.names import matches
from rfsim.maps.slices import DONE, Slice
from rfsim.maps.views import View
from rfsim.plotting.families import categories
from rfsim.plotting.looks import LOSS_LOOKS, MARKER_COLOR, sequence
from rfsim.plotting.style import in_style
from rfsim.plotting.sweep_axes import Scale, assigned, dress, scale_of
from rfsim.plotting.sweep_maps import INFINITE, MARKS, OVER, color_norm, marked

DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (6, 1.5, 1, 1.5)), (0, (1, 1)), (0, (9, 2)))  # of quantities
MANY = 24  # points from which on a curve has no markers
LEGEND = 8  # members from which on a color bar takes the legend's place


@in_style
def curves_panel(
    ax: Axes, views: Sequence[View], names: Sequence[str], *, words_over: str = "", log: bool | None = None
) -> list[Line2D]:
    """Curves of views along their one x, those of the sweep over it dashed; then the sampled ones are markers alone.

    Points without a value stand at the foot, by why they have none; infinite ones at the top. Several quantities have
    a dash each, and a color each where they have no family. Returns what a legend has to say; of more than eight
    members a color bar has to.
    """
    main, family = views[0].main, views[0].facet
    scale = scale_of(main.values[views[0].x])
    members = main.values[family].values.tolist() if family else [None]
    values = np.concatenate([view.main.values.values.ravel() for view in views])
    norm = color_norm(values, log)
    looks = _looks(views)
    marks: set[int] = set()
    handles: list[Line2D] = []
    for view, look in zip(views, looks, strict=True):
        for k, (member, color) in enumerate(zip(members, sequence(len(members)), strict=True)):
            at = {family: k} if family else {}
            drawn: dict[str, Any] = {"color": color} | ({} if len(views) == 1 else look)
            drawn |= {"color": color, "label": assigned(str(family), member)} if family else {}
            handle = _curve(ax, scale, view.main, at, drawn, joined=view.over is None)
            handles += [handle] if family and view is views[0] else []
            marks |= _feet(ax, scale, view.main, at, norm, drawn["color"])
            if view.over is not None:
                _over(ax, scale, main.values[view.x].values, view.over, (family, member), color)
    ax.set_yscale("log" if isinstance(norm, LogNorm) else "linear")
    dress(ax, scale, "x")
    if len(members) > LEGEND:
        handles = []
    if len(views) > 1:
        for look, name in zip(looks, names, strict=True):
            shown: dict[str, Any] = look | ({"color": MARKER_COLOR} if family else {})
            handles.append(Line2D([], [], label=name, **shown))
    looks_of: dict[str, Any] = {"color": MARKER_COLOR, "linestyle": "", "markerfacecolor": "none"}
    handles += [Line2D([], [], marker=MARKS[one].marker, label=MARKS[one].label, **looks_of) for one in sorted(marks)]
    if views[0].over is not None:
        handles.append(Line2D([], [], color=MARKER_COLOR, linestyle=OVER, label=words_over))
    return handles


def _looks(views: Sequence[View]) -> list[dict[str, Any]]:
    """Color and dash of each quantity: a loss has its own where all are losses that differ in dash."""
    own = [LOSS_LOOKS.get(view.main.quantity) for view in views]
    apart = all(own) and len({str(look.dash) for look in own if look}) == len(views)
    told = [look for look in own if look] if apart else categories(len(views))
    dashes = [look.dash for look in told] if apart else [DASHES[k % len(DASHES)] for k in range(len(views))]
    return [{"color": look.color, "linestyle": dash} for look, dash in zip(told, dashes, strict=True)]


def family_colors(members: Scale) -> ScalarMappable:
    """The colors of a family's curves, for a color bar of its members."""
    return ScalarMappable(
        BoundaryNorm(members.edges, members.edges.size - 1), ListedColormap(sequence(members.edges.size - 1))
    )


def _curve(ax: Axes, scale: Scale, found: Slice, at: dict, look: dict[str, Any], *, joined: bool) -> Line2D:
    values, error = found.values.isel(at).values, found.error.isel(at).values
    drawn: dict[str, Any] = look if joined else look | {"linestyle": ""}
    proper = scale.inside & np.isfinite(values)
    marker = "o" if not joined or proper.sum() < MANY or (~scale.inside).any() else None
    (line,) = ax.plot(
        scale.at[scale.inside],
        np.where(proper, values, np.nan)[scale.inside],
        marker=marker,
        markersize=0.6 * matplotlib.rcParams["lines.markersize"],
        **drawn,
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
