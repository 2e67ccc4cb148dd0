"""Formulas as sources write them, in plain text, with their scripts set: τ_mem, e^{−2t} and c_ij^s as on paper.

Nothing but scripts is touched, so that what is read is what is written: `plain` is the way back, and a test takes every
line of the equations there and back again.
"""

from __future__ import annotations

import html
import re

# a letter of any alphabet with its accents; of ours one that begins no name, so that names of variables stay
OURS = r"(?<![A-Za-z_.-])(?:He|min|Var|[A-Za-z])|(?<=(?<![A-Za-z])[a-z])[A-Z]|(?<=_[a-z])[a-z]"
BASE = rf"(?:{OURS}|[^\W\dA-Za-z_²³]|[∇∂∫∮‖])[\u0300-\u036f]*[′'⁻]?"
WORDS = "test|train|score|gen|main|mini|mem|emp|half|min|max|out|skip|lin|part|bulk|script|ema"
PAIRS = "ij|ii|ir|iq|rq|rr|qq|pq|uu|kk|pa"  # of indices; other letters stand alone: A_y c_1
SUB = re.compile(rf"({BASE})_(?:\{{([^{{}}]*)\}}|((?:{WORDS})(?![a-z])|{PAIRS}|[A-Z]\d+|[a-zA-Zα-ωΑ-Ω∞*⋆]|\d+))")
SUP = re.compile(r"\^(?:\{([^{}]*)\}|([−-]?(?:\.?\d+(?:\.\d+)?|[A-Za-zα-ω∞*])))")
SET = re.compile(r"<(sub|sup)>((?:(?!<su[bp]>).)*?)</\1>")  # innermost


def scripts(text: str) -> str:
    """HTML text with subscripts and superscripts set."""
    lower = SUB.sub(lambda found: f"{found[1]}<sub>{found[2] or found[3]}</sub>", text)
    return SUP.sub(lambda found: f"<sup>{found[1] or found[2]}</sup>", lower)


def plain(text: str) -> str:
    """The text that scripts were set in, as it is written; all scripts in braces."""
    marks = {"sub": "_", "sup": "^"}
    count = 1
    while count:
        text, count = SET.subn(lambda found: f"{marks[found[1]]}{{{found[2]}}}", text)
    return html.unescape(text)


def braced(text: str) -> str:
    """A source with all of its scripts in braces, whichever way it writes them."""
    upper = SUP.sub(lambda found: f"^{{{found[1] or found[2]}}}", text)
    return SUB.sub(lambda found: f"{found[1]}_{{{found[2] or found[3]}}}", upper)
