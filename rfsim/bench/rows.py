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

from rfsim.computing import machine
from rfsim.computing.precision import in_float64
from rfsim.problem.model import Problem

REPEATS = 3
SIDE = 2048  # of the product that the attainable rate is measured with


class BenchRow(NamedTuple):
    """One measurement beside its floor.

    Attributes:
        name: Of the measurement.
        size: Of the problem, in words.
        seconds: Best of a few.
        floor: In seconds.
        ratio: Of the two.
        peak_memory: So far, in bytes.
        device: In words.
        against: What the floor is, in words.
        achieved: Operations of matrix products per second, where the floor counts them.
        attainable: The same of one large product.
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
    """The distillation that is measured.

    Attributes:
        dim: d.
        samples: n.
        features: p.
        levels: N.
    """

    dim: int = 10
    samples: int = 20
    features: int = 1000
    levels: int = 20


class Large(NamedTuple):
    """The problem beyond dense algebra that is measured, of the Gaussian-equivalent model.

    Attributes:
        dim: d.
        samples: n.
        features: p.
    """

    dim: int = 100
    samples: int = 2000
    features: int = 100_000

    @property
    def width(self) -> int:
        """Of F."""
        return self.samples + self.dim

    @property
    def problem(self) -> Problem:
        """As a problem."""
        return Problem(samples_per_dim=self.samples / self.dim, features_per_dim=self.features / self.dim)

    @property
    def size(self) -> str:
        """In words."""
        return f"d={self.dim} n={self.samples} p={self.features} t={self.problem.diffusion_time:g} model=gaussian"


class Swept(NamedTuple):
    """The sweeps that are measured.

    Attributes:
        plane: Cells along each axis of a plane of the limit.
        steps: Of a plane of γ⋆.
        cells: Small sampled cells.
        groups: For workers.
        side: Cells along each axis of the grid that is only planned.
    """

    plane: int = 20
    steps: int = 10
    cells: int = 100
    groups: int = 12
    side: int = 1000


class Case(NamedTuple):
    """The problem that is measured.

    Attributes:
        dim: d.
        samples: n.
        features: p.
        diffusion_time: t.
        cells: Along each axis of the theory's map.
        distilled: The distillation.
        large: The problem beyond dense algebra.
        swept: The sweeps.
        choices: Of the explorer.
    """

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
        """In words."""
        return f"d={self.dim} n={self.samples} p={self.features} t={self.diffusion_time:g}"

    @property
    def problem(self) -> Problem:
        """As a problem."""
        return Problem(
            samples_per_dim=self.samples / self.dim,
            features_per_dim=self.features / self.dim,
            diffusion_time=self.diffusion_time,
        )


def best_seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """The least of a few timings, after one that compiles.

    Args:
        work: What is timed; what it returns is waited for.
        repeats: Number of timings.

    Returns:
        The seconds.
    """
    jax.block_until_ready(work())
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        jax.block_until_ready(work())
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def product(rows: int, inner: int, columns: int, precision: str = "float64") -> Callable[[], jax.Array]:
    """One product rows × inner by inner × columns, compiled, at JAX's highest precision.

    Args:
        rows: Of the left factor.
        inner: Shared.
        columns: Of the right factor.
        precision: Of the numbers, such as "float64".

    Returns:
        A function that multiplies.
    """
    draw = np.random.default_rng(0).standard_normal
    left, right = (jnp.asarray(draw(shape), precision) for shape in ((rows, inner), (inner, columns)))
    multiply = jax.jit(partial(jnp.matmul, precision="highest"))
    return lambda: multiply(left, right)


def multiplications(rows: int, inner: int, columns: int) -> float:
    """Operations of one product rows × inner by inner × columns, additions among them.

    Args:
        rows: Of the left factor.
        inner: Shared.
        columns: Of the right factor.

    Returns:
        Their number.
    """
    return 2.0 * rows * inner * columns


@lru_cache(maxsize=2)
@in_float64
def attainable_rate(precision: str) -> float:
    """Operations per second of one large square product: what this machine does at best.

    Args:
        precision: Of the numbers, such as "float64".

    Returns:
        The rate.
    """
    return multiplications(SIDE, SIDE, SIDE) / best_seconds(product(SIDE, SIDE, SIDE, precision))


def against_rate(operations: float, seconds: float, precision: str = "float64") -> tuple[float, float]:
    """Operations of products per second, and those of one large product in the same run: the `rates` of a row.

    Args:
        operations: That the work cannot do without.
        seconds: Measured.
        precision: Of the numbers.

    Returns:
        Achieved and attainable.
    """
    return operations / seconds, attainable_rate(precision)


def as_row(
    name: str,
    size: str,
    seconds: float,
    floor: float,
    against: str,
    memory: int | None = None,
    rates: tuple[float, float] = (math.nan, math.nan),
) -> BenchRow:
    """A row of a measurement on this machine.

    Args:
        name: Of the measurement.
        size: Of the problem, in words.
        seconds: Measured.
        floor: In seconds.
        against: What the floor is, in words.
        memory: The peak before the floor was measured, in bytes, where measuring it takes more than the work.
        rates: Achieved and attainable operations per second.

    Returns:
        The row.
    """
    peak = machine.peak_memory() if memory is None else memory
    counted = [None if math.isnan(rate) else rate for rate in rates]
    return BenchRow(name, size, seconds, floor, seconds / floor, peak, ", ".join(machine.devices()), against, *counted)
