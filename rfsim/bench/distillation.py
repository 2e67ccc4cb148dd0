"""Rows of distillation: the whole command, every linear method together, and the moments of one level."""

from __future__ import annotations

import time

import jax.numpy as jnp
import numpy as np
from jax import Array

from rfsim.bench.rows import BenchRow, Case, Distilled, against_rate, as_row, best_seconds, multiplications, product
from rfsim.bench.sample import decomposition_seconds
from rfsim.computing import machine
from rfsim.computing.precision import in_float64
from rfsim.distillation.moments import LevelMoments, Noisy, StudentFeatures, level_moments, stage
from rfsim.distillation.networks import Network
from rfsim.problem.diffusion import time_grid
from rfsim.problem.laws import Law
from rfsim.problem.model import Problem
from rfsim.sampled.distill import distill

TIMES = np.geomspace(10, 1e5, 10).tolist()
DRAWS = 20  # per feature, the default
SEVERAL = np.geomspace(10, 1e5, 5).tolist()  # distill_times of all methods together
METHODS = (  # linear in the read-out, with fresh noise; `segments` and the inputs of scores beside them
    "consistency", "consistency-training", "progressive", "data-free", "endpoint", "endpoint-prior", "two-time", "self",
    "hard", "random-teacher", "score:noise-online", "score:population", "score:teacher-online", "score:prior",
)  # fmt: skip
ANCHORS = 4  # laws of inputs: training points, the population, the teacher's paths, noise
MULTIPLIED = 2**11  # draws of the product that the rate is measured with


@in_float64
def whole(case: Case) -> BenchRow:
    """Teacher, students at 10 distill_times, every control and measure, against what cannot be left out.

    The floor: at every level φφᵀ over the draws, half of a square product for it is symmetric, and three decompositions
    (the exact U, that of the draws and that of half of them).
    """
    size = case.distilled
    problem = Problem(samples_per_dim=size.samples / size.dim, features_per_dim=size.features / size.dim)

    def compute() -> float:
        started = time.perf_counter()
        distill(problem, TIMES, dim=size.dim, levels=size.levels, draws=f"{DRAWS}p")
        return time.perf_counter() - started

    compute()
    seconds, memory = compute(), machine.peak_memory()
    p = size.features
    floor = size.levels * (_products_seconds(p) / 2 + 3 * decomposition_seconds(p))
    against = "the products of U and three decompositions at every level"
    rates = against_rate(size.levels * _operations(p) / 2, seconds)
    return as_row("distillation", f"{_sized(size)} times={len(TIMES)}", seconds, floor, against, memory, rates=rates)


@in_float64
def methods(case: Case) -> BenchRow:
    """All linear methods of one teacher at 5 distill_times, against what cannot be left out.

    The floor: at every level U over the draws of each of four laws of inputs, two decompositions of it, and two exact
    ones, of the training points and of samples of the teacher.
    """
    size = case.distilled
    problem = Problem(samples_per_dim=size.samples / size.dim, features_per_dim=size.features / size.dim)
    several = [{"method": one} for one in (*METHODS, f"segments:{min(4, size.levels)}")]
    started = time.perf_counter()
    distill(problem, SEVERAL, dim=size.dim, levels=size.levels, draws=f"{DRAWS}p", variants=several)
    seconds, memory = time.perf_counter() - started, machine.peak_memory()
    p = size.features
    floor = size.levels * (ANCHORS * _products_seconds(p) / 2 + (2 * ANCHORS + 2) * decomposition_seconds(p))
    rates = against_rate(ANCHORS * size.levels * _operations(p) / 2, seconds)
    sized = f"{_sized(size)} times={len(SEVERAL)} methods={len(several)}, compiled and computed"
    against = "the products of every U and ten decompositions at every level"
    return as_row("distillation-methods", sized, seconds, floor, against, memory, rates=rates)


@in_float64
def moments(case: Case) -> BenchRow:
    """U, C, P and X of one level over 20p draws, features included, against the products of C and of half of φφᵀ."""
    size = case.distilled
    draw = np.random.default_rng(0).standard_normal
    times = time_grid(0.02, 3.0, size.levels)
    p, d = size.features, size.dim
    readouts = jnp.asarray(draw((len(times), d, p)) / p)
    teacher = Network(jnp.asarray(draw((p, d))), readouts, jnp.zeros(len(times)), times)
    law, student_features = (
        Law(draw((size.samples, d)), np.zeros(d)),
        StudentFeatures(teacher.weights, jnp.zeros(()), jnp.zeros(())),
    )

    def compute() -> LevelMoments:
        noisy = Noisy(law, float(times[1]), 0, "bench", DRAWS * p)
        *_, found = level_moments(stage(teacher, 1, "ddim"), student_features, noisy, jnp.tanh, _nothing, carried=True)
        return found

    seconds = best_seconds(compute)
    floor = 1.5 * _products_seconds(p)
    rates = against_rate(1.5 * _operations(p), seconds)
    return as_row(
        "distillation-moments", _sized(size), seconds, floor, "the products of C and half of U's", rates=rates
    )


def _nothing(x: Array) -> Array:
    return jnp.zeros((len(x), 0, x.shape[1]))


def _products_seconds(p: int) -> float:
    """Seconds of p × draws by draws × p over all draws of a level, at the rate of one chunk of them."""
    return DRAWS * p / MULTIPLIED * best_seconds(product(p, MULTIPLIED, p))


def _operations(p: int) -> float:
    """The operations of that product."""
    return multiplications(p, DRAWS * p, p)


def _sized(size: Distilled) -> str:
    return f"d={size.dim} n={size.samples} p={size.features} levels={size.levels} draws={DRAWS}p"
