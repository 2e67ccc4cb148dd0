"""Activations by Hermite coefficients: what they are at every scale, and how they are written and read."""

from __future__ import annotations

import math
import pickle
import re

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.polynomial import hermite_e

import rfsim
from rfsim import Problem
from rfsim.problem.activations import ACTIVATIONS, centered, gaussian_constants, read, runs_code
from rfsim.problem.activations.naming import short

LV26 = rfsim.Hermite({1: 1, 4: 12**-0.5})  # v²/a² = e^{−8t}/12


def direct(coefficients, x):
    """Σ c_s He_s(x)/√s! by NumPy's own polynomials."""
    table = np.zeros(max(coefficients) + 1)
    for s, c in coefficients.items():
        table[s] = c / math.sqrt(math.factorial(s))
    return hermite_e.hermeval(x, table)


@pytest.mark.parametrize("coefficients", [{1: 1.0, 4: 12**-0.5}, {2: 0.3, 5: -1.5}, {1: 1.0, 20: 0.01}])
def test_values_are_those_of_the_polynomials(coefficients):
    x = np.linspace(-5, 5, 101)
    found = np.asarray(rfsim.Hermite(coefficients).function(jnp.asarray(x)))
    exact = direct(coefficients, x)
    assert np.abs(found - exact).max() < 1e-12 * np.abs(exact).max()


@pytest.mark.parametrize("coefficients", [{1: 1.0, 4: 12**-0.5}, {1: 0.5, 2: 0.3, 3: 1.0}, {1: 1.0, 3: 0.1, 7: 0.2}])
@pytest.mark.parametrize(("t", "variance"), [(0.2, 1.0), (0.01, 2.0), (1.0, 0.5)])
def test_constants_are_those_of_gauss_hermite_quadrature(coefficients, t, variance):
    signal, noise = variance * math.exp(-2 * t), -math.expm1(-2 * t)
    found = gaussian_constants(rfsim.Hermite(coefficients), signal_variance=signal, noise_variance=noise)
    z, w = hermite_e.hermegauss(60)
    w = w / math.sqrt(2 * math.pi)
    gamma = math.sqrt(signal + noise)
    mean = w @ direct(coefficients, gamma * z)
    a = w @ (direct(coefficients, gamma * z) * z) / gamma
    square = w @ (direct(coefficients, gamma * z) - mean) ** 2
    inner = direct(coefficients, math.sqrt(signal) * z[:, None] + math.sqrt(noise) * z) @ w - mean
    v2 = w @ inner**2 - a**2 * signal
    np.testing.assert_allclose([found.a, found.v2, found.s2], [a, v2, square - a**2 * gamma**2 - v2], rtol=1e-11)
    assert centered(rfsim.Hermite(coefficients), gamma).offset == pytest.approx(mean, abs=1e-14)


def test_the_third_order_alone_is_the_activation_of_that_name():
    one, named = rfsim.Hermite({3: 1}), ACTIVATIONS["hermite3"]
    assert one.odd
    assert one.degrees == named.degrees
    for variance in (1.0, 0.3, 4.0):
        both = [gaussian_constants(s, signal_variance=variance * 0.7, noise_variance=0.3) for s in (one, named)]
        np.testing.assert_allclose(*both, rtol=1e-13, atol=1e-300)


def test_its_text_is_read_again_as_itself_and_runs_no_code():
    text = str(LV26)
    assert text == "hermite:1=1,4=0.28867513459481287"
    assert Problem(activation=LV26) == Problem(activation=text)
    assert read(text) is LV26
    assert not runs_code(text)
    assert runs_code("hermite:attribute")
    assert short(text) == "hermite:1=1,4=0.2887"
    assert pickle.loads(pickle.dumps(Problem(activation=LV26))) == Problem(activation=LV26)
    assert "activation_digest" not in rfsim.theory.ridge(Problem(activation=LV26), [0.1]).attrs["settings"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hermite:1=1,1=2", "cannot be read at '1=2' (order 1 is given twice); write it as hermite:1=1,4=0.2887"),
        ("hermite:0=1", "at '0=1' (must be a whole number from 1 to 20; got '0')"),
        ("hermite:21=1", "must be a whole number from 1 to 20"),
        ("hermite:1=x", "at '1=x' (must be a number"),
        ("hermite:1=1,", "at '' (an order, =, and its coefficient are needed)"),
        ("hermite:1", "at '1' (an order, =, and its coefficient are needed)"),
        ("hermite:1=inf", "Hermite's coefficient of order 1 must be finite; got inf"),
        ("hermite:1=0", "Hermite needs one coefficient that is not 0"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(text, message):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        Problem(activation=text)
    assert "\n" not in str(caught.value)


def test_orders_and_coefficients_of_python_are_checked():
    with pytest.raises(ValueError, match="^an order of Hermite must be a whole number of at least 1, at most 20"):
        rfsim.Hermite({0: 1})
    with pytest.raises(ValueError, match="^Hermite's coefficient 1 must be a number; got 'x'$"):
        rfsim.Hermite({1: "x"})
