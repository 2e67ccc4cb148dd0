"""How rfsim's figures look: styles, widths, colors that survive grey print, canvases, and saving to equal bytes.

Figures are built without pyplot and without touching matplotlib's global settings, the reader's own matplotlibrc
included: a `Drawing` carries its style and every panel and every rendering happens inside it.
"""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Concatenate, ParamSpec, TypeVar

import matplotlib
import matplotlib.style
from matplotlib.axes import Axes

from rfsim.checking.text import number_or_nan
from rfsim.plotting.fonts import others_fonts

P = ParamSpec("P")
R = TypeVar("R")
CENTIMETER = 72 / 2.54  # points
WIDTHS = {"single": 8.6, "double": 17.8}
NARROWEST, WIDEST = 6.0, 60.0


def _style(size: float, line: float, dpi: int, fonts: dict[str, Any]) -> dict[str, Any]:
    return fonts | {
        "font.size": size,
        "axes.labelsize": size,
        "axes.titlesize": size,
        "figure.titlesize": size,
        "legend.fontsize": 0.92 * size,
        "xtick.labelsize": 0.92 * size,
        "ytick.labelsize": 0.92 * size,
        "lines.linewidth": line,
        "lines.markersize": 0.55 * size,
        "patch.linewidth": 0.6 * line,
        "axes.linewidth": 0.6 * line,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.major.width": 0.6 * line,
        "ytick.major.width": 0.6 * line,
        "xtick.minor.width": 0.4 * line,
        "ytick.minor.width": 0.4 * line,
        "xtick.major.size": 0.4 * size,
        "ytick.major.size": 0.4 * size,
        "xtick.minor.size": 0.22 * size,
        "ytick.minor.size": 0.22 * size,
        "axes.labelpad": 0.35 * size,
        "legend.frameon": False,
        "legend.borderpad": 0.1,
        "legend.borderaxespad": 0.3,
        "legend.handlelength": 2.2,
        "legend.handletextpad": 0.5,
        "legend.columnspacing": 1.2,
        "legend.labelspacing": 0.25,
        "figure.dpi": 100,
        "savefig.dpi": dpi,
        "pdf.fonttype": 42,
        "ps.fonttype": 42,
    }


_SERIF = {"font.family": "STIXGeneral", "mathtext.fontset": "stix"}  # both ship with matplotlib: the same everywhere
_SANS = {"font.family": "DejaVu Sans", "mathtext.fontset": "dejavusans"}
STYLES = {
    "paper": _style(8.5, 1.1, 200, _SERIF),
    "talk": _style(11.0, 2.0, 200, _SANS),
    "screen": _style(8.5, 1.5, 150, _SANS),
}


_DRAWING = threading.RLock()  # matplotlib's settings are the program's: one thread draws at a time
_in_force: list[str] = []  # styles that the drawing thread is in, the innermost last


def styled(style: str) -> AbstractContextManager[None]:
    """Matplotlib's own defaults with a style on top, inside a `with` block only; other threads wait meanwhile.

    Args:
        style: "paper", "talk" or "screen".

    Returns:
        The context.

    Raises:
        ValueError: For another style.
    """
    return _alone(_known(style))


def _known(style: str) -> str:
    if not isinstance(style, str) or style not in STYLES:
        raise ValueError(f"style must be one of {', '.join(STYLES)}; got {style!r}")
    return style


@contextmanager
def _alone(style: str) -> Iterator[None]:
    with _DRAWING:
        if _in_force[-1:] == [style]:  # panels are drawn inside their figure's style: nothing to set again
            yield
            return
        _in_force.append(style)
        try:
            with others_fonts(), matplotlib.style.context(STYLES[style], after_reset=True):
                yield
        finally:
            _in_force.pop()


def centimeters(width: str | float) -> float:
    """A figure's width in cm.

    Args:
        width: "single" (8.6), "double" (17.8), or a number, as text too, between 6 and 60.

    Returns:
        The width.

    Raises:
        ValueError: For another width.

    >>> centimeters("single"), centimeters("12.5")
    (8.6, 12.5)
    """
    if isinstance(width, str) and width in WIDTHS:
        return WIDTHS[width]
    try:
        given = number_or_nan(width) if isinstance(width, str) else float(width)
        value = math.nan if isinstance(width, bool) else given
    except (TypeError, ValueError):
        value = math.nan
    if not NARROWEST <= value <= WIDEST:
        raise ValueError(
            f"width must be {', '.join(WIDTHS)} or a number of cm from {NARROWEST:g} to {WIDEST:g}; got {width!r}"
        )
    return value


def ems(style: str, width: str | float) -> float:
    """A figure's width in units of its style's font size: what decides how many panels fit side by side."""
    return centimeters(width) * CENTIMETER / STYLES[_known(style)]["font.size"]


def number(value: float | str) -> str:
    r"""A setting in mathtext, to four digits.

    Args:
        value: A number, or "inf".

    Returns:
        Mathtext without dollar signs.

    >>> number("inf"), number(0.1), number(1e-6)
    ('\\infty', '0.1', '10^{-6}')
    """
    if value in ("inf", math.inf):
        return r"\infty"
    digits, _, exponent = f"{value:.4g}".partition("e")
    return rf"{digits}\times 10^{{{int(exponent)}}}".removeprefix(r"1\times ") if exponent else digits


def style_of(ax: Axes) -> AbstractContextManager[None]:
    """The style of the figure that axes belong to; "paper" for a figure made elsewhere.

    Args:
        ax: Axes.

    Returns:
        The context, as of `styled`.
    """
    return styled(getattr(ax.get_figure(root=True), "style", "paper"))


def in_style(draw: Callable[Concatenate[Axes, P], R]) -> Callable[Concatenate[Axes, P], R]:
    """`draw(ax, …)` inside the style of the figure that `ax` belongs to."""

    @functools.wraps(draw)
    def drawn(ax: Axes, *args: P.args, **kwargs: P.kwargs) -> R:
        with style_of(ax):
            return draw(ax, *args, **kwargs)

    return drawn
