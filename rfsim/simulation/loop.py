"""The one stochastic loop: any optax optimizer on any loss, whole chunks of steps on the device, resumed bit for bit.

Steps run in `lax.while_loop` with the last step as an argument, not in a `lax.scan` of fixed length: one program serves
chunks of any length, so where a run was cut into chunks, killed or resumed changes no bit of it. The noise of a step
is keyed by the run's key and the number of the step alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from numpy.typing import ArrayLike

from rfsim.computing import interrupts
from rfsim.problem import data
from rfsim.simulation.optimizers import Factory

Tree: TypeAlias = Any  # a pytree of arrays
Loss: TypeAlias = Callable[[Tree, Tree, Array, Array, Tree], Array]
Report: TypeAlias = Callable[[str, Mapping[str, Any]], None]

MOST_STEPS = 2**31 - 1
SECONDS = 1.0  # of a chunk, unless its steps are given: often enough for a reader, Ctrl-C and checkpoints
GROWTH = 8  # times a chunk may grow over the one before: the first one holds a compilation


class LoopState(NamedTuple):
    """All that a run needs to go on: arrays only, so that it can be stored without pickle.

    step: how many were taken, int32; weights and average: pytrees of one structure; optimizer: optax's own state;
    key: (2,) uint32, from `key`.
    """

    step: Array
    weights: Tree
    average: Tree
    optimizer: Tree
    key: Array


class Training(NamedTuple):
    """What is trained and how. loss and optimizer name the compiled program, the rest are its arguments.

    loss(weights, average, key, step, parameters) → parts, of any shape, whose sum is descended in `weights`; no
    gradient passes through `average`. A new function is a new program: let it be one of a module's, with its data in
    `parameters`. optimizer: rate ↦ the optax transformation, such as `optax.sgd` or `optimizers.Optimizer.factory`.
    decay: the average moves by its share 1 − decay to the new weights at each step: 0 is the weights themselves, 1
    stays at the start. ceiling: of every part, a number or of the parts' shape; a larger part has diverged.
    For the message of a divergence: limit, the largest stable rate as far as it is known; part, what one is called.
    """

    loss: Loss
    optimizer: Factory
    parameters: Tree
    rate: float
    decay: float = 0.0
    ceiling: ArrayLike = np.inf
    limit: float | None = None
    part: str = "part"


class Diverged(ArithmeticError):
    """A part of the loss is NaN, infinite or above its ceiling, or a step made weights that are not finite.

    state: what the failed step began from; its weights are finite.
    """

    def __init__(self, message: str, state: LoopState) -> None:
        super().__init__(message)
        self.state = state


class LoopInterrupted(KeyboardInterrupt):
    """Ctrl-C; `state` is that of the last finished chunk."""

    def __init__(self, state: LoopState) -> None:
        super().__init__("interrupted")
        self.state = state


class Chunk(NamedTuple):
    """A state reached, and the parts of the loss over a chunk.

    Summed over the chunk's good steps and those of its last one, and whether that one failed; the state is then the one
    before it.
    """

    state: LoopState
    total: Array
    parts: Array
    failed: Array


def key(seed: int, use: str) -> Array:
    """The key of one use under one seed, (2,) uint32, from the Philox stream of that use."""
    return jnp.asarray(data.stream(seed, use).integers(0, 2**32, size=2, dtype=np.uint32))


def initial(training: Training, weights: Tree, key: Array) -> LoopState:
    """The state before the first step; the average begins at the weights."""
    weights = jax.tree.map(jnp.asarray, weights)
    slots = training.optimizer(training.rate).init(weights)
    return LoopState(jnp.zeros((), jnp.int32), weights, weights, slots, key)


def run(
    training: Training,
    state: LoopState,
    stops: Iterable[int],
    *,
    chunk: int | None = None,
    report: Report | None = None,
    keep: Callable[[LoopState], None] | None = None,
) -> Iterator[LoopState]:
    """Train from `state` on and yield it at each of the `stops`, steps counted from the start of the run.

    Stops that `state` has passed are left out, so that a resumed run takes the same list. The host sees the run once
    in `chunk` steps, by default about SECONDS of them: then it hands the state to `keep` and reports "stochastic
    steps" with the values done, total and loss, the mean over the chunk of the sum of the parts. Raises Diverged, and
    at Ctrl-C Interrupted.
    """
    wanted = sorted({int(stop) for stop in stops})
    if wanted and not 0 <= wanted[0] <= wanted[-1] <= MOST_STEPS:
        raise ValueError(f"stops must be steps from 0 to 2^31 - 1; got {wanted[0]} to {wanted[-1]}")
    done, size = int(state.step), chunk or 1
    for stop in (stop for stop in wanted if stop >= done):
        try:
            while done < stop:
                steps, started = min(size, stop - done), time.perf_counter()
                with interrupts.deferred():  # compiled code drops what is raised where it calls back
                    reached = _advance(training, state, done + steps)
                    if reached.failed:
                        raise Diverged(_failure(training, reached), reached.state)
                    state, done = reached.state, done + steps
                if not chunk:
                    fitting = steps * SECONDS / (time.perf_counter() - started)
                    size = max(1, int(min(fitting, GROWTH * size)))
                if keep:
                    keep(state)
                if report:
                    mean = float(reached.total.sum()) / steps
                    report("stochastic steps", {"done": done, "total": wanted[-1], "loss": mean})
        except KeyboardInterrupt:
            raise LoopInterrupted(state) from None
        yield state


@partial(jax.jit, static_argnames=("loss", "optimizer"))
def advance(
    state: LoopState,
    stop: int,
    parameters: Tree,
    rate: float,
    decay: float,
    ceiling: ArrayLike,
    *,
    loss: Loss,
    optimizer: Factory,
) -> Chunk:
    """Steps from `state` until `stop` or the first step that fails: one program per loss, optimizer and shapes."""
    transformation = optax.with_extra_args_support(optimizer(rate))
    root = jax.random.wrap_key_data(state.key, impl="threefry2x32")

    def parts_of(weights: Tree, average: Tree, step: Array) -> Array:
        return jnp.asarray(loss(weights, average, jax.random.fold_in(root, step), step, parameters))

    def objective(weights: Tree, average: Tree, step: Array) -> tuple[Array, Array]:
        parts = parts_of(weights, average, step)
        return parts.sum(), parts

    def take(chunk: Chunk) -> Chunk:
        now = chunk.state
        (value, parts), slope = jax.value_and_grad(objective, has_aux=True)(now.weights, now.average, now.step)
        updates, slots = transformation.update(slope, now.optimizer, now.weights, value=value, grad=slope)
        weights = optax.apply_updates(now.weights, updates)
        average = optax.incremental_update(weights, now.average, 1 - decay)
        new = LoopState(now.step + 1, weights, average, slots, now.key)
        # NaN fails both comparisons
        good = jnp.all(parts <= jnp.asarray(ceiling)) & jnp.all(jnp.isfinite(parts))
        for leaf in jax.tree.leaves(weights):
            good &= jnp.all(jnp.isfinite(leaf))
        kept = jax.tree.map(lambda after, before: jnp.where(good, after, before), new, now)
        return Chunk(kept, chunk.total + jnp.where(good, parts, 0), parts, ~good)

    shape = jax.eval_shape(parts_of, state.weights, state.average, state.step)
    nothing = jnp.zeros(shape.shape, shape.dtype)
    begin = Chunk(state, nothing, nothing, jnp.zeros((), bool))
    return jax.lax.while_loop(lambda chunk: (chunk.state.step < stop) & ~chunk.failed, take, begin)


def _advance(training: Training, state: LoopState, stop: int) -> Chunk:
    return advance(
        state,
        stop,
        training.parameters,
        training.rate,
        training.decay,
        training.ceiling,
        loss=training.loss,
        optimizer=training.optimizer,
    )


def _failure(training: Training, chunk: Chunk) -> str:
    """One line: where it failed, how, and at what rate."""
    parts = np.asarray(chunk.parts)
    ceiling = np.broadcast_to(training.ceiling, parts.shape)
    bad = np.flatnonzero(~(parts <= ceiling) | ~np.isfinite(parts))
    what = "the new weights are not finite"
    if bad.size:
        where = f" of {training.part} {bad[0] + 1} of {parts.size}" if parts.size > 1 else ""
        value, most = parts.ravel()[bad[0]], ceiling.ravel()[bad[0]]
        what = f"the loss{where} is {value:.4g}" + (f", above {most:.4g}" if np.isfinite(value) else "")
    line = f"diverged at step {int(chunk.state.step)}: {what}; the rate is {training.rate:.6g}"
    if training.limit is None:
        return f"{line}; take a smaller one"
    advice = "take a smaller one" if training.rate >= training.limit else "take a larger batch or a smaller rate"
    return f"{line} and the stable limit {training.limit:.6g}: {advice}"
