"""What stochastic distillation sees: batches of x_k and Φ_k(x_k) at every level (equations.md §7)."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from rfsim.computing.numerics import standard_normal
from rfsim.distillation.networks import Function, Network, readout
from rfsim.distillation.sampling import ode_map
from rfsim.problem.diffusion import Step, diffuse, noise_variance, ode_step, signal
from rfsim.problem.laws import Law


class Pool(NamedTuple):
    """Fixed draws of every level, x_k and Φ_k(x_k), (levels, draws, dim) each.

    Batches are drawn with replacement, so that the mean of the weights over seeds follows the moments of the pool
    exactly.
    """

    x: Array
    moved: Array


class FreshBatches(NamedTuple):
    """Fresh draws: clean data from a law (points, or a population), noise, and a teacher's step Φ_k at every level.

    teacher: the read-outs are its scores; solver: "ddim", "euler" or "heun"; function: the teacher's σ; scores: in the
    place of the step stands the score itself, √Δ_k s_k(x_k) (M8).
    """

    teacher: Network
    law: Law
    solver: str
    function: Function
    scores: bool = False


class Moves(NamedTuple):
    """`FreshBatches` as arrays.

    Clean centers (points, dim); by level their share of x_k and the size of its noise, (levels,) and (levels, dim), and
    the teacher's step.
    """

    teacher: Network
    centers: Array
    share: Array
    scale: Array
    step: Step


class BatchPlan(NamedTuple):
    """What a compiled batch is made for.

    Its size, None for every draw once; the teacher's σ and whether it takes Heun steps, where draws are fresh.
    """

    batch: int | None
    function: Function | None = None
    heun: bool = False


def plan_of(source: Pool | FreshBatches, batch: int | None) -> BatchPlan:
    """The plan of a source; ValueError for a full batch of a population."""
    if isinstance(source, Pool):
        return BatchPlan(batch)
    if batch is None and np.any(source.law.variances > 0):
        raise ValueError("a full batch needs data that can be counted, points or a pool of draws; give a batch")
    return BatchPlan(batch, source.function, source.solver == "heun" and not source.scores)


def moves(fresh: FreshBatches) -> Moves:
    """The arrays behind fresh draws over the levels of the teacher's grid; ValueError for an unknown solver."""
    times = [float(t) for t in fresh.teacher.times]
    steps = [ode_step(fresh.solver, t, to) for to, t in pairwise(times)]
    if fresh.scores:
        steps = [Step(0.0, noise_variance(t) ** 0.5) for t in times[1:]]
    return Moves(
        fresh.teacher,
        jnp.asarray(fresh.law.centers),
        jnp.asarray(np.array([signal(t) for t in times[1:]])),
        jnp.asarray(np.array([np.sqrt(diffuse(fresh.law, t).variances) for t in times[1:]])),
        Step(*np.transpose(steps)),
    )


def batch(key: Array, source: Pool | Moves, plan: BatchPlan) -> tuple[Array, Array]:
    """x_k and Φ_k(x_k) of one step, (levels, rows, dim) each, independent between the levels; for use under jit."""
    if isinstance(source, Moves):
        x = _noisy(key, source, plan.batch)
        return x, jax.vmap(partial(_moved, source, plan))(*_by_level(source), x)
    if plan.batch is None:
        return source.x, source.moved
    levels, draws, _ = source.x.shape
    at = jax.random.randint(key, (levels, plan.batch), 0, draws)[:, :, None]
    return jnp.take_along_axis(source.x, at, 1), jnp.take_along_axis(source.moved, at, 1)


def fixed(key: Array, source: Pool | Moves, plan: BatchPlan) -> Pool:
    """Draws to evaluate losses on: the pool itself, or plan.batch fresh ones of key (2,) uint32."""
    return source if isinstance(source, Pool) else _fixed(key, source, plan=plan)


@partial(jax.jit, static_argnames=("plan",))
def _fixed(key: Array, source: Moves, *, plan: BatchPlan) -> Pool:
    x = _noisy(jax.random.wrap_key_data(key, impl="threefry2x32"), source, plan.batch)
    # one level at a time: these are many rows
    return Pool(x, jax.lax.map(lambda one: _moved(source, plan, *one), (*_by_level(source), x)))


def _noisy(key: Array, source: Moves, batch: int | None) -> Array:
    """x_k with fresh noise, of points drawn with replacement or of each point once, (levels, rows, dim)."""
    (levels,), (points, dim) = source.share.shape, source.centers.shape
    choice, noise = jax.random.split(key)
    rows = points if batch is None else batch
    at = jnp.arange(points) if batch is None else jax.random.randint(choice, (levels, rows), 0, points)
    xi = standard_normal(noise, (levels, rows, dim), source.centers.dtype)
    return source.share[:, None, None] * source.centers[at] + source.scale[:, None] * xi


def _by_level(source: Moves) -> tuple[Array, Step]:
    return jnp.arange(1, len(source.share) + 1), source.step


def _moved(source: Moves, plan: BatchPlan, k: Array, step: Step, x: Array) -> Array:
    """Φ_k(x), (rows, dim)."""
    assert plan.function is not None  # the plan of fresh draws has one
    here, there = (partial(readout, source.teacher, at, function=plan.function) for at in (k, k - 1))
    return ode_map(step, plan.heun, x, here, there)
