"""Hints in messages: the nearest valid name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, choices: Iterable[str]) -> str:
    """ "; did you mean 'NAME'?" for the choice nearest to `name`, or nothing where none is near.

    >>> nearest("thanh", ["tanh", "erf"])
    "; did you mean 'tanh'?"
    """
    near = difflib.get_close_matches(name, sorted(choices), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
