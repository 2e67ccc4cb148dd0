"""The explorer's second tab: what distillation does to a teacher that has memorized."""

from rfsim import plotting  # noqa: F401 - before anything of matplotlib
from rfsim.explorer.distillation.tab import TAB

__all__ = ["TAB"]
