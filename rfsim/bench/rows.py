"""One row of a measurement, the problem that is measured, and how times are taken."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from rfsim import machine
from rfsim.model import Problem
from rfsim.precision import in_float64

REPEATS = 3
SIDE = 2048  # of the product that the attainable rate is measured with


class Row(NamedTuple):
    """One measurement: seconds (best of a few), its floor in seconds, their ratio, peak memory so far in bytes.

    against: what the floor is, in words. achieved, attainable: operations of matrix products per second, where the
    floor counts them.
    """

    name: str
    size: str
    seconds: float
    floor: float | None
    ratio: float | None
    peak_memory: int
    device: str
    against: str
    achieved: float | None = None
    attainable: float | None = None


class Distilled(NamedTuple):
    """The distillation that is measured."""

    dim: int = 10
    samples: int = 20
    features: int = 1000
    levels: int = 20


class Large(NamedTuple):
    """The problem beyond dense algebra that is measured, of the Gaussian-equivalent model."""

    dim: int = 100
    samples: int = 2000
    features: int = 100_000

    @property
    def width(self) -> int:
        """Of F."""
        return self.samples + self.dim

    @property
    def problem(self) -> Problem:
        return Problem(samples_per_dim=self.samples / self.dim, features_per_dim=self.features / self.dim)

    @property
    def size(self) -> str:
        return f"d={self.dim} n={self.samples} p={self.features} t={self.problem.diffusion_time:g} model=gaussian"


class Swept(NamedTuple):
    """The sweeps that are measured: cells along each axis of a plane of the limit, small sampled cells, groups for
    workers, cells along each axis of the grid that is only planned.
    """

    plane: int = 20
    cells: int = 100
    groups: int = 12
    side: int = 1000


class Case(NamedTuple):
    """The problem that is measured; cells: along each axis of the theory's map; choices: of the explorer."""

    dim: int = 100
    samples: int = 800
    features: int = 6400
    diffusion_time: float = 0.1
    cells: int = 100
    distilled: Distilled = Distilled()
    large: Large = Large()
    swept: Swept = Swept()
    choices: int = 60

    @property
    def size(self) -> str:
        return f"d={self.dim} n={self.samples} p={self.features} t={self.diffusion_time:g}"

    @property
    def problem(self) -> Problem:
        return Problem(
            samples_per_dim=self.samples / self.dim,
            features_per_dim=self.features / self.dim,
            diffusion_time=self.diffusion_time,
        )


def best_seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """The least of a few timings, after one that compiles."""
    jax.block_until_ready(work())
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        jax.block_until_ready(work())
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def product(rows: int, inner: int, columns: int, precision: str = "float64") -> Callable[[], jax.Array]:
    """One product rows × inner by inner × columns, compiled, at JAX's highest precision."""
    draw = np.random.default_rng(0).standard_normal
    left, right = (jnp.asarray(draw(shape), precision) for shape in ((rows, inner), (inner, columns)))
    multiply = jax.jit(partial(jnp.matmul, precision="highest"))
    return lambda: multiply(left, right)


@lru_cache(maxsize=2)
@in_float64
def attainable_rate(precision: str) -> float:
    """Operations per second of one large square product: what this machine does at best."""
    return 2 * SIDE**3 / best_seconds(product(SIDE, SIDE, SIDE, precision))


def as_row(
    name: str,
    size: str,
    seconds: float,
    floor: float,
    against: str,
    memory: int | None = None,
    rates: tuple[float, float] = (math.nan, math.nan),
) -> Row:
    """A row; `memory` is the peak before the floor was measured, where measuring it takes more than the work; rates:
    achieved and attainable.
    """
    peak = machine.peak_memory() if memory is None else memory
    counted = [None if math.isnan(rate) else rate for rate in rates]
    return Row(name, size, seconds, floor, seconds / floor, peak, ", ".join(machine.devices()), against, *counted)
