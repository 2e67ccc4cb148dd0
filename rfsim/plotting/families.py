"""One loss of a family of results: a color each where they are ordered, color, dash and marker where they are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from rfsim.plotting.curves import has_time, rows, time_label, time_unit
from rfsim.plotting.forms import ready
from rfsim.plotting.legends import legend_above
from rfsim.plotting.looks import LOSS_LOOKS, MARKER_COLOR, Look, sequence
from rfsim.plotting.style import in_style

CATEGORY_COLORS = ("#000000", "#C04F00", "#3FA4DC", "#00507F", "#C9C94F")  # L* = 0, 48, 64, 32, 81
CATEGORY_DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (6, 1.5, 1, 1.5)))
CATEGORY_MARKERS = "osD^vPX<>ph*dH8"
MARKS = 4  # of a line that carries markers only to be told apart


def categories(count: int) -> list[Look]:
    """Looks of things without an order: no two share their marker, nor both color and dash.

    Args:
        count: Of things.

    Returns:
        A look for each.

    Raises:
        ValueError: For more than can be told apart.

    >>> [look.color for look in categories(2)], categories(6)[5].dash
    (['#000000', '#C04F00'], (0, (5, 1.5)))
    """
    if not 0 <= count <= len(CATEGORY_MARKERS):
        raise ValueError(f"at most {len(CATEGORY_MARKERS)} lines are told apart in one panel; got {count}")
    shades = len(CATEGORY_COLORS)
    return [
        Look("", CATEGORY_COLORS[k % shades], CATEGORY_DASHES[k // shades], marker)
        for k, marker in enumerate(CATEGORY_MARKERS[:count])
    ]


def family_looks(count: int, *, ordered: bool = True) -> list[dict[str, Any]]:
    """How each line of a family of `count` is drawn: colors dark to light, or `categories` with sparse markers."""
    if ordered:
        return [{"color": color, "linestyle": "-"} for color in sequence(count)] if count else []
    return [{"color": look.color, "linestyle": look.dash, "marker": look.marker} for look in categories(count)]


def sparse(look: Mapping[str, Any], place: int, count: int, points: int) -> dict[str, Any]:
    """`look` with its marker, if any, on a few of `points` only, on others than those of the family's other lines."""
    if "marker" not in look:
        return dict(look)
    apart = max(1, points // MARKS)
    return dict(look) | {"markevery": (place * apart // count, apart)}


@in_style
def family_panel(
    ax: Axes,
    results: Mapping[str, xr.Dataset],
    quantities: Sequence[str] = ("gen",),
    *,
    scale_time: str | None = None,
    relative: bool = False,
    ordered: bool = True,
    also: Sequence[Artist] = (),
    legend: bool = True,
) -> list[Artist]:
    """One loss, or several told apart by dash, for a family of results: a color per result, dark to light.

    Args:
        ax: Axes to draw on.
        results: Results of a training by their label in the legend.
        quantities: Losses to draw, names of LOSS_LOOKS.
        scale_time: As in `loss_panel`; a result without that time (no mini where n = p) is left out, and the others
            keep their colors.
        relative: Draw each loss over its own value at τ = ∞, which the results must then hold.
        ordered: False for results without an order (activations), of one loss, which are told apart by `categories`.
        also: What the legend holds beside the results.
        legend: Draw it above the panel, or leave it to the figure.

    Returns:
        The legend's entries.

    Raises:
        ValueError: Where no result has that time, and for several losses of results without an order.
    """
    if not ordered and len(quantities) > 1:
        raise ValueError(f"dashes tell losses or results apart, not both; got {', '.join(quantities)} without an order")
    handles: list[Artist] = []
    results = {label: ready(result, *quantities) for label, result in results.items()}
    timed = [has_time(result, scale_time) for result in results.values()]
    looks = family_looks(len(results), ordered=ordered)
    for place, (look, known, (label, result)) in enumerate(zip(looks, timed, results.items(), strict=True)):
        if any(timed) and not known:
            continue
        times, shown = shown_times(result, scale_time)
        drawn = sparse(look, place, len(looks), int(shown.sum()))
        for name in quantities:
            mean = rows(result[name]).mean(0)
            if relative:
                mean = mean / mean[np.isinf(times)]
            dash = {"linestyle": LOSS_LOOKS[name].dash} if len(quantities) > 1 else {}
            ax.plot(times[shown], mean[shown], label=label, **(drawn | dash))
        handles.append(Line2D([], [], label=label, **look))
    if len(quantities) > 1:
        losses = [LOSS_LOOKS[name] for name in quantities]
        handles += [Line2D([], [], color=MARKER_COLOR, linestyle=one.dash, label=one.label) for one in losses]
    ax.set_xscale("log")
    time_label(ax, scale_time)
    names = ", ".join(LOSS_LOOKS[name].label for name in quantities)
    ax.set_ylabel(rf"{names} over its value at $\tau=\infty$" if relative else f"{names} per dimension")
    if legend:
        legend_above(ax, [*handles, *also])
    return handles


def shown_times(result: xr.Dataset, scale_time: str | None) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Times in the axis's unit, and which of them a log axis shows."""
    times = result.train_time.values / time_unit(result, scale_time)
    return times, np.isfinite(times) & (times > 0)
