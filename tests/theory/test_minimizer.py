from __future__ import annotations

import math

import numpy as np
import pytest

from rfsim.limit import solver
from rfsim.limit.dynamics import limit_curves
from rfsim.limit.minimizer import losses_along, ridge_losses, score_errors
from tests.theory.cases import gaussian_equivalent, limit_of


def test_the_published_losses_on_fresh_noise():
    """equations.md under (T12): ψ_n = m = 16, t = 0.1, γ = 1e-3."""
    emp = [ridge_losses(limit_of(16, p, m=16), 1e-3).emp[0] for p in (16, 64, 256, 1024)]
    assert [f"{value:.3f}" for value in emp] == ["0.773", "0.645", "0.542", "0.132"]


def test_the_published_losses_at_four_copies():
    """equations.md under (T12): ψ_n = 4, ψ_p = 16, m = 4: L_test, L_emp and the true L_train."""
    found = ridge_losses(limit_of(4, 16, m=4), 1e-3)
    assert [f"{v[0]:.4f}" for v in (found.test, found.emp, found.train)] == ["2.9731", "1.3586", "0.0605"]
    assert found.train_penalized[0] > found.train[0]


U26 = {
    1: (0.977, 0.75, 2.798, 2.809, 0.933),
    4: (0.895, 1.28, 2.842, 2.846, 1.385),
    16: (0.869, 1.53, 3.434, 3.441, 2.85),
}


@pytest.mark.parametrize("m", U26)
def test_the_peak_the_minimum_and_the_plateau(m):
    """equations.md §9.5: ψ_n = 8, t = 0.1, γ = 1e-3: minimum and where, value at p = nm, maximum, plateau."""
    lowest, where, at_nm, highest, plateau = U26[m]

    def test_loss(psi_p):
        return ridge_losses(limit_of(8, psi_p, m=m), 1e-3).test[0]

    small = np.linspace(0.5, 2.0, 151)
    values = [test_loss(p) for p in small]
    assert min(values) == pytest.approx(lowest, abs=6e-4)
    assert small[int(np.argmin(values))] == pytest.approx(where, abs=0.011)
    assert test_loss(8 * m) == pytest.approx(at_nm, abs=6e-4)
    assert max(test_loss(p) for p in np.linspace(6, 10, 41) * m) == pytest.approx(highest, abs=6e-4)
    assert test_loss(1e8) == pytest.approx(plateau, abs=4e-3 if m == 16 else 6e-4)


def test_the_copies_are_not_in_order_in_between():
    """equations.md §9.7: ψ_n = 8, ψ_p = 33."""
    values = [ridge_losses(limit_of(8, 33, m=m), 1e-3).test[0] for m in (1, 2, 4, 16, math.inf)]
    assert [f"{value:.2f}" for value in values] == ["1.19", "1.75", "2.85", "1.93", "1.73"]


@pytest.mark.parametrize("m", [4, math.inf])
def test_many_problems_at_once_are_those_of_each(m):
    sizes = np.geomspace(0.5, 20, 5), np.geomspace(40, 3, 5)
    ridges = np.geomspace(1e-3, 1, 5)
    both = limit_of(1, 1, m=m)._replace(samples_per_dim=sizes[0], features_per_dim=sizes[1])
    alone = [ridge_losses(limit_of(n, p, m=m), ridge) for n, p, ridge in zip(*sizes, ridges, strict=True)]
    for name, found in losses_along(both, ridges)._asdict().items():
        if name != "residual":
            expected = [getattr(one, name)[0] for one in alone]
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.slow
@pytest.mark.parametrize("m", [1, 4, math.inf])
@pytest.mark.parametrize("data", ["isotropic", "atoms:0.5@0.5,0.5@1.5"])
def test_the_end_of_the_flow_is_the_minimizer(m, data):
    """The contour route and the one-point route, with a ridge and as it goes to zero."""
    limit = limit_of(4, 6, m=m, data=data)
    late = limit_curves(limit, [np.inf], 0.02).curves
    found = ridge_losses(limit, 0.02)
    np.testing.assert_allclose([late.train, late.test, late.cross], [found.train, found.test, found.cross], atol=1e-8)
    np.testing.assert_allclose(late.train_penalized, found.train_penalized, atol=1e-8)
    late = np.stack(limit_curves(limit, [np.inf]).curves[:2])[:, 0]
    found = ridge_losses(limit, 1e-11)
    np.testing.assert_allclose(late, [found.train[0], found.test[0]], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("m", [2, math.inf])
def test_the_penalty_is_the_slope_of_the_objective(m):
    """d/dγ of the minimum of L_train + γ·penalty is the penalty."""
    limit, gamma = limit_of(4, 16, m=m), 0.1
    at = ridge_losses(limit, gamma * (1 + 1e-3 * np.array([-2, -1, 0, 1, 2])))
    values = at.train_penalized
    slope = (values[0] - 8 * values[1] + 8 * values[3] - values[4]) / (12e-3 * gamma)
    assert slope * gamma == pytest.approx(at.train_penalized[2] - at.train[2], rel=1e-6)


def test_fresh_noise_is_training_where_noise_is_averaged():
    exact = ridge_losses(limit_of(4, 16, data="subspace:0.25"), [0.0, 1e-2])
    np.testing.assert_allclose(exact.emp, exact.train, atol=1e-12)
    near = ridge_losses(limit_of(4, 16, m=1e7, data="subspace:0.25"), 1e-2)
    assert near.emp[0] == pytest.approx(exact.emp[1], abs=1e-5)
    assert near.train[0] == pytest.approx(exact.train[1], abs=1e-5)


@pytest.mark.parametrize("m", [1, 3])
@pytest.mark.parametrize("data", ["isotropic", "atoms:0.5@0.5,0.5@1.5"])
def test_a_gaussian_equivalent_sample_has_these_losses(m, data):
    limit, gamma, dim = limit_of(3, 5, m=m, data=data), 0.02, 120
    u, v, population, noise, constant, clean = gaussian_equivalent(limit, dim, 3)
    weights = np.linalg.solve(u + gamma * np.eye(len(u)), v)
    cross = (weights * noise).sum() / dim

    def quadratic(matrix):
        return (weights * (matrix @ weights)).sum() / dim

    found = ridge_losses(limit, gamma)
    penalized = constant - (weights * v).sum() / dim
    train = constant + quadratic(u) - 2 * (weights * v).sum() / dim
    sample = [train, penalized, 1 + quadratic(population) - 2 * cross, 1 + quadratic(clean) - 2 * cross, cross]
    np.testing.assert_allclose([value[0] for value in found[:5]], sample, rtol=0.04)


@pytest.mark.parametrize("data", ["isotropic", "isotropic:2"])
def test_bias_and_variance_follow(data):
    """B² = Γ²(1/Γ² − aT2/√Δ)², E_score = (L_test − 1)/Δ + 1/Γ² (T12); a large ridge leaves the zero score."""
    limit = limit_of(8, 16, m=4, data=data)
    found = ridge_losses(limit, [1e-3, 1e9])
    gamma2 = limit.signal * float(limit.values[0]) + limit.noise
    score, bias2, variance = score_errors(limit, found)
    np.testing.assert_allclose(score, (found.test - 1) / limit.noise + 1 / gamma2, rtol=1e-14)
    np.testing.assert_allclose(bias2, gamma2 * (1 / gamma2 - found.cross / limit.noise) ** 2, rtol=1e-14)
    np.testing.assert_allclose(variance, score - bias2, rtol=1e-14)
    assert variance[0] > 0
    assert bias2[1] == pytest.approx(1 / gamma2, abs=1e-6)
    assert variance[1] == pytest.approx(0, abs=1e-6)


def test_a_population_without_one_variance_has_no_such_parts():
    limit = limit_of(8, 16, m=4, data="atoms:0.5@0.5,0.5@1.5")
    score, bias2, variance = score_errors(limit, ridge_losses(limit, 1e-3))
    assert np.isfinite(score).all()
    assert np.isnan([bias2, variance]).all()


@pytest.mark.parametrize(("psi_p", "m"), [(6, 4), (15.9, 4), (6, 1), (60, 2), (16, math.inf)])
def test_without_a_ridge(psi_p, m):
    """γ → 0 on both sides of p = n m, against the contour at τ = ∞ and beside a ridge in one call."""
    limit = limit_of(4, psi_p, m=m)
    late = np.stack(limit_curves(limit, [np.inf]).curves)[:3, 0]
    found = ridge_losses(limit, [1e-3, 0.0, 2.0])
    np.testing.assert_allclose([found.train[1], found.test[1], found.cross[1]], late, rtol=1e-8, atol=1e-9)
    np.testing.assert_array_equal(np.stack(found)[:5, [0, 2]], np.stack(ridge_losses(limit, [1e-3, 2.0]))[:5])


def test_a_ridge_that_does_not_converge_is_nan_with_its_residual(monkeypatch):
    limit = limit_of(4, 16, m=2)
    far = 1e3 * float(limit.ceiling)
    good = ridge_losses(limit, [far, 0.01])
    for name in ("FAST_PATH", "PATH", "SLOW_PATH"):
        monkeypatch.setattr(solver, name, solver.path(2, 1, 0.1, 1, 0))
    found = ridge_losses(limit, [far, 0.01])
    assert found.residual[1] > solver.TOLERANCE > found.residual[0]
    for values, expected in zip(found[:5], good[:5], strict=True):
        assert math.isnan(values[1])
        assert values[0] == pytest.approx(expected[0], abs=1e-12)


@pytest.mark.parametrize("ridge", [-0.1, math.inf, math.nan])
def test_what_is_no_ridge_is_refused(ridge):
    with pytest.raises(ValueError, match="a ridge must be finite and not negative; got"):
        ridge_losses(limit_of(4, 16), [1.0, ridge])


def test_no_ridge_where_eigenvalues_reach_zero_is_refused():
    with pytest.raises(ValueError, match=r"features_per_dim 8, samples_per_dim 4 and noise_copies 2 .*positive ridge"):
        ridge_losses(limit_of(4, 8, m=2), 0.0)
