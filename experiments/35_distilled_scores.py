"""Scores distilled at the same time: does a student overshoot the teacher, on which inputs, and does mixing help?

A student learns its teacher's score at one level, by the flow M8, on inputs of one's choice: the frozen draws that the
teacher saw (offline), the training points with fresh noise, fresh points of the population, the teacher's own path from
noise, or pure noise. At τ_S = ∞ without a ridge it is the teacher, wherever its inputs reach; so where the teacher is
past its own optimum the student's test loss first falls and then rises again. What inputs can change is how deep the
minimum is and when it comes: depth is (L_test(∞) − min)/min over distill_time. Held fixed, n m draws are shared between
samples and noise copies. d = 20, p = 640, n m = 1280, teachers of the flow trained for 10⁸ and, as control, for 10.

Then self-distillation (M9): a ridge teacher mixed with its own student, (1 − ξ)Ā + ξB̄, with the best ξ at each level
(d = 20, n = 80, p = 320). Whether it beats a better ridge is the question; that it beats its own is an identity.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import xarray as xr

from rfsim import Problem
from rfsim.claims import Claim, Judgment, Results, compared, decide
from rfsim.disk import store
from rfsim.reproduce import Cell

FIGURES = {
    "inputs": "ours: test loss of a student's score over distill_time, on several inputs",
    "self-distillation": "ours: the best mixing over the ridge, and what it gains",
}
SECONDS = {"quick": 9, "paper": 500}

DIM = {"quick": 8, "paper": 20}
SEEDS = {"quick": 2, "paper": 5}
FEATURES_PER_DIM = 32
DRAWS_PER_DIM = 64  # n m/d
COPIES = {"quick": (32,), "paper": (32, 16, 8, 4)}
KINDS = ("offline", "noise-online", "population", "teacher-online", "prior")
TEACHER_TIMES = (10.0, 1e8)
TIMES = (*np.logspace(0, 7, 15).tolist(), math.inf)
RIDGES = {"quick": (1e-3, 0.1, 1.0), "paper": (1e-4, 1e-3, 1e-2, 0.03, 0.1, 0.3, 1.0, 3.0)}
LEVELS = {"levels": 4, "time_min": 0.05, "time_max": 1.0, "leakage_ridges": (0.0,), "generated": 64, "early_time": 10.0}


def label(copies: int, teacher_time: float) -> str:
    return f"copies-{copies}-teacher-{teacher_time:g}"


def cells(size: str) -> list[Cell]:
    shared = LEVELS | {"dim": DIM[size], "seeds": SEEDS[size], "draws": "8p"}
    found = []
    for copies in COPIES[size]:
        problem = Problem(DRAWS_PER_DIM / copies, FEATURES_PER_DIM, noise_copies=copies)
        most = copies == COPIES[size][0]
        for time in TEACHER_TIMES if most else TEACHER_TIMES[-1:]:
            kinds = KINDS if most else KINDS[:2]
            several = [{"start": "zero", "method": f"score:{kind}"} for kind in kinds]
            asked = {"distill_times": TIMES, "teacher_time": time, "variants": several}
            found.append(Cell(label(copies, time), "distill", problem, shared | asked))
    for ridge in RIDGES[size]:
        asked = {"distill_times": (math.inf,), "teacher_time": math.inf, "teacher_ridge": ridge}
        several = [{"ridge": ridge, "start": "zero", "method": "self"}]
        found.append(Cell(f"self-{ridge:g}", "distill", Problem(4, 16), shared | asked | {"variants": several}))
    return found


class Overshoot(NamedTuple):
    """Of one student: (L_test(∞) − min)/min, mean over levels, and the distill_time of the minimum, geometric mean."""

    depth: np.ndarray
    onset: np.ndarray


def overshoot(result: xr.Dataset, kind: str) -> Overshoot:
    """By seed, (seeds,) each."""
    methods = [one.get("method") for one in store.settings(result)["variants"]]
    loss = result.student_test.isel(variant=methods.index(f"score:{kind}")).transpose("seed", "level", "distill_time")
    values, times = loss.values, result.distill_time.values
    least = values.min(-1)
    depth = values[..., -1] / least - 1
    return Overshoot(depth.mean(-1), np.exp(np.log(np.minimum(times[values.argmin(-1)], times[-2])).mean(-1)))


def copies_of(results: Results) -> list[int]:
    """Numbers of noise copies of memorized teachers, most first."""
    found = [name.split("-") for name in results if name.startswith("copies-")]
    return sorted({int(parts[1]) for parts in found}, reverse=True)


def decidable(results: Results) -> bool:
    """Whether there are as many samples as errors need."""
    return results[label(copies_of(results)[0], 1e8)].sizes["seed"] >= 5


def everywhere(results: Results) -> Judgment:
    """On every input the memorized teacher's student overshoots."""
    words, holds = [], True
    result = results[label(copies_of(results)[0], 1e8)]
    for kind in KINDS:
        found = overshoot(result, kind)
        above = compared(found.depth, np.zeros_like(found.depth))
        words.append(f"{kind} {above.left:.3g} at τ_S = {np.exp(np.log(found.onset).mean()):.3g}")
        holds &= above.higher
    return Judgment(f"depth: {', '.join(words)}", None, decide(holds, decidable=decidable(results)))


def early(results: Results) -> Judgment:
    """On no input does the early teacher's student overshoot by a hundredth."""
    result = results[label(copies_of(results)[0], 10)]
    found = {kind: float(overshoot(result, kind).depth.max()) for kind in KINDS}
    words = ", ".join(f"{kind} {depth:.2g}" for kind, depth in found.items())
    return Judgment(f"deepest of all seeds: {words}", None, decide(max(found.values()) < 0.01))


def offline_deeper(results: Results) -> Judgment:
    """Offline overshoots more than fresh noise on the same points, and that more than fresh points."""
    result = results[label(copies_of(results)[0], 1e8)]
    depths = {kind: overshoot(result, kind).depth for kind in ("offline", "noise-online", "population")}
    pairs = (("offline", "noise-online"), ("noise-online", "population"))
    found = [compared(depths[left], depths[right]) for left, right in pairs]
    words = ", ".join(f"{kind} {values.mean():.3g}" for kind, values in depths.items())
    holds = all(one.higher for one in found)
    return Judgment(words, max(one.error or 0.0 for one in found), decide(holds, decidable=decidable(results)))


def diversity(results: Results) -> Judgment:
    """The depth offline falls as n m draws are of more samples with fewer copies."""
    several = copies_of(results)
    depths = [overshoot(results[label(copies, 1e8)], "offline").depth for copies in several]
    words = ", ".join(f"m = {copies}: {depth.mean():.3g}" for copies, depth in zip(several, depths, strict=True))
    able = len(several) > 1 and decidable(results)
    falls = [compared(after, before).lower for before, after in pairwise(depths)]
    return Judgment(words, None, decide(all(falls), decidable=able))


def selves(results: Results) -> list[tuple[float, xr.Dataset]]:
    """Self-distilled students by ridge, ascending."""
    found = [(float(name.removeprefix("self-")), one) for name, one in results.items() if name.startswith("self-")]
    return sorted(found, key=lambda one: one[0])


def losses(result: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """L_test of the teacher and of its mixture, (seeds, levels) each."""
    own = result.isel(variant=0, distill_time=-1)
    return tuple(one.transpose("seed", "level").values for one in (own.teacher_test, own.student_test))


def gains(results: Results) -> Judgment:
    """An identity: at every ridge, level and seed the best mixture is no worse, where the slope is not 0 better."""
    found = {ridge: (1 - np.divide(*losses(result)[::-1])) for ridge, result in selves(results)}
    words = ", ".join(f"γ = {ridge:g}: {100 * gain.mean():.3g}%" for ridge, gain in found.items())
    return Judgment(f"gain {words}", None, decide(all((gain > 0).all() for gain in found.values())))


def sign(results: Results) -> Judgment:
    """ξ⋆ is positive where L_test falls with the ridge on both sides, negative where it rises."""
    family = selves(results)
    teacher = np.array([losses(result)[0] for _, result in family])
    mixing = np.array([one.mixing.isel(variant=0, distill_time=-1).transpose("seed", "level") for _, one in family])
    slope = np.diff(teacher, axis=0)
    inner = mixing[1:-1]
    known = np.sign(slope[1:]) == np.sign(slope[:-1])
    right = np.sign(inner[known]) == -np.sign(slope[1:][known])
    words = f"{int(right.sum())} of {right.size} settings, ξ⋆ from {mixing.min():.3g} to {mixing.max():.3g}"
    return Judgment(words, None, decide(bool(right.all()), decidable=right.size > 0))


def beats_the_ridge(results: Results) -> Judgment:
    """The best mixture over all ridges against the best ridge, level by level."""
    teacher, mixed = (
        np.array(one).min(axis=0) for one in zip(*(losses(one) for _, one in selves(results)), strict=True)
    )
    found = [compared(mixed[:, k], teacher[:, k]) for k in range(teacher.shape[1])]
    words = ", ".join(one.words for one in found)
    holds = all(one.lower for one in found)
    return Judgment(f"by level {words}", None, decide(holds, decidable=teacher.shape[0] >= 5))


CLAIMS = (
    Claim(
        "ours-inputs-everywhere",
        "a score distilled from a memorized teacher overshoots on every kind of input, online too [ours]",
        "equations.md §7 M8",
        "(L_test(∞) − min)/min over distill_time above 0 by three standard errors, mean over levels",
        everywhere,
        by_errors=True,
    ),
    Claim(
        "ours-inputs-early",
        "control: from a teacher before its own optimum it overshoots nowhere [ours]",
        "equations.md §7 M8",
        "that depth below 0.01 on every input, in every seed",
        early,
    ),
    Claim(
        "ours-inputs-offline",
        "it overshoots more offline than with fresh noise, and there more than on fresh points [ours]",
        "equations.md §7 M8",
        "the depths in that order, by three standard errors",
        offline_deeper,
        by_errors=True,
    ),
    Claim(
        "ours-inputs-diversity",
        "offline it overshoots less where as many draws are of more samples [ours]",
        "equations.md §7 M8",
        "at n m fixed the depth falls at each halving of m",
        diversity,
        by_errors=True,
    ),
    Claim(
        "ours-self-gain",
        "a ridge teacher mixed with its own student at the best ξ tests better, at every ridge [ours]",
        "equations.md §7 M9, an identity",
        "L_test below the teacher's in every setting",
        gains,
    ),
    Claim(
        "ours-self-sign",
        "the best ξ is negative where the ridge is too large and positive where it is too small [ours]",
        "equations.md §7 M9",
        "sign of ξ⋆ opposite to the slope of L_test in the ridge, wherever that is the same on both sides",
        sign,
    ),
    Claim(
        "ours-self-ridge",
        "the best mixture is better than the best ridge [ours]",
        "equations.md §7 M9",
        "the least L_test over ridges with ξ⋆ below that without, at every level, by three standard errors",
        beats_the_ridge,
        by_errors=True,
    ),
)
