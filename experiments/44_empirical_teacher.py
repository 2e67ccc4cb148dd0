"""Does consistency training tend to distillation by the empirical score as levels grow dense? What does it memorize?

The loss of consistency training is that of consistency distillation with the exact score of the training points for
teacher, up to terms that vanish with the step (Song et al. 2023, Theorem 2). That score needs no features and is wholly
memorized: its flow ends at training points. Here students of both begin at zero and follow the exact flow on the same
features, beside students of a memorized random-feature teacher (τ = ∞; d = 10, n = 20, p = 300), over 5, 10, 20 and 40
levels. All sample from the same noise, so that what tells them apart is a distance of maps, and not of distributions.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import xarray as xr

from rfsim import Problem
from rfsim.claims import Claim, Judgment, Results, compared, decide, measured
from rfsim.disk import store
from rfsim.reproduce import Cell

FIGURES = {"empirical-teacher": "Song et al. 2023, Theorem 2: consistency training and the empirical score"}
SECONDS = {"quick": 4, "paper": 200}

OPTIONS = {
    "quick": {"dim": 5, "seeds": 1, "generated": 100, "samples": 100, "draws": "10p"},
    "paper": {"dim": 10, "seeds": 4, "generated": 1000, "samples": 500, "draws": "40p"},
}
FEATURES_PER_DIM = {"quick": 12, "paper": 30}
LEVELS = {"quick": (2, 4), "paper": (5, 10, 20, 40)}
TRAINED, EMPIRICAL, DISTILLED = "consistency-training", "empirical-teacher", "consistency"


def cells(size: str) -> list[Cell]:
    problem = Problem(samples_per_dim=2, features_per_dim=FEATURES_PER_DIM[size])
    asked = {"teacher_time": math.inf, "early_time": 1e3, "leakage_ridges": (0.0,), "distill_times": (100.0, 1e6)}
    several = [{"start": "zero", "method": method} for method in (TRAINED, EMPIRICAL, DISTILLED)]
    return [
        Cell(f"levels-{count}", "distill", problem, OPTIONS[size] | asked | {"levels": count, "variants": several})
        for count in LEVELS[size]
    ]


def by_levels(results: Results) -> dict[int, xr.Dataset]:
    """Results by their number of levels, ascending."""
    return dict(sorted((int(name.removeprefix("levels-")), one) for name, one in results.items()))


def place(result: xr.Dataset, method: str) -> int:
    """Of a method's student."""
    return [one.get("method", DISTILLED) for one in store.settings(result)["variants"]].index(method)


def apart(result: xr.Dataset, method: str, time: int = -1) -> np.ndarray:
    """Mean square of what tells one-step samples from those of consistency training, over theirs, (seeds,)."""
    found = result.student_sample.isel(distill_time=time)
    one, other = (found.isel(variant=place(result, name)) for name in (TRAINED, method))
    rest = ("sample", "coordinate")
    return (((one - other) ** 2).mean(rest) / (one**2).mean(rest)).values


def samples(result: xr.Dataset, method: str, measure: str, *, many: bool) -> np.ndarray:
    """A measure of a student in one step or in all, (seeds,)."""
    asked = {"steps": int(result.steps.max())} if many else {}
    name = result.variant.values[place(result, method)]
    return measured(result, "student_steps" if many else "student", measure, variant=name, **asked)


def decidable(results: Results) -> bool:
    return len(results) >= 4 and min(one.sizes["seed"] for one in results.values()) >= 4


def meets(results: Results) -> Judgment:
    """By the number of levels, at both distill_times."""
    words, holds = [], True
    family = by_levels(results)
    for time in range(2):
        gaps = [apart(one, EMPIRICAL, time) for one in family.values()]
        at = float(next(iter(family.values())).distill_time[time])
        words.append(f"τ_S = {at:g}: " + ", ".join(f"{gap.mean():.3g}" for gap in gaps))
        holds &= all(compared(after, before).lower for before, after in pairwise(gaps))
    return Judgment("; ".join(words), None, decide(holds, decidable=decidable(results)))


def nearer(results: Results) -> Judgment:
    """The empirical score's student against the memorized teacher's, at the most levels."""
    result = list(by_levels(results).values())[-1]
    found = compared(apart(result, EMPIRICAL), apart(result, DISTILLED))
    return Judgment(found.words, found.error, decide(found.lower, decidable=decidable(results)))


def memorizes_alike(results: Results) -> Judgment:
    """f_mem in all steps, training against the empirical score, at the most levels."""
    result = list(by_levels(results).values())[-1]
    rows = {name: samples(result, name, "memorized_fraction", many=True) for name in (TRAINED, EMPIRICAL, DISTILLED)}
    found = compared(rows[TRAINED], rows[EMPIRICAL])
    words = ", ".join(f"{name} {row.mean():.3g}" for name, row in rows.items())
    holds = not (found.higher or found.lower)
    return Judgment(words, found.error, decide(holds, decidable=decidable(results)))


def features_forget(results: Results) -> Judgment:
    """What features make of a teacher that is wholly memorized: f_mem of its student in one step and in all."""
    result = list(by_levels(results).values())[-1]
    rows = [samples(result, EMPIRICAL, "memorized_fraction", many=many) for many in (False, True)]
    teacher = measured(result, "teacher").mean()
    words = f"{rows[0].mean():.3g} in one step, {rows[1].mean():.3g} in all, the memorized features' own {teacher:.3g}"
    holds = all(row.max() < 0.5 for row in rows)
    return Judgment(words, None, decide(holds, decidable=decidable(results)))


CLAIMS = (
    Claim(
        "s23-empirical",
        "consistency training tends to distillation by the empirical score as levels grow dense",
        "Song et al. 2023, Theorem 2",
        "the mean square gap of their one-step samples falls with each doubling of N, by three standard errors",
        meets,
        by_errors=True,
    ),
    Claim(
        "ours-empirical-nearer",
        "it is nearer to that than to distillation by a memorized random-feature teacher [ours]",
        "equations.md §7 M2",
        "that gap below the one to the teacher's student at the most levels, by three standard errors",
        nearer,
        by_errors=True,
    ),
    Claim(
        "ours-empirical-memorizes",
        "and memorizes as much [ours]",
        "equations.md §7 M2",
        "f_mem in all steps equal within three standard errors at the most levels",
        memorizes_alike,
        by_errors=True,
    ),
    Claim(
        "ours-empirical-forgets",
        "most samples of a student of the empirical score, whose own samples all are copies, are none [ours]",
        "equations.md §7, §8",
        "f_mem of its samples below a half, in one step and in all, in every seed",
        features_forget,
    ),
)
