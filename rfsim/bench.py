"""Measurements of this machine, each beside its floor: operations over the measured rate, in the same run.

Ratios are what to compare between machines and between days; seconds are of this run alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from rfsim import machine
from rfsim.api import train
from rfsim.diffusion import noise_variance
from rfsim.filters import learning_rate_constant
from rfsim.model import Problem, instance, resolve, source, training_law
from rfsim.moments import Moments, averaged_moments
from rfsim.precision import in_float64
from rfsim.spectra import population_moments, sample_spectrum, sample_target
from rfsim.training.curves import flow_curves
from rfsim.words import nearest

REPEATS = 3
TIMES = np.geomspace(1e-1, 1e7, 200)


class Row(NamedTuple):
    """One measurement: seconds (best of a few), its floor in seconds, their ratio, peak memory so far in bytes."""

    name: str
    size: str
    seconds: float
    floor: float | None
    ratio: float | None
    peak_memory: int
    device: str


class Case(NamedTuple):
    """The problem that is measured."""

    dim: int = 100
    samples: int = 800
    features: int = 6400
    diffusion_time: float = 0.1

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


def run(names: Sequence[str] = (), case: Case | None = None) -> Iterator[Row]:
    """Rows of the measurements named (all by default), as they end. ValueError for an unknown name."""
    for name in names:
        if name not in MEASUREMENTS:
            known = ", ".join(MEASUREMENTS)
            raise ValueError(f"unknown measurement {name!r}; choose among {known}{nearest(name, MEASUREMENTS)}")
    for name, measure in MEASUREMENTS.items():
        if not names or name in names:
            yield measure(case or Case())


@in_float64
def moments(case: Case) -> Row:
    """U to the default tolerance, quadrature included, against K products p × n by n × p.

    K is the smallest number of orders whose bound meets the tolerance for the λ_min that U turns out to have.
    """
    law, draw = _law(case)
    scale, sigma = math.sqrt(noise_variance(case.diffusion_time)), draw.sigma

    def compute(floor: float | None = None) -> Moments:
        return averaged_moments(draw.weights, law, sigma, noise_scale=scale, floor=floor)

    seconds = _best(lambda: compute().second)
    orders = compute(floor=float(jnp.linalg.eigvalsh(compute().second)[0])).orders
    floor = orders * _best(_product(case.features, case.samples, case.features))
    return _row("moments", f"{case.size} K={orders}", seconds, floor)


@in_float64
def times(case: Case) -> Row:
    """L_train and L_test at 200 training times, against the products that the quadratic form takes.

    The floor: p × d by d × p and p × p by p × 200, once each.
    """
    problem, draw = case.problem, _draw(case)
    spectrum = sample_spectrum(problem, draw)
    target = sample_target(spectrum, population_moments(problem, draw, spectrum))
    kappa = learning_rate_constant(noise_variance(case.diffusion_time), case.features / case.dim)
    seconds = _best(lambda: flow_curves(spectrum, target, TIMES, kappa).test)
    p, d = case.features, case.dim
    floor = _best(_product(p, d, p)) + _best(_product(p, p, TIMES.size))
    return _row("times", f"{case.size} times={TIMES.size}", seconds, floor)


def curve(case: Case) -> Row:
    """A whole curve, from nothing to losses and timescales, against one decomposition and one change of basis."""
    problem, dim = case.problem, case.dim
    started = time.perf_counter()
    train(problem, TIMES, dim=dim)
    seconds = time.perf_counter() - started
    return _row("curve", f"{case.size} times={TIMES.size}", seconds, _algebra_seconds(case.features))


MEASUREMENTS: dict[str, Callable[[Case], Row]] = {"moments": moments, "times": times, "curve": curve}


def _draw(case: Case):
    problem = case.problem
    origin = source(problem)
    return instance(problem, origin, resolve(problem, origin, case.dim), 0)


def _law(case: Case):
    draw = _draw(case)
    return training_law(draw, case.diffusion_time), draw


def _product(rows: int, inner: int, columns: int) -> Callable[[], jax.Array]:
    """One float64 product rows × inner by inner × columns, compiled."""
    draw = np.random.default_rng(0).standard_normal
    left, right = jnp.asarray(draw((rows, inner))), jnp.asarray(draw((inner, columns)))
    multiply = jax.jit(jnp.matmul)
    return lambda: multiply(left, right)


@in_float64
def _algebra_seconds(features: int) -> float:
    """One symmetric eigen-decomposition and the two products of a change of basis, on a random matrix."""
    square = np.random.default_rng(1).standard_normal((features, features))
    matrix = jnp.asarray(square @ square.T / features)
    decompose = jax.jit(lambda a: jnp.linalg.eigh(a, symmetrize_input=False))
    started = time.perf_counter()
    _, basis = jax.block_until_ready(decompose(matrix))
    rotate = jax.jit(lambda q, a: q.T @ (a @ q))
    jax.block_until_ready(rotate(basis, matrix))
    return time.perf_counter() - started


def _best(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """The least of a few timings, after one that compiles."""
    jax.block_until_ready(work())
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        jax.block_until_ready(work())
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def _row(name: str, size: str, seconds: float, floor: float) -> Row:
    return Row(name, size, seconds, floor, seconds / floor, machine.peak_memory(), ", ".join(machine.devices()))
