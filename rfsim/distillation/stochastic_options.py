"""Students trained stochastically, as they are asked for: what fits together, and their clock (§7)."""

from __future__ import annotations

import bisect
from dataclasses import replace

from rfsim.checking.scalars import real, whole
from rfsim.distillation.methods import CONSISTENCY
from rfsim.distillation.plan import DistillationPlan, Student
from rfsim.distillation.stochastic_settings import FULL, StochasticPlan
from rfsim.distillation.targets import Coupled
from rfsim.simulation.loop import MOST_STEPS
from rfsim.simulation.optimizers import Optimizer, Stochastic

BATCH, STEPS = 64, 1000  # unless given
HELD = (CONSISTENCY, "score:noise-online", "score:population", "score:prior")  # whose draws are made anew each step
COUNTED = (CONSISTENCY, "score:noise-online")  # of them those that may take every point once


def stochastic_plan(
    optimizer: str | Optimizer | None,
    rate: float | None,
    batch: int | str | None,
    steps: int | None,
    ema: float | None,
) -> StochasticPlan | None:
    """The checked settings; None without an optimizer. ValueError, in one line, for others."""
    if optimizer is None:
        for name, value in {"rate": rate, "batch": batch, "steps": steps, "ema": ema}.items():
            if value is not None:
                raise ValueError(f"{name} belongs to stochastic training; got {value} without an optimizer: give one")
        return None
    if rate is None:
        raise ValueError(f"optimizer {optimizer} needs a rate: students have no common stable limit to take it from")
    if isinstance(batch, str) and batch != FULL:
        raise ValueError(f"batch must be {FULL} or a whole number of draws; got {batch!r}")
    rows = None if batch == FULL else BATCH if batch is None else batch
    decay = 0.0 if ema is None else real("ema", ema)
    if not 0 <= decay < 1:
        raise ValueError(f"ema must be at least 0 and below 1, or the target stays where it begins; got {decay:g}")
    setting = Stochastic(optimizer, real("rate", rate), rows, decay)
    return StochasticPlan(setting, whole("steps", STEPS if steps is None else steps, 1, MOST_STEPS))


def require_trainable(one: StochasticPlan, student: Student, distill_data: str) -> None:
    """ValueError, in one line, for a student that this loop does not hold."""
    method = str(student.method)
    if method not in HELD:
        raise ValueError(f"stochastic training holds methods {', '.join(HELD)}; got {method}: drop the optimizer")
    if student.target.ema_time is not None:
        raise ValueError(f"the target of stochastic training is that of ema; got target {student.target}: give ema")
    if method != CONSISTENCY and one.setting.decay:
        raise ValueError(f"method {method} learns from the teacher and has no average; got ema {one.setting.decay:g}")
    if distill_data == "teacher":
        raise ValueError("stochastic training draws clean data; got distill_data teacher: use train or fresh")
    if one.setting.batch is None and (method not in COUNTED or distill_data != "train"):
        raise ValueError(
            "a full batch takes every training point once; got inputs that cannot be counted: give a batch"
        )


def with_clock(plan: DistillationPlan, dim: int) -> DistillationPlan:
    """With the flow that is the mean of plain descent beside it: its distill_time, and targets of the same memory."""
    one = plan.stochastic
    time = None if one is None else one.time(dim)
    if one is None or time is None:
        return plan
    target, times = Coupled(one.ema_time(dim)), list(plan.distill_times)
    if time not in times:
        times.insert(bisect.bisect(times, time), time)
    students = [replace(each, target=target) if each.method.kind == CONSISTENCY else each for each in plan.students]
    return replace(plan, distill_times=tuple(times), students=tuple(students))
