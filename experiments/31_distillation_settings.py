"""What the settings of distillation change: ridge, form, start, target, levels, data and width, control beside control.

Claim (Jiang, Zou 2026, abstract; equations.md §7, §8): distilling a memorized teacher lowers memorization and keeps or
improves quality, and a ridge γ helps, for with it the inverse-curvature weighting (U_k + γ)⁻¹ keeps what flat
directions would hand on out of them. experiments/30 finds at γ = 0 that the low share of memorized samples comes from
sampling in one step. Here the same memorized teacher (train_time 10⁸; d = 10, n = 20, p = 1000, 20 levels) is distilled
in other ways, one thing changed at a time: γ from 0 to 1; the parameterization `edm` of S23; a start from zero; all
levels at once towards moving averages; 5 to 40 levels; fresh points of the population or the teacher's own samples as
distillation data; features of the student's own, fewer and more. In each the student samples in one step and in as many
as there are levels, beside the teacher in as many, and a one-step regression on the teacher's endpoints.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from rfsim import Problem
from rfsim.claims import Claim, Judgment, Results, compared, decide, measured
from rfsim.disk import store
from rfsim.reproduce import Cell

FIGURES = {
    "distillation-ridge": "ours, after Jiang, Zou 2026, abstract: samples and energies of students over the ridge",
    "distillation-settings": "ours, after Jiang, Zou 2026, abstract: one memorized teacher distilled in many ways",
}
SECONDS = {"quick": 5, "paper": 1300}

OPTIONS = {
    "quick": {"dim": 6, "levels": 6, "seeds": 2, "generated": 500, "distill_times": (1e5,)},
    "paper": {"dim": 10, "levels": 20, "seeds": 5, "generated": 2000, "distill_times": (100.0, 1e6), "draws": "8p"},
}
FEATURES_PER_DIM = {"quick": 20, "paper": 100}
RIDGES = {"quick": (0.0, 0.01, 1.0), "paper": (0.0, 1e-4, 1e-3, 1e-2, 0.1, 1.0)}
LEVELS = {"quick": (3,), "paper": (5, 10)}
DATA = {"quick": ("fresh",), "paper": ("fresh", "teacher")}
WIDTHS = {"quick": (10,), "paper": (50, 150)}
EMA = "coupled:10"
BASE = {"ridge": 0.0, "parameterization": "ddim", "start": "teacher", "target": "sequential"}
ZERO = BASE | {"start": "zero"}
EDM = ZERO | {"parameterization": "edm"}
COUPLED = BASE | {"target": EMA}


class Student(NamedTuple):
    """One way to distill: its name, and the result and variant that hold it."""

    name: str
    result: xr.Dataset
    variant: int

    def samples(self, model: str, measure: str = "memorized_fraction", *, many: bool = False) -> np.ndarray:
        """A measure at the last distill_time, (seeds,); many: in as many steps as there are levels."""
        one = self.result.isel(variant=self.variant)
        steps = int(one.steps.max()) if many else 1
        return measured(one, model, measure, **({"steps": steps} if model.endswith("_steps") else {}))


def cells(size: str) -> list[Cell]:
    def cell(name: str, **options: Any) -> Cell:
        problem = Problem(samples_per_dim=2, features_per_dim=FEATURES_PER_DIM[size])
        return Cell(name, "distill", problem, {"early_time": 1e3, "leakage_ridges": (0.0,), **OPTIONS[size], **options})

    ridges = [form | {"ridge": ridge} for form in (BASE, EDM) for ridge in RIDGES[size]]
    return [
        cell("students", variants=[*ridges, ZERO, COUPLED]),
        *(cell(f"levels-{count}", levels=count) for count in LEVELS[size]),
        *(cell(f"data-{kind}", distill_data=kind) for kind in DATA[size]),
        *(cell(f"width-{width}", student_features_per_dim=width) for width in WIDTHS[size]),
    ]


def variant(result: xr.Dataset, wanted: dict[str, Any]) -> int:
    """The index of a student in the result that holds several."""
    return store.settings(result)["variants"].index(wanted)


def students(results: Results) -> Iterator[Student]:
    """Every way to distill at γ = 0."""
    own = results["students"]
    yield Student("ddim, teacher's start", own, variant(own, BASE))
    yield Student("from zero", own, variant(own, ZERO))
    yield Student("edm, from zero", own, variant(own, EDM))
    yield Student(f"all levels at once, {EMA}", own, variant(own, COUPLED))
    names = {"levels": "{} levels", "data": "on {} data", "width": "own features, ψ_p = {}"}
    for label, result in results.items():
        kind, _, value = label.partition("-")
        if kind in names:
            told = {"teacher": "the teacher's"}.get(value, value)
            yield Student(names[kind].format(told), result, 0)


def ridged(results: Results, form: dict[str, Any]) -> list[tuple[float, Student]]:
    """Students of one form by ridge."""
    own = results["students"]
    told = [one for one in store.settings(own)["variants"] if one | {"ridge": 0.0} == form]
    return [(one["ridge"], Student(f"ridge {one['ridge']:g}", own, variant(own, one))) for one in told]


def full(results: Results) -> bool:
    return results["students"].sizes["feature"] >= 1000


def suppressed(student: Student, part: str) -> np.ndarray:
    """Energy over the teacher's, the median over levels, (seeds,)."""
    own = student.result.isel(variant=student.variant, distill_time=-1).suppression
    return own.sel(part=part).median("level").values


def ridge_suppresses(results: Results) -> Judgment:
    words, holds = [], True
    for ridge, student in ridged(results, BASE):
        found = {part: suppressed(student, part) for part in ("gen", "main", "mini", "null")}
        words.append(f"γ = {ridge:g}: " + "/".join(f"{values.mean():.2g}" for values in found.values()))
        if 1e-2 <= ridge <= 0.1:
            ones = np.ones(len(found["gen"]))
            lowered = [compared(found[part], ones).lower for part in ("main", "mini", "null")]
            holds &= all(lowered) and bool(found["gen"].mean() > 0.9)
    return Judgment(f"gen/main/mini/null at {'; '.join(words)}", None, decide(bool(holds), decidable=full(results)))


def ridge_samples(form: dict[str, Any], model: str, many: bool, results: Results) -> Judgment:
    """f_mem of students with a ridge below the teacher's in as many steps, with quality no worse than without one."""
    family = ridged(results, form)
    plain = family[0][1]
    words, able = [], []
    for ridge, student in family:
        less = compared(student.samples(model, many=many), student.samples("teacher_steps", many=many))
        worse = [
            compared(student.samples(model, measure, many=many), plain.samples(model, measure, many=many)).higher
            for measure in ("frechet_per_dim", "sliced_wasserstein")
        ]
        shown = [student.samples(model, name, many=many).mean() for name in ("frechet_per_dim", "sliced_wasserstein")]
        words.append(f"γ = {ridge:g}: {less.left:.3g}, {shown[0]:.3g}, {shown[1]:.3g}")
        able += [ridge] if ridge > 0 and less.lower and not any(worse) else []
    teacher = plain.samples("teacher_steps", many=many).mean()
    listed = f"f_mem, W2²/d, sliced W2 at {'; '.join(words)}; teacher's f_mem {teacher:.3g}"
    return Judgment(listed, None, decide(bool(able), decidable=full(results)))


def everywhere(model: str, many: bool, results: Results) -> Judgment:
    """f_mem of the student below that of the teacher in all of its steps, in every way to distill."""
    words, holds = [], True
    for student in students(results):
        found = compared(student.samples(model, many=many), student.samples("teacher_steps", many=True))
        words.append(f"{student.name}: {found.words}")
        holds &= found.lower
    return Judgment("; ".join(words), None, decide(bool(holds), decidable=full(results)))


CLAIMS = (
    Claim(
        "jz26-settings-one-step",
        "however a memorized teacher is distilled, the one-step student memorizes less than the teacher",
        "Jiang, Zou 2026, abstract; equations.md §9.6",
        "f_mem of the one-step student below that of the teacher in all steps, in every setting at γ = 0",
        lambda results: everywhere("student", False, results),
        by_errors=True,
    ),
    Claim(
        "ours-settings-many-steps",
        "control: the same of the student in as many steps as the teacher [ours]",
        "equations.md §8",
        "f_mem below the teacher's, both in all steps, in every setting at γ = 0",
        lambda results: everywhere("student_steps", True, results),
        by_errors=True,
    ),
    Claim(
        "jz26-settings-ridge-energy",
        "a ridge lowers the energy on memorizing and null directions and keeps that on gen",
        "Jiang, Zou 2026, abstract; equations.md §8, §9.6",
        "at γ = 0.01 to 0.1 main, mini and null below the teacher's and gen above 0.9 of it, medians over levels",
        ridge_suppresses,
        by_errors=True,
    ),
    Claim(
        "jz26-settings-ridge-ddim",
        "a ridge lets the student in as many steps memorize less than the teacher at no cost in quality (ddim)",
        "Jiang, Zou 2026, abstract; equations.md §8, §9.6",
        "some γ > 0: f_mem below the teacher's in all steps, W2²/d and sliced W2 not above those at γ = 0",
        lambda results: ridge_samples(BASE, "student_steps", True, results),
        by_errors=True,
    ),
    Claim(
        "jz26-settings-ridge-edm",
        "the same in edm form",
        "Jiang, Zou 2026, abstract; equations.md §8, §9.6",
        "some γ > 0: f_mem below the teacher's in all steps, W2²/d and sliced W2 not above those at γ = 0",
        lambda results: ridge_samples(EDM, "student_steps", True, results),
        by_errors=True,
    ),
)
