"""How weights are trained, as a text and as the filter of every train_time (equations.md T7, §3).

`flow`: gradient flow; with a ridge at τ = ∞ the ridge minimizer, before it the early-stopped one.
`descent:STEP`: gradient descent whose every step is STEP of train_time, c = κ·STEP; a train_time is rounded to whole
steps, and τ = ∞ is the minimizer. `distillation:TAU`: same-time self-distillation, the teacher by flow to τ, then a
student from zero for the train_time TAU, with the same W, U and ridge.

Trainers are NamedTuples of numbers: a compiled program takes them as arguments, and there is one per kind.
"""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from rfsim import filters
from rfsim.filters import Filter
from rfsim.words import nearest, number_or_nan

KINDS = ("flow", "descent", "distillation")
LONGEST = 1e100  # squares of κτ, the filter of a flat direction, are still float64 there


class Flow(NamedTuple):
    """Gradient flow from zero; kappa κ, the rate per eigenvalue, and the ridge γ."""

    kappa: float
    ridge: float = 0.0

    @property
    def reach(self) -> float:
        """The filters of all times are bounded where λ + γ is in the disc whose diameter is (0, reach)."""
        return math.inf

    def filter(self, train_time: ArrayLike) -> Filter:
        return filters.flow(train_time, self.kappa, self.ridge)

    def require_stable(self, largest: float) -> None:
        """Raise ValueError where training diverges at the largest eigenvalue."""


class Descent(NamedTuple):
    """Gradient descent from zero in steps of train_time `step`."""

    kappa: float
    ridge: float
    step: float

    @property
    def reach(self) -> float:
        return 2 / (self.kappa * self.step)

    def steps(self, train_time: ArrayLike) -> Array:
        """Whole steps nearest to train_time, inf at inf."""
        return jnp.round(jnp.asarray(train_time) / self.step)

    def filter(self, train_time: ArrayLike) -> Filter:
        return filters.descent(self.steps(train_time), self.kappa * self.step, self.ridge)

    def require_stable(self, largest: float) -> None:
        if largest + self.ridge >= self.reach:
            raise ValueError(
                f"trainer descent:{self.step:g} diverges: the largest eigenvalue of U is {largest:.6g}, and STEP must "
                f"stay below {2 / (self.kappa * (largest + self.ridge)):.6g}"
            )


class Distillation(NamedTuple):
    """Same-time self-distillation: a student from zero for `student_time` of the flow."""

    kappa: float
    ridge: float
    student_time: float

    @property
    def reach(self) -> float:
        return math.inf

    def filter(self, train_time: ArrayLike) -> Filter:
        teacher, student = (filters.flow(tau, self.kappa, self.ridge) for tau in (train_time, self.student_time))
        return filters.compose(teacher, student)

    def require_stable(self, largest: float) -> None:
        pass


Trainer: TypeAlias = Flow | Descent | Distillation


def trainer(text: str, kappa: float, ridge: float = 0.0) -> Trainer:
    """The trainer that `text` names, for a problem's κ and γ.

    >>> trainer("descent:0.5", kappa=0.2)
    Descent(kappa=0.2, ridge=0.0, step=0.5)
    >>> trainer("decent:0.5", kappa=0.2)
    Traceback (most recent call last):
    ...
    ValueError: trainer must be flow, descent:STEP or distillation:TAU; got 'decent:0.5'; did you mean 'descent'?
    """
    kind, colon, given = str(text).partition(":")
    if kind not in KINDS or (kind == "flow") == bool(colon):
        hint = "" if kind in KINDS else nearest(kind, KINDS)
        raise ValueError(f"trainer must be flow, descent:STEP or distillation:TAU; got {text!r}{hint}")
    if kind == "flow":
        return Flow(kappa, ridge)
    value = number_or_nan(given)
    if kind == "descent":
        if not 0 < value < math.inf:
            raise ValueError(f"the STEP of descent must be a positive train_time per step; got {text!r}")
        return Descent(kappa, ridge, value)
    if not value > 0:
        raise ValueError(f"the TAU of distillation must be a positive train_time, or inf; got {text!r}")
    if LONGEST < value < math.inf:
        raise ValueError(f"the TAU of distillation must be at most {LONGEST:g}, or inf; got {text!r}")
    return Distillation(kappa, ridge, value)
