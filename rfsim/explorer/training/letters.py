"""Outlines of texts, laid out once: most are the same in every picture, and they take half of its drawing."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font
from matplotlib.textpath import TextToPath

MOST = 4096  # texts, of some kB


class Letters(TextToPath):
    """As matplotlib's, which lays every text out anew for each renderer."""

    def __init__(self) -> None:
        super().__init__()
        self._size = lru_cache(MOST)(super().get_text_width_height_descent)
        self._outlines = lru_cache(MOST)(super().get_glyphs_with_font)

    def get_text_width_height_descent(self, s: str, prop: FontProperties, ismath: Any) -> tuple[float, float, float]:
        """The size of a text."""
        return self._size(s, prop.copy(), ismath)  # a key: who asks may change theirs

    def get_glyphs_with_font(
        self,
        font: FT2Font,
        s: str,
        glyph_map: Any = None,
        return_new_glyphs_only: bool = False,
        *,
        features: Any = None,
        language: Any = None,
    ) -> tuple[list[tuple[str, float, float, float]], dict[str, Any], list[Any]]:
        """Where each glyph of a text stands, and the outlines of those that are not in `glyph_map`."""
        if not return_new_glyphs_only or features or language:
            return super().get_glyphs_with_font(
                font, s, glyph_map, return_new_glyphs_only, features=features, language=language
            )
        stands, outlines, rects = self._outlines(font, s)
        return stands, {name: one for name, one in outlines.items() if name not in (glyph_map or ())}, rects


LETTERS = Letters()
