"""Core: a one-step student memorizes less than its teacher, as any sampling in one step does; in all steps it is more.

Claim (Jiang, Zou 2026, abstract; equations.md §7, §8, §9.6): consistency distillation of a teacher that has memorized
lowers memorization. A news digest of the same paper says the opposite, that distillation amplifies it. Both are asked
here of the same samples, for the two ways to sample: a student samples in one step, and it can sample in as many as its
teacher (S23 Algorithm 1).

Here: tanh features, isotropic data, n = 2d; the teacher trained by the flow to τ = 10⁸, the student in `ddim` form from
its weights, γ = 0; f_mem is the share of samples whose nearest training point is three times as near as the second
nearest. The control is the teacher in one step. Every comparison is of the same seeds, and decided where means differ
by more than three standard errors. Published size: the cell of 30_distillation.py.
"""

from __future__ import annotations

from rfsim import Problem
from rfsim.claims import Claim, Compared, Judgment, Results, Verdict, compared, decide, measured
from rfsim.reproduce import Cell

CORE = True
FIGURES = {"core-student": "ours, after Jiang, Zou 2026, abstract: a memorized teacher and its student, by steps"}
SECONDS = {"quick": 7, "paper": 230}

LABEL = "teacher-1e+08"
OPTIONS = {
    "quick": {"dim": 8, "levels": 8, "seeds": 6, "generated": 1000, "distill_times": (1.0, 100.0, 1e6)},
    "paper": {"dim": 10, "levels": 20, "seeds": 5, "generated": 2000, "distill_times": (1.0, 100.0, 1e4, 1e6)},
}
FEATURES_PER_DIM = {"quick": 40, "paper": 100}


def cells(size: str) -> list[Cell]:
    problem = Problem(samples_per_dim=2, features_per_dim=FEATURES_PER_DIM[size])
    asked = OPTIONS[size] | {"teacher_time": 1e8, "early_time": 1e3}
    return [Cell(LABEL, "distill", problem, asked, "30_distillation" if size == "paper" else None)]


def pair(results: Results, steps: str, measure: str = "memorized_fraction") -> tuple[Compared, int]:
    """The student in one step or in all against the teacher in all; how many those are."""
    result = results[LABEL]
    many = int(result.steps.max())
    teacher = measured(result, "teacher_steps", measure, steps=many)
    if steps == "one":
        return compared(measured(result, "student", measure), teacher), many
    return compared(measured(result, "student_steps", measure, steps=many), teacher), many


def verdict(found: Compared, *, lower: bool) -> Verdict:
    """Of the claim that the left is lower, or higher: undecided within three standard errors."""
    return decide(found.lower if lower else found.higher, decidable=found.lower or found.higher)


def reading(steps: str, lower: bool, results: Results) -> Judgment:
    found, many = pair(results, steps)
    taken = "1 step" if steps == "one" else f"{many} steps"
    words = f"f_mem of the student in {taken} {found.left:.3g}, of the teacher in {many} steps {found.right:.3g}"
    return Judgment(words, found.error, verdict(found, lower=lower))


def single_step(results: Results) -> Judgment:
    result = results[LABEL]
    found = compared(measured(result, "student"), measured(result, "teacher_steps", steps=1))
    words = f"f_mem of the student in one step {found.left:.3g}, of the teacher in one step {found.right:.3g}"
    return Judgment(words, found.error, verdict(found, lower=True))


def shape(results: Results) -> Judgment:
    found, many = pair(results, "one", "sliced_wasserstein")
    words = f"sliced W2 of the student in one step {found.left:.3g}, of the teacher in {many} steps {found.right:.3g}"
    return Judgment(words, found.error, decide(not found.higher, decidable=found.lower or found.higher))


ABSTRACT, DIGEST = "Jiang, Zou 2026, abstract; equations.md §9.6", "a news digest of Jiang, Zou 2026; equations.md §9.6"
CLAIMS = (
    Claim(
        "core-student-lowers-one-step",
        "distilling a memorized teacher lowers memorization: the student sampled in one step",
        ABSTRACT,
        "f_mem of the one-step student below that of the teacher in all steps, by three standard errors",
        lambda results: reading("one", True, results),
        by_errors=True,
    ),
    Claim(
        "core-student-lowers-all-steps",
        "distilling a memorized teacher lowers memorization: the student sampled in all steps",
        ABSTRACT,
        "f_mem of the student below that of the teacher, both in all steps, by three standard errors",
        lambda results: reading("all", True, results),
        by_errors=True,
    ),
    Claim(
        "core-student-amplifies-one-step",
        "distilling a memorized teacher amplifies memorization: the student sampled in one step",
        DIGEST,
        "f_mem of the one-step student above that of the teacher in all steps, by three standard errors",
        lambda results: reading("one", False, results),
        by_errors=True,
    ),
    Claim(
        "core-student-amplifies-all-steps",
        "distilling a memorized teacher amplifies memorization: the student sampled in all steps",
        DIGEST,
        "f_mem of the student above that of the teacher, both in all steps, by three standard errors",
        lambda results: reading("all", False, results),
        by_errors=True,
    ),
    Claim(
        "core-student-single-step",
        "control: what lowers f_mem is distillation, not the single step [ours]",
        "equations.md §8",
        "f_mem of the one-step student below that of the teacher in one step, by three standard errors",
        single_step,
        by_errors=True,
    ),
    Claim(
        "core-student-shape",
        "distillation keeps or improves quality: the shape of the law, in one step",
        ABSTRACT,
        "sliced W2 of the one-step student not above that of the teacher in all steps, by three standard errors",
        shape,
        by_errors=True,
    ),
)
