"""Legends: outside of the axes, in as few rows as fit, read row by row, and one where panels share their entries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from rfsim.plotting.layout import figure_of, inner_width, shift, text_width
from rfsim.plotting.style import in_style


def by_row(handles: Sequence[Artist], columns: int) -> list[Artist]:
    """`handles` in the order in which matplotlib, which fills a legend column by column, shows them row by row.

    >>> by_row("abcde", 3)
    ['a', 'd', 'b', 'e', 'c']
    """
    return [one for k in range(columns) for one in handles[k::columns]]


def on_colors(label: str, color: str = "white", dash: Any = "-", **look: Any) -> Line2D:
    """Legend entry of a line that is drawn over colored cells: white as it is, it would not be seen on paper.

    Args:
        label: Its text.
        color: Of the line.
        dash: A matplotlib line style.
        **look: Further settings of the line.

    Returns:
        The entry.
    """
    wide = 2.0 * matplotlib.rcParams["lines.linewidth"]
    halo = [withStroke(linewidth=wide, foreground="#222222")] if color == "white" else []
    return Line2D([], [], color=color, linestyle=dash, label=label, path_effects=halo, **look)


def legend_columns(widths: Sequence[float], available: float) -> int:
    """Into how many columns entries of these widths go, row by row: the fewest rows that fit, and as even as can be.

    >>> legend_columns([2, 2, 2, 2, 2], 9), legend_columns([2, 2], 9), legend_columns([20, 2], 9)
    (3, 2, 1)
    """
    fitting = [k for k in range(1, len(widths) + 1) if sum(max(widths[j::k]) for j in range(k)) <= available]
    rows = math.ceil(len(widths) / max(fitting, default=1))
    return min((k for k in fitting if math.ceil(len(widths) / k) == rows), default=1)


def legend_widths(handles: Sequence[Artist], handle_length: float = 2.2) -> list[float]:
    """Widths of a legend's entries in points: the longest line of each label, its handle and the gaps around them."""
    size = matplotlib.rcParams["legend.fontsize"]
    around = handle_length + matplotlib.rcParams["legend.handletextpad"] + matplotlib.rcParams["legend.columnspacing"]
    lines = [str(one.get_label()).split("\n") for one in handles]
    return [max(text_width(line, size) for line in each) + around * size for each in lines]


@in_style
def legend_above(ax: Axes, handles: Sequence[Artist], rise: float = 0.0, *, handle_length: float = 2.2) -> float:
    """A legend above the axes, in as few rows as fit the width: it never meets the data. Entries stand row by row.

    Args:
        ax: Axes to draw on.
        handles: Entries; nothing is drawn without any.
        rise: How far above the axes it begins, in points.
        handle_length: Of the lines beside the texts, in units of the font size.

    Returns:
        How far it rises above the axes, in points.
    """
    if not handles:
        return rise
    columns = legend_columns(legend_widths(handles, handle_length), inner_width(ax))
    ax.legend(
        handles=by_row(handles, columns),
        ncols=columns,
        handlelength=handle_length,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        bbox_transform=ax.transAxes + shift(ax, up=rise),
    )
    return rise + (math.ceil(len(handles) / columns) * 1.3 + 0.6) * matplotlib.rcParams["legend.fontsize"]


def legend_rise(ax: Axes) -> float:
    """How far what `legend_above` put there rises above the axes, in points; 0 without a legend."""
    legend = ax.get_legend()
    if legend is None:
        return 0.0
    gap = 0.6 * matplotlib.rcParams["legend.fontsize"]
    foot = legend.get_bbox_to_anchor().y0 - ax.bbox.y1
    return (foot + legend.get_window_extent().height) * 72 / figure_of(ax).dpi + gap


def legend_below(figure: Figure, handles: Sequence[Artist], *, handle_length: float = 2.2) -> int:
    """One legend under all panels of a figure, in as few rows as fit its width, row by row.

    Inside the figure's style only.

    Args:
        figure: The figure.
        handles: Entries.
        handle_length: Of the lines beside the texts, in units of the font size.

    Returns:
        How many rows it has.
    """
    columns = legend_columns(legend_widths(handles, handle_length), 0.96 * figure.get_size_inches()[0] * 72)
    place: dict[str, Any] = {"loc": "outside lower center", "ncols": columns, "handlelength": handle_length}
    figure.legend(handles=by_row(handles, columns), **place)
    return math.ceil(len(handles) / columns)
