"""Numbers on an axis: at least two on every axis that has any, so that its scale can be read."""

from __future__ import annotations

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    LogFormatterSciNotation,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
)

STEPS = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), tuple(map(float, range(1, 10))))  # of a decade, ever finer
PLAIN = (1e-3, 1e4)  # numbers between are written out


def between(low: float, high: float, *, log: bool) -> list[float]:
    """Round numbers from low to high, two at least where these differ, not many more.

    >>> between(0.2, 0.7, log=True), between(0.99, 1.013, log=False)
    ([0.2, 0.3, 0.4, 0.5, 0.6, 0.7], [0.99, 1.0, 1.01])
    """
    tries = [LogLocator(subs=list(steps), numticks=9).tick_values(low, high) for steps in STEPS] if log else []
    tries += [MaxNLocator(count, steps=[1, 2, 5, 10]).tick_values(low, high) for count in (4, 6, 9)]
    for found in tries:
        inside = [float(f"{one:.12g}") for one in found if low <= one <= high]
        if len(inside) >= 2:
            return inside
    return [low, high] if low < high else [low]


def enough(figure: Figure) -> None:
    """Give every axis of a figure whose numbers matplotlib chooses, and of which fewer than two are seen, two or more.

    Axes whose numbers were chosen one by one stay as they are.
    """
    for ax in figure.axes:
        for axis, limits in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
            low, high = sorted(limits)
            locator = axis.get_major_locator()
            if isinstance(locator, (FixedLocator, NullLocator)) or axis.get_scale() not in ("log", "linear"):
                continue
            if low == high or _seen(axis, low, high) >= 2:
                continue
            log = axis.get_scale() == "log"
            axis.set_major_locator(FixedLocator(between(low, high, log=log)))
            axis.set_minor_formatter(NullFormatter())
            if log:
                written = low >= PLAIN[0] and high < PLAIN[1]
                axis.set_major_formatter(
                    FuncFormatter(lambda value, _: f"{value:g}")
                    if written
                    else LogFormatterSciNotation(minor_thresholds=(float("inf"), float("inf")))
                )


def _seen(axis: Axis, low: float, high: float) -> int:
    """How many ticks with a number there are from low to high."""
    count = 0
    for locator, formatter in (
        (axis.get_major_locator(), axis.get_major_formatter()),
        (axis.get_minor_locator(), axis.get_minor_formatter()),
    ):
        places = [one for one in locator() if low <= one <= high]
        count += sum(bool(text) for text in formatter.format_ticks(places))
    return count
