"""The one small case that the tests of distillation share: its shapes are compiled once per process."""

from __future__ import annotations

import math

import numpy as np

from rfsim import Problem
from rfsim.distillation.cache import ArrayCache
from rfsim.distillation.exact import ExactSpectra
from rfsim.distillation.networks import Network
from rfsim.distillation.teacher import TeacherFilter, teach
from rfsim.problem import origins, realization
from rfsim.problem.data import stream
from rfsim.problem.diffusion import Step, forward
from rfsim.sampled import distill

DIM, FEATURES = 3, 12
TINY = Problem(samples_per_dim=2, features_per_dim=4)  # n = 6: 3 directions in each of gen, main, mini and null
TIMES = np.array([0.02, 0.3, 1.2])


def drawn(problem=TINY, seed=0, dim=DIM) -> realization.Instance:
    origin = origins.source(problem)
    return realization.instance(problem, origin, origins.resolve(problem, origin, dim), seed)


def spectra_of(problem=TINY, seed=0, dim=DIM, times=TIMES, shelf=None) -> ExactSpectra:
    """Exact spectra over the grid, not yet decomposed; isotropic data have σ_x² = 1."""
    return ExactSpectra("teacher", problem, drawn(problem, seed, dim), 1.0, times, shelf or ArrayCache())


def taught(*schools: TeacherFilter, **given) -> tuple[ExactSpectra, list[Network]]:
    exact = spectra_of(**given)
    return exact, teach(exact, schools, lambda _: None)


def any_network(seed=0, features=FEATURES, offsets=(0.1, 0.2, 0.3), size=0.3) -> Network:
    """Read-outs that nothing has trained."""
    rng = np.random.default_rng(seed)
    readouts = size * rng.standard_normal((len(TIMES), DIM, features))
    return Network(rng.standard_normal((features, DIM)), readouts, np.array(offsets), TIMES)


def phi(network, k, x, function=np.tanh):
    """Features in plain NumPy, (rows, features)."""
    return function(x @ np.asarray(network.weights).T / math.sqrt(DIM)) - np.asarray(network.offsets)[k]


def moved(step: Step, network, level, x, function=np.tanh):
    """One step of the teacher from `level` down, in plain NumPy."""

    def score(k, y):
        return phi(network, k, y, function) @ np.asarray(network.readouts)[k].T

    first = step.x * x + step.score * score(level, x)
    if not step.half:
        return first
    # Heun: the mean of the slopes at both ends, over the whole step 2·half
    return x + step.half * ((x + score(level, x)) + (first + score(level - 1, first)))


def noisy(law, time, seed, use, count):
    """What `Noisy` draws, in plain NumPy: clean points in turn and their noise."""
    clean = law.centers[np.arange(count) % len(law.centers)]
    if law.variances.any():
        clean = clean + stream(seed, f"{use}/clean").standard_normal(clean.shape) * np.sqrt(law.variances)
    return forward(clean, stream(seed, f"{use}/noise").standard_normal(clean.shape), time)


def settings(problem, sizes, distill_times=distill.DISTILL_TIMES, **options):
    """What a result of these options is identified by, beside the problem's own settings."""
    asked = distill.plan(problem, distill_times, **options)
    draws = asked.number_of_draws(asked.student_features(sizes))
    return asked.settings(draws) | {"instability": False, "transfer": False}
