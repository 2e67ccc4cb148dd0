"""Two models of disjoint halves of the data: how far apart the samples are that one noise becomes (equations.md §8).

Both halves have as many rows; W, the noise of training and of generation, and the points where samples start are the
same, so that what differs is what each has seen (Wang, Zavatone-Veth and Pehlevan 2026, arXiv 2602.02908, for linear
scores; `rfsim.theory.split` is their law).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.distillation.nearest import distinct, nearest_two
from rfsim.distillation.sample_quality import SampleQuality
from rfsim.distillation.sampling import path, step_counts

OWN = ("variant", "distill_time")


def split_variables(one: SampleQuality, other: SampleQuality) -> dict[str, xr.Variable]:
    """How far apart two models' samples are, and how far each model's are from what it and the other has seen.

    All are mean squared distances per dimension, in units of the data, between samples at ε from the same noise; those
    to training points are to the nearest one, over both models.

    Args:
        one: The first model and its samples.
        other: The other, of the same plan and seed.

    Returns:
        split_teacher with its standard error over samples, split_teacher_steps (steps), split_early_teacher,
        split_student with its error (variant, distill_time); teacher_to_own, teacher_to_other, and the same of
        students (variant, distill_time).
    """
    plan, pair = one.plan, (one, other)
    counts = step_counts(plan.levels)
    few = [
        [each.taught(each.distilled.teachers[0], path(plan.levels, steps), plan.sampler) for each in pair]
        for steps in counts
    ]
    early = [each.taught(each.distilled.teachers[1], each.every, plan.sampler) for each in pair]
    shape = len(plan.students), len(plan.distill_times)
    students = []
    for which in np.ndindex(shape):
        several = [_known(each.sampled("student", *which)) for each in pair]
        students.append((*distance(*several), *_seen(pair, several)))
    apart, error, own, others = np.transpose(students).reshape(4, *shape)
    between, spread = distance(*few[-1])
    near, far = _seen(pair, few[-1])
    words = "squared distance per dimension between the halves' samples"
    found = {
        "split_teacher": ((), between, f"{words}, teachers"),
        "split_teacher_error": ((), spread, "its standard error over samples"),
        "split_teacher_steps": ("steps", [distance(*several)[0] for several in few], f"{words}, teachers in few steps"),
        "split_early_teacher": ((), distance(*early)[0], f"{words}, early teachers"),
        "split_student": (OWN, apart, f"{words}, students"),
        "split_student_error": (OWN, error, "its standard error over samples"),
        "teacher_to_own": ((), near, "squared distance per dimension of samples to the nearest own training point"),
        "teacher_to_other": ((), far, "to the nearest of the other half"),
        "student_to_own": (OWN, own, "squared distance per dimension of samples to the nearest own training point"),
        "student_to_other": (OWN, others, "to the nearest of the other half"),
    }
    return {name: xr.Variable(dims, value, {"long_name": told}) for name, (dims, value, told) in found.items()}


def distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[float, float]:
    """Mean of ‖x_1 − x_2‖²/d over samples from the same noise, and its standard error over them.

    Args:
        one: Samples (rows, dim).
        other: Those of the other model, in the same order.

    Returns:
        The two.

    >>> distance(np.zeros((2, 4)), np.eye(2, 4))
    (0.25, 0.0)
    """
    squares = ((one - other) ** 2).mean(1)
    return float(squares.mean()), float(squares.std(ddof=1) / math.sqrt(len(squares)))


def _seen(pair: tuple[SampleQuality, SampleQuality], samples: list[NDArray[np.float64]]) -> tuple[float, float]:
    """Of samples of both to the nearest point of their own half, and of the other one."""
    own, others = np.mean(list(_to_points(pair, samples)), axis=0)
    return float(own), float(others)


def _to_points(
    pair: tuple[SampleQuality, SampleQuality], samples: list[NDArray[np.float64]]
) -> Iterator[tuple[float, float]]:
    halves = [distinct(each.distilled.draw.points) for each in pair]
    for x, order in zip(samples, (halves, halves[::-1]), strict=True):
        first, second = (float((nearest_two(x, points)[0] ** 2).mean() / x.shape[1]) for points in order)
        yield first, second


def _known(samples: NDArray[np.float64] | None) -> NDArray[np.float64]:
    assert samples is not None  # a student has samples in its own steps
    return samples
