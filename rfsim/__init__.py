"""rfsim: how random-feature score models learn, memorize and are distilled.

`Problem` states what is asked; `spectrum` and `train` answer for a sample, `theory.spectrum`, `theory.curves` and
`theory.ridge` for d → ∞, each with a labelled `xarray.Dataset`; `sweep` maps any of them over a grid; `load` reads a
stored one; `plot` draws any. Importing rfsim configures nothing and loads nothing heavy.
"""

from __future__ import annotations

import importlib as _importlib
from typing import TYPE_CHECKING as _TYPE_CHECKING

__version__ = "0.1.0"

__all__ = ["Problem", "density", "distill", "load", "plot", "simulate", "spectrum", "sweep", "theory", "train"]

if _TYPE_CHECKING:
    from rfsim import theory
    from rfsim.api import load, spectrum, train
    from rfsim.densities import density
    from rfsim.distillation import distill
    from rfsim.model import Problem
    from rfsim.plotting import plot
    from rfsim.simulation import simulate
    from rfsim.sweeps import sweep

_HOMES = {
    "Problem": "rfsim.model",
    "density": "rfsim.densities",
    "distill": "rfsim.distillation",
    "load": "rfsim.api",
    "plot": "rfsim.plotting",
    "simulate": "rfsim.simulation",
    "spectrum": "rfsim.api",
    "sweep": "rfsim.sweeps",
    "train": "rfsim.api",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(_importlib.import_module(_HOMES[name]), name)
    room = f"{__name__}.{name}"
    if name.isidentifier() and not name.startswith("_"):
        try:
            return _importlib.import_module(room)  # the rooms: rfsim.theory, rfsim.sampling, …
        except ModuleNotFoundError as error:
            if error.name != room:
                raise
    raise AttributeError(f"module 'rfsim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))} - {"__getattr__", "__dir__"})
