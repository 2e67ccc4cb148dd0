"""The explorer's first tab: the limit's spectrum, its losses, and what training has learned of either by now."""

from rfsim import plotting  # noqa: F401 - before anything of matplotlib
from rfsim.explorer.training.tab import TAB

__all__ = ["TAB"]
