from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import rfsim
from rfsim import Problem
from rfsim.problem.data import stream
from rfsim.sample.spectra import lanczos
from rfsim.sample.spectra.operators import Factored

SIZE, PROBES, STEPS = 400, 32, 20  # of every fast test: one compiled program
CLUSTERS = np.concatenate([np.linspace(1, 2, 320), np.linspace(10, 12, 60), np.linspace(50, 80, 20)])


def with_spectrum(eigenvalues):
    """A dense symmetric matrix with these eigenvalues."""
    q, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((SIZE, SIZE)))
    return jnp.asarray((q * np.asarray(eigenvalues)) @ q.T)


def found_of(matrix):
    return lanczos.quadrature(matrix, probes=PROBES, steps=STEPS)


def signs(seed=0):
    return 2.0 * stream(seed, "lanczos/probes").integers(0, 2, size=(PROBES, SIZE)) - 1


@pytest.fixture(scope="module")
def clusters():
    with jax.enable_x64(True):
        return found_of(with_spectrum(CLUSTERS))


def test_the_quadrature_of_every_probe_is_exact_for_polynomials(clusters):
    matrix, powers = np.asarray(with_spectrum(CLUSTERS / 80)), signs().T
    for power in range(2 * STEPS):
        exact = (signs().T * powers).sum(0) / SIZE
        np.testing.assert_allclose((clusters.weights * (clusters.nodes / 80) ** power).sum(1), exact, rtol=1e-9)
        powers = matrix @ powers
    assert (np.diff(clusters.nodes) > 0).all()


def test_nodes_weights_and_residuals_are_those_of_ritz_vectors(clusters):
    matrix = np.asarray(with_spectrum(CLUSTERS))
    basis = [signs()[0] / np.sqrt(SIZE)]
    for _ in range(STEPS - 1):
        product = matrix @ basis[-1]
        for _ in range(2):
            product -= np.transpose(basis) @ (np.array(basis) @ product)
        basis.append(product / np.linalg.norm(product))
    k = np.array(basis)
    theta, vectors = np.linalg.eigh(k @ matrix @ k.T)
    x = k.T @ vectors
    np.testing.assert_allclose(clusters.nodes[0], theta, rtol=1e-9)
    np.testing.assert_allclose(clusters.weights[0], vectors[0] ** 2, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(clusters.residuals[0], np.linalg.norm(matrix @ x - theta * x, axis=0), atol=1e-8)


def test_masses_lie_within_their_errors_and_these_are_what_signs_give(clusters):
    total = 0.0
    for lower, upper, count in ((0, 5, 320), (5, 20, 60), (20, 100, 20)):
        value, error = lanczos.mass(clusters, lower, upper)
        share = count / SIZE
        assert abs(value - share) < 3 * error
        # of a projector P on `count` directions at random: variance 2 (tr P − Σ P_ii²)/p²
        assert error == pytest.approx(np.sqrt(2 * share * (1 - share) / SIZE / PROBES), rel=0.4)
        total += value
    assert total == pytest.approx(1, abs=1e-13)


def test_a_space_that_ends_has_the_eigenvalues_and_no_more():
    found = found_of(with_spectrum([1.0] * 200 + [2.0] * 150 + [5.0] * 50))
    np.testing.assert_allclose(found.nodes[:, :3], [[1, 2, 5]] * PROBES, atol=1e-12)
    np.testing.assert_array_equal(found.weights[:, 3:], 0)
    np.testing.assert_allclose(found.weights.sum(1), 1, atol=1e-13)
    same = found_of(jnp.eye(SIZE))  # U z − z may be exactly 0, and 0/0 follows
    np.testing.assert_allclose(same.nodes, 1, atol=1e-13)
    assert lanczos.edges(same)[0].residual == 0


def test_edges_lie_within_their_residuals_of_an_eigenvalue(clusters):
    low, high = lanczos.edges(clusters)
    for edge in (low, high):
        assert np.abs(CLUSTERS - edge.value).min() <= edge.residual + 1e-12
        assert 1 - 1e-12 <= edge.value <= 80 + 1e-12
    assert high.value == pytest.approx(80, abs=0.2)
    assert low.value == pytest.approx(1, abs=0.1)  # 320 eigenvalues crowd there, and 20 steps do not part them


def test_the_smoothed_density_holds_the_mass(clusters):
    points = np.geomspace(0.5, 200, 2000)
    heights = lanczos.smoothed(clusters, points, 0.05)
    assert np.trapezoid(heights, np.log(points)) == pytest.approx(1, abs=1e-9)
    inside = points < 5
    mass = lanczos.mass(clusters, 0, 5)[0]
    assert np.trapezoid(heights[inside], np.log(points[inside])) == pytest.approx(mass, abs=1e-5)


def test_fewer_steps_are_part_of_more(clusters):
    fewer = lanczos.shortened(clusters, 6)
    powers = (clusters.nodes / 80) ** np.arange(12)[:, None, None]
    exact = (clusters.weights * powers).sum(-1)  # both are exact up to degree 11
    np.testing.assert_allclose((fewer.weights * (fewer.nodes / 80) ** np.arange(12)[:, None, None]).sum(-1), exact)
    np.testing.assert_allclose(lanczos.shortened(clusters, STEPS).residuals, clusters.residuals)


@pytest.mark.slow
def test_what_more_steps_change_shows_before_it_is_made():
    """Next to a narrow gap 50 steps put mass into mini that is main's: the last steps' change says so."""
    problem = Problem(samples_per_dim=8, features_per_dim=64)
    few, many = (rfsim.density(problem, dim=100, steps=steps).isel(seed=0).sel(part="mini") for steps in (50, 100))
    assert abs(float(few.mass - few.rank_mass)) > 3 * float(few.mass_error)
    assert abs(float(few.mass_change)) > 3 * float(few.mass_error)
    assert abs(float(many.mass - many.rank_mass)) < 3 * float(many.mass_error)
    assert abs(float(many.mass_change)) < float(many.mass_error)


@pytest.mark.slow
def test_a_probe_is_the_same_in_any_block_and_among_any_number(monkeypatch):
    factor = np.random.default_rng(1).standard_normal((50, 6))
    operator = Factored(jnp.asarray(factor), jnp.asarray(0.5))
    together = lanczos.quadrature(operator, probes=5, steps=5)
    np.testing.assert_allclose(lanczos.quadrature(operator, probes=2, steps=5).nodes, together.nodes[:2], rtol=1e-10)
    monkeypatch.setattr(lanczos, "BLOCK_BYTES", 8 * 5 * 50 * 2)
    assert lanczos.blocks(5, 5, 50) == [2, 2, 1]
    np.testing.assert_allclose(lanczos.quadrature(operator, probes=5, steps=5).nodes, together.nodes, rtol=1e-10)


@pytest.mark.slow
def test_all_steps_give_the_eigenvalues():
    low, high = lanczos.edges(lanczos.quadrature(with_spectrum(CLUSTERS), probes=2, steps=SIZE))
    assert (low.value, high.value) == pytest.approx((1, 80), rel=1e-10)
    assert max(low.residual, high.residual) < 1e-6


@pytest.mark.parametrize("settings", [{"probes": 1}, {"steps": 0}])
def test_too_few_are_refused(settings):
    with pytest.raises(ValueError, match="at least 2 probes, for a standard error, and 1 step are needed; got "):
        lanczos.quadrature(jnp.eye(3), **settings)
