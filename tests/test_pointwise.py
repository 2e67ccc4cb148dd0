"""Losses of single points, averaged over their noise: against Monte Carlo, quadrature, and averages over all points."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rfsim.computing.precision import Unresolved
from rfsim.problem import activations
from rfsim.problem.activations import Activation, centered
from rfsim.problem.diffusion import noise_variance, signal
from rfsim.problem.laws import Law
from rfsim.sample.moments import averaged_moments, pointwise
from rfsim.sample.moments.pointwise import point_losses, point_moments

DIM, FEATURES, POINTS, TIME = 6, 20, 9, 0.3
RNG = np.random.default_rng(7)
WEIGHTS = RNG.standard_normal((FEATURES, DIM))
READOUTS = RNG.standard_normal((2, DIM, FEATURES)) / 3
CLEAN = RNG.standard_normal((POINTS, DIM))
SIGMAS = ("tanh", "relu", "softplus", "hermite:1=1,3=0.3")


def sigma_of(name: str) -> Activation:
    return centered(activations.read(name), math.sqrt(signal(TIME) ** 2 + noise_variance(TIME)))


def noisy_losses(sigma: Activation, draws: int, along: float, factor: float, seed: int = 1) -> np.ndarray:
    """‖√Δ s(x) + ξ‖²/d, (draws, readouts, points)."""
    noise, delta = np.random.default_rng(seed).standard_normal((draws, POINTS, DIM)), noise_variance(TIME)
    x = signal(TIME) * CLEAN + math.sqrt(delta) * noise
    phi = np.asarray(sigma.function(x @ WEIGHTS.T / math.sqrt(DIM))) - sigma.offset
    score = along * x[:, None] + factor * np.einsum("kdp,nip->nkid", READOUTS, phi)
    return ((math.sqrt(delta) * score + noise[:, None]) ** 2).mean(-1)


@pytest.mark.parametrize("name", SIGMAS)
def test_losses_are_the_mean_over_fresh_noise(name):
    sigma = sigma_of(name)
    for along, factor in ((0.0, 1.0), (-0.4, 1.3)):
        drawn = noisy_losses(sigma, 20000, along, factor)
        found = point_losses(WEIGHTS, READOUTS, CLEAN, TIME, sigma, along, factor)
        assert found.shape == (2, POINTS)
        errors = drawn.std(0) / math.sqrt(len(drawn))
        apart = (found - drawn.mean(0)) / errors
        assert np.abs(apart).max() < 4.5  # of 36 numbers
        assert math.sqrt((apart**2).mean()) < 1.6


@pytest.mark.parametrize("name", SIGMAS)
def test_averages_over_all_points_are_those_of_the_moments(name):
    """The mean of E‖Mφ(x_ν)‖² over points is Tr M U Mᵀ, that of E ξ·Mφ is Tr M V (T4, T5)."""
    sigma, law = sigma_of(name), Law(signal(TIME) * CLEAN, np.full(DIM, noise_variance(TIME)))
    moments = averaged_moments(WEIGHTS, law, sigma, noise_scale=math.sqrt(noise_variance(TIME)), tolerance=1e-12)
    found = point_moments(WEIGHTS, READOUTS, CLEAN, TIME, sigma)
    second, noise = np.asarray(moments.second), np.asarray(moments.noise)
    np.testing.assert_allclose(found.power.mean(1), np.einsum("kdp,pq,kdq->k", READOUTS, second, READOUTS), rtol=1e-7)
    np.testing.assert_allclose(found.along.mean(1), np.einsum("kdp,pd->k", READOUTS, noise), rtol=1e-9)


def test_points_in_pieces_are_the_same_points(monkeypatch):
    sigma = sigma_of("tanh")
    whole = point_losses(WEIGHTS, READOUTS, CLEAN, TIME, sigma)
    monkeypatch.setattr(pointwise, "AT_ONCE", 4 * FEATURES * pointwise.WINDOW * 3)
    np.testing.assert_allclose(point_losses(WEIGHTS, READOUTS, CLEAN, TIME, sigma), whole, rtol=1e-12)


def test_the_scores_difference_is_one_read_out_of_both_features():
    """E‖s − s'‖² of two networks with features of their own, their read-outs side by side with opposite signs."""
    sigma, other = sigma_of("tanh"), np.random.default_rng(3).standard_normal((8, DIM))
    mine = np.random.default_rng(4).standard_normal((DIM, 8))
    both, apart = np.vstack([WEIGHTS, other]), np.hstack([READOUTS[0], -mine])[None]
    found = point_moments(both, apart, CLEAN, TIME, sigma).power[0]
    noise, delta = np.random.default_rng(5).standard_normal((20000, POINTS, DIM)), noise_variance(TIME)
    x = signal(TIME) * CLEAN + math.sqrt(delta) * noise
    scores = [
        (np.tanh(x @ w.T / math.sqrt(DIM)) - sigma.offset) @ m.T for w, m in ((WEIGHTS, READOUTS[0]), (other, mine))
    ]
    drawn = ((scores[0] - scores[1]) ** 2).sum(-1)
    assert np.abs((found - drawn.mean(0)) / (drawn.std(0) / math.sqrt(len(drawn)))).max() < 4.5


def test_a_kink_in_too_few_dimensions_is_refused():
    with pytest.raises(Unresolved, match=r"losses of single points need more than 592 Hermite orders at dim = 1; use"):
        point_losses(WEIGHTS[:, :1], READOUTS[:, :1], CLEAN[:, :1], TIME, sigma_of("relu"))
