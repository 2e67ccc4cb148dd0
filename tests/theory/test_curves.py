from __future__ import annotations

import math

import jax
import numpy as np
import pytest

from rfsim import filters
from rfsim.theory import functions, tables
from rfsim.theory.dynamics import limit_curves
from rfsim.theory.equations import differences
from rfsim.theory.solver import solve
from rfsim.trainers import Flow
from rfsim.training import losses
from rfsim.training.curves import loss_curves
from tests.theory import nested
from tests.theory.cases import gaussian_equivalent, limit_of


def whole_overlap(limit, x, y):
    return functions.overlap_transform(limit, x, y, differences(limit, x, y))


overlap = jax.jit(whole_overlap)
slope = jax.jit(lambda limit, x, y: functions.own_slope(limit, x, y, differences(limit, x, y)))


def points(count, seed):
    rng = np.random.default_rng(seed)
    return 10 ** rng.uniform(-2, 2, count) * np.exp(1j * rng.uniform(-2.5, 2.5, count))


def test_the_published_point():
    """equations.md §6: ψ_n = 4, ψ_p = 16, t = 0.1, τ = 10⁵."""
    found = limit_curves(limit_of(4, 16), [1e5])
    assert found.curves.train[0] == pytest.approx(0.49337, abs=5e-6)
    assert found.curves.test[0] == pytest.approx(1.844, abs=5e-4)
    assert found.error[0] <= 1e-8


@pytest.mark.parametrize("data", ["isotropic", "isotropic:2", "atoms:0.5@0.5,0.5@1.5", "subspace:0.25", "powerlaw:0.5"])
def test_two_derivations_of_the_two_point_function_agree(data):
    limit = limit_of(4, 16, data=data)
    z, other = points(12, 0), points(12, 1)
    x, y = solve(limit, z).state, solve(limit, other).state
    mine, same = overlap(limit, x, y), overlap(limit, x, x)
    for i in range(12):
        one, two = (nested.Nested(limit, s.q[i], s.h[i], at[i]) for s, at in ((x, z), (y, other)))
        assert max(one.consistent()) < 1e-12
        assert mine[i] == pytest.approx(nested.overlap(one, two), rel=1e-10)
        assert same[i] == pytest.approx(nested.overlap(one, one), rel=1e-10)


@pytest.mark.parametrize("m", [1, 3, math.inf])
def test_the_isotropic_system_is_the_same(m):
    """equations.md §6 prints a 2 × 2 system in (q, r) for σ_x = 1: written out here, against the 3 × 3 one."""
    limit = limit_of(4, 16, m=m)
    z, other = points(12, 2), points(12, 3)
    x, y = solve(limit, z).state, solve(limit, other).state
    psi_n, psi_p, eps, a2, v2, s2, e, delta = limit[:8]
    c = psi_p / psi_n
    g1r, g1q, g2r, g2q = c * a2 * (e + eps * delta), c * (v2 + eps * s2), c * eps * a2 * delta, c * eps * s2
    i1, i2 = x.over_first * y.over_first, x.over_second * y.over_second
    a1r, a2r, a1q, a2q = (
        psi_p * a2 * (e + eps * delta),
        psi_p * a2 * delta * (1 - eps),
        psi_p * (v2 + eps * s2),
        psi_p * s2 * (1 - eps),
    )
    jrr = -1 / (x.r * y.r) + a1r * g1r * i1 + a2r * g2r * i2
    jrq = 1 / (x.q * y.q) + a1r * g1q * i1 + a2r * g2q * i2
    jqq = (psi_p - 1 + x.r / x.q + y.r / y.q) / (x.q * y.q) - a1q * g1q * i1 - a2q * g2q * i2
    det = jrr * jqq + jrq**2
    dr, dq = -psi_p * jqq / det, -psi_p * jrq / det
    theta, theta_ = (eps * s.over_first + (1 - eps) * s.over_second for s in (x, y))
    dt = -(eps * (g1r * dr + g1q * dq) * i1 + (1 - eps) * (g2r * dr + g2q * dq) * i2)
    b2 = a2 * psi_p * delta
    t4 = -dt + b2 * (dt * y.r * theta_ + theta * dr * theta_ + theta * x.r * dt)
    one, two = (1 - th + b2 * s.r * th**2 for s, th in ((x, theta), (y, theta_)))
    expected = a2 * t4 + (v2 + s2) * (one - two) / (z - other)
    np.testing.assert_allclose(overlap(limit, x, y), expected, rtol=1e-8)


@pytest.mark.parametrize("m", [1, 3])
def test_the_two_point_function_is_symmetric(m):
    """Tr VᵀRŨR'V is; the splitting of products is not, so that a wrong order would show."""
    limit = limit_of(2, 5, m=m, data="atoms:0.5@0.5,0.5@1.5")
    x, y = solve(limit, points(12, 4)).state, solve(limit, points(12, 5)).state
    np.testing.assert_allclose(overlap(limit, x, y), overlap(limit, y, x), rtol=1e-10)


@pytest.mark.parametrize("m", [2, math.inf])
def test_at_equal_points_the_two_point_functions_are_derivatives(m):
    limit = limit_of(4, 16, m=m, data="atoms:0.5@0.5,0.5@1.5")
    z = np.array([-0.5, -0.02, 1 + 1j])
    step = 1e-4 * np.abs(z)
    near = [solve(limit, z + k * step).state for k in (-2, -1, 1, 2)]
    t1 = [np.asarray(functions.own_transform(limit, s)) for s in near]
    numeric = (t1[0] - 8 * t1[1] + 8 * t1[2] - t1[3]) / (12 * step)
    x = solve(limit, z).state
    np.testing.assert_allclose(slope(limit, x, x), numeric, rtol=1e-7)


@pytest.mark.parametrize("m", [2, 1e6, math.inf])
@pytest.mark.parametrize("data", ["isotropic:2", "atoms:0.5@0.5,0.5@1.5"])
def test_contour_sums_are_traces(m, data):
    """g = 1 gives traces that are known from the moments of W, x and ξ alone."""
    limit = limit_of(4, 6, m=m, data=data)
    spectrum, target = tables.limit_spectrum(limit, 256, ridge=0.1)
    psi_p, delta, b2 = limit.features_per_dim, limit.noise, limit.gain * limit.noise
    lam2 = limit.signal * float(limit.weights @ limit.values) + delta
    spread = limit.v2 + limit.s2
    ones = np.ones(spectrum.points.size)
    assert float(target.cross(ones)) == pytest.approx(b2 * psi_p, rel=1e-9)
    # V is bW/√d plus the fluctuation of a mean of n m products of features and noise
    own = b2 * psi_p + limit.copies_inverse / limit.samples_per_dim * psi_p * (limit.gain * lam2 + spread)
    assert float(spectrum.own(ones)) == pytest.approx(own, rel=1e-9)
    if m == math.inf:
        expected = b2 * (limit.gain * lam2 * (psi_p**2 + psi_p) + spread * psi_p)
        assert float(target.overlap(ones, ones)) == pytest.approx(expected, rel=1e-9)


def test_contours_of_any_shape_give_the_same_sums():
    limit = limit_of(4, 16)
    kappa = filters.learning_rate_constant(limit.noise, 16.0)
    found = []
    for bounds in ((0.01, 40.0), (0.001, 90.0)):
        spectrum, target = tables.limit_spectrum(limit, 512, bounds=bounds)
        found.append(loss_curves(spectrum, target, [10, 1e3, 1e5], Flow(kappa)))
    np.testing.assert_allclose(found[0].test, found[1].test, atol=1e-9)
    np.testing.assert_allclose(found[0].train, found[1].train, atol=1e-9)


@pytest.mark.parametrize("m", [2, math.inf])
@pytest.mark.parametrize("data", ["isotropic", "atoms:0.5@0.5,0.5@1.5"])
def test_a_gaussian_equivalent_sample_has_these_losses(m, data):
    limit, dim, times, ridge = limit_of(3, 6, 0.1, m, data), 100, np.array([3.0, 30.0, 1e3]), 0.01
    u, v, population, noise, constant, _ = gaussian_equivalent(limit, dim, 1)
    lam, basis = np.linalg.eigh(u)
    v, noise, population = basis.T @ v, basis.T @ noise, basis.T @ population @ basis
    kappa = filters.learning_rate_constant(limit.noise, 6.0)
    f = np.asarray(filters.flow(times, kappa, ridge)(lam))
    own = (v**2).sum(1) / dim
    train = constant + (lam * f**2 - 2 * f) @ own
    test = 1 + np.einsum("tk,kl,tl->t", f, (v @ v.T) * population, f) / dim - 2 * f @ (v * noise).sum(1) / dim
    found = limit_curves(limit, times, ridge).curves
    np.testing.assert_allclose([found.train, found.test], [train, test], rtol=0.03)


def test_late_flow_is_the_minimizer_and_early_flow_is_zero():
    limit = limit_of(4, 16, m=4)
    values = np.stack(limit_curves(limit, [0.0, 1e9, np.inf], ridge=1e-2).curves[:2])
    np.testing.assert_allclose(values[:, 0], 1.0, atol=1e-8)
    np.testing.assert_allclose(values[:, 1], values[:, 2], atol=1e-8)


def test_many_copies_approach_the_average():
    def test_losses(m):
        return limit_curves(limit_of(4, 16, m=m), [10, 1e3], ridge=1e-3).curves.test

    errors = [np.abs(test_losses(m) - test_losses(math.inf)).max() for m in (64, 4096)]
    assert errors[1] < 2e-3
    assert errors[0] / errors[1] == pytest.approx(64, rel=0.3)


def test_discrete_descent_and_self_distillation_are_filters_too():
    limit = limit_of(4, 16)
    kappa = filters.learning_rate_constant(limit.noise, 16.0)
    rate = 0.5 / 30
    step, steps = kappa * rate, np.array([0, 10, 1000])

    def observable(spectrum, target):
        descent = [filters.descent(steps, step)]
        distilled = [filters.compose(filters.flow(steps * rate, kappa), filters.minimizer(0.0))]
        flowed = [filters.flow(steps * rate, kappa)]
        return np.stack([losses.target_loss(spectrum, target, f) for f in (descent, distilled, flowed)])

    descent, distilled, flowed = tables.converged(limit, observable).values
    np.testing.assert_allclose(distilled, flowed, atol=1e-8)  # a student of the whole range forgets nothing
    np.testing.assert_allclose(descent, flowed, rtol=0.01)
    assert descent[0] == pytest.approx(1, abs=1e-8)


def test_what_the_largest_contour_leaves_is_returned_as_the_error(monkeypatch):
    limit, times = limit_of(4, 16), [0.0, 10.0, 1e5]
    fine = limit_curves(limit, times)
    monkeypatch.setattr(tables, "NODES", (32, 64))
    rough = limit_curves(limit, times)
    assert rough.nodes == 64
    assert rough.error.shape == (3,)
    assert np.all(rough.error[1:] > 1e-8)
    assert np.all(np.abs(rough.curves.test - fine.curves.test) <= rough.error)
    assert np.all(fine.error <= 1e-8)
    assert 0 < fine.residual <= 1e-12


def test_the_limit_refuses_what_it_does_not_know():
    limit = limit_of(4, 16)
    spectrum, target = tables.limit_spectrum(limit, 64)
    ones = np.ones(32)
    for call in (
        lambda: spectrum.own(ones, 0, 1),
        lambda: target.cross(ones, 1),
        lambda: target.overlap(ones, ones, 1),
    ):
        with pytest.raises(ValueError, match="training from zero only"):
            call()
    with pytest.raises(ValueError, match=r"noise_copies 2 .*give a ridge"):
        tables.limit_spectrum(limit_of(4, 8, m=2), 64)


PARTS_OFF = {
    (8, 64, 0.1): (2.467, 0.863, 2.309, 0.838),
    (8, 64, 0.01): (25.5, 0.986, 25.3, 0.984),
    (4, 64, 0.1): (3.194, 0.884, 3.093, 0.868),
    (16, 64, 0.1): (1.738, 0.890, 1.523, 0.828),
}


@pytest.mark.parametrize("case", PARTS_OFF, ids=str)
def test_late_losses_by_part(case):
    """equations.md §5: L_test at τ = ∞ with all parts, without mini, without main, with gen alone."""
    limit = limit_of(*case)
    found = tables.part_spectrum(limit)
    assert found.names == ("mini", "main", "gen")
    f = 1 / found.spectrum.points
    mini, main, gen = found.keep

    def test_loss(keep):
        return float(losses.target_loss(found.spectrum, found.target, [lambda _: f * keep]))

    values = [test_loss(keep) for keep in (mini + main + gen, main + gen, mini + gen, gen)]
    np.testing.assert_allclose(values, PARTS_OFF[case], atol=0.06 if case[2] == 0.01 else 6e-4)
    assert values[0] == pytest.approx(float(limit_curves(limit, [np.inf]).curves.test[0]), abs=1e-7)


def test_the_fall_of_the_train_loss_and_the_pairs_of_parts():
    """equations.md §5, (8, 64, 0.1): L_train falls by .429 through mini and .028 through main; mini alone +.54 …"""
    found = tables.part_spectrum(limit_of(8, 64))
    f = 1 / found.spectrum.points
    fall = [-float(losses.train_loss(found.spectrum, [lambda _, k=keep: f * k]) - 1) for keep in found.keep]
    assert [f"{value:.3f}" for value in fall[:2]] == ["0.429", "0.028"]
    mini, main, gen = f * found.keep
    alone = float(found.target.overlap(mini, mini) - 2 * found.target.cross(mini))
    pairs = [float(2 * found.target.overlap(mini, other)) for other in (gen, main)]
    np.testing.assert_allclose([alone, *pairs], [0.54, 0.93, 0.13], atol=6e-3)
