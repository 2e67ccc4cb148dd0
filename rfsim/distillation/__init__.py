"""Consistency distillation of a random-feature teacher (equations.md §7)."""

import importlib as _importlib

from rfsim.distillation.front import distill

__all__ = ["distill"]


def __getattr__(name: str) -> object:
    if name == "stochastic":  # optax is slow to load
        return _importlib.import_module("rfsim.distillation.stochastic")
    raise AttributeError(f"module 'rfsim.distillation' has no attribute {name!r}")
