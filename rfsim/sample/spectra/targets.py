"""What weights are judged on, a population, its classes or points, seen from a sampled U (`protocol.Target`)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from rfsim.computing.arrays import Numbers, compiled, namespace, put
from rfsim.computing.parallel import DeviceLayout
from rfsim.problem.conditions import Seen, mean_weights, seen_population
from rfsim.problem.diffusion import diffuse
from rfsim.problem.laws import ClassLaw, Law
from rfsim.problem.model import Problem
from rfsim.problem.realization import Instance, seen_held_out, seen_training
from rfsim.sample.moments import Moments
from rfsim.sample.moments.given import mean_second
from rfsim.sample.spectra.accurate import (
    averaged,
    population_above,
    training_moments,
)
from rfsim.sample.spectra.sample import SampleSpectrum

ROTATION_BLOCKS = 8


class SampleTarget(NamedTuple):
    """Ũ and Ṽ seen from a `SampleSpectrum`, as a `protocol.Target`; Q are its eigen- or Ritz vectors (T8).

    Attributes:
        second: QᵀŨQ, (points, points).
        noise: QᵀṼ, (points, dim).
        sources: The spectrum's own, (sources, points, dim).
        constant: Loss of the zero score.
        orders: Hermite orders of Ũ.
        error_bound: On Ũ.
    """

    second: Numbers
    noise: Numbers
    sources: Numbers
    constant: float
    orders: int
    error_bound: float

    def cross(self, g: Numbers, source: int = 0) -> Numbers:
        """Trace (1/d) Tr S_sourceᵀ g(U) Ṽ, as in `protocol.Target` (T8).

        Args:
            g: Values of a function of U at the points, (..., points).
            source: 0 is V, 1 a start.

        Returns:
            The trace, (...).
        """
        return g @ (self.sources[source] * self.noise).sum(1) / self.noise.shape[1]

    def overlap(self, f: Numbers, g: Numbers, left: int = 0, right: int = 0) -> Numbers:
        """Trace (1/d) Tr S_leftᵀ f(U) Ũ g(U) S_right, as in `protocol.Target` (T8).

        Args:
            f: Values of the function on the left at the points, (..., points).
            g: Values of the function on the right, (..., points).
            left: Source on the left: 0 is V, 1 a start.
            right: Source on the right.

        Returns:
            The trace, (...).
        """
        f, g = namespace(f, g).broadcast_arrays(f, g)
        flat = _overlap(
            f.reshape(-1, f.shape[-1]), g.reshape(-1, g.shape[-1]), self.sources[left], self.sources[right], self.second
        )
        return flat.reshape(f.shape[:-1]) / self.noise.shape[1]


def population_moments(
    problem: Problem,
    draw: Instance,
    spectrum: SampleSpectrum,
    *,
    tolerance: float = 1e-6,
    layout: DeviceLayout | None = None,
) -> Moments:
    """Ũ and Ṽ of the draw's population, to the accuracy that the spectrum's smallest eigenvalue asks for (T6).

    Args:
        problem: What is asked.
        draw: Its population, points and weights.
        spectrum: Of U.
        tolerance: Relative to λ_min + γ.
        layout: Of the devices over which their rows are divided.

    Returns:
        The moments.

    Raises:
        ValueError: Where the noise average needs too many orders.
    """
    floor = _smallest(spectrum) + problem.ridge
    return population_above(problem, draw, floor, tolerance=tolerance, layout=layout)


def fresh_noise_moments(
    problem: Problem, draw: Instance, spectrum: SampleSpectrum, *, tolerance: float = 1e-6
) -> Moments:
    """Moments of the training points with fresh noise, the target of L_emp, as accurate as `population_moments` (§1).

    Args:
        problem: What is asked.
        draw: Its population, points and weights.
        spectrum: Of U.
        tolerance: Relative to λ_min + γ.

    Returns:
        The moments.

    Raises:
        ValueError: Where the noise average needs too many orders.
    """
    floor = _smallest(spectrum) + problem.ridge
    return averaged(problem, draw, seen_training(draw, problem.diffusion_time), tolerance, floor)


def class_targets(
    problem: Problem, draw: Instance, spectrum: SampleSpectrum, *, tolerance: float = 1e-6
) -> Iterator[tuple[SampleTarget | None, SampleTarget | None]]:
    """Of each class in turn, what plays it as a population and its training points, as targets (§12).

    Args:
        problem: What is asked.
        draw: Its population of classes, or points with labels, and weights.
        spectrum: Of U, with its basis.
        tolerance: Relative to λ_min + γ.

    Yields:
        Both targets; None for the rows of a class of which none are held out, or none are trained on.

    Raises:
        ValueError: Where the noise average needs too many orders.
    """
    floor, classes = _smallest(spectrum) + problem.ridge, draw.classes
    assert classes is not None
    for k, law in enumerate(_class_laws(problem, draw)):
        # both matrices of a class are there once, in the eigenbasis
        target = None if law is None else sample_target(spectrum, averaged(problem, draw, law, tolerance, floor))
        kept = classes == k
        own = training_moments(problem, draw, tolerance, floor, kept=kept) if kept.any() else None
        yield target, None if own is None else sample_target(spectrum, own)


def _class_laws(problem: Problem, draw: Instance) -> Iterator[Law | Seen | None]:
    """What features see of each class: of a population, or of an array's held-out rows, None where it has none."""
    time = problem.diffusion_time
    if draw.labels is None:
        assert isinstance(draw.population, ClassLaw)
        yield from (diffuse(one, time) for one in draw.population.laws)
        return
    for k in range(draw.labels.classes):
        kept = draw.labels.held_out == k
        yield seen_held_out(draw, time, kept) if kept.any() else None


def condition_targets(
    problem: Problem, draw: Instance, spectrum: SampleSpectrum, population: SampleTarget, *, tolerance: float = 1e-6
) -> Iterator[SampleTarget]:
    """The population's mean given its inputs, and what these leave, as one target (§13).

    Args:
        problem: What is asked.
        draw: Its population, points, weights and inputs.
        spectrum: Of U, with its basis.
        population: Ũ and Ṽ seen from it.
        tolerance: Relative to λ_min + γ.

    Yields:
        Second E_y E[φ|y]E[φ|y]ᵀ, noise ṼΣ; nothing of an array, whose Σ is not known.

    Raises:
        ValueError: Where the average needs too many orders.
    """
    inputs, time = draw.inputs, problem.diffusion_time
    if inputs is None or inputs.told is None:
        return
    seen, means = seen_population(draw.weights, inputs, time), mean_weights(draw.weights, inputs, time)
    found = mean_second(seen, means, draw.sigma, target=tolerance * (_smallest(spectrum) + problem.ridge))
    second, noise = _rotate(spectrum.basis, found.second), population.noise * inputs.told.residual
    yield SampleTarget(second, noise, spectrum.sources, population.constant, found.orders, found.error_bound)


def sample_target(spectrum: SampleSpectrum, moments: Moments) -> SampleTarget:
    """A target's moments in the eigenbasis of a spectrum: the one change of basis (T8).

    Args:
        spectrum: With its basis.
        moments: Ũ and Ṽ, or those of any other target.

    Returns:
        The target.
    """
    return SampleTarget(
        _rotate(spectrum.basis, moments.second),
        spectrum.basis.T @ moments.noise,
        spectrum.sources,
        moments.constant,
        moments.orders,
        moments.error_bound,
    )


def _smallest(spectrum: SampleSpectrum) -> float:
    """The smallest eigenvalue that is not zero."""
    points = np.asarray(spectrum.points)
    return float(points[np.argmax(points > 0)])


@compiled
def _rotate(basis: Numbers, second: Numbers) -> Numbers:
    """QᵀMQ by blocks of columns, upper blocks only and mirrored: three quarters of the products, one p × p less."""
    p = second.shape[0]
    edges = np.linspace(0, p, min(ROTATION_BLOCKS, p) + 1).astype(int).tolist()
    out = namespace(second).zeros_like(second)
    for lo, hi in itertools.pairwise(edges):
        part = basis[:, :hi].T @ (second @ basis[:, lo:hi])
        out = put(out, (slice(hi), slice(lo, hi)), part)
        out = put(out, (slice(lo, hi), slice(lo)), part[:lo].T)
    return out


@compiled
def _overlap(f, g, left, right, second) -> Numbers:
    """Σ_kl f_k (left·rightᵀ ∘ second)_kl g_l for each row of f, g (times, points), by blocks of rows of `second`."""
    p = second.shape[0]
    block = min(256, p)

    def rows(f, left, second):
        return (f * (g @ (left @ right.T * second).T)).sum(1)

    if namespace(f, left, second) is np:
        blocks = (slice(at, at + block) for at in range(0, p, block))
        return sum(rows(f[:, here], left[here], second[here]) for here in blocks)

    def add(total, start):
        # the last block slides back to end at p: rows it shares with the one before are masked out
        at = jnp.minimum(start, p - block)
        fresh = (at + jnp.arange(block) >= start)[:, None]
        take = partial(jax.lax.dynamic_slice_in_dim, start_index=at, slice_size=block)
        return total + rows(take(f, axis=1), take(left) * fresh, take(second)), None

    return jax.lax.scan(add, jnp.zeros(f.shape[0]), jnp.arange(0, -(-p // block) * block, block))[0]
