"""Consistency training needs no teacher: does it memorize as distillation does, and do the two meet as levels grow?

Consistency training (equations.md M2) puts the next level's draw with the same noise in the place of the teacher's
step. Its target is that of distillation by the score of the empirical law, up to terms that vanish as the levels grow
dense; at linear σ the two are equal at every N. Here both begin at zero and follow the exact flow, distillation with a
memorized random-feature teacher (τ = ∞; d = 10, n = 20, p = 500), over 5, 10, 20 and 40 levels, to two distill_times.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from rfsim import Problem
from rfsim.claims import Claim, Judgment, Results, compared, decide, measured
from rfsim.reproduce import Cell

FIGURES = {"consistency-training": "ours: students with and without a teacher over the number of levels"}
SECONDS = {"quick": 2, "paper": 700}

OPTIONS = {
    "quick": {"dim": 6, "seeds": 2, "generated": 500, "distill_times": (100.0, 1e5)},
    "paper": {"dim": 10, "seeds": 5, "generated": 2000, "distill_times": (100.0, 1e6)},
}
FEATURES_PER_DIM = {"quick": 20, "paper": 50}
LEVELS = {"quick": (3, 6), "paper": (5, 10, 20, 40)}
TRAINED, DISTILLED = "consistency-training", "consistency"
QUALITIES = {"frechet_per_dim": "W2²/d", "sliced_wasserstein": "sliced W2"}


def cells(size: str) -> list[Cell]:
    problem = Problem(samples_per_dim=2, features_per_dim=FEATURES_PER_DIM[size])
    asked = {"teacher_time": math.inf, "early_time": 1e3, "leakage_ridges": (0.0,), "draws": "8p"}
    several = [{"start": "zero", "method": method} for method in (TRAINED, DISTILLED)]
    return [
        Cell(f"levels-{count}", "distill", problem, OPTIONS[size] | asked | {"levels": count, "variants": several})
        for count in LEVELS[size]
    ]


def by_levels(results: Results) -> dict[int, object]:
    """Results by their number of levels, ascending."""
    return dict(sorted((int(name.removeprefix("levels-")), one) for name, one in results.items()))


def pair(result, measure: str, *, many: bool) -> list[np.ndarray]:
    """A measure of the student without and with a teacher, in one step or in all, (seeds,) each."""
    asked = {"steps": int(result.steps.max())} if many else {}
    model = "student_steps" if many else "student"
    return [measured(result, model, measure, variant=name, **asked) for name in result.variant.values]


def decidable(results: Results) -> bool:
    return min(one.sizes["feature"] for one in results.values()) >= 500


def memorizes_alike(results: Results) -> Judgment:
    """f_mem in all steps, without a teacher and with one, for every number of levels."""
    words, holds = [], True
    for count, result in by_levels(results).items():
        found = compared(*pair(result, "memorized_fraction", many=True))
        teacher = measured(result, "teacher").mean()
        words.append(f"N = {count}: {found.words} (teacher {teacher:.3g})")
        holds &= not found.higher
    return Judgment("; ".join(words), None, decide(holds, decidable=decidable(results)))


def meet(results: Results) -> Judgment:
    """How far apart the two are in W2²/d and sliced W2 of one step, by the number of levels."""
    words, holds = [], True
    for measure, name in QUALITIES.items():
        gaps = []
        for result in by_levels(results).values():
            trained, distilled = pair(result, measure, many=False)
            gaps.append(np.abs(trained / distilled - 1))
        words.append(f"{name} " + ", ".join(f"{100 * gap.mean():.3g}%" for gap in gaps))
        holds &= all(not compared(after, before).higher for before, after in pairwise(gaps))
        holds &= compared(gaps[-1], gaps[0]).lower
    return Judgment("; ".join(words), None, decide(holds, decidable=decidable(results)))


def no_worse(results: Results) -> Judgment:
    """Quality in one step without a teacher not below that with one, at the most levels."""
    result = list(by_levels(results).values())[-1]
    found = {name: compared(*pair(result, measure, many=False)) for measure, name in QUALITIES.items()}
    words = "; ".join(f"{name} {one.words}" for name, one in found.items())
    return Judgment(words, None, decide(not any(one.higher for one in found.values()), decidable=decidable(results)))


CLAIMS = (
    Claim(
        "ours-training-memorizes",
        "consistency training memorizes no more than distillation of a memorized teacher [ours]",
        "equations.md §7 M2",
        "f_mem in all steps not above that of distillation from zero, for every number of levels",
        memorizes_alike,
        by_errors=True,
    ),
    Claim(
        "ours-training-meets",
        "the two meet as levels grow dense [ours, after Song et al. 2023]",
        "equations.md §7 M2",
        "the relative gap of W2²/d and sliced W2 of one step grows with no doubling of N and is smaller at the most",
        meet,
        by_errors=True,
    ),
    Claim(
        "ours-training-quality",
        "in one step it is as good [ours]",
        "equations.md §7 M2",
        "W2²/d and sliced W2 not above those of distillation at the most levels",
        no_worse,
        by_errors=True,
    ),
)
