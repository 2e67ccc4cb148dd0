from __future__ import annotations

import math

import numpy as np
import pytest

from rfsim.theory.dynamics import limit_curves
from rfsim.theory.minimizer import ridge_losses
from rfsim.training import losses
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


@pytest.mark.parametrize("m", [1, 4, math.inf])
@pytest.mark.parametrize("data", ["isotropic", "atoms:0.5@0.5,0.5@1.5"])
def test_the_end_of_the_flow_is_the_minimizer(m, data):
    """The contour route and the one-point route, with a ridge and as it goes to zero."""
    limit = limit_of(4, 6, m=m, data=data)
    late = np.stack(limit_curves(limit, [np.inf], 0.02).curves[:2])[:, 0]
    found = ridge_losses(limit, 0.02)
    np.testing.assert_allclose(late, [found.train[0], found.test[0]], atol=1e-8)
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


def test_bias_and_variance_follow():
    """B² = (1 − aT2/√Δ)² and V = (L_test − e^{−2t})/Δ − B² (T12); a large ridge leaves the zero score: B² = 1."""
    limit = limit_of(8, 16, m=4)
    found = ridge_losses(limit, [1e-3, 1e9])
    bias2 = losses.bias_squared(found.cross, limit.noise)
    variance = losses.score_error(found.test, limit.noise, 1.0) - bias2
    np.testing.assert_allclose(
        variance, (found.test - limit.signal) / limit.noise - (1 - found.cross / limit.noise) ** 2, atol=1e-14
    )
    assert variance[0] > 0
    assert float(bias2[1]) == pytest.approx(1, abs=1e-6)
    assert float(variance[1]) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("ridge", "m"), [(0.0, 2), (-0.1, math.inf), (math.inf, 2), (math.nan, 2)])
def test_ridges_without_a_minimizer_are_refused(ridge, m):
    with pytest.raises(ValueError, match=r"a ridge must be finite and positive \(or 0 at noise_copies inf\); got"):
        ridge_losses(limit_of(4, 16, m=m), ridge)
