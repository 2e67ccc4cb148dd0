"""Rows of the sampled model: moments, decompositions, curves, and the published way of training."""

from __future__ import annotations

import math
import time
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np

from rfsim.bench.rows import BenchRow, Case, against_rate, as_row, best_seconds, multiplications, product
from rfsim.computing import machine
from rfsim.computing.parallel import decomposing
from rfsim.computing.precision import in_float64
from rfsim.disk import store
from rfsim.learning import published
from rfsim.learning.clocks import step_time
from rfsim.learning.curves import loss_curves
from rfsim.learning.filters import learning_rate_constant
from rfsim.learning.timescales import rate_time, smallest_bulk_eigenvalue
from rfsim.learning.trainers import FlowFilter
from rfsim.problem.diffusion import noise_variance
from rfsim.problem.model import constants
from rfsim.problem.origins import resolve, source
from rfsim.problem.realization import Instance, instance, training_law
from rfsim.sample.moments import Moments, averaged_moments
from rfsim.sample.spectra import population_moments, sample_spectrum, sample_target
from rfsim.sample.spectra.accurate import population_above
from rfsim.sample.spectra.eigen import eigh
from rfsim.sample.spectra.krylov import certified_moments, reduced
from rfsim.sampled.train import train

STEPS = 20
STABLE_SHARE = 0.5
TIMES = np.geomspace(1e-1, 1e7, 200)


@in_float64
def moments(case: Case) -> BenchRow:
    """U to the default tolerance, quadrature included, against K products p × n by n × p.

    K is the smallest number of orders whose bound meets the tolerance for the λ_min that U turns out to have.
    """
    compute = partial(averaged, case)
    seconds = best_seconds(lambda: compute().second)
    orders = compute(floor=float(decomposing(jnp.linalg.eigvalsh)(compute().second)[0])).orders
    floor = orders * best_seconds(product(case.features, case.samples, case.features))
    rates = against_rate(orders * multiplications(case.features, case.samples, case.features), seconds)
    against = f"{orders} products p × n by n × p"
    return as_row("moments", f"{case.size} K={orders}", seconds, floor, against, rates=rates)


@in_float64
def times(case: Case) -> BenchRow:
    """L_train and L_test at 200 training times, against the products that the quadratic form takes.

    The floor: p × d by d × p and p × p by p × 200, once each.
    """
    problem, draw = case.problem, drawn(case)
    spectrum = sample_spectrum(problem, draw)
    target = sample_target(spectrum, population_moments(problem, draw, spectrum))
    kappa = learning_rate_constant(noise_variance(case.diffusion_time), case.features / case.dim)
    seconds = best_seconds(lambda: loss_curves(spectrum, target, TIMES, FlowFilter(kappa)).test)
    p, d = case.features, case.dim
    floor = best_seconds(product(p, d, p)) + best_seconds(product(p, p, TIMES.size))
    rates = against_rate(multiplications(p, d, p) + multiplications(p, p, TIMES.size), seconds)
    return as_row("times", sized(case), seconds, floor, "products p × d by d × p and p × p by p × times", rates=rates)


def curve(case: Case) -> BenchRow:
    """A whole curve, from nothing to losses and timescales, against one decomposition and one change of basis."""
    seconds, memory = curve_seconds(case), machine.peak_memory()
    floor = decomposition_seconds(case.features) + _rotation_seconds(case.features)
    return as_row("curve", sized(case), seconds, floor, "one LAPACK decomposition and change of basis", memory)


def chosen(case: Case) -> BenchRow:
    """The same losses by the route that `train` chooses where nothing asks for parts, against the floor of `curve`."""
    started = time.perf_counter()
    result = train(case.problem, TIMES, dim=case.dim)
    seconds, memory = time.perf_counter() - started, machine.peak_memory()
    size = f"{sized(case)} route={store.settings(result)['route']}"
    floor = decomposition_seconds(case.features) + _rotation_seconds(case.features)
    return as_row("curve-auto", size, seconds, floor, "one LAPACK decomposition and change of basis", memory)


@in_float64
def krylov(case: Case) -> BenchRow:
    """From U, V, Ũ, Ṽ to the losses at 200 times by the Krylov route, against one decomposition of a p × p matrix."""
    problem, draw = case.problem, drawn(case)
    training = certified_moments(problem, draw, 1e-6)
    kept: list[Moments] = []

    def population(floor: float) -> Moments:
        if not kept:  # computed in the run that compiles, so the time of the moments is not in the row
            kept.append(population_above(problem, draw, floor))
        return kept[0]

    kappa = learning_rate_constant(noise_variance(case.diffusion_time), case.features / case.dim)
    ran: list[int | None] = []

    def compute() -> np.ndarray:
        pair = reduced(problem, draw, training, population)
        ran.append(pair[0].blocks)
        return loss_curves(*pair, TIMES, FlowFilter(kappa)).test

    seconds, memory = best_seconds(compute, repeats=1), machine.peak_memory()
    route = f"route=krylov blocks={ran[0]}" if ran[0] else "route=dense"
    floor = decomposition_seconds(case.features)
    return as_row("krylov", f"{sized(case)} {route}", seconds, floor, "one LAPACK decomposition", memory)


@in_float64
def baseline(case: Case) -> BenchRow:
    """The published script's way, repaired, to 10 τ_mem (B25's formula), extrapolated from a few steps and evaluations.

    STABLE_SHARE of the largest stable rate, and as many evaluations as `curve` has times; against the exact route of
    `curve` in this run. It is the first row, so that its peak memory is its own.
    """
    key, function = jax.random.key(0), case.problem.activation.function
    setting = _published(case)
    start = jnp.zeros((case.dim, case.features))
    a_step = best_seconds(lambda: published.descend(setting, start, key, count=STEPS, function=function)) / STEPS
    an_evaluation = best_seconds(lambda: published.monte_carlo_losses(setting, start, key, function=function))
    memory, steps = machine.peak_memory(), descent_steps(case)
    seconds = steps * a_step + TIMES.size * an_evaluation
    measured = f"steps={steps} of {1e3 * a_step:.3g} ms, extrapolated from {STEPS}"
    rates = against_rate(step_operations(case), a_step)
    size = f"{sized(case)} {measured}"
    return as_row("baseline", size, seconds, curve_seconds(case), "the exact route", memory, rates=rates)


def step_operations(case: Case) -> float:
    """Operations of a step of training over all points: three products of p × d by d × n.

    Args:
        case: The problem that is measured.

    Returns:
        Their number.
    """
    d, n, p = drawn(case).sizes
    return 3 * multiplications(p, d, n)


@lru_cache(maxsize=1)
@in_float64
def descent_steps(case: Case) -> int:
    """Steps to 10 τ_mem (B25's formula) at STABLE_SHARE of the largest stable rate."""
    psi_n, psi_p = case.problem.samples_per_dim, case.problem.features_per_dim
    edge = smallest_bulk_eigenvalue(constants(case.problem, drawn(case).population.power), psi_n, psi_p)
    time = rate_time(edge, noise_variance(case.diffusion_time), psi_p)
    return math.ceil(10 * time / step_time(_published(case).rate, case.dim))


def _published(case: Case) -> published.Setting:
    draw = drawn(case)
    return published.setting(case.problem, draw, jax.random.key(draw.seed), STABLE_SHARE)


def drawn(case: Case) -> Instance:
    """The draw that every row measures."""
    problem = case.problem
    origin = source(problem)
    return instance(problem, origin, resolve(problem, origin, case.dim), 0)


def averaged(case: Case, *, floor: float | None = None) -> Moments:
    """U and V of that draw, exact in the noise.

    Args:
        case: The problem that is measured.
        floor: As `averaged_moments` has it.

    Returns:
        The moments.
    """
    draw = drawn(case)
    law, scale = training_law(draw, case.diffusion_time), math.sqrt(noise_variance(case.diffusion_time))
    return averaged_moments(draw.weights, law, draw.sigma, noise_scale=scale, floor=floor)


@lru_cache(maxsize=1)
def curve_seconds(case: Case) -> float:
    """Seconds of one training of the case."""
    started = time.perf_counter()
    train(case.problem, TIMES, dim=case.dim, route="dense")
    return time.perf_counter() - started


@lru_cache(maxsize=1)
@in_float64
def decomposition_seconds(features: int) -> float:
    """One symmetric eigen-decomposition of a random matrix."""
    square = np.random.default_rng(1).standard_normal((features, features))
    matrix = jnp.asarray(square @ square.T / features)
    return best_seconds(lambda: eigh(matrix), repeats=1)


@in_float64
def _rotation_seconds(features: int) -> float:
    """The two products of a change of basis."""
    return 2 * best_seconds(product(features, features, features), repeats=1)


def sized(case: Case) -> str:
    """The problem and the number of its training times."""
    return f"{case.size} times={TIMES.size}"
