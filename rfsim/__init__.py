"""rfsim: how random-feature score models learn, memorize and are distilled.

`Problem` states what is asked, of data (`Isotropic`, `Atoms`, `Samples`…) and an activation; `spectrum` and `train`
answer for a sample, `theory.spectrum`, `theory.curves` and `theory.ridge` for d → ∞, each with a labelled
`xarray.Dataset`; `sweep` maps any of them over a grid; `load` reads a stored one; `plot` draws any. Importing rfsim
configures nothing and loads nothing heavy.
"""

from __future__ import annotations

import importlib as _importlib
from typing import TYPE_CHECKING as _TYPE_CHECKING

__version__ = "0.1.0"

__all__ = [
    "Activation",
    "Atoms",
    "Coupled",
    "Covariance",
    "Descent",
    "Digits",
    "Distillation",
    "Draws",
    "Eigenvalues",
    "Exact",
    "Flow",
    "Isotropic",
    "Mixture",
    "MonteCarlo",
    "Optimizer",
    "PerFeature",
    "PowerLaw",
    "Problem",
    "Samples",
    "Sequential",
    "Student",
    "Subspace",
    "density",
    "distill",
    "load",
    "plot",
    "simulate",
    "spectrum",
    "sweep",
    "theory",
    "train",
]

if _TYPE_CHECKING:
    from rfsim import theory
    from rfsim.activations import Activation
    from rfsim.api import load, spectrum, train
    from rfsim.densities import density
    from rfsim.distillation import distill
    from rfsim.distillation.plan import Coupled, Draws, PerFeature, Sequential, Student
    from rfsim.model import Problem
    from rfsim.plotting import plot
    from rfsim.populations import (
        Atoms,
        Covariance,
        Digits,
        Eigenvalues,
        Isotropic,
        Mixture,
        PowerLaw,
        Samples,
        Subspace,
    )
    from rfsim.simulation import simulate
    from rfsim.spectra.method import Exact, MonteCarlo
    from rfsim.sweeps import sweep
    from rfsim.trainers import Descent, Distillation, Flow
    from rfsim.training.optimizers import Optimizer

_HOMES = {
    "Activation": "rfsim.activations",
    "Atoms": "rfsim.populations",
    "Coupled": "rfsim.distillation.plan",
    "Covariance": "rfsim.populations",
    "Descent": "rfsim.trainers",
    "Digits": "rfsim.populations",
    "Distillation": "rfsim.trainers",
    "Draws": "rfsim.distillation.plan",
    "Eigenvalues": "rfsim.populations",
    "Exact": "rfsim.spectra.method",
    "Flow": "rfsim.trainers",
    "Isotropic": "rfsim.populations",
    "Mixture": "rfsim.populations",
    "MonteCarlo": "rfsim.spectra.method",
    "Optimizer": "rfsim.training.optimizers",
    "PerFeature": "rfsim.distillation.plan",
    "PowerLaw": "rfsim.populations",
    "Problem": "rfsim.model",
    "Samples": "rfsim.populations",
    "Sequential": "rfsim.distillation.plan",
    "Student": "rfsim.distillation.plan",
    "Subspace": "rfsim.populations",
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
