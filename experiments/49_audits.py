"""Audits of distilled models: whom a smaller student memorizes and inherits, and what a two-sample test still sees.

Borkar et al. (2026) compare three language models: a teacher, a smaller student distilled from it, and a baseline of
the student's size trained on the same data without a teacher. The student memorizes less than the baseline; most of
what it memorizes both others do; of what the teacher alone memorizes it inherits little, more if it is trained on the
teacher's samples (hard) than on its outputs (soft); and who it will be can be told before distilling. Here the same
sets of random-feature scores (equations.md §8): tanh features, d = 16, n = 240, a teacher with p = 720 trained for
train_time 10⁸, students and baseline with 360 features of their own, all trained as long. Soft is the teacher's score
at training points with fresh noise (M8), or at fresh points, hard is M10; beside them consistency distillation.

Li et al. (2026) audit one-step students: single points are no longer memorized, and yet the samples as a set lie nearer
to the training set than to data held out. Here a memorized teacher in all steps and in one, one that is stopped early,
and its one-step student (d = 10, n = 20, p = 400), by f_mem, by the loss of single points, and by MMD.
"""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from rfsim import Problem
from rfsim.claims import Claim, Judgment, Results, compared, decide, measured
from rfsim.disk import store
from rfsim.reproduce import Cell

FIGURES = {
    "audits": "Borkar et al. 2026: whom teacher, baseline and students memorize; Li et al. 2026: a two-sample test",
}
SECONDS = {"quick": 3, "paper": 400}

DIM = {"quick": 6, "paper": 16}
SIZES = {"quick": (8, 24, 12), "paper": (15, 45, 22.5)}  # n, p of the teacher and of its students, over d
OPTIONS = {"quick": {"levels": 2, "seeds": 1, "generated": 100}, "paper": {"levels": 8, "seeds": 4, "generated": 1000}}
ONE_STEP = {"quick": (6, 10, 2), "paper": (10, 40, 8)}  # d, p/d, seeds
SOFT, FRESH, HARD, CONSISTENCY = "score:noise-online", "score:population", "hard", "consistency"
METHODS = (SOFT, FRESH, HARD, CONSISTENCY)
TIME = 1e8


def cells(size: str) -> list[Cell]:
    samples, features, own = SIZES[size]
    shared = {"audit": True, "early_time": 1e3, "leakage_ridges": (0.0,), "teacher_time": TIME, "draws": "8p"}
    several = [{"start": "zero", "method": one} for one in METHODS]
    small = {"dim": DIM[size], "student_features_per_dim": own, "distill_times": (TIME,), "variants": several}
    dim, per_dim, seeds = ONE_STEP[size]
    again = {"dim": dim, "seeds": seeds, "start": "teacher", "distill_times": (100.0, 1e6)}
    return [
        Cell("smaller", "distill", Problem(samples, features), shared | OPTIONS[size] | small),
        Cell("one-step", "distill", Problem(2, per_dim), shared | OPTIONS[size] | again),
    ]


def sets(result: xr.Dataset, method: str, name: str) -> np.ndarray:
    """Points of all seeds in a set at the levels that are audited, (levels,)."""
    methods = [one.get("method", CONSISTENCY) for one in store.settings(result)["variants"]]
    found = result.audit_count.isel(variant=methods.index(method), distill_time=-1).sel(audited=name)
    return found.sum("seed", skipna=False).dropna("level").values


def share(result: xr.Dataset, method: str, part: str, whole: str) -> float:
    """Of a set in another one, over all audited levels; NaN where that is empty."""
    of = sets(result, method, whole).sum()
    return float(sets(result, method, part).sum() / of) if of else math.nan


def decidable(results: Results) -> bool:
    return results["smaller"].audit_count.attrs["training_points"] >= 200


def shares(results: Results, part: str, whole: str) -> dict[str, float]:
    """By method."""
    return {method: share(results["smaller"], method, part, whole) for method in METHODS}


def worded(found: dict[str, float]) -> str:
    return ", ".join(f"{method} {value:.3g}" for method, value in found.items())


def fewer(results: Results) -> Judgment:
    """|S|/|B| of soft distillation."""
    found, result = shares(results, "student", "baseline"), results["smaller"]
    numbers = ", ".join(f"{int(sets(result, SOFT, name).sum())} by {name}" for name in ("teacher", "baseline"))
    return Judgment(
        f"|S|/|B|: {worded(found)}; {numbers}", None, decide(found[SOFT] < 0.5, decidable=decidable(results))
    )


def common(results: Results) -> Judgment:
    """|S ∩ T ∩ B|/|S| of soft distillation."""
    found = shares(results, "all", "student")
    return Judgment(worded(found), None, decide(found[SOFT] >= 0.7, decidable=decidable(results)))


def inherited(results: Results) -> Judgment:
    """|S ∩ T ∖ B|/|T ∖ B| of soft distillation."""
    found = shares(results, "student and teacher alone", "teacher alone")
    return Judgment(worded(found), None, decide(found[SOFT] < 0.03, decidable=decidable(results)))


def hard_inherits(results: Results) -> Judgment:
    """The same of hard against soft, by the counts' own errors."""
    result, part = results["smaller"], "student and teacher alone"
    hard, soft = (float(sets(result, method, part).sum()) for method in (HARD, SOFT))
    error = math.sqrt(hard + soft)
    holds = hard - soft > 3 * error
    words = f"{hard:g} points hard, {soft:g} soft, of {sets(result, SOFT, 'teacher alone').sum():g}"
    return Judgment(words, error, decide(holds, decidable=decidable(results)))


def told_before(results: Results) -> Judgment:
    """AUC at the lowest level where enough are memorized, mean over seeds."""
    result, words, known = results["smaller"], [], []
    for number, method in enumerate(METHODS):
        values = result.audit_predicted.isel(variant=number, distill_time=-1).transpose("seed", "level").values
        found = values[np.isfinite(values)]
        words.append(f"{method} {found.mean():.4f}" if found.size else f"{method} none")
        known += [found.mean()] if found.size and method == SOFT else []
    able = decidable(results) and bool(known)
    return Judgment(", ".join(words), None, decide(bool(known) and known[0] >= 0.99, decidable=able))


def z(result: xr.Dataset, name: str) -> np.ndarray:
    """Of a model's samples, (seeds,)."""
    found = result[f"{name}_two_sample"].sel(two_sample="z")
    found = found.isel(variant=0, distill_time=-1) if name == "student" else found
    return found.values


def as_a_set(results: Results) -> Judgment:
    """The one-step student's samples against fresh ones of the truth, which know nothing of the same training set."""
    result = results["one-step"]
    rows = {name: z(result, name) for name in ("reference", "teacher", "teacher_one", "student")}
    fmem = {name: measured(result, name).mean() for name in ("teacher", "student")}
    words = ", ".join(f"{name} {row.mean():.2f}" for name, row in rows.items())
    found = compared(rows["student"], rows["reference"])
    told = f"z: {words}; f_mem {fmem['student']:.3g} against {fmem['teacher']:.3g}"
    return Judgment(told, found.error, decide(found.higher, decidable=result.sizes["seed"] >= 4))


def without_memorizing(results: Results) -> Judgment:
    """The same of the teacher that stops before it memorizes."""
    result = results["one-step"]
    found = compared(z(result, "early_teacher"), z(result, "reference"))
    fmem = measured(result, "early_teacher").mean()
    words = f"z {found.words}, f_mem {fmem:.3g}"
    return Judgment(words, found.error, decide(not found.higher, decidable=result.sizes["seed"] >= 4))


def single_points(results: Results) -> Judgment:
    """What the loss of single points says of the one-step student, whose weights are a score's."""
    result = results["one-step"]
    student = result.student_loss_auc.isel(variant=0, distill_time=-1).dropna("level").mean("level").values
    teacher = result.teacher_loss_auc.dropna("level").mean("level").values
    found = compared(student, teacher)
    lower = student.mean() < 0.6
    return Judgment(f"AUC {found.words}", found.error, decide(lower, decidable=result.sizes["seed"] >= 4))


CLAIMS = (
    Claim(
        "b26-fewer",
        "a distilled student memorizes fewer training points than a baseline of its size",
        "Borkar et al. 2026, arXiv 2601.15394, abstract: more than half",
        "theirs 0.13 to 0.48 of the baseline's; |S|/|B| of soft distillation below 0.5",
        fewer,
    ),
    Claim(
        "b26-common",
        "most of what it memorizes teacher and baseline do as well",
        "Borkar et al. 2026",
        "theirs 0.70 to 0.96; |S ∩ T ∩ B|/|S| of soft distillation at least 0.7",
        common,
    ),
    Claim(
        "b26-inherited",
        "of what the teacher alone memorizes it inherits little",
        "Borkar et al. 2026",
        "theirs 0.009; |S ∩ T ∖ B|/|T ∖ B| of soft distillation below 0.03",
        inherited,
    ),
    Claim(
        "b26-hard",
        "hard distillation inherits more of it than soft does",
        "Borkar et al. 2026, abstract: 2.7 times",
        "|S ∩ T ∖ B| hard above soft by three errors of counts",
        hard_inherits,
    ),
    Claim(
        "b26-in-advance",
        "who is memorized can be told before distilling",
        "Borkar et al. 2026",
        "theirs AUC 0.9964 to 0.9999; of soft distillation at least 0.99",
        told_before,
    ),
    Claim(
        "l26-single-points",
        "the loss of single points no longer tells who was trained on, of a one-step student",
        "Li et al. 2026, arXiv 2502.02970, abstract",
        "AUC of its weights' exact losses, as a score's, below 0.6",
        single_points,
        by_errors=True,
    ),
    Claim(
        "l26-as-a-set",
        "and yet its samples as a set lie nearer to the training set than to data held out",
        "Li et al. 2026, abstract",
        "z of the two-sample test above that of fresh samples of the truth, by three standard errors",
        as_a_set,
        by_errors=True,
    ),
    Claim(
        "ours-audits-early",
        "control: those of a teacher that stops before it memorizes do not [ours]",
        "equations.md §8",
        "its z not above that of fresh samples, by three standard errors",
        without_memorizing,
        by_errors=True,
    ),
)
