"""What is typed: numbers read strictly, texts as messages show them, and the nearest valid name as a hint."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable


def number(text: str) -> float:
    """A real number or inf; what overflows float64 is refused and not taken for inf.

    >>> number("inf"), number("1e5")
    (inf, 100000.0)
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if value != value or (math.isinf(value) and "inf" not in text.lower()):
        raise ValueError(f"must be a number that float64 holds, or inf; got {shown(text)}")
    return value


def geometric(first: float, last: float, count: int) -> tuple[float, ...]:
    """Numbers evenly spaced on a log axis, both ends included, each as short as it may be said.

    >>> geometric(1, 1000, 4)
    (1.0, 10.0, 100.0, 1000.0)
    """
    import numpy as np  # `rfsim --help` reads this module

    return tuple(float(f"{value:.15g}") for value in np.geomspace(first, last, count).tolist())


def shown(text: str) -> str:
    """`text` in quotes, shortened to fit a line."""
    return repr(text if len(text) <= 40 else text[:37] + "...")


def nearest(name: str, choices: Iterable[str]) -> str:
    """ "; did you mean 'NAME'?" for the choice nearest to `name`, or nothing where none is near.

    >>> nearest("thanh", ["tanh", "erf"])
    "; did you mean 'tanh'?"
    """
    near = difflib.get_close_matches(name, sorted(choices), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
