"""Room around a panel: what stands outside the axes, measured before it is placed so that nothing overlaps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath
from matplotlib.ticker import FixedLocator
from matplotlib.transforms import Affine2D, ScaledTranslation, blended_transform_factory

from rfsim.plotting.style import MARKER_COLOR, in_style


def text_width(text: str, size: float) -> float:
    """Width of a line of text or mathtext in points, in the style in force."""
    return TextPath((0, 0), text, prop=FontProperties(size=size)).get_extents().width if text.strip() else 0.0


def wrap(pieces: Sequence[str], size: float, width: float) -> str:
    """`pieces` joined by commas in as few lines as keep each below `width` points."""
    lines: list[str] = []
    for piece in pieces:
        longer = f"{lines[-1]}, {piece}" if lines else ""
        if longer and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(piece)
    return ",\n".join(lines)


def figure_of(ax: Axes) -> Figure:
    """The figure that holds `ax`."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ValueError("the axes belong to no figure; make them with canvas")
    return figure


def _shift(ax: Axes, *, right: float = 0.0, up: float = 0.0) -> ScaledTranslation:
    """Moves things by points, whatever the resolution."""
    return ScaledTranslation(right / 72, up / 72, cast(Any, figure_of(ax).dpi_scale_trans))


def _inner_width(ax: Axes) -> float:
    """Width in points that the layout will leave to the axes: their columns, less room for labels."""
    spec, whole = ax.get_subplotspec(), figure_of(ax).get_size_inches()[0] * 72
    if spec is None:
        return ax.get_position().width * whole
    return whole * len(spec.colspan) / spec.get_gridspec().ncols - 6.5 * matplotlib.rcParams["font.size"]


@in_style
def legend_above(ax: Axes, handles: Sequence[Artist], rise: float = 0.0, *, handle_length: float = 2.2) -> None:
    """A legend above the axes, `rise` points up, in as few rows as fit the width: it never meets the data."""
    if not handles:
        return
    size = matplotlib.rcParams["legend.fontsize"]
    around = handle_length + matplotlib.rcParams["legend.handletextpad"] + matplotlib.rcParams["legend.columnspacing"]
    widths = [text_width(str(one.get_label()), size) + around * size for one in handles]
    available = _inner_width(ax)
    fitting = [k for k in range(1, len(widths) + 1) if k * max(widths) <= available or k == 1]
    columns = len(widths) if sum(widths) <= available else fitting[-1]
    ax.legend(
        handles=list(handles),
        ncols=columns,
        handlelength=handle_length,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        bbox_transform=ax.transAxes + _shift(ax, up=rise),
    )


class Flag(NamedTuple):
    """A vertical line over the whole panel at x, with its name above; dash is a matplotlib line style."""

    x: float
    name: str
    dash: Any


@in_style
def flags_above(ax: Axes, flags: Sequence[Flag]) -> float:
    """Draw `flags` whose x lies inside the log x-axis; returns how far they rise above the axes, in points.

    Going from right to left, a flag that would cover the pole of the one before flies a row higher: no two overlap.
    """
    low, high = ax.get_xlim()
    size = matplotlib.rcParams["legend.fontsize"]
    row_height = 1.3 * size
    per_decade = _inner_width(ax) / math.log10(high / low)
    # x in data, y in points above the axes: the top edge is where transAxes takes (0, 1)
    above = Affine2D().scale(1 / 72) + figure_of(ax).dpi_scale_trans + ScaledTranslation(0, 1, cast(Any, ax.transAxes))
    pole = blended_transform_factory(ax.transData, above)
    free_until: list[float] = []
    for at, text, dash in sorted((flag for flag in flags if low < flag.x < high), key=lambda flag: -flag.x):
        start = math.log10(at) * per_decade
        end = start + text_width(text, size) + 0.5 * size
        row = next((k for k, limit in enumerate(free_until) if end <= limit), len(free_until))
        # poles of higher flags pass every lower row: from here on nothing may reach across this one
        free_until[: row + 1] = [start] * (row + 1)
        thin = {"color": MARKER_COLOR, "linewidth": 0.6 * matplotlib.rcParams["lines.linewidth"], "linestyle": dash}
        ax.axvline(at, zorder=0.5, **thin)
        ax.add_artist(Line2D([at, at], [0, (row + 0.9) * row_height], transform=pole, clip_on=False, **thin))
        beside = pole + _shift(ax, right=0.2 * size)
        ax.text(at, (row + 0.15) * row_height, text, transform=beside, fontsize=size, va="bottom")
    return len(free_until) * row_height


@in_style
def broken_axis(ax: Axes, limits: tuple[float, float], zero_at: float) -> tuple[float, float]:
    """Room for λ = 0 left of a log axis: no ticks there, a 0 below it, a break between; returns the new limits."""
    low, high = limits
    ax.set_xlim(low, high)
    for minor in (False, True):
        ticks = ax.xaxis.get_ticklocs(minor=minor)
        (ax.xaxis.set_minor_locator if minor else ax.xaxis.set_major_locator)(
            FixedLocator([t for t in ticks if low <= t <= high])
        )
    size = matplotlib.rcParams["xtick.labelsize"]
    foot = ax.get_xaxis_transform()
    pad = matplotlib.rcParams["xtick.major.size"] + matplotlib.rcParams["xtick.major.pad"]
    ax.annotate(
        "0", (zero_at, 0), xycoords=foot, xytext=(0, -pad), textcoords="offset points", ha="center", va="top", size=size
    )
    for nudge in (-0.15 * size, 0.15 * size):
        stroke = [(-0.5, -1), (0.5, 1)]
        ax.plot([low], [0], marker=stroke, color="black", transform=foot + _shift(ax, right=nudge), clip_on=False)
    return zero_at * (low / high) ** 0.05, high
