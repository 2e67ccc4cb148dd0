from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special

from rfsim.problem import diffusion
from rfsim.problem.diffusion import (
    Step,
    diffuse,
    noise_variance,
    ode_step,
    renoise,
    reverse_sde_step,
    signal,
)
from rfsim.problem.laws import Law, score, score_power

TIMES = st.floats(1e-6, 5.0)


@settings(deadline=None)
@given(TIMES)
def test_signal_and_noise_share_the_variance(t):
    assert signal(t) ** 2 + noise_variance(t) == pytest.approx(1.0, rel=1e-15)


@settings(deadline=None)
@given(TIMES, st.integers(0, 2**31))
def test_the_predictions_convert_into_each_other(t, seed):
    x, xi = np.random.default_rng(seed).standard_normal((2, 3, 4))
    x_t = diffusion.forward(x, xi, t)
    np.testing.assert_allclose(diffusion.noise_to_clean(x_t, xi, t), x, atol=1e-9)
    score = -xi / math.sqrt(noise_variance(t))  # of one point: −(x_t − e^{−t}x)/Δ_t
    np.testing.assert_allclose(diffusion.score_to_noise(score, t), xi, atol=1e-12)


@settings(deadline=None)
@given(TIMES, st.floats(0.0, 1.0))
def test_a_ddim_step_keeps_the_two_predictions(t, share):
    to, x, value = share * t, 0.7, -1.3
    noise = diffusion.score_to_noise(value, t)
    clean = diffusion.noise_to_clean(x, noise, t)
    step = ode_step("ddim", t, to)
    assert step.x * x + step.score * value == pytest.approx(float(diffusion.forward(clean, noise, to)), abs=1e-12)


@settings(deadline=None)
@given(st.floats(-6, 0.5), st.floats(-9, -0.1))
def test_a_ddim_step_loses_no_digits_however_short(log_time, log_share):
    t = 10**log_time
    to = t * (1 - 10**log_share)
    with mpmath.workdps(50):
        here, there = (-mpmath.expm1(-2 * mpmath.mpf(s)) for s in (t, to))
        exact = mpmath.exp(mpmath.mpf(t) - to) * here - mpmath.sqrt(here * there)
    # t − to itself is exact in float64 only for to ≥ t/2
    assert ode_step("ddim", t, to).score == pytest.approx(float(exact), rel=2e-14)


def test_a_step_of_no_length_stays():
    for solver in diffusion.ODE_SOLVERS:
        assert ode_step(solver, 0.3, 0.3) == Step(1, 0, 0, 0)
    assert reverse_sde_step(0.3, 0.3) == Step(1, 0, 0, 0)


def test_short_steps_of_all_solvers_share_their_slope():
    for solver in diffusion.ODE_SOLVERS:
        step = ode_step(solver, 0.5 + 1e-6, 0.5)
        assert (step.x - 1) / 1e-6 == pytest.approx(1.0, rel=1e-5)
        assert step.score / 1e-6 == pytest.approx(1.0, rel=1e-5)
    assert ode_step("heun", 0.5, 0.3).half == pytest.approx(0.1)
    assert reverse_sde_step(0.5, 0.3) == pytest.approx((1.2, 0.4, 0.0, math.sqrt(0.4)))


@pytest.mark.parametrize(("t", "to"), [(0.1, 0.2), (0.1, -0.1), (0.0, 0.0), (math.nan, 0.1)])
def test_a_step_that_does_not_descend_is_refused(t, to):
    with pytest.raises(ValueError, match=f"0 <= to <= t and t > 0; got t {t:g} and to {to:g}"):
        ode_step("euler", t, to)
    with pytest.raises(ValueError, match="0 <= to <= t and t > 0"):
        reverse_sde_step(t, to)


def test_an_unknown_solver_is_refused():
    with pytest.raises(ValueError, match="solver must be one of ddim, euler, heun; got 'rk4'"):
        ode_step("rk4", 0.2, 0.1)


def test_renoising_takes_a_diffused_law_to_the_later_one():
    clean, first, second = np.random.default_rng(0).standard_normal((3, 5))
    x = diffusion.forward(clean, first, 0.2)
    found = renoise(x, second, 0.2, 0.9)
    share = signal(0.7) * math.sqrt(noise_variance(0.2)) / math.sqrt(noise_variance(0.9))
    both = share * first + math.sqrt(1 - share**2) * second
    np.testing.assert_allclose(found, diffusion.forward(clean, both, 0.9), rtol=1e-12)
    with pytest.raises(ValueError, match="from an earlier to a later time; got 0.9 to 0.2"):
        renoise(x, second, 0.9, 0.2)


def _log_density(law, x):
    distance = ((x[:, None] - law.centers) ** 2 / law.variances).sum(axis=2)
    return special.logsumexp(-distance / 2, axis=1) - np.log(law.variances).sum() / 2


def test_the_score_is_the_gradient_of_the_log_density():
    rng = np.random.default_rng(2)
    law = Law(rng.standard_normal((4, 3)), np.array([0.3, 1.0, 2.0]))
    x, step = rng.standard_normal((20, 3)), 1e-5
    slopes = [(_log_density(law, x + step * e) - _log_density(law, x - step * e)) / (2 * step) for e in np.eye(3)]
    np.testing.assert_allclose(score(law, x), np.transpose(slopes), atol=1e-9)
    one = Law(np.array([[1.0, -2.0]]), np.array([0.5, 3.0]))
    np.testing.assert_allclose(score(one, [[2.0, 1.0]]), [[-2.0, -1.0]])


def test_the_score_of_sharp_and_distant_components_stays_finite():
    law = Law(1e6 + np.array([[0.0, 0.0], [1.0, 0.0]]), np.full(2, 1e-8))
    found = score(law, 1e6 + np.array([[0.9, 0.0], [0.1, 0.3]]))
    np.testing.assert_allclose(found, [[1e7, 0.0], [-1e7, -3e7]], rtol=1e-8, atol=1e-8)


def test_the_mean_square_of_the_score_is_the_score_power():
    half, variances = np.array([1.2, 0.0, 0.0]), np.array([0.7, 1.0, 2.0])
    law = Law(np.stack([half, -half]), variances)
    rng = np.random.default_rng(3)
    x = rng.standard_normal((20000, 3)) * np.sqrt(variances) + law.centers[np.arange(20000) % 2]
    squares = (score(law, x) ** 2).mean(axis=1)
    assert abs(squares.mean() - score_power(law)) < 4 * squares.std() / math.sqrt(len(squares))


def test_a_law_without_variance_has_no_score():
    with pytest.raises(ValueError, match="without variance along some direction has no score; diffuse it first"):
        score(Law(np.zeros((1, 2)), np.array([1.0, 0.0])), np.zeros((1, 2)))


def test_diffusing_twice_is_diffusing_once_for_the_sum():
    law = Law(np.array([[1.0, -2.0]]), np.array([0.5, 3.0]))
    twice, once = diffuse(diffuse(law, 0.3), 0.5), diffuse(law, 0.8)
    np.testing.assert_allclose(twice.centers, once.centers)
    np.testing.assert_allclose(twice.variances, once.variances)


def test_the_power_of_a_mixture_counts_its_means():
    law = Law(np.array([[1.0, 0.0], [-1.0, 0.0]]), np.ones(2))
    assert law.power == pytest.approx(1.5)


def test_the_score_power_of_a_gaussian_is_the_trace_of_the_inverse():
    law = Law(np.zeros((1, 2)), np.array([0.5, 2.0]))
    assert score_power(law) == pytest.approx((2.0 + 0.5) / 2)


@pytest.mark.parametrize("half", [0.0, 0.3, 1.5, 6.0])
def test_the_score_power_of_a_mixture_is_its_integral(half):
    variance = 0.7

    def density(x):
        parts = [math.exp(-((x - m) ** 2) / (2 * variance)) for m in (half, -half)]
        return sum(parts) / 2 / math.sqrt(2 * math.pi * variance)

    def integrand(x):
        step = 1e-5
        slope = (math.log(density(x + step)) - math.log(density(x - step))) / (2 * step)
        return slope**2 * density(x)

    along = integrate.quad(integrand, -half - 7, half + 7, limit=400, epsabs=1e-10)[0]
    law = Law(np.array([[0.0, half, 0.0], [0.0, -half, 0.0]]), np.array([1.0, variance, 2.0]))
    assert score_power(law) == pytest.approx((1.0 + along + 0.5) / 3, rel=1e-6)


def test_the_score_power_of_an_empirical_law_is_unknown():
    assert score_power(Law(np.zeros((5, 2)), np.zeros(2))) is None
    assert score_power(diffuse(Law(np.eye(3), np.zeros(3)), 0.1)) is None


def test_a_time_grid_holds_its_ends_and_grows():
    grid = diffusion.time_grid(0.02, 3.0, 20)
    assert grid.shape == (21,)
    assert grid[0] == pytest.approx(0.02)
    assert grid[-1] == pytest.approx(3.0)
    np.testing.assert_allclose(np.diff(np.log(grid)), np.log(150) / 20)
    assert np.ptp(np.diff(diffusion.time_grid(1.0, 2.0, 4, spacing="linear"))) < 1e-12


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 1.0, 3), "0 < lower < upper, all finite; got 0 and 1"),
        ((2.0, 1.0, 3), "0 < lower < upper, all finite; got 2 and 1"),
        ((0.1, 1.0, 0), "levels must be at least 1; got 0"),
    ],
)
def test_a_bad_time_grid_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        diffusion.time_grid(*arguments)


def test_an_unknown_spacing_is_refused():
    with pytest.raises(ValueError, match="'geometric' or 'linear'; got 'log'"):
        diffusion.time_grid(0.1, 1.0, 3, spacing="log")
