"""Training on the teacher's samples, again and again: what is memorized of the first data, and what becomes of quality.

Hard distillation (equations.md M10) trains the next model on n samples of the last one as if they were data, in the
hope that a copy of a copy forgets who was in the first data; what it forgets otherwise is called model collapse. Here a
memorized teacher (d = 10, n = 20, p = 500, 20 levels, train_time 10⁸), and students of 1, 2 and 4 generations, each
trained as long as its teacher. Memorization is of the first data.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from rfsim import Problem
from rfsim.claims import Claim, Judgment, Results, compared, decide, measured
from rfsim.disk import store
from rfsim.reproduce import Cell

FIGURES = {"generations": "ours: samples of models trained on samples of the last one, by generation"}
SECONDS = {"quick": 2, "paper": 200}

OPTIONS = {
    "quick": {"dim": 6, "levels": 6, "seeds": 2, "generated": 500},
    "paper": {"dim": 10, "levels": 20, "seeds": 5, "generated": 2000},
}
FEATURES_PER_DIM = {"quick": 20, "paper": 50}
GENERATIONS = {"quick": (1, 2), "paper": (1, 2, 4)}
TIMES = (1e8,)  # of training, the teacher's own
CELL = "generations"


def cells(size: str) -> list[Cell]:
    problem = Problem(samples_per_dim=2, features_per_dim=FEATURES_PER_DIM[size])
    several = [{"start": "zero", "method": "hard", "generations": count} for count in GENERATIONS[size]]
    asked = {"distill_times": TIMES, "variants": several, "early_time": 1e3, "leakage_ridges": (0.0,), "draws": "4p"}
    return [Cell(CELL, "distill", problem, OPTIONS[size] | asked)]


def by_generation(results: Results, measure: str, time: float) -> dict[int, np.ndarray]:
    """A measure of the teacher, generation 0, and of its successors in all steps, (seeds,) each."""
    result = results[CELL]
    found = {0: measured(result, "teacher", measure)}
    for name, one in zip(result.variant.values, store.settings(result)["variants"], strict=True):
        values = measured(result, "student", measure, variant=name, distill_time=time)
        found[one.get("generations", 1)] = values
    return found


def decidable(results: Results) -> bool:
    return results[CELL].sizes["feature"] >= 500


def forgets(results: Results) -> Judgment:
    """f_mem of the first data, from the teacher's on."""
    words, holds = [], True
    for time in TIMES:
        found = by_generation(results, "memorized_fraction", time)
        words.append(f"τ = {time:g}: " + ", ".join(f"{one.mean():.3g}" for one in found.values()))
        holds &= compared(found[1], found[0]).lower
        holds &= not any(compared(after, before).higher for before, after in pairwise(found.values()))
    return Judgment(f"by generation {'; '.join(words)}", None, decide(holds, decidable=decidable(results)))


def collapses(measure: str, results: Results) -> Judgment:
    """A distance to the true law, from the teacher's on."""
    words, holds = [], True
    for time in TIMES:
        found = by_generation(results, measure, time)
        words.append(f"τ = {time:g}: " + ", ".join(f"{one.mean():.3g}" for one in found.values()))
        holds &= all(compared(after, before).higher for before, after in pairwise(found.values()))
    return Judgment(f"by generation {'; '.join(words)}", None, decide(holds, decidable=decidable(results)))


CLAIMS = (
    Claim(
        "ours-generations-forget",
        "a model trained on the teacher's samples memorizes less of its data, and its successors no more [ours]",
        "equations.md §7 M10",
        "f_mem of the first generation below the teacher's by three standard errors, and above its parent's in none",
        forgets,
        by_errors=True,
    ),
    Claim(
        "ours-generations-collapse",
        "each generation is farther from the true law than the last [ours]",
        "equations.md §7 M10",
        "W2²/d above its parent's by three standard errors, for every generation",
        lambda results: collapses("frechet_per_dim", results),
        by_errors=True,
    ),
    Claim(
        "ours-generations-shape",
        "and by its shape [ours]",
        "equations.md §7 M10",
        "the same of sliced W2",
        lambda results: collapses("sliced_wasserstein", results),
        by_errors=True,
    ),
)
