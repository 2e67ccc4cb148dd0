"""`rfsim.distill`: distillation of a sampled teacher as one labelled result (equations.md §7, §8)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from rfsim.checking.scalars import real
from rfsim.computing.machine import require_memory
from rfsim.computing.precision import in_float64, ridge_named
from rfsim.disk import store
from rfsim.distillation.cache import ArrayCache
from rfsim.distillation.memorization import RATIO
from rfsim.distillation.methods import DistillationMethod, read_method, require_fitting
from rfsim.distillation.moments import CHUNK_ROWS
from rfsim.distillation.nearest import distinct
from rfsim.distillation.plan import DistillationPlan, Student, Targets, grid_given
from rfsim.distillation.plan import students as variants_of
from rfsim.distillation.run import Wanted, take
from rfsim.distillation.sample_quality import SampleQuality
from rfsim.distillation.stochastic_options import require_trainable, stochastic_plan, with_clock
from rfsim.distillation.stochastic_students import Keeping, train, variables
from rfsim.distillation.tables import table
from rfsim.distillation.targets import Draws, PerFeature, Sequential, read_draws, read_target
from rfsim.learning import trainers
from rfsim.learning.trainers import Trainer
from rfsim.problem import model, realization
from rfsim.problem.draws import DrawOptions, apart, defaults_of, told
from rfsim.problem.model import Problem
from rfsim.problem.populations import Classes
from rfsim.problem.realization import Sizes
from rfsim.quantities.distill import LEVELS
from rfsim.quantities.meant import known_keywords
from rfsim.results.runs import Begin, Report, Run, keeping
from rfsim.sample.spectra import Method
from rfsim.sampled.beside import limit_leakage, limit_run
from rfsim.simulation.optimizers import Optimizer

DISTILL_TIMES = (10.0, 1e3, 1e5)
GENERATED = 2000  # samples of each model
CONTROLS = 6  # models beside the students whose samples are drawn
# of a stochastic run that goes on these may change: how long it is, and what is measured beside it
BESIDE = ("seed", "seeds", "steps", "distill_times", "generated", "samples", "leakage_ridges", "threshold")
# weights (dim, features) that a student of some methods holds for every level beside one: its jumps to all levels, or
# of all rounds, and averages to each of their targets, of itself, of half of the draws and of the early teacher
FURTHER = {"two-time": 12, "progressive": 3}
ASKED = {"two-time": 4}  # and values (dim,) of such targets at once, for each draw of a chunk
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

    Returns:
        The plan.

    Raises:
        ValueError: In one line, where settings do not fit.

    >>> plan(Problem(), levels=4, target="coupled:10").students[0].target
    Coupled(ema_time=10.0)

    """
    own = student_features_per_dim not in (None, problem.features_per_dim)
    grid = None if path is None else grid_given(path)
    if grid is not None:
        _require_alone(levels=levels, time_min=time_min, time_max=time_max)
        levels, time_min, time_max = len(grid) - 1, grid[0], grid[-1]
    common = {"ridge": problem.ridge, "parameterization": parameterization, "start": start, "target": target}
    common |= {"method": method, "generations": generations}
    chosen = variants_of(variants, own, **common) if students is None else _given(students, variants, common)
    known = {"levels": levels, "distill_data": distill_data, "own_features": own}
    known |= {"noise_copies": problem.noise_copies, "sampler": solver if sampler is None else sampler}
    trained = stochastic_plan(optimizer, rate, batch, steps, ema)
    for one in chosen:
        require_fitting(one.method, **known, kinks=bool(problem.activation.kinks))
        if trained is not None:
            require_trainable(trained, one, distill_data)
    return DistillationPlan(
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
        grid,
        renoise,
        trained,
        memorized_ratio,
    )


@known_keywords
@in_float64
@told(DistillOptions, **defaults_of(plan))
def distill(
    problem: Problem,
    distill_times: ArrayLike = DISTILL_TIMES,
    *,
    report: Report | None = None,
    begin: Begin | None = None,
    instability: bool = False,
    transfer: bool = False,
    limit: bool = False,
    spill: str | Path | None = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    checkpoint_minutes: float = 10.0,
    **options: Unpack[DistillOptions],
) -> xr.Dataset:
    """Distill a teacher over a grid of diffusion times, by consistency or another method, in closed form.

    Equations.md T15–T17, M0–M13 and §8.

    Args:
        problem: What is sampled; its ridge is the student's γ. Its diffusion_time is not used, and refused where one is
            given.
        distill_times: Distillation times τ_S (times,), not negative, inf allowed.
        report: Hears of each step.
        begin: Called with the settings of the result before anything is computed, as in `rfsim.spectrum`.
        instability: Also of every direction.
        transfer: Also between all parts.
        limit: Also leakage and γ⋆ of the same steps as d → ∞, as `rfsim.theory.distill` has them (D13).
        spill: A folder for the eigenvectors of all levels, p² doubles each, which memory holds otherwise.
        checkpoint: With an optimizer: a folder for states, saved every checkpoint_minutes, at the end and at Ctrl-C.
        resume: Go on from the newest states in that folder, to the same bits.
        checkpoint_minutes: Minutes between two states.
        levels: N, of N + 1 diffusion times, geometric.
        time_min: The lowest of them, ε.
        time_max: The highest of them, T.
        path: All of them, from T down to ε, (levels + 1,), in the place of levels, time_min and time_max.
        teacher_time: The teacher's train_time τ, inf allowed.
        early_time: When the control that does not memorize is stopped; None: at each level between its generalizing
            and its memorizing directions.
        teacher_ridge: The teacher's ridge γ.
        trainer: The teacher's, as in `rfsim.train`.
        parameterization: "ddim" or "edm".
        start: "teacher" or "zero"; None: the teacher where the student can start there.
        target: `rfsim.Sequential()`, the level below trained for the same distill_time, or `rfsim.Coupled(tau)`, all
            levels at once towards moving averages of memory tau; or the text of either.
        method: What distillation it is, a text or `rfsim.DistillationMethod` (M1–M10, M13): consistency,
            consistency-training, segments:S, progressive, data-free, endpoint, endpoint-prior, two-time, score:INPUTS,
            self[:XI], hard or random-teacher.
        generations: Of method hard: how many students learn one from another.
        students: `rfsim.Student(ridge, parameterization, start, target, method)` of each of several students on the
            same draws, in the place of the problem's ridge and of parameterization, start, target and method.
        variants: The same as mappings, each over what is given beside them.
        solver: "ddim", "euler" or "heun", of the teacher's steps.
        sampler: `solver`, another one, or "sde"; None: the solver.
        renoise: Share χ of fresh noise in what takes a consistency student's sample back up between two jumps: 1 as in
            S23's Algorithm 1, 0 none, where all jumps are one map of the start.
        student_features_per_dim: For a student with features of its own, over dim.
        distill_data: "train", "fresh" or "teacher" (the teacher's own samples).
        draws: Per level: `rfsim.PerFeature(20)`, a multiple of the student's features, or its text "20p", or a number.
        leakage_ridges: Ridges (ridges,) at which leakage is measured.
        threshold: Of γ⋆, between 0 and 1.
        generated: Samples per model, at least 16.
        samples: Of teacher and students to keep.
        optimizer: `rfsim.Optimizer` or its text: the students are trained stochastically too, all levels at once, with
            fresh noise at every step, by methods consistency and score:noise-online, population or prior. Beside plain
            "sgd" stands the flow that is its mean, at its distill_time, which joins distill_times, and of target
            coupled:TAU with the memory of ema; beside others that of the last distill_time.
        rate: η of its steps on B = √p B̄, which for plain "sgd" are distill_time η/d² each.
        batch: Draws per step and level, with replacement, or "full", every training point once; None: 64.
        steps: How many are taken; None: 1000.
        ema: Decay per step of the moving average of the weights that is the target; None: 0, the weights themselves.
        memorized_ratio: A sample is memorized where its nearest training point is nearer than this times the second
            nearest; between 0 and 1.
        dim: d; defaults to 100, or to the data's own.
        seed: Of the first draw.
        seeds: How many draws.
        array: Samples (rows, dim) in the place of the problem's data.
        center: Whether an array is centered.
        scale: How an array is scaled: "global", "columns" or "none".
        split: Share of an array's rows that may be trained on; the others play the population.
        held_out: Rows (rows, dim), or a file of them, that play it in their place; all of the array may be trained on.

    Returns:
        Variables (seed, …) with quality = memorized fraction with its 95% interval, W2²/d and sliced Wasserstein
        distance to the law of x_ε, membership AUC and the share of training points found at 1% and at 10% of fresh
        ones taken for such: teacher, reference (fresh samples of the truth), student
        (variant, distill_time; in the `evaluations` of its method, one jump for most), and the controls teacher_steps
        and student_steps (steps), early_teacher, early_student, regression (one-step students regressed on the
        teacher's endpoints); suppression and energies by level and part; leakage and gamma_star; losses by level;
        student_map_error (variant, distill_time, level), (1/d)E‖f_k(x) − x_ε‖² of a level's jump to ε against the
        flow's own end of the same x, for Gaussian populations; student_half, suppression_half, leakage_all_half by half
        the draws, with _error and _moved, 1 where half the draws move a measure by more than 1.96 standard errors. With
        limit, limit_leakage (ridge, level), outside gen,
        and limit_gamma_star (level). Where a student is self-distilled, mixing (variant, distill_time, level), its ξ.
        With an optimizer, stochastic and stochastic_exact (variant, quality), samples of the students after all steps
        and of the flow beside them, stochastic_loss (variant, step, level), without the ridge's term, and
        stochastic_time; where a run diverged, NaN, and the attribute `diverged` says where by seed.
        What is undefined is NaN, with its reason in the attribute `undefined`. Training points that are copies of
        others, which are merged for the second nearest, are counted by seed in the attribute `merged_points` where
        there are any. Students stand along the dimension variant, in the order given.

    Raises:
        ValueError: In one line, for settings that do not fit together.
        MemoryError: Before allocating, for sizes beyond the memory limit.
        store.StoreError: For a checkpoint folder of another run.

    >>> import rfsim
    >>> result = distill(rfsim.Problem(2, 4), [0, 10], dim=3, levels=2, generated=16)
    >>> float(result.suppression.sel(distill_time=0).max().round(12))
    1.0
    """
    started = time.perf_counter()
    model.require_unused(problem, "distill", diffusion_time="time_min and time_max are its levels'; train takes it")
    wanted = Wanted(instability, transfer)
    drawn, own = apart(options)
    planned = plan(problem, distill_times, **own)
    _require_mixture(problem, planned)
    beside = limit_run(problem, planned, drawn) if limit else None
    taught = replace(problem, diffusion_time=planned.time_min, ridge=planned.teacher_ridge)
    run = Run(taught, drawn, report, method=Method(), copies=6)
    planned = with_clock(planned, run.sizes.dim)
    features = planned.student_features(run.sizes)
    draws = planned.number_of_draws(features)
    _require_memory(planned, run.sizes, features, kept=spill is None)
    run.settings = realization.settings(problem, run.origin, run.sizes, seed=run.seeds[0], seeds=len(run.seeds))
    del run.settings["diffusion_time"]
    data_power = realization.power(problem, run.origin, run.sizes)
    extra = planned.settings(draws) | {"instability": instability, "transfer": transfer}
    extra |= {"limit": True} if limit else {}
    run.begin(begin, extra)
    identity = {name: value for name, value in (run.settings | extra).items() if name not in BESIDE}
    kept = Keeping(
        _folder(planned, checkpoint, resume), resume, real("checkpoint_minutes", checkpoint_minutes), identity
    )
    of_limit = {} if beside is None else limit_leakage(beside, planned, report)
    done: list[xr.Dataset] = []
    merged: list[int] = []
    failures: dict[str, str] = {}

    def result() -> xr.Dataset:
        data = xr.concat([one.drop_vars("feature_part") for one in done], dim="seed", join="exact", coords="minimal")
        data = data.assign(of_limit).assign(feature_part=done[0].feature_part)
        data = data.assign_coords(seed=list(run.seeds[: len(done)]))
        told = {"merged_points": merged[: len(done)]} if any(merged) else {}
        told |= {"diverged": store.canonical(failures)} if planned.stochastic else {}
        return run.label("distill", data.assign_attrs(undefined=_undefined(planned, run), **told), extra, started)

    with keeping(done, result):
        for number in run.seeds:
            draw = realization.instance(taught, run.origin, run.sizes, number)
            merged.append(len(draw.points) - len(distinct(draw.points)))  # what no measure can tell is refused here
            with ArrayCache(spill) as cache, ridge_named("teacher_ridge"):
                named = run.population is not None
                distilled = take(planned, taught, draw, data_power, named, cache, wanted, partial(run.tell, draw))
            run.tell(draw, "samples and their measures")
            quality = SampleQuality(planned, distilled)
            one = table(planned, distilled, quality)
            if practice := planned.stochastic:
                trained = train(planned, practice, distilled, kept, partial(run.tell, draw))
                one = one.assign(variables(planned, practice, distilled, quality, trained, one.student))
                failures |= {str(number): one.failure for one in trained if one.failure}
            done.append(one)
    return result()


def _require_alone(**beside: float) -> None:
    """ValueError where what a path takes the place of is given beside it."""
    usual = {one.name: one.default for one in LEVELS}
    for name, value in beside.items():
        if value != usual[name]:
            raise ValueError(f"path says all diffusion times; got {name} {value:g} beside it: leave it out")


def _require_mixture(problem: Problem, planned: DistillationPlan) -> None:
    """ValueError where stochastic training would draw from a population of classes."""
    fresh = planned.distill_data == "fresh" or any(str(one.method) == "score:population" for one in planned.students)
    if planned.stochastic is not None and fresh and isinstance(problem.data, Classes):
        raise ValueError(
            f"stochastic training draws from training points or a mixture; got data {str(problem.data)!r}: leave the "
            "optimizer out, or learn from the training points"
        )


def _folder(planned: DistillationPlan, checkpoint: str | Path | None, resume: bool) -> Path | None:
    """Where states of stochastic training are kept; ValueError where there is none to keep."""
    if checkpoint is not None and planned.stochastic is None:
        raise ValueError("checkpoint keeps states of stochastic training, and exact flows have none; give an optimizer")
    if resume and checkpoint is None:
        raise ValueError("resume goes on from a checkpoint; give the folder where it lies")
    return None if checkpoint is None else Path(checkpoint)


def _given(
    students: Sequence[Student], variants: Sequence[Mapping[str, Any]] | None, common: Mapping[str, Any]
) -> tuple[Student, ...]:
    """The students as they are, each with all that is its own; ValueError where that is given beside them too."""
    if variants is not None:
        raise ValueError("students and variants are two forms of one list; give one of them")
    if not students or not all(isinstance(one, Student) for one in students):
        raise ValueError("students must be a list of rfsim.Student, one or more; variants takes mappings")
    usual = {"ridge": 0.0, "parameterization": "ddim", "start": None, "target": Sequential()}
    usual |= {"method": DistillationMethod(), "generations": 1}
    read = {"target": read_target, "method": read_method}
    for name, value in common.items():
        given = read[name](value) if name in read else value
        if given != usual[name]:
            raise ValueError(f"students have a {name} of their own; got {name} {value} beside them: give it to each")
    return tuple(students)


def _require_memory(planned: DistillationPlan, sizes: Sizes, features: int, *, kept: bool) -> None:
    d, n, p = (float(size) for size in sizes)
    times, kinds = len(planned.distill_times), [one.method.kind for one in planned.students]
    counts = {"levels": planned.levels, "models": len(kinds) * times, "generated": planned.generated}
    counts |= {kind.replace("-", "_"): kinds.count(kind) * times for kind in FURTHER}
    needed = float(needed_bytes(d, p, features, **counts, kept=kept))
    if practice := planned.stochastic:  # features of a batch at every level, and the optimizer's slots
        rows = float(n if practice.setting.batch is None else practice.setting.batch)
        needed += 8 * planned.levels * (rows * (3 * features + 6 * d) + 12 * d * features)
    hint = "take fewer features or levels, or in Python spill the levels to a folder" if kept else "take fewer features"
    what = f"distilling {max(p, float(features)):.12g} features at dim {d:.12g} in {planned.levels} levels"
    require_memory(needed, what, hint)


def needed_bytes(
    dim: ArrayLike,
    features: ArrayLike,
    student_features: ArrayLike,
    *,
    levels: ArrayLike,
    models: ArrayLike,
    generated: ArrayLike,
    two_time: ArrayLike = 0,
    progressive: ArrayLike = 0,
    kept: bool = True,
) -> NDArray[np.float64]:
    """Bytes at the peak of a distillation; sizes broadcast.

    Args:
        dim: d.
        features: p of the teacher.
        student_features: p of the student.
        levels: N.
        models: Students times distill_times.
        generated: Samples of each.
        two_time: How many of the models are two-time maps.
        progressive: How many are of progressive distillation.
        kept: Whether the eigenvectors of all levels stay in memory.

    Returns:
        The bytes, of the shape to which the sizes broadcast.
    """
    d, p, own, steps = (np.asarray(value, dtype=float) for value in (dim, features, student_features, levels))
    side = np.maximum(p, own)
    shelved = (steps + 1) * (p**2 + np.where(own != p, own**2, 0.0)) * kept
    drawn = 2 * np.asarray(generated, dtype=float) * (np.asarray(models) + CONTROLS)
    several = {"two-time": np.asarray(two_time, dtype=float), "progressive": np.asarray(progressive, dtype=float)}
    further = sum(FURTHER[kind] * steps * count for kind, count in several.items()) * side
    further = further + sum(each * steps * several[kind] for kind, each in ASKED.items()) * CHUNK_ROWS
    weights = (steps + 8) * np.asarray(models) * side + further
    return 8 * (7 * side**2 + shelved + weights * d + drawn * d) + 2**29


def _undefined(planned: DistillationPlan, run: Run) -> str:
    """Which measures are NaN, and why, as JSON."""
    reasons: dict[str, str] = {}
    for student in planned.students:
        for name, reason in student.method.undefined().items():
            told = reasons.get(name, "")
            reasons[name] = told if reason in told else "; ".join(filter(None, (told, reason)))
    if planned.student_features(run.sizes) != run.sizes.features:
        reasons["suppression"] = "the student has features of its own, whose parts are not the teacher's"
    if any(student.parameterization != "ddim" for student in planned.students):
        for loss in ("student_train", "student_test"):
            reasons[loss] = "only the weights of parameterization ddim are those of a score"
    if run.population is None or run.population.gaussian is None:
        reasons["student_map_error"] = "the flow is known in closed form for Gaussian populations alone"
    if run.population is None:
        reasons["reference_membership_auc"] = "the true score of an array's law is not known"
    return store.canonical(reasons)
