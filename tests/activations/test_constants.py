from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from rfsim.problem.activations import ACTIVATIONS, Activation, activation, centered, gaussian_constants
from rfsim.problem.diffusion import noise_variance, signal


def constants(name: str, t: float, sigma_x: float = 1.0):
    return gaussian_constants(
        ACTIVATIONS[name], signal_variance=(signal(t) * sigma_x) ** 2, noise_variance=noise_variance(t)
    )


def exact(name, signal_variance, noise_variance):
    """(a, v², s²) to forty digits: in float64 these forms lose up to ten where s² or v² is a small difference."""
    with mpmath.workdps(40):
        alpha, delta = mpmath.mpf(signal_variance), mpmath.mpf(noise_variance)
        gamma2 = alpha + delta
        if name == "erf":
            a = 2 / mpmath.sqrt(mpmath.pi * (1 + 2 * gamma2))
            v2 = 2 / mpmath.pi * mpmath.asin(2 * alpha / (1 + 2 * gamma2)) - a**2 * alpha
            s2 = 2 / mpmath.pi * mpmath.asin(2 * gamma2 / (1 + 2 * gamma2)) - a**2 * gamma2 - v2
        elif name == "sine":
            a = mpmath.exp(-gamma2 / 2)
            v2 = a**2 * (mpmath.sinh(alpha) - alpha)
            s2 = a**2 * (mpmath.sinh(gamma2) - gamma2) - v2
        elif name == "hermite3":
            a, v2, s2 = mpmath.sqrt(mpmath.mpf(3) / 2) * (gamma2 - 1), alpha**3, gamma2**3 - alpha**3
        elif name in ("gelu", "silu"):
            return [float(x) for x in halves(name, alpha, gamma2)]
        else:
            a = mpmath.mpf(1) / 2
            v2 = gamma2 / (2 * mpmath.pi) * arc_cosine(alpha / gamma2)
            s2 = gamma2 / (2 * mpmath.pi) * arc_cosine(mpmath.mpf(1)) - v2
        return [float(x) for x in (a, v2, s2)]


def halves(name, alpha, gamma2):
    """a, v² and s² of x/2 + g(x) with g even, so that a = 1/2 and g has no other odd coefficient."""
    mean_out = gelu_covariance if name == "gelu" else silu_covariance
    v2, square = (mean_out(rho, gamma2) for rho in (alpha, gamma2))
    return mpmath.mpf(1) / 2, v2, square - v2


def gelu_covariance(rho, gamma2):
    """Of g = x erf(x/√2)/2 at covariance ρ: its second derivative in ρ is E g″(x)g″(y), a Gaussian integral."""
    total = 1 + gamma2

    def second(r):
        det = total**2 - r**2
        own, between = 1 - total / det, r / det
        return (rho - r) * (4 - 4 * own + own**2 + 2 * between**2) / mpmath.sqrt(det) / (2 * mpmath.pi)

    return mpmath.quad(second, [0, rho])


def silu_covariance(rho, gamma2, orders=240):
    """Of g = x tanh(x/2)/2 at covariance ρ, as Σ c_s² x^s: c_s by the trapezoidal rule, whose error is e^{−2π²/Γh}."""
    gamma, x = mpmath.sqrt(gamma2), rho / gamma2
    step = mpmath.mpf(1) / 8 / max(gamma, 1)
    nodes = [step * k for k in range(int(14 / step))]
    weights = [step * mpmath.npdf(z) * (2 if k else 1) for k, z in enumerate(nodes)]
    values = [gamma * z * mpmath.tanh(gamma * z / 2) / 2 for z in nodes]
    mean = mpmath.fdot(weights, values)
    if rho == gamma2:
        return mpmath.fdot(weights, [v**2 for v in values]) - mean**2
    weighted = [w * v for w, v in zip(weights, values, strict=True)]
    before, row, found = [mpmath.mpf(0)] * len(nodes), [mpmath.mpf(1)] * len(nodes), mpmath.mpf(0)
    for s in range(orders):
        if s and s % 2 == 0:
            found += mpmath.fdot(weighted, row) ** 2 * x**s
        down, up = mpmath.sqrt(s), mpmath.sqrt(s + 1)
        after = [(z * h - down * g) / up for z, h, g in zip(nodes, row, before, strict=True)]
        before, row = row, after
    return found


def arc_cosine(x):
    """√(1−x²) + x asin x − 1: 2π/Γ² times the covariance of max(Γz, 0) at correlation x, less its linear part."""
    return mpmath.sqrt(1 - x**2) + x * mpmath.asin(x) - 1


CASES = {name: ACTIVATIONS[name] for name in ("erf", "sine", "hermite3", "relu", "gelu")}
# without its closed form, relu is what a user's callable with a kink is
CASES["relu by panels"] = ACTIVATIONS["relu"]._replace(closed=None)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("sigma_x", [0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("t", [1e-4, 0.01, 0.1, 0.35, 1.0, 5.0])
def test_constants_equal_their_closed_forms_to_1e12(t, sigma_x, name):
    alpha, delta = (signal(t) * sigma_x) ** 2, noise_variance(t)
    c = gaussian_constants(CASES[name], signal_variance=alpha, noise_variance=delta)
    expected = exact(name.split()[0], alpha, delta)
    if name == "hermite3" and sigma_x == 1:
        expected[0] = 0.0  # Γ = 1 up to the rounding of Δ
    np.testing.assert_allclose([c.a, c.v2, c.s2], expected, rtol=1e-12)
    assert c.b == math.sqrt(delta) * c.a
    assert c.error <= 1e-12


SILU = [(0.1, 0.5), *((t, sigma_x) for t in (1e-4, 0.01, 0.35, 1.0, 5.0) for sigma_x in (0.5, 2.0))]


@pytest.mark.parametrize(("t", "sigma_x"), [SILU[0], *(pytest.param(*one, marks=pytest.mark.slow) for one in SILU[1:])])
def test_the_constants_of_silu_equal_those_of_forty_digits(t, sigma_x):
    alpha, delta = (signal(t) * sigma_x) ** 2, noise_variance(t)
    c = gaussian_constants(ACTIVATIONS["silu"], signal_variance=alpha, noise_variance=delta)
    np.testing.assert_allclose([c.a, c.v2, c.s2], exact("silu", alpha, delta), rtol=1e-12)
    assert c.error <= 1e-12


@pytest.mark.parametrize("gamma", [0.5, 1.0, 3.0])
def test_softplus_is_centered_to_1e12(gamma):
    with mpmath.workdps(25):
        density = lambda z: mpmath.log1p(mpmath.exp(gamma * z)) * mpmath.npdf(z)  # noqa: E731
        mean = float(mpmath.quad(density, [-12, -4, 0, 4, 12]))
    assert centered(ACTIVATIONS["softplus"], gamma).offset == pytest.approx(mean, rel=1e-12)


def test_linear_has_nothing_but_its_slope():
    assert constants("linear", 0.1, 2.0)[:4] == (1.0, math.sqrt(noise_variance(0.1)), 0.0, 0.0)


def test_tanh_constants_are_the_stated_ones():
    c = constants("tanh", 0.1)  # equations.md §4
    assert [round(c.a, 7), round(c.v2, 8), round(c.s2, 8), round(c.b, 7)] == [
        0.6057055,
        0.01384145,
        0.01357387,
        0.2578835,
    ]
    assert c.error <= 1e-12


def test_an_uncentered_activation_is_refused():
    shifted = Activation("shifted", lambda x: jnp.tanh(x) + 0.1)
    with pytest.raises(ValueError, match=r"'shifted' must be centered: E σ\(Γz\) = 0.1 at Γ = 1; declare"):
        gaussian_constants(shifted, signal_variance=0.5, noise_variance=0.5)


def test_a_shift_is_taken_out_where_the_activation_centers_itself():
    shifted = Activation("shifted", lambda x: jnp.tanh(x) + 0.1, self_centering=True)
    found = gaussian_constants(shifted, signal_variance=0.5, noise_variance=0.5)
    plain = gaussian_constants(ACTIVATIONS["tanh"], signal_variance=0.5, noise_variance=0.5)
    np.testing.assert_allclose(found[:4], plain[:4], rtol=1e-12)
    assert centered(shifted, 1.0).offset == pytest.approx(0.1, abs=1e-14)
    assert centered(centered(shifted, 2.0), 1.0) == centered(shifted, 1.0)


def test_a_polynomial_that_is_centered_gains_the_constant():
    square = Activation("square", lambda x: x**2, self_centering=True, degrees=(2,))
    found = centered(square, 1.5)
    assert found.degrees == (0, 2)
    assert found.offset == pytest.approx(2.25, rel=1e-13)


@pytest.mark.parametrize("kink", [0.0, 1.0])
def test_a_kink_that_is_not_declared_is_refused_with_the_error_reached(kink):
    sigma = Activation("bent", lambda x: jnp.where(jnp.abs(x) > kink, jnp.sign(x), 0.0), odd=True)
    with pytest.raises(ValueError, match=r"'bent' .* reach a relative error of .*, and declare every kink"):
        gaussian_constants(sigma, signal_variance=0.5, noise_variance=0.5)


def test_jumps_are_kinks_too():
    # E sign(αu + βv) given u is erf(αu/β√2), so v² + a²α² = (2/π) asin x and E σ² = 1
    sign = Activation("sign", jnp.sign, odd=True, kinks=(0.0,))
    for alpha in (0.2, 0.8, 0.999):
        c = gaussian_constants(sign, signal_variance=alpha, noise_variance=1 - alpha)
        a2 = 2 / math.pi
        v2 = 2 / math.pi * math.asin(alpha) - a2 * alpha
        np.testing.assert_allclose([c.a**2, c.v2, c.s2], [a2, v2, 1 - a2 - v2], rtol=1e-11)


def test_a_scale_beyond_the_digits_of_float64_is_refused_with_the_error_reached():
    # σ is nearly linear there: what is left is a difference that rounding has eaten
    with pytest.raises(ValueError, match=r"constants of 'tanh' at Γ = 0.001 reach a relative error of .*e-1"):
        gaussian_constants(ACTIVATIONS["tanh"], signal_variance=5e-7, noise_variance=5e-7)


def test_an_unknown_activation_gets_the_nearest_name():
    with pytest.raises(ValueError, match=r"unknown activation 'thanh'; choose one of tanh, .*; did you mean 'tanh'"):
        activation("thanh")


def test_energy_that_the_first_orders_do_not_meet_is_not_missed():
    # the ripple's c_s² peak near s = 400: orders 128 and 256 agree, and lack 5e-7
    c = gaussian_constants(activation("tests.activations.callables:RIPPLED"), signal_variance=0.8, noise_variance=0.2)
    plain = gaussian_constants(ACTIVATIONS["tanh"], signal_variance=0.8, noise_variance=0.2)
    assert c.v2 + c.s2 - plain.v2 - plain.s2 == pytest.approx(5e-7, rel=1e-3)


@pytest.mark.parametrize("gamma2", [2.0, 900.0, 1e5])
def test_sine_keeps_its_energy_at_any_scale(gamma2):
    c = gaussian_constants(ACTIVATIONS["sine"], signal_variance=gamma2 - 0.2, noise_variance=0.2)
    energy = -math.expm1(-2 * gamma2) / 2 - gamma2 * math.exp(-gamma2)
    assert c.v2 + c.s2 == pytest.approx(energy, rel=1e-13)


def test_the_constants_do_not_depend_on_the_precision_in_force():
    inside = gaussian_constants(ACTIVATIONS["tanh"], signal_variance=0.8, noise_variance=0.2)
    with jax.enable_x64(False):
        assert gaussian_constants(ACTIVATIONS["tanh"], signal_variance=0.8, noise_variance=0.2) == inside
