"""The explorer's first tab: the limit's spectrum, its losses, and what training has learned of either by now."""

from rfsim.explorer.training.tab import TAB

__all__ = ["TAB"]
