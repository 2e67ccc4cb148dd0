"""Whole figures: what `rfsim.plot` draws of a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, Unpack

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rfsim.checking.text import nearest
from rfsim.disk import renamed, store
from rfsim.maps.views import KIND as SWEEP
from rfsim.plotting.drawing import Drawing
from rfsim.plotting.forms import a_thing, ready
from rfsim.plotting.layout import figure_of, share_axis, wrap
from rfsim.plotting.legends import legend_rise
from rfsim.plotting.pages import Page
from rfsim.plotting.style import CENTIMETER, STYLES, centimeters, ems, style_of, styled
from rfsim.plotting.sweep import sweep_figure
from rfsim.plotting.titles import problem_line
from rfsim.quantities.catalog import PAGES, resolve

PAPER, DOUBLE = "paper", "double"
# in font sizes: what stands below an axis with its numbers and name, below one without, and the lowest panel
LABELLED, SHARED, LOWEST = 4.2, 1.2, 8.2
TALLEST = 2.5  # of a figure of one column, which goes on a page: its height over its width


class FigureOptions(TypedDict, total=False):
    """What is drawn of a sweep, as `rfsim.maps.views.view` takes it.

    Attributes:
        x: Axis.
        y: Second axis of a map.
        quantity: A variable.
        facet: Axis of panels, or of curves.
        at: Values of other axes, by name.
        contours: Texts QUANTITY=LEVEL.
        over: Another sweep.
    """

    x: str | None
    y: str | None
    quantity: str | None
    facet: str | None
    at: Mapping[str, Any] | None
    contours: Sequence[str]
    over: xr.Dataset | str | Path | None


def plot(
    result: xr.Dataset | str | Path,
    *,
    style: str = PAPER,
    width: str | float = DOUBLE,
    ax: Axes | None = None,
    **options: Unpack[FigureOptions],
) -> Figure:
    """Draw any result, of a sample or of the limit, by its kind.

    A spectrum on a log and on linear axes; losses, gap, energies and spectrum of a training (losses and gap alone by
    the Krylov route), or bias² and variance; losses against the ridge; energies, leakage and samples of a distillation;
    a loss against τ for several ridges, and over a plane of the limit;
    losses and gap of a simulation against steps; a density by stochastic Lanczos; a sweep as a map over two axes or as
    curves along one. `rfsim.plotting.save` writes the figure.

    Args:
        result: A dataset, or the path of a stored one. Its dimensions are read by name: selected, transposed or joined
            over seeds it draws the same.
        style: "paper", "talk" or "screen".
        width: "single" (8.6 cm), "double" (17.8 cm) or a number of cm.
        ax: Axes of another figure to draw on, where the figure has one panel; the figure that holds them is then
            returned, in its own style.
        **options: For sweeps only (`rfsim.maps.views.view`): `x` and `y`, the axes of a map, or `x` alone for curves;
            `quantity`, a variable ("gen", "tau_mem[formula]"); `facet`, an axis of panels, or of curves; `at`, axis →
            value, for other axes, else seeds are averaged and the last value is taken, as the title says; `contours`,
            such as ["gen=0.1", "tau_mem=train_time"]; `over`, another sweep whose same quantity is drawn dashed.

    Returns:
        The figure.

    Raises:
        ValueError: In one line, for an unknown style or width, for what is none of these results or lacks what is to be
            drawn, and for what a sweep has not.
        TypeError: For an argument that there is not.
        StoreError: For a path that cannot be read.

    >>> import rfsim
    >>> figure = plot(rfsim.spectrum(rfsim.Problem(samples_per_dim=2, features_per_dim=4), dim=10))
    >>> [ax.get_xscale() for ax in figure.axes]
    ['log', 'linear', 'linear']
    """
    if unknown := [name for name in options if name not in FigureOptions.__annotations__]:
        known = ["style", "width", "ax", *FigureOptions.__annotations__]
        raise TypeError(f"plot has no {unknown[0]!r}{nearest(unknown[0], known)}; it takes {', '.join(known)}")
    ems(style, width)  # an unknown style or width is refused before anything is read
    result = _result(result)
    if ax is not None:
        return _on(ax, result, given=[*options, *_changed(style, width)])
    kind = result.attrs[store.KIND]
    if kind == SWEEP:
        chosen: dict[str, Any] = dict(options)
        if chosen.get("over") is not None:
            chosen["over"] = _result(chosen["over"])
        return sweep_figure(result, style=style, width=width, **chosen)
    page = _page(result)
    if options:
        raise ValueError(f"{', '.join(options)} choose what is drawn of a sweep; this is a result of the kind {kind}")
    return _whole(problem_line(ready(result)), page, style, width)


def _result(given: Any) -> xr.Dataset:
    """A result as it was given, read where a path was; ValueError for anything else."""
    if isinstance(given, (str, Path)):
        given = store.load(given)
    if not isinstance(given, xr.Dataset):
        several = isinstance(given, (list, tuple, Mapping))
        way = "draw them one by one, or join the seeds of one problem by xarray.concat(results, 'seed')"
        remedy = f"; {way}" if several else "; a variable alone is none" if isinstance(given, xr.DataArray) else ""
        raise ValueError(
            f"plot draws one result, a dataset of rfsim's or the path of one; got {a_thing(given)}{remedy}"
        )
    if store.KIND not in given.attrs:
        raise ValueError(
            f"plot draws results of rfsim; got an unlabelled dataset, without the attribute {store.KIND!r}, which "
            "arithmetic drops and xarray.set_options(keep_attrs=True) keeps"
        )
    try:
        told = store.settings(given)
    except (KeyError, TypeError, ValueError):
        told = None
    if not isinstance(told, dict):
        raise ValueError("plot draws results of rfsim; this one has lost its settings, which the title says")
    return renamed.renamed(given)  # xarray reads files too, with the names that they have


def _page(result: xr.Dataset) -> Page:
    kind = result.attrs[store.KIND]
    page = PAGES.get(kind)
    if page is None:
        raise ValueError(f"plot draws results of the kinds {', '.join([*PAGES, SWEEP])}; got {kind}")
    return resolve(page)(ready(result))


def _whole(title: list[str], page: Page, style: str, width: str | float) -> Drawing:
    wide = ems(style, width) >= 44
    rows, panels = page
    if not wide:  # one column, in which panels over the same axis follow each other
        rows = [[name] for name in dict.fromkeys(name for column in zip(*rows, strict=True) for name in column)]
    size = STYLES[style]["font.size"]
    figure = Drawing(style, centimeters(width), centimeters(width))
    with styled(style):
        axes = figure.subplot_mosaic([list(row) for row in rows])
        line = wrap(title, size, 0.96 * centimeters(width) * CENTIMETER)
        figure.suptitle(line, x=0.01, ha="left")
        for name, panel in panels.items():
            panel(axes[name])
        around = 1.3 * (line.count("\n") + 1) + 1.0  # what is not panels, in units of the font size
        for row, below in zip(rows, [*rows[1:], None], strict=True):
            shared = not wide and below is not None and share_axis(axes[row[0]], axes[below[0]])
            around += max(legend_rise(axes[name]) for name in row) / size + (SHARED if shared else LABELLED)
        across = ems(style, width)
        inner = (0.6 if wide else 0.5) * (across / len(rows[0]) - 6)
        if not wide:
            inner = min(inner, (TALLEST * across - around) / len(rows))
        height = around + len(rows) * max(LOWEST, inner)
        figure.set_size_inches(across * size / 72, height * size / 72)
    return figure


def _changed(style: str, width: str | float) -> list[str]:
    return [name for name, differs in (("style", style != PAPER), ("width", width != DOUBLE)) if differs]


def _on(ax: Axes, result: xr.Dataset, given: Sequence[str]) -> Figure:
    """The one panel of a figure on axes that there are."""
    if not isinstance(ax, Axes):
        raise ValueError(f"ax must be matplotlib axes; got {a_thing(ax)}")
    if result.attrs[store.KIND] == SWEEP:
        raise ValueError("the figure of a sweep has a title, a legend and a color bar beside its axes; leave out ax")
    if given:
        raise ValueError(f"{', '.join(given)} cannot be given with ax, whose figure has its own; leave out ax")
    panels = _page(result).panels
    if len(panels) > 1:
        raise ValueError(
            f"this figure has {len(panels)} panels ({', '.join(panels)}); leave out ax, or draw one of them by its "
            "function in rfsim.plotting, such as loss_panel(ax, result)"
        )
    with style_of(ax):
        for panel in panels.values():
            panel(ax)
    return figure_of(ax)
