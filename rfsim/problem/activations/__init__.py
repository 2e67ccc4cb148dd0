"""Activations σ, by name or by callable, and their Gaussian constants (equations.md §2, T9)."""

from rfsim.problem.activations.base import Activation, Closed, evaluate
from rfsim.problem.activations.catalog import ACTIVATIONS, activation, fingerprint, read, specification
from rfsim.problem.activations.constants import (
    Constants,
    centered,
    gaussian_constants,
    hermite_coefficients,
    mean_slopes,
)
from rfsim.problem.activations.hermite import Hermite
from rfsim.problem.activations.naming import is_local, runs_code

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "Closed",
    "Constants",
    "Hermite",
    "activation",
    "centered",
    "evaluate",
    "fingerprint",
    "gaussian_constants",
    "hermite_coefficients",
    "is_local",
    "mean_slopes",
    "read",
    "runs_code",
    "specification",
]
