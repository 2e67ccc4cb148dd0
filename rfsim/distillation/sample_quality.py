"""What teacher, students and controls generate, and how it measures up (equations.md §8).

All models of a seed start from the same draws of N(0, I) and renoise with the same noise, so that they differ by what
they have learned. The true distribution is that of x_ε, at the diffusion time ε where samples end.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers, placed
from rfsim.computing.jackknife import jackknife
from rfsim.distillation.distances import fresh, truth
from rfsim.distillation.learners import Learner, Route
from rfsim.distillation.memorization import Membership, Quality, membership, quality
from rfsim.distillation.methods import INTEGRATED, JUMPING, SCORE
from rfsim.distillation.networks import Network
from rfsim.distillation.plan import DistillationPlan
from rfsim.distillation.run import SeedDistillation
from rfsim.distillation.sampling import (
    Noise,
    generate,
    generate_consistent,
    generate_jumps,
    generation_noise,
    path,
    starting_points,
    step_counts,
)
from rfsim.problem.diffusion import diffuse

NORMAL = 1.959963984540054  # half a 95% interval in standard errors


class SampleQuality:
    """The samples of one seed's models, and their measures in the order of `Quality`'s fields."""

    def __init__(self, plan: DistillationPlan, distilled: SeedDistillation) -> None:
        dim, seed = distilled.draw.sizes.dim, distilled.draw.seed
        self.plan, self.distilled = plan, distilled
        self.start = starting_points(seed, plan.generated, dim)
        self.noise = generation_noise(seed, plan.generated, dim)
        law = diffuse(distilled.draw.population, plan.time_min)
        self.truth = truth(law, plan.generated, seed)
        self.reference = fresh(law, plan.generated, seed)
        self.every = path(plan.levels, plan.levels)
        names = dict.fromkeys(itertools.chain.from_iterable(level.membership for level in distilled.levels))
        # over all levels that a model has: a property of the model, whatever the number of its steps
        self.losses = {
            name: _mean([level.membership[name] for level in distilled.levels if name in level.membership])
            for name in names
        }

    def measure(self) -> dict[str, NDArray[np.float64]]:
        """Measures by model, quality last; `_error`: standard errors over samples, or over training points."""
        plan = self.plan
        teacher, early = self.distilled.teachers
        solver = plan.sampler
        few = [self.taught(teacher, path(plan.levels, steps), solver) for steps in step_counts(plan.levels)]
        found = {
            "reference": self.judge(self.reference, self.told("truth")),
            "teacher_steps": np.stack([self.judge(samples, self.told("teacher")) for samples in few]),
            "teacher_error": self.errors(few[-1], "teacher"),
            "early_teacher": self.judge(self.taught(early, self.every, solver), self.told("early_teacher")),
        }
        shape, counts = (len(plan.students), len(plan.distill_times)), step_counts(plan.levels)
        for name in ("half", "early_student", "regression"):
            rows = [self.judge(self.sampled(name, v, t), self.told(name, v, t)) for v, t in np.ndindex(shape)]
            found[name] = np.reshape(rows, (*shape, -1))
        own, steps, errors = [], [], []
        for v, t in np.ndindex(shape):
            many, guessed = self.evaluations(v), self.told("student", v, t)
            several = {count: self.sampled("student", v, t, count) for count in {many, *counts}}
            judged = {count: self.judge(samples, guessed) for count, samples in several.items()}
            steps.append([judged[count] for count in counts])
            own.append(judged[many])
            errors.append(self.errors(several[many], "student", v, t))
        found["student_steps"] = np.reshape(steps, (*shape, len(few), -1))
        found["student_error"] = np.reshape(errors, (*shape, -1))
        # the teacher takes every step, a student those of its method
        found["teacher"], found["student"] = found["teacher_steps"][-1], np.reshape(own, (*shape, -1))
        return found

    def evaluations(self, student: int) -> int:
        """Evaluations of a student's network for one of its samples."""
        return self.plan.students[student].method.evaluations(self.plan.levels)

    def judge(self, samples: NDArray[np.float64] | None, told: Membership) -> NDArray[np.float64]:
        """`Quality` as an array; NaN where there are no samples."""
        if samples is None:
            return np.full(len(Quality._fields), np.nan)
        return np.array(self._quality(samples, told))

    def errors(self, samples: NDArray[np.float64] | None, name: str, *which: int) -> NDArray[np.float64]:
        """Standard errors of a `Quality`, NaN for the ends of an interval."""
        if samples is None:
            return np.full(len(Quality._fields), np.nan)
        found = self._quality(samples)
        frechet, sliced = jackknife(self.truth.distances, samples)
        losses, training = self.losses[name][which], self.distilled.points.training
        groups = min(training, 8)
        guessed = jackknife(lambda rows: membership(rows, losses[training:]), losses[:training, None], groups)
        fraction = (found.memorized_high - found.memorized_low) / (2 * NORMAL)
        return np.array(Quality(fraction, math.nan, math.nan, float(frechet), float(sliced), *guessed.tolist()))

    def _quality(self, samples: NDArray[np.float64], told: Membership | None = None) -> Quality:
        points, ratio = self.distilled.draw.points, self.plan.memorized_ratio
        return quality(samples, points, self.truth, told, ratio=ratio)

    def told(self, name: str, *which: int) -> Membership:
        """What the losses of one model tell of membership; NaN where there are none."""
        return self.told_of(self.losses[name][which]) if name in self.losses else Membership()

    def told_of(self, losses: NDArray[np.float64]) -> Membership:
        """What denoising losses of the points, (points,), tell of membership; NaN where one of them is."""
        training = self.distilled.points.training
        if not np.all(np.isfinite(losses)):
            return Membership()
        return membership(losses[:training], losses[training:])

    def taught(self, network: Network, steps: list[int], solver: str) -> NDArray[np.float64]:
        """A teacher's samples."""
        return generate(network, self.start, steps, self.distilled.function, solver, self.noise)

    def sampled(self, name: str, student: int, time: int, steps: int | None = None) -> NDArray[np.float64] | None:
        """Samples of a model in so many steps, its method's own unless given; None where it has none."""
        learner = self.distilled.models[name][student]
        if learner is None:
            return None
        route = learner.route(learner.method.evaluations(self.plan.levels) if steps is None else steps)
        if route is None:
            return None
        weights = [learner.at[jump][time] for jump in route]
        # an integration that diverged has none from there on
        there = learner.method.kind not in INTEGRATED or bool(np.isfinite(np.asarray(weights)).all())
        return self._along(learner, route, weights) if there else None

    def drawn_by(self, name: str, student: int, weights: Numbers) -> NDArray[np.float64] | None:
        """Samples of a model in its method's own steps with other weights, (grid, dim, features), jumps all to ε."""
        learner = self.distilled.models[name][student]
        route = learner and learner.route(learner.method.evaluations(self.plan.levels))
        return None if learner is None or not route else self._along(learner, route, [weights[k] for k, _ in route])

    def _along(self, learner: Learner, route: Route, weights: Sequence[Numbers]) -> NDArray[np.float64]:
        """Samples along a route, by the weights of each of its jumps."""
        method, levels, function = learner.method, self.plan.levels, self.distilled.function
        network, readouts = self.distilled.student, [np.asarray(one) for one in weights]
        if method.traits.samples == JUMPING:
            offsets = np.array([network.offsets[level] for level, _ in route])
            along = network._replace(readouts=placed(np.stack(readouts)), offsets=placed(offsets))
            return generate_jumps(along, self.start, [learner.forms.jump(*jump) for jump in route], function)
        # one jump needs its own level alone
        held = [0, levels] if len(route) == 1 else list(range(levels + 1))
        filled = np.zeros((len(held), *readouts[0].shape))
        along = [*(held.index(level) for level, _ in route), 0]
        filled[along[:-1]] = readouts
        offsets = placed(np.asarray(network.offsets)[held])
        few = Network(network.weights, placed(filled), offsets, network.times[held])
        if method.traits.samples == SCORE:
            return generate(few, self.start, along, function, self.plan.sampler, _numbered(self.noise, held))
        form = learner.forms.to_start
        noise = _numbered(self.noise, held)
        return generate_consistent(
            few, form.skip[held], form.out[held], self.start, along, function, noise, self.plan.renoise
        )


def _numbered(noise: Noise, held: Sequence[int]) -> Noise:
    """The noise of a grid of which some levels are held, by their number among these."""
    return lambda k: noise(held[k])


def _mean(losses: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Over the levels (levels, …) that are not NaN; NaN where all are."""
    several = np.stack(losses)
    known = np.isfinite(several)
    with np.errstate(invalid="ignore"):
        return np.where(known, several, 0.0).sum(axis=0) / known.sum(axis=0)
