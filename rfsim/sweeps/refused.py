"""What quantities refuse of parameters that do not go together, as far as that is known without computing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from numpy.typing import ArrayLike

from rfsim.learning.trainers import read
from rfsim.sample.spectra import Method
from rfsim.simulation.options import setting
from rfsim.sweeps.cells import options, problem
from rfsim.sweeps.sampled import SETTINGS, require_student


def method(one: Mapping[str, Any], varied: Collection[str], array: ArrayLike | None) -> None:
    """Raise ValueError for a model, a route and moments that do not go together."""
    Method(**{name: one[name] for name in Method.__dataclass_fields__ if name in one})


def simulation(one: Mapping[str, Any], varied: Collection[str], array: ArrayLike | None) -> None:
    """Raise ValueError for settings that are none of an optimizer."""
    rest = options(one)
    setting(problem(one), **{name: rest[name] for name in SETTINGS if name in rest})


def student(one: Mapping[str, Any], varied: Collection[str], array: ArrayLike | None) -> None:
    """Raise ValueError for a student that cannot be taught."""
    require_student(dict(one), {name: one[name] for name in varied}, array)


def trainer_text(value: str, name: str) -> None:
    """Raise ValueError for a text that names no trainer."""
    read(value)
