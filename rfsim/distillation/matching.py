"""Distribution matching and score identity: what pushes a generator's output (equations.md M11, M12).

The generator's samples G(z) are noised to y_k = α'G(z) + √Δ' ξ. There the teacher's score Ā_kφ is compared with the
score of the generator's own law, a critic F̄_kφ. `push` is, per draw, the gradient of the loss by α'G(z).
"""

from __future__ import annotations

import functools
import math
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import scipy.linalg

from rfsim.computing.arrays import Numbers, added, compiled, namespace, pointwise
from rfsim.computing.parallel import decomposing
from rfsim.distillation.methods import IDENTITY, MATCHING, SDS
from rfsim.distillation.moments import add_square
from rfsim.distillation.networks import Function, Network, features, read_out
from rfsim.problem.activations.probing import slope
from rfsim.problem.diffusion import noise_variance, signal

LEVELS = 3  # at which laws are compared: each costs a Gram matrix of all draws a step

_slope = functools.cache(slope)  # of one activation one function, and so one program


class Compared(NamedTuple):
    """A level at which the generator's law is compared with the teacher's.

    The features of the teacher and of the critic, W and σ's mean, and Ā_k; signal: α'; noise: √Δ'; weight: ω.
    """

    weights: Numbers
    offset: Numbers
    readout: Numbers
    signal: float
    noise: float
    weight: float

    def noisy(self, generated: Numbers, noise: Numbers) -> Numbers:
        """Samples of the generator taken up, α'G + √Δ'ξ, (rows, dim)."""
        return self.signal * generated + self.noise * noise


def used(levels: int) -> list[int]:
    """Levels at which laws are compared: the middle of each of at most `LEVELS` equal groups of levels [ours].

    >>> used(20), used(3)
    ([3, 10, 17], [1, 2, 3])
    """
    count = min(levels, LEVELS)
    return [int((group + 0.5) * levels / count + 0.5) for group in range(count)]


def compared(kind: str, teacher: Network) -> list[Compared]:
    """The levels of a teacher; ω is Δ_k, the weight of the denoising loss, and Δ_k² of identity, over their number."""
    times = [float(t) for t in teacher.times]
    ks = used(len(times) - 1)
    power = 2 if kind == IDENTITY else 1
    return [
        Compared(
            teacher.weights,
            teacher.offsets[k],
            teacher.readouts[k],
            signal(times[k] - times[0]),
            math.sqrt(noise_variance(times[k] - times[0])),
            noise_variance(times[k]) ** power / len(ks),
        )
        for k in ks
    ]


def stiffness(kind: str, teacher: Network) -> float:
    """A bound of the slope of Σω α' push by α'G in a Gaussian mode, whose H_k is Δ_k or more (M11, M12)."""
    times = [float(t) for t in teacher.times]
    ks = used(len(times) - 1)
    return (2 if kind == SDS else 4) * sum(signal(times[k] - times[0]) ** 2 for k in ks) / len(ks)


@partial(compiled, static=("kind", "function"))
def push(
    level: Compared, critic: Numbers | None, y: Numbers, noise: Numbers, *, kind: str, function: Function
) -> Numbers:
    """Of one level, (rows, dim): d·∂L/∂(α'G) over ω, the critic held fixed.

    critic: F̄ (dim, features), None of SDS, whose −ξ/√Δ' averages to nothing; y, noise: (rows, dim).
    """
    if critic is None:
        return -2 * read_out(level.weights, y, level.offset, function, level.readout)
    taught, own = level.readout, critic
    if kind == MATCHING:
        return 2 * read_out(level.weights, y, level.offset, function, own - taught)
    scaled = level.weights / math.sqrt(level.weights.shape[1])
    inner = y @ scaled.T
    phi = pointwise(function, inner) - level.offset
    dim, concatenate = len(taught), namespace(own).concatenate
    scores = phi @ concatenate([taught, own]).T
    apart, other = scores[:, :dim] - scores[:, dim:], scores[:, dim:] + noise / level.noise
    # of δ·(F̄φ + ξ/√Δ') by φ, δ = (Ā − F̄)φ, both through φ
    rows = concatenate([other, apart], axis=1) @ concatenate([taught - own, own])
    return (rows * pointwise(_slope(function), inner)) @ scaled


@partial(compiled, static=("function",), donated=(0,))
def add_moments(
    sums: tuple[Numbers, Numbers], level: Compared, y: Numbers, noise: Numbers, kept: Numbers, *, function: Function
) -> tuple[Numbers, Numbers]:
    """Sums φφᵀ (its upper blocks) and ξφᵀ with a chunk of draws more; kept: (rows,) of 0 and 1."""
    phi = features(level.weights, y, level.offset, function) * kept[:, None]
    return add_square(sums[0], phi), added(sums[1], ..., noise.T @ phi)


@partial(compiled, static=("function",))
def push_and_learn(
    level: Compared, critic: Numbers, y: Numbers, noise: Numbers, kept: Numbers, *, function: Function
) -> tuple[Numbers, Numbers]:
    """`push` of matching, and Σ (F̄φ + ξ/√Δ')φᵀ over the chunk, (dim, features): what a critic beside it learns.

    The latter is half of the gradient of its denoising loss over Δ'.
    """
    phi = features(level.weights, y, level.offset, function) * kept[:, None]
    scores = phi @ namespace(critic).concatenate([level.readout, critic]).T
    taught, own = scores[:, : len(critic)], scores[:, len(critic) :]
    return 2 * (own - taught), (own + noise / level.noise * kept[:, None]).T @ phi


def equilibrium(second: Numbers, along: Numbers, noise: float, ridge: float) -> Numbers:
    """F̄ = −(1/√Δ') E ξφᵀ (U + γ_f)⁻¹ (M11), NaN where U + γ_f is not positive.

    second: U (features, features); along: E ξφᵀ (dim, features).
    """
    if namespace(second) is not jnp:
        try:
            return -scipy.linalg.solve(_raised(second, ridge), along.T, assume_a="pos", check_finite=False).T / noise
        except scipy.linalg.LinAlgError:
            return along * float("nan")
    return -_solved(_raised(second, ridge), along.T).T / noise


@decomposing
@jax.jit
def _solved(second: Numbers, right: Numbers) -> Numbers:
    return jax.scipy.linalg.cho_solve(jax.scipy.linalg.cho_factor(second), right)


def _raised(second: Numbers, ridge: float) -> Numbers:
    return second + ridge * namespace(second).eye(len(second))
