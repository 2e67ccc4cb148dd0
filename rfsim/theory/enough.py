"""Leakage of steps and the ridge that is enough against it, in the limit (equations.md D13, D18, D19) [ours]."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import xarray as xr
from numpy.typing import ArrayLike

from rfsim.computing.precision import in_complex128
from rfsim.limit.leakage import Leakage, around, closed_form, enough_ridge, leakage
from rfsim.limit.rational import Trained
from rfsim.limit.resolvents import Level
from rfsim.limit.steps import TeacherStep, fields, step
from rfsim.problem.arrays import Rows
from rfsim.problem.model import Problem, require_unused
from rfsim.quantities.meant import known_keywords
from rfsim.results.progress import Begin, Report
from rfsim.theory.step_run import StepRun


class Step(NamedTuple):
    """A step of a teacher by itself: where it begins, its constants, who takes it and what leaks, without a ridge."""

    now: Level
    constants: TeacherStep
    teacher: Trained
    leakage: Leakage


def steps_of(run: StepRun, report: Report) -> Iterator[Step]:
    """Every step of a ladder, each by itself: how frozen noises of several correlate is of no concern to leakage.

    Raises Unresolved or NotConverged at the first that double precision does not resolve; later ones are harder.
    """
    levels, teachers = run.levels(report), run.teachers()
    early = not math.isinf(run.teacher_time)
    below = around(levels[0], bounded=early)
    for k in range(1, len(levels)):
        report(f"leakage of step {k} of {len(levels) - 1}", {})
        now, before, teacher, parts = levels[k], levels[k - 1], teachers[k - 1], around(levels[k], bounded=early)
        constants = step(run.problem.activation, now, before, fields(now, teacher))
        lost = leakage(now, before, constants, teacher, 0.0, parts, below)
        below = parts
        yield Step(now, constants, teacher, lost)


@known_keywords
@in_complex128
def gamma_star(
    problem: Problem,
    next_time: float,
    threshold: float = 0.01,
    *,
    teacher_time: float = math.inf,
    teacher_ridge: float = 0.0,
    array: ArrayLike | Rows | None = None,
    center: bool = True,
    scale: str = "global",
    covariance: str = "sample",
    report: Report | None = None,
    begin: Begin | None = None,
) -> xr.Dataset:
    """The ridge γ⋆ of one step that is enough against leakage, as d → ∞.

    Equations.md D13 and D19 [ours]: derived and checked for this project, not proved.

    Args:
        problem: What is distilled; the step leads from its diffusion_time. Its ridge is not used, and refused where one
            is given.
        next_time: The diffusion time t′ that the step leads down to, below t.
        threshold: The leakage that is allowed, between 0 and 1.
        teacher_time: The teacher's train_time τ, inf allowed.
        teacher_ridge: The teacher's ridge γ.
        array: Samples (rows, dim) in the place of the problem's data, of which the covariance alone is used.
        center: Whether an array is centered.
        scale: How an array is scaled: "global", "columns" or "none".
        covariance: Of an array: "sample", or an estimate of Σ's eigenvalues, "shrunk" or "deconvolved".
        report: Hears of each step.
        begin: Called with the settings of the result when all input is checked and before anything is computed.

    Returns:
        Scalars: gamma_star by D13, 0 where no ridge is needed and NaN where none is enough; leakage without a ridge and
        floor, the leakage that no ridge goes below; gamma_star_closed, leakage_closed (D18, D19) and their kappa, NaN
        but for Σ = I; residual, what two rules leave of the constants.

    Raises:
        ValueError: As `distill` does.
        theory.NotConverged: Where the equations are not solved.

    >>> found = gamma_star(Problem(samples_per_dim=8, features_per_dim=32, diffusion_time=0.1), 0.05)
    >>> round(float(found.gamma_star), 3), round(float(found.gamma_star_closed), 3)
    (0.426, 0.425)
    """
    require_unused(problem, "theory.gamma_star", ridge="it is what is solved for; theory.distill takes ridges")
    run = StepRun(
        problem,
        [next_time, problem.diffusion_time],
        teacher_time=teacher_time,
        teacher_ridge=teacher_ridge,
        threshold=threshold,
        array=array,
        center=center,
        scale=scale,
        covariance=covariance,
    )
    settings = run.settings | {"diffusion_time": problem.diffusion_time, "next_time": float(run.times[0])}
    if begin:
        begin(settings)
    (one,) = steps_of(run, report or (lambda step, values: None))
    lost, constants = one.leakage, one.constants
    values = {
        "gamma_star": enough_ridge(lost, run.threshold),
        "leakage": float(lost.lost),
        "floor": lost.floor,
        "residual": constants.error,
    }
    closed = closed_form(one.now, constants, one.teacher)
    near = {
        "gamma_star_closed": closed.ridge(run.threshold),
        "leakage_closed": float(closed.leakage(0.0)),
        "kappa": closed.kappa,
    }
    values |= near if run.population.isotropic else dict.fromkeys(near, math.nan)
    return run.label("theory-gamma-star", xr.Dataset(values), settings)
