"""How rfsim's figures look: styles, widths, colors that survive grey print, canvases, and saving to equal bytes.

Figures are built without pyplot, which a program that has imported it may show them by, and without touching
matplotlib's global settings, the reader's own matplotlibrc included: a `Drawing` carries its style and every panel and
every rendering happens inside it.
"""

from __future__ import annotations

import functools
import io
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

import matplotlib
import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from rfsim.checking.text import number_or_nan
from rfsim.disk.provenance import SOURCE
from rfsim.disk.store import write
from rfsim.plotting.fonts import others_fonts, truetype
from rfsim.plotting.ticks import enough
from rfsim.plotting.windows import announce, withdraw

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


class Look(NamedTuple):
    """How one quantity is drawn, everywhere.

    Attributes:
        label: In legends, mathtext.
        color: In hexadecimal.
        dash: A matplotlib line style.
        marker: A matplotlib marker.
    """

    label: str
    color: str
    dash: Any
    marker: str


# Okabe & Ito's hues, shifted to lightness L* = 0, 32, 48, 64, 81 so that grey print keeps the parts apart.
PART_LOOKS = {
    "zero": Look("zero", "#000000", (0, (1, 1)), "v"),
    "null": Look("null", "#C8C8C8", (0, (4, 1, 1, 1, 1, 1)), "s"),
    "mini": Look("mini", "#C04F00", "-", "o"),
    "main": Look("main", "#3FA4DC", (0, (5, 1.5)), "D"),
    "gen": Look("gen", "#00507F", (0, (6, 1.5, 1, 1.5)), "^"),
}
LOSS_LOOKS = {
    "train": Look(r"$L_\mathrm{train}$", "#00684C", "-", "o"),
    "test": Look(r"$L_\mathrm{test}$", "#B5568C", (0, (5, 1.5)), "s"),
    "score": Look(r"$E_\mathrm{score}$", "#E69F00", (0, (6, 1.5, 1, 1.5)), "^"),
    "gen": Look(r"$L_\mathrm{gen}$", "#000000", "-", "D"),
    "train_penalized": Look(r"$L_\mathrm{train}+\mathrm{penalty}$", "#A8D5BC", (0, (3, 1)), "v"),
    "emp": Look(r"$L_\mathrm{emp}$", "#3FA4DC", (0, (1, 1)), "x"),
    "bias2": Look(r"$B^2$", "#00507F", "-", "o"),
    "variance": Look(r"$V$", "#C04F00", (0, (5, 1.5)), "s"),
}
# what samples come from, told apart like the parts; L* = 0, 32, 48, 64, 81
MODEL_LOOKS = {
    "teacher": Look("teacher", "#000000", "-", "o"),
    "early_teacher": Look("early teacher", "#00507F", (0, (6, 1.5, 1, 1.5)), "s"),
    "student": Look("student", "#C04F00", "-", "D"),
    "early_student": Look("early student", "#3FA4DC", (0, (6, 1.5, 1, 1.5)), "v"),
    "regression": Look("regression", "#C9C94F", (0, (5, 1.5)), "^"),
    "reference": Look("true law", "#666666", (0, (1, 1)), "x"),
}
MARKER_COLOR = "#666666"


def part_look(name: str) -> Look:
    """The look of a part; parts that merge in the limit ("mini+main") have that of the highest."""
    return PART_LOOKS[name.rpartition("+")[2]]._replace(label=name)


def sequence(k: int) -> list[str]:
    """Colors for an ordered family of curves (ψ_n, say), dark to light with even steps in lightness.

    Args:
        k: How many.

    Returns:
        Colors in hexadecimal.

    Raises:
        ValueError: For fewer than one.

    >>> sequence(3)
    ['#440154', '#26828e', '#b0dd2f']
    """
    if k < 1:
        raise ValueError(f"a sequence needs at least one color; got {k}")
    # viridis is even in lightness; its last tenth is too light for a line on white
    return [to_hex(color) for color in matplotlib.colormaps["viridis"](np.linspace(0, 0.88, k))]


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


class Drawing(Figure):
    """A figure that is drawn and written in its own style wherever that is done.

    Fonts of PDF and PostScript are TrueType, those of SVG outlines.

    Args:
        style: "paper", "talk" or "screen".
        width: In cm.
        height: In cm.
    """

    def __init__(self, style: str, width: float, height: float) -> None:
        with styled(style):
            super().__init__(figsize=(width / 2.54, height / 2.54), layout="constrained")
        self.style = style

    def draw(self, renderer: Any) -> None:
        """As matplotlib's, in the figure's style."""
        with styled(self.style), truetype(renderer):
            enough(self)
            super().draw(renderer)

    def savefig(self, fname: Any, **options: Any) -> None:
        """As matplotlib's, in the figure's style."""
        with styled(self.style):
            super().savefig(fname, **options)

    def set_canvas(self, canvas: Any) -> None:
        """As matplotlib's; a canvas writes in the figure's style, too: notebooks and windows do not ask the figure."""
        write = canvas.print_figure

        @functools.wraps(write)
        def print_figure(*args: Any, **options: Any) -> Any:
            with styled(self.style):
                return write(*args, **options)

        canvas.print_figure = print_figure
        super().set_canvas(canvas)

    def _ipython_display_(self) -> None:
        """A notebook is about to show this figure, as it shows any: pyplot need not show it again."""
        withdraw(self)
        raise NotImplementedError  # what shows figures goes on

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """What a notebook shows: without pyplot, nothing else tells it how. Its width there is that of the page."""
        image = io.BytesIO()
        self.savefig(image, format="png", metadata={"Software": None})
        return image.getvalue(), {"width": round(float(self.get_figwidth() * self.dpi))}


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


def canvas(
    rows: int = 1, columns: int = 1, *, style: str = "paper", width: str | float = "single", aspect: float = 0.75
) -> tuple[Drawing, np.ndarray]:
    """An empty figure and its axes.

    Args:
        rows: Of panels.
        columns: Of panels.
        style: "paper", "talk" or "screen".
        width: "single", "double" or cm, as in `centimeters`.
        aspect: Height over width of one panel.

    Returns:
        The figure and an array of axes, (rows, columns).

    Raises:
        ValueError: For an unknown style or width.
    """
    across = centimeters(width)
    figure = Drawing(style, across, rows * aspect * across / columns)
    with styled(style):
        axes = figure.subplots(rows, columns, squeeze=False)
    announce(figure)
    return figure, axes


@contextmanager
def _laid_out(figure: Figure) -> Iterator[None]:
    """The layout of an image for all files: matplotlib draws everything once more to solve it anew for each of them."""
    if (engine := figure.get_layout_engine()) is None:
        yield
        return
    before, asked = figure.dpi, matplotlib.rcParams["savefig.dpi"]
    figure.dpi = before if asked == "figure" else asked
    try:
        if isinstance(figure, Drawing):
            enough(figure)
        engine.execute(figure)
        figure.set_layout_engine(None)
        yield
    finally:
        figure.set_layout_engine(engine)
        figure.dpi = before


def save(
    figure: Figure,
    stem: str | Path,
    *,
    style: str | None = None,
    source: str | None = None,
    suffixes: Sequence[str] = (".pdf", ".png"),
) -> list[Path]:
    """Write a figure as vector PDF, fonts embedded, and PNG, each whole or not at all; equal figures give equal bytes.

    Args:
        figure: The figure.
        stem: Path of the files without their suffix.
        style: The figure's own by default, or "paper" for a figure made elsewhere.
        source: What it was drawn from, kept in the PNG's text under digests.SOURCE.
        suffixes: Of the files to write.

    Returns:
        The files.

    Raises:
        StoreError: Where the folder cannot be written.
    """
    stem = Path(stem)
    metadata = {
        ".pdf": dict.fromkeys(("CreationDate", "Creator", "Producer")),
        ".png": {"Software": None} | ({} if source is None else {SOURCE: source}),
    }
    written = []
    with styled(style or getattr(figure, "style", "paper")), _laid_out(figure):
        for suffix in suffixes:
            path = stem.with_name(stem.name + suffix)
            drawn = io.BytesIO()  # in memory: where a disk is full the writer of PDFs fails once more while it closes
            figure.savefig(drawn, format=suffix[1:], metadata=metadata[suffix])
            write(path, drawn.getbuffer())
            written.append(path)
    return written
