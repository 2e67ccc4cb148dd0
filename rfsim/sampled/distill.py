"""`rfsim.distill`: distillation of a sampled teacher as one labelled result (equations.md §7, §8)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Unpack

import xarray as xr
from numpy.typing import ArrayLike

from rfsim.checking.scalars import real
from rfsim.computing.precision import in_float64, ridge_named
from rfsim.disk import store
from rfsim.distillation.audit_tables import undefined
from rfsim.distillation.cache import ArrayCache
from rfsim.distillation.integrated import failures as failures_of
from rfsim.distillation.nearest import distinct
from rfsim.distillation.plan import DistillationPlan
from rfsim.distillation.run import Wanted, take
from rfsim.distillation.sample_quality import SampleQuality
from rfsim.distillation.splits import split_variables
from rfsim.distillation.stochastic_options import with_clock
from rfsim.distillation.stochastic_students import train, variables
from rfsim.distillation.tables import table
from rfsim.problem import model, origins, realization
from rfsim.problem.draws import apart, defaults_of, told
from rfsim.problem.model import Problem
from rfsim.problem.realization import Instance
from rfsim.quantities.meant import known_keywords
from rfsim.results.progress import Begin, Report, keeping
from rfsim.results.runs import Run
from rfsim.sample.spectra import Method
from rfsim.sampled.beside import limit_leakage, limit_run
from rfsim.sampled.distill_memory import require_room
from rfsim.sampled.distill_plan import DISTILL_TIMES, DistillOptions, plan
from rfsim.simulation.checkpointing import Keeping

# of a stochastic run that goes on these may change: how long it is, and what is measured beside it
BESIDE = ("seed", "seeds", "steps", "distill_times", "generated", "samples", "leakage_ridges", "threshold", "audit")
OTHER = "the other half, "  # what is told of its steps begins so


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
    audit: bool = False,
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
        audit: Also who is memorized, by exact losses of single points at up to three levels: by teacher, student and a
            baseline that is trained by denoising as the teacher was, on the student's features; and a two-sample test.
        spill: A folder for the eigenvectors of all levels, p² doubles each, which memory holds otherwise.
        checkpoint: With an optimizer, or a method that is integrated step by step: a folder for states, saved every
            checkpoint_minutes, at the end and at Ctrl-C.
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
        method: What distillation it is, a text or `rfsim.DistillationMethod` (M1–M13): consistency,
            consistency-training, segments:S, progressive, data-free, endpoint, endpoint-prior, two-time, score:INPUTS,
            self[:XI], hard, matching, sds, identity, random-teacher or empirical-teacher.
        generations: Of method hard: how many students learn one from another.
        critic: Of method matching: "equilibrium", or how many times as fast as the generator its critic learns.
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
        split_pair: Also distill a second, disjoint training set of as many points, with the same features and the same
            noise of training and generation: further draws of a population, of an array the rows held out (so that n is
            at most half of the rows), and with `held_out` the next rows of the array.
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
        student_proxy (variant, distill_time, level), (1/d)E‖s_S − s_T‖² over the population;
        student_map_error (variant, distill_time, level), (1/d)E‖f_k(x) − x_ε‖² of a level's jump to ε against the
        flow's own end of the same x, for Gaussian populations; student_half, suppression_half, leakage_all_half by half
        the draws, with _error and _moved, 1 where half the draws move a measure by more than 1.96 standard errors. With
        limit, limit_leakage (ridge, level), outside gen,
        and limit_gamma_star (level). Where a student is self-distilled, mixing (variant, distill_time, level), its ξ.
        With split_pair, split_teacher, split_teacher_steps (steps), split_early_teacher and split_student (variant,
        distill_time): E‖x_1 − x_2‖²/d between samples of the two halves from the same noise, and teacher_to_own,
        teacher_to_other, student_to_own, student_to_other: the same of samples to the nearest training point of their
        own half, and of the other.
        With audit, audit_count (variant, distill_time, level, audited), how many training points are memorized, by
        sets, NaN at levels that are not audited, audit_predicted, student_loss_auc (variant, distill_time, level),
        teacher_loss_auc, baseline_loss_auc and baseline_test (level); student_two_sample
        (variant, distill_time, two_sample), and of reference, teacher, teacher_one (one step) and early_teacher.
        Where a student is integrated, integration_steps and integration_error (variant, distill_time), the largest
        error of a step, over the spread of its samples; where it diverged, NaN from there on, and the attribute
        `diverged` says where by seed.
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
    wanted = Wanted(instability, transfer, audit)
    drawn, own = apart(options)
    planned = plan(problem, distill_times, **own)
    _require_mixture(problem, planned)
    beside = limit_run(problem, planned, drawn) if limit else None
    taught = replace(problem, diffusion_time=planned.time_min, ridge=planned.teacher_ridge)
    run = Run(taught, drawn, report, method=Method(), copies=6)
    planned = with_clock(planned, run.sizes.dim)
    features = planned.student_features(run.sizes)
    draws = planned.number_of_draws(features)
    require_room(planned, run.sizes, features, kept=spill is None, audit=audit)
    if planned.split_pair:
        origins.require_halves(run.origin, run.sizes)
    run.settings = origins.settings(problem, run.origin, run.sizes, seed=run.seeds[0], seeds=len(run.seeds))
    del run.settings["diffusion_time"]
    data_power = realization.power(problem, run.origin, run.sizes)
    extra = planned.settings(draws) | {"instability": instability, "transfer": transfer}
    extra |= {name: True for name, asked in (("limit", limit), ("audit", audit)) if asked}
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
        told |= {"diverged": store.canonical(failures)} if planned.stochastic or planned.integrated else {}
        reasons = _undefined(planned, run)
        reasons |= undefined(data, own_features=features != run.sizes.features) if audit else {}
        return run.label("distill", data.assign_attrs(undefined=store.canonical(reasons), **told), extra, started)

    def sampled(draw: Instance, wanted: Wanted, tell: Callable[[str], None], states: Keeping) -> SampleQuality:
        with ArrayCache(spill) as cache, ridge_named("teacher_ridge"):
            named = run.population is not None
            distilled = take(planned, taught, draw, data_power, named, cache, wanted, tell, states)
        tell("samples and their measures")
        return SampleQuality(planned, distilled)

    with keeping(done, result):
        for number in run.seeds:
            draw = realization.instance(taught, run.origin, run.sizes, number)
            merged.append(len(draw.points) - len(distinct(draw.points)))  # what no measure can tell is refused here
            tell = partial(run.tell, draw)
            quality = sampled(draw, wanted, tell, kept)
            distilled, one = quality.distilled, table(planned, quality.distilled, quality)
            if planned.split_pair:
                half, heard = realization.other_half(draw, run.origin), partial(run.tell, draw, of=OTHER)
                one = one.assign(split_variables(quality, sampled(half, Wanted(), heard, kept.within("other-half"))))
            if practice := planned.stochastic:
                trained = train(planned, practice, distilled, kept, tell)
                one = one.assign(variables(planned, practice, distilled, quality, trained, one.student))
                failures |= {str(number): one.failure for one in trained if one.failure}
            if lines := failures_of(distilled.models):
                failures |= {str(number): "; ".join(lines)}
            done.append(one)
    return result()


def _require_mixture(problem: Problem, planned: DistillationPlan) -> None:
    """ValueError where stochastic training would draw from a population of classes."""
    fresh = planned.distill_data == "fresh" or any(str(one.method) == "score:population" for one in planned.students)
    if planned.stochastic is not None and fresh and problem.data.of_classes:
        raise ValueError(
            f"stochastic training draws from training points or a mixture; got data {str(problem.data)!r}: leave the "
            "optimizer out, or learn from the training points"
        )


def _folder(planned: DistillationPlan, checkpoint: str | Path | None, resume: bool) -> Path | None:
    """Where states of stochastic training are kept; ValueError where there is none to keep."""
    if checkpoint is not None and planned.stochastic is None and not planned.integrated:
        raise ValueError(
            "checkpoint keeps states of stochastic training and of methods that are integrated, and exact flows have "
            "none; give an optimizer"
        )
    if resume and checkpoint is None:
        raise ValueError("resume goes on from a checkpoint; give the folder where it lies")
    return None if checkpoint is None else Path(checkpoint)


def _undefined(planned: DistillationPlan, run: Run) -> dict[str, str]:
    """Which measures are NaN, and why."""
    reasons: dict[str, str] = {}
    for student in planned.students:
        for name, reason in student.method.undefined().items():
            told = reasons.get(name, "")
            reasons[name] = told if reason in told else "; ".join(filter(None, (told, reason)))
    if planned.student_features(run.sizes) != run.sizes.features:
        reasons["suppression"] = "the student has features of its own, whose parts are not the teacher's"
        reasons["student_proxy"] = "the student has features of its own: its distance from the teacher is not averaged"
    if any(student.parameterization != "ddim" for student in planned.students):
        for loss in ("student_train", "student_test", "student_proxy"):
            reasons[loss] = "only the weights of parameterization ddim are those of a score"
    if run.population is None or run.population.gaussian is None:
        reasons["student_map_error"] = "the flow is known in closed form for Gaussian populations alone"
    if run.population is None:
        reasons["reference_membership_auc"] = "the true score of an array's law is not known"
    return reasons
