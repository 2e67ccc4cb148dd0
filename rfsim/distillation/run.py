"""One seed's distillation: teachers over the grid, then students level by level (equations.md §7, §8).

Two passes over the levels. The first leaves the exact eigenvectors of every U in a cache; the second averages the
moments of one level at a time, advances every student on them, measures, and lets the moments go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers, placed
from rfsim.distillation import audit, measures, membership
from rfsim.distillation.anchors import Anchors
from rfsim.distillation.audit import Audited, Auditor
from rfsim.distillation.cache import ArrayCache
from rfsim.distillation.consistency import Consistency, consistency
from rfsim.distillation.exact import ExactSpectra, Judged
from rfsim.distillation.integrated import Drawn
from rfsim.distillation.learners import Eigen, Learner, Setting
from rfsim.distillation.level_training import LevelTraining, stacked
from rfsim.distillation.models import Models
from rfsim.distillation.moments import LevelMoments
from rfsim.distillation.networks import Function, Network
from rfsim.distillation.plan import DistillationPlan
from rfsim.distillation.readers import Arriving, rows_alone
from rfsim.distillation.teacher import TeacherFilter, teach
from rfsim.problem.data import stream
from rfsim.problem.diffusion import diffuse, ode_step
from rfsim.problem.laws import score
from rfsim.problem.model import Problem
from rfsim.problem.realization import Instance
from rfsim.simulation.checkpointing import NOWHERE, Keeping

Tell = Callable[[str], None]


class Wanted(NamedTuple):
    """What is measured only when asked for."""

    instability: bool = False
    transfer: bool = False
    audit: bool = False


class LevelResult(NamedTuple):
    """What is measured at one level (§8).

    points: exact eigenvalues of U of the student's features; teacher, students, half: energies and losses of the
    teacher's weights, of every student's at every distill_time, and of the same by half the draws, NaN where a student
    has none at this level; references: energies of each student's own teacher, (V, dim, parts); membership:
    denoising losses of single points by model, (…, points); landing: shares of what Gen inputs of the level below hand
    up, (ridges, inputs, parts), None at level 1, and by half the draws; transfer: medians from every part to every
    part, (ridges, parts, parts); instability of every direction, (features,); baseline: its L_test; audited: exact
    losses of single points.
    """

    points: NDArray[np.float64]
    teacher: Judged
    students: Judged
    half: Judged
    references: NDArray[np.float64]
    membership: dict[str, NDArray[np.float64]]
    landing: NDArray[np.float64] | None
    landing_half: NDArray[np.float64] | None
    transfer: NDArray[np.float64] | None
    instability: NDArray[np.float64] | None
    baseline: float | None
    audited: Audited | None


class SeedDistillation(NamedTuple):
    """What one seed's distillation leaves behind; V students, T distill_times, N levels.

    teachers: the teacher, and one that is stopped early; student: W, σ's means and times of the students' network;
    models: by group ("student", "half", "early_student", "regression") the learners of the V students with the weights
    that they sample by, None where there is no such model; levels: from the lowest up; parts: of U of the student's
    features, ascending; auditor: with its points, where an audit was asked for.
    """

    draw: Instance
    function: Function
    teachers: Sequence[Network]
    student: Network
    models: Mapping[str, Sequence[Learner | None]]
    forms: Sequence[Consistency]
    points: membership.Points
    levels: list[LevelResult]
    parts: dict[str, slice]
    auditor: Auditor | None


def take(
    plan: DistillationPlan,
    problem: Problem,
    draw: Instance,
    data_power: float,
    named: bool,
    cache: ArrayCache,
    wanted: Wanted,
    tell: Tell,
    keeping: Keeping = NOWHERE,
) -> SeedDistillation:
    """Distill one draw. problem: with the teacher's ridge; data_power: σ_x²; named: whether the population is a law.

    keeping: where states of students that are integrated step by step are kept.

    Raises ValueError where the teacher's trainer diverges or float64 does not resolve its U.
    """
    return _Levels(plan, problem, draw, data_power, named, cache, wanted, tell, keeping).distilled()


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
        keeping: Keeping,
    ):
        self.plan, self.draw, self.named, self.wanted, self.tell = plan, draw, named, wanted, tell
        features = plan.student_features(draw.sizes)
        trained = [
            TeacherFilter(plan.trainer, plan.teacher_ridge, time) for time in (plan.teacher_time, plan.early_time)
        ]
        self.exact = ExactSpectra("teacher", problem, draw, data_power, plan.times, cache)
        self.teachers = teach(self.exact, trained, lambda k: tell(f"teacher, level {k}"))
        self.own, own = self.exact, draw
        baselines: list[Network] = []
        if features != draw.sizes.features:
            weights = stream(draw.seed, "student features").standard_normal((features, draw.sizes.dim))
            own = draw._replace(weights=weights, sizes=draw.sizes._replace(features=features))
            self.own = ExactSpectra("student", problem, own, data_power, plan.times, cache)
            others = trained[:1] if wanted.audit else []
            baselines = teach(self.own, others, lambda k: tell(f"the student's features, level {k}"))
        self.forms = [consistency(one.parameterization, plan.times, data_power) for one in plan.students]
        none = np.zeros((0, draw.sizes.dim, features))
        self.student = Network(placed(self.own.weights), placed(none), placed(self.own.offsets), plan.times)
        setting = Setting(np.asarray(plan.distill_times), self.student, draw.sigma.function, plan.solver)
        anchors = Anchors(plan, problem, draw, self.teachers[0], plan.number_of_draws(features))
        drawn = Drawn(plan.teacher_ridge, anchors.pool, "", keeping.of_seed(draw.seed), tell)
        models = Models(setting, problem, own, data_power, self.exact, self.own, drawn)
        groups = models.groups(plan.students, self.forms, self.teachers)
        self.level_training = LevelTraining(groups, self.student, draw.sigma.function, plan.solver, anchors.of)
        self.shape = len(plan.distill_times), draw.sizes.dim, features
        self.whole = wanted.transfer or any(student.target.ema_time is not None for student in plan.students)
        self.points = membership.points(draw.points, draw.population, draw.seed)
        self.baseline = baselines[0] if baselines else None
        self.auditor = self._auditor() if wanted.audit else None

    def _auditor(self) -> Auditor:
        plan, draw = self.plan, self.draw
        of = audit.points(draw.points, draw.population, draw.seed)
        return Auditor(of, plan.levels, self.teachers[0], self.baseline, self.own.weights)

    def _as_score(self, form: Consistency, level: int) -> tuple[float, float]:
        jump = ode_step("ddim", float(self.plan.times[level]), self.plan.time_min)
        return membership.as_score(form, level, jump)

    def distilled(self) -> SeedDistillation:
        """All levels, from the lowest up."""
        levels = []
        for level in range(1, self.plan.levels + 1):
            self.tell(f"students, level {level}")
            levels.append(self._give(level))
        return SeedDistillation(
            self.draw,
            self.draw.sigma.function,
            self.teachers,
            self.student,
            self.level_training.groups,
            self.forms,
            self.points,
            levels,
            self.own.slices,
            self.auditor,
        )

    def _give(self, level: int) -> LevelResult:
        """Teach one level, and measure."""
        landed, handed = None, 0
        if level > 1:
            rows = self.own.rows(level - 1, "gen")
            landed, handed = Arriving(self.teachers[0], rows_alone(rows, self.draw.sizes.dim)), len(rows)
        landings: list[NDArray[np.float64] | None] = []
        last: list[tuple[NDArray[np.float64] | None, Numbers | None]] = []

        def hear(found: LevelMoments, eigen: Eigen, answer: Numbers | None) -> None:
            given = None if answer is None else answer.reshape(-1, answer.shape[-1])[:handed]
            landings.append(None if given is None else self._landed(level, given, eigen))
            if len(landings) == 2:
                last.append((self._transfer(level, found, eigen), found.difference))

        found = self.level_training.taught(
            level, self.teachers[0], landed, hear, carried=self.whole, difference=self.wanted.instability
        )
        readout, by_baseline = self.teachers[0].readouts[level], None
        weights = {
            name: placed(stacked(several, self.shape))
            for name, several in found.items()
            if name in ("student", "half") or any(one is not None for one in several)
        }
        if self.own is self.exact:
            given = [readout, weights["student"], weights["half"]]
            teacher, students, half = self.own.judge(level, given, beside=readout)
        else:
            teacher = _at_parts(self.exact.judge(level, [readout])[0], self.exact.slices, self.own.slices)
            judged = [weights["student"], weights["half"], *([self.baseline.readouts[level]] if self.baseline else [])]
            students, half, *others = self.own.judge(level, judged)
            by_baseline = float(others[0].test) if others else None
        instability, (transfer, difference) = None, last[0]
        if difference is not None:
            instability = np.asarray(measures.instability(difference, self.own.points(level), self.own.basis(level)))
        return LevelResult(
            np.asarray(self.own.points(level)),
            teacher,
            students,
            half,
            self._references(level, teacher),
            self._membership(level, weights),
            landings[1],
            landings[0],
            transfer,
            instability,
            by_baseline,
            self._audited(level, np.asarray(weights["student"])),
        )

    def _audited(self, level: int, students: NDArray[np.float64]) -> Audited | None:
        if self.auditor is None or level not in self.auditor.levels:
            return None
        scores = [self._as_score(form, level) for form in self.forms]
        return self.auditor.audit(level, self.own.sigma(level), students, scores)

    def _references(self, level: int, teacher: Judged) -> NDArray[np.float64]:
        """Energies of each student's own teacher by output row and part, (V, dim, parts)."""
        taught = [one and one.teacher for one in self.level_training.groups["student"]]
        return np.stack(
            [
                teacher.energy
                if one is None or one is self.teachers[0]
                else np.asarray(
                    measures.row_energies(
                        one.readouts[level], self.own.points(level), self.own.basis(level), self.own.slices
                    )
                )
                for one in taught
            ]
        )

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
        found = {
            name: np.stack(
                [
                    membership.losses(near, one, *self._as_score(form, level))
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


def _at_parts(judged: Judged, held: Mapping[str, slice], wanted: Mapping[str, slice]) -> Judged:
    """With the energies at the parts of another set of features, by name; NaN where there is no such part."""
    nothing = np.full(judged.energy.shape[:-1], np.nan)
    columns = {name: judged.energy[..., number] for number, name in enumerate(held)}
    return judged._replace(energy=np.stack([columns.get(name, nothing) for name in wanted], axis=-1))
