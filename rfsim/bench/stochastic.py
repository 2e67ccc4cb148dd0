"""Rows of stochastic training: one step in both precisions, and a whole curve beside the exact route's."""

from __future__ import annotations

from functools import lru_cache

import jax
import jax.numpy as jnp

from rfsim.bench.rows import BenchRow, Case, against_rate, as_row, best_seconds
from rfsim.bench.sample import STEPS, curve_seconds, descent_steps, drawn, step_operations
from rfsim.computing import machine
from rfsim.computing.parallel import layout
from rfsim.computing.precision import in_float64
from rfsim.sample.moments import Moments
from rfsim.simulation import loop
from rfsim.simulation import stochastic as engine
from rfsim.simulation.stochastic import Judge, Simulation, Task, recorded_steps


def step(case: Case) -> BenchRow:
    """One step over all points with fresh noise, in float64: features, residual and gradient, noise and σ included.

    The floor: its three products of p × d × n at the rate of a large square one.
    """
    return _step_row(case, "float64")


def single_step(case: Case) -> BenchRow:
    """The same step in float32, against the rate of float32."""
    return _step_row(case, "float32")


@in_float64
def curve(case: Case) -> BenchRow:
    """A whole curve by the stochastic route to 10 τ_mem, extrapolated from a few steps, against the exact route.

    The steps of `baseline`: fresh noise at every one, half of the largest stable rate. Every recorded loss is exact;
    the moments are not in the row, which the exact route needs as well.
    """
    steps, d, p = descent_steps(case), case.dim, case.features
    judge, weights = Judge(_task(case)), jnp.zeros((d, p))
    a_step, an_evaluation = step_seconds(case, "float64"), best_seconds(lambda: jnp.asarray(judge(weights)))
    memory = machine.peak_memory()
    seconds = steps * a_step + recorded_steps(steps).size * an_evaluation
    measured = f"steps={steps} of {1e3 * a_step:.3g} ms, extrapolated from {STEPS}"
    rates = against_rate(step_operations(case), a_step)
    size = f"{case.size} {measured}"
    return as_row("stochastic", size, seconds, curve_seconds(case), "the exact route", memory, rates=rates)


@in_float64
def _step_row(case: Case, precision: str) -> BenchRow:
    seconds, memory = step_seconds(case, precision), machine.peak_memory()
    operations = step_operations(case)
    rates = against_rate(operations, seconds, precision)
    name = "step" if precision == "float64" else "step-float32"
    against = f"3 products of p × d × n in {precision}"
    return as_row(name, case.size, seconds, operations / rates[1], against, memory, rates=rates)


@lru_cache(maxsize=2)
def step_seconds(case: Case, precision: str) -> float:
    """Of one step, from STEPS of them."""
    task = _task(case)
    setting = Simulation(rate=1.0, batch=None, noise="fresh", precision=precision)
    one = engine.training(setting, task)
    start = engine.initial(one, task)

    def steps() -> jax.Array:
        *_, end = loop.run(one, start, [STEPS], chunk=STEPS)
        return end.weights

    return best_seconds(steps) / STEPS


def _task(case: Case) -> Task:
    """One draw with moments of the right size: what a step and a judgment take does not depend on their values."""
    draw = drawn(case)
    d, _, p = draw.sizes
    moments = Moments(jnp.zeros((p, p)), jnp.zeros((p, d)), 1.0, 0, 0.0)
    return Task(case.problem, draw, moments, moments, layout(1, p))
