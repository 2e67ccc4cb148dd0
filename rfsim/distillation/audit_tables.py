"""An audit of one seed as labelled variables: who is memorized, and a two-sample test (equations.md §8)."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.distillation.audit import COUNTS, QUANTILE, Audited, Auditor, counts, in_advance, memorized
from rfsim.distillation.memorization import auc
from rfsim.distillation.plan import DistillationPlan
from rfsim.distillation.run import SeedDistillation
from rfsim.distillation.sample_quality import SampleQuality
from rfsim.distillation.sampling import path
from rfsim.distillation.two_sample import TwoSample, sets, two_sample

OWN = ("variant", "distill_time")
WITH_STUDENT = ("student", "all", "student and teacher alone")
SAME_FEATURES = "the student has the teacher's features, so that the baseline is the teacher: take features of its own"
FEW_POINTS = "logistic regression needs five points that are memorized and five that are not"
NOBODY = "a share of points that nobody memorizes is none"
FEW_ROWS = "a two-sample test needs sixteen rows held out"


def audit_variables(
    plan: DistillationPlan, distilled: SeedDistillation, quality: SampleQuality
) -> dict[str, xr.Variable]:
    """Of the audited seed, without the dimension seed; nothing where no audit was asked for."""
    if distilled.auditor is None:
        return {}
    return _points(distilled, distilled.auditor) | _tests(plan, distilled, quality)


def coordinates(distilled: SeedDistillation) -> dict[str, list[str]]:
    """What the variables have beside the dimensions of every distillation."""
    return {} if distilled.auditor is None else {"audited": list(COUNTS), "two_sample": list(TwoSample._fields)}


def undefined(data: xr.Dataset, *, own_features: bool) -> dict[str, str]:
    """What an audit does not have, and why."""
    found = {} if own_features else {"audit.inheritance": SAME_FEATURES}
    known = data["audit_count"].sel(audited="student").notnull()
    if (data["audit_predicted"].isnull() & known).any():
        found["audit.predictability"] = FEW_POINTS
    numbers = data["audit_count"].sum("seed", skipna=False)
    if (numbers.sel(audited=["baseline", "student"]) == 0).any():
        found["audit.shares"] = NOBODY
    if data["reference_two_sample"].isnull().any():
        found["audit.two_sample"] = FEW_ROWS
    return found


def _points(distilled: SeedDistillation, auditor: Auditor) -> dict[str, xr.Variable]:
    """Numbers of points in each set, AUCs, and L_test of the baseline, by level; NaN at those that are not audited."""
    of, levels = auditor.of, distilled.levels
    shape = levels[0].membership["student"].shape[:2]
    nothing = np.full(shape, np.nan)
    numbers, predicted, by_student, taught, trained = [], [], [], [], []
    for level in levels:
        found = level.audited
        if found is None:
            numbers.append(np.full((*shape, len(COUNTS)), np.nan))
            predicted.append(nothing)
            by_student.append(nothing)
            taught.append(np.nan)
            trained.append(np.nan)
            continue
        baseline = found.teacher if found.baseline is None else found.baseline
        numbers.append(_counts(found, baseline, of.training))
        there = np.isfinite(found.students).all(axis=-1)
        predicted.append(np.where(there, in_advance(found, of), np.nan))
        by_student.append(_aucs(found.students, of.training))
        taught.append(float(_aucs(found.teacher, of.training)))
        trained.append(float(_aucs(baseline, of.training)))
    tested = [level.teacher.test if level.baseline is None else level.baseline for level in levels]
    per_level = (*OWN, "level")
    fresh = len(of.clean) - of.training
    told = {
        "long_name": "training points that are memorized, by sets",
        "quantile": QUANTILE,
        "fresh_points": fresh,
        "training_points": of.training,
    }
    return {
        "audit_count": xr.Variable((*per_level, "audited"), np.stack(numbers, axis=2), told),
        "audit_predicted": xr.Variable(
            per_level, np.stack(predicted, axis=-1), {"long_name": "AUC of who is memorized, told in advance"}
        ),
        "student_loss_auc": xr.Variable(
            per_level,
            np.stack(by_student, axis=-1),
            {"long_name": "AUC of exact losses, training against fresh points"},
        ),
        "teacher_loss_auc": xr.Variable("level", np.array(taught), {"long_name": "the same of the teacher"}),
        "baseline_loss_auc": xr.Variable("level", np.array(trained), {"long_name": "the same of the baseline"}),
        "baseline_test": xr.Variable("level", np.array(tested, dtype=float), {"long_name": "L_test of the baseline"}),
    }


def _counts(found: Audited, baseline: NDArray[np.float64], training: int) -> NDArray[np.float64]:
    """Numbers of points, (variants, times, sets); NaN for those with a student that is not there."""
    teacher, trained = (memorized(one, training) for one in (found.teacher, baseline))
    rows = []
    for one in found.students.reshape(-1, found.students.shape[-1]):
        row = counts(teacher, trained, memorized(one, training))
        row[[COUNTS.index(name) for name in WITH_STUDENT]] *= 1.0 if np.isfinite(one).all() else np.nan
        rows.append(row)
    return np.reshape(rows, (*found.students.shape[:2], len(COUNTS)))


def _aucs(losses: NDArray[np.float64], training: int) -> NDArray[np.float64]:
    """Of losses (…, points), (…); NaN where there are none."""
    rows = losses.reshape(-1, losses.shape[-1])
    found = [auc(one[:training], one[training:]) if np.isfinite(one).all() else np.nan for one in rows]
    return np.reshape(found, losses.shape[:-1])


def _tests(plan: DistillationPlan, distilled: SeedDistillation, quality: SampleQuality) -> dict[str, xr.Variable]:
    """The two-sample test of every model's samples."""
    draw, (teacher, early) = distilled.draw, distilled.teachers
    among = sets(draw.points, draw.population, draw.seed)

    def test(samples: NDArray[np.float64] | None) -> NDArray[np.float64]:
        return np.array(TwoSample() if samples is None or among is None else two_sample(samples, among))

    solver, shape = plan.sampler, (len(plan.students), len(plan.distill_times))
    found = {
        "reference": test(quality.reference),
        "teacher": test(quality.taught(teacher, quality.every, solver)),
        "teacher_one": test(quality.taught(teacher, path(plan.levels, 1), solver)),
        "early_teacher": test(quality.taught(early, quality.every, solver)),
    }
    words = {
        "reference": "fresh samples of the truth",
        "teacher": "the teacher in all steps",
        "teacher_one": "the teacher in one step",
        "early_teacher": "the early teacher in all steps",
    }
    own = np.reshape([test(quality.sampled("student", v, t)) for v, t in np.ndindex(shape)], (*shape, -1))
    of = {} if among is None else {"set_size": among.size, "held_out_sets": among.held_out}
    variables = {
        f"{name}_two_sample": xr.Variable("two_sample", values, {"long_name": f"two-sample test of {words[name]}"} | of)
        for name, values in found.items()
    }
    told = {"long_name": "two-sample test of students"} | of
    return variables | {"student_two_sample": xr.Variable((*OWN, "two_sample"), own, told)}
