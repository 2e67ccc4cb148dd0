from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from rfsim.learning import clocks, descent, filters

D, P, N, DELTA, RIDGE = 3, 7, 11, 0.3, 0.05
RATE, STEPS = 1.3, 40


def samples(seed=0):
    """Features φ (samples, features) and noises ξ (samples, dim) of no model at all, their U and V."""
    rng = np.random.default_rng(seed)
    phi, xi = rng.standard_normal((N, P)), rng.standard_normal((N, D))
    return phi, xi, phi.T @ phi / N, phi.T @ xi / N


def ours(phi, xi, rate, steps):
    """Ā of A ← A − η∇_A L, L = (1/dn) Σ‖√Δ Aφ/√p + ξ‖² + (Δγ/d)‖A‖²/p, written out."""
    a = np.zeros((D, P))
    for _ in range(steps):
        residual = DELTA**0.5 * phi @ a.T / P**0.5 + xi
        slope = 2 * DELTA**0.5 / (D * N * P**0.5) * residual.T @ phi + 2 * DELTA * RIDGE / (D * P) * a
        a = a - rate * slope
    return a / P**0.5


def script(phi, xi, rate, steps):
    """The same with the script's weights: score Aφ, loss over d·n."""
    a = np.zeros((D, P))
    for _ in range(steps):
        residual = DELTA**0.5 * phi @ a.T + xi
        a = a - rate * (2 * DELTA**0.5 / (D * N) * residual.T @ phi + 2 * DELTA * RIDGE / D * a)
    return a


@pytest.mark.parametrize("steps", [1, STEPS])
def test_the_scripts_descent_is_ours_at_its_rate_and_both_are_the_filter(steps):
    phi, xi, second, noise = samples()
    one = ours(phi, xi, RATE, steps)
    np.testing.assert_allclose(script(phi, xi, clocks.script_rate(RATE, P), steps), one, rtol=0, atol=1e-12)
    lam, q = np.linalg.eigh(second)
    f = np.asarray(descent.descent(steps, descent.descent_step(RATE, DELTA, P, D), RIDGE)(jnp.asarray(lam)))
    np.testing.assert_allclose(-(noise.T @ q * f) @ q.T / DELTA**0.5, one, rtol=0, atol=1e-12)


def test_many_small_steps_are_the_flow_at_their_train_time():
    """The flow knows no rate: of the clock only kη/d² can bring the two together (T7)."""
    phi, xi, second, noise = samples()
    lam, q = np.linalg.eigh(second)
    kappa = filters.learning_rate_constant(DELTA, P / D)
    gaps = []
    for rate in (RATE / 20, RATE / 40):
        steps = round(STEPS * RATE / rate)
        tau = float(clocks.clock(steps, rate, D, P).train_time)
        f = np.asarray(filters.flow(tau, kappa, RIDGE)(jnp.asarray(lam)))
        gaps.append(np.abs(ours(phi, xi, rate, steps) + (noise.T @ q * f) @ q.T / DELTA**0.5).max())
    assert gaps[1] < 2e-3
    assert gaps[0] / gaps[1] == pytest.approx(2, rel=0.1)  # Euler's error is of first order in the rate


def test_a_clock_reads_both_times_of_every_step():
    steps = np.array([[0, 1], [1000, 2**31 - 1]])
    found = clocks.clock(steps, RATE, D, P)
    np.testing.assert_allclose(found.train_time, steps * RATE / D**2, rtol=1e-15)
    np.testing.assert_allclose(found.script_time, found.train_time * D / (P / D), rtol=1e-14)  # τ d/ψ_p
    assert found.train_time[1, 1] > 2**31 * clocks.step_time(RATE, D) * 0.999  # no 32-bit number of steps overflows
    assert clocks.clock(np.inf, RATE, D, P) == (np.inf, np.inf)


@pytest.mark.parametrize(("share", "grows"), [(0.99, False), (1.01, True)])
def test_descent_diverges_just_above_the_largest_stable_rate(share, grows):
    phi, xi, second, _ = samples()
    limit = clocks.largest_stable_rate(float(np.linalg.eigvalsh(second)[-1]), RIDGE, DELTA, P, D)
    early, late = (np.abs(ours(phi, xi, share * limit, steps)).max() for steps in (1000, 1200))
    assert (late > 10 * early) == grows


def test_the_largest_stable_rate_is_that_of_the_filter_and_in_train_time_two_over_kappa():
    largest = np.array([0.5, 20.0, 300.0])
    limit = clocks.largest_stable_rate(largest, RIDGE, np.full(3, DELTA), P, D)
    kappa = filters.learning_rate_constant(DELTA, P / D)
    np.testing.assert_allclose(limit / D**2, 2 / (kappa * (largest + RIDGE)), rtol=1e-14)
    np.testing.assert_allclose(limit, P * D / (DELTA * (largest + RIDGE)), rtol=1e-14)
    for rate, lam in zip(limit, largest, strict=True):
        decay = descent.descent_decay(1, descent.descent_step(rate, DELTA, P, D), RIDGE)(jnp.array([lam]))
        assert float(decay[0]) == pytest.approx(-1, abs=1e-12)
