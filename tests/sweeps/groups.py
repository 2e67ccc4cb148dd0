"""Groups of a sweep, as the plan makes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Group(NamedTuple):
    quantity: str
    fixed: Mapping[str, Any]
    cells: Mapping[str, list]
    size: int


def group(quantity, fixed, **cells):
    """One of the given parameters, with those of `cells` differing from cell to cell."""
    return Group(quantity, fixed, cells, len(next(iter(cells.values()))) if cells else 1)
