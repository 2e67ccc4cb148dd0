"""One seed's distillation: teachers over the grid, then students level by level (equations.md §7, §8).

Two passes over the levels. The first leaves the exact eigenvectors of every U in a cache; the second averages the
moments of one level at a time, advances every student on them, measures, and lets the moments go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers, namespace, placed
from rfsim.distillation import measures, membership
from rfsim.distillation.cache import ArrayCache
from rfsim.distillation.consistency import Consistency, consistency
from rfsim.distillation.exact import ExactSpectra, Judged
from rfsim.distillation.flow import decomposed
from rfsim.distillation.moments import LevelMoments, Noisy, StudentFeatures, level_moments, stage
from rfsim.distillation.plan import DistillationPlan
from rfsim.distillation.sampling import Function, Network, generate, generation_noise, path, starting_points
from rfsim.distillation.students import Eigen, Students, read, rows_alone, together
from rfsim.distillation.targets import Sequential
from rfsim.distillation.teacher import TeacherFilter, teach
from rfsim.problem.data import stream
from rfsim.problem.diffusion import Law, diffuse, ode_step, score
from rfsim.problem.model import Instance, Problem

Tell = Callable[[str], None]


class Wanted(NamedTuple):
    """What is measured only when asked for."""

    instability: bool = False
    transfer: bool = False


class LevelResult(NamedTuple):
    """What is measured at one level (§8).

    points: exact eigenvalues of U of the student's features; teacher, students, half: energies and losses of the
    teacher's weights, of every student's at every distill_time, and of the same by half the draws; membership:
    denoising losses of single points by model, (…, points); landing: shares of what Gen inputs of the level below hand
    up, (ridges, inputs, parts), None at level 1, and by half the draws; transfer: medians from every part to every
    part, (ridges, parts, parts); instability of every direction, (features,).
    """

    points: NDArray[np.float64]
    teacher: Judged
    students: Judged
    half: Judged
    membership: dict[str, NDArray[np.float64]]
    landing: NDArray[np.float64] | None
    landing_half: NDArray[np.float64] | None
    transfer: NDArray[np.float64] | None
    instability: NDArray[np.float64] | None


class SeedDistillation(NamedTuple):
    """What one seed's distillation leaves behind; V students, T distill_times, N levels.

    teachers: the teacher, and one that is stopped early; student: W, σ's means and times of the students' network,
    readouts: theirs, (N + 1, V, T, dim, features), zero at ε; one_step: weights of level N alone, (V, T, dim,
    features), of "half", "early_student" and "regression"; levels: from the lowest up; parts: of U of the student's
    features, ascending.
    """

    draw: Instance
    function: Function
    teachers: Sequence[Network]
    student: Network
    readouts: NDArray[np.float64]
    forms: Sequence[Consistency]
    one_step: dict[str, NDArray[np.float64]]
    points: membership.Points
    levels: list[LevelResult]
    parts: dict[str, slice]


def take(
    plan: DistillationPlan,
    problem: Problem,
    draw: Instance,
    data_power: float,
    named: bool,
    cache: ArrayCache,
    wanted: Wanted,
    tell: Tell,
) -> SeedDistillation:
    """Distill one draw. problem: with the teacher's ridge; data_power: σ_x²; named: whether the population is a law.

    Raises ValueError where the teacher's trainer diverges or float64 does not resolve its U.
    """
    return _Levels(plan, problem, draw, data_power, named, cache, wanted, tell).distilled()


class _Levels:
    """The second pass, level by level, with what the first has prepared."""

    def __init__(
        self,
        plan: DistillationPlan,
        problem: Problem,
        draw: Instance,
        data_power: float,
        named: bool,
        cache,
        wanted,
        tell,
    ):
        self.plan, self.draw, self.named, self.wanted, self.tell = plan, draw, named, wanted, tell
        features = plan.student_features(draw.sizes)
        trained = [
            TeacherFilter(plan.trainer, plan.teacher_ridge, time) for time in (plan.teacher_time, plan.early_time)
        ]
        self.exact = ExactSpectra("teacher", problem, draw, data_power, plan.times, cache)
        self.teachers = teach(self.exact, trained, lambda k: tell(f"teacher, level {k}"))
        self.own = self.exact
        if features != draw.sizes.features:
            weights = stream(draw.seed, "student features").standard_normal((features, draw.sizes.dim))
            own = draw._replace(weights=weights, sizes=draw.sizes._replace(features=features))
            self.own = ExactSpectra("student", problem, own, data_power, plan.times, cache)
            teach(self.own, [], lambda k: tell(f"the student's features, level {k}"))
        self.forms = [consistency(one.parameterization, plan.times, data_power) for one in plan.students]
        shape = draw.sizes.dim, features
        times = np.asarray(plan.distill_times)
        alone = [replace(student, target=Sequential()) for student in plan.students]  # controls learn level by level
        self.full, self.half, self.early, self.direct = (
            Students(students, self.forms, times, shape) for students in (plan.students, plan.students, alone, alone)
        )
        self.whole = wanted.transfer or any(student.target.ema_time is not None for student in plan.students)
        self.student = Network(
            placed(self.own.weights), placed(np.zeros((0, *shape))), placed(self.own.offsets), plan.times
        )
        self.draws = plan.number_of_draws(features)
        self.law = self._law()
        # the teacher's own samples are draws of x_ε: they are noised from there
        self.since = plan.time_min if plan.distill_data == "teacher" else 0.0
        self.points = membership.points(draw.points, draw.population, draw.seed)

    def distilled(self) -> SeedDistillation:
        """All levels, from the lowest up."""
        readouts = [np.zeros((len(self.forms), len(self.plan.distill_times), *self.student.readouts.shape[1:]))]
        levels, weights = [], {}
        for level in range(1, self.plan.levels + 1):
            self.tell(f"students, level {level}")
            weights, record = self._give(level)
            readouts.append(np.asarray(weights["student"]))
            levels.append(record)
        return SeedDistillation(
            self.draw,
            self.draw.sigma.function,
            self.teachers,
            self.student,
            np.stack(readouts),
            self.forms,
            {name: np.asarray(weights[name]) for name in ("half", "early_student", "regression")},
            self.points,
            levels,
            self.own.slices,
        )

    def _law(self) -> Law:
        """Where clean data of the distillation come from."""
        draw, nothing = self.draw, np.zeros(self.draw.sizes.dim)
        if self.plan.distill_data == "fresh":
            return draw.population
        if self.plan.distill_data == "train":
            return Law(draw.points, nothing)
        rows = self.plan.generated + self.draws
        noise = generation_noise(draw.seed, rows, draw.sizes.dim)
        start = starting_points(draw.seed, rows, draw.sizes.dim)
        every = path(self.plan.levels, self.plan.levels)
        found = generate(self.teachers[0], start, every, draw.sigma.function, self.plan.sampler, noise)
        return Law(found[self.plan.generated :], nothing)  # those that are judged are not learned from

    def _give(self, level: int) -> tuple[dict[str, Numbers], LevelResult]:
        """Teach one level: every model's weights, (V, T, dim, features), and what is measured."""
        top = level == self.plan.levels
        readout, stopped = (teacher.readouts[level] for teacher in self.teachers)
        offsets = self.student.offsets
        student_features = StudentFeatures(self.student.weights, offsets[level], offsets[level - 1])
        function, weights, times = self.draw.sigma.function, {}, self.full.count
        first, second = (stage(teacher, level, self.plan.solver) for teacher in self.teachers)
        rows = rows_alone(self.own.rows(level - 1, "gen"), readout.shape[0]) if level > 1 else None
        own = together([self.full.readers(level), self.half.readers(level), *([] if rows is None else [rows])])
        chasing = self.early.readers(level)

        def targets(x: Numbers) -> Numbers:
            """What is read of the teacher's step, what the early teacher's students chase, and the endpoints."""
            found = [
                read(own, first, student_features, function, x),
                read(chasing, second, student_features, function, x),
            ]
            found += [self._endpoint(x)[:, None]] if top else []
            return namespace(found).concatenate(found, axis=1)

        moments = level_moments(
            first,
            student_features,
            self._noisy(level),
            function,
            targets,
            carried=self.whole,
            difference=self.wanted.instability,
        )
        found, eigen = _decomposed(next(moments))
        weights["half"] = self.half.advance(level, found.targets[times : 2 * times], found, eigen, readout)
        handed = slice(2 * times, 2 * times + (0 if rows is None else len(rows.weights)))
        landing_half = self._landing(level, found.targets[handed], eigen)
        del found, eigen  # p × p each

        found, eigen = _decomposed(next(moments))
        moments.close()
        weights["student"] = self.full.advance(level, found.targets[:times], found, eigen, readout)
        chased = found.targets[handed.stop : handed.stop + times]
        weights["early_student"] = self.early.advance(level, chased, found, eigen, stopped)
        if top:
            weights["regression"] = self.direct.advance(level, found.targets[-1], found, eigen, readout)
        landing, transfer = self._landing(level, found.targets[handed], eigen), self._transfer(level, found, eigen)
        difference = found.difference
        del found, eigen

        if self.own is self.exact:
            teacher, students, half = self.own.judge(level, [readout, weights["student"], weights["half"]])
        else:
            teacher = _at_parts(self.exact.judge(level, [readout])[0], self.exact.slices, self.own.slices)
            students, half = self.own.judge(level, [weights["student"], weights["half"]])
        instability = None
        if difference is not None:
            instability = np.asarray(measures.instability(difference, self.own.points(level), self.own.basis(level)))
        return weights, LevelResult(
            np.asarray(self.own.points(level)),
            teacher,
            students,
            half,
            self._membership(level, weights),
            landing,
            landing_half,
            transfer,
            instability,
        )

    def _noisy(self, level: int) -> Noisy:
        """The draws of x_k."""
        time = float(self.plan.times[level]) - self.since
        return Noisy(self.law, time, self.draw.seed, f"distillation/{level}", self.draws)

    def _endpoint(self, x: Numbers) -> Numbers:
        """Where the teacher takes x_T in all of its steps."""
        every = path(self.plan.levels, self.plan.levels)
        return placed(generate(self.teachers[0], x, every, self.draw.sigma.function, self.plan.solver))

    def _landing(self, level: int, handed: Numbers, eigen: Eigen) -> NDArray[np.float64] | None:
        """Where rows qᵀC (groups, dim, features) of Gen inputs of the level below land, (ridges, inputs, parts)."""
        if level == 1:
            return None  # f_0 has no weights to hand up
        gen = self.own.slices["gen"]
        return self._landed(level, handed.reshape(-1, handed.shape[-1])[: gen.stop - gen.start], eigen)

    def _landed(self, level: int, arriving: Numbers, eigen: Eigen) -> NDArray[np.float64]:
        ridges, exact = np.asarray(self.plan.leakage_ridges), (self.own.points(level), self.own.basis(level))
        return np.asarray(measures.landing(arriving, *eigen, ridges, *exact, self.own.slices))

    def _transfer(self, level: int, found: LevelMoments, eigen: Eigen) -> NDArray[np.float64] | None:
        """Median shares from every part of the level below to every part here, (ridges, parts, parts)."""
        if level == 1 or not self.wanted.transfer:
            return None
        assert found.carried is not None  # asked for with the transfer
        arriving = self.own.basis(level - 1).T @ found.carried
        return measures.transfer(self._landed(level, arriving, eigen), self.own.slices)

    def _membership(self, level: int, weights: dict[str, Numbers]) -> dict[str, NDArray[np.float64]]:
        """Denoising losses of training and fresh points under every model, (…, points)."""
        time, seed, function = float(self.plan.times[level]), self.draw.seed, self.draw.sigma.function
        use = f"membership/{level}"
        near = membership.probe(self.points, time, seed, use, self.student, level, function)
        jump = ode_step("ddim", time, self.plan.time_min)
        found = {
            name: np.stack(
                [
                    membership.losses(near, one, *membership.as_score(form, level, jump))
                    for one, form in zip(several, self.forms, strict=True)
                ]
            )
            for name, several in weights.items()
        }
        of_teacher = near
        if self.own is not self.exact:
            of_teacher = membership.probe(self.points, time, seed, use, self.teachers[0], level, function)
        for name, network in zip(("teacher", "early_teacher"), self.teachers, strict=True):
            found[name] = membership.losses(of_teacher, network.readouts[level])
        if self.named:
            law = diffuse(self.draw.population, time)
            found["truth"] = membership.losses_of_score(near, lambda x: score(law, x))
        return found


def _decomposed(found: LevelMoments) -> tuple[LevelMoments, Eigen]:
    """The moments without U, and U decomposed in its place."""
    rest = found._replace(second=np.zeros((0, 0)))
    return rest, decomposed(found.second)


def _at_parts(judged: Judged, held: Mapping[str, slice], wanted: Mapping[str, slice]) -> Judged:
    """With the energies at the parts of another set of features, by name; NaN where there is no such part."""
    nothing = np.full(judged.energy.shape[:-1], np.nan)
    columns = {name: judged.energy[..., number] for number, name in enumerate(held)}
    return judged._replace(energy=np.stack([columns.get(name, nothing) for name in wanted], axis=-1))
