"""What teacher, students and controls generate, and how it measures up (equations.md §8).

All models of a seed start from the same draws of N(0, I) and renoise with the same noise, so that they differ by what
they have learned. The true distribution is that of x_ε, at the diffusion time ε where samples end.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import placed
from rfsim.distillation.distances import fresh, truth
from rfsim.distillation.memorization import Quality, auc, jackknife, quality
from rfsim.distillation.plan import DistillationPlan
from rfsim.distillation.run import SeedDistillation
from rfsim.distillation.sampling import (
    Network,
    generate,
    generate_consistent,
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
            name: np.mean([level.membership[name] for level in distilled.levels if name in level.membership], axis=0)
            for name in names
        }

    def measure(self) -> dict[str, NDArray[np.float64]]:
        """Measures by model, quality last; `_error`: standard errors over samples, or over training points."""
        plan = self.plan
        teacher, early = self.distilled.teachers
        solver = plan.sampler
        few = [self.taught(teacher, path(plan.levels, steps), solver) for steps in step_counts(plan.levels)]
        found = {
            "reference": self.judge(self.reference, self.auc("truth")),
            "teacher_steps": np.stack([self.judge(samples, self.auc("teacher")) for samples in few]),
            "teacher_error": self.errors(few[-1], "teacher"),
            "early_teacher": self.judge(self.taught(early, self.every, solver), self.auc("early_teacher")),
        }
        shape = len(plan.students), len(plan.distill_times)
        for name in ("half", "early_student", "regression"):
            rows = [self.judge(self.jumped(name, v, t), self.auc(name, v, t)) for v, t in np.ndindex(shape)]
            found[name] = np.reshape(rows, (*shape, -1))
        steps, errors = [], []
        for v, t in np.ndindex(shape):
            several = list(self.stepped(v, t))
            steps.append([self.judge(samples, self.auc("student", v, t)) for samples in several])
            errors.append(self.errors(several[0], "student", v, t))
        found["student_steps"] = np.reshape(steps, (*shape, len(few), -1))
        found["student_error"] = np.reshape(errors, (*shape, -1))
        # the teacher takes every step, the student one
        found["teacher"], found["student"] = found["teacher_steps"][-1], found["student_steps"][..., 0, :]
        return found

    def judge(self, samples: NDArray[np.float64], membership: float) -> NDArray[np.float64]:
        """`Quality` as an array."""
        return np.array(quality(samples, self.distilled.draw.points, self.truth, membership))

    def errors(self, samples: NDArray[np.float64], name: str, *which: int) -> NDArray[np.float64]:
        """Standard errors of a `Quality`, NaN for the ends of an interval."""
        found = quality(samples, self.distilled.draw.points, self.truth)
        frechet, sliced = jackknife(self.truth.distances, samples)
        losses, training = self.losses[name][which], self.distilled.points.training
        groups = min(training, 8)
        guessed = jackknife(lambda rows: auc(rows, losses[training:]), losses[:training, None], groups)
        fraction = (found.memorized_high - found.memorized_low) / (2 * NORMAL)
        return np.array(Quality(fraction, math.nan, math.nan, float(frechet), float(sliced), float(guessed)))

    def auc(self, name: str, *which: int) -> float:
        """Membership AUC of one model; NaN where there is none."""
        if name not in self.losses:
            return math.nan
        losses, training = self.losses[name][which], self.distilled.points.training
        return auc(losses[:training], losses[training:])

    def taught(self, network: Network, steps: list[int], solver: str) -> NDArray[np.float64]:
        """A teacher's samples."""
        return generate(network, self.start, steps, self.distilled.function, solver, self.noise)

    def jumped(self, name: str, student: int, time: int) -> NDArray[np.float64]:
        """Samples of one jump T → ε by a model's weights of the last level."""
        weights = (self.distilled.readouts[-1] if name == "student" else self.distilled.one_step[name])[student, time]
        ends = np.array([0, self.plan.levels])
        network = self.distilled.student
        alone = Network(
            network.weights,
            placed(np.stack([np.zeros(weights.shape), weights])),
            network.offsets[ends],
            network.times[ends],
        )
        form = self.distilled.forms[student]
        return generate_consistent(
            alone, form.skip[ends], form.out[ends], self.start, [1, 0], self.distilled.function, self.noise
        )

    def stepped(self, student: int, time: int, counts: Sequence[int] | None = None) -> Iterator[NDArray[np.float64]]:
        """A student's samples in each number of steps, 1, 2, 4, … unless given (S23, Algorithm 1)."""
        network = self.distilled.student._replace(readouts=placed(self.distilled.readouts[:, student, time]))
        form = self.distilled.forms[student]
        for steps in step_counts(self.plan.levels) if counts is None else counts:
            yield generate_consistent(
                network,
                form.skip,
                form.out,
                self.start,
                path(self.plan.levels, steps),
                self.distilled.function,
                self.noise,
            )
