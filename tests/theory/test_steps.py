"""The teacher's step in the limit: recorded constants, identities they must meet, limits, and draws of the
equivalent."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rfsim.limit.ladders import residual_correlation
from rfsim.limit.rational import Trained
from tests.theory.steps import at, between, down

RECORDED = {  # an independent implementation's digits
    (8, 32, 0.1, 0.05): {
        "alpha": 1.0512711, "beta": 0.0592237, "c1": -0.141523, "c2": 0.110094, "tau1": -0.534048, "tau2": -1.131535,
        "var_mean": 0.345027, "var_fresh": 2.295488, "a_u": 0.5770633, "a_omega": 0.2703431, "a_y": 0.0359906,
        "rho": 0.1248430, "rho_new": 0.0041979, "s1": 0.1048003, "s2": 0.0200575, "c_h": 0.0482561, "c_k": 0.5776833,
        "w1": 0.1249761, "c_psi": 0.0122791,
    },
    (4, 16, 0.5, 0.1): {
        "beta": 0.6045105, "c1": -0.110901, "c2": 0.022461, "tau1": -0.487534, "tau2": -0.801385, "var_mean": 0.245891,
        "var_fresh": 0.707718, "a_u": 0.5670099, "a_omega": 0.7389258, "a_y": 0.3896062, "rho": 0.0365523,
        "rho_new": 0.0060764, "s1": 0.1268046, "s2": 0.0510956, "c_h": 0.1298800, "c_k": 0.5796685, "w1": 0.0377076,
        "c_psi": 0.0216967,
    },
}  # fmt: skip
every_teacher = pytest.mark.parametrize("how", [{}, {"ridge": 0.1}, {"time": 1e4}], ids=["ended", "ridge", "early"])


@pytest.mark.parametrize("where", RECORDED, ids=str)
def test_the_recorded_constants_are_met_to_their_digits(where):
    *_, found, constants = between(*where)
    assert constants.error < 1e-12
    values = found._asdict() | constants._asdict()
    for name, expected in RECORDED[where].items():
        digits = 7 if name in ("alpha", "beta") or name in constants._fields else 6
        assert values[name] == pytest.approx(expected, abs=0.6 * 10**-digits), name


@pytest.mark.slow
def test_two_atoms_have_the_recorded_fields():
    *_, found, _ = between(4, 16, 0.1, 0.05, data="atoms:0.5@0.5,0.5@2.5")
    expected = -0.344450, 0.290732, -0.451415, -1.195692, 0.199369, 2.572416
    np.testing.assert_allclose(found, expected, atol=6e-7)


@pytest.mark.parametrize("data", ["isotropic", "atoms:0.5@0.5,0.5@2.5"])
def test_a_teacher_that_learned_everything_meets_its_own_target(data):
    """At f = 1/u the training error's normal equations say E zφ = −a."""
    now, _, _, f, _ = between(4, 16, 0.1, 0.05, data=data)
    gamma2 = now.signal**2 * now.power + now.noise
    linear = now.a**2 * now.signal**2 * now.power + now.v**2
    found = f.c1 * (now.a**2 * gamma2 + now.v**2 + now.s**2) + f.c2 * linear
    found += now.a * (f.tau1 * now.signal + f.tau2 * math.sqrt(now.noise))
    assert found == pytest.approx(-now.a, rel=1e-8)


def test_filters_as_resolvents_are_the_filters():
    trained = Trained(1e4, 0.0113, 0.05)
    u = np.geomspace(0.01, 30, 40)
    for nodes, values in ((trained.filter_nodes, trained.filter(u)), (trained.decay_nodes, trained.decay(u))):
        found = (nodes.weights / (u[:, None] - nodes.points)).sum(-1)
        assert np.abs(found.imag).max() < 1e-12
        np.testing.assert_allclose(found.real, values, rtol=1e-11, atol=1e-12)
    ended = Trained(math.inf, 0.0113, 0.05)
    assert ended.decay_nodes is None
    np.testing.assert_allclose(ended.filter(u), 1 / (u + 0.05), rtol=1e-14)


def test_a_late_teacher_has_the_fields_of_one_that_ended():
    ended, late = between(8, 32, 0.1, 0.05)[3], between(8, 32, 0.1, 0.05, time=1e9)[3]
    np.testing.assert_allclose(late, ended, rtol=1e-9)


@every_teacher
def test_a_step_that_leads_nowhere_leaves_the_features_as_they_are(how):
    now, _, _, _, constants = between(8, 32, 0.1, 0.1 - 1e-6, **how)
    found = constants.c_h, constants.c_k, constants.w1, constants.c_psi, constants.rho_new, constants.s2
    np.testing.assert_allclose(found, [now.b**2, now.signal * now.a, now.v, now.s**2, 0, 0], atol=2e-6)


def test_the_first_change_of_a_step_has_the_recorded_slopes():
    ends = [between(8, 32, 0.1, 0.1 - h)[4] for h in (1e-4, 2e-4)]
    now = at(8, 32, 0.1)
    start = np.array([now.b**2, now.signal * now.a, now.v, now.s**2])
    first, second = (
        (np.array([one.c_h, one.c_k, one.w1, one.c_psi]) - start) / h for one, h in zip(ends, (1e-4, 2e-4), strict=True)
    )
    np.testing.assert_allclose(2 * first - second, [-0.3015, 0.5450, 0.1526, -0.0173], atol=1.5e-4)


@pytest.mark.slow
def test_linear_features_stay_linear():
    """σ(x) = x: after the step x_i is αx_i + βz_i, so every direction but the linear ones is empty."""
    *_, found, constants = between(4, 2, 0.3, 0.2, ridge=0.1, sigma="linear")
    assert constants.a_y == pytest.approx(constants.beta)
    assert max(constants.rho, constants.s1, constants.rho_new, constants.s2) < 1e-7
    assert constants.a_omega == pytest.approx(
        math.sqrt(-math.expm1(-0.6)) * (constants.alpha + constants.beta * found.c1)
    )


def _nodes(count):
    points, weights = np.polynomial.hermite_e.hermegauss(count)
    return points, weights / weights.sum()


@pytest.mark.parametrize("where", [(8, 32, 0.1, 0.05), (4, 16, 0.5, 0.1)], ids=str)
def test_a_feature_after_the_step_is_the_sum_of_its_parts(where):
    """Stein: E Fu = A_uσ_x² + A_yτ_1, E Fω = A_ω + A_yτ_2; E F² is that of the parts (D6), by Gauss–Hermite alone."""
    now, _, _, f, one = between(*where)
    (x, wx), (y, wy) = _nodes(40), _nodes(20)
    u, omega = np.meshgrid(x, x, indexing="ij")
    before = now.signal * u + math.sqrt(now.noise) * omega
    mean = np.tanh(now.signal * x[:, None] + math.sqrt(now.noise) * x) @ wx
    inner = one.alpha * before + one.beta * (f.c1 * np.tanh(before) + f.c2 * mean[:, None])
    late = f.tau1 * x[:, None] + math.sqrt(f.var_mean - f.tau1**2) * y
    new = f.tau2 * x[:, None] + math.sqrt(f.var_fresh - f.tau2**2) * y
    # (u, ȳ, ω, ỹ)
    after = np.tanh(inner[:, None, :, None] + one.beta * (late[:, :, None, None] + new))

    def average(values, subscripts, *factors):
        return float(np.einsum(f"uywz,u,y,w,z{subscripts}->", values, wx, wy, wx, wy, *factors))

    assert average(after, ",u", x) == pytest.approx(one.a_u + one.a_y * f.tau1, abs=1e-8)
    assert average(after, ",w", x) == pytest.approx(one.a_omega + one.a_y * f.tau2, abs=1e-8)
    whole = one.a_u**2 + 2 * one.a_u * one.a_y * f.tau1 + one.a_y**2 * f.var_mean + one.rho**2 + one.rho_new**2
    whole += one.a_omega**2 + 2 * one.a_omega * one.a_y * f.tau2 + one.a_y**2 * f.var_fresh + one.s1**2 + one.s2**2
    assert average(after**2, "") == pytest.approx(whole, abs=1e-8)
    if where == (8, 32, 0.1, 0.05):
        assert whole == pytest.approx(0.3922943, abs=6e-8)


def test_residuals_of_a_step_correlate_fully_with_themselves():
    ladder = down(8, 32, (0.02, 0.05, 0.1))
    for k in range(ladder.height):
        own = residual_correlation(ladder.levels, ladder.teachers, ladder.fields, 1.0, k, k)
        assert own == pytest.approx(1, abs=1e-10)
    eigenvalues = np.linalg.eigvalsh(ladder.space.noises)
    assert eigenvalues.min() > -1e-12
