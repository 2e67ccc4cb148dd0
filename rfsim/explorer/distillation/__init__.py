"""The explorer's second tab: what distillation does to a teacher that has memorized."""

from rfsim.explorer.distillation.tab import TAB

__all__ = ["TAB"]
