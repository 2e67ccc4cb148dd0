"""What every activation has to meet, built-in or a user's: one test per promise, over all of them."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate
from scipy.special import expit, ndtr

from rfsim import Problem
from rfsim.learning import filters, losses
from rfsim.problem import origins, populations, realization
from rfsim.problem.activations import ACTIVATIONS, activation, centered, gaussian_constants
from rfsim.problem.diffusion import diffuse, forward, noise_variance, signal
from rfsim.problem.laws import Law, score_power
from rfsim.sample import moments, spectra
from rfsim.sample.moments import averaged_moments

HERE = "tests.activations.callables:"
PLAIN = {  # each once more, for the reference integrators
    "tanh": np.tanh,
    "erf": np.vectorize(math.erf, otypes=[float]),
    "relu": lambda x: np.maximum(x, 0.0),
    "softplus": lambda x: np.logaddexp(x, 0.0),
    "gelu": lambda x: x * ndtr(x),
    "silu": lambda x: x * expit(x),
    "sine": np.sin,
    "hermite3": lambda x: (x**3 - 3 * x) / math.sqrt(6),
    "linear": lambda x: 1.0 * x,
    "hermite:1=1,4=0.2887": lambda x: x + 0.2887 * (x**4 - 6 * x**2 + 3) / math.sqrt(24),
    HERE + "HARD_TANH": lambda x: np.clip(x, -1.0, 1.0),
    HERE + "LEAKY_RELU": lambda x: np.where(x > 0, x, 0.2 * x),
    HERE + "SWISH": lambda x: x / (1 + np.exp(-x)),
    HERE + "swish": lambda x: x / (1 + np.exp(-x)),
    HERE + "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    HERE + "damped": lambda x: x * np.exp(-(x**2) / 8),
    HERE + "double": lambda x: 2.0 * x,
    HERE + "SQUARE": lambda x: x**2,
    HERE + "ABSOLUTE": np.abs,
}
every = pytest.mark.parametrize("name", PLAIN)
# one smooth and one kinked activation, and what takes a path of its own: fast; more of their kinds are slow
MORE = (
    "softplus",
    "gelu",
    "silu",
    "sine",
    "jax.nn:gelu",
    "hermite:1=1,4=0.2887",
    *(HERE + name for name in ("HARD_TANH", "LEAKY_RELU", "SWISH", "swish", "leaky_relu", "SQUARE", "ABSOLUTE")),
)
every_kind = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in MORE else ()) for name in PLAIN]
)


def test_every_named_activation_is_held_to_the_contract():
    assert set(ACTIVATIONS) <= set(PLAIN)


def gauss(f, points=()):
    """E f(u) by an adaptive integrator, split at `points`."""
    inside = sorted(x for x in points if -9 < x < 9)
    weight = lambda u: f(u) * math.exp(-u * u / 2) / math.sqrt(2 * math.pi)  # noqa: E731
    return integrate.quad(weight, -9, 9, epsabs=1e-13, epsrel=1e-12, limit=400, points=inside or None)[0]


@every
@pytest.mark.parametrize(("t", "sigma_x"), [(0.01, 1.0), (0.3, 2.0), (1.5, 0.7)])
def test_the_constants_equal_nested_adaptive_integrals(name, t, sigma_x):
    sigma, plain = activation(name), PLAIN[name]
    alpha, beta = signal(t) * sigma_x, math.sqrt(noise_variance(t))
    gamma = math.hypot(alpha, beta)
    kinks = np.array(sigma.kinks)
    mean = gauss(lambda z: plain(gamma * z), kinks / gamma)
    a = gauss(lambda z: plain(gamma * z) * z, kinks / gamma) / gamma

    smooth = lambda u: gauss(lambda v: plain(alpha * u + beta * v) - mean, (kinks - alpha * u) / beta)  # noqa: E731
    v2 = gauss(lambda u: smooth(u) ** 2, kinks / alpha) - a**2 * alpha**2
    s2 = gauss(lambda z: (plain(gamma * z) - mean) ** 2, kinks / gamma) - a**2 * gamma**2 - v2
    c = gaussian_constants(sigma, signal_variance=alpha**2, noise_variance=beta**2)
    np.testing.assert_allclose([c.a, c.b, c.v2, c.s2], [a, beta * a, v2, s2], rtol=1e-9, atol=1e-12)
    assert c.error <= 1e-12
    assert centered(sigma, gamma).offset == pytest.approx(mean if sigma.self_centering else 0.0, abs=1e-12)


@every_kind
@pytest.mark.parametrize("kind", ["training points", "population"])
def test_moments_lie_within_five_standard_errors_of_monte_carlo(name, kind):
    t, draws, dim = 0.3, 50_000, 5
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((6, dim))
    points = Law(rng.standard_normal((4, dim)), np.zeros(dim))
    law = points if kind == "training points" else populations.read("atoms:0.6@0.5,0.4@2").law(dim)
    sigma = centered(activation(name), 1.3)  # Γ is the problem's, whatever this law's own scale
    # 1e-6 is far below a standard error, and few orders reach it
    found = averaged_moments(weights, diffuse(law, t), sigma, noise_scale=math.sqrt(noise_variance(t)), floor=1.0)
    x = law.centers[np.arange(draws) % len(law.centers)]
    x = x + rng.standard_normal(x.shape) * np.sqrt(law.variances)
    xi = rng.standard_normal(x.shape)
    phi = PLAIN[name](forward(x, xi, t) @ weights.T / math.sqrt(dim)) - sigma.offset
    for exact, left, right in ((found.second, phi, phi), (found.noise, phi, xi)):
        products = left[:, :, None] * right[:, None, :]
        error = products.std(axis=0) / math.sqrt(draws)
        assert np.all(np.abs(products.mean(axis=0) - exact) <= 5 * error)


@every_kind
@pytest.mark.slow
def test_the_score_error_meets_the_test_loss(name):
    """E_score from (T2), with E φyᵀ from an adaptive integrator of its own, against L_test by the identity."""
    # frozen noise: the identity is about the population, and two draws of U take no series
    problem = Problem(
        samples_per_dim=3, features_per_dim=6, diffusion_time=0.2, noise_copies=2, ridge=0.01, activation=name
    )
    origin = origins.source(problem)
    draw = realization.instance(problem, origin, origins.resolve(problem, origin, 10), 0)
    spectrum = spectra.sample_spectrum(problem, draw)
    population = spectra.population_moments(problem, draw, spectrum)
    second = jnp.array(population.second)
    target = spectra.sample_target(spectrum, population)
    delta, law = noise_variance(0.2), diffuse(draw.population, 0.2)
    f = filters.flow(1e3, filters.learning_rate_constant(delta, 6.0), 0.01)
    weights = -spectrum.sources[0].T * f(spectrum.points) @ spectrum.basis.T / math.sqrt(delta)

    def slope(v):  # E σ(√v u) u/√v
        cuts = np.array(draw.sigma.kinks) / math.sqrt(v)
        return gauss(lambda u: PLAIN[name](math.sqrt(v) * u) * u / math.sqrt(v), cuts)

    v = (draw.weights**2 * law.variances).sum(1) / 10
    feature_data = np.array([slope(x) for x in v])[:, None] * draw.weights * law.variances / math.sqrt(10)
    np.testing.assert_allclose(moments.feature_data(population, law, math.sqrt(delta)), feature_data, atol=1e-12)
    direct = losses.weights_score_error(weights, second, jnp.asarray(feature_data), law.variances)
    identity = losses.score_error(losses.target_loss(spectrum, target, [f]), delta, score_power(law))
    assert float(identity) == pytest.approx(float(direct), rel=1e-9)
