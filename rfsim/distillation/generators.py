"""A one-step generator that is moved by scores, as a flow over a fixed pool of draws (equations.md M11, M12).

G(z) = az + cB̄φ(z) at ε. Its flow is B̄' = −(c/ψ_p) Σ_k ω_kα'_k E[g_k φ(z)ᵀ] − (2c²γ/ψ_p)B̄ with g_k the push of level k,
in the eigenbasis of U = Eφ(z)φ(z)ᵀ, where it is stiff along the diagonal alone. The read-outs of critics that learn
beside it are blocks of the same flow, in the eigenbasis of U_k as it is at the beginning.
"""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers, added, compiled, namespace, placed
from rfsim.distillation import matching
from rfsim.distillation.exponential import Blocks
from rfsim.distillation.flow import decomposed
from rfsim.distillation.matching import Compared
from rfsim.distillation.methods import SDS
from rfsim.distillation.moments import CHUNK_ROWS, mirrored
from rfsim.distillation.networks import Function, Network, features
from rfsim.distillation.readers import jumped
from rfsim.learning.filters import learning_rate_constant
from rfsim.problem.diffusion import Step
from rfsim.sample.spectra.eigen import resolution

MARGIN = 1.5  # of a critic's rates over those of U_k at the beginning, for U_k moves with the generator


class Pool(NamedTuple):
    """The draws of a flow in chunks of one size, the last filled up with zeros.

    start: z, noise: ξ, (chunks, rows, dim); kept: 1 where there is a draw, (chunks, rows); total: of draws.
    """

    start: Numbers
    noise: Numbers
    kept: Numbers
    total: int


def pool(start: NDArray[np.float64], noise: NDArray[np.float64]) -> Pool:
    """Draws z and ξ (count, dim) in chunks of at most CHUNK_ROWS."""
    count = len(start)
    chunks = -(-count // CHUNK_ROWS)
    rows = -(-count // chunks)
    short = chunks * rows - count

    def cut(one: NDArray[np.float64]) -> Numbers:
        padded = np.pad(one, ((0, short), *((0, 0),) * (one.ndim - 1)))
        return placed(padded.reshape(chunks, rows, *one.shape[1:]))

    return Pool(cut(start), cut(noise), cut(np.ones(count)), count)


class Generator(NamedTuple):
    """What is moved.

    kind: of `methods.INTEGRATED`; weights, offset: of the generator's features; form: a and c; ridge: γ; start: B̄(0);
    function: σ of all features; critic_ratio: ρ, None where the critic is at equilibrium; critic_ridge: γ_f.
    """

    kind: str
    weights: Numbers
    offset: Numbers
    form: Step
    ridge: float
    start: Numbers
    function: Function
    critic_ratio: float | None
    critic_ridge: float


class GeneratorFlow:
    """The `exponential.Field` of a generator, with its critics where they learn beside it."""

    def __init__(self, generator: Generator, teacher: Network, eigen: tuple[Numbers, Numbers], draws: Pool) -> None:
        """eigen: eigenvalues and eigenvectors of U over these draws of z."""
        self._one, self._draws = generator, draws
        self._points, self._basis = eigen
        self._levels = matching.compared(generator.kind, teacher)
        self._spread = 1.0  # root mean square of the generator's output
        dim, p = generator.start.shape
        self._rate = learning_rate_constant(generator.form.score**2, p / dim)
        bound = matching.stiffness(generator.kind, teacher)
        main = self._rate * (bound / 2 * self._points + generator.ridge)
        self._bases: list[Numbers] = []
        self._metrics = [generator.form.score**2 * self._points / dim]
        rates = [main]
        if generator.critic_ratio is not None:
            generated = self._generated(generator.start)
            for level in self._levels:
                points, basis = decomposed(self._moments(level, generated)[0])
                self._bases.append(basis)
                self._metrics.append(level.noise**2 * points / dim)
                rates.append(self._critic_rate(level) * (MARGIN * points + generator.critic_ridge))
        self.rates: Blocks = tuple(rates)

    def begin(self) -> Blocks:
        """The generator's weights at the start, and critics that are the teacher."""
        critics = (level.readout @ basis for level, basis in zip(self._levels, self._bases, strict=False))
        return (self._one.start @ self._basis, *(one for one in critics))

    def readout(self, values: Blocks) -> Numbers:
        """B̄ (dim, features)."""
        return values[0] @ self._basis.T

    def slopes(self, values: Blocks) -> Blocks:
        """Of every block."""
        one, draws = self._one, self._draws
        generated = self._generated(self.readout(values))
        self._spread = math.sqrt(sum(float((x**2).sum()) for x in generated) / (draws.total * generated[0].shape[1]))
        pushes: list[Numbers] = [0.0] * len(generated)
        beside = []
        for number, level in enumerate(self._levels):
            if self._bases:
                found, slope = self._beside(level, values[number + 1] @ self._bases[number].T, generated)
                learned = slope @ self._bases[number] + one.critic_ridge * values[number + 1]
                beside.append(-self._critic_rate(level) * learned)
            else:
                critic = None if one.kind == SDS else self._equilibrium(level, generated)
                found = [
                    matching.push(level, critic, level.noisy(x, noise), noise, kind=one.kind, function=one.function)
                    for x, noise in zip(generated, draws.noise, strict=True)
                ]
            scale = level.weight * level.signal
            pushes = [total + scale * rows for total, rows in zip(pushes, found, strict=True)]
        along = _averaged(pushes, draws, one.weights, one.offset, one.function)
        own = namespace(along).where(self._points == 0, 0.0, along @ self._basis)
        main = -self._rate * (own / (2 * one.form.score) + one.ridge * values[0])
        return (main, *beside)

    def size(self, change: Blocks) -> float:
        """The larger of the change of the output, over its spread, and of the critics' estimates √Δ'F̄φ of the noise."""
        found = [math.sqrt(float((metric * part**2).sum())) for metric, part in zip(self._metrics, change, strict=True)]
        return float(np.max([found[0] / self._spread, *found[1:]]))  # NaN where one of them is

    def _generated(self, readout: Numbers) -> list[Numbers]:
        """G(z) by chunk, (rows, dim); 0 where there is no draw."""
        one = self._one
        own = one.weights, one.offset, readout[None], one.form.x, one.form.score
        found = (jumped(*own, z, function=one.function)[:, 0] for z in self._draws.start)
        return [x * kept[:, None] for x, kept in zip(found, self._draws.kept, strict=True)]

    def _moments(self, level: Compared, generated: list[Numbers]) -> tuple[Numbers, Numbers]:
        """U_k (features, features) and E ξφᵀ (dim, features) of the generator's law."""
        dim, p = level.readout.shape
        sums = placed(np.zeros((p, p))), placed(np.zeros((dim, p)))
        for x, noise, kept in zip(generated, self._draws.noise, self._draws.kept, strict=True):
            y = level.noisy(x, noise)
            sums = matching.add_moments(sums, level, y, noise, kept, function=self._one.function)
        return mirrored(sums[0], self._draws.total), sums[1] / self._draws.total

    def _equilibrium(self, level: Compared, generated: list[Numbers]) -> Numbers:
        second, along = self._moments(level, generated)
        # what float64 does not resolve would be noise over noise
        ridge = max(self._one.critic_ridge, resolution(len(second), float(second.diagonal().sum())))
        return matching.equilibrium(second, along, level.noise, ridge)

    def _beside(self, level: Compared, critic: Numbers, generated: list[Numbers]) -> tuple[list[Numbers], Numbers]:
        """The push by chunk where the critic learns beside, and E (F̄φ + ξ/√Δ')φᵀ, (dim, features)."""
        pushes, total = [], 0.0
        for x, noise, kept in zip(generated, self._draws.noise, self._draws.kept, strict=True):
            y = level.noisy(x, noise)
            found, slope = matching.push_and_learn(level, critic, y, noise, kept, function=self._one.function)
            pushes.append(found)
            total = total + slope
        return pushes, total / self._draws.total

    def _critic_rate(self, level: Compared) -> float:
        dim, p = level.readout.shape
        assert self._one.critic_ratio is not None
        return self._one.critic_ratio * learning_rate_constant(level.noise**2, p / dim)


def _averaged(pushes: list[Numbers], draws: Pool, weights: Numbers, offset: Numbers, function: Function) -> Numbers:
    """E gφ(z)ᵀ, (dim, features)."""
    dim = pushes[0].shape[1]
    total = placed(np.zeros((dim, len(weights))))
    for rows, z, kept in zip(pushes, draws.start, draws.kept, strict=True):
        total = _add(total, rows * kept[:, None], z, weights, offset, function=function)
    return total / draws.total


@partial(compiled, static=("function",), donated=(0,))
def _add(total: Numbers, rows: Numbers, z: Numbers, weights: Numbers, offset: Numbers, *, function: Function):
    return added(total, ..., rows.T @ features(weights, z, offset, function))
