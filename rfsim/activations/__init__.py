"""Activations σ, by name or by callable, and their Gaussian constants (equations.md §2, T9)."""

from rfsim.activations.base import Activation, Closed, evaluate
from rfsim.activations.catalog import ACTIVATIONS, activation, specification
from rfsim.activations.constants import Constants, centered, gaussian_constants

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "Closed",
    "Constants",
    "activation",
    "centered",
    "evaluate",
    "gaussian_constants",
    "specification",
]
