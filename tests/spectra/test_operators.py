from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from rfsim import Problem
from rfsim.learning import filters
from rfsim.learning.curves import loss_curves
from rfsim.learning.trainers import FlowFilter
from rfsim.problem.activations import Constants
from rfsim.problem.data import stream
from rfsim.problem.diffusion import noise_variance
from rfsim.problem.realization import frozen_draws
from rfsim.sample.moments import Moments, sampled_moments
from rfsim.sample.spectra import Method, gaussian
from rfsim.sample.spectra.basis import KrylovBasis, SeenFrom
from rfsim.sample.spectra.gaussian import gaussian_spectrum, gaussian_target
from rfsim.sample.spectra.implicit import gaussian_krylov
from rfsim.sample.spectra.operators import gaussian_operators, gaussian_population, sampled_operators
from tests.test_gaussian import by_hand, drawn

TIMES = np.array([0.0, *np.geomspace(1e-2, 1e8, 25), np.inf])

CASES = {
    "averaged": Problem(samples_per_dim=2, features_per_dim=6),
    "mixture": Problem(samples_per_dim=2, features_per_dim=4, data="mixture:3"),
    "frozen": Problem(samples_per_dim=2, features_per_dim=5, noise_copies=3),
}


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.slow if case == "averaged" else ()) for case in sorted(CASES)]
)
def test_operators_are_the_matrices_written_out(case):
    problem = CASES[case]
    draw, c = drawn(problem, 6)
    (u, v, constant), (second, noise) = by_hand(problem, draw, c)
    training = gaussian_operators(problem, draw, c)
    population = gaussian_population(problem, draw, c)
    eye = jnp.eye(draw.sizes.features)
    for found, exact in ((training.second, u), (population.second, second)):
        np.testing.assert_allclose(found @ eye, exact, atol=1e-12)
        np.testing.assert_allclose(eye[:3] @ found, exact[:3], atol=1e-12)
        assert found.shape == exact.shape
    np.testing.assert_allclose(training.noise, v, atol=1e-13)
    np.testing.assert_allclose(population.noise, noise, atol=1e-13)
    assert training.constant == pytest.approx(constant, rel=1e-13)


def test_the_real_features_over_frozen_noise_make_an_operator():
    problem = Problem(samples_per_dim=2, features_per_dim=5, noise_copies=2, activation="relu")
    draw, _ = drawn(problem, 6)
    found = sampled_operators(problem, draw)
    exact = sampled_moments(draw.weights, frozen_draws(draw, problem), draw.sigma)
    np.testing.assert_allclose(found.second @ jnp.eye(30), exact.second, atol=1e-12)
    np.testing.assert_allclose(found.noise, exact.noise, atol=1e-13)
    assert found.constant == pytest.approx(exact.constant, rel=1e-13)


def test_omega_has_the_same_bytes_in_chunks(monkeypatch):
    draw, _ = drawn(CASES["averaged"], 6)
    alone = Constants(*(1.0 if name == "v2" else 0.0 for name in Constants._fields))
    monkeypatch.setattr(gaussian, "CHUNK_BYTES", 8 * 18 * 5)  # five rows of F
    chunks = list(gaussian._of_points(CASES["averaged"], draw, alone))
    assert [where.stop - where.start for where, _ in chunks] == [5] * 7 + [1]
    whole = stream(draw.seed, "gaussian/points").standard_normal((36, 12))
    np.testing.assert_array_equal(np.concatenate([rows for _, rows in chunks]), whole)


def test_the_gram_matrix_in_chunks_is_that_of_the_factor(monkeypatch):
    problem = CASES["averaged"]
    draw, c = drawn(problem, 6)
    factor = np.asarray(gaussian.gaussian_factor(problem, draw, c))
    monkeypatch.setattr(gaussian, "CHUNK_BYTES", 8 * 18 * 5)
    np.testing.assert_allclose(gaussian._gram(problem, draw, c), factor.T @ factor, atol=1e-13)
    np.testing.assert_allclose(gaussian.gaussian_factor(problem, draw, c), factor, atol=1e-15)


def assert_same_curves(problem, dim):
    """Losses of the Krylov route on operators and of the dual Gram route; returns the former's spectrum."""
    draw, c = drawn(problem, dim)
    spectrum = gaussian_spectrum(problem, draw, c)
    whole = spectrum, gaussian_target(problem, draw, c, spectrum)
    pair = gaussian_krylov(problem, draw, c)
    kappa = filters.learning_rate_constant(noise_variance(problem.diffusion_time), problem.features_per_dim)
    ours, exact = (loss_curves(*one, TIMES, FlowFilter(kappa, problem.ridge)) for one in (pair, whole))
    for name in ("train", "test", "gen", "cross"):
        np.testing.assert_allclose(getattr(ours, name), getattr(exact, name), rtol=1e-6, atol=1e-6, err_msg=name)
    return pair[0]


def test_a_basis_is_the_same_of_operators_and_of_matrices():
    problem = CASES["averaged"]
    draw, c = drawn(problem, 6)
    (u, v, _), (second, noise) = by_hand(problem, draw, c)
    implicit = gaussian_operators(problem, draw, c), gaussian_population(problem, draw, c)
    dense = [Moments(jnp.asarray(a), jnp.asarray(b), 1.0, 0, 0.0) for a, b in ((u, v), (second, noise))]
    found = []
    for training, population in (implicit, dense):
        basis, seen = KrylovBasis(training, 18, 0.0), SeenFrom(population)
        basis.extend()
        basis.extend()
        seen.extend(basis)
        found.append((basis.second, basis.sources, seen.second, seen.noise))
    for ours, exact in zip(*found, strict=True):  # the signs of basis vectors are free
        np.testing.assert_allclose(np.abs(ours), np.abs(exact), atol=1e-12)


@pytest.mark.slow
def test_the_krylov_route_on_operators_gives_the_losses_of_the_dual_route():
    problem = Problem(samples_per_dim=2, features_per_dim=12, data="atoms:0.5@0.5,0.5@1.5", ridge=1e-3)
    spectrum = assert_same_curves(problem, 10)
    assert (spectrum.blocks, len(spectrum.points)) == (3, 30)  # exhausted: n + d columns


@pytest.mark.slow
@pytest.mark.parametrize("diffusion_time", [0.01, 0.1, 1.0])
@pytest.mark.parametrize(("psi_n", "psi_p"), [(1, 32), (4, 16), (20, 50), (20, 100)])
@pytest.mark.parametrize(
    "differs", [{}, {"data": "atoms:0.3@0.2,0.7@2"}, {"data": "powerlaw:1", "ridge": 1e-2}], ids=str
)
def test_both_routes_agree_wherever_they_are_asked(psi_n, psi_p, diffusion_time, differs):
    problem = Problem(samples_per_dim=psi_n, features_per_dim=psi_p, diffusion_time=diffusion_time, **differs)
    assert assert_same_curves(problem, 20).blocks is not None


@pytest.mark.slow
@pytest.mark.parametrize("differs", [{"noise_copies": 2}, {"noise_copies": 2, "ridge": 1e-2}, {"activation": "linear"}])
def test_frozen_noise_and_a_linear_activation(differs):
    problem = Problem(samples_per_dim=2, features_per_dim=24, **differs)
    assert assert_same_curves(problem, 10).blocks is not None


@pytest.mark.slow
def test_a_space_of_more_than_half_the_features_is_decomposed_whole():
    spectrum = assert_same_curves(Problem(samples_per_dim=16, features_per_dim=8), 10)
    assert spectrum.blocks is None
    assert len(spectrum.points) == 80


def test_the_method_takes_the_route():
    assert not Method(model="gaussian", route="krylov").labels
    assert (
        Method(model="gaussian", route="krylov").check(CASES["averaged"], drawn(CASES["averaged"], 6)[0].sizes) is None
    )
