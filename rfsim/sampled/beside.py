"""What a distillation's sample stands beside: leakage of the same steps as d → ∞ (equations.md D13)."""

from __future__ import annotations

import numpy as np
import xarray as xr

from rfsim.checking import notes
from rfsim.computing.precision import Unresolved, in_complex128
from rfsim.distillation.plan import DistillationPlan
from rfsim.learning.trainers import Flow
from rfsim.limit.leakage import enough_ridge
from rfsim.limit.solver import NotConverged
from rfsim.problem.draws import Draw
from rfsim.problem.model import Problem
from rfsim.results.progress import Report
from rfsim.theory.enough import steps_of
from rfsim.theory.step_run import StepRun


@in_complex128
def limit_run(problem: Problem, planned: DistillationPlan, drawn: Draw) -> StepRun:
    """The steps into levels 2…N in the limit, whose inputs are those of a student; ValueError where it has none."""
    known = {
        "solver": (planned.solver, "ddim"),
        "trainer": (str(planned.trainer), str(Flow())),
        "distill_data": (planned.distill_data, "train"),
    }
    for name, (given, taken) in known.items():
        if given != taken:
            raise ValueError(f"the limit beside a distillation is of {name} {taken}; got {given}: leave the limit out")
    if planned.student_features_per_dim is not None:
        raise ValueError("the limit beside a distillation is of the teacher's own features: leave the limit out")
    return StepRun(
        problem,
        planned.times[1:],
        teacher_time=planned.teacher_time,
        teacher_ridge=planned.teacher_ridge,
        threshold=planned.threshold,
        array=drawn.array,
        center=drawn.center,
        scale=drawn.scale,
    )


@in_complex128
def limit_leakage(run: StepRun, planned: DistillationPlan, report: Report | None) -> dict[str, xr.Variable]:
    """Leakage out of gen (ridge, level) and γ⋆ (level,); nothing is handed up to level 1.

    NaN from the first step on that double precision does not resolve, which a note tells.
    """
    lost = np.full((len(planned.leakage_ridges), run.times.size), np.nan)
    stars = np.full(run.times.size, np.nan)
    known = 0
    try:
        for k, one in enumerate(steps_of(run, report or (lambda step, values: None)), start=1):
            lost[:, k] = one.leakage.at(planned.leakage_ridges).lost
            stars[k] = enough_ridge(one.leakage, planned.threshold)
            known = k
    except (Unresolved, NotConverged) as error:
        from_time = float(run.times[1 + known])
        found = error.found if isinstance(error, Unresolved) else error
        notes.say(f"the limit of leakage is left out from diffusion time {from_time:.3g} on: {found}")
    words = "share that gen hands up outside gen as d → ∞"
    return {
        "limit_leakage": xr.Variable(("ridge", "level"), lost, {"long_name": words}),
        "limit_gamma_star": xr.Variable("level", stars, {"long_name": "γ⋆ of a step as d → ∞"}),
    }
