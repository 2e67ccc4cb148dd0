"""Stochastic training of a teacher: any optimizer, any batch, frozen or fresh noise, losses exact from the moments.

The engine below `rfsim.simulate`: one draw, one run of the stochastic loop. What is trained with noise of its own is
judged without any: (T1) of its weights over U, V and Ũ, Ṽ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import jax
import numpy as np
from jax import Array
from numpy.typing import NDArray

from rfsim.checking.text import nearest
from rfsim.checking.written import Parsed
from rfsim.computing import arrays
from rfsim.computing.parallel import DeviceLayout
from rfsim.computing.precision import require_float64
from rfsim.learning.losses import weights_loss
from rfsim.problem.diffusion import noise_variance, signal
from rfsim.problem.model import Problem
from rfsim.problem.realization import Instance, frozen_draws
from rfsim.sample.moments import Moments
from rfsim.simulation import loop, objective
from rfsim.simulation.optimizers import Stochastic
from rfsim.simulation.schedules import CONSTANT, Schedule
from rfsim.simulation.schedules import read as read_schedule

NOISES, PRECISIONS, PRODUCTS = ("fresh", "frozen"), ("float64", "float32"), ("highest", "high", "default")
GROWTH = 1e6  # times the zero score's loss: beyond it a run has diverged
PER_DECADE = 8
CHUNK = 256  # steps, where several processes step together


@dataclass(frozen=True)
class Simulation(Stochastic):
    """`Stochastic`, with its noise and precision.

    noise: "fresh" at every step, or "frozen", the problem's own copies; precision of weights, features and products;
    products: JAX's precision of these, of which "high" and "default" are less than float32 on GPU and TPU; schedule:
    how the rate goes over the steps, a `Schedule` or its text.
    """

    noise: str = "fresh"
    precision: str = "float64"
    products: str = "highest"
    schedule: Parsed[str | Schedule, Schedule] = Parsed(read_schedule, CONSTANT)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, accepted in (("noise", NOISES), ("precision", PRECISIONS), ("products", PRODUCTS)):
            value = getattr(self, name)
            if value not in accepted:
                hint = nearest(str(value), accepted)
                raise ValueError(f"{name} must be one of {', '.join(accepted)}; got {value!r}{hint}")
        self.schedule.factory(self.optimizer)  # refused where the optimizer takes none

    def check(self, problem: Problem) -> None:
        """Raise ValueError for a problem whose noise cannot be drawn so."""
        copies = problem.noise_copies
        if self.noise == "fresh" and math.isfinite(copies):
            raise ValueError(f"fresh noise has no frozen copies; got noise_copies {copies:g}: take noise frozen")
        if self.noise == "frozen" and math.isinf(copies) and self.batch is not None:
            raise ValueError(
                f"frozen noise of inf copies is averaged over all samples; got batch {self.batch}: take batch full, "
                "finite noise_copies, or fresh noise"
            )

    @property
    def averaged(self) -> bool:
        """Whether every step sees the same moments."""
        return self.noise == "frozen" and self.batch is None


class Task(NamedTuple):
    """One draw, the moments of its training noise and of its population, and where its arrays live."""

    problem: Problem
    draw: Instance
    training: Moments
    population: Moments
    layout: DeviceLayout


class Record(NamedTuple):
    """L_train and L_test at a step, of the moving average of the weights; state: to go on from."""

    step: int
    train: float
    test: float
    state: loop.LoopState


def simulate(
    training: loop.Training,
    task: Task,
    stops: Iterable[int],
    *,
    state: loop.LoopState,
    keep: Callable[[loop.LoopState], None] | None = None,
    report: loop.Report | None = None,
) -> Iterator[Record]:
    """Train on from a `state`; a Record at each stop. `keep`, `report` and what is raised as in `loop.run`."""
    judge = Judge(task)
    # processes step together: how far is not for their clocks to say
    chunk = None if task.layout.processes == 1 else CHUNK
    for now in loop.run(training, state, stops, chunk=chunk, keep=keep, report=report):
        yield Record(int(now.step), *judge(now.average), now)


def training(setting: Simulation, task: Task, *, limit: float | None = None) -> loop.Training:
    """The loop's training of one draw; limit: the largest stable rate, for the message of a divergence."""
    require_float64()
    loss, parameters = _objective(setting, task)
    ceiling = GROWTH * max(task.training.constant, 1.0)
    factory, rate, decay = setting.schedule.factory(setting.optimizer), setting.rate, setting.decay
    return loop.Training(loss, factory, parameters, rate, decay, ceiling, limit, part="batch")


def initial(training: loop.Training, task: Task) -> loop.LoopState:
    """The state before the first step: weights zero, the noise of the run that of the draw's seed."""
    d, _, p = task.draw.sizes
    leaf = next(iter(jax.tree.leaves(training.parameters)))
    state = loop.initial(training, np.zeros((d, p), leaf.dtype), loop.key(task.draw.seed, "training/steps"))
    return placed(state, task)


def placed(state: loop.LoopState, task: Task) -> loop.LoopState:
    """A state's arrays where the run keeps them: those of the weights' shape divided over the features."""
    d, _, p = task.draw.sizes
    return task.layout.place_like(state, (d, p), 1)


class Judge:
    """L_train and L_test of weights A (dim, features), exact from the moments, in float64."""

    def __init__(self, task: Task) -> None:
        delta = noise_variance(task.problem.diffusion_time)
        self._host = arrays.namespace(task.training.second) is np
        place = _as_it_is if self._host else task.layout.place
        self._arguments = tuple(
            (place(one.second, 0), place(one.noise, 0), delta, one.constant) for one in (task.training, task.population)
        )

    def __call__(self, weights: Array) -> tuple[float, float]:
        """L_train and L_test."""
        train, test = _judged(np.asarray(weights) if self._host else weights, self._arguments)
        return float(train), float(test)


def recorded_steps(steps: int) -> NDArray[np.int64]:
    """0, whole steps spaced by PER_DECADE, and the last: those of a shorter run are among those of a longer one.

    >>> recorded_steps(10).tolist()
    [0, 1, 2, 3, 4, 6, 7, 10]
    """
    count = math.floor(PER_DECADE * math.log10(max(steps, 1))) + 1
    spaced = np.round(10 ** (np.arange(count) / PER_DECADE)).astype(np.int64)
    return np.unique([0, *spaced[spaced <= steps], steps])


def rounding(training: loop.Training, setting: Simulation, task: Task, state: loop.LoopState) -> float:
    """What the precision of a run costs a gradient at a state's weights (`objective.rounding`)."""
    key = jax.random.fold_in(jax.random.wrap_key_data(state.key, impl="threefry2x32"), state.step)
    found = objective.rounding(
        state.weights,
        key,
        training.parameters,
        function=task.draw.sigma.function,
        rows=setting.batch,
        products=setting.products,
    )
    return float(found)


def _objective(setting: Simulation, task: Task) -> tuple[loop.Loss, objective.Source]:
    problem, draw, place = task.problem, task.draw, task.layout.place
    delta, dtype = noise_variance(problem.diffusion_time), np.dtype(setting.precision)

    def put(array, axis: int | None = None) -> Array:
        return place(np.asarray(array, dtype) if isinstance(array, np.ndarray) else array.astype(dtype), axis)

    if setting.averaged:
        moments = task.training
        return objective.averaged(setting.products), objective.Averaged(
            put(moments.second, 0), put(moments.noise, 0), moments.constant, delta, problem.ridge
        )
    loss = objective.drawn(draw.sigma.function, setting.batch, setting.products)
    by = objective.Features(
        put(draw.weights / math.sqrt(draw.sizes.dim), 0), put(np.asarray(draw.sigma.offset)), delta, problem.ridge
    )
    if setting.noise == "fresh":
        return loss, objective.Fresh(by, put(draw.points), signal(problem.diffusion_time))
    x, xi = (np.concatenate(parts) for parts in zip(*frozen_draws(draw, problem), strict=True))
    return loss, objective.Frozen(by, put(x), put(xi))


def _as_it_is(array: arrays.Numbers, axis: int) -> arrays.Numbers:
    return array


@arrays.compiled
def _judged(weights, arguments):
    bar = weights.astype(float) / math.sqrt(weights.shape[1])
    return [weights_loss(bar, *one) for one in arguments]
