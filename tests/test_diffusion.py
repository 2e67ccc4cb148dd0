from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from rfsim import diffusion
from rfsim.diffusion import Law, diffuse, noise_variance, score_power, signal

TIMES = st.floats(1e-6, 5.0)


@settings(deadline=None)
@given(TIMES)
def test_signal_and_noise_share_the_variance(t):
    assert signal(t) ** 2 + noise_variance(t) == pytest.approx(1.0, rel=1e-15)


@settings(deadline=None)
@given(TIMES, st.integers(0, 2**31))
def test_the_three_predictions_convert_into_each_other(t, seed):
    x, xi = np.random.default_rng(seed).standard_normal((2, 3, 4))
    x_t = diffusion.forward(x, xi, t)
    np.testing.assert_allclose(diffusion.noise_to_clean(x_t, xi, t), x, atol=1e-9)
    np.testing.assert_allclose(diffusion.clean_to_noise(x_t, x, t), xi, atol=1e-9)
    np.testing.assert_allclose(diffusion.score_to_noise(diffusion.noise_to_score(xi, t), t), xi, atol=1e-12)


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
        ((0.0, 1.0, 3), "0 < lower < upper; got 0 and 1"),
        ((2.0, 1.0, 3), "0 < lower < upper; got 2 and 1"),
        ((0.1, 1.0, 0), "levels must be at least 1; got 0"),
    ],
)
def test_a_bad_time_grid_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        diffusion.time_grid(*arguments)


def test_an_unknown_spacing_is_refused():
    with pytest.raises(ValueError, match="'geometric' or 'linear'; got 'log'"):
        diffusion.time_grid(0.1, 1.0, 3, spacing="log")
