from __future__ import annotations

import math

import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from scipy import integrate

from rfsim.activations import ACTIVATIONS, Activation, activation, gaussian_constants
from rfsim.diffusion import noise_variance, signal


def constants(name: str, t: float, sigma_x: float = 1.0):
    return gaussian_constants(
        ACTIVATIONS[name], signal_variance=(signal(t) * sigma_x) ** 2, noise_variance=noise_variance(t)
    )


@pytest.mark.parametrize("t", [1e-4, 0.01, 0.1, 1.0, 5.0])
@pytest.mark.parametrize("sigma_x", [0.5, 1.0, 2.0, 5.0])
def test_erf_constants_equal_their_closed_forms_to_1e12(t, sigma_x):
    # forty digits: the closed forms lose up to ten where s² or v² is a small difference
    with mpmath.workdps(40):
        time, power = mpmath.mpf(t), mpmath.mpf(sigma_x) ** 2
        alpha, delta = mpmath.exp(-2 * time) * power, 1 - mpmath.exp(-2 * time)
        gamma2 = alpha + delta
        a = 2 / mpmath.sqrt(mpmath.pi * (1 + 2 * gamma2))
        v2 = 2 / mpmath.pi * mpmath.asin(2 * alpha / (1 + 2 * gamma2)) - a**2 * alpha
        s2 = 2 / mpmath.pi * mpmath.asin(2 * gamma2 / (1 + 2 * gamma2)) - a**2 * gamma2 - v2
        exact = [float(x) for x in (a, mpmath.sqrt(delta) * a, v2, s2)]
    c = constants("erf", t, sigma_x)
    np.testing.assert_allclose([c.a, c.b, c.v2, c.s2], exact, rtol=1e-12)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
@pytest.mark.parametrize(("t", "sigma_x"), [(0.01, 1.0), (0.1, 1.0), (0.1, 2.0), (1.0, 0.5)])
def test_constants_equal_nested_adaptive_integrals(name, t, sigma_x):
    function = {"tanh": math.tanh, "erf": math.erf}[name]
    alpha, beta = signal(t) * sigma_x, math.sqrt(noise_variance(t))

    def gauss(f):
        weight = lambda u: f(u) * math.exp(-u * u / 2) / math.sqrt(2 * math.pi)  # noqa: E731
        return integrate.quad(weight, -9, 9, epsabs=1e-13, epsrel=1e-12, limit=400)[0]

    gamma = math.hypot(alpha, beta)
    a = gauss(lambda z: function(gamma * z) * z) / gamma
    smooth = lambda u: gauss(lambda v: function(alpha * u + beta * v))  # noqa: E731
    v2 = gauss(lambda u: smooth(u) ** 2) - a**2 * alpha**2
    s2 = gauss(lambda z: function(gamma * z) ** 2) - a**2 * gamma**2 - v2
    c = constants(name, t, sigma_x)
    np.testing.assert_allclose([c.a, c.v2, c.s2], [a, v2, s2], rtol=1e-9, atol=1e-12)


def test_tanh_constants_are_the_stated_ones():
    c = constants("tanh", 0.1)  # equations.md §4
    assert [round(c.a, 7), round(c.v2, 8), round(c.s2, 8), round(c.b, 7)] == [
        0.6057055,
        0.01384145,
        0.01357387,
        0.2578835,
    ]
    assert c.error <= 1e-12


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_the_constants_add_up_to_the_second_moment(name):
    # E σ(Γz)² = a²Γ² + v² + s², by an independent one-dimensional rule
    c = constants(name, 0.3, 1.5)
    gamma2 = (signal(0.3) * 1.5) ** 2 + noise_variance(0.3)
    z, w = np.polynomial.hermite_e.hermegauss(180)
    values = np.asarray(ACTIVATIONS[name].function(jnp.asarray(math.sqrt(gamma2) * z)))
    assert c.a**2 * gamma2 + c.v2 + c.s2 == pytest.approx((w @ values**2) / w.sum(), rel=1e-9)


def test_an_uncentered_activation_is_refused():
    shifted = Activation("shifted", lambda x: jnp.tanh(x) + 0.1, odd=False)
    with pytest.raises(ValueError, match=r"'shifted' must be centered: E σ\(Γz\) = 0.1"):
        gaussian_constants(shifted, signal_variance=0.5, noise_variance=0.5)


def test_a_tolerance_that_is_not_met_is_refused_with_the_error_reached():
    kink = Activation("sign", jnp.sign, odd=True)
    with pytest.raises(ValueError, match="reach a relative error of"):
        gaussian_constants(kink, signal_variance=0.5, noise_variance=0.5)


def test_an_unknown_activation_gets_the_nearest_name():
    with pytest.raises(ValueError, match="unknown activation 'thanh'; choose one of tanh, erf; did you mean 'tanh'"):
        activation("thanh")
