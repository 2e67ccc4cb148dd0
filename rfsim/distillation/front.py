"""`rfsim.distill`: consistency distillation of a sampled teacher as one labelled result (equations.md §7, §8)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from rfsim import model, store, trainers
from rfsim.distillation.course import Wanted, take
from rfsim.distillation.plan import Draws, PerFeature, Plan, Targets, read_draws, students
from rfsim.distillation.quality import Exhibition
from rfsim.distillation.shelf import Shelf
from rfsim.distillation.tables import table
from rfsim.machine import require_memory
from rfsim.memorization import distinct
from rfsim.model import Problem, Sizes
from rfsim.precision import in_float64, ridge_named
from rfsim.runs import Begin, Report, Run, keeping
from rfsim.spectra import Method
from rfsim.trainers import Trainer

DISTILL_TIMES = (10.0, 1e3, 1e5)
GENERATED = 2000  # samples of each model
CONTROLS = 6  # models beside the students whose samples are drawn
LEAKAGE_RIDGES = (0.0, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0)


@in_float64
def distill(
    problem: Problem,
    distill_times: ArrayLike = DISTILL_TIMES,
    *,
    dim: int | None = None,
    seed: int = 0,
    seeds: int = 1,
    array: ArrayLike | None = None,
    center: bool = True,
    scale: str = "global",
    report: Report | None = None,
    begin: Begin | None = None,
    instability: bool = False,
    transfer: bool = False,
    spill: str | Path | None = None,
    **options: Any,
) -> xr.Dataset:
    """Distill a teacher over a grid of diffusion times into consistency functions, in closed form (T15–T17, §8).

    problem: its ridge is the student's γ; its diffusion_time is not used. distill_times τ_S (times,), not negative,
    inf allowed. dim, seed, seeds, array, center, scale, report, begin as in `rfsim.spectrum`. Among `options`, all
    with defaults (`plan`): levels, time_min, time_max (N + 1 diffusion times, geometric); teacher_time, teacher_ridge
    and trainer, as in `rfsim.train`; early_time, when the control that does not memorize is stopped (None: at each
    level between its generalizing and its memorizing directions); parameterization "ddim" or "edm"; start "teacher" or
    "zero"; target "sequential" or "coupled:TAU"; variants, mappings of ridge, parameterization, start and target for
    several students on the same draws; solver "ddim", "euler" or "heun" of the teacher's steps; sampler, solver or
    "sde"; student_features_per_dim, for a student with features of its own; distill_data "train", "fresh" or "teacher"
    (the teacher's own samples); draws per level, "20p" or a number; leakage_ridges; threshold of γ⋆; generated samples
    per model; samples of teacher and students to keep. instability, transfer: also of every direction, between all
    parts. spill: a folder for the eigenvectors of all levels, p² doubles each, which memory holds otherwise.

    Returns variables (seed, …) with quality = memorized fraction with its 95% interval, W2²/d and sliced Wasserstein
    distance to the law of x_ε, and membership AUC: teacher, reference (fresh samples of the truth), student (variant,
    distill_time; one jump), and the controls teacher_steps and student_steps (steps), early_teacher, early_student,
    regression (one-step students regressed on the teacher's endpoints); suppression and energies by level and bulk;
    leakage and gamma_star; losses by level; student_half, suppression_half, leakage_all_half by half the draws, with
    _error and _moved, 1 where half the draws move a measure by more than 1.96 standard errors. What is undefined is
    NaN, with its reason in the attribute `undefined`. Training points that are copies of others, which are merged for
    the second nearest, are counted by seed in the attribute `merged_points` where there are any.

    Raises ValueError, in one line, for settings that do not fit together and MemoryError before allocating.

    >>> import rfsim
    >>> result = distill(rfsim.Problem(2, 4), [0, 10], dim=3, levels=2, generated=16)
    >>> float(result.suppression.sel(distill_time=0).max().round(12))
    1.0
    """
    started = time.perf_counter()
    model.require_unused(problem, "distill", diffusion_time="time_min and time_max are its levels'; train takes it")
    wanted = Wanted(instability, transfer)
    asked = plan(problem, distill_times, **options)
    taught = replace(problem, diffusion_time=asked.time_min, ridge=asked.teacher_ridge)
    run = Run(taught, dim, seed, seeds, array, center, scale, report, method=Method(), copies=6)
    features = asked.student_features(run.sizes)
    draws = asked.number_of_draws(features)
    _require_memory(asked, run.sizes, features, kept=spill is None)
    run.settings = model.settings(problem, run.origin, run.sizes, seed=run.seeds[0], seeds=len(run.seeds))
    del run.settings["diffusion_time"]
    data_power = model.power(problem, run.origin, run.sizes)
    extra = asked.settings(draws) | {"instability": instability, "transfer": transfer}
    run.begin(begin, extra)
    done: list[xr.Dataset] = []
    merged: list[int] = []

    def result() -> xr.Dataset:
        data = xr.concat([one.drop_vars("part") for one in done], dim="seed", join="exact", coords="minimal")
        data = data.assign(part=done[0].part).assign_coords(seed=list(run.seeds[: len(done)]))
        told = {"merged_points": merged[: len(done)]} if any(merged) else {}
        return run.label("distill", data.assign_attrs(undefined=_undefined(asked, run), **told), extra, started)

    with keeping(done, result):
        for number in run.seeds:
            draw = model.instance(taught, run.origin, run.sizes, number)
            merged.append(len(draw.points) - len(distinct(draw.points)))  # what no measure can tell is refused here
            with Shelf(spill) as shelf, ridge_named("teacher_ridge"):
                named = run.population is not None
                course = take(asked, taught, draw, data_power, named, shelf, wanted, partial(run.tell, draw))
            run.tell(draw, "samples and their measures")
            exhibition = Exhibition(asked, course)
            done.append(table(asked, course, exhibition))
    return result()


def plan(
    problem: Problem,
    distill_times: ArrayLike = DISTILL_TIMES,
    *,
    levels: int = 20,
    time_min: float = 0.02,
    time_max: float = 3.0,
    teacher_time: float = 1e8,
    early_time: float | None = None,
    teacher_ridge: float = 0.0,
    trainer: str | Trainer = "flow",
    parameterization: str = "ddim",
    start: str | None = None,
    target: str | Targets = "sequential",
    variants: Sequence[Mapping[str, Any]] | None = None,
    solver: str = "ddim",
    sampler: str | None = None,
    student_features_per_dim: float | None = None,
    distill_data: str = "train",
    draws: str | int | PerFeature | Draws = "20p",
    leakage_ridges: ArrayLike = LEAKAGE_RIDGES,
    threshold: float = 0.01,
    generated: int = GENERATED,
    samples: int = 0,
) -> Plan:
    """The checked settings of a distillation (`distill`); ValueError, in one line, where they do not fit."""
    own = student_features_per_dim not in (None, problem.features_per_dim)
    chosen = students(variants, own, ridge=problem.ridge, parameterization=parameterization, start=start, target=target)
    return Plan(
        tuple(model.times(distill_times, "distill_times").tolist()),
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
    )


def _require_memory(asked: Plan, sizes: Sizes, features: int, *, kept: bool) -> None:
    d, _, p = (float(size) for size in sizes)
    models = len(asked.students) * len(asked.distill_times)
    counts = {"levels": asked.levels, "models": models, "generated": asked.generated}
    needed = float(needed_bytes(d, p, features, **counts, kept=kept))
    hint = "take fewer features or levels, or in Python spill the levels to a folder" if kept else "take fewer features"
    what = f"distilling {max(p, float(features)):.12g} features at dim {d:.12g} in {asked.levels} levels"
    require_memory(needed, what, hint)


def needed_bytes(
    dim: ArrayLike,
    features: ArrayLike,
    student_features: ArrayLike,
    *,
    levels: ArrayLike,
    models: ArrayLike,
    generated: ArrayLike,
    kept: bool = True,
) -> NDArray[np.float64]:
    """Bytes at the peak of a distillation of `models` students and distill_times, each of which draws `generated`
    samples; sizes broadcast.

    kept: whether the eigenvectors of all levels stay in memory.
    """
    d, p, own, steps = (np.asarray(value, dtype=float) for value in (dim, features, student_features, levels))
    side = np.maximum(p, own)
    shelved = (steps + 1) * (p**2 + np.where(own != p, own**2, 0.0)) * kept
    drawn = 2 * np.asarray(generated, dtype=float) * (np.asarray(models) + CONTROLS)
    return 8 * (7 * side**2 + shelved + (steps + 8) * np.asarray(models) * d * side + drawn * d) + 2**29


def _undefined(asked: Plan, run: Run) -> str:
    """Which measures are NaN, and why, as JSON."""
    reasons = {}
    if asked.student_features(run.sizes) != run.sizes.features:
        reasons["suppression"] = "the student has features of its own, whose parts are not the teacher's"
    if any(student.parameterization != "ddim" for student in asked.students):
        for loss in ("student_train", "student_test"):
            reasons[loss] = "only the weights of parameterization ddim are those of a score"
    if run.population is None:
        reasons["reference_membership_auc"] = "the true score of an array's law is not known"
    return store.canonical(reasons)
