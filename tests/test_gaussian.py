from __future__ import annotations

import math
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest

import rfsim
from rfsim import Problem
from rfsim.computing import machine
from rfsim.learning import filters, losses
from rfsim.problem import data, model, origins, realization
from rfsim.problem.diffusion import diffuse, forward, noise_variance, signal
from rfsim.sample.spectra.gaussian import gaussian_spectrum, gaussian_target

TIMES = jnp.array([0.0, 1.0, 300.0, 1e5, jnp.inf])


def drawn(problem, dim, seed=0):
    origin = origins.source(problem)
    sizes = origins.resolve(problem, origin, dim)
    constants = model.constants(problem, realization.power(problem, origin, sizes))
    return realization.instance(problem, origin, sizes, seed), constants


def by_hand(problem, draw, c):
    """U, V, Ũ, Ṽ as equations.md §2 writes them, from the same draws."""
    d, n, p = draw.sizes
    t, w = problem.diffusion_time, draw.weights / math.sqrt(draw.sizes.dim)
    law = diffuse(draw.population, t)
    covariance = np.diag(law.variances) + sum(np.outer(mu, mu) for mu in law.centers) / len(law.centers)
    population = c.a**2 * w @ covariance @ w.T + (c.v2 + c.s2) * np.eye(p)
    omega = data.stream(draw.seed, "gaussian/points").standard_normal((p, n))
    if problem.noise_copies == math.inf:
        g = signal(t) * c.a * w @ draw.points.T + math.sqrt(c.v2) * omega
        u, v = g @ g.T / n + c.b**2 * w @ w.T + c.s2 * np.eye(p), c.b * w
        return (u, v, 1.0), (population, c.b * w)
    u, v, power = np.zeros((p, p)), np.zeros((p, d)), 0.0
    for copy in range(int(problem.noise_copies)):
        xi = data.stream(draw.seed, f"noise/{copy}").standard_normal((n, d))
        z = data.stream(draw.seed, f"gaussian/noise/{copy}").standard_normal((p, n))
        phi = c.a * w @ forward(draw.points, xi, t).T + math.sqrt(c.v2) * omega + math.sqrt(c.s2) * z
        u, v, power = u + phi @ phi.T, v + phi @ xi, power + (xi**2).sum()
    count = n * problem.noise_copies
    return (u / count, v / count, power / count / d), (population, c.b * w)


CASES = {
    "dual": Problem(samples_per_dim=2, features_per_dim=6),
    "dense": Problem(samples_per_dim=4, features_per_dim=3, diffusion_time=0.3),
    "anisotropic": Problem(samples_per_dim=2, features_per_dim=6, data="atoms:0.5@0.5,0.5@1.5", ridge=0.01),
    "mixture": Problem(samples_per_dim=2, features_per_dim=6, data="mixture:3"),
    "frozen": Problem(samples_per_dim=2, features_per_dim=5, noise_copies=3),
    "frozen late": Problem(samples_per_dim=2, features_per_dim=5, noise_copies=8, diffusion_time=20),
}


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.slow if case == "anisotropic" else ()) for case in sorted(CASES)]
)
def test_every_route_gives_the_losses_of_the_matrices_written_out(case):
    problem = CASES[case]
    draw, c = drawn(problem, 12)
    (u, v, constant), (second, noise) = by_hand(problem, draw, c)
    spectrum = gaussian_spectrum(problem, draw, c)
    target = gaussian_target(problem, draw, c, spectrum)
    np.testing.assert_allclose(spectrum.points, np.linalg.eigvalsh(u), rtol=1e-9, atol=1e-13)
    delta = noise_variance(problem.diffusion_time)
    f = filters.flow(TIMES, filters.learning_rate_constant(delta, problem.features_per_dim), problem.ridge)
    train, test = losses.train_loss(spectrum, [f]), losses.target_loss(spectrum, target, [f])
    lam, basis = np.linalg.eigh(u)
    if case.startswith("frozen"):
        lam[lam < 1e-12] = 0.0
    for k, values in enumerate(np.asarray(f(jnp.asarray(lam)))):
        weights = jnp.asarray(-(basis * np.where(lam > 0, values, 0.0)) @ (basis.T @ v) / math.sqrt(delta)).T
        assert float(train[k]) == pytest.approx(
            float(losses.weights_loss(weights, jnp.asarray(u), jnp.asarray(v), delta, constant)), rel=1e-9
        )
        assert float(test[k]) == pytest.approx(
            float(losses.weights_loss(weights, jnp.asarray(second), jnp.asarray(noise), delta)), rel=1e-9
        )


def test_the_null_part_is_an_atom_at_s2():
    result = rfsim.spectrum(CASES["dual"], dim=12, model="gaussian")
    null = result.eigenvalue.values[0, result.feature_part.values == 1]
    assert null.size == 72 - 24 - 12
    np.testing.assert_array_equal(null, float(result.s2))
    assert (result.eigenvalue.values[0, null.size :] > float(result.s2)).all()


def test_both_models_share_their_features_and_points():
    # the gen part is made of both: its eigenvalues agree, where Ω alone differs
    real, gaussian = (rfsim.spectrum(CASES["dual"], dim=40, model=name) for name in ("real", "gaussian"))
    of_gen = real.feature_part.values == 4
    ratio = gaussian.eigenvalue.values[0, of_gen] / real.eigenvalue.values[0, of_gen]
    assert np.abs(ratio - 1).max() < 0.1


@pytest.mark.slow
def test_a_wide_model_needs_no_square_matrix():
    # one 20000 × 20000 matrix would take 3 GiB: the peak of a process of its own stays below
    code = """
import rfsim
from rfsim.computing.machine import peak_memory
result = rfsim.train(rfsim.Problem(samples_per_dim=2, features_per_dim=2000), [1e2], dim=10, model="gaussian")
print(int(result["count"].sel(part="null")), peak_memory())
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert int(out[0]) == 20000 - 30
    assert int(out[1]) < 2 * 2**30


def test_its_size_is_not_refused_where_the_real_model_is(monkeypatch):
    monkeypatch.setattr(machine, "memory_limit", lambda: 2**30)
    problem = Problem(samples_per_dim=2, features_per_dim=2000)
    assert rfsim.spectrum(problem, dim=10, model="gaussian").sizes["feature"] == 20000
    with pytest.raises(MemoryError, match="20000 features needs about"):
        rfsim.train(problem, [1e2], dim=10)


@pytest.mark.slow
def test_a_model_without_a_linear_share_is_solved():
    # a = 0 for He_3 at Γ = 1: V = 0, nothing is learned, and nothing goes wrong
    for features_per_dim in (3, 8):
        problem = Problem(samples_per_dim=4, features_per_dim=features_per_dim, activation="hermite3")
        result = rfsim.train(problem, [1.0, np.inf], dim=8, model="gaussian")
        np.testing.assert_array_equal(result.test, 1.0)
        assert float(result.residual[0]) < 1e-12
