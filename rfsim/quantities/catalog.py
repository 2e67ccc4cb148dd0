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
    FORMS as FORMS,
)
from rfsim.quantities.registry import (
    GROUPS as GROUPS,
)
from rfsim.quantities.registry import (
    PAGES as PAGES,
)
from rfsim.quantities.registry import (
    PLAIN_PAGE as PLAIN_PAGE,
)
from rfsim.quantities.registry import (
    QUANTITIES as QUANTITIES,
)
from rfsim.quantities.registry import (
    Answer as Answer,
)
from rfsim.quantities.registry import (
    Cells as Cells,
)
from rfsim.quantities.registry import (
    Quantity as Quantity,
)
from rfsim.quantities.registry import (
    Reference as Reference,
)
from rfsim.quantities.registry import (
    declared as declared,
)
from rfsim.quantities.registry import (
    of_kind as of_kind,
)
from rfsim.quantities.registry import (
    register as register,
)
from rfsim.quantities.registry import (
    resolve as resolve,
)

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
