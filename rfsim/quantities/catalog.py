"""All quantities that there are: a file of this room that registers one is found by itself.

So is a module that another installed package names among its entry points `rfsim.quantities`. What is found imports
`rfsim.quantities.registry` and not this, which imports all of it.
"""

from __future__ import annotations

import pkgutil
import warnings
from importlib import import_module
from importlib.metadata import entry_points

from rfsim import quantities
from rfsim.quantities.registry import (
    FORMS,
    GROUPS,
    PAGES,
    PLAIN_PAGE,
    QUANTITIES,
    Answer,
    Cells,
    Quantity,
    Reference,
    declared,
    of_kind,
    register,
    resolve,
)

__all__ = [
    "FORMS",
    "GROUPS",
    "PAGES",
    "PLAIN_PAGE",
    "QUANTITIES",
    "Answer",
    "Cells",
    "Quantity",
    "Reference",
    "declared",
    "of_kind",
    "register",
    "resolve",
]

PLUGINS = "rfsim.quantities"  # the entry points of packages that bring quantities of their own


def _find() -> None:
    """Import every file of this room, and what other packages name; each registers what it declares.

    Worker processes, which start from nothing, so know every quantity too. A package that fails takes nothing else with
    it.
    """
    for one in pkgutil.iter_modules(quantities.__path__):
        import_module(f"{quantities.__name__}.{one.name}")
    for plugin in entry_points(group=PLUGINS):
        try:
            plugin.load()
        except Exception as error:
            said = f"the quantities of {plugin.name!r} ({plugin.value}) are not there: {type(error).__name__}: {error}"
            warnings.warn(said, RuntimeWarning, stacklevel=2)


_find()
