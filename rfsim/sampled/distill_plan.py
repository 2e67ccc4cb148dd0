"""The checked settings of a distillation, from the keywords that rfsim.distill takes (equations.md §7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from rfsim.distillation.critics import Critics, Equilibrium, read_critic
from rfsim.distillation.memorization import RATIO
from rfsim.distillation.methods import DistillationMethod, read_method, require_fitting
from rfsim.distillation.plan import DistillationPlan, Student, Targets
from rfsim.distillation.plan import students as variants_of
from rfsim.distillation.stochastic_options import require_trainable, stochastic_plan
from rfsim.distillation.targets import Draws, PerFeature, Sequential, read_draws, read_target
from rfsim.learning import trainers
from rfsim.learning.trainers import Trainer
from rfsim.problem import model
from rfsim.problem.draws import DrawOptions
from rfsim.problem.model import Problem
from rfsim.problem.time_paths import grid_given
from rfsim.simulation.optimizers import Optimizer

DISTILL_TIMES = (10.0, 1e3, 1e5)


GENERATED = 2000  # samples of each model


LEAKAGE_RIDGES = (0.0, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0)


class DistillOptions(DrawOptions, total=False):
    """What is distilled and how, every one with its default in `plan`."""

    levels: int
    time_min: float
    time_max: float
    path: ArrayLike | None
    teacher_time: float
    early_time: float | None
    teacher_ridge: float
    trainer: str | Trainer
    parameterization: str
    start: str | None
    target: str | Targets
    method: str | DistillationMethod
    generations: int
    critic: str | float | Critics
    students: Sequence[Student] | None
    variants: Sequence[Mapping[str, Any]] | None
    solver: str
    sampler: str | None
    renoise: float
    student_features_per_dim: float | None
    distill_data: str
    draws: str | int | PerFeature | Draws
    leakage_ridges: ArrayLike
    threshold: float
    generated: int
    samples: int
    optimizer: str | Optimizer | None
    rate: float | None
    batch: int | str | None
    steps: int | None
    ema: float | None
    memorized_ratio: float
    split_pair: bool


def plan(
    problem: Problem,
    distill_times: ArrayLike = DISTILL_TIMES,
    *,
    levels: int = 20,
    time_min: float = 0.02,
    time_max: float = 3.0,
    path: ArrayLike | None = None,
    teacher_time: float = 1e8,
    early_time: float | None = None,
    teacher_ridge: float = 0.0,
    trainer: str | Trainer = "flow",
    parameterization: str = "ddim",
    start: str | None = None,
    target: str | Targets = "sequential",
    method: str | DistillationMethod = "consistency",
    generations: int = 1,
    critic: str | float | Critics = "equilibrium",
    students: Sequence[Student] | None = None,
    variants: Sequence[Mapping[str, Any]] | None = None,
    solver: str = "ddim",
    sampler: str | None = None,
    renoise: float = 1.0,
    student_features_per_dim: float | None = None,
    distill_data: str = "train",
    draws: str | int | PerFeature | Draws = "20p",
    leakage_ridges: ArrayLike = LEAKAGE_RIDGES,
    threshold: float = 0.01,
    generated: int = GENERATED,
    samples: int = 0,
    optimizer: str | Optimizer | None = None,
    rate: float | None = None,
    batch: int | str | None = None,
    steps: int | None = None,
    ema: float | None = None,
    memorized_ratio: float = RATIO,
    split_pair: bool = False,
) -> DistillationPlan:
    """The checked settings of a distillation, as `distill` takes them; nothing is computed.

    Args:
        problem: What is sampled; its ridge is the student's γ.
        distill_times: Distillation times τ_S (times,), not negative, inf allowed.
        levels: As in `distill`, and so the rest.
        time_min: The lowest diffusion time.
        time_max: The highest diffusion time.
        path: Diffusion times in their place.
        teacher_time: The teacher's train_time.
        early_time: When the control that does not memorize is stopped.
        teacher_ridge: The teacher's ridge.
        trainer: The teacher's.
        parameterization: Of the consistency function.
        start: Of the student.
        target: Of the student.
        method: Of distillation.
        generations: Of method hard.
        critic: Of method matching.
        students: Several students, as objects.
        variants: Several students, as mappings.
        solver: Of the teacher's steps.
        sampler: Of the controls.
        renoise: Of consistency students in several jumps.
        student_features_per_dim: Of a student with features of its own.
        distill_data: What the student sees.
        draws: Per level.
        leakage_ridges: Ridges (ridges,) at which leakage is measured.
        threshold: Of γ⋆.
        generated: Samples per model.
        samples: Samples to keep.
        optimizer: Of stochastic training beside the exact flow.
        rate: Of that optimizer.
        batch: Draws per step and level.
        steps: How many are taken.
        ema: Decay per step of the average that is the target.
        memorized_ratio: Of f_mem.
        split_pair: Whether a second half is distilled too.

    Returns:
        The plan.

    Raises:
        ValueError: In one line, where settings do not fit.

    >>> plan(Problem(), levels=4, target="coupled:10").students[0].target
    Coupled(ema_time=10.0)

    """
    times = model.times(distill_times, "distill_times")
    own = student_features_per_dim not in (None, problem.features_per_dim)
    grid = None if path is None else grid_given(path, levels=levels, time_min=time_min, time_max=time_max)
    if grid is not None:
        levels, time_min, time_max = len(grid) - 1, grid[0], grid[-1]
    common = {"ridge": problem.ridge, "parameterization": parameterization, "start": start, "target": target}
    common |= {"method": method, "generations": generations, "critic": critic}
    chosen = variants_of(variants, own, **common) if students is None else _given(students, variants, common)
    known = {"levels": levels, "distill_data": distill_data, "own_features": own}
    known |= {"noise_copies": problem.noise_copies, "sampler": solver if sampler is None else sampler}
    known |= {"latest": float(times.max(initial=0.0))}
    trained = stochastic_plan(optimizer, rate, batch, steps, ema)
    for one in chosen:
        require_fitting(one.method, **known, kinks=bool(problem.activation.kinks))
        if trained is not None:
            require_trainable(trained, one, distill_data)
    return DistillationPlan(
        tuple(times.tolist()),
        levels,
        time_min,
        time_max,
        teacher_time,
        early_time,
        teacher_ridge,
        trainers.read(trainer),
        chosen,
        solver,
        solver if sampler is None else sampler,
        student_features_per_dim if own else None,
        distill_data,
        read_draws(draws),
        tuple(model.numbers("leakage_ridges", leakage_ridges).tolist()),
        threshold,
        generated,
        samples,
        grid,
        renoise,
        trained,
        memorized_ratio,
        split_pair,
    )


def _given(
    students: Sequence[Student], variants: Sequence[Mapping[str, Any]] | None, common: Mapping[str, Any]
) -> tuple[Student, ...]:
    """The students as they are, each with all that is its own; ValueError where that is given beside them too."""
    if variants is not None:
        raise ValueError("students and variants are two forms of one list; give one of them")
    if not students or not all(isinstance(one, Student) for one in students):
        raise ValueError("students must be a list of rfsim.Student, one or more; variants takes mappings")
    usual = {"ridge": 0.0, "parameterization": "ddim", "start": None, "target": Sequential()}
    usual |= {"method": DistillationMethod(), "generations": 1, "critic": Equilibrium()}
    read = {"target": read_target, "method": read_method, "critic": read_critic}
    for name, value in common.items():
        given = read[name](value) if name in read else value
        if given != usual[name]:
            raise ValueError(f"students have a {name} of their own; got {name} {value} beside them: give it to each")
    return tuple(students)
