"""One row of a measurement, the problem that is measured, and how times are taken."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import jax

from rfsim import machine
from rfsim.model import Problem

REPEATS = 3


class Row(NamedTuple):
    """One measurement: seconds (best of a few), its floor in seconds, their ratio, peak memory so far in bytes.

    against: what the floor is, in words.
    """

    name: str
    size: str
    seconds: float
    floor: float | None
    ratio: float | None
    peak_memory: int
    device: str
    against: str


class Distilled(NamedTuple):
    """The distillation that is measured."""

    dim: int = 10
    samples: int = 20
    features: int = 1000
    levels: int = 20


class Case(NamedTuple):
    """The problem that is measured; cells: along each axis of the theory's map."""

    dim: int = 100
    samples: int = 800
    features: int = 6400
    diffusion_time: float = 0.1
    cells: int = 100
    distilled: Distilled = Distilled()

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


def as_row(name: str, size: str, seconds: float, floor: float, against: str, memory: int | None = None) -> Row:
    """A row; `memory` is the peak before the floor was measured, where measuring it takes more than the work."""
    peak = machine.peak_memory() if memory is None else memory
    return Row(name, size, seconds, floor, seconds / floor, peak, ", ".join(machine.devices()), against)
