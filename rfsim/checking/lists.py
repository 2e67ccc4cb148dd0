"""Lists of numbers as texts: separated by commas, and ranges; single numbers are read by `rfsim.checking.text`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from rfsim.checking.text import geometric, number, shown, whole

LONGEST = 10**5  # values of a list
LISTED = "separated by commas, or FIRST:LAST:COUNT, evenly spaced on a log axis"


def times(text: str, what: str = "times") -> tuple[float, ...]:
    """Times (or `what`) separated by commas, inf allowed; FIRST:LAST:COUNT are as many, evenly spaced on a log axis.

    >>> times("0,1:100:3,inf")
    (0.0, 1.0, 10.0, 100.0, inf)
    """
    items = text.split(",")
    if not all(item.strip() for item in items):
        raise ValueError(f"must be {what} separated by single commas, such as 1,100,1e5; got {shown(text)}")
    found: list[float] = []
    for item in items:
        found += _range(item) if ":" in item else (number(item),)
        if len(found) > LONGEST:
            raise ValueError(f"must be at most {LONGEST} {what}; got {shown(text)}")
    if min(found) < 0:
        raise ValueError(f"must not hold negative {what}; got {shown(text)}")
    return tuple(found)


numbers = partial(times, what="numbers")


def listed(values: Sequence[float]) -> str:
    """Times as `times` reads them."""
    return ",".join(f"{value:g}" for value in values)


def _range(text: str) -> Sequence[float]:
    """FIRST:LAST:COUNT, both ends included, as {log = [FIRST, LAST], points = COUNT} in a sweep."""
    parts = text.split(":")
    if len(parts) != 3:
        raise ValueError(f"a range must be FIRST:LAST:COUNT, such as 1:1e6:60; got {shown(text)}")
    first, last = map(number, parts[:2])
    if not 0 < first < last < math.inf:
        raise ValueError(f"a range must increase between positive, finite ends, as 1:1e6:60 does; got {shown(text)}")
    try:
        count = whole(parts[2], 2)
    except ValueError:
        count = 0
    if not 2 <= count <= LONGEST:
        raise ValueError(f"the COUNT of a range must be a whole number from 2 to {LONGEST}; got {shown(parts[2])}")
    return geometric(first, last, count)
