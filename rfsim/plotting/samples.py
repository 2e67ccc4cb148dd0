"""Axes of what is measured on samples, and lines with error bars on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.scale import FuncScale
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from rfsim.plotting.layout import broken_axis, shift
from rfsim.plotting.legends import legend_above
from rfsim.plotting.looks import Look
from rfsim.plotting.style import in_style

MEASURES = {
    "memorized_fraction": r"memorized share $f_\mathrm{mem}$",
    "frechet_per_dim": r"Fréchet $W_2^2/d$",
    "sliced_wasserstein": "sliced Wasserstein",
    "membership_auc": "membership AUC",
    "membership_tpr_1": "members found at 1% false",
    "membership_tpr_10": "members found at 10% false",
}
SHARES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.5, 1.0)  # ticks of an axis of fractions


class Bars(NamedTuple):
    """A quantity along one axis.

    Attributes:
        mean: Over seeds.
        low: Lower end of its error bar, NaN where it has none.
        high: Upper end, likewise.
    """

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


class LinePlace(NamedTuple):
    """Where one of several lines stands that may lie on each other.

    Those drawn first are wider, so that they show on both sides of the later ones, and error bars stand beside each
    other.

    Attributes:
        width: Over a line's own.
        aside: Of its bars from the line, in widths of a line.
    """

    width: float = 1.0
    aside: float = 0.0


ALONE = LinePlace()


def places(count: int) -> list[LinePlace]:
    """Places for lines that may lie on each other.

    Args:
        count: Of lines.

    Returns:
        A place for each, in the order in which they are drawn.
    """
    middle = (count - 1) / 2
    return [LinePlace(1.25 ** (middle - k), 1.8 * (k - middle)) for k in range(count)]


@in_style
def ridge_axis(ax: Axes, ridges: NDArray[np.float64]) -> NDArray[np.float64]:
    """A log axis for ridges γ, with 0 left of a break; for zeros only a linear one.

    Args:
        ax: Axes to draw on.
        ridges: γ ≥ 0, (ridges,).

    Returns:
        Where each stands, (ridges,).
    """
    ax.set_xlabel(r"ridge $\gamma$")
    positive = ridges[ridges > 0]
    if not positive.size:
        return ridges
    ax.set_xscale("log")
    room = (positive.max() / positive.min()) ** 0.05 if positive.size > 1 else 2.0
    limits = (positive.min() / room, positive.max() * room)
    zero_at = limits[0] * (limits[0] / limits[1]) ** 0.08
    ax.set_xlim(limits if positive.size == ridges.size else broken_axis(ax, limits, zero_at))
    return np.where(ridges == 0, zero_at, ridges)


@in_style
def seeds_line(
    ax: Axes, x: ArrayLike, rows: ArrayLike, look: Look, *, width: float = 1.0, place: LinePlace = ALONE
) -> Line2D:
    """A line of means over seeds with their standard errors.

    Args:
        ax: Axes to draw on.
        x: (points,).
        rows: (points, seeds).
        look: Of the line.
        width: Over the line's own.
        place: Among lines that may lie on each other.

    Returns:
        The line.
    """
    values = np.asarray(rows, dtype=float)
    seeds = values.shape[1]
    error = values.std(1, ddof=1) / math.sqrt(seeds) if seeds > 1 else np.full(len(values), np.nan)
    mean = values.mean(1)
    found = Bars(mean, mean - error, mean + error)
    line = bars_line(ax, np.asarray(x), found, look, look.label, marker=look.marker, place=place)
    line.set_linewidth(width * line.get_linewidth())
    return line


def bars_line(
    ax: Axes, x: NDArray, found: Bars, look: Look, label: str, *, marker: str | None, place: LinePlace = ALONE
) -> Line2D:
    """A line with error bars where they are known; the line is what stands in the legend.

    Args:
        ax: Axes to draw on.
        x: (points,).
        found: Mean and ends of the error bars, (points,) each.
        look: Of the line.
        label: In the legend.
        marker: Of the points, if any.
        place: Among lines that may lie on each other.

    Returns:
        The line.
    """
    (line,) = ax.plot(x, found.mean, color=look.color, linestyle=look.dash, marker=marker, label=label)
    known = np.isfinite(found.low) & np.isfinite(found.high)
    ends = x[known], found.low[known], found.high[known]
    thin: dict[str, Any] = {"color": look.color, "linewidth": 0.7 * line.get_linewidth()}
    if place.aside:
        thin["transform"] = ax.transData + shift(ax, right=place.aside * line.get_linewidth())
        for end in ends[1:]:  # matplotlib makes no room for what it takes for moved elsewhere
            ax.update_datalim(np.column_stack([ends[0], end]))
        ax.autoscale_view()
    ax.vlines(*ends, **thin)
    line.set_linewidth(place.width * line.get_linewidth())
    line.set_markersize(place.width * line.get_markersize())
    return line


@in_style
def measure_axis(ax: Axes, measure: str, handles: Sequence[Line2D] = (), *, axis: str = "y") -> None:
    """Scale and name the axis of a measure of samples, once all is drawn; empty axes say so (§8).

    Args:
        ax: Axes, drawn.
        measure: As in `quality_panel`.
        handles: Of the legend, which stands above.
        axis: "y" or "x".
    """
    ax.set(**{f"{axis}label": MEASURES[measure]})
    if not ax.lines:
        ax.text(0.5, 0.5, "not defined for these samples", transform=ax.transAxes, ha="center", va="center")
    elif measure == "memorized_fraction":
        end = ax.dataLim.y1 if axis == "y" else ax.dataLim.x1
        _root_axis(ax, axis, min(1.0, 1.1 * max(0.012, end)))
    elif not measure.startswith("membership"):
        log_axis(ax, axis)
    legend_above(ax, handles)


def log_axis(ax: Axes, axis: str) -> None:
    """A log axis; over little more than a decade with plain numbers at 1, 2 and 5.

    Args:
        ax: Axes, drawn.
        axis: "y" or "x".
    """
    ax.set(**{f"{axis}scale": "log"})
    side, (low, high) = (ax.yaxis, ax.get_ylim()) if axis == "y" else (ax.xaxis, ax.get_xlim())
    side.set_minor_formatter(NullFormatter())
    if high < 30 * low:
        side.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        side.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _root_axis(ax: Axes, axis: str, top: float) -> None:
    """An axis of fractions from 0 to `top` with steps of equal root, in which errors of small counts are alike."""
    side = ax.yaxis if axis == "y" else ax.xaxis
    ax.set(**{f"{axis}scale": FuncScale(side, (_root, _square)), f"{axis}lim": (0, top)})
    ticks, apart = [0.0], 0.1 if axis == "y" else 0.16  # labels are wider than high
    for share in SHARES:
        if share <= top and math.sqrt(share) - math.sqrt(ticks[-1]) >= apart * math.sqrt(top):
            ticks.append(share)
    side.set_major_locator(FixedLocator(ticks))
    side.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _root(values: ArrayLike) -> NDArray[np.float64]:
    return np.sqrt(np.maximum(values, 0))


def _square(values: ArrayLike) -> NDArray[np.float64]:
    return np.square(np.asarray(values, dtype=float))
