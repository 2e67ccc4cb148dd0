"""Rows of the limit: a spectrum in a process of its own, spectrum, curves, and map.

Floors count the elementwise complex operations of what cannot be left out, Newton steps and two-point tables, as XLA
counts them, over the rate at which one core multiplies and adds complex numbers that its cache holds.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rfsim import theory as limit_of
from rfsim.bench.rows import BenchRow, Case, as_row, best_seconds
from rfsim.computing import machine
from rfsim.computing.precision import in_float64
from rfsim.limit import contours, maps, solver, tables
from rfsim.limit.equations import Point, differences, equations, state
from rfsim.limit.limits import Limit
from rfsim.problem.model import Problem
from rfsim.theory.generated import FINE

POINTS = 400
TIMES = np.geomspace(1e-1, 1e7, 200)
MAP_TIMES = (1e3, 1e4)
LEVELS = 20  # of what is generated
LARGEST = 64.0  # ψ of the map's far corner
NUMBERS, ROUNDS = 2048, 1000  # 32 KiB of complex numbers

IMPORTED = """
from rfsim import Problem, theory
from rfsim.computing import machine
theory.spectrum
print(machine.peak_memory())
"""
SPECTRUM = """
from rfsim import Problem, theory
from rfsim.computing import machine
theory.spectrum(Problem(samples_per_dim={}, features_per_dim={}, diffusion_time={}), points={})
print(machine.peak_memory())
"""


def process(case: Case) -> BenchRow:
    """`spectrum` in a fresh process, nothing compiled before, against one that only imports what it needs."""
    problem = case.problem
    code = SPECTRUM.format(problem.samples_per_dim, problem.features_per_dim, problem.diffusion_time, POINTS)
    seconds, memory = _process(code)
    floor, _ = _process(IMPORTED)
    return as_row(
        "theory-process", sized(case, f"points={POINTS}"), seconds, floor, "a process that only imports", memory
    )


@in_float64
def spectrum(case: Case) -> BenchRow:
    """Masses and edges of all parts and the density at 400 points, against the Newton steps of points and contours."""
    problem = case.problem
    seconds = best_seconds(lambda: limit_of.spectrum(problem, points=POINTS).density.values)
    bulks = sum(bool(part.lower < part.upper) for part in limit_of.parts(limit_of.limit(problem)))
    points = POINTS + bulks * contours.arcs([0.0, 1.0]).points.size
    floor = points * path_operations(limit_of.limit(problem), solver.PATH) / rate()
    against = f"Newton steps at {points} points"
    return as_row("theory-spectrum", sized(case, f"points={POINTS}"), seconds, floor, against)


@in_float64
def curves(case: Case) -> BenchRow:
    """All of `theory.curves` at 200 training times, against Newton steps and tables at its last two node counts."""
    problem, limit = case.problem, limit_of.limit(case.problem)
    seconds = best_seconds(lambda: limit_of.curves(problem, TIMES).test.values)
    nodes = int(limit_of.curves(problem, TIMES).nodes)
    half = np.array([nodes // 4, nodes // 2])  # upper halves
    operations = half.sum() * path_operations(limit, solver.FAST_PATH) + (half**2).sum() * pair_operations(limit)
    against = f"Newton steps and tables of {nodes // 2} and {nodes} nodes"
    return as_row("theory-curves", sized(case, f"times={TIMES.size}"), seconds, float(operations / rate()), against)


@in_float64
def wide_curves(case: Case) -> BenchRow:
    """`theory.curves` of many features at 200 training times, against the exponentials of its two channels."""
    problem = replace(case.problem, features_per_dim=math.inf, noise_copies=math.inf)
    seconds = best_seconds(lambda: limit_of.curves(problem, TIMES).test.values)
    nodes = int(limit_of.curves(problem, TIMES).nodes)
    floor = _exponentials(TIMES.size * 2 * nodes)
    against = f"exponentials of two channels at {nodes} nodes"
    return as_row("theory-wide-curves", sized(case, f"times={TIMES.size}"), seconds, floor, against)


def generated(case: Case) -> BenchRow:
    """`theory.generated` at 20 levels and three training times, against the exponentials of its levels' channels."""
    problem = Problem(case.problem.samples_per_dim, math.inf)
    seconds = best_seconds(lambda: limit_of.generated(problem, (10.0, 1e3, math.inf)).frechet_per_dim.values)
    floor = _exponentials(LEVELS * 3 * 2 * FINE)
    against = f"exponentials of two channels at {FINE} nodes and {LEVELS} levels"
    return as_row("theory-generated", sized(case, f"levels={LEVELS} times=3"), seconds, floor, against)


def _exponentials(count: int) -> float:
    """Seconds of so many."""
    numbers = np.linspace(-1, 0, count)
    return best_seconds(lambda: np.exp(numbers))


def diagram(case: Case) -> BenchRow:
    """The map of L_gen at two training times to 1e-4, on all cores, against its cells' Newton steps and tables."""
    axis, limit = np.geomspace(1, LARGEST, case.cells).tolist(), limit_of.limit(case.problem)

    def compute() -> np.ndarray:
        found = limit_of.diagram(case.problem, samples_per_dim=axis, features_per_dim=axis, train_times=MAP_TIMES)
        return found.gen.values

    started = time.perf_counter()
    compute()
    first = time.perf_counter() - started
    seconds = best_seconds(compute, repeats=1)
    half = np.array(maps.NODES[:2]) // 2
    each = half.sum() * path_operations(limit, maps.SHORT_PATH) + (half**2).sum() * pair_operations(limit)
    floor = case.cells**2 * each / (rate() * machine.threads())
    against = f"Newton steps and tables of {maps.NODES[0]} and {maps.NODES[1]} nodes for every cell, on every core"
    size = sized(
        case, f"cells={case.cells}x{case.cells} times={len(MAP_TIMES)}, compiled and computed in {first:.3g} s"
    )
    return as_row("theory-map", size, seconds, float(floor), against)


def _process(code: str) -> tuple[float, int]:
    """Seconds and peak memory of a Python process that runs `code` and prints its peak memory."""
    environment = os.environ | {"JAX_ENABLE_COMPILATION_CACHE": "false"}
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    return time.perf_counter() - started, int(done.stdout)


def path_operations(limit: Limit, steps: solver.Path) -> float:
    """Operations of the Newton steps along a path to one point, real on the way down and complex around."""
    return steps.radial * _step_operations(limit, float) + steps.turning * _step_operations(limit, complex)


def _step_operations(limit: Limit, dtype: type) -> float:
    """Operations of one Newton step at one point."""
    numbers = jnp.ones(NUMBERS, dtype=dtype)

    def step(limit: Limit, x: Point, offset: jax.Array) -> Point:
        at = state(limit, x)
        return differences(limit, at, at).solve(equations(limit, at, offset)[0])

    return _operations(step, limit, Point(numbers, numbers, numbers), numbers) / NUMBERS


def pair_operations(limit: Limit) -> float:
    """Operations of the tables per pair of points."""
    nodes = jnp.ones(64, dtype=complex)
    x = jax.eval_shape(state, limit, Point(nodes, nodes, nodes))
    return _operations(tables.tables, limit, nodes, nodes, x) / nodes.size**2


def _operations(function: Callable[..., Any], *args: Any) -> float:
    """XLA's count of a function's elementwise operations, compiled."""
    analysis = jax.jit(function).lower(*args).compile().cost_analysis()
    assert analysis is not None  # every backend of JAX that compiles in float64 counts
    return float(analysis["flops"])


def rate() -> float:
    """Complex multiplications and additions per second of one core, on numbers that its cache holds."""
    x = jnp.full(NUMBERS, 0.3 + 0.2j)
    chain = jax.jit(lambda a: jax.lax.fori_loop(0, ROUNDS, lambda _, y: y * a + a, a))
    return 2 * NUMBERS * ROUNDS / best_seconds(lambda: chain(x))


def sized(case: Case, measured: str) -> str:
    """The size of a row of the limit: the problem, and what of it is measured."""
    problem = case.problem
    return (
        f"psi_n={problem.samples_per_dim:g} psi_p={problem.features_per_dim:g} t={problem.diffusion_time:g} {measured}"
    )
