"""Names that results had in earlier versions: what is read has those of today, whoever wrote it.

Results are renamed once, where they are read (`store.load`), so that nothing else knows an old name; a sweep's store is
written anew with today's names before a run goes on with it (`rfsim.sweeps.opening`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np
import xarray as xr

from rfsim.disk.sweep_files import DIMS

NUMBERS = ("b", "i", "u", "f")  # kinds of dtype


class Renamed(NamedTuple):
    """What a name became.

    Attributes:
        now: The name of today.
        why: The reason.
        numbers: Whether it is the old name only where it holds numbers, because another variable has it today.
    """

    now: str
    why: str
    numbers: bool = False


RENAMED = {
    "bulk": Renamed(
        "part", "null, mini, main and gen are parts by rank; a bulk is an interval of the spectrum's support"
    ),
    "part": Renamed("feature_part", "each feature's part by rank, as a number; `part` is the dimension of names", True),
}


def now(name: str) -> str:
    """What a dimension that someone names is called today.

    >>> now("bulk"), now("seed")
    ('part', 'seed')
    """
    found = RENAMED.get(name)
    return name if found is None or found.numbers else found.now


def old_names(kinds: Mapping[str, str], dims: Collection[str]) -> dict[str, str]:
    """The old names among variables and dimensions, and what each is called today.

    Args:
        kinds: Kind of dtype of each variable, by name.
        dims: Dimensions.

    Returns:
        The names.

    >>> old_names({"part": "i", "bulk": "U", "mass": "f"}, ["bulk", "feature"])
    {'bulk': 'part', 'part': 'feature_part'}
    >>> old_names({"part": "U", "feature_part": "i"}, ["part", "feature"])
    {}
    """
    return {
        old: one.now
        for old, one in RENAMED.items()
        if (kinds.get(old) in NUMBERS if one.numbers else old in kinds or old in dims)
    }


def renamed(data: xr.Dataset) -> xr.Dataset:
    """A result with the names of today; itself where it has them.

    Args:
        data: As it was read, of any version.

    Returns:
        The result.
    """
    names = old_names({str(name): one.dtype.kind for name, one in data.variables.items()}, {*map(str, data.dims)})
    if not names:
        return data
    listed = [str(one) for one in np.atleast_1d(data.attrs.get(DIMS, []))]
    order = {DIMS: [names.get(one, one) for one in listed]} if listed else {}
    return data.rename(names).assign_attrs(order)
