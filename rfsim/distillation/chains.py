"""Methods that ask once at a level: chains of levels, endpoints, the teacher's score (equations.md M1, M3, M6–M8)."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers, placed
from rfsim.distillation.coupled import Transform, contour, coupled
from rfsim.distillation.learners import PRIOR, TRAINING, Averages, Learner, Regressions, Route, Setting
from rfsim.distillation.networks import Network
from rfsim.distillation.plan import Student
from rfsim.distillation.readers import Arriving, Ask, Endpoint, Readers, jumped, read_there, together
from rfsim.distillation.regression import Forms
from rfsim.distillation.sampling import ode_map, path
from rfsim.problem.diffusion import Step, diffuse, ode_step
from rfsim.problem.laws import Law, score


class Chain(Learner):
    """Jumps from every level to its ends, each regressed on the level below where the teacher's step arrives (M1).

    Consistency distillation has the one end ε; segments (M3) end where they begin; two-time maps (M7) end everywhere.
    """

    def __init__(self, student: Student, setting: Setting, teacher: Network, forms: Forms, *, whole: bool) -> None:
        super().__init__(student, setting, teacher, forms, whole=whole)
        self._below: dict[int, Numbers] = {}
        self._transform: Transform | None = None

    def ends(self, level: int) -> list[int]:
        """Where jumps from a level lead."""
        if self.method.kind == "segments":
            return [max(end for end in self._boundaries() if end < level)]
        return list(range(level)) if self.method.kind == "two-time" else [0]

    def route(self, steps: int) -> Route | None:
        """By its boundaries, or along any path."""
        if self.method.kind == "segments":
            return list(pairwise(self._boundaries()[::-1])) if steps == self.method.argument else None
        if self.method.kind == "two-time":
            return list(pairwise(path(self.setting.levels, steps)))
        return super().route(steps)

    def regressions(self, level: int) -> Regressions:
        """One round: all ends at once."""
        times, ends = len(self.setting.distill_times), self.ends(level)
        given = yield self._ask(level, together([self._reader(level - 1, end) for end in ends]))
        found = {}
        for number, end in enumerate(ends):
            targets = given.targets[number * times : (number + 1) * times]
            learned = self._follow if self.student.target.ema_time is not None else self._learn
            found[end] = self._keep(level, end, learned(self.forms.jump(level, end), level, targets, given))
        self._below = found
        return found[ends[0]]

    def _ask(self, level: int, readers: Readers) -> Ask:
        """The functions where a step from a level arrives."""
        return Arriving(self.teacher, readers)

    def _boundaries(self) -> list[int]:
        assert isinstance(self.method.argument, int)
        return path(self.setting.levels, self.method.argument)[::-1]

    def _reader(self, level: int, end: int) -> Readers:
        """f⁻_{k−1→j} for every distill_time; what has arrived is left as it is."""
        times = len(self.setting.distill_times)
        if level == end:
            return Readers(placed(np.zeros((times, *self.setting.shape))), np.ones(times), np.zeros(times))
        form = self.forms.jump(level, end)
        return Readers(self._below[end], np.full(times, form.x), np.full(times, form.score))

    def _follow(self, form: Step, level: int, _: Numbers, given: Averages) -> Numbers:
        """All levels at once, each towards a moving average of the one below (T16, coupled)."""
        moments, consistent, averaged = given.moments, self.forms.to_start, self.student.target.ema_time
        assert moments.steps is not None  # asked for where a student is coupled
        assert moments.carried is not None
        assert averaged is not None
        regression = self._regression(form, level)
        system = regression.system(given.eigen, float(consistent.skip[level - 1]) * moments.steps, moments.own)
        system = system._replace(carried=moments.carried, gain=consistent.gain(level))
        found, self._transform = coupled(system, self._transform, self.setting.distill_times, averaged, contour())
        return found


class ByEmpirical(Chain):
    """Consistency distillation whose teacher is the exact score of the training points (M1; S23, Theorem 2)."""

    def __init__(
        self,
        student: Student,
        setting: Setting,
        teacher: Network,
        forms: Forms,
        *,
        whole: bool,
        points: NDArray[np.float64],
    ) -> None:
        super().__init__(student, setting, teacher, forms, whole=whole)
        self._law = Law(points, np.zeros(points.shape[1]))

    def _ask(self, level: int, readers: Readers) -> Ask:
        """Where the flow's step by that score arrives."""
        network, function = self.setting.features, self.setting.function
        times = [float(network.times[k]) for k in (level, level - 1)]
        step, laws = ode_step(self.setting.solver, *times), [diffuse(self._law, time) for time in times]
        here, there = (partial(score, law) for law in laws)

        def arriving(x: Numbers) -> Numbers:
            moved = placed(ode_map(step, step.half != 0, np.asarray(x), here, there))
            return read_there(readers, network.weights, network.offsets[level - 1], moved, function=function)

        return arriving


class Direct(Learner):
    """One jump from the last level, regressed on the teacher's endpoints, from noisy data or from noise (M6)."""

    def __init__(self, student: Student, setting: Setting, teacher: Network, forms: Forms, *, whole: bool) -> None:
        super().__init__(student, setting, teacher, forms, whole=whole)
        self.anchor = PRIOR if self.method.kind == "endpoint-prior" else TRAINING

    def regressions(self, level: int) -> Regressions:
        """The last level alone."""
        if level < self.setting.levels:
            return None
        given = yield Endpoint(self.teacher, self.setting.solver)
        return self._keep(level, 0, self._learn(self.forms.jump(level, 0), level, given.targets[0], given))


class SameTime(Learner):
    """The teacher's score at each level, regressed on inputs of one's choice (M8)."""

    def __init__(self, student: Student, setting: Setting, teacher: Network, forms: Forms, *, whole: bool) -> None:
        super().__init__(student, setting, teacher, forms, whole=whole)
        inputs = str(self.method.argument)
        self.anchor = TRAINING if inputs == "noise-online" else inputs

    def regressions(self, level: int) -> Regressions:
        """One round."""
        form, teacher = self.forms.score(level), self.teacher
        weights, offset, readout = teacher.weights, teacher.offsets[level], placed(teacher.readouts[level])[None]
        given = yield lambda x: jumped(weights, offset, readout, 0.0, form.score, x, function=self.setting.function)
        return self._keep(level, 0, self._learn(form, level, given.targets[0], given))
