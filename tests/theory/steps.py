"""Levels, steps and ladders of tanh at small cost, for the tests of distillation in the limit."""

from __future__ import annotations

import math
from functools import cache

from rfsim import Problem
from rfsim.learning.filters import learning_rate_constant
from rfsim.limit.ladders import Ladder, ladder
from rfsim.limit.rational import Trained
from rfsim.limit.resolvents import Level, level
from rfsim.limit.steps import Fields, TeacherStep, fields, step
from rfsim.problem.activations import activation


@cache
def at(psi_n: float, psi_p: float, time: float, data: str = "isotropic", sigma: str = "tanh") -> Level:
    problem = Problem(samples_per_dim=psi_n, features_per_dim=psi_p, diffusion_time=time, data=data, activation=sigma)
    return level(problem)


def teacher(one: Level, time: float = math.inf, ridge: float = 0.0) -> Trained:
    return Trained(time, learning_rate_constant(one.noise, one.limit.features_per_dim), ridge)


@cache
def between(
    psi_n: float,
    psi_p: float,
    start: float,
    end: float,
    time: float = math.inf,
    ridge: float = 0.0,
    data: str = "isotropic",
    sigma: str = "tanh",
) -> tuple[Level, Level, Trained, Fields, TeacherStep]:
    """A step from diffusion time `start` to `end`."""
    now, before = (at(psi_n, psi_p, t, data, sigma) for t in (start, end))
    trained = teacher(now, time, ridge)
    found = fields(now, trained)
    return now, before, trained, found, step(activation(sigma), now, before, found)


@cache
def down(psi_n: float, psi_p: float, times: tuple[float, ...], time: float = math.inf) -> Ladder:
    """All steps of a ladder of ascending diffusion times."""
    levels = [at(psi_n, psi_p, t) for t in times]
    return ladder(levels, [teacher(one, time) for one in levels[1:]], activation("tanh"))


def students(found: Ladder, time: float, ridge: float) -> list[Trained]:
    psi_p = found.space.features_per_dim
    return [Trained(time, learning_rate_constant(found.out(k) ** 2, psi_p), ridge) for k in range(1, found.height + 1)]
