"""The models of one seed: every student's learner, and the learners of the controls beside it (equations.md §7, §8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import placed
from rfsim.distillation.chains import ByEmpirical, Chain, Direct, SameTime
from rfsim.distillation.consistency import Consistency
from rfsim.distillation.critics import Equilibrium
from rfsim.distillation.exact import ExactSpectra
from rfsim.distillation.exact_learners import ConsistencyTraining, Hard, SelfDistilled, Unkept
from rfsim.distillation.integrated import Drawn, Integrated
from rfsim.distillation.learners import Learner, Setting
from rfsim.distillation.methods import INTEGRATED, DistillationMethod
from rfsim.distillation.networks import Network
from rfsim.distillation.plan import Student
from rfsim.distillation.regression import Forms
from rfsim.distillation.rounds import DataFree, Progressive
from rfsim.distillation.targets import Sequential
from rfsim.problem.data import stream
from rfsim.problem.model import Problem
from rfsim.problem.realization import Instance

DRAWN: dict[str, type[Learner]] = {
    "consistency": Chain,
    "segments": Chain,
    "two-time": Chain,
    "random-teacher": Chain,
    "endpoint": Direct,
    "endpoint-prior": Direct,
    "data-free": DataFree,
    "progressive": Progressive,
    "score": SameTime,
}
Several = list[Learner | None]


class Models:
    """Makes the learners of a seed."""

    def __init__(
        self,
        setting: Setting,
        problem: Problem,
        draw: Instance,
        data_power: float,
        exact: ExactSpectra,
        own: ExactSpectra,
        drawn: Drawn,
    ) -> None:
        """exact, own: spectra of the teacher's and of the student's features; draw: of the student's features.

        drawn: what integrated students draw and keep; it hears of progress.
        """
        self._setting, self._problem, self._draw, self._power = setting, problem, draw, data_power
        self._exact, self._own, self._drawn = exact, own, drawn
        self._random: Network | None = None

    def groups(
        self, students: Sequence[Student], forms: Sequence[Consistency], teachers: Sequence[Network]
    ) -> dict[str, Several]:
        """By group, one learner for each student: None where it has no such control."""
        alone = [replace(one, target=Sequential()) for one in students]  # controls learn level by level
        ways = [Forms(one, self._setting.features.times) for one in forms]
        named = {
            "half": (students, teachers[0], lambda one: one.method.has_half()),
            "student": (students, teachers[0], lambda one: True),
            "early_student": (alone, teachers[1], lambda one: one.method.traits.early),
        }
        found: dict[str, Several] = {
            name: [
                self._learner(one, teacher, way, f"{name}-{number}", whole=name == "student") if has(one) else None
                for number, (one, way) in enumerate(zip(several, ways, strict=True), 1)
            ]
            for name, (several, teacher, has) in named.items()
        }
        endpoint = DistillationMethod("endpoint")
        controls = [replace(one, method=endpoint, generations=1, critic=Equilibrium()) for one in alone]
        found["regression"] = [
            Direct(one, self._setting, teachers[0], way, whole=False) for one, way in zip(controls, ways, strict=True)
        ]
        return found

    def _learner(self, student: Student, teacher: Network, forms: Forms, name: str, *, whole: bool) -> Learner:
        kind, given = student.method.kind, (student, self._setting)
        if kind == "random-teacher":
            teacher = self._at_random(teacher)
        if kind == "empirical-teacher":
            return ByEmpirical(*given, teacher, forms, whole=whole, points=self._draw.points)
        if kind in DRAWN:
            return DRAWN[kind](*given, teacher, forms, whole=whole)
        if kind in INTEGRATED:
            return Integrated(*given, teacher, forms, whole=whole, drawn=self._drawn._replace(place=name))
        if kind == "consistency-training":
            return ConsistencyTraining(*given, teacher, forms, exact=self._own)
        if kind == "self":
            return SelfDistilled(*given, teacher, forms, exact=self._own)
        problem = replace(self._problem, ridge=student.ridge)
        spectra, draw = self._spectra(problem), self._draw
        return Hard(
            *given, teacher, forms, spectra=spectra, samples=len(draw.points), seed=draw.seed, tell=self._drawn.tell
        )

    def _spectra(self, problem: Problem) -> Callable[[NDArray[np.float64]], ExactSpectra]:
        """Of the student's features on other data, as many as there were."""

        def of(points: NDArray[np.float64]) -> ExactSpectra:
            draw = self._draw._replace(points=points)
            return ExactSpectra("samples", problem, draw, self._power, self._setting.features.times, Unkept())

        return of

    def _at_random(self, teacher: Network) -> Network:
        """Read-outs of independent normal entries, at every level of the teacher's own energy (M13)."""
        if self._random is None:
            readouts = stream(self._draw.seed, "random teacher").standard_normal(teacher.readouts.shape)
            for k, readout in enumerate(readouts):
                points, basis = self._exact.points(k), self._exact.basis(k)
                trained, drawn = (
                    float((((one @ basis) ** 2) * points).sum()) for one in (teacher.readouts[k], readout)
                )
                readout *= np.sqrt(trained / drawn)
            self._random = teacher._replace(readouts=placed(readouts))
        return self._random
