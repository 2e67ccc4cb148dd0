"""Figures that are drawn and written in their own style, and to equal bytes."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.style
import numpy as np
from matplotlib.figure import Figure

from rfsim.disk.provenance import SOURCE
from rfsim.disk.store import write
from rfsim.plotting.fonts import truetype
from rfsim.plotting.style import centimeters, styled
from rfsim.plotting.ticks import enough


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

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """What a notebook shows: without pyplot, nothing else tells it how. Its width there is that of the page."""
        image = io.BytesIO()
        self.savefig(image, format="png", metadata={"Software": None})
        return image.getvalue(), {"width": round(float(self.get_figwidth() * self.dpi))}


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
        return figure, figure.subplots(rows, columns, squeeze=False)


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
