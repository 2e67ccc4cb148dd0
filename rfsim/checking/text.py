"""What is typed: numbers read strictly, texts as messages show them, the nearest valid name, counts of things.

Every number that stands in a text is read here. Python's own `float` and `int` take more than numbers as they are
written: underscores inside them, and the digits of every script.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable

LARGEST = 2**53  # the whole numbers that float64, JSON and netCDF all hold
WRITTEN = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf|infinity)", re.IGNORECASE)


def number(text: str) -> float:
    """A real number or inf; what overflows float64 is refused and not taken for inf.

    >>> number("inf"), number("1e5")
    (inf, 100000.0)
    >>> number("1_000")
    Traceback (most recent call last):
    ...
    ValueError: must be a number that float64 holds, or inf; got '1_000'
    """
    plain = text.strip(" \t")
    value = float(plain) if WRITTEN.fullmatch(plain) else math.nan
    if value != value or (math.isinf(value) and "inf" not in plain.lower()):
        raise ValueError(f"must be a number that float64 holds, or inf; got {shown(text)}")
    return value


def number_or_nan(text: str) -> float:
    """`number`, and NaN for what is none: for those who say themselves what they need."""
    try:
        return number(text)
    except ValueError:
        return math.nan


def whole(text: str, least: int, most: int = LARGEST) -> int:
    """A whole number from `least` to `most`; 1e3 is one, 3.5, nan and 1e400 are not.

    >>> whole("1e3", 1)
    1000
    """
    value = number_or_nan(text)
    if not math.isfinite(value) or value != int(value) or not least <= value <= most:
        raise ValueError(f"must be a whole number from {least} to {_bound(most)}; got {shown(text)}")
    return int(value)


def digits(text: str) -> int | None:
    """A whole number written in digits alone, as inside "digits:10"; None for any other text.

    >>> digits("12"), digits("1e3"), digits("-1")
    (12, None, None)
    """
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 16 else None


def geometric(first: float, last: float, count: int) -> tuple[float, ...]:
    """Numbers evenly spaced on a log axis, both ends included, each as short as it may be said.

    >>> geometric(1, 1000, 4)
    (1.0, 10.0, 100.0, 1000.0)
    """
    import numpy as np  # `rfsim --help` reads this module

    return tuple(float(f"{value:.15g}") for value in np.geomspace(first, last, count).tolist())


def _bound(most: int) -> str:
    return "2^53" if most == LARGEST else f"{most}"


def shown(text: str) -> str:
    """`text` in quotes, shortened to fit a line."""
    return repr(text if len(text) <= 40 else text[:37] + "...")


def nearest(name: str, choices: Iterable[str]) -> str:
    """What to add to a message on an unknown name: "; did you mean 'NAME'?", or nothing where no choice is near.

    >>> nearest("thanh", ["tanh", "erf"])
    "; did you mean 'tanh'?"
    """
    near = difflib.get_close_matches(name, sorted(choices), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def counted(count: int, noun: str) -> str:
    """So many of something.

    >>> counted(1, "group"), counted(2, "group"), counted(2, "process")
    ('1 group', '2 groups', '2 processes')
    """
    return f"{count} {noun}{'' if count == 1 else 'es' if noun.endswith('s') else 's'}"


def one_line(text: str) -> str:
    """A text whose lines are joined by a space."""
    return " ".join(text.split())
