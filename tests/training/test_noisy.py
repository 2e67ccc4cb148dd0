from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from rfsim.learning.noisy import adam_steps, gradient_power, noise_share

LAM = np.array([3.0, 1.0, 0.2])


def recursion(contraction, batch, steps, momentum=0.0):
    """Tr UΣ and E‖gradient‖² over R by the exact mean over every batch of features ±√λ.

    ‖φ‖² and, of diagonal Σ, φᵀΣφ are constants then; residuals are of unit variance and independent of the features.
    """
    n, keep = LAM.size, momentum
    draws = np.sqrt(LAM) * np.array(list(itertools.product((-1, 1), repeat=n)))
    outer = np.einsum("ai,aj->aij", draws, draws)
    means = np.array([outer[list(chosen)].mean(0) for chosen in itertools.product(range(len(draws)), repeat=batch)])
    noise, eye = outer.mean(0) / batch, np.eye(n)
    # of the deviation and the moving average of the gradients, both after a step
    average = np.concatenate([(1 - keep) * means, np.broadcast_to(keep * eye, means.shape)], axis=2)
    deviation = np.concatenate([np.broadcast_to(eye, means.shape), np.zeros_like(means)], axis=2)
    moved = np.concatenate([deviation - contraction * average, average], axis=1)
    push = (1 - keep) * np.concatenate([-contraction * eye, eye])
    added, both = push @ noise @ push.T, np.zeros((2 * n, 2 * n))
    for _ in range(steps):
        both = np.einsum("aij,jk,alk->il", moved, both, moved) / len(means) + added
    sigma = both[:n, :n]
    power = np.einsum("aij,jk,aik->", means, sigma, means) / len(means) + noise.trace()
    return float(LAM @ np.diag(sigma)), float(power)


@pytest.mark.parametrize(("contraction", "batch", "momentum"), [(0.05, 1, 0.0), (0.3, 2, 0.0), (0.3, 2, 0.8)])
def test_the_excess_is_that_of_the_exact_mean_over_all_batches(contraction, batch, momentum):
    s = noise_share(LAM, contraction, batch, momentum)
    excess, power = recursion(contraction, batch, 2000, momentum)
    assert excess == pytest.approx(s / (1 - s), rel=1e-10)
    assert power == pytest.approx(gradient_power(LAM, contraction, batch, momentum), rel=1e-10)


def test_above_share_one_the_second_moment_grows():
    below, above = 0.9 * 2 / LAM.sum(), 1.1 * 2 / LAM.sum()
    assert noise_share(LAM, below, 1) < 1 < noise_share(LAM, above, 1)
    assert recursion(above, 1, 400)[0] > 2 * recursion(above, 1, 200)[0] > 4 * recursion(below, 1, 400)[0]
    assert gradient_power(LAM, above, 1) == math.inf


def test_small_rates_large_batches_and_the_limit_of_the_mean():
    assert noise_share(LAM, 1e-6, 4) == pytest.approx(1e-6 * LAM.sum() / 8, rel=1e-5)
    assert noise_share(LAM, 0.5, 1e9) < 1e-8
    assert noise_share(LAM, 0.67, 1e9) == math.inf  # c λ_max > 2: the mean itself diverges


def test_adam_takes_its_steps_at_the_root_of_the_batch_and_faster_as_the_loss_falls():
    about = {"rate": 1e-4, "batch": 32, "noise_variance": 0.02, "kappa": 0.01}
    times, lam = np.array([0.0, 100.0, 300.0]), np.full(500, 2.0)
    steps = adam_steps(times, np.ones(3), lam, **about)
    np.testing.assert_allclose(steps, 0.01 / 1e-4 * math.sqrt(1000 / (0.02 * 32)) * times, rtol=1e-3)
    np.testing.assert_allclose(adam_steps(times, np.full(3, 0.25), lam, **about), steps / 2, rtol=1e-3)
    np.testing.assert_allclose(adam_steps(times, np.ones(3), lam, **about | {"batch": 128}), steps / 2, rtol=1e-3)
    large = adam_steps(times, np.ones(3), lam, **about | {"rate": 0.1})
    assert large[-1] > 1.02 * steps[-1] / 1000  # its own excess slows it down


def test_the_root_mean_square_is_that_of_gradients_of_the_real_loss():
    import jax
    import jax.numpy as jnp

    d, p, rows, delta = 6, 40, 8, 0.3
    rng = np.random.default_rng(0)
    phi, xi = rng.standard_normal((2000, rows, p)), rng.standard_normal((2000, rows, d))

    def loss(weights, phi, xi):
        return ((math.sqrt(delta / p) * phi @ weights.T + xi) ** 2).mean()

    slopes = jax.vmap(jax.grad(loss), (None, 0, 0))(jnp.zeros((d, p)), phi, xi)
    found = float(jnp.sqrt((slopes**2).mean()))
    # independent features of unit variance: Tr U = p, and the loss at zero is 1
    assert found == pytest.approx(2 / (d * p) * math.sqrt(delta * p / rows), rel=0.01)
