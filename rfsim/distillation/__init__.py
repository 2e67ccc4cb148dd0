"""Consistency distillation of a random-feature teacher, and what its students generate (equations.md §7, §8)."""

import importlib as _importlib


def __getattr__(name: str) -> object:
    if name in ("memorization", "sampling", "stochastic"):  # optax is slow to load
        return _importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
