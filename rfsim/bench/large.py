"""Rows beyond dense algebra: 10⁵ features of the Gaussian-equivalent model, whose U would be 80 GB."""

from __future__ import annotations

import time

import jax
import jax.numpy as jnp
import numpy as np

from rfsim.bench.rows import BenchRow, Case, Large, against_rate, as_row, best_seconds, multiplications, product
from rfsim.computing import machine
from rfsim.computing.precision import in_float64
from rfsim.problem.activations import Constants
from rfsim.problem.model import Problem, constants
from rfsim.problem.origins import resolve, source
from rfsim.problem.realization import Instance, instance, power
from rfsim.sample.spectra.gaussian import gaussian_spectrum
from rfsim.sample.spectra.lanczos import PROBES, STEPS, quadrature
from rfsim.sample.spectra.operators import gaussian_operators
from rfsim.sampled.train import train

CHUNK = 4096  # features of the products that floors are measured with
TIMES = np.geomspace(1e-1, 1e7, 200)


@in_float64
def spectrum(case: Case) -> BenchRow:
    """Every eigenvalue by the dual route, W and X given, against FᵀF alone, of which symmetry leaves half."""
    large = case.large
    problem, draw, c = _drawn(large)
    started = time.perf_counter()
    jax.block_until_ready(gaussian_spectrum(problem, draw, c).points)
    seconds, memory = time.perf_counter() - started, machine.peak_memory()
    rates = against_rate(_gram_operations(large), seconds)
    return as_row("large-spectrum", large.size, seconds, _gram_seconds(large), GRAM, memory, rates=rates)


def curve(case: Case) -> BenchRow:
    """Spectrum, losses and timescales from nothing, against FᵀF alone."""
    large = case.large
    started = time.perf_counter()
    train(large.problem, TIMES, dim=large.dim, model="gaussian")
    seconds, memory = time.perf_counter() - started, machine.peak_memory()
    size, rates = f"{large.size} times={TIMES.size}", against_rate(_gram_operations(large), seconds)
    return as_row("large-curve", size, seconds, _gram_seconds(large), GRAM, memory, rates=rates)


@in_float64
def krylov(case: Case) -> BenchRow:
    """The losses by the Krylov route on products with F, from nothing, against the same blocks times F and Fᵀ."""
    large = case.large
    started = time.perf_counter()
    result = train(large.problem, TIMES, dim=large.dim, model="gaussian", route="krylov")
    seconds, memory = time.perf_counter() - started, machine.peak_memory()
    ran = float(result.blocks[0])
    blocks = int(ran) if np.isfinite(ran) else 1
    size = f"{large.size} times={TIMES.size} blocks={blocks}"
    floor, rates = _products(large, large.dim, blocks, seconds)
    return as_row("large-krylov", size, seconds, floor, PRODUCTS, memory, rates=rates)


@in_float64
def lanczos(case: Case) -> BenchRow:
    """Stochastic Lanczos quadrature, F given, against the products with F and Fᵀ alone."""
    large = case.large
    operator = gaussian_operators(*_drawn(large)).second
    started = time.perf_counter()
    quadrature(operator)
    seconds, memory = time.perf_counter() - started, machine.peak_memory()
    size = f"{large.size} probes={PROBES} steps={STEPS}"
    floor, rates = _products(large, PROBES, STEPS, seconds)
    return as_row("large-lanczos", size, seconds, floor, PRODUCTS, memory, rates=rates)


GRAM = "half of one product n + d × p by p × n + d"
PRODUCTS = "the blocks of vectors times F and Fᵀ"


def _drawn(large: Large) -> tuple[Problem, Instance, Constants]:
    problem = large.problem
    origin = source(problem)
    sizes = resolve(problem, origin, large.dim)
    return problem, instance(problem, origin, sizes, 0), constants(problem, power(problem, origin, sizes))


@in_float64
def _gram_seconds(large: Large) -> float:
    return best_seconds(product(large.width, CHUNK, large.width)) * large.features / CHUNK / 2


def _gram_operations(large: Large) -> float:
    return multiplications(large.width, large.features, large.width) / 2


def _products(large: Large, columns: int, count: int, seconds: float) -> tuple[float, tuple[float, float]]:
    """Seconds of so many products with a block of columns, and what the work achieved of their operations."""
    operations = 2 * count * multiplications(large.features, large.width, columns)
    return count * _product_seconds(large, columns), against_rate(operations, seconds)


def _product_seconds(large: Large, columns: int) -> float:
    """Seconds of x ↦ F(Fᵀx) for a block of columns, a chunk of features timed: chunks add up."""
    draw = np.random.default_rng(0).standard_normal
    factor, block = jnp.asarray(draw((CHUNK, large.width))), jnp.asarray(draw((CHUNK, columns)))
    apply = jax.jit(lambda f, x: f @ (f.T @ x))
    return best_seconds(lambda: apply(factor, block)) * large.features / CHUNK
