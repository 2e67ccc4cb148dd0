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
    "Classes",
    "Condition",
    "Coupled",
    "Covariance",
    "Descent",
    "Digits",
    "Distillation",
    "DistillationMethod",
    "Draws",
    "Eigenvalues",
    "Exact",
    "Flow",
    "GaussianClasses",
    "Hermite",
    "Isotropic",
    "Mixture",
    "MonteCarlo",
    "Optimizer",
    "PerFeature",
    "PowerLaw",
    "Problem",
    "Samples",
    "Schedule",
    "Sequential",
    "Student",
    "Subspace",
    "advise",
    "density",
    "distill",
    "generated",
    "load",
    "plot",
    "posterior",
    "score",
    "simulate",
    "spectrum",
    "sweep",
    "theory",
    "train",
]

if _TYPE_CHECKING:
    from rfsim import theory
    from rfsim.disk.store import load
    from rfsim.distillation.methods import DistillationMethod
    from rfsim.distillation.plan import Student
    from rfsim.distillation.targets import Coupled, Draws, PerFeature, Sequential
    from rfsim.learning.trainers import Descent, Distillation, Flow
    from rfsim.plotting import plot
    from rfsim.problem.activations import Activation, Hermite
    from rfsim.problem.model import Problem
    from rfsim.problem.populations import (
        Atoms,
        Classes,
        Condition,
        Covariance,
        Digits,
        Eigenvalues,
        GaussianClasses,
        Isotropic,
        Mixture,
        PowerLaw,
        Samples,
        Subspace,
    )
    from rfsim.sample.spectra.method import Exact, MonteCarlo
    from rfsim.sampled.advise import advise
    from rfsim.sampled.density import density
    from rfsim.sampled.distill import distill
    from rfsim.sampled.generated import generated
    from rfsim.sampled.posterior import posterior
    from rfsim.sampled.score import score
    from rfsim.sampled.simulate import simulate
    from rfsim.sampled.spectrum import spectrum
    from rfsim.sampled.train import train
    from rfsim.simulation.optimizers import Optimizer
    from rfsim.simulation.schedules import Schedule
    from rfsim.sweeps import sweep

_HOMES = {
    "Activation": "rfsim.problem.activations",
    "Atoms": "rfsim.problem.populations",
    "Classes": "rfsim.problem.populations",
    "Condition": "rfsim.problem.populations",
    "Coupled": "rfsim.distillation.targets",
    "Covariance": "rfsim.problem.populations",
    "Descent": "rfsim.learning.trainers",
    "Digits": "rfsim.problem.populations",
    "Distillation": "rfsim.learning.trainers",
    "DistillationMethod": "rfsim.distillation.methods",
    "Draws": "rfsim.distillation.targets",
    "Eigenvalues": "rfsim.problem.populations",
    "Exact": "rfsim.sample.spectra.method",
    "Flow": "rfsim.learning.trainers",
    "GaussianClasses": "rfsim.problem.populations",
    "Hermite": "rfsim.problem.activations",
    "Isotropic": "rfsim.problem.populations",
    "Mixture": "rfsim.problem.populations",
    "MonteCarlo": "rfsim.sample.spectra.method",
    "Optimizer": "rfsim.simulation.optimizers",
    "PerFeature": "rfsim.distillation.targets",
    "PowerLaw": "rfsim.problem.populations",
    "Problem": "rfsim.problem.model",
    "Samples": "rfsim.problem.populations",
    "Schedule": "rfsim.simulation.schedules",
    "Sequential": "rfsim.distillation.targets",
    "Student": "rfsim.distillation.plan",
    "Subspace": "rfsim.problem.populations",
    "advise": "rfsim.sampled.advise",
    "density": "rfsim.sampled.density",
    "distill": "rfsim.sampled.distill",
    "generated": "rfsim.sampled.generated",
    "load": "rfsim.disk.store",
    "plot": "rfsim.plotting",
    "posterior": "rfsim.sampled.posterior",
    "score": "rfsim.sampled.score",
    "simulate": "rfsim.sampled.simulate",
    "spectrum": "rfsim.sampled.spectrum",
    "sweep": "rfsim.sweeps",
    "train": "rfsim.sampled.train",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(_importlib.import_module(_HOMES[name]), name)
    room = f"{__name__}.{name}"
    if name.isidentifier() and not name.startswith("_"):
        try:
            return _importlib.import_module(room)  # the rooms: rfsim.theory, rfsim.distillation.sampling, …
        except ModuleNotFoundError as error:
            if error.name != room:
                raise
        from rfsim.quantities.catalog import QUANTITIES, resolve

        if name in QUANTITIES:  # of a file of its own, or of another package
            return resolve(QUANTITIES[name].function)
    raise AttributeError(f"module 'rfsim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))} - {"__getattr__", "__dir__"})
