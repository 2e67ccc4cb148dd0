"""How weights are trained, and the filter of every train_time that it is (equations.md T7, §3).

`flow`: gradient flow; with a ridge at τ = ∞ the ridge minimizer, before it the early-stopped one.
`descent:STEP`: gradient descent whose every step is STEP of train_time, c = κ·STEP; a train_time is rounded to whole
steps, and τ = ∞ is the minimizer. `distillation:TAU`: same-time self-distillation, the teacher by flow to τ, then a
student from zero for the train_time TAU, with the same W, U and ridge.

A trainer is a setting; at a problem's κ and γ it is a NamedTuple of numbers, which compiled programs take as arguments:
there is one program per kind.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from numpy.typing import ArrayLike

from rfsim.checking.scalars import real, told
from rfsim.checking.text import nearest, number_or_nan
from rfsim.checking.written import Written, short
from rfsim.computing.arrays import Numbers, namespace
from rfsim.learning import descent, filters
from rfsim.learning.filters import Filter
from rfsim.problem.model import LATEST_TRAINING

KINDS = ("flow", "descent", "distillation")


@dataclass(frozen=True)
class Flow(Written):
    """Gradient flow; `flow`.

    >>> str(Flow())
    'flow'
    """

    @property
    def form(self) -> str:
        return "flow"

    def at(self, kappa: float, ridge: float = 0.0) -> FlowFilter:
        """Its filters for one problem (T7).

        Args:
            kappa: κ, the rate per eigenvalue.
            ridge: γ.

        Returns:
            The filters.
        """
        return FlowFilter(kappa, ridge)


@dataclass(frozen=True)
class Descent(Written):
    """Gradient descent in steps; `descent:STEP` (§3).

    Attributes:
        step: Of train_time, positive.

    >>> str(Descent(0.5)), Descent(0.5).at(kappa=0.2)
    ('descent:0.5', DescentFilter(kappa=0.2, ridge=0.0, step=0.5))
    """

    step: float

    def __post_init__(self) -> None:
        given, step = self.step, _value("STEP", self.step)
        object.__setattr__(self, "step", step)
        if not 0 < step < math.inf:
            raise ValueError(f"the STEP of descent must be a positive train_time per step; got {_told(self, given)}")

    @property
    def form(self) -> str:
        return f"descent:{short(self.step)}"

    def at(self, kappa: float, ridge: float = 0.0) -> DescentFilter:
        """Its filters for one problem (§3).

        Args:
            kappa: κ, the rate per eigenvalue.
            ridge: γ.

        Returns:
            The filters.
        """
        return DescentFilter(kappa, ridge, self.step)


@dataclass(frozen=True)
class Distillation(Written):
    """Same-time self-distillation: a teacher by flow, then a student from zero; `distillation:TAU` (§3).

    Attributes:
        student_time: The train_time of the student; may be inf.

    >>> str(Distillation(30))
    'distillation:30'
    """

    student_time: float

    def __post_init__(self) -> None:
        given, time = self.student_time, _value("TAU", self.student_time)
        object.__setattr__(self, "student_time", time)
        if not time > 0:
            raise ValueError(f"the TAU of distillation must be a positive train_time, or inf; got {_told(self, given)}")
        if LATEST_TRAINING < time < math.inf:
            raise ValueError(
                f"the TAU of distillation must be at most {LATEST_TRAINING:g}, or inf; got {_told(self, given)}"
            )

    @property
    def form(self) -> str:
        return f"distillation:{short(self.student_time)}"

    def at(self, kappa: float, ridge: float = 0.0) -> DistillationFilter:
        """Its filters for one problem (§3).

        Args:
            kappa: κ, the rate per eigenvalue.
            ridge: γ.

        Returns:
            The filters.
        """
        return DistillationFilter(kappa, ridge, self.student_time)


class FlowFilter(NamedTuple):
    """Filters of gradient flow from zero; kappa κ, the rate per eigenvalue, and the ridge γ."""

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


class DescentFilter(NamedTuple):
    """Filters of gradient descent from zero in steps of train_time `step`."""

    kappa: float
    ridge: float
    step: float

    @property
    def reach(self) -> float:
        return 2 / (self.kappa * self.step)

    def steps(self, train_time: ArrayLike) -> Numbers:
        """Whole steps nearest to train_time, inf at inf."""
        xp = namespace(train_time)
        return xp.round(xp.asarray(train_time) / self.step)

    def filter(self, train_time: ArrayLike) -> Filter:
        return descent.descent(self.steps(train_time), self.kappa * self.step, self.ridge)

    def require_stable(self, largest: float) -> None:
        if largest + self.ridge >= self.reach:
            raise ValueError(
                f"trainer descent:{self.step:g} diverges: the largest eigenvalue of U is {largest:.6g}, and STEP must "
                f"stay below {2 / (self.kappa * (largest + self.ridge)):.6g}"
            )


class DistillationFilter(NamedTuple):
    """Filters of same-time self-distillation: a student from zero for `student_time` of the flow."""

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
TrainerFilter: TypeAlias = FlowFilter | DescentFilter | DistillationFilter


def read(given: str | Trainer) -> Trainer:
    """The trainer that a text names, or one as it is; ValueError, in one line, with the nearest valid name.

    >>> read("descent:0.5")
    Descent(step=0.5)
    >>> read("decent:0.5")
    Traceback (most recent call last):
    ...
    ValueError: trainer must be flow, descent:STEP or distillation:TAU; got 'decent:0.5'; did you mean 'descent'?
    """
    if isinstance(given, Trainer):
        return given
    text = str(given)
    kind, colon, argument = text.partition(":")
    if kind not in KINDS or (kind == "flow") == bool(colon):
        hint = "" if kind in KINDS else nearest(kind, KINDS)
        raise ValueError(f"trainer must be flow, descent:STEP or distillation:TAU; got {given!r}{hint}")
    if kind == "flow":
        return Flow()
    return (Descent if kind == "descent" else Distillation).of(text, argument)


def _value(name: str, given: object) -> float:
    return number_or_nan(given) if isinstance(given, str) else real(name, given)


def _told(trainer: Written, given: object) -> str:
    """What was given: the text where there is one."""
    return repr(str(trainer)) if isinstance(given, str) else told(given)
