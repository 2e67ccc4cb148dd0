"""Reading a drawn figure as a reader does: texts and legends where they stand, and what covers what."""

from __future__ import annotations

import itertools

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text

from rfsim.plotting import styled


def legends_of(figure: Figure) -> list[Legend]:
    """All legends, those of panels first."""
    own = (ax.get_legend() for ax in figure.axes)
    return [*(legend for legend in own if legend is not None), *figure.legends]


def read(legend: Legend) -> list[str]:
    """A legend's entries row by row, from left to right, as they stand in the drawn figure."""
    figure = legend.get_figure(root=True)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    size = legend.get_texts()[0].get_fontsize() * figure.dpi / 72
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in legend.get_texts()]
    boxes.sort(key=lambda one: (-round((one[1].y0 + one[1].y1) / 2 / size), one[1].x0))
    return [text for text, _ in boxes]


def shown_texts(figure: Figure) -> list[Text]:
    """Every text that can be seen: titles, names of axes, numbers within the limits, legends, notes."""
    found = [*figure.texts, *(text for legend in legends_of(figure) for text in legend.get_texts())]
    for ax in figure.axes:
        found += [ax.title, ax._left_title, ax._right_title, ax.xaxis.label, ax.yaxis.label, *ax.texts]
        found += _numbers(ax)
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def _numbers(ax: Axes) -> list[Text]:
    found = []
    for axis, limits in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        low, high = sorted(limits)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if low <= tick.get_loc() <= high:
                found += [label for label in (tick.label1, tick.label2) if label.get_visible()]
    return found


def faults(figure: Figure) -> list[str]:
    """Texts that cover each other, and texts and legends that leave the page."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    with styled(getattr(figure, "style", "paper")):
        figure.draw_without_rendering()
        boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in shown_texts(figure)]
        boxes += [("a legend", legend.get_window_extent(renderer)) for legend in legends_of(figure)]
    texts = [one for one in boxes if one[0] != "a legend"]
    whole = figure.bbox.padded(1)
    found = [
        f"{name!r} covers {other!r}"
        for (name, box), (other, over) in itertools.combinations(texts, 2)
        if box.padded(-1.2).overlaps(over.padded(-1.2))
    ]
    for name, box in boxes:
        inside = all(whole.containsx(x) for x in (box.x0, box.x1)) and all(whole.containsy(y) for y in (box.y0, box.y1))
        found += [] if inside else [f"{name!r} leaves the page"]
    return found
