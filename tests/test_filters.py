from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfsim.learning import descent, filters

LAM = np.array([0.0, 1e-9, 1e-3, 0.5, 20.0])


@jax.jit
def moving(steps, step, decay, ridge, lam):
    """The moving average of descent, one program for every decay."""
    return descent.averaged_descent(steps, step, decay, ridge)(lam)


def test_the_flow_starts_at_zero_and_grows_like_its_rate():
    values = filters.flow(jnp.array([0.0, 3.0]), kappa=0.4)(jnp.asarray(LAM))
    np.testing.assert_array_equal(values[0], 0.0)
    assert float(values[1, 0]) == pytest.approx(0.4 * 3.0)  # λ → 0: κτ


@settings(deadline=None)
@given(st.floats(0, 1e12), st.floats(1e-9, 1e3), st.floats(0, 10))
def test_flow_and_decay_are_one_solution(tau, lam, ridge):
    # (λ+γ) f + e^{−κτ(λ+γ)} = 1 at every time
    f = filters.flow(tau, 0.3, ridge)(jnp.array([lam]))
    rest = filters.flow_decay(tau, 0.3, ridge)(jnp.array([lam]))
    assert float((lam + ridge) * f[0] + rest[0]) == pytest.approx(1.0, abs=1e-12)


def test_the_flow_ends_in_the_ridge_minimizer():
    end = filters.flow(jnp.inf, 0.7, 0.1)(jnp.asarray(LAM))
    np.testing.assert_allclose(end, 1 / (LAM + 0.1))
    np.testing.assert_allclose(end, filters.minimizer(0.1)(jnp.asarray(LAM)))
    np.testing.assert_allclose(filters.flow(1e9, 0.7, 0.1)(jnp.asarray(LAM)), end)


def test_flat_directions_keep_their_start_and_learn_nothing_at_infinity():
    assert float(filters.flow(jnp.inf, 1.0)(jnp.asarray(LAM))[0]) == 0.0
    assert float(filters.flow_decay(jnp.inf, 1.0)(jnp.asarray(LAM))[0]) == 1.0


@pytest.mark.parametrize("ridge", [0.0, 0.3])
@pytest.mark.parametrize("step", [0.001, 0.04, 0.09])
def test_descent_is_its_own_recursion(step, ridge):
    # w ← w − c((λ+γ)w − 1) from 0, and the start's share (1 − c(λ+γ))^k; at 0.09 the largest contraction is negative
    w, start = np.zeros_like(LAM), np.ones_like(LAM)
    for _ in range(17):
        w, start = w - step * ((LAM + ridge) * w - 1), start - step * (LAM + ridge) * start
    np.testing.assert_allclose(descent.descent(17, step, ridge)(jnp.asarray(LAM)), w, rtol=1e-12)
    np.testing.assert_allclose(descent.descent_decay(17, step, ridge)(jnp.asarray(LAM)), start, rtol=1e-12)


def test_small_steps_of_descent_become_the_flow():
    delta, features, dim, rate = 0.2, 30, 5, 1e-3
    kappa = filters.learning_rate_constant(delta, features / dim)
    steps = 4_000_000
    tau = steps * rate / dim**2
    np.testing.assert_allclose(
        descent.descent(steps, descent.descent_step(rate, delta, features, dim))(jnp.asarray(LAM)),
        filters.flow(tau, kappa)(jnp.asarray(LAM)),
        rtol=1e-4,
    )


@pytest.mark.parametrize("ridge", [0.0, 0.3])
@pytest.mark.parametrize("decay", [0.0, 0.5, 0.9, 0.998, 1.0])
@pytest.mark.parametrize("step", [0.001, 0.04, 0.09])
def test_the_moving_average_of_descent_is_its_own_recursion(step, decay, ridge):
    w, average, found = np.zeros_like(LAM), np.zeros_like(LAM), [np.zeros_like(LAM)]
    for _ in range(60):
        w = w - step * ((LAM + ridge) * w - 1)
        average = decay * average + (1 - decay) * w
        found.append(average)
    exact = moving(jnp.arange(61), step, decay, ridge, LAM)
    np.testing.assert_allclose(exact, found, rtol=1e-11, atol=1e-14 * step)


def test_the_moving_average_is_right_where_its_terms_nearly_cancel():
    """Against 120 digits: δ → 0, δ near ε, δ up to 2, few steps and 1e9; errors in units of |f| or, larger, of cε."""
    steps, worst = [0, 1, 2, 3, 10, 1000, 10**6, 10**9], 0.0
    with mpmath.workdps(120):
        for share in (1.0, 1 - 1e-9, 0.5, 0.1, 1e-3, 1e-9):
            e = 1 - (1 - share)
            deltas = [0.0, 1e-30, 1e-12, 1e-8, 1e-4, 0.1, 0.5, 1.0, 1.001, 1.5, 1.999999, 2.0]
            deltas += [e * near for near in (0.5, 1 - 1e-12, 1.0, 1 + 1e-8, 1.01, 2.0)]
            found = moving(jnp.array(steps), 1.0, 1 - e, 0.0, jnp.array(deltas))
            for (i, k), (j, delta) in itertools.product(enumerate(steps), enumerate(deltas)):
                exact = moving_average(k, mpmath.mpf(e), mpmath.mpf(delta))
                worst = max(worst, float(abs(float(found[i, j]) - exact) / max(abs(exact), e)))
    assert worst < 2e-14


def moving_average(k, e, delta):
    """The divided difference as it stands, at c = 1; equal or zero points are moved apart by 1e-45."""
    tiny = mpmath.mpf(10) ** -45
    delta = delta * (1 + tiny) if delta == e else max(delta, tiny)

    def g(s):
        return (1 - (1 - s) ** (k + 1)) / s

    return e * (g(e) - g(delta)) / (delta - e)


def test_the_moving_average_ends_in_the_minimizer_or_never_leaves_its_start():
    lam, steps = jnp.asarray(LAM), jnp.array([0, 5, 10**9, jnp.inf])
    found = moving(steps, 0.04, 0.9, 0.1, lam)
    np.testing.assert_array_equal(found[0], 0.0)
    np.testing.assert_allclose(found[2:], np.stack([1 / (LAM + 0.1)] * 2), rtol=1e-13)
    np.testing.assert_array_equal(moving(steps, 0.04, 1.0, 0.0, lam), np.zeros((4, 5)))
    still = moving(steps, 0.04, 0.0, 0.1, lam)
    np.testing.assert_allclose(still, descent.descent(steps, 0.04, 0.1)(lam), rtol=1e-13)
    # a direction without curvature is never left alone: c(k − E(1 − E^k)/(1 − E)), but 0 at the end
    flat = moving(steps, 0.04, 0.9, 0.0, lam)[:, 0]
    np.testing.assert_allclose(flat[1:3], [0.04 * (5 - 9 * (1 - 0.9**5)), 0.04 * (1e9 - 9)], rtol=1e-13)
    assert float(flat[3]) == 0.0


@pytest.mark.slow
def test_every_filter_is_analytic():
    # the theory evaluates them on contours: Cauchy's formula around a real point gives the value there
    circle = 0.5 + 0.1 * np.exp(2j * np.pi * np.arange(64) / 64)
    for f in (
        filters.flow(3.0, 0.4, 0.1),
        filters.flow_decay(3.0, 0.4, 0.1),
        filters.minimizer(0.1),
        descent.descent(9, 0.3, 0.1),
        descent.averaged_descent(9, 0.3, 0.8, 0.1),  # ε is inside the circle of δ
        descent.averaged_descent(2, 0.3, 0.8, 0.1),
        descent.averaged_descent(900, 0.3, 0.999, 0.1),
        filters.compose(filters.flow(3.0, 0.4), filters.minimizer(0.2)),
    ):
        mean = np.mean(np.asarray(f(jnp.asarray(circle))))
        assert mean == pytest.approx(complex(f(jnp.array([0.5 + 0j]))[0]), rel=1e-10)
        assert f(jnp.array([0.5]))[0] == pytest.approx(mean.real, rel=1e-10)


def test_self_distillation_multiplies_by_the_students_progress():
    f = filters.compose(filters.minimizer(0.1), filters.flow(jnp.inf, 1.0, 0.3))(jnp.asarray(LAM))
    np.testing.assert_allclose(f, 1 / (LAM + 0.1) * LAM / (LAM + 0.3))


def test_the_latest_times_are_the_end_and_not_an_overflow():
    lam = jnp.array([0.0, 1e-3, 1e3])
    for tau in (1e12, 1e100, 1e200, 1e305):
        f, rest = filters.flow(tau, 2.0)(lam), filters.flow_decay(tau, 2.0)(lam)
        np.testing.assert_allclose(f[1:], 1 / lam[1:])
        np.testing.assert_array_equal(rest, [1.0, 0.0, 0.0])
