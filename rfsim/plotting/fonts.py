"""Fonts of PDF files: what rfsim draws is TrueType in every document, also in one that others make and finish.

Matplotlib asks its global settings how fonts are embedded, once for a whole document and when that is finished: of a
`PdfPages` after every figure was left. A font that rfsim drew with is therefore marked in its document.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib

TRUETYPE: dict[str, Any] = {"pdf.fonttype": 42, "ps.fonttype": 42}
_MARK = "_rfsim_fonts"
_outside: list[bool] = []  # whether the fonts of others are TrueType, as was set before rfsim's own settings


@contextmanager
def others_fonts() -> Iterator[None]:
    """Remember, inside the block, how matplotlib was set to embed fonts before it."""
    _outside.append(_outside[-1] if _outside else matplotlib.rcParams["pdf.fonttype"] == 42)
    try:
        yield
    finally:
        _outside.pop()


class _Fonts:
    """The fonts of one document: by file, whether they are drawn as TrueType."""

    def __init__(self, file: Any) -> None:
        self.ours = False  # while rfsim draws
        self.truetype: dict[str, bool] = {}
        self._name: Callable[..., Any] = file.fontName
        self._embed: Callable[..., Any] = file.embedTTF

    def name(self, font: Any, *more: Any, **named: Any) -> Any:
        """What a font is called in the document, asked whenever a text is drawn with it."""
        path, truetype = str(font), self.ours or matplotlib.rcParams["pdf.fonttype"] == 42
        if self.truetype.setdefault(path, truetype) != truetype:
            raise ValueError(
                "this PDF has a font in common with a figure of rfsim, where it is TrueType; set "
                "matplotlib.rcParams['pdf.fonttype'] = 42 before the first page"
            )
        return self._name(font, *more, **named)

    def embed(self, font: Any, *more: Any, **named: Any) -> Any:
        ours: Any = TRUETYPE if self.truetype.get(str(font)) else {}
        with matplotlib.rc_context(ours):
            return self._embed(font, *more, **named)


@contextmanager
def truetype(renderer: Any) -> Iterator[None]:
    """TrueType fonts in what is drawn into a PDF inside the block, whenever and by whomever the PDF is finished.

    The block is itself inside `others_fonts`; `renderer` is the figure's.
    """
    file = getattr(renderer, "file", None)
    backend = sys.modules.get("matplotlib.backends.backend_pdf")
    if backend is None or not isinstance(file, backend.PdfFile):
        yield
        return
    fonts: _Fonts = getattr(file, _MARK, None) or _watched(file)
    before, fonts.ours = fonts.ours, True
    try:
        yield
    finally:
        fonts.ours = before


def _watched(file: Any) -> _Fonts:
    fonts = _Fonts(file)
    fonts.truetype = {str(path): _outside[-1] for path, _ in file._fontNames}
    setattr(file, _MARK, fonts)
    file.fontName, file.embedTTF = fonts.name, fonts.embed
    return fonts
