from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfsim import Problem
from rfsim.problem import origins, realization
from rfsim.sample import spectra


def drawn(problem, dim, seed=0):
    origin = origins.source(problem)
    return realization.instance(problem, origin, origins.resolve(problem, origin, dim), seed)


@settings(deadline=None)
@given(st.integers(1, 500), st.integers(1, 500), st.integers(1, 100), st.sampled_from([1, 2, 7, math.inf]))
def test_the_parts_always_add_up(p, n, d, m):
    counts = spectra.part_counts(p, n, d, m)
    assert sum(counts.values()) == p
    assert min(counts.values()) >= 0
    assert counts["zero"] == max(p - n * m, 0)
    assert counts["gen"] == min(d, p, n * m)


def test_the_parts_of_the_published_case():
    # ψ_p = 64, ψ_n = 8 (equations.md §5): masses 0.859375, 0.015625, 0.109375, 0.015625
    masses = {name: count / 6400 for name, count in spectra.part_counts(6400, 800, 100).items()}
    assert masses == {"zero": 0.0, "null": 0.859375, "mini": 0.015625, "main": 0.109375, "gen": 0.015625}


def test_parts_report_gaps_and_say_when_there_is_none():
    lam = np.concatenate([np.linspace(1, 2, 5), np.linspace(2.1, 3, 3), np.linspace(30, 31, 2)])
    null, mini, gen = spectra.sample_parts(lam, {"zero": 0, "null": 5, "mini": 3, "main": 0, "gen": 2})
    assert [b.name for b in (null, mini, gen)] == ["null", "mini", "gen"]
    assert null.gap_below is None
    assert mini.gap_below == pytest.approx(1.05)
    assert mini.merged  # 1.05 is less than the ratio 1.25 between the first two of null
    assert gen.gap_below == pytest.approx(10.0)
    assert not gen.merged
    assert null.mass + mini.mass + gen.mass == 1.0


def test_a_part_above_a_zero_part_has_an_infinite_gap():
    _, gen = spectra.sample_parts([0.0, 0.0, 1.0], {"zero": 2, "null": 0, "mini": 0, "main": 0, "gen": 1})
    assert gen.gap_below == math.inf


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_bins_and_atoms_hold_mass_one(scale):
    rng = np.random.default_rng(0)
    lam = np.concatenate([np.zeros(20), np.full(30, 0.25), rng.uniform(1, 5, 150)])
    found = spectra.density(lam, bins=23, scale=scale)
    np.testing.assert_allclose(found.atoms, [[0.0, 0.1], [0.25, 0.15]])
    assert found.density @ np.diff(found.edges) + found.atoms[:, 1].sum() == pytest.approx(1.0, abs=1e-12)


def test_a_density_of_atoms_alone_has_no_bins_to_fill():
    found = spectra.density(np.zeros(5))
    np.testing.assert_array_equal(found.atoms, [[0.0, 1.0]])
    assert not found.density.any()


def test_an_unknown_scale_is_refused():
    with pytest.raises(ValueError, match="scale must be 'log' or 'linear'; got 'loglog'"):
        spectra.density([1.0, 2.0], scale="loglog")


def test_the_decomposition_is_one():
    problem = Problem(samples_per_dim=3, features_per_dim=6)
    draw = drawn(problem, 12)
    found = spectra.sample_spectrum(problem, draw)
    assert found.residual < 1e-13
    assert found.error_bound <= 1e-6 * float(found.points[0])
    np.testing.assert_allclose(found.basis.T @ found.basis, np.eye(72), atol=1e-12)
    # own(1) is (1/d) Tr VᵀV in any basis, own(λ) is (1/d) Tr VᵀUV
    from rfsim.problem.diffusion import noise_variance
    from rfsim.sample.moments import averaged_moments

    exact = averaged_moments(
        draw.weights,
        realization.training_law(draw, 0.1),
        problem.activation,
        noise_scale=math.sqrt(noise_variance(0.1)),
    )
    v = np.asarray(exact.noise)
    assert float(found.own(jnp.ones(72))) == pytest.approx((v**2).sum() / 12)
    assert float(found.own(found.points)) == pytest.approx(np.trace(v.T @ np.asarray(exact.second) @ v) / 12)


def test_overlap_and_cross_equal_dense_algebra():
    problem = Problem(samples_per_dim=3, features_per_dim=30)  # 300 features: two blocks of rows
    draw = drawn(problem, 10)
    rng = np.random.default_rng(0)
    found = spectra.sample_spectrum(problem, draw, start=rng.standard_normal((10, 300)))
    moments = spectra.population_moments(problem, draw, found)
    second, noise = np.asarray(moments.second).copy(), np.asarray(moments.noise)
    target = spectra.sample_target(found, moments)
    q = np.asarray(found.basis)
    f, g = rng.standard_normal((2, 4, 300))
    for left in (0, 1):
        s_left = q @ np.asarray(found.sources[left])
        for k in range(4):
            f_u = (q * f[k]) @ q.T
            exact = np.trace(s_left.T @ f_u @ noise) / 10
            assert float(target.cross(jnp.asarray(f), left)[k]) == pytest.approx(exact)
            for right in (0, 1):
                s_right = q @ np.asarray(found.sources[right])
                exact = np.trace(s_left.T @ f_u @ second @ ((q * g[k]) @ q.T) @ s_right) / 10
                assert float(target.overlap(jnp.asarray(f), jnp.asarray(g), left, right)[k]) == pytest.approx(exact)


@pytest.mark.parametrize(
    ("name", "copies", "rank"),
    [("linear", math.inf, 4), ("linear", 1, 4), ("hermite3", math.inf, 4 + 20), ("hermite3", 1, 12)],
)
def test_polynomial_features_span_what_their_degrees_span(name, copies, rank):
    # d = 4: 4 linear and 20 cubic monomials; n = 12
    problem = Problem(samples_per_dim=3, features_per_dim=15, noise_copies=copies, activation=name)
    draw = drawn(problem, 4)
    found = spectra.sample_spectrum(problem, draw)
    lam = np.asarray(found.points)
    assert np.count_nonzero(lam) == rank
    assert np.all(lam[:-rank] == 0)
    assert not np.asarray(found.sources[0])[:-rank].any()
    assert lam[-rank] > 1e-4
    # what was set to zero was rounding: the trace is kept
    phi2 = float(jnp.trace((found.basis * found.points) @ found.basis.T))
    assert lam.sum() == pytest.approx(phi2, rel=1e-12)
    population = spectra.population_moments(problem, draw, found)
    assert np.linalg.matrix_rank(np.asarray(population.second), tol=1e-8) <= 24


def test_with_few_frozen_draws_the_rest_is_exactly_zero():
    problem = Problem(samples_per_dim=2, features_per_dim=10, noise_copies=2)
    found = spectra.sample_spectrum(problem, drawn(problem, 6))
    lam = np.asarray(found.points)
    assert np.count_nonzero(lam == 0) == 60 - 24
    assert not np.asarray(found.sources[0])[:36].any()
    assert lam[36] > 1e-9


def test_a_spectrum_that_float64_cannot_resolve_is_refused():
    # 80 features of 2 variables: more than analytic functions can tell apart in float64
    problem = Problem(samples_per_dim=2, features_per_dim=40, diffusion_time=0.05)
    with pytest.raises(ValueError, match="by tensor quadrature|and float64 resolves"):
        spectra.sample_spectrum(problem, drawn(problem, 2))


def test_frozen_draws_beyond_what_float64_resolves_are_refused_without_a_ridge():
    # analytic features of 2 variables: 60 of them span far fewer directions than 400 draws could
    problem = Problem(samples_per_dim=20, features_per_dim=30, diffusion_time=0.1, noise_copies=10)
    with pytest.raises(ValueError, match=r"U has the eigenvalue .* and float64 resolves .*; add a ridge"):
        spectra.sample_spectrum(problem, drawn(problem, 2))
    ridged = Problem(samples_per_dim=20, features_per_dim=30, diffusion_time=0.1, noise_copies=10, ridge=1e-3)
    assert spectra.sample_spectrum(ridged, drawn(ridged, 2)).residual < 1e-12
