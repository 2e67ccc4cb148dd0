from __future__ import annotations

import math

import numpy as np
import pytest

from rfsim.learning import filters, losses
from rfsim.learning.curves import loss_curves
from rfsim.learning.trainers import FlowFilter, read
from rfsim.limit import part_tables, tables
from rfsim.limit.dynamics import limit_curves
from tests.theory.cases import gaussian_equivalent, limit_of

ATOMS, TRAINERS = "atoms:0.5@0.5,0.5@1.5", ("flow", "descent:3", "distillation:30")


def test_the_published_point():
    """equations.md §6: ψ_n = 4, ψ_p = 16, t = 0.1, τ = 10⁵."""
    found = limit_curves(limit_of(4, 16), [1e5])
    assert found.curves.train[0] == pytest.approx(0.49337, abs=5e-6)
    assert found.curves.test[0] == pytest.approx(1.844, abs=5e-4)
    assert found.error[0] <= 1e-8


@pytest.mark.parametrize(
    ("data", "m"),
    [
        *(("isotropic:2", m) for m in (2, 1e6, math.inf)),
        *((ATOMS, m) for m in (1e6, math.inf)),
        pytest.param(ATOMS, 2, marks=pytest.mark.slow),
    ],
)
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
        found.append(loss_curves(spectrum, target, [10, 1e3, 1e5], FlowFilter(kappa)))
    np.testing.assert_allclose(found[0].test, found[1].test, atol=1e-9)
    np.testing.assert_allclose(found[0].train, found[1].train, atol=1e-9)


@pytest.mark.parametrize(
    ("text", "data", "m"),
    [
        ("flow", "isotropic", 2),
        *((text, data, math.inf) for text in TRAINERS for data in ("isotropic", ATOMS)),
        # finite copies take contours of more nodes
        pytest.param("flow", ATOMS, 2, marks=pytest.mark.slow),
        *(
            pytest.param(text, data, 2, marks=pytest.mark.slow)
            for text in TRAINERS[1:]
            for data in ("isotropic", ATOMS)
        ),
    ],
)
def test_a_gaussian_equivalent_sample_has_these_losses(m, data, text):
    limit, dim, times, ridge = limit_of(3, 6, 0.1, m, data), 100, np.array([3.0, 30.0, 1e3]), 0.01
    u, v, population, noise, constant, _ = gaussian_equivalent(limit, dim, 1)
    lam, basis = np.linalg.eigh(u)
    v, noise, population = basis.T @ v, basis.T @ noise, basis.T @ population @ basis
    kappa = filters.learning_rate_constant(limit.noise, 6.0)
    f = np.asarray(read(text).at(kappa, ridge).filter(times)(lam))
    own = (v**2).sum(1) / dim
    train = constant + (lam * f**2 - 2 * f) @ own
    test = 1 + np.einsum("tk,kl,tl->t", f, (v @ v.T) * population, f) / dim - 2 * f @ (v * noise).sum(1) / dim
    found = limit_curves(limit, times, ridge, trainer=text).curves
    np.testing.assert_allclose([found.train, found.test], [train, test], rtol=0.03)
    np.testing.assert_allclose(found.penalty, ridge * f**2 @ own, rtol=0.05)


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


def test_a_student_that_learns_all_and_short_steps_are_the_flow():
    limit, times = limit_of(4, 16), [0.0, 0.1, 10.0, 1e4, np.inf]
    flow, student, early = (
        np.stack(limit_curves(limit, times, trainer=text).curves)
        for text in ("flow", "distillation:inf", "distillation:1e-9")
    )
    np.testing.assert_allclose(student, flow, atol=1e-8)
    np.testing.assert_allclose(early[:2], 1.0, atol=1e-8)
    errors = [
        np.abs(np.stack(limit_curves(limit, times, trainer=f"descent:{step}").curves) - flow).max()
        for step in (0.02, 0.01)
    ]
    # Euler's method: the error is of the order of the step
    assert errors[0] < 0.02
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize("text", ["flow", "descent:6"])
@pytest.mark.parametrize("m", [pytest.param(2, marks=pytest.mark.slow), math.inf])
def test_training_lowers_the_objective_with_its_penalty(text, m):
    """(T7) is the flow of L_train with its penalty; descent lowers it too (here c(λ_max + γ) is 1.93, 1.84)."""
    found = limit_curves(limit_of(4, 16, m=m), np.append(6 * np.arange(40), np.inf), 0.05, trainer=text).curves
    assert np.all(np.diff(found.train_penalized) < 0)
    assert np.all(np.diff(found.penalty[:-1]) > 0)


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
    found = part_tables.part_spectrum(limit)
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
    found = part_tables.part_spectrum(limit_of(8, 64))
    f = 1 / found.spectrum.points
    fall = [-float(losses.train_loss(found.spectrum, [lambda _, k=keep: f * k]) - 1) for keep in found.keep]
    assert [f"{value:.3f}" for value in fall[:2]] == ["0.429", "0.028"]
    mini, main, gen = f * found.keep
    alone = float(found.target.overlap(mini, mini) - 2 * found.target.cross(mini))
    pairs = [float(2 * found.target.overlap(mini, other)) for other in (gen, main)]
    np.testing.assert_allclose([alone, *pairs], [0.54, 0.93, 0.13], atol=6e-3)
