from __future__ import annotations

import math
from functools import cache

import jax.numpy as jnp
import numpy as np
import pytest

from rfsim.distillation import measures
from rfsim.distillation.flow import decomposed
from rfsim.problem.data import stream
from rfsim.problem.diffusion import noise_variance, signal
from rfsim.problem.ranks import part_counts
from rfsim.sample.spectra import part_slices

DIM, SAMPLES, FEATURES, HERE, THERE = 6, 12, 60, 0.1, 0.05
PARTS = part_slices(part_counts(FEATURES, SAMPLES, DIM, math.inf))
GEN = list(PARTS).index("gen")
RIDGES = (0.0, 0.1, 1.0, 10.0, 100.0, 1e4)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(measures, "ROWS", 20 * len(RIDGES))


def draws(weights, points, time, copies, rng):
    """x_t and its noise ξ, copies·samples rows each."""
    clean = np.tile(points, (copies, 1))
    noise = rng.normal(size=clean.shape)
    return signal(time) * clean + math.sqrt(noise_variance(time)) * noise, noise


def phi(weights, x):
    return np.tanh(x @ weights.T / math.sqrt(DIM))


@cache
def level(per_feature=20):
    """Moments of one DDIM step 0.1 → 0.05 of a memorized teacher in plain NumPy, 20p draws, beside 'exact' ones.

    What stands for the exact U has 600p draws of its own.
    """
    rng = stream(3, "measures")
    weights, points = rng.normal(size=(FEATURES, DIM)), rng.normal(size=(SAMPLES, DIM))
    exact = {}
    for time in (HERE, THERE):
        x, noise = draws(weights, points, time, 600 * FEATURES // SAMPLES, rng)
        features = phi(weights, x)
        exact[time] = np.linalg.eigh(features.T @ features / len(x))
        if time == HERE:
            teacher = -np.linalg.solve(features.T @ features, features.T @ noise).T / math.sqrt(noise_variance(HERE))
    x, _ = draws(weights, points, HERE, per_feature * FEATURES // SAMPLES, rng)
    here = phi(weights, x)
    noise = -math.sqrt(noise_variance(HERE)) * here @ teacher.T
    clean = (x - math.sqrt(noise_variance(HERE)) * noise) / signal(HERE)
    there = phi(weights, signal(THERE) * clean + math.sqrt(noise_variance(THERE)) * noise)
    moments = [a.T @ b / len(x) for a, b in ((here, here), (there, here), (here - there, here - there))]
    return exact, teacher, *moments


def dense_landing(row, carried, second, ridge, exact_points, exact_basis):
    """The definition with whole matrices: the regression, the exact U, a solve, and a projector for each part."""
    exact = (exact_basis * exact_points) @ exact_basis.T
    handed = exact @ np.linalg.solve(second, carried.T @ row)
    landed = np.linalg.solve(exact + ridge * np.eye(len(second)), handed)
    shares = [landed @ exact_basis[:, at] @ exact_basis[:, at].T @ landed for at in PARTS.values()]
    return np.array(shares) / (landed @ landed)


def landed(ridges=RIDGES, rows=None):
    exact, _, second, carried, _ = level()
    rows = exact[THERE][1].T[PARTS["gen"]] if rows is None else rows
    return np.asarray(measures.landing(rows @ carried, *decomposed(jnp.asarray(second)), ridges, *exact[HERE], PARTS))


def test_energies_are_traces_with_projectors_and_add_up():
    exact, teacher, *_ = level()
    points, basis = exact[HERE]
    weights = np.stack([teacher, 2 * teacher[::-1]])
    second = (basis * points) @ basis.T
    found = measures.energies(weights, points, basis, PARTS)
    for i, one in enumerate(weights):
        for j, at in enumerate(PARTS.values()):
            projector = basis[:, at] @ basis[:, at].T
            dense = np.trace(one @ projector @ second @ projector @ one.T) / DIM
            assert float(found[i, j]) == pytest.approx(dense, rel=1e-9)
        assert float(found[i].sum()) == pytest.approx(np.trace(one @ second @ one.T) / DIM, rel=1e-12)
    assert measures.row_energies(weights, points, basis, PARTS).shape == (2, DIM, len(PARTS))


def test_a_student_with_its_teachers_weights_suppresses_nothing():
    exact, teacher, *_ = level()
    rows = measures.row_energies(teacher, *exact[HERE], PARTS)
    same, halved = measures.suppression(rows, rows), measures.suppression(rows / 4, rows)
    np.testing.assert_array_equal(same.value, 1.0)
    np.testing.assert_array_equal(same.error, 0.0)
    np.testing.assert_allclose(halved.value, 0.25, rtol=1e-15)


def test_the_error_of_a_suppression_leaves_out_one_row_at_a_time():
    rng = np.random.default_rng(0)
    student, teacher = rng.random((3, DIM, 2)), rng.random((DIM, 2))
    found = measures.suppression(student, teacher)
    left = np.array([np.delete(student, i, 1).sum(1) / np.delete(teacher, i, 0).sum(0) for i in range(DIM)])
    np.testing.assert_allclose(found.value, student.sum(1) / teacher.sum(0))
    np.testing.assert_allclose(found.error, np.sqrt((DIM - 1) / DIM * ((left - left.mean(0)) ** 2).sum(0)))


def test_the_error_of_a_suppression_is_the_spread_over_other_rows():
    rng = np.random.default_rng(1)
    teacher = rng.random((4000, 200, 1)) + 0.5
    student = teacher * (0.3 + 0.2 * rng.random(teacher.shape))
    found = measures.suppression(student, teacher)
    assert float(found.value.std()) == pytest.approx(float(found.error.mean()), rel=0.05)


def test_a_part_without_the_teachers_energy_has_no_suppression():
    found = measures.suppression(np.ones((DIM, 2)), np.array([[0.0, 2.0]] * DIM))
    np.testing.assert_array_equal(np.isnan(found.value), [True, False])
    np.testing.assert_array_equal(np.isnan(found.error), [True, False])
    assert found.value[1] == 0.5


@pytest.mark.parametrize("part", ["gen", "all"])
def test_landing_is_a_solve_and_a_projection(part):
    # few rows and many take different products, and many come in blocks
    exact, _, second, carried, _ = level()
    rows = exact[THERE][1].T[PARTS.get(part, slice(None))]
    found = landed(rows=rows)
    for ridge, shares in zip(RIDGES, found, strict=True):
        for row, share in zip(rows, shares, strict=True):
            np.testing.assert_allclose(share, dense_landing(row, carried, second, ridge, *exact[HERE]), atol=1e-9)
    np.testing.assert_allclose(found.sum(axis=-1), 1.0, rtol=1e-14)


def test_few_draws_give_what_many_give():
    """Leakage at large ridges: C_s U_s⁻¹ U errs by less than a third of what C_s (U_s + γ)⁻¹ errs by."""
    exact, _, second, carried, _ = level()
    many = level(2000)
    rows = exact[THERE][1].T[PARTS["gen"]]

    def regressed(second, carried):
        found = measures.landing(rows @ carried, *decomposed(jnp.asarray(second)), [10.0], *exact[HERE], PARTS)
        return measures.leakage(found, GEN).value[0, GEN]

    def plain(second, carried):
        landed = np.linalg.solve(second + 10.0 * np.eye(FEATURES), (rows @ carried).T).T @ exact[HERE][1]
        shares = np.stack([(landed[:, at] ** 2).sum(1) for at in PARTS.values()], axis=1)
        return measures.leakage(shares / shares.sum(1, keepdims=True), GEN).value[GEN]

    truth = regressed(*many[2:4])
    assert abs(regressed(second, carried) - truth) < abs(plain(second, carried) - truth) / 3


def test_what_is_handed_up_unchanged_stays_where_it_is():
    # Φ = identity: C = U, so U(U + γ)⁻¹ keeps every direction of the draws' own basis at every ridge
    _, _, second, _, _ = level()
    points, basis = decomposed(jnp.asarray(second))
    found = measures.landing(basis.T @ second, points, basis, RIDGES, points, basis, PARTS)
    shares = measures.transfer(found, PARTS)
    np.testing.assert_allclose(shares, np.broadcast_to(np.eye(len(PARTS)), shares.shape), atol=1e-12)


def test_directions_without_features_receive_nothing_and_hand_nothing_up():
    # U of rank 20: what would arrive in its flat directions is rounding, at any ridge
    features = np.random.default_rng(2).normal(size=(20, FEATURES))
    second = features.T @ features
    points, basis = decomposed(jnp.asarray(second))
    slices = {"zero": slice(0, 40), "null": slice(40, 50), "mini": slice(50, 55), "main": slice(55, 60)}
    found = np.asarray(measures.landing(basis.T @ second, points, basis, RIDGES, points, basis, slices))
    assert np.isnan(found[:, :40]).all()
    np.testing.assert_allclose(found[:, 40:, 0], 0.0, atol=1e-15)
    assert np.isnan(measures.transfer(found, slices)[:, 0]).all()


def test_leakage_falls_to_a_limit_that_is_not_zero():
    # the energy handed outside gen vanishes like 1/γ²; its share of what is handed up tends to that of qᵀC itself
    exact, _, second, carried, _ = level()
    leaks = measures.leakage(landed(), GEN).value[:, GEN]
    assert np.all(np.diff(leaks) < 0)
    assert leaks[0] > 0.5
    assert leaks[1] < 0.05
    rows, outside = exact[THERE][1].T[PARTS["gen"]], np.delete(exact[HERE][1], PARTS["gen"], axis=1)
    whole = (exact[HERE][1] * exact[HERE][0]) @ exact[HERE][1].T
    onward = np.linalg.solve(second, (rows @ carried).T).T @ whole
    limit = np.median(((onward @ outside) ** 2).sum(1) / (onward**2).sum(1))
    assert leaks[-1] == pytest.approx(limit, rel=3e-3)
    assert limit > 1e-5
    energy = [
        np.median(((np.linalg.solve(whole + ridge * np.eye(FEATURES), onward.T).T @ outside) ** 2).sum(1))
        for ridge in (1e3, 1e4, 1e5)
    ]
    np.testing.assert_allclose(np.array(energy) * np.array([1e6, 1e8, 1e10]), energy[-1] * 1e10, rtol=0.02)


def test_leakage_is_a_median_with_the_error_of_a_median():
    rng = np.random.default_rng(4)
    shares = rng.dirichlet((1.0, 2.0, 5.0), size=(2000, 101))
    found = measures.leakage(shares, 2)
    np.testing.assert_allclose(found.value[:, 0], np.median(shares[..., 0], axis=1))
    np.testing.assert_allclose(found.value[:, 2], np.median(1 - shares[..., 2], axis=1), rtol=1e-12)
    np.testing.assert_allclose(found.value.std(axis=0), found.error.mean(axis=0), rtol=0.05)
    assert np.isnan(measures.leakage(shares[:, :1], 2).error).all()


def test_gamma_star_is_the_smallest_ridge_below_the_threshold():
    ridges, leaks = [10.0, 0.0, 0.1, 1.0], [1e-4, 0.8, 0.09, 0.002]
    assert measures.gamma_star(ridges, leaks, 0.01) == 1.0
    assert measures.gamma_star(ridges, leaks, 0.1) == 0.1
    assert measures.gamma_star(ridges, leaks, 1e-5) is None


def test_instability_is_a_quotient_of_quadratic_forms():
    exact, _, _, _, difference = level()
    points, basis = exact[HERE]
    found = np.asarray(measures.instability(difference, points, basis))
    dense = [q @ difference @ q / (q @ ((basis * points) @ basis.T) @ q) for q in basis.T]
    np.testing.assert_allclose(found, dense, rtol=1e-8)
    medians = {name: np.median(found[at]) for name, at in PARTS.items()}
    assert medians["null"] > medians["main"] > medians["gen"]  # equations.md §8
    # no step, no instability; a step that turns every feature around has 4; a flat direction has none
    np.testing.assert_array_equal(measures.instability(np.zeros_like(difference), points, basis), 0.0)
    np.testing.assert_allclose(measures.instability(4 * (basis * points) @ basis.T, points, basis), 4.0, rtol=1e-8)
    assert np.isnan(measures.instability(difference, np.append(0.0, points[1:]), basis)[0])
