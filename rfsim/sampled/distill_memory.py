"""What a distillation needs of memory at its peak."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.computing.machine import require_memory
from rfsim.distillation.matching import LEVELS
from rfsim.distillation.moments import CHUNK_ROWS
from rfsim.distillation.plan import DistillationPlan
from rfsim.problem.origins import Sizes
from rfsim.sample.moments.pointwise import AT_ONCE

CONTROLS = 6  # models beside the students whose samples are drawn
# weights (dim, features) that a student of some methods holds for every level beside one: its jumps to all levels, or
# of all rounds, and averages to each of their targets, of itself, of half of the draws and of the early teacher
FURTHER = {"two-time": 12, "progressive": 3}
ASKED = {"two-time": 4}  # and values (dim,) of such targets at once, for each draw of a chunk
# of one student whose flow is integrated, one at a time: U and its factor, and bases of the critics beside it; blocks
# (dim, features) of a step for the generator and each critic; and values (dim,) for each draw of the pool
SQUARES, BLOCKS, POOLED = 3 + LEVELS, 7 * (1 + LEVELS), 6


def needed_bytes(
    dim: ArrayLike,
    features: ArrayLike,
    student_features: ArrayLike,
    *,
    levels: ArrayLike,
    models: ArrayLike,
    generated: ArrayLike,
    two_time: ArrayLike = 0,
    progressive: ArrayLike = 0,
    integrated: ArrayLike = 0,
    draws: ArrayLike = 0,
    kept: bool = True,
    halves: ArrayLike = 1,
) -> NDArray[np.float64]:
    """Bytes at the peak of a distillation; sizes broadcast.

    Args:
        dim: d.
        features: p of the teacher.
        student_features: p of the student.
        levels: N.
        models: Students times distill_times.
        generated: Samples of each.
        two_time: How many of the models are two-time maps.
        progressive: How many are of progressive distillation.
        integrated: How many are integrated step by step.
        draws: Per level.
        kept: Whether the eigenvectors of all levels stay in memory.
        halves: How many training sets' models are held; their eigenvectors are one set's at a time.

    Returns:
        The bytes, of the shape to which the sizes broadcast.
    """
    d, p, own, steps = (np.asarray(value, dtype=float) for value in (dim, features, student_features, levels))
    side = np.maximum(p, own)
    shelved = (steps + 1) * (p**2 + np.where(own != p, own**2, 0.0)) * kept
    drawn = 2 * np.asarray(generated, dtype=float) * (np.asarray(models) + CONTROLS)
    several = {"two-time": np.asarray(two_time, dtype=float), "progressive": np.asarray(progressive, dtype=float)}
    further = sum(FURTHER[kind] * steps * count for kind, count in several.items()) * side
    further = further + sum(each * steps * several[kind] for kind, each in ASKED.items()) * CHUNK_ROWS
    stepping = SQUARES * side**2 + (BLOCKS * side + POOLED * np.asarray(draws, dtype=float)) * d
    stepping = np.where(np.asarray(integrated) > 0, stepping, 0.0)
    weights = np.asarray(halves) * ((steps + 8) * np.asarray(models) * side + further)
    return 8 * (7 * side**2 + shelved + stepping + weights * d + drawn * d) + 2**29


def require_room(planned: DistillationPlan, sizes: Sizes, features: int, *, kept: bool, audit: bool) -> None:
    """Refuse a distillation that does not fit into memory, before anything is drawn.

    Args:
        planned: What is asked.
        sizes: d, n and p.
        features: Of the student.
        kept: Whether the eigenvectors of all levels stay in memory.
        audit: Whether single points are audited.

    Raises:
        MemoryError: In one line, with what is needed and what there is.
    """
    d, n, p = (float(size) for size in sizes)
    times, kinds = len(planned.distill_times), [one.method.kind for one in planned.students]
    counts = {"levels": planned.levels, "models": len(kinds) * times, "generated": planned.generated}
    counts |= {kind.replace("-", "_"): kinds.count(kind) * times for kind in FURTHER}
    counts |= {"halves": 1 + planned.split_pair}
    counts |= {"integrated": int(planned.integrated), "draws": planned.number_of_draws(features)}
    needed = float(needed_bytes(d, p, features, **counts, kept=kept))
    if practice := planned.stochastic:  # features of a batch at every level, and the optimizer's slots
        rows = float(n if practice.setting.batch is None else practice.setting.batch)
        needed += 8 * planned.levels * (rows * (3 * features + 6 * d) + 12 * d * features)
    if audit:  # correlations and their powers of both networks' features, and Hermite coefficients
        needed += 8 * (3 * (p + (features if features != p else 0)) ** 2 + 3 * AT_ONCE)
    hint = "take fewer features or levels, or in Python spill the levels to a folder" if kept else "take fewer features"
    what = f"distilling {max(p, float(features)):.12g} features at dim {d:.12g} in {planned.levels} levels"
    require_memory(needed, what, hint)
