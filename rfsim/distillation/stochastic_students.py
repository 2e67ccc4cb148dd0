"""The students of one seed trained as in practice, with fresh noise, beside their exact flows (equations.md §7, §8)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.computing import parallel
from rfsim.distillation import membership, stochastic
from rfsim.distillation.batches import FreshBatches
from rfsim.distillation.consistency import Consistency
from rfsim.distillation.memorization import Quality
from rfsim.distillation.methods import CONSISTENCY
from rfsim.distillation.plan import DistillationPlan
from rfsim.distillation.run import SeedDistillation
from rfsim.distillation.sample_quality import SampleQuality
from rfsim.distillation.stochastic_settings import StochasticPlan
from rfsim.problem.diffusion import noise_variance, ode_step
from rfsim.problem.laws import AnyLaw, Law
from rfsim.simulation import loop
from rfsim.simulation.checkpointing import Checkpointing, Keeping, reserved
from rfsim.simulation.stochastic import recorded_steps

Tell = Callable[[str], None]


class Trained(NamedTuple):
    """What stochastic training leaves of one student.

    weights: M_k, (grid, dim, features), index 0 not used; losses: at every stop, (stops, levels), NaN after a
    divergence; failure: where it diverged, in one line, or "".
    """

    weights: NDArray[np.float64]
    losses: NDArray[np.float64]
    failure: str


def _mixture(law: AnyLaw) -> Law:
    assert isinstance(law, Law)  # `sampled.distill` refuses classes before anything is computed
    return law


def task_of(plan: DistillationPlan, distilled: SeedDistillation, number: int) -> stochastic.DistillationTask:
    """What one student learns, and from which draws: those of its exact flow, anew at every step."""
    student, learner = plan.students[number], distilled.models["student"][number]
    assert learner is not None  # every student has one
    draw, grid = distilled.draw, plan.times
    nothing = np.zeros(draw.sizes.dim)
    start = np.zeros((len(grid), *learner.setting.shape))
    if student.start == "teacher":
        start = np.asarray(learner.teacher.readouts)
    own = distilled.student._replace(readouts=start)
    if student.method.kind == CONSISTENCY:
        law = _mixture(draw.population) if plan.distill_data == "fresh" else Law(draw.points, nothing)
        source = FreshBatches(learner.teacher, law, plan.solver, distilled.function)
        return stochastic.DistillationTask(own, learner.forms.to_start, student.ridge, distilled.function, source)
    law = Law(draw.points, nothing)
    if student.method.argument == "population":
        law = _mixture(draw.population)
    elif student.method.argument == "prior":
        law = Law(nothing[None], nothing + 1)
    source = FreshBatches(learner.teacher, law, plan.solver, distilled.function, scores=True)
    scale = np.sqrt([noise_variance(float(t)) for t in grid])
    form, taught = Consistency(0 * scale, scale, True), Consistency(1 + 0 * scale, 0 * scale, True)
    return stochastic.DistillationTask(own, form, student.ridge, distilled.function, source, taught)


def train(
    plan: DistillationPlan, practice: StochasticPlan, distilled: SeedDistillation, keeping: Keeping, tell: Tell
) -> list[Trained]:
    """All students of a seed, one after the other.

    Raises store.StoreError for a checkpoint folder of another run, loop.LoopInterrupted at Ctrl-C.
    """
    seed, layout = distilled.draw.seed, parallel.layout(1, len(distilled.student.weights))
    own = keeping.of_seed(seed)
    folders = [own.folder and own.folder / f"student-{number + 1}" for number in range(len(plan.students))]
    found = []
    with reserved([one for one in folders if one is not None], layout, resume=keeping.resume):
        for number, folder in enumerate(folders):
            about = {**own.identity, "student": number}
            checkpointing = Checkpointing(folder, about, layout, keeping.minutes, tell)
            checkpointing.find(practice.steps)
            task = task_of(plan, distilled, number)
            largest = [float(level.points[-1]) for level in distilled.levels]
            found.append(_follow(practice, task, checkpointing, seed, largest, tell))
    return found


def _follow(
    practice: StochasticPlan,
    task: stochastic.DistillationTask,
    checkpointing: Checkpointing,
    seed: int,
    largest: Sequence[float],
    tell: Tell,
) -> Trained:
    stops, failure = recorded_steps(practice.steps), ""
    one, evaluate = stochastic.training(practice.setting, task, seed=seed, largest=largest)
    state = checkpointing.resume(stochastic.initial(one, task, seed=seed))

    def report(step: str, values: Mapping[str, Any]) -> None:
        tell(f"{step}, {values['done']} of {values['total']}")

    try:
        for now in loop.run(one, state, stops, keep=checkpointing.offer, report=report):
            state, losses = now, np.asarray(evaluate(now.weights, now.average))
            named = {f"level {level}": float(value) for level, value in enumerate(losses, 1)}
            checkpointing.add(step=int(now.step), **named)
    except loop.Diverged as failed:
        failure, state = str(failed), failed.state
    except KeyboardInterrupt as pressed:
        checkpointing.save(getattr(pressed, "state", state))
        raise
    checkpointing.save(state)
    records = checkpointing.records
    rows = np.full((len(stops), len(task.student.times) - 1), np.nan)
    for k, step in enumerate(records["step"]):
        rows[stops == step] = [records[f"level {level}"][k] for level in range(1, rows.shape[1] + 1)]
    weights = np.asarray(state.weights) / math.sqrt(len(task.student.weights))
    return Trained(np.concatenate([np.zeros_like(weights[:1]), weights]), rows, failure)


def variables(
    plan: DistillationPlan,
    practice: StochasticPlan,
    distilled: SeedDistillation,
    quality: SampleQuality,
    trained: Sequence[Trained],
    exact: xr.DataArray,
) -> dict[str, Any]:
    """Measures of the trained students' samples, of the exact flow's beside them, and losses along the way.

    exact: the result's student, (variant, distill_time, quality).
    """
    rows = np.full((len(trained), len(Quality._fields)), np.nan)
    for number, one in enumerate(trained):
        if not one.failure:
            guessed = quality.told_of(_membership(plan, distilled, number, one.weights))
            rows[number] = quality.judge(quality.drawn_by("student", number, one.weights), guessed)
    time = practice.time(distilled.draw.sizes.dim)
    beside = exact.isel(distill_time=-1) if time is None else exact.sel(distill_time=time)
    words = "students trained stochastically, likewise"
    stops = recorded_steps(practice.steps)
    return {
        "step": ("step", stops, {"long_name": "steps of stochastic training"}),
        "stochastic": (("variant", "quality"), rows, {"long_name": words}),
        "stochastic_exact": (("variant", "quality"), beside.values, {"long_name": "the flow beside it"}),
        "stochastic_time": ((), math.nan if time is None else time, {"long_name": "distill_time of its last step"}),
        "stochastic_loss": (
            ("variant", "step", "level"),
            np.stack([one.losses for one in trained]),
            {"long_name": "loss of each level without the ridge's term"},
        ),
    }


def _membership(
    plan: DistillationPlan, distilled: SeedDistillation, number: int, weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Denoising losses of single points by a student's weights, mean over the levels, (points,)."""
    form, found = distilled.forms[number], []
    for level in range(1, plan.levels + 1):
        time = float(plan.times[level])
        use, of = f"membership/{level}", (distilled.student, level, distilled.function)
        near = membership.probe(distilled.points, time, distilled.draw.seed, use, *of)
        jump = ode_step("ddim", time, plan.time_min)
        found.append(membership.losses(near, weights[level], *membership.as_score(form, level, jump)))
    return np.mean(found, axis=0)
