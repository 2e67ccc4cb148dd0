"""Rows of distillation in the limit: leakage of a step, the ridge that is enough, and a ladder's students."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from rfsim import theory as limit_of
from rfsim.bench.rows import BenchRow, Case, as_row, best_seconds
from rfsim.bench.theory import pair_operations, path_operations, rate, sized
from rfsim.computing.precision import in_float64
from rfsim.limit import solver
from rfsim.limit.ladders import Ladder, ladder
from rfsim.limit.leakage import around, leakage
from rfsim.limit.rational import Trained
from rfsim.limit.resolvents import level
from rfsim.limit.steps import fields, step
from rfsim.limit.students import energies, losses

LEAKED = np.geomspace(1e-2, 10, 50)  # ridges
LEVELS, SPAN, RIDGE = 8, 20.0, 0.1  # of a ladder from t/5 to 4t, of its students


@in_float64
def leaked(case: Case) -> BenchRow:
    """Leakage of a step to half its diffusion time at 50 ridges, constants and contours given (D13)."""
    t = case.diffusion_time
    now, before = (level(dataclasses.replace(case.problem, diffusion_time=one)) for one in (t, t / 2))
    teacher = Trained(math.inf, 1.0, 0.0)
    constants = step(case.problem.activation, now, before, fields(now, teacher))
    into, origin = around(now), around(before)
    seconds = best_seconds(lambda: leakage(now, before, constants, teacher, LEAKED, into, origin).lost)
    sources, nodes = into.points.shape[1], into.points.size
    limit = now.limit
    floor = (nodes + sources) * path_operations(limit, solver.FAST_PATH) + 2 * nodes * sources * pair_operations(limit)
    against = f"Newton steps at {nodes + sources} points and two tables of {sources} by {nodes} nodes"
    size = sized(case, f"to={t / 2:g} ridges={LEAKED.size}")
    return as_row("theory-leakage", size, seconds, float(floor / rate()), against)


@in_float64
def enough(case: Case) -> BenchRow:
    """`theory.gamma_star` of the same step, as a cell of a map takes it, against its leakage alone (D13)."""
    next_time = case.diffusion_time / 2
    seconds = best_seconds(lambda: limit_of.gamma_star(case.problem, next_time).gamma_star.values)
    floor = leaked(case).seconds
    return as_row("theory-gamma-star", sized(case, f"to={next_time:g}"), seconds, floor, "leakage of the step alone")


@in_float64
def students(case: Case) -> BenchRow:
    """Losses and energies of a ladder's students at one ridge (D16), against as many of one level."""

    def seconds(levels: int) -> float:
        found = _ladder(case, levels)
        trained, parts = [Trained(math.inf, 1.0, RIDGE)] * levels, [around(one) for one in found.levels[1:]]
        return best_seconds(lambda: (losses(found, trained).test, energies(found, trained, parts)))

    size = sized(case, f"levels={LEVELS} ridge={RIDGE:g}")
    return as_row("theory-students", size, seconds(LEVELS), LEVELS * seconds(1), "as many students of one level")


def _ladder(case: Case, levels: int) -> Ladder:
    times = case.diffusion_time / 5 * np.geomspace(1, SPAN, LEVELS + 1)[: levels + 1]
    found = [level(dataclasses.replace(case.problem, diffusion_time=one)) for one in times.tolist()]
    return ladder(found, [Trained(math.inf, 1.0, 0.0)] * levels, case.problem.activation)
