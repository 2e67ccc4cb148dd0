from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfsim import filters

LAM = np.array([0.0, 1e-9, 1e-3, 0.5, 20.0])


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
    np.testing.assert_allclose(filters.descent(17, step, ridge)(jnp.asarray(LAM)), w, rtol=1e-12)
    np.testing.assert_allclose(filters.descent_decay(17, step, ridge)(jnp.asarray(LAM)), start, rtol=1e-12)


def test_small_steps_of_descent_become_the_flow():
    delta, features, dim, rate = 0.2, 30, 5, 1e-3
    kappa = filters.learning_rate_constant(delta, features / dim)
    steps = 4_000_000
    tau = steps * rate / dim**2
    np.testing.assert_allclose(
        filters.descent(steps, filters.descent_step(rate, delta, features, dim))(jnp.asarray(LAM)),
        filters.flow(tau, kappa)(jnp.asarray(LAM)),
        rtol=1e-4,
    )


def test_every_filter_is_analytic():
    # the theory evaluates them on contours: Cauchy's formula around a real point gives the value there
    circle = 0.5 + 0.1 * np.exp(2j * np.pi * np.arange(64) / 64)
    for f in (
        filters.flow(3.0, 0.4, 0.1),
        filters.flow_decay(3.0, 0.4, 0.1),
        filters.minimizer(0.1),
        filters.descent(9, 0.3, 0.1),
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
