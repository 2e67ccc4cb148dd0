"""Distillation as it is done in practice: minibatches, fresh noise, any optax optimizer, a moving average as target.

All levels descend at once. Level k's part of the loss is (1/d) E‖f_k(x_k) − f⁻_{k−1}(Φ_k(x_k))‖² + c_out,k² γ‖B̄_k‖²/d
with f_0(x) = x and f⁻ the moving average, through which no gradient passes (equations.md §7). The optimizer moves
B = √p B̄, the weights of the flow B' = −d² ∇_B, so that a step of plain descent at rate η is η/d² of distill_time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike, NDArray

from rfsim.computing.precision import require_float64
from rfsim.distillation.batches import BatchPlan, FreshBatches, Moves, Pool, batch, fixed, moves, plan_of
from rfsim.distillation.consistency import Consistency
from rfsim.distillation.networks import Function, Network, features
from rfsim.learning.clocks import largest_stable_rate, step_time
from rfsim.simulation import loop
from rfsim.simulation.optimizers import Stochastic

Values: TypeAlias = Array | NDArray[np.float64]
Evaluate: TypeAlias = Callable[[Values, Values], Array]

GROWTH = 1e3  # times a level's loss at the start, or E‖Φ_k(x_k)‖²/d where that is larger: beyond it a run has diverged
EVALUATED = 2048  # fresh draws per level on which losses are evaluated, the same at every stop
ROWS = 512  # of them at a time


class DistillationTask(NamedTuple):
    """What is learned (§7).

    Attributes:
        student: Its features, and as read-outs the B̄_k(0) of the grid, of which index 0 is not used.
        consistency: c_skip and c_out of the grid.
        ridge: γ, in units of the eigenvalues of U_k.
        function: The student's σ, elementwise.
        source: Where draws of x_k and Φ_k(x_k) come from.
        target: c_skip and c_out of f⁻_{k−1} at index k − 1, where that is not the consistency function itself.
    """

    student: Network
    consistency: Consistency
    ridge: float
    function: Function
    source: Pool | FreshBatches
    target: Consistency | None = None


class DistillationRecord(NamedTuple):
    """A stop of the run, levels from 1 to N (§7).

    Attributes:
        step: Number of steps taken.
        weights: B̄_k, (levels, dim, features).
        losses: Without the ridge's term, over the pool or EVALUATED fresh draws, (levels,).
        state: To go on from.
    """

    step: int
    weights: Array
    losses: Array
    state: loop.LoopState


class _Levels(NamedTuple):
    """What the compiled losses take.

    W (features, dim); offsets, c_skip and c_out of every level and of the one below it, (levels,) each; γ; the draws or
    what they are made of.
    """

    weights: Values
    here: tuple[Values, Values, Values]
    below: tuple[Values, Values, Values]
    ridge: float
    source: Pool | Moves


def distill(
    setting: Stochastic,
    task: DistillationTask,
    stops: Iterable[int],
    *,
    seed: int,
    largest: ArrayLike | None = None,
    state: loop.LoopState | None = None,
    chunk: int | None = None,
    report: loop.Report | None = None,
) -> Iterator[DistillationRecord]:
    """Train all levels from the task's read-outs, or on from a state of the same run (§7; T16 is its mean).

    Memory of levels × batch × features.

    Args:
        setting: Optimizer, rate, batch and decay of the moving average.
        task: What is learned.
        stops: Numbers of steps at which to record (`steps_at` for distill_times).
        seed: Of batches and noise.
        largest: λ_max of every U_k, (levels,), from which a diverging plain descent tells its stable limit.
        state: Of a record of the same run, to go on from.
        chunk: Steps of one compiled call; the loop's own choice by default.
        report: Hears of progress.

    Yields:
        A record at each stop.

    Raises:
        ValueError: For a full batch of a population.
        loop.Diverged: Where a level's loss grows beyond all bounds.
        loop.Interrupted: Where the user interrupts.
        RuntimeError: In float32.
    """
    one, evaluate = training(setting, task, seed=seed, largest=largest)
    if state is None:
        state = initial(one, task, seed=seed)
    for now in loop.run(one, state, stops, chunk=chunk, report=report):
        readouts = now.weights / math.sqrt(now.weights.shape[2])
        yield DistillationRecord(int(now.step), readouts, evaluate(now.weights, now.average), now)


def training(
    setting: Stochastic, task: DistillationTask, *, seed: int, largest: ArrayLike | None = None
) -> tuple[loop.Training, Evaluate]:
    """The loop's training, and a function that evaluates its losses (§7).

    Args:
        setting: Optimizer, rate, batch and decay of the moving average.
        task: What is learned.
        seed: Of the draws on which losses are evaluated.
        largest: λ_max of every U_k, (levels,), for the stable limit of plain descent.

    Returns:
        The training, and the losses (levels,) of weights B and their average, (levels, dim, features) each, as in a
        `DistillationRecord`.

    Raises:
        ValueError: For a full batch of a population.
        RuntimeError: In float32.
    """
    require_float64()
    plan, start, told = plan_of(task.source, setting.batch), _start(task), _levels(task)
    levels = jax.device_put(told)
    draws = fixed(loop.key(seed, "distillation/losses"), levels.source, plan._replace(batch=EVALUATED))
    evaluate = partial(_losses, levels=levels, x=draws.x, moved=draws.moved, function=task.function)
    first = np.asarray(evaluate(start, start)) + _penalty(told, start)
    power = (np.asarray(draws.moved) ** 2).mean((1, 2))
    limit = None if largest is None or not setting.plain else stable_rate(task, largest)
    return loop.Training(
        _loss(task.function, plan),
        setting.optimizer.factory,
        levels,
        setting.rate,
        setting.decay,
        ceiling=GROWTH * np.maximum(first, power),
        limit=limit,
        part="level",
    ), evaluate


def initial(training: loop.Training, task: DistillationTask, *, seed: int) -> loop.LoopState:
    """The state before the first step (§7).

    Args:
        training: From `training`.
        task: What is learned.
        seed: Of the noise of the run.

    Returns:
        The state.
    """
    return loop.initial(training, _start(task), loop.key(seed, "distillation/steps"))


def stable_rate(task: DistillationTask, largest: ArrayLike) -> float:
    """The largest η at which descent in the mean is stable, the least of its levels', c_out,k² for Δ (T16).

    Args:
        task: What is learned.
        largest: λ_max of every U_k, (levels,).

    Returns:
        The rate.
    """
    features_, dim = task.student.weights.shape
    variance = task.consistency.out[1:] ** 2
    return float(np.min(largest_stable_rate(np.asarray(largest), task.ridge, variance, features_, dim)))


def steps_at(distill_times: ArrayLike, rate: float, dim: int) -> NDArray[np.int64]:
    """Whole steps of plain descent nearest to given distill_times (§7).

    Args:
        distill_times: τ_S, of any shape, finite.
        rate: η.
        dim: d.

    Returns:
        The steps, of the same shape.
    """
    return np.round(np.asarray(distill_times) / step_time(rate, dim)).astype(np.int64)


def ema_decay(ema_time: float, rate: float, dim: int) -> float:
    """Decay per step of plain descent of an average with dB⁻/dτ_S = (B − B⁻)/τ_ema (§7).

    Args:
        ema_time: τ_ema, in distill_time; 0 is no average, inf a frozen one.
        rate: η.
        dim: d.

    Returns:
        The decay, in [0, 1].

    Raises:
        ValueError: For a time between 0 and one step.

    >>> ema_decay(2.0, rate=5.0, dim=10)
    0.975
    """
    step = step_time(rate, dim)
    if ema_time != 0 and not ema_time >= step:
        raise ValueError(f"ema_time must be 0 or at least one step, distill_time {step:g}; got {ema_time:g}")
    return 0.0 if ema_time == 0 else 1 - step / ema_time


def _start(task: DistillationTask) -> NDArray[np.float64]:
    """B = √p B̄ of levels 1 to N at the start (levels, dim, features)."""
    return math.sqrt(len(task.student.weights)) * np.asarray(task.student.readouts)[1:]


def _levels(task: DistillationTask) -> _Levels:
    offsets, own, target = np.asarray(task.student.offsets), task.consistency, task.target or task.consistency
    source = moves(task.source) if isinstance(task.source, FreshBatches) else task.source
    here, below = (offsets[1:], own.skip[1:], own.out[1:]), (offsets[:-1], target.skip[:-1], target.out[:-1])
    return _Levels(np.asarray(task.student.weights), here, below, task.ridge, source)


@cache
def _loss(function: Function, plan: BatchPlan) -> loop.Loss:
    """Every level's part of the loss of one step: one function per choice, so that each is compiled once."""

    def loss(weights: Array, average: Array, key: Array, step: Array, levels: _Levels) -> Array:
        x, moved = batch(key, levels.source, plan)
        gap = jax.vmap(partial(_gap, levels.weights, function=function))
        squares = gap(weights, _under(average), levels.here, levels.below, x, moved) ** 2
        return squares.mean((1, 2)) + _penalty(levels, weights)

    return loss


def _gap(w, weights, under, here, below, x, moved, *, function):
    """f_k(x) − f⁻_{k−1}(Φ_k(x)) of one level (rows, dim)."""

    def consistency(b, coefficients, y):
        offset, skip, out = coefficients
        return skip * y + out * features(w, y, offset, function) @ b.T / math.sqrt(len(w))

    return consistency(weights, here, x) - consistency(under, below, moved)


def _under(average: Array) -> Array:
    """The average of the level below each; f_0 has none, and c_out = 0 in front of what stands in its place."""
    return jnp.concatenate([average[:1], average[:-1]])


def _penalty(levels: _Levels, weights: Values) -> Values:
    """c_out² γ‖B̄‖²/d of every level (levels,)."""
    return levels.ridge * levels.here[2] ** 2 * (weights**2).sum((1, 2)) / levels.weights.size


@partial(jax.jit, static_argnames=("function",))
def _losses(weights: Array, average: Array, *, levels: _Levels, x: Array, moved: Array, function: Function) -> Array:
    """Every level's loss without the ridge's term over its draws (levels,), one level and ROWS draws at a time."""

    def level(one):
        weights, under, here, below, x, moved = one
        gap = partial(_gap, levels.weights, weights, under, here, below, function=function)
        rows = jax.lax.map(lambda row: (gap(row[0][None], row[1][None]) ** 2).mean(), (x, moved), batch_size=ROWS)
        return rows.mean()

    return jax.lax.map(level, (weights, _under(average), levels.here, levels.below, x, moved))
