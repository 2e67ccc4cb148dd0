"""Matplotlib itself, imported here before anything of it: figures are drawn without a backend, and need none.

A notebook's $MPLBACKEND that reaches a process of another environment names a backend which is not installed there;
matplotlib then refuses to be imported at all.
"""

from __future__ import annotations

import contextlib
import os
import sys


def _import_matplotlib() -> None:
    """Import matplotlib with the backend that $MPLBACKEND names where there is one of that name, else with its own."""
    if "matplotlib" in sys.modules:
        return
    chosen = os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib
    finally:
        if chosen is not None:
            os.environ["MPLBACKEND"] = chosen
    if chosen:
        with contextlib.suppress(ValueError, RuntimeError):
            matplotlib.rcParams["backend"] = chosen


_import_matplotlib()
