"""Tasks of stochastic training whose moments are sums and quadratures written out, in two dimensions."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np

from rfsim.computing.parallel import DeviceLayout
from rfsim.learning import clocks
from rfsim.problem import model, origins, realization
from rfsim.problem.diffusion import noise_variance, signal
from rfsim.problem.laws import Law
from rfsim.sample.moments import Moments
from rfsim.sample.spectra.sample import SampleSpectrum
from rfsim.sample.spectra.targets import SampleTarget
from rfsim.simulation.run import Prepared
from rfsim.simulation.stochastic import Task

DIM = 2
NODES = 24


def problem(**settings):
    return model.Problem(**{"samples_per_dim": 3, "features_per_dim": 4, "diffusion_time": 0.5} | settings)


def task(of, *, seed=0, array=None):
    origin = origins.source(of, array=array)
    return prepared(of, realization.instance(of, origin, origins.resolve(of, origin, DIM), seed)).task


def prepared(of, draw, delta=None, layout=None, exact=True, tell=print) -> Prepared:
    """What `course.prepare` makes of a draw."""
    training, population = _training(of, draw), _averaged(of, draw, draw.population)
    u, v = np.asarray(training.second), np.asarray(training.noise)
    lam, q = np.linalg.eigh(u)
    lam = np.where(lam > 1e-12 * lam[-1], lam, 0.0)
    d, _, p = draw.sizes
    sources = jnp.asarray([q.T @ v * (lam > 0)[:, None]])
    spectrum = SampleSpectrum(jnp.asarray(lam), jnp.zeros(0), sources, training.constant, 0, 0.0, 0.0)
    turned = jnp.asarray(q.T @ population.second @ q), jnp.asarray(q.T @ population.noise)
    target = SampleTarget(*turned, sources, population.constant, 0, 0.0)
    limit = clocks.largest_stable_rate(float(lam[-1]), of.ridge, noise_variance(of.diffusion_time), p, d)
    return Prepared(
        Task(of, draw, training, population, layout or DeviceLayout()), limit, (spectrum, target) if exact else None
    )


def features(draw, x):
    """φ (rows, features)."""
    argument = np.asarray(x) @ draw.weights.T / math.sqrt(draw.sizes.dim)
    return np.asarray(draw.sigma.function(jnp.asarray(argument)) - draw.sigma.offset)


def frozen(of, draw):
    """x_t and ξ of every frozen copy, (samples · copies, dim) each."""
    return [np.concatenate(parts) for parts in zip(*realization.frozen_draws(draw, of), strict=True)]


def weights(a, one):
    """The filter's explicit weights Ā = −(1/√Δ) Vᵀ f(U), a filter of `rfsim.learning.filters`."""
    lam, q = np.linalg.eigh(np.asarray(one.training.second))
    f = np.asarray(a(jnp.asarray(lam)))
    return -(np.asarray(one.training.noise).T @ (q * f) @ q.T) / math.sqrt(noise_variance(one.problem.diffusion_time))


def _training(of, draw):
    if math.isinf(of.noise_copies):
        return _averaged(of, draw, Law(draw.points, np.zeros(DIM)))
    x, xi = frozen(of, draw)
    return _moments(features(draw, x), xi, np.full(len(x), 1 / len(x)), (xi**2).mean())


def _averaged(of, draw, law):
    """Over x_t = e^{−t}x + √Δ ξ; ξ given x_t and a center of x's law is √Δ/Γ² times its distance from there."""
    z, w = _quadrature()
    decay, delta = signal(of.diffusion_time), noise_variance(of.diffusion_time)
    total = decay**2 * law.variances + delta
    x = np.concatenate([decay * center + np.sqrt(total) * z for center in law.centers])
    count = len(law.centers)
    return _moments(features(draw, x), np.tile(np.sqrt(delta / total) * z, (count, 1)), np.tile(w, count) / count, 1.0)


def _moments(phi, xi, weight, constant):
    return Moments(jnp.asarray((phi.T * weight) @ phi), jnp.asarray((phi.T * weight) @ xi), float(constant), 0, 0.0)


def _quadrature():
    z, w = np.polynomial.hermite_e.hermegauss(NODES)
    grid = np.stack(np.meshgrid(z, z), -1).reshape(-1, DIM)
    return grid, np.outer(w, w).ravel() / (2 * math.pi)
