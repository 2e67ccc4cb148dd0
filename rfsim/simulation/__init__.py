"""Stochastic training as it is done in practice, beside the filter that describes its mean (equations.md §3)."""

from rfsim.simulation.asked import settings
from rfsim.simulation.front import number_of_devices, simulate

__all__ = ["number_of_devices", "settings", "simulate"]
