"""Phase diagrams: what `rfsim.plot` draws of a sweep, maps over two axes or curves along one, and says of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import xarray as xr
from matplotlib.colors import LogNorm, Normalize
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from rfsim.disk import store
from rfsim.maps import lines
from rfsim.maps.lines import DEFAULTS
from rfsim.maps.names import fixed_parameters
from rfsim.maps.slices import value_of
from rfsim.maps.views import View, view
from rfsim.plotting.drawing import Drawing
from rfsim.plotting.layout import text_width, wrap
from rfsim.plotting.legends import legend_below
from rfsim.plotting.style import STYLES, centimeters, ems, styled
from rfsim.plotting.sweep_axes import (
    assigned,
    contour_words,
    dress,
    plain,
    quantity_label,
    scale_of,
    symbol,
    tick,
)
from rfsim.plotting.sweep_lines import LEGEND, curves_panel, family_colors
from rfsim.plotting.sweep_maps import (
    color_norm,
    colors_of,
    line_handles,
    line_looks,
    line_panel,
    map_panel,
    mark_handles,
    over_look,
)
from rfsim.quantities.catalog import QUANTITIES

PANEL = 15.0  # narrowest panel, in units of the font size
TALLEST = 30.0


def sweep_figure(
    data: xr.Dataset,
    *,
    style: str = "paper",
    width: str | float = "double",
    over: xr.Dataset | None = None,
    **options: Any,
) -> Drawing:
    """The figure of a sweep: a map over x and y, small multiples over facet with one color scale, or curves along x.

    The title says every setting and every choice.

    Args:
        data: The sweep.
        style: "paper", "talk" or "screen".
        width: "single", "double" or cm, as in `centimeters`.
        over: Another sweep, as in `rfsim.maps.views.view`.
        **options: x, y, quantity, facet, at and contours, as there.

    Returns:
        The figure.

    Raises:
        ValueError: As `rfsim.maps.views.view`, and for an unknown style or width.
    """
    ems(style, width)  # an unknown style or width is refused before anything is read
    found = view(data, over=over, **options)
    title, beside = sweep_title(data, found), "" if over is None else _beside(over, found)
    return (_curves if found.y is None else _maps)(found, title, beside, style, width)


def _maps(found: View, title: list[str], beside: str, style: str, width: str | float) -> Drawing:
    main = found.main
    assert found.y is not None
    panels = main.values.sizes[found.facet] if found.facet else 1
    room = ems(style, width) - 9  # less the color bar
    columns = max(1, min(panels, int(room // PANEL)))
    rows = math.ceil(panels / columns)
    columns = math.ceil(panels / rows)  # four panels are two and two, not three and one
    x, y = scale_of(main.values[found.x]), scale_of(main.values[found.y])
    norm = color_norm(main.values.values)
    figure = Drawing(style, centimeters(width), centimeters(width))
    with styled(style):
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        axes = list(grid.ravel()[:panels])
        looks, marks = line_looks([line.name for line in found.lines]), set()
        for k, ax in enumerate(axes):
            at = {found.facet: k} if found.facet else {}
            marks |= map_panel(ax, main.values.isel(at), main.state.isel(at), x, y, norm)
            for drawn, look in ((found.lines, {}), (found.over_lines, over_look())):
                here = [line for line in drawn if line.panel == k]
                line_panel(ax, here, {line.name: look or looks[line.name] for line in here})
            if found.facet:
                ax.set_title(assigned(found.facet, main.values[found.facet].values[k].item()), loc="left")
            ax.set_xlabel(x.label if k + columns >= panels else "")
            ax.set_ylabel(y.label if k % columns == 0 else "")
            ax.tick_params(labelbottom=k + columns >= panels)
        for ax in grid.ravel()[panels:]:
            ax.remove()
        bar = figure.colorbar(colors_of(norm), ax=axes, pad=0.02, aspect=25)
        color_ticks(bar, norm)
        bar.set_label(_quantity(found))
        for level in dict.fromkeys(float(line.points.level) for line in found.over_lines):
            bar.ax.axhline(level, **over_look())
        handles = [*line_handles(looks), *mark_handles(marks)]
        if found.over_lines:
            handles.append(Line2D([], [], label=f"{beside}, levels marked on the color bar", **over_look()))
        # no panel is lower than the name of its axis is long
        tall = max(min(TALLEST, 0.8 * (room / columns - 4)), 1 + text_width(y.label, 1.0))
        _finish(figure, title, handles, rows * (tall + (2 if found.facet else 0)) + 3.5)
    return figure


def _curves(found: View, title: list[str], beside: str, style: str, width: str | float) -> Drawing:
    main = found.main
    figure = Drawing(style, centimeters(width), centimeters(width))
    with styled(style):
        ax = figure.subplots()
        handles = curves_panel(ax, found, words_over=beside)
        ax.set_ylabel(_quantity(found))
        if found.facet and main.values.sizes[found.facet] > LEGEND:
            members = scale_of(main.values[found.facet])
            bar = figure.colorbar(family_colors(members), ax=ax, pad=0.02, aspect=25)
            dress(bar.ax, members, "y", label=False)
            bar.set_label(members.label)
        _finish(figure, title, handles, max(min(0.8 * TALLEST, 0.55 * ems(style, width)), 16.0) + 3.5)
    return figure


def _finish(figure: Drawing, title: Sequence[str], handles: Sequence[Any], height: float) -> None:
    """One legend for all under them, the title above them, and a figure as high as these and `height`.

    In units of the font size.
    """
    size = STYLES[figure.style]["font.size"]
    across = figure.get_size_inches()[0] * 72
    line = wrap(title, size, 0.96 * across)
    figure.suptitle(line, x=0.01, ha="left")
    height += 1.3 * (line.count("\n") + 1) + 1.5
    if handles:
        small = 0.92 * size
        for one in handles:
            one.set_label(wrap(str(one.get_label()).split(", "), small, 0.96 * across - 4 * small))
        height += 1.25 * legend_below(figure, handles, handle_length=2.8) + 1.0
    figure.set_size_inches(across / 72, height * size / 72)


def sweep_title(data: xr.Dataset, found: View) -> list[str]:
    """What a view holds fixed, in the papers' symbols, as pieces of a title: settings, choices and seeds."""
    told, given = store.settings(data), dict(fixed_parameters(data))
    name = str(told["command"]).replace(" ", ".")
    drawn = {found.x, found.y, found.facet}
    held = {one.name: one for one in found.main.fixed}
    limit = name.startswith("theory")
    quantity = QUANTITIES.get(name)
    pieces = []
    for one, default in DEFAULTS.items():
        value = value_of(found.main, one)
        value = given.get(one, default) if value is None else value
        varies = one in drawn or (one in found.main.values.coords and found.main.values[one].ndim)
        if one not in held and not varies and not (quantity and quantity.ignores(one)):
            value = float(value) if value == "inf" else value
            pieces.append(f"{plain(value)} data" if one == "data" else assigned(one, value))
    if limit:
        pieces.append(r"$d\to\infty$")
    for one, value in given.items():
        if one not in DEFAULTS and one not in drawn and one not in held and isinstance(value, (int, float, str)):
            pieces.append(assigned(one, float(value) if value == "inf" else value))
    chosen = [assigned(one.name, one.value) + (f" ({one.how})" if one.how else "") for one in found.main.fixed]
    same = [rf"the same at every {symbol(one)}" for one in found.main.constant]
    nowhere = [f"no line {contour_words(' = '.join(lines.sides(text)))}" for text in found.absent]
    return [*pieces, *chosen, *same, *_seeds(found), *nowhere]


def _seeds(found: View) -> list[str]:
    """How many seeds a value is the mean of."""
    if not found.main.seeds:
        return []
    counts = found.main.counts.values[found.main.counts.values > 0]
    if not counts.size:
        return []
    low, high = int(counts.min()), int(counts.max())
    if high == 1 == low:
        return ["1 seed"] if found.main.seeds == 1 else [f"1 of {found.main.seeds} seeds"]
    return [f"means of {low}–{high} seeds" if low < high else f"mean of {high} seeds"]


def _quantity(found: View) -> str:
    own = [str(one.value) for one in found.main.fixed if isinstance(one.value, str)]
    return quantity_label(found.main.values.rename(found.main.quantity.partition("[")[0]), own)


def _beside(over: xr.Dataset, found: View) -> str:
    name = str(store.settings(over)["command"])
    told = r"theory, $d\to\infty$" if name.startswith("theory") else plain(name)
    return ", ".join([told, *map(plain, found.differences)])


def color_ticks(bar: Any, norm: Normalize) -> None:
    """Plain numbers beside the colors of a log scale, powers of ten where they are far from 1."""
    if not isinstance(norm, LogNorm):
        return
    assert norm.vmin is not None
    assert norm.vmax is not None
    steps = (1.0,) if norm.vmax > 1e4 * norm.vmin else (1.0, 3.0) if norm.vmax > 1e2 * norm.vmin else (1.0, 2.0, 5.0)
    axis = bar.ax.xaxis if bar.orientation == "horizontal" else bar.ax.yaxis
    axis.set_major_locator(LogLocator(subs=steps, numticks=5 if bar.orientation == "horizontal" else 9))
    axis.set_major_formatter(FuncFormatter(lambda value, _: tick(value, log=True)))
    axis.set_minor_formatter(NullFormatter())
    axis.set_minor_locator(NullLocator())
