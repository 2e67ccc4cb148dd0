from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from rfsim.computing import blas
from rfsim.computing.blas import add_gram
from rfsim.computing.numerics import (
    decay_integral,
    first_crossing,
    hermite_averages,
    hermite_functions,
    hermite_rule,
    log_grid,
    minimum_value,
    zero_between,
)


def test_the_hermite_functions_are_orthonormal_at_high_orders():
    # h_s √φ is the eigenbasis of an oscillator: on a wide fine grid the table's Gram matrix is the identity
    x = np.arange(-60, 60, 0.05)
    table = hermite_functions(x, 200)
    np.testing.assert_allclose(0.05 * table @ table.T, np.eye(200), atol=1e-12)


def test_the_rule_integrates_a_shifted_exponential_in_closed_form():
    # E h_s(u) e^{cu} = c^s e^{c²/2}/√s!
    rule = hermite_rule(orders=12, step=0.25)
    s = np.arange(12)
    exact = 0.7**s * math.exp(0.245) / np.sqrt([math.factorial(k) for k in s])
    np.testing.assert_allclose(rule.weights @ np.exp(0.7 * rule.nodes), exact, atol=1e-14)


@settings(deadline=None)
@given(st.floats(0, 700))
def test_the_decay_integral_is_expm1_over_x(x):
    exact = 1.0 if x == 0 else -math.expm1(-x) / x
    assert float(decay_integral(jnp.asarray(x))) == pytest.approx(exact, rel=1e-13)


def test_the_decay_integral_takes_complex_points():
    x = np.array([1e-7 + 1e-7j, 0.3 - 2j, 5 + 1j])
    np.testing.assert_allclose(decay_integral(jnp.asarray(x)), (1 - np.exp(-x)) / x, rtol=1e-8)


def test_a_crossing_is_found_between_grid_points():
    found = first_crossing(lambda x: np.log(x) - 1, np.geomspace(0.01, 1e3, 20))
    assert found == pytest.approx(math.e, rel=1e-6)


def test_the_first_of_several_crossings_is_taken():
    found = first_crossing(lambda x: np.sin(np.log(x)), np.geomspace(0.5, 1e4, 200))
    assert found == pytest.approx(1.0, rel=1e-6)


def test_a_curve_that_never_crosses_has_no_crossing():
    assert first_crossing(lambda x: -1 / x, np.geomspace(1, 10, 5)) is None


def test_the_minimum_is_refined_below_the_grid():
    at, value = minimum_value(lambda x: (np.log(x) - 1) ** 2 + 2, np.geomspace(0.01, 1e3, 20))
    assert at == pytest.approx(math.e, rel=1e-2)
    assert value == pytest.approx(2.0, abs=1e-4)


def test_a_log_grid_holds_both_ends():
    grid = log_grid(1e-3, 50.0, per_decade=7)
    assert grid[0] == pytest.approx(1e-3)
    assert grid[-1] == pytest.approx(50.0)
    assert np.diff(np.log10(grid)).max() <= 1 / 7 + 1e-12


def test_averages_one_order_at_a_time_are_the_rules():
    rule = hermite_rule(40, 0.2)
    np.testing.assert_allclose(hermite_averages(np.tanh, 40, 0.2), rule.weights @ np.tanh(rule.nodes), atol=1e-15)


@pytest.mark.parametrize(
    ("function", "lower", "upper"),
    [
        (lambda x: x**3 - 2, 0.0, 2.0),
        (lambda x: math.tanh(50 * (x - 0.3)), -1.0, 4.0),
        (lambda x: math.exp(x) - 1e-8, -60.0, 5.0),
        (lambda x: math.copysign(1.0, x - 0.7), 0.0, 1.0),
        (lambda x: 1 - x, 0.0, 1.0),
    ],
)
def test_zeros_are_those_of_brents_method(function, lower, upper):
    asked = []

    def counted(x: float) -> float:
        asked.append(x)
        return function(x)

    found = zero_between(counted, lower, upper)
    assert found == pytest.approx(optimize.brentq(function, lower, upper), abs=1e-11)
    assert len(asked) < 60
    assert all(lower <= x <= upper for x in asked)


def test_a_function_of_one_sign_has_no_zero_to_look_for():
    with pytest.raises(ValueError, match="one sign at both ends, 1 at -1 and 4 at 2"):
        zero_between(lambda x: max(x * x, 1.0), -1.0, 2.0)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_gram_matrix_is_added_above_the_diagonal_in_place(order):
    rng = np.random.default_rng(0)
    columns = 2 * blas.GRAM_TILE + 3
    for shape in ((7, 4), (5, columns)):
        values, total = np.asarray(rng.standard_normal(shape), order=order), rng.standard_normal((shape[1],) * 2)
        expected = total + values.T @ values
        assert add_gram(total, values) is total
        np.testing.assert_allclose(np.triu(total), np.triu(expected), rtol=1e-12, atol=1e-13)
