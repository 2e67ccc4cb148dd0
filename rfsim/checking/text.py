"""What is typed: numbers read strictly, texts as messages show them, the nearest valid name, counts of things.

Every number that stands in a text is read here. Python's own `float` and `int` take more than numbers as they are
written: underscores inside them, and the digits of every script.
"""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from collections.abc import Iterable

LARGEST = 2**53  # the whole numbers that float64, JSON and netCDF all hold
SEVERAL, SURE, STEM = 3, 4, 3  # choices looked at; letters for each that may be wrong; those that begin a word
GREEK = re.compile("[α-ωΑ-Ω]")
LETTERS = {"lamda": "lambda", "final sigma": "varsigma"}  # Unicode's names of letters that TeX calls otherwise
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
    near = difflib.get_close_matches(name, sorted(choices), n=SEVERAL)
    found = next((one for one in near if _is_near(name, one)), None)
    return f"; did you mean {found!r}?" if found else ""


def spelled(text: str) -> str:
    """A text with the names of its Greek letters in their place.

    >>> spelled("ψ_n"), spelled("λ Σ ς")
    ('psi_n', 'lambda Sigma varsigma')
    """
    return GREEK.sub(_letter_name, text)


def _letter_name(found: re.Match[str]) -> str:
    name = unicodedata.name(found[0]).lower().partition(" letter ")[2]
    name = LETTERS.get(name, name)
    return name.capitalize() if found[0].isupper() else name


def _is_near(name: str, choice: str) -> bool:
    """Whether one is the other mistyped, its beginning, or some of its words: by difflib alone --no-open is --no-token.

    >>> _is_near("--no-open", "--no-token"), _is_near("--tarin-times", "--train-times")
    (False, True)
    >>> _is_near("--copies", "--noise-copies"), _is_near("--dimension", "--dim")
    (True, True)
    """
    words, others = ([word for word in re.split(r"[-_ ]+", one) if word != "no"] for one in (name, choice))
    words, others = [word for word in words if word], [word for word in others if word]
    if words and others and {*words} <= {*others}:
        return True
    left, right = " ".join(words), " ".join(others)
    if min(len(left), len(right)) >= STEM and (left.startswith(right) or right.startswith(left)):
        return True
    return _slips(left, right) <= max(1, max(len(left), len(right)) // SURE)


def _slips(left: str, right: str) -> int:
    """Letters left out, added, mistaken or swapped with their neighbor, between two texts."""
    before, last = [], list(range(len(right) + 1))
    for i, one in enumerate(left):
        row = [i + 1]
        for k, other in enumerate(right):
            best = min(row[k] + 1, last[k + 1] + 1, last[k] + (one != other))
            if i and k and one == right[k - 1] and left[i - 1] == other:
                best = min(best, before[k - 1] + 1)
            row.append(best)
        before, last = last, row
    return last[-1]


def counted(count: int, noun: str) -> str:
    """So many of something.

    >>> counted(1, "group"), counted(2, "group"), counted(2, "process")
    ('1 group', '2 groups', '2 processes')
    """
    return f"{count} {noun}{'' if count == 1 else 'es' if noun.endswith('s') else 's'}"


def one_line(text: str) -> str:
    """A text whose lines are joined by a space."""
    return " ".join(text.split())
