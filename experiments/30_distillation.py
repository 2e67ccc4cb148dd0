"""Does distilling a memorized teacher lower memorization and keep quality? One-step sampling is most of the answer.

Claim (Jiang, Zou 2026, abstract; equations.md §7, §8, T15–T17): consistency distillation of a teacher that has
memorized lowers memorization and keeps or improves quality. Read in samples: the student's share f_mem of memorized
samples lies below the teacher's, and its distance to the true law is not larger. Read in weights: energy on the
memorizing directions main and mini falls.

Here: tanh features, isotropic data, d = 10, n = 20, p = 1000, 20 geometric levels of diffusion time from 0.02 to 3;
teachers trained by the flow to several train_times τ, students in `ddim` form from the teacher's weights by the exact
sequential flow, γ = 0, to several distill_times τ_S. A student differs from its teacher in more than distillation: it
samples in one step. So every comparison has its controls: the teacher in as few steps as the student, the student in as
many as the teacher (S23 Algorithm 1), a one-step student regressed on the teacher's own endpoints, and teachers that
are stopped before they memorize, with their students. Quality is measured twice: the Fréchet distance W2²/d sees means
and covariances only; the sliced Wasserstein distance sees the shape as well.
"""

from __future__ import annotations

import numpy as np

from rfsim import Problem
from rfsim.claims import Claim, Judgment, Results, compared, decide, measured
from rfsim.reproduce import Cell

FIGURES = {
    "distillation": "ours, after Jiang, Zou 2026, abstract: teachers stopped at several times, and their students",
    "distillation-controls": "ours: one memorized teacher, its student and every control",
}
SECONDS = {"quick": 3, "paper": 900}

OPTIONS = {
    "quick": {"dim": 6, "levels": 6, "seeds": 2, "generated": 500},
    "paper": {"dim": 10, "levels": 20, "seeds": 5, "generated": 2000},
}
FEATURES_PER_DIM = {"quick": 20, "paper": 100}
TEACHER_TIMES = {"quick": (1e3, 1e8), "paper": (1e3, 1e4, 1e5, 1e8)}
DISTILL_TIMES = {"quick": (10.0, 1e5), "paper": (1.0, 100.0, 1e4, 1e6)}
MEMORIZED = 1e8
EARLY = 1e3  # the teacher of the control: f_mem is at most a few in a thousand
SHAPES = {"frechet_per_dim": "W2²/d", "sliced_wasserstein": "sliced W2"}


def label(teacher_time: float) -> str:
    return f"teacher-{teacher_time:g}"


def cells(size: str) -> list[Cell]:
    problem = Problem(samples_per_dim=2, features_per_dim=FEATURES_PER_DIM[size])
    asked = OPTIONS[size] | {"distill_times": DISTILL_TIMES[size], "early_time": EARLY}
    return [Cell(label(time), "distill", problem, asked | {"teacher_time": time}) for time in TEACHER_TIMES[size]]


def teachers(results: Results) -> dict[float, float]:
    """The teachers' train_times and the mean of their f_mem, ascending."""
    times = sorted(float(name.removeprefix("teacher-")) for name in results)
    return {time: float(measured(results[label(time)], "teacher").mean()) for time in times}


def full(results: Results) -> bool:
    """Smaller systems hardly memorize in their samples."""
    return results[label(MEMORIZED)].sizes["feature"] >= 1000


def one_step(measure: str, results: Results) -> Judgment:
    """The student in one step against the teacher in all of its steps, at every distill_time."""
    result = results[label(MEMORIZED)]
    teacher = measured(result, "teacher", measure)
    found = {
        time: compared(measured(result, "student", measure, distill_time=time), teacher)
        for time in result.distill_time.values.tolist()
    }
    shown = ", ".join(f"{one.left:.3g} at τ_S = {time:g}" for time, one in found.items())
    judge = (lambda one: one.lower) if measure == "memorized_fraction" else (lambda one: not one.higher)
    holds = all(judge(one) for one in found.values())
    error = max((one.error or 0.0 for one in found.values()), default=None)
    return Judgment(f"{shown}; teacher {teacher.mean():.3g}", error, decide(holds, decidable=full(results)))


def less_than(left: str, right: str, steps: int | None, measure: str, results: Results) -> Judgment:
    """One model of the memorized teacher's below another; steps: of both, the most for None."""
    result = results[label(MEMORIZED)]
    many = int(result.steps.max()) if steps is None else steps
    sides = [
        measured(result, name, measure, **({"steps": many} if name.endswith("_steps") else {}))
        for name in (left, right)
    ]
    found = compared(*sides)
    return Judgment(found.words, found.error, decide(found.lower, decidable=full(results)))


def better_than_one_step(results: Results) -> Judgment:
    result = results[label(MEMORIZED)]
    found = {
        words: compared(measured(result, "student", measure), measured(result, "teacher_steps", measure, steps=1))
        for measure, words in SHAPES.items()
    }
    words = "; ".join(f"{name} {one.words}" for name, one in found.items())
    return Judgment(words, None, decide(all(one.lower for one in found.values()), decidable=full(results)))


def energies(results: Results) -> Judgment:
    """Suppression of the memorizing parts at the last distill_time: the median over levels, seed by seed."""
    result = results[label(MEMORIZED)].isel(variant=0, distill_time=-1)
    words, holds = [], True
    for name in ("gen", "main", "mini", "null"):
        rows = result.suppression.sel(part=name)
        middle = compared(rows.median("level").values, np.ones(rows.sizes["seed"]))
        levels = rows.mean("seed").values
        words.append(f"{name} {middle.left:.3g} ({levels.min():.2g} to {levels.max():.2g})")
        holds &= middle.lower or name not in ("main", "mini")
    return Judgment("; ".join(words), None, decide(bool(holds), decidable=full(results)))


def every_teacher(student: str, results: Results) -> Judgment:
    """f_mem of the student below its teacher's for every teacher that memorizes, both in one step or both in all."""
    words, holds = [], []
    for time in teachers(results):
        result = results[label(time)]
        steps = int(result.steps.max())
        asked = {"steps": steps} if student == "student_steps" else {}
        found = compared(measured(result, student, **asked), measured(result, "teacher"))
        memorizes = compared(measured(result, "reference"), measured(result, "teacher")).lower
        holds += [found.lower] if memorizes else []
        words.append(f"τ = {time:g}: {found.words}{'' if memorizes else ' (memorizes nothing)'}")
    return Judgment("; ".join(words), None, decide(bool(holds) and all(holds), decidable=full(results)))


def stopping(results: Results) -> Judgment:
    """Whether some earlier teacher, in all of its steps, is as good as the memorized teacher's student in one."""
    student = {
        measure: measured(results[label(MEMORIZED)], "student", measure) for measure in ("memorized_fraction", *SHAPES)
    }
    words, able = [], []
    for time in teachers(results):
        found = [compared(measured(results[label(time)], "teacher", name), own) for name, own in student.items()]
        able += [time] if not any(one.higher for one in found) else []
        words.append(f"τ = {time:g}: " + "/".join(f"{one.left:.3g}" for one in found))
    own = "/".join(f"{values.mean():.3g}" for values in student.values())
    listed = f"f_mem/W2²/d/sliced W2 of teachers {'; '.join(words)}; student {own}"
    return Judgment(listed, None, decide(bool(able), decidable=full(results)))


def early_students(results: Results) -> Judgment:
    """Students of earlier teachers, in all steps, against the memorized teacher in all steps."""
    target = {name: measured(results[label(MEMORIZED)], "teacher", name) for name in ("memorized_fraction", *SHAPES)}
    words, able = [], []
    for time in teachers(results):
        result = results[label(time)]
        many = {"steps": int(result.steps.max())}
        found = {name: compared(measured(result, "student_steps", name, **many), own) for name, own in target.items()}
        no_worse = not any(found[name].higher for name in SHAPES)
        able += [time] if time < MEMORIZED and found["memorized_fraction"].lower and no_worse else []
        words.append(f"τ = {time:g}: " + "/".join(f"{one.left:.3g}" for one in found.values()))
    own = "/".join(f"{values.mean():.3g}" for values in target.values())
    listed = f"f_mem/W2²/d/sliced W2 of the students in all steps, teachers {'; '.join(words)}; memorized teacher {own}"
    return Judgment(listed, None, decide(bool(able), decidable=full(results)))


CLAIMS = (
    Claim(
        "jz26-distill-memorization",
        "distilling a memorized teacher lowers the share of memorized samples",
        "Jiang, Zou 2026, abstract; equations.md §9.6",
        "f_mem of the one-step student below that of the teacher in 20 steps, by three standard errors, at every τ_S",
        lambda results: one_step("memorized_fraction", results),
        by_errors=True,
    ),
    Claim(
        "jz26-distill-frechet",
        "it keeps or improves quality, by means and covariances",
        "Jiang, Zou 2026, abstract; equations.md §9.6",
        "W2²/d of the one-step student not above that of the teacher in 20 steps, by three standard errors",
        lambda results: one_step("frechet_per_dim", results),
        by_errors=True,
    ),
    Claim(
        "jz26-distill-sliced",
        "it keeps or improves quality, by the shape of the law",
        "Jiang, Zou 2026, abstract; equations.md §9.6",
        "sliced W2 of the one-step student not above that of the teacher in 20 steps, by three standard errors",
        lambda results: one_step("sliced_wasserstein", results),
        by_errors=True,
    ),
    Claim(
        "ours-distill-one-step",
        "control: what lowers f_mem is distillation, not the single step [ours]",
        "equations.md §8",
        "f_mem of the one-step student below that of the teacher in one step",
        lambda results: less_than("student", "teacher_steps", 1, "memorized_fraction", results),
        by_errors=True,
    ),
    Claim(
        "ours-distill-many-steps",
        "control: in as many steps as its teacher the student memorizes less [ours]",
        "equations.md §8",
        "f_mem of student and teacher, both in 20 steps: the student's is lower",
        lambda results: less_than("student_steps", "teacher_steps", None, "memorized_fraction", results),
        by_errors=True,
    ),
    Claim(
        "ours-distill-regression",
        "control: distillation level by level memorizes less than a regression on the teacher's endpoints [ours]",
        "equations.md §8",
        "f_mem of the one-step student below that of the regressed one",
        lambda results: less_than("student", "regression", None, "memorized_fraction", results),
        by_errors=True,
    ),
    Claim(
        "ours-distill-quality",
        "control: distillation improves the quality of one step [ours]",
        "equations.md §8",
        "W2²/d and sliced W2 of the one-step student below those of the teacher in one step",
        better_than_one_step,
        by_errors=True,
    ),
    Claim(
        "jz26-distill-energy",
        "distillation without a ridge lowers the energy of the weights on the memorizing directions",
        "Jiang, Zou 2026, abstract; equations.md §8, §9.6",
        "energy of main and mini over the teacher's below 1 in the median of the levels",
        energies,
        by_errors=True,
    ),
    Claim(
        "jz26-distill-membership",
        "distillation lowers what membership inference sees",
        "Jiang, Zou 2026, abstract; equations.md §8, §9.6",
        "membership AUC of the student's denoising losses below the teacher's",
        lambda results: less_than("student", "teacher", None, "membership_auc", results),
        by_errors=True,
    ),
    Claim(
        "ours-distill-teachers",
        "the one-step student memorizes less than its teacher whenever the latter was stopped [ours]",
        "equations.md §7, §8",
        "f_mem below the teacher's in 20 steps at every train_time at which that is above the true law's",
        lambda results: every_teacher("student", results),
        by_errors=True,
    ),
    Claim(
        "ours-distill-teachers-steps",
        "so does the student in as many steps [ours]",
        "equations.md §7, §8",
        "f_mem of both in 20 steps: the student's is lower at every such train_time",
        lambda results: every_teacher("student_steps", results),
        by_errors=True,
    ),
    Claim(
        "ours-distill-stopping",
        "control: an earlier teacher does as well as the student of a memorized one [ours]",
        "equations.md §8",
        "a teacher that in 20 steps has f_mem, W2²/d and sliced W2 not above the one-step student's",
        stopping,
        by_errors=True,
    ),
    Claim(
        "ours-distill-early",
        "a student of an early teacher, in all steps, memorizes less than the memorized teacher at its quality [ours]",
        "equations.md §8",
        "some earlier train_time: f_mem below, W2²/d and sliced W2 not above the memorized teacher's in 20 steps",
        early_students,
        by_errors=True,
    ),
)
