"""rfsim: how random-feature score models learn, memorize and are distilled.

`Problem` states what is asked; `spectrum` and `train` answer for a sample, `theory.spectrum`, `theory.curves` and
`theory.ridge` for d → ∞, each with a labelled `xarray.Dataset`; `sweep` maps any of them over a grid; `load` reads a
stored one; `plot` draws any. Importing rfsim configures nothing and loads nothing heavy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = ["Problem", "density", "distill", "load", "plot", "simulate", "spectrum", "sweep", "theory", "train"]

if TYPE_CHECKING:
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
    "bench": "rfsim.bench",
    "density": "rfsim.densities",
    "distill": "rfsim.distillation",
    "load": "rfsim.api",
    "plot": "rfsim.plotting",
    "simulate": "rfsim.simulation",
    "spectrum": "rfsim.api",
    "sweep": "rfsim.sweeps",
    "theory": "rfsim.theory",
    "train": "rfsim.api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'rfsim' has no attribute {name!r}")
    home = importlib.import_module(_HOMES[name])
    return getattr(home, name, home)  # theory and bench are rooms themselves


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
