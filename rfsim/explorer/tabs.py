"""The explorer's tabs, in the order in which they stand on the page."""

from __future__ import annotations

from rfsim.explorer import distillation, training
from rfsim.explorer.parts import Tab

TABS: tuple[Tab, ...] = (training.TAB, distillation.TAB)
