from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
import pytest

from rfsim import Problem
from rfsim.checking.notes import Note
from rfsim.computing.arrays import on_host
from rfsim.learning.curves import loss_curves
from rfsim.learning.filters import learning_rate_constant
from rfsim.learning.trainers import FlowFilter
from rfsim.problem import origins, realization
from rfsim.problem.diffusion import noise_variance
from rfsim.sample import moments, spectra
from rfsim.sample.spectra import krylov
from rfsim.sample.spectra.basis import KrylovBasis

TIMES = np.array([0.0, *np.geomspace(1e-2, 1e9, 28), np.inf])


def drawn(problem, dim, seed=0, array=None):
    origin = origins.source(problem, array=array)
    return realization.instance(
        problem, origin, origins.resolve(problem, origin, None if array is not None else dim), seed
    )


def dense(problem, draw):
    spectrum = spectra.sample_spectrum(problem, draw)
    return spectrum, spectra.sample_target(spectrum, spectra.population_moments(problem, draw, spectrum))


def curves(problem, pair):
    kappa = learning_rate_constant(noise_variance(problem.diffusion_time), problem.features_per_dim)
    return loss_curves(*pair, TIMES, FlowFilter(kappa, problem.ridge))


def assert_same_curves(problem, draw, *, largest_share=1.0):
    """L_train, L_test, L_gen and cross to 1e-6 at every time; returns the Krylov spectrum."""
    pair = spectra.krylov_spectrum(problem, draw, largest_share=largest_share)
    assert_close(problem, pair, dense(problem, draw))
    return pair[0]


def assert_close(problem, pair, other):
    ours, exact = curves(problem, pair), curves(problem, other)
    for name in ("train", "test", "gen", "cross"):
        np.testing.assert_allclose(getattr(ours, name), getattr(exact, name), rtol=1e-6, atol=1e-6, err_msg=name)


def columns(spectrum):
    return len(spectrum.points)


@pytest.mark.parametrize(
    ("ratio", "diffusion_time"),
    [
        pytest.param(ratio, t, marks=() if (ratio, t) == (4, 0.1) else pytest.mark.slow)
        for ratio in (0.25, 1, 4, 32)
        for t in (0.01, 0.1, 1.0)
    ],
)
def test_krylov_and_dense_give_the_same_curves(ratio, diffusion_time):
    """From the same moments: the route alone."""
    psi_n = {0.25: 8.0, 1: 6.0, 4: 2.0, 32: 1.0}[ratio]
    problem = Problem(samples_per_dim=psi_n, features_per_dim=ratio * psi_n, diffusion_time=diffusion_time)
    draw = drawn(problem, 8)
    training = krylov.certified_moments(problem, draw, 1e-6)
    floor = float(np.linalg.eigvalsh(np.asarray(training.second))[0])
    population = spectra.accurate.population_above(problem, draw, floor)
    pair = spectra.project(training, lambda floor: population)
    assert pair is not None
    assert_close(problem, pair, whole(training, population))
    assert pair[0].blocks >= 2
    assert pair[0].remaining <= 1e-6


@pytest.mark.slow
@pytest.mark.parametrize(("dim", "psi_n"), [(30, 1.0), (30, 2.0), (50, 1.0), (50, 4.0)])
@pytest.mark.parametrize("ratio", [0.25, 1, 4, 32])
@pytest.mark.parametrize("diffusion_time", [0.01, 0.1, 1.0])
def test_krylov_and_dense_give_the_same_curves_at_larger_sizes(dim, psi_n, ratio, diffusion_time):
    if dim * psi_n * ratio > 2000:
        psi_n = 1.0
    problem = Problem(samples_per_dim=psi_n, features_per_dim=ratio * psi_n, diffusion_time=diffusion_time)
    assert_same_curves(problem, drawn(problem, dim))


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{"ridge": 1e-3}, {"noise_copies": 4, "ridge": 1e-2}])
def test_ridge_and_frozen_noise(settings):
    problem = Problem(samples_per_dim=4, features_per_dim=24, **settings)
    spectrum = assert_same_curves(problem, drawn(problem, 10))
    assert columns(spectrum) < 240


@pytest.mark.slow
def test_frozen_noise_without_a_ridge_ends_at_the_rank():
    """n·m = 80 of 240 directions carry V; one rounding direction more would be flat and blow up at τ = ∞."""
    problem = Problem(samples_per_dim=4, features_per_dim=24, noise_copies=2)
    spectrum = assert_same_curves(problem, drawn(problem, 10))
    assert columns(spectrum) <= 80
    assert spectrum.points[0] > 1e-6


def gaussian_equivalent(dim, psi_n, features, *, seed=0):
    """U, V and Ũ, Ṽ with the constants of tanh at t = 0.1: U has the null eigenvalue s², and no V there."""
    a, v2, s2, b = 0.6057055, 0.01384145, 0.01357387, 0.2578835
    rng = np.random.default_rng(seed)
    n, signal = int(psi_n * dim), math.exp(-0.1)
    w, x = rng.standard_normal((features, dim)), rng.standard_normal((dim, n))
    g = signal * a * w @ x / math.sqrt(dim) + math.sqrt(v2) * rng.standard_normal((features, n))
    eye, noise = np.eye(features), b * w / math.sqrt(dim)
    second = g @ g.T / n + b**2 * w @ w.T / dim + s2 * eye
    training = moments.Moments(jnp.asarray(second), jnp.asarray(noise), 1.0, 1, 0.0)
    population = moments.Moments(jnp.asarray(a**2 * w @ w.T / dim + (v2 + s2) * eye), jnp.asarray(noise), 1.0, 1, 0.0)
    return training, population


def whole(training, population):
    lam, q = np.linalg.eigh(np.asarray(training.second))
    sources = jnp.asarray(q.T @ np.asarray(training.noise))[None]
    spectrum = spectra.SampleSpectrum(jnp.asarray(lam), jnp.asarray(q), sources, 1.0, 1, 0.0, 0.0)
    return spectrum, spectra.sample_target(spectrum, population)


@pytest.mark.slow
@pytest.mark.parametrize("psi_n", [1, 2, 3])
@pytest.mark.parametrize("features", [300, pytest.param(307, marks=pytest.mark.slow)])
def test_the_gaussian_equivalent_space_is_exhausted_after_psi_n_plus_one_blocks(psi_n, features):
    training, population = gaussian_equivalent(20, psi_n, features)
    pair = spectra.project(training, lambda floor: population, tolerance=1e-14)
    assert pair is not None
    assert pair[0].blocks == psi_n + 1
    assert columns(pair[0]) == 20 * (psi_n + 1)
    assert pair[0].remaining == 0.0
    assert pair[0].residual < 1e-12
    ours, exact = (loss_curves(*one, TIMES, FlowFilter(0.01)) for one in (pair, whole(training, population)))
    np.testing.assert_allclose(ours.train, exact.train, atol=1e-11)
    np.testing.assert_allclose(ours.test, exact.test, rtol=1e-10, atol=1e-10)


def test_the_last_block_may_be_narrower():
    """n = 1.5 d: the range of G needs half a block; the zero columns beyond it are no eigenvalues."""
    training, population = gaussian_equivalent(20, 1.5, 300)
    pair = spectra.project(training, lambda floor: population, tolerance=1e-14)
    assert pair is not None
    assert columns(pair[0]) == 50
    assert pair[0].points[0] > 0.0135
    ours, exact = (loss_curves(*one, TIMES, FlowFilter(0.01)) for one in (pair, whole(training, population)))
    np.testing.assert_allclose(ours.test, exact.test, rtol=1e-10, atol=1e-10)


@pytest.mark.slow
def test_dependent_columns_of_the_noise_moment_are_left_out():
    training, population = gaussian_equivalent(20, 2, 200)
    doubled = training.noise.at[:, 7].set(training.noise[:, 3])
    pair = spectra.project(training._replace(noise=doubled), lambda floor: population)
    assert pair is not None
    assert (pair[0].blocks, columns(pair[0])) == (4, 60)  # 19 + 19 + 19 + 3
    ours = loss_curves(*pair, TIMES, FlowFilter(0.01))
    exact = loss_curves(*whole(training._replace(noise=doubled), population), TIMES, FlowFilter(0.01))
    np.testing.assert_allclose(ours.test, exact.test, atol=1e-6)


@pytest.mark.slow
def test_fewer_features_than_dimensions_are_one_block():
    problem = Problem(samples_per_dim=2, features_per_dim=0.5)
    spectrum = assert_same_curves(problem, drawn(problem, 20))
    assert (spectrum.blocks, columns(spectrum)) == (1, 10)


@pytest.mark.slow
def test_repeated_data_points():
    array = np.repeat(np.random.default_rng(0).standard_normal((20, 8)), 4, axis=0)
    problem = Problem(samples_per_dim=3, features_per_dim=11.125)
    with pytest.warns(Note, match="60 rows that are copies"):
        draw = drawn(problem, None, array=array)
    assert draw.sizes.features == 89
    assert_same_curves(problem, draw)


def test_the_basis_is_orthonormal_and_its_products_are_right():
    training, _ = gaussian_equivalent(12, 6, 150, seed=3)
    pair = KrylovBasis(training, None, 0.0)
    for _ in range(5):
        pair.extend()
    k = np.asarray(pair.rows)[pair.indices(0, 5)].T
    np.testing.assert_allclose(k.T @ k, np.eye(60), atol=1e-14)
    np.testing.assert_allclose(pair.second, k.T @ np.asarray(training.second) @ k, atol=1e-12)
    np.testing.assert_allclose(k[:, :12] @ pair.sources, training.noise, atol=1e-14)


def test_a_basis_grows_in_memory_set_aside_and_beyond_it_to_the_same_bytes(monkeypatch):
    training, _ = gaussian_equivalent(12, 6, 150, seed=3)
    zeros = np.zeros

    def granted(shape, **given):
        if np.shape(shape) and shape[0] > 100:
            raise MemoryError
        return zeros(shape, **given)

    grown = [KrylovBasis(training, None, 0.0, expected) for expected in (0, 60, 1e12)]  # never more than the rank
    monkeypatch.setattr(np, "zeros", granted)
    grown.append(KrylovBasis(training, None, 0.0, 100))
    monkeypatch.undo()
    first = [one.rows for one in grown]
    for one in grown:
        for _ in range(5):
            one.extend()
    kept = [np.shares_memory(one.rows, rows) for one, rows in zip(grown, first, strict=True)]
    assert kept == [False, on_host(), on_host(), False]  # a device makes a new array each time
    for one in grown[1:]:
        np.testing.assert_array_equal(np.asarray(one.rows), np.asarray(grown[0].rows))


@pytest.mark.slow
def test_a_space_that_does_not_pay_is_left_for_the_whole_decomposition():
    problem = Problem(samples_per_dim=4, features_per_dim=8)
    draw = drawn(problem, 10)
    spectrum = assert_same_curves(problem, draw, largest_share=0.5)
    assert spectrum.blocks is None
    assert columns(spectrum) == 80


@pytest.mark.slow
def test_the_moments_are_certified_against_the_smallest_eigenvalue(monkeypatch):
    """An estimate of λ_min that is far too high is found out without a Ritz value seeing it."""
    problem = Problem(samples_per_dim=3, features_per_dim=6)
    draw = drawn(problem, 12)
    calls = []

    def careless(problem, draw, tolerance, floor):
        calls.append(floor)
        return spectra.accurate.training_moments(problem, draw, tolerance, 1e4 if floor is None else floor)

    monkeypatch.setattr(krylov, "training_moments", careless)
    found = krylov.certified_moments(problem, draw, 1e-6)
    smallest = float(np.linalg.eigvalsh(np.asarray(found.second))[0])
    assert len(calls) > 1
    assert found.error_bound <= 1e-6 * (smallest - found.error_bound)


def test_what_float64_does_not_resolve_is_refused():
    problem = Problem(samples_per_dim=20, features_per_dim=30, diffusion_time=0.1, noise_copies=10)
    with pytest.raises(ValueError, match="add a ridge"):
        spectra.krylov_spectrum(problem, drawn(problem, 2))
