"""Figures for those who show figures by pyplot: rfsim itself draws without it."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

import matplotlib
from matplotlib.backends.registry import BackendFilter, backend_registry

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OWN = ("marimo",)  # backends that show what a cell ends with, and would keep every figure


def announce(figure: Figure) -> None:
    """Let `plt.show()` show a figure, where the program has imported pyplot and its backend shows anything.

    Nowhere else: what pyplot knows it keeps until it is closed, and windows belong to the main thread.
    """
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    if pyplot is None or threading.current_thread() is not threading.main_thread():
        return
    backend = matplotlib.get_backend().lower()
    files = backend_registry.list_builtin(BackendFilter.NON_INTERACTIVE)
    if backend not in files and not any(name in backend for name in OWN):
        pyplot.figure(figure)


def withdraw(figure: Figure) -> None:
    """Let pyplot forget a figure that is shown: a notebook shows what it knows once more at the end of a cell."""
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None and figure.canvas.manager is not None:
        pyplot.close(figure)
