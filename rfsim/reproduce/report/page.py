"""The report as one HTML page that needs nothing but itself: style and figures are in it, and it runs no script.

What it says stands in page.html, where all text is escaped; the page's own policy forbids it to load or to run
anything. Equal parts give equal bytes.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL.PngImagePlugin import PngImageFile

from rfsim.problem.glossary import WORDS, explained
from rfsim.reproduce.report.entries import EARLIER, ReportPart
from rfsim.reproduce.report.items import cited, items
from rfsim.reproduce.report.texts import (
    SYMBOLS,
    counts,
    duration,
    size_words,
    standing_words,
    value_words,
    version_words,
)

SHOWN = 0.62  # of a figure's pixels, so that its letters are about those of the page and sharp on a fine screen
WIDE = 900  # pixels beyond which a figure is not shrunk to a phone's width


class Image(NamedTuple):
    """A PNG in the page: its size there, its bytes in base64."""

    width: int
    height: int
    wide: bool
    data: str


def html(parts: Sequence[ReportPart]) -> str:
    """The page."""
    room = Environment(
        loader=PackageLoader("rfsim", "reproduce/report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    room.filters |= {
        "duration": duration,
        "image": _image,
        "short": _short,
        "slug": lambda verdict: verdict.replace(" ", "-"),
        "standing": standing_words,
        "value": value_words,
    }
    return room.get_template("page.html").render(
        cited=cited,
        counts=counts(parts),
        earlier=EARLIER,
        entries=[entry for part in parts for entry in part.entries],
        items=items(),
        parts=parts,
        standing=[size_words(parts), *version_words(parts)],
        symbols=SYMBOLS,
        words=explained(WORDS),
    )


def _image(file: Path) -> Image:
    data = file.read_bytes()
    with PngImageFile(io.BytesIO(data)) as picture:
        width, height = picture.size
    return Image(round(width * SHOWN), round(height * SHOWN), width > WIDE, base64.b64encode(data).decode())


def _short(words: str) -> str:
    """The first clause of an item.

    >>> _short("B25: L_gen collapses over ψ_n; τ_mem ∝ n. A first look"), _short("L_gen over n (Fig. 5). They")
    ('B25: L_gen collapses over ψ_n', 'L_gen over n (Fig. 5)')
    """
    return re.split(r"; |\.$|\. (?=[A-Z])", words)[0]
