"""Read-outs that are kept: the score that they are has the losses of the result."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
import pytest

import rfsim
from rfsim import Problem
from rfsim.problem import data
from rfsim.problem.diffusion import forward, noise_variance
from rfsim.problem.draws import Draw
from rfsim.problem.realization import frozen_draws, instance
from tests.commands import place as place
from tests.commands import run

TIMES = [0.0, 10.0, 1e3, math.inf]
FROZEN = Problem(samples_per_dim=4, features_per_dim=6, noise_copies=3, activation="relu", ridge=1e-3)


def loss(s, draws, delta):
    """(1/d) mean ‖√Δ s(x_t) + ξ‖² over draws (T1)."""
    return float(np.mean([((math.sqrt(delta) * s(x) + xi) ** 2).mean() for x, xi in draws]))


def frozen(problem, dim, seed):
    origin, sizes = Draw(dim=dim).of(problem)
    return list(frozen_draws(instance(problem, origin, sizes, seed), problem))


@pytest.mark.parametrize("trainer", ["flow", "descent:0.5"])
def test_the_loss_over_frozen_draws_is_that_of_the_result(trainer):
    found = rfsim.train(FROZEN, TIMES, dim=5, seeds=2, keep_weights=True, trainer=trainer)
    delta = noise_variance(FROZEN.diffusion_time)
    for seed in (0, 1):
        for k, time in enumerate(TIMES):
            s = rfsim.score(found, seed=seed, train_time=time)
            assert s.diffusion_time == FROZEN.diffusion_time
            assert loss(s, frozen(FROZEN, 5, seed), delta) == pytest.approx(float(found.train[seed, k]), rel=1e-9)


def test_the_loss_over_fresh_points_is_the_test_loss():
    problem = Problem(samples_per_dim=4, features_per_dim=6, data="isotropic")
    found = rfsim.train(problem, [30.0, 1e4], dim=5, keep_weights=True)
    draws, t = data.stream(7, "mine"), problem.diffusion_time
    for k, time in enumerate([30.0, 1e4]):
        s, clean, xi = rfsim.score(found, train_time=time), *draws.standard_normal((2, 40_000, 5))
        each = ((math.sqrt(noise_variance(t)) * s(forward(clean, xi, t)) + xi) ** 2).mean(axis=1)
        assert abs(each.mean() - float(found.test[0, k])) < 4 * each.std() / math.sqrt(len(each))


def test_ridges_are_chosen_by_name():
    found = rfsim.train(FROZEN, TIMES, ridges=[1e-3, 0.1], dim=5, keep_weights=True)
    s = rfsim.score(found, ridge=0.1)
    delta = noise_variance(FROZEN.diffusion_time)
    assert loss(s, frozen(FROZEN, 5, 0), delta) == pytest.approx(float(found.train.sel(ridge=0.1)[0, -1]), rel=1e-9)
    with pytest.raises(ValueError, match=r"ridge must be one of 0.001, 0.1; got None"):
        rfsim.score(found)
    with pytest.raises(ValueError, match=r"train_time must be one of 0, 10, 1000, inf; got 5"):
        rfsim.score(found, ridge=0.1, train_time=5)
    with pytest.raises(ValueError, match="have no rigde; they have seed, ridge, train_time"):
        rfsim.score(found, ridge=0.1, rigde=3)
    with pytest.raises(ValueError, match="seed must be one of 0; got 4"):
        rfsim.score(found, ridge=0.1, seed=4)


def test_a_simulation_keeps_what_it_judged():
    found = rfsim.simulate(FROZEN, steps=40, dim=5, ema=0.9, batch=4, optimizer="adam", rate=0.05, keep_weights=True)
    delta = noise_variance(FROZEN.diffusion_time)
    assert loss(rfsim.score(found), frozen(FROZEN, 5, 0), delta) == pytest.approx(float(found.train[0, -1]), rel=1e-9)
    assert "readout" not in rfsim.simulate(FROZEN, steps=2, dim=5)


def test_commands_keep_and_a_file_is_read(capsys, place):
    small = ["--dim", "5", "--samples", "10", "--features", "20", "--json", "--keep-weights"]
    for command, more in (("train", []), ("simulate", ["--steps", "3"])):
        assert run(capsys, command, *small, *more, "--out", command)[0] == 0
        s = rfsim.score(f"{command}/result.nc")
        assert s(np.zeros((3, 5))).shape == (3, 5)
        assert s(np.zeros(5)).shape == (5,)
    with pytest.raises(ValueError, match=r"takes points \(rows, 5\); got shape \(2, 4\)"):
        s(np.zeros((2, 4)))


def test_what_is_not_kept_is_refused():
    with pytest.raises(ValueError, match="no read-outs: train or simulate with keep_weights"):
        rfsim.score(rfsim.train(FROZEN, TIMES, dim=5))
    wide = Problem(2, 4)
    for options in ({"model": "gaussian"}, {"route": "krylov"}, {"moments": "montecarlo:9"}):
        with pytest.raises(ValueError, match="keep_weights is for the real model, exact moments and route dense"):
            rfsim.train(wide, TIMES, dim=5, keep_weights=True, **options)
    with pytest.raises(MemoryError, match="read-outs"):
        rfsim.train(wide, np.linspace(1, 1e6, 10**6), dim=200, keep_weights=True)


def test_an_activation_is_not_imported_because_a_file_names_it():
    found = rfsim.train(Problem(2, 4), [10.0], dim=4, keep_weights=True)
    settings = found.attrs["settings"].replace('"tanh"', '"os:getcwd"')
    with pytest.raises(ValueError, match="not imported because a result says so: give it as activation"):
        rfsim.score(found.assign_attrs(settings=settings))
    s = rfsim.score(found.assign_attrs(settings=settings), activation=jnp.tanh)
    assert np.allclose(s(np.ones(4)), rfsim.score(found)(np.ones(4)))
