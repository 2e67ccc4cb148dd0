"""Where the inputs of a regression come from: draws of x at one level, in order (equations.md M0, M8)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rfsim.distillation.learners import PRIOR, TRAINING
from rfsim.distillation.moments import Noisy, Source
from rfsim.distillation.networks import Network
from rfsim.distillation.plan import DistillationPlan
from rfsim.distillation.sampling import generate, generation_noise, path, starting_points
from rfsim.problem.data import stream
from rfsim.problem.laws import AnyLaw, Law
from rfsim.problem.model import Problem
from rfsim.problem.realization import Instance, frozen_draws


class Held:
    """Draws that are there already."""

    def __init__(self, rows: NDArray[np.float64]) -> None:
        self._rows, self._taken, self.count = rows, 0, len(rows)

    def take(self, rows: int) -> NDArray[np.float64]:
        """The next ones, (rows, dim)."""
        self._taken += rows
        return self._rows[self._taken - rows : self._taken]


class Anchors:
    """The sources of one seed; the same name and level draw the same values again."""

    def __init__(self, plan: DistillationPlan, problem: Problem, draw: Instance, teacher: Network, count: int) -> None:
        """count: of draws per level; problem: for its frozen noise."""
        self._plan, self._problem, self._draw, self._teacher, self._count = plan, problem, draw, teacher, count
        self._law = self._clean()
        # the teacher's own samples are draws of x_ε: they are noised from there
        self._since = plan.time_min if plan.distill_data == "teacher" else 0.0

    def of(self, name: str, level: int) -> Source:
        """Draws of x by the name of their law: `TRAINING`, `PRIOR`, or the inputs of a score (M8)."""
        time, seed, draw = float(self._plan.times[level]), self._draw.seed, self._draw
        if name == TRAINING:
            return Noisy(self._law, time - self._since, seed, f"distillation/{level}", self._count)
        use = f"distillation/{name}/{level}"
        if name == PRIOR:
            dim = draw.sizes.dim
            return Noisy(Law(np.zeros((1, dim)), np.ones(dim)), 0.0, seed, use, self._count)
        if name == "population":
            return Noisy(draw.population, time, seed, use, self._count)
        if name == "offline":
            frozen = frozen_draws(draw, replace(self._problem, diffusion_time=time))
            return Held(np.concatenate([x for x, _ in frozen]))
        return Held(self._along(level))

    def pool(self, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The first draws z of the last level's `PRIOR`, and noise ξ to take what is made of them up (M11)."""
        noise = stream(self._draw.seed, "distillation/matching")
        return self.of(PRIOR, self._plan.levels).take(count), noise.standard_normal((count, self._draw.sizes.dim))

    def _along(self, level: int) -> NDArray[np.float64]:
        """Where the teacher's own path from noise is at a level."""
        plan, draw = self._plan, self._draw
        start = stream(draw.seed, "distillation/teacher-online").standard_normal((self._count, draw.sizes.dim))
        if level == plan.levels:
            return start
        return generate(
            self._teacher, start, list(range(plan.levels, level - 1, -1)), draw.sigma.function, plan.solver
        )  # fmt: skip

    def _clean(self) -> AnyLaw:
        """Where clean data of the distillation come from."""
        plan, draw, nothing = self._plan, self._draw, np.zeros(self._draw.sizes.dim)
        if plan.distill_data == "fresh":
            return draw.population
        if plan.distill_data == "train":
            return Law(draw.points, nothing)
        rows = plan.generated + self._count
        noise = generation_noise(draw.seed, rows, draw.sizes.dim)
        start = starting_points(draw.seed, rows, draw.sizes.dim)
        every = path(plan.levels, plan.levels)
        found = generate(self._teacher, start, every, draw.sigma.function, plan.sampler, noise)
        return Law(found[plan.generated :], nothing)  # those that are judged are not learned from
