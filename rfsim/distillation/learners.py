"""Students level by level: what each method regresses on, by the level and by the round (equations.md M0).

A learner is asked level by level, from the lowest up. For each level it says, once or several times, of which functions
of the anchor's draws it wants the averages E yφᵀ, and is given them with the moments that all share; in the end it
gives its weights there, or None where it has none.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers
from rfsim.distillation.methods import DistillationMethod
from rfsim.distillation.moments import LevelMoments
from rfsim.distillation.networks import Function, Network
from rfsim.distillation.plan import Student
from rfsim.distillation.readers import Ask
from rfsim.distillation.regression import Forms, Regression
from rfsim.distillation.sampling import path, step_counts
from rfsim.problem.diffusion import Step

TRAINING, PRIOR = "training", "prior"
Eigen: TypeAlias = tuple[Numbers, Numbers]
Route: TypeAlias = Sequence[tuple[int, int]]  # jumps from level to level


class Averages(NamedTuple):
    """What a learner is given: E yφᵀ (count, dim, features), the shared moments, and their U decomposed."""

    targets: Numbers
    moments: LevelMoments
    eigen: Eigen


class Setting(NamedTuple):
    """What all learners of a seed have in common.

    distill_times: (times,); features: W, σ's means and the times of the students' network, without read-outs; function:
    σ; solver: the teacher's steps.
    """

    distill_times: NDArray[np.float64]
    features: Network
    function: Function
    solver: str

    @property
    def levels(self) -> int:
        """N."""
        return len(self.features.times) - 1

    @property
    def shape(self) -> tuple[int, int]:
        """(dim, features)."""
        p, dim = self.features.weights.shape
        return dim, p


Regressions: TypeAlias = Generator[Ask, Averages, Numbers | None]


class Learner:
    """A student by one method; `at` holds its weights (times, dim, features) of the jumps that it samples by."""

    anchor = TRAINING

    def __init__(self, student: Student, setting: Setting, teacher: Network, forms: Forms, *, whole: bool) -> None:
        """teacher: whom it learns from; whole: whether it samples in every number of steps, or in its own alone."""
        self.student, self.setting, self.teacher, self.forms = student, setting, teacher, forms
        self.whole = whole
        self.at: dict[tuple[int, int], Numbers] = {}
        self.kept = {jump for steps in self._counts() for jump in self.route(steps) or ()}

    @property
    def method(self) -> DistillationMethod:
        """Of the student."""
        return self.student.method

    def regressions(self, level: int) -> Regressions:
        """What it learns at one level."""
        raise NotImplementedError

    def route(self, steps: int) -> Route | None:
        """The jumps of its samples in so many steps; None where it has not learned them."""
        along = path(self.setting.levels, steps)
        if self.method.traits.samples in ("renoised", "score"):
            return [(k, 0) for k in along[:-1]]
        return [(along[0], 0)] if steps == 1 else None

    def _counts(self) -> list[int]:
        own = self.method.evaluations(self.setting.levels)
        return sorted({own, *(step_counts(self.setting.levels) if self.whole else ())})

    def _regression(self, form: Step, level: int) -> Regression:
        zero = np.zeros(self.setting.shape)
        start = self.teacher.readouts[level] if self.student.start == "teacher" else zero
        return Regression(form.x, form.score, self.student.ridge, start)

    def _learn(self, form: Step, level: int, targets: Numbers, given: Averages) -> Numbers:
        regression = self._regression(form, level)
        return regression.weights(given.eigen, targets, given.moments.own, self.setting.distill_times)

    def _keep(self, level: int, end: int, weights: Numbers) -> Numbers:
        if (level, end) in self.kept:
            self.at[level, end] = weights
        return weights
