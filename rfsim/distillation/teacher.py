"""A teacher over a grid of diffusion times: one read-out per time, trained in closed form (equations.md T7, §7)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import placed
from rfsim.distillation.exact import ExactSpectra
from rfsim.distillation.networks import Network
from rfsim.learning.filters import learning_rate_constant
from rfsim.learning.timescales import rate_time
from rfsim.learning.trainers import Trainer
from rfsim.problem.diffusion import noise_variance
from rfsim.sample.spectra.readouts import readout


class TeacherFilter(NamedTuple):
    """How a teacher is trained: its trainer, its ridge, and its train_time at every level.

    None: stopped at each level between its generalizing and its memorizing directions (`between`).
    """

    trainer: Trainer
    ridge: float
    train_time: float | None


def teach(exact: ExactSpectra, taught: Sequence[TeacherFilter], tell: Callable[[int], None]) -> list[Network]:
    """One network per schooling, over the whole grid; U is decomposed, and shelved, at every time.

    Beside inputs networks read x_t and y as one vector, and write nothing where y stands.

    Raises ValueError where a trainer diverges, or float64 does not resolve U.
    """
    p, d = exact.weights.shape
    seen = exact.seen
    readouts = np.zeros((len(taught), len(exact.times), seen.shape[1], p))
    for k, time in enumerate(exact.times):
        tell(k)
        spectrum = exact.decompose(k)
        delta = noise_variance(float(time))
        kappa = learning_rate_constant(delta, p / d)
        for row, by in zip(readouts, taught, strict=True):
            trained = by.trainer.at(kappa, by.ridge)
            trained.require_stable(float(spectrum.points[-1]))
            stop = by.train_time
            if stop is None:
                stop = between(np.asarray(spectrum.points), exact.slices["gen"], delta, p / d)
            row[k, :d] = readout(spectrum.sources[0], spectrum.basis, trained.filter(stop)(spectrum.points), delta)
        del spectrum  # a p × p matrix less while the next one is decomposed
    weights, offsets = placed(seen), placed(exact.offsets)
    return [Network(weights, placed(row), offsets, exact.times) for row in readouts]


def between(points: NDArray[np.float64], gen: slice, delta: float, features_per_dim: float) -> float:
    """The train_time ψ_p/(Δλ) of the λ halfway, in log, from the smallest eigenvalue of gen to the largest below it."""
    lowest = points[gen.start]
    below = points[gen.start - 1] if gen.start and points[gen.start - 1] > 0 else lowest
    return rate_time(math.sqrt(lowest * below), delta, features_per_dim)
