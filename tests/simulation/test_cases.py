"""`rfsim.simulate` on the moments of the package itself, where full-batch descent is its filter, at every edge."""

from __future__ import annotations

import json
import math

import jax.numpy as jnp
import numpy as np
import pytest

import rfsim
from rfsim import Problem
from rfsim.computing.parallel import DeviceLayout
from rfsim.simulation import run

pytestmark = pytest.mark.slow

CASES = {
    "averaged": (Problem(2, 4), {}),
    "averaged, ridge, ema": (Problem(2, 4, ridge=0.03), {"ema": 0.99, "seeds": 2}),
    "averaged relu": (Problem(2, 4, activation="relu"), {}),
    "one dimension": (Problem(4, 4, noise_copies=3), {"dim": 1}),
    "one feature": (Problem(4, 1, noise_copies=2), {"dim": 1}),
    "two samples": (Problem(2 / 5, 4), {}),
    "fewer features than dimensions": (Problem(4, 0.4), {}),
    "one copy": (Problem(2, 4, noise_copies=1), {}),
    "cubic, zero eigenvalues": (Problem(2, 8, noise_copies=2, activation="hermite3"), {"dim": 4}),
    "linear, zero eigenvalues": (Problem(2, 8, activation="linear"), {"dim": 4, "ema": 0.9}),
    "an average that stays": (Problem(2, 4, noise_copies=1), {"ema": 1.0}),
    "one step": (Problem(2, 4, noise_copies=1), {"steps": 1}),
}


@pytest.mark.parametrize(("problem", "options"), CASES.values(), ids=CASES)
def test_full_batches_are_the_filter(problem, options):
    data = rfsim.simulate(problem, **({"dim": 5, "steps": 3000, "noise": "frozen"} | options))
    for name in ("train", "test"):
        np.testing.assert_allclose(data[name], data[f"exact_{name}"], rtol=0, atol=1e-8)
    assert (data["rounding"] == 0).all()


def test_digits_too():
    data = rfsim.simulate(Problem(2, 1, noise_copies=1, data="digits", diffusion_time=0.5), steps=200)
    for name in ("train", "test"):
        np.testing.assert_allclose(data[name], data[f"exact_{name}"], rtol=0, atol=1e-8)


def test_batches_may_be_larger_than_the_draws():
    data = rfsim.simulate(Problem(2, 4, noise_copies=2), dim=5, steps=50, batch=1000)
    gap = np.abs(data.train - data.exact_train).max()
    assert 1e-6 < gap < 0.05


def test_without_the_filter_the_run_and_its_limit_are_the_same_every_time():
    problem = Problem(2, 4)
    first, second = (rfsim.simulate(problem, dim=5, steps=30, exact=False) for _ in range(2))
    assert first.drop_attrs().identical(second.drop_attrs())
    exact = rfsim.simulate(problem, dim=5, steps=30)
    np.testing.assert_allclose(first.limit, exact.limit, rtol=1e-12)
    np.testing.assert_allclose(first.train, exact.train, rtol=1e-10)


def test_a_rate_beyond_everything_diverges_at_its_first_steps():
    with pytest.warns(UserWarning, match="above the largest stable one"):
        data = rfsim.simulate(Problem(2, 4, noise_copies=2), dim=5, steps=20, rate=1e300)
    assert "diverged at step" in json.loads(data.attrs["diverged"])["0"]
    assert math.isfinite(data.train[0, 0])
    assert data.train[0, 3:].isnull().all()


@pytest.mark.parametrize("size", [1, 2, 30])
def test_the_largest_eigenvalue_by_lanczos(size):
    factor = np.random.default_rng(size).standard_normal((size, size))
    second = factor @ factor.T
    found = {run._largest(jnp.asarray(second), DeviceLayout()) for _ in range(3)}
    assert len(found) == 1
    assert found.pop() == pytest.approx(np.linalg.eigvalsh(second)[-1], rel=1e-12)
