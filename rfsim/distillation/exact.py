"""The exact U of one set of frozen features over a grid of diffusion times, and what it says of weights (§8).

Projectors, labels, energies and losses come from moments averaged exactly over the noise (T4); only the flow of a
student is computed from draws.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers, compiled, mapped, placed
from rfsim.distillation.cache import ArrayCache
from rfsim.distillation.measures import row_energies
from rfsim.learning.losses import weights_loss
from rfsim.problem.activations import Activation, centered
from rfsim.problem.conditions import joint, joint_variance
from rfsim.problem.diffusion import noise_variance, signal, total_variance
from rfsim.problem.model import Problem
from rfsim.problem.ranks import part_counts
from rfsim.problem.realization import Instance, training_law
from rfsim.sample.moments.paired import Level, mean_features, paired_second
from rfsim.sample.spectra import SampleSpectrum, part_slices, sample_spectrum
from rfsim.sample.spectra.accurate import population_above

TOLERANCE = 1e-6  # of C, over the smallest eigenvalue of U


class Judged(NamedTuple):
    """What the exact moments of one level say of weights M (…, dim, features), read as those of a score.

    energy: Σ_j λ_j (M q_j)² over each part by output row, (…, dim, parts); its mean over rows is the part's energy
    (1/d) Tr M P U P Mᵀ. train, test: the denoising losses (T1), (…). along: E (Mφ)_i ξ_i of every output row over the
    population, (…, dim). apart: (1/d)E‖Mφ − Aφ‖² from given weights A over the population, (…), NaN without them.
    """

    energy: NDArray[np.float64]
    train: NDArray[np.float64]
    test: NDArray[np.float64]
    along: NDArray[np.float64]
    apart: NDArray[np.float64]


class Paired(NamedTuple):
    """Moments of x_k and x_{k−1} with the same noise (M2): X and P (dim, features), C (features, features) or None."""

    own: Numbers
    steps: Numbers
    carried: Numbers | None


class ExactSpectra:
    """Eigenvalues, eigenvectors Q and QᵀV of every level's U, kept under the features' name."""

    def __init__(
        self,
        name: str,
        problem: Problem,
        draw: Instance,
        data_power: float,
        times: NDArray[np.float64],
        cache: ArrayCache,
        *,
        inputs_power: float | None = None,
    ) -> None:
        """draw: W of these features and the data; data_power, inputs_power: σ_x², E‖y‖²/d_y, which center σ."""
        self._name, self._problem, self._draw, self._cache = name, problem, draw, cache
        self.times, self._power, self._inputs_power = times, data_power, inputs_power
        self._constants: dict[int, float] = {}  # the zero score's L_train, which is not 1 over frozen noise
        d, n, p = draw.sizes
        beside = 0 if draw.inputs is None else draw.inputs.weights.shape[1]
        self.slices = part_slices(part_counts(p, n, d, problem.noise_copies, draw.sigma.degrees, inputs=beside))

    @property
    def weights(self) -> NDArray[np.float64]:
        """W (features, dim)."""
        return self._draw.weights

    @property
    def seen(self) -> NDArray[np.float64]:
        """Weights of all that the features see, x_t and inputs beside it as one vector, (features, coordinates)."""
        inputs = self._draw.inputs
        return self.weights if inputs is None else joint(self.weights, inputs)

    @property
    def offsets(self) -> NDArray[np.float64]:
        """What centers σ at each time, (grid,)."""
        return np.array([self.sigma(k).offset for k in range(len(self.times))])

    def sigma(self, k: int) -> Activation:
        """σ, centered at the time of index k."""
        return self._at(k)[1].sigma

    def decompose(self, k: int) -> SampleSpectrum:
        """U at the time of index k, decomposed, and kept."""
        found = sample_spectrum(*self._at(k))
        for name, values in (("points", found.points), ("basis", found.basis), ("noise", found.sources[0])):
            self._cache.put((self._name, name, k), values)
        self._constants[k] = found.constant
        return found

    def points(self, k: int) -> Numbers:
        """Eigenvalues ascending, (features,)."""
        return self._kept("points", k)

    def basis(self, k: int) -> Numbers:
        """Q (features, features)."""
        return self._kept("basis", k)

    def rows(self, k: int, part: str) -> Numbers:
        """The eigenvectors of one part, (count, features)."""
        return placed(np.array(self._cache.get((self._name, "basis", k))[:, self.slices[part]])).T

    def judge(self, k: int, several: list[Numbers], beside: Numbers | None = None) -> list[Judged]:
        """Energies and losses of arrays of weights at the time of index k, and their distances from others."""
        problem, draw = self._at(k)
        points, basis = self.points(k), self.basis(k)
        population = population_above(problem, draw, self._smallest(k) + problem.ridge)
        noise = self._kept("noise", k)
        delta = noise_variance(problem.diffusion_time)
        found = []
        for weights in several:
            flat = weights.reshape(-1, *weights.shape[-2:])
            losses = _losses(flat, points, basis, noise, self._constants[k], population.second, population.noise, delta)
            train, test = (np.asarray(row).reshape(weights.shape[:-2]) for row in losses[:2])
            along = np.asarray(losses[2]).reshape(weights.shape[:-1])
            apart = np.full(test.shape, np.nan)
            if beside is not None:
                apart = np.asarray(_distances(flat, placed(beside), population.second)).reshape(test.shape)
            energy = np.asarray(row_energies(weights, points, basis, self.slices))
            found.append(Judged(energy, train, test, along, apart))
        return found

    def population(self, k: int) -> tuple[Numbers, Numbers, float]:
        """Ũ (features, features), Ṽ (features, dim) and √Δ of the draw's population at the time of index k (T6)."""
        problem, draw = self._at(k)
        found = population_above(problem, draw, self._smallest(k) + problem.ridge)
        return found.second, found.noise, math.sqrt(noise_variance(problem.diffusion_time))

    def paired(self, k: int, *, carried: bool) -> Paired:
        """Exact moments of levels k and k − 1 with the same fresh noise (M2), of spectra that were decomposed."""
        draw = self._draw
        lower, upper = (
            Level(training_law(draw, float(self.times[j])), self._at(j)[1].sigma) for j in (k - 1, k)
        )  # fmt: skip
        mean = placed(mean_features(draw.weights, draw.points, upper))
        noise = (self.basis(k) @ self._kept("noise", k)).T
        times = (float(self.times[j]) for j in (k, k - 1))
        own, steps = (signal(t) * mean + math.sqrt(noise_variance(t)) * noise for t in times)
        target = TOLERANCE * self._smallest(k)
        second = paired_second(draw.weights, lower, upper, target=target) if carried else None
        return Paired(own, steps, None if second is None else placed(second))

    def _smallest(self, k: int) -> float:
        points = np.asarray(self.points(k))
        return float(points[points > 0][0])

    def _kept(self, name: str, k: int) -> Numbers:
        """In memory: what lies in a file is read once."""
        found = self._cache.get((self._name, name, k))
        return placed(np.array(found) if isinstance(found, np.memmap) else found)

    def _at(self, k: int) -> tuple[Problem, Instance]:
        time = float(self.times[k])
        total = joint_variance(total_variance(self._power, time), self._inputs_power)
        sigma = centered(self._problem.activation, math.sqrt(total))
        return replace(self._problem, diffusion_time=time), self._draw._replace(sigma=sigma)


@compiled
def _distances(weights, beside, second):
    """(1/d) Tr (M − A)Ũ(M − A)ᵀ of weights (count, dim, features), (count,)."""

    def one(readout: Numbers) -> Numbers:
        return (((readout - beside) @ second) * (readout - beside)).sum() / len(beside)

    return mapped(one, weights)


@compiled
def _losses(weights, points, basis, noise, constant, second, population_noise, delta):
    """L_train and L_test of weights (count, dim, features), (count,) each, and E (Mφ)_i ξ_i, (count, dim)."""

    def one(readout: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        train = weights_loss(readout @ basis, points, noise, delta, constant)
        test = weights_loss(readout, second, population_noise, delta)
        return train, test, (readout * population_noise.T).sum(axis=1)

    return mapped(one, weights)
