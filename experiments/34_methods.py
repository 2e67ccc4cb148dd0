"""Which distillations hand memorization on: every linear method on one memorized teacher, at equal steps and quality.

Jiang and Zou took consistency distillation as the representative (equations.md §7, §9.6). Whether what they saw is due
to consistency, to few steps, to the training points as inputs, or to any regression at all, only the other methods
beside it can tell. Here, as in experiments/30: tanh features, isotropic data, d = 10, n = 20, p = 1000, 20 geometric
levels from 0.02 to 3, a teacher trained for train_time 10⁸, γ = 0; from it, by the regression step M0, students by
consistency (from the teacher's weights and from zero), consistency training without a teacher, segments, progressive,
data-free, endpoint (from noisy training points, from noise) and two-time distillation, scores distilled on several
inputs, self-distillation, training on the teacher's samples, and as a null a student of a random teacher. All students
share the teacher, the draws, and the noise that samples start from.

At equal steps: a student against the teacher in as many evaluations of the network. At equal quality: students with a
ridge, of which some are as good as the teacher. Memorization is f_mem of samples; quality is W2²/d, which sees means
and covariances, and the sliced Wasserstein distance, which sees the shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import xarray as xr

from rfsim import Problem
from rfsim.claims import Claim, Compared, Judgment, Results, compared, decide, measured
from rfsim.disk import store
from rfsim.reproduce import Cell

FIGURES = {
    "methods": "ours, after Jiang, Zou 2026, abstract: every distillation of one memorized teacher",
    "methods-steps": "ours: the same against the number of evaluations, and segments from one step to the teacher",
    "methods-parts": "ours: energies of their weights over the teacher's, by part",
    "methods-ridge": "ours: memorization against quality over the ridge",
}
SECONDS = {"quick": 11, "paper": 800}

OPTIONS = {
    "quick": {"dim": 6, "levels": 6, "seeds": 2, "generated": 500, "distill_times": (10.0, 1e5)},
    "paper": {"dim": 10, "levels": 20, "seeds": 5, "generated": 2000, "distill_times": (100.0, 1e6)},
}
FEATURES_PER_DIM = {"quick": 20, "paper": 100}
SEGMENTS = {"quick": (2, 4, 6), "paper": (2, 4, 8, 16, 20)}
JUMPING = ("progressive", "two-time", "data-free", "endpoint", "endpoint-prior", "random-teacher")
FROM_ZERO = ("consistency", "consistency-training", "score:noise-online", "self")
RIDGED = ("consistency", "segments:4", "data-free", "endpoint-prior")
RIDGES = {"quick": (0.01, 1.0), "paper": (1e-3, 0.01, 1.0)}
HARD = "hard"
NULL = "random-teacher"
QUALITIES = {"frechet_per_dim": "W2²/d", "sliced_wasserstein": "sliced W2"}


def cells(size: str) -> list[Cell]:
    problem = Problem(samples_per_dim=2, features_per_dim=FEATURES_PER_DIM[size])
    shared = {"early_time": 1e3, "leakage_ridges": (0.0,), "teacher_time": 1e8, "draws": "8p", **OPTIONS[size]}
    begun = ["consistency", *(f"segments:{count}" for count in SEGMENTS[size]), *JUMPING]
    plain = [
        *({"start": "teacher", "method": one} for one in begun),
        *({"start": "zero", "method": one} for one in (*FROM_ZERO, HARD)),
    ]
    ridged = [{"ridge": ridge, "start": "teacher", "method": one} for one in RIDGED for ridge in RIDGES[size]]
    last = {"distill_times": OPTIONS[size]["distill_times"][-1:]}
    return [
        Cell("methods", "distill", problem, shared | {"variants": plain}),
        Cell("ridges", "distill", problem, shared | last | {"variants": ridged}),
    ]


class Distilled(NamedTuple):
    """One student: its method, what tells it from others of that method, its ridge, and where its samples are."""

    method: str
    start: str
    ridge: float
    result: xr.Dataset
    variant: int

    @property
    def name(self) -> str:
        """In words."""
        return f"{self.method}, from zero" if self.method == "consistency" and self.start == "zero" else self.method

    @property
    def evaluations(self) -> int:
        """Of its network for one sample, by its method's own sampling."""
        return int(self.result.evaluations.values[0, self.variant])

    def samples(self, measure: str = "memorized_fraction", steps: int | None = None) -> np.ndarray:
        """A measure of its samples at the last distill_time, (seeds,); NaN where it takes no so many steps."""
        if steps is None or steps == self.evaluations:
            return measured(self.result, "student", measure, variant=self.result.variant.values[self.variant])
        return self._last("student_steps", measure, steps)

    def teacher(self, measure: str = "memorized_fraction", steps: int | None = None) -> np.ndarray:
        """The same of the teacher, in all of its steps unless given."""
        if steps is None:
            return measured(self.result, "teacher", measure)
        return measured(self.result, "teacher_steps", measure, steps=steps)

    def counts(self) -> list[int]:
        """The numbers of steps in which both it and its teacher sample."""
        return [int(steps) for steps in self.result.steps.values if np.isfinite(self.samples(steps=int(steps))).all()]

    def suppression(self, part: str) -> np.ndarray:
        """Energy over its teacher's at the last distill_time, median over levels, (seeds,); NaN where there is none."""
        one = self.result.suppression.isel(variant=self.variant, distill_time=-1).sel(part=part)
        return one.median("level").values

    def _last(self, model: str, measure: str, steps: int) -> np.ndarray:
        return self.result[model].isel(variant=self.variant, distill_time=-1).sel(quality=measure, steps=steps).values


def students(results: Results, cell: str = "methods") -> Iterator[Distilled]:
    """Every student of a cell, in order."""
    for place, one in enumerate(store.settings(results[cell])["variants"]):
        yield Distilled(one.get("method", "consistency"), one["start"], one["ridge"], results[cell], place)


def of_method(results: Results, method: str, start: str = "teacher") -> Distilled:
    """The student of a method at γ = 0."""
    return next(one for one in students(results) if (one.method, one.start) == (method, start))


def distilled(results: Results) -> list[Distilled]:
    """All but the null."""
    return [one for one in students(results) if one.method != NULL]


def full(results: Results) -> bool:
    """Smaller systems hardly memorize in their samples."""
    return results["methods"].sizes["feature"] >= 1000


def at_equal_steps(one: Distilled, measure: str = "memorized_fraction") -> dict[int, Compared]:
    """A student against the teacher in as many steps, for each number that both take."""
    return {steps: compared(one.samples(measure, steps), one.teacher(measure, steps)) for steps in one.counts()}


def told(found: dict[int, Compared]) -> str:
    """In words: f_mem of student and teacher by the number of steps."""
    return ", ".join(f"{steps}: {one.left:.3g}/{one.right:.3g}" for steps, one in found.items())


def hands_on(results: Results) -> Judgment:
    """No student above the teacher in as many steps."""
    words, holds = [], True
    for one in distilled(results):
        found = at_equal_steps(one)
        above = [steps for steps, pair in found.items() if pair.higher]
        holds &= not above
        words.append(f"{one.name} {told(found)}{f' (more in {above})' if above else ''}")
    return Judgment("; ".join(words), None, decide(holds, decidable=full(results)))


def less_is_worse(results: Results) -> Judgment:
    """Where a student memorizes less than the teacher in as many steps, its samples are farther from the true shape."""
    words, holds = [], []
    for one in distilled(results):
        quality = at_equal_steps(one, "sliced_wasserstein")
        for steps, pair in at_equal_steps(one).items():
            if pair.lower:
                holds.append(quality[steps].higher)
                words.append(f"{one.name} in {steps}: f_mem {pair.words}, sliced W2 {quality[steps].words}")
    decidable = full(results) and bool(holds)
    return Judgment("; ".join(words) or "none is below", None, decide(all(holds), decidable=decidable))


def one_step(results: Results) -> Judgment:
    """Every one-step student below the teacher in all of its steps."""
    words, holds = [], True
    for one in distilled(results):
        if 1 in one.counts():
            found = compared(one.samples(steps=1), one.teacher())
            words.append(f"{one.name} {found.left:.3g}")
            holds &= found.lower
    teacher = of_method(results, "consistency").teacher().mean()
    return Judgment(f"{', '.join(words)}; teacher {teacher:.3g}", None, decide(holds, decidable=full(results)))


def less_at_equal_quality(left: str, right: str, results: Results) -> Judgment:
    """One method's one-step student memorizes less than another's, and is no worse."""
    pair = [of_method(results, method) for method in (left, right)]
    found = {name: compared(*(one.samples(name, 1) for one in pair)) for name in ("memorized_fraction", *QUALITIES)}
    no_worse = not any(found[name].higher for name in QUALITIES)
    words = ", ".join(f"{QUALITIES.get(name, 'f_mem')} {one.words}" for name, one in found.items())
    holds = found["memorized_fraction"].lower and no_worse
    return Judgment(words, found["memorized_fraction"].error, decide(holds, decidable=full(results)))


def ordered(name: str, pairs: Callable[[Results], list[tuple[str, Compared]]], results: Results) -> Judgment:
    """Every left below its right."""
    found = pairs(results)
    words = "; ".join(f"{label} {one.words}" for label, one in found)
    return Judgment(f"{name} {words}", None, decide(all(one.lower for _, one in found), decidable=full(results)))


def segments(results: Results) -> list[Distilled]:
    """By their number S."""
    found = [one for one in students(results) if one.method.startswith("segments")]
    return sorted(found, key=lambda one: one.evaluations)


def few_segments(results: Results) -> list[tuple[str, Compared]]:
    """Both distances of S segments and of the teacher in S steps, for S below N."""
    found, most = [], int(results["methods"].steps.max())
    for one in segments(results):
        if one.evaluations < most:
            for name, words in QUALITIES.items():
                found.append((f"S = {one.evaluations} {words}", at_equal_steps(one, name)[one.evaluations]))
    return found


def to_the_teacher(results: Results) -> Judgment:
    """f_mem of S segments over S, from the one-step student's to the teacher's."""
    family = [of_method(results, "consistency"), *segments(results)]
    values = [one.samples(steps=1 if one.method == "consistency" else None) for one in family]
    rises = [not compared(right, left).lower for left, right in pairwise(values)]
    last = compared(values[-1], family[-1].teacher())
    words = ", ".join(f"{value.mean():.3g}" for value in values)
    holds = all(rises) and not last.lower and not last.higher
    return Judgment(f"{words}; teacher {last.right:.3g}", last.error, decide(holds, decidable=full(results)))


def more_steps(results: Results) -> list[tuple[str, Compared]]:
    """Sliced W2 of two-time students in all steps and in one."""
    one, most = of_method(results, "two-time"), int(results["methods"].steps.max())
    return [(words, compared(one.samples(name, most), one.samples(name, 1))) for name, words in QUALITIES.items()]


def null_parts(results: Results) -> Judgment:
    """Suppression of the memorizing parts, of the memorized teacher's student and of the random teacher's."""
    pair = [of_method(results, method) for method in ("consistency", NULL)]
    words, holds = [], True
    for part in ("gen", "main", "mini", "null"):
        found = compared(*(one.suppression(part) for one in pair))
        words.append(f"{part} {found.words}")
        holds &= part not in ("main", "mini") or found.lower or found.higher
    return Judgment(", ".join(words), None, decide(holds, decidable=full(results)))


def keeps_parts(results: Results) -> Judgment:
    """Some method without a ridge lowers main and mini and keeps gen above 0.9 of the teacher's."""
    words, able = [], []
    for one in distilled(results):
        found = {part: one.suppression(part) for part in ("gen", "main", "mini")}
        if not np.isfinite(found["gen"]).all():
            continue
        ones = np.ones(len(found["gen"]))
        words.append(f"{one.name} " + "/".join(f"{values.mean():.2g}" for values in found.values()))
        if found["gen"].mean() > 0.9 and all(compared(found[part], ones).lower for part in ("main", "mini")):
            able.append(one.name)
    return Judgment(f"gen/main/mini: {'; '.join(words)}", None, decide(bool(able), decidable=full(results)))


def membership(results: Results) -> Judgment:
    """Some method's denoising losses tell members less well than the teacher's."""
    words, able = [], []
    for one in distilled(results):
        values = one.samples("membership_auc")
        if np.isfinite(values).all():
            found = compared(values, one.teacher("membership_auc"))
            words.append(f"{one.name} {found.left:.3g}")
            able += [one.name] if found.lower else []
    return Judgment(", ".join(words), None, decide(bool(able), decidable=full(results)))


def with_a_ridge(results: Results) -> Judgment:
    """Some ridge for each method: less memorized than the teacher in as many steps, and no worse."""
    words, able = [], dict.fromkeys(RIDGED, False)
    for one in students(results, "ridges"):
        for steps in sorted({one.evaluations, int(one.result.steps.max())} & set(one.counts())):
            found = beside(one, steps, steps)
            able[one.method] |= found.able
            words.append(f"{one.method} γ = {one.ridge:g} in {steps}: {found.words}{' (able)' if found.able else ''}")
    listed = f"f_mem/W2²/d/sliced W2: {'; '.join(words)}"
    return Judgment(listed, None, decide(all(able.values()), decidable=full(results)))


class Beside(NamedTuple):
    """A student beside its teacher: whether it memorizes less and is no worse, and its measures in words."""

    able: bool
    words: str


def beside(one: Distilled, steps: int, of_teacher: int) -> Beside:
    """A student in so many steps beside its teacher in as many of its own."""
    found = {
        name: compared(one.samples(name, steps), one.teacher(name, of_teacher))
        for name in ("memorized_fraction", *QUALITIES)
    }
    able = found["memorized_fraction"].lower and not any(found[name].higher for name in QUALITIES)
    return Beside(able, "/".join(f"{pair.left:.3g}" for pair in found.values()))


def as_good_as_the_teacher(results: Results) -> Judgment:
    """Some ridge and method: no worse than the teacher in all of its steps, and less memorized, in fewer or as many."""
    words, most = [], int(results["ridges"].steps.max())
    for one in students(results, "ridges"):
        for steps in one.counts():
            found = beside(one, steps, most)
            words += [f"{one.method} γ = {one.ridge:g} in {steps}: {found.words}"] if found.able else []
    listed = f"f_mem/W2²/d/sliced W2: {'; '.join(words) or 'none'}"
    return Judgment(listed, None, decide(bool(words), decidable=full(results)))


CLAIMS = (
    Claim(
        "ours-methods-equal-steps",
        "at equal steps no distillation of a memorized teacher memorizes more than the teacher [ours]",
        "equations.md §7 M0–M10, §8",
        "f_mem of no student above the teacher's in as many steps, by three standard errors",
        hands_on,
        by_errors=True,
    ),
    Claim(
        "ours-methods-less-is-worse",
        "whichever distillation memorizes less than the teacher in as many steps pays for it in shape [ours]",
        "equations.md §7 M0–M10, §8",
        "sliced W2 above the teacher's in as many steps wherever f_mem is below",
        less_is_worse,
        by_errors=True,
    ),
    Claim(
        "jz26-methods-one-step",
        "every one-step distillation lowers the share of memorized samples",
        "Jiang, Zou 2026, abstract, of consistency; equations.md §9.6",
        "f_mem of each one-step student below that of the teacher in all steps",
        one_step,
        by_errors=True,
    ),
    Claim(
        "ours-methods-data-free",
        "without training points as inputs less is handed on at equal quality: trajectories from noise [ours]",
        "equations.md §7 M1, M5",
        "f_mem of the data-free one-step student below the consistency student's, W2²/d and sliced W2 not above",
        lambda results: less_at_equal_quality("data-free", "consistency", results),
        by_errors=True,
    ),
    Claim(
        "ours-methods-endpoint-prior",
        "the same of regression on endpoints from noise against that from noisy training points [ours]",
        "equations.md §7 M6",
        "f_mem of endpoint-prior below endpoint's, W2²/d and sliced W2 not above",
        lambda results: less_at_equal_quality("endpoint-prior", "endpoint", results),
        by_errors=True,
    ),
    Claim(
        "ours-methods-segments-quality",
        "in few steps segments lose less quality than the teacher's own steps [ours]",
        "equations.md §7 M3",
        "W2²/d and sliced W2 of S segments below the teacher's in S steps, for every S below N",
        lambda results: ordered("S segments against S steps:", few_segments, results),
        by_errors=True,
    ),
    Claim(
        "ours-methods-segments-memorization",
        "from one segment to N memorization grows from the one-step student's to the teacher's [ours]",
        "equations.md §7 M3",
        "f_mem does not fall with S, and at S = N is the teacher's within three standard errors",
        to_the_teacher,
        by_errors=True,
    ),
    Claim(
        "ours-methods-two-time",
        "two-time maps are better in all steps than in one [ours]",
        "equations.md §7 M7",
        "W2²/d and sliced W2 in all steps below those in one",
        lambda results: ordered("all steps against one:", more_steps, results),
        by_errors=True,
    ),
    Claim(
        "ours-methods-random",
        "null: what distillation does to memorizing parts is of the teacher's training, not geometry [ours]",
        "equations.md §7 M13",
        "energy of main and mini over the teacher's apart from that of a random teacher's student, by three errors",
        null_parts,
        by_errors=True,
    ),
    Claim(
        "ours-methods-energy",
        "some distillation without a ridge lowers the weights' energy on main and mini and keeps gen's [ours]",
        "equations.md §7, §8",
        "medians over levels below 1 for main and mini, above 0.9 for gen, for some method",
        keeps_parts,
        by_errors=True,
    ),
    Claim(
        "ours-methods-membership",
        "some distillation lowers what membership inference sees [ours]",
        "equations.md §7, §8",
        "membership AUC of some student below the teacher's",
        membership,
        by_errors=True,
    ),
    Claim(
        "ours-methods-ridge",
        "with some ridge every distillation memorizes less than the teacher in as many steps and is no worse [ours]",
        "equations.md §7, §8",
        "for each method some γ > 0: f_mem below, W2²/d and sliced W2 not above, in its own steps or in all",
        with_a_ridge,
        by_errors=True,
    ),
    Claim(
        "jz26-methods-ridge-quality",
        "some distillation with a ridge keeps the memorized teacher's quality and memorizes less",
        "Jiang, Zou 2026, abstract; equations.md §9.6",
        "some method and γ > 0: f_mem below, W2²/d and sliced W2 not above the teacher's in all of its steps",
        as_good_as_the_teacher,
        by_errors=True,
    ),
)
