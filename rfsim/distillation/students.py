"""Students taken through the levels from the lowest up (equations.md T16, T17), and the controls beside them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers, compiled, namespace, placed
from rfsim.distillation.consistency import Consistency
from rfsim.distillation.coupled import Transform, contour, coupled
from rfsim.distillation.flow import System, towards
from rfsim.distillation.moments import LevelMoments, Stage, StudentFeatures
from rfsim.distillation.plan import Student
from rfsim.distillation.sampling import Function, features
from rfsim.learning.filters import learning_rate_constant

Eigen = tuple[Numbers, Numbers]


class Students:
    """Weights of several students, at several distill_times, on the moments that they share."""

    def __init__(
        self,
        students: Sequence[Student],
        forms: Sequence[Consistency],
        distill_times: NDArray[np.float64],
        shape: tuple[int, int],
    ) -> None:
        """forms: of the students; shape: (dim, features)."""
        self._students, self._forms, self._times, self._shape = students, forms, distill_times, shape
        self._below: list[Numbers] = [placed(np.zeros((len(distill_times), *shape))) for _ in students]
        self._transforms: list[Transform | None] = [None] * len(students)
        self._contour = contour()

    @property
    def count(self) -> int:
        """Students times distill_times."""
        return len(self._students) * len(self._times)

    def readers(self, level: int) -> Readers:
        """f⁻_{k−1} of every student and distill_time."""
        skip, out = (
            np.repeat([getattr(form, name)[level - 1] for form in self._forms], len(self._times))
            for name in ("skip", "out")
        )
        return Readers(namespace(self._below).concatenate(self._below), skip, out)

    def advance(self, level: int, targets: Numbers, moments: LevelMoments, eigen: Eigen, teacher: Numbers) -> Numbers:
        """Weights of every student at the next level, (students, times, dim, features).

        targets: E yφᵀ of what each is regressed on, (students·times, dim, features), or one for all, (dim, features);
        eigen: points and basis of moments.second; teacher: a read-out Ā_k to start from (dim, its features).
        """
        times = len(self._times)
        for number, (student, form) in enumerate(zip(self._students, self._forms, strict=True)):
            if student.target.ema_time is None:
                own = targets[number * times : (number + 1) * times] if targets.ndim == 3 else targets
                system = self._system(student, form, level, eigen, own - form.skip[level] * moments.own, teacher)
                self._below[number] = towards(system, system.fixed, self._times)
                continue
            assert moments.steps is not None  # asked for where a student is coupled
            assert moments.carried is not None
            fixed = form.skip[level - 1] * moments.steps - form.skip[level] * moments.own
            system = self._system(student, form, level, eigen, fixed, teacher)
            system = system._replace(carried=moments.carried, gain=form.gain(level))
            self._below[number], self._transforms[number] = coupled(
                system, self._transforms[number], self._times, student.target.ema_time, self._contour
            )
        return namespace(self._below).stack(self._below)

    def _system(
        self, student: Student, form: Consistency, level: int, eigen: Eigen, fixed: Numbers, teacher: Numbers
    ) -> System:
        """The flow of level k (T16) towards `fixed`/c_out alone."""
        dim, p = self._shape
        start = teacher if student.start == "teacher" else np.zeros(self._shape)
        out = float(form.out[level])
        kappa = learning_rate_constant(out**2, p / dim)
        return System(*eigen, fixed / out, np.zeros((p, 1)), 0.0, kappa, student.ridge, start)


class Readers(NamedTuple):
    """Functions skip·y + out·Bφ_{k−1}(y) of where a draw arrives.

    weights: B (count, dim, features); skip, out: (count,).
    """

    weights: Numbers
    skip: NDArray[np.float64]
    out: NDArray[np.float64]


def together(several: Sequence[Readers]) -> Readers:
    """All of them as one."""
    weights, skip, out = zip(*several, strict=True)
    return Readers(namespace(weights).concatenate(weights), np.concatenate(skip), np.concatenate(out))


def rows_alone(rows: Numbers, dim: int) -> Readers:
    """Coefficient rows q (count, features) that read qᵀφ alone, in as many groups of `dim` as hold them."""
    padded = namespace(rows).pad(rows, ((0, -len(rows) % dim), (0, 0))).reshape(-1, dim, rows.shape[1])
    return Readers(padded, np.zeros(len(padded)), np.ones(len(padded)))


def read(readers: Readers, stage: Stage, student_features: StudentFeatures, function: Function, x: Numbers) -> Numbers:
    """The functions at Φ_k(x), (rows, count, dim), for x (rows, dim)."""
    return _read(readers, stage, student_features, x, heun=stage.heun, function=function)


@partial(compiled, static=("heun", "function"))
def _read(
    readers: Readers, stage: Stage, student_features: StudentFeatures, x: Numbers, *, heun: bool, function: Function
) -> Numbers:
    arrived = stage.move(x, function, heun)
    phi = features(student_features.weights, arrived, student_features.offset_there, function)
    count, dim, p = readers.weights.shape
    answers = (phi @ readers.weights.reshape(-1, p).T).reshape(len(x), count, dim)
    return readers.skip[:, None] * arrived[:, None] + readers.out[:, None] * answers
