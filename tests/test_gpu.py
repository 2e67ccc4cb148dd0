"""A CUDA device against the CPU: the same numbers in float64 to 1e-10, and float32 products as exact as float32 is."""

from __future__ import annotations

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.sharding import Mesh

from rfsim import Problem
from rfsim.computing import machine
from rfsim.computing.parallel import AXIS, DeviceLayout
from rfsim.problem import origins, realization
from rfsim.problem.realization import frozen_draws
from rfsim.sample.moments import sampled_moments
from rfsim.sample.spectra.accurate import training_moments
from rfsim.sample.spectra.eigen import eigh
from rfsim.simulation import loop

pytestmark = pytest.mark.gpu

PROBLEM = Problem(samples_per_dim=3, features_per_dim=8, diffusion_time=0.1)  # n = 30, p = 80
DIM = 10


@pytest.fixture
def device():
    try:
        return jax.devices("gpu")[0]
    except RuntimeError:
        pytest.skip(f"no CUDA device: JAX has {', '.join(machine.devices())}")


def on_both(device, compute):
    """A pytree of numbers as `device` and as the CPU compute it; it was really computed there."""
    found = []
    for one in (device, jax.devices("cpu")[0]):
        with jax.default_device(one):
            arrays = compute()
        assert {at for array in jax.tree.leaves(arrays) for at in array.devices()} == {one}
        found.append(jax.tree.map(np.asarray, arrays))
    return found


def assert_equal(device, compute):
    for here, there in zip(*map(jax.tree.leaves, on_both(device, compute)), strict=True):
        assert here.dtype == there.dtype == np.float64
        np.testing.assert_allclose(here, there, rtol=0, atol=1e-10 * np.abs(there).max())


def drawn(problem=PROBLEM):
    origin = origins.source(problem)
    return realization.instance(problem, origin, origins.resolve(problem, origin, DIM), 0)


@pytest.mark.parametrize("copies", [math.inf, 3])
def test_moments(device, copies):
    problem = Problem(samples_per_dim=3, features_per_dim=8, diffusion_time=0.1, noise_copies=copies)

    def compute():
        found = training_moments(problem, drawn(problem), 1e-6, None)
        return found.second, found.noise

    assert_equal(device, compute)


def test_a_decomposition(device):
    """Eigenvalues, and what the eigenvectors, of any sign, make of the matrix again."""
    second = np.asarray(training_moments(PROBLEM, drawn(), 1e-6, None).second)

    def compute():
        values, vectors = eigh(jnp.asarray(second))
        return values, (vectors * values) @ vectors.T, vectors.T @ vectors

    assert_equal(device, compute)


def test_moments_divided_over_a_mesh(device):
    """The ring over one device, in the program of several."""
    problem = Problem(samples_per_dim=3, features_per_dim=8, diffusion_time=0.1, noise_copies=2)
    draw = drawn(problem)
    whole, divided = (
        sampled_moments(draw.weights, frozen_draws(draw, problem), draw.sigma, layout=layout)
        for layout in (None, DeviceLayout(Mesh(np.array([device]), (AXIS,))))
    )
    np.testing.assert_allclose(divided.second, whole.second, rtol=0, atol=1e-12 * np.abs(whole.second).max())
    np.testing.assert_allclose(divided.noise, whole.noise, rtol=0, atol=1e-12 * np.abs(whole.noise).max())


def noisy_square(weights, average, key, step, target):
    del average, step
    return ((weights - target - 0.1 * jax.random.normal(key, target.shape, dtype=target.dtype)) ** 2).sum()


@pytest.mark.parametrize("optimizer", [partial(optax.sgd, momentum=0.9), optax.adam])
def test_a_run_of_the_loop(device, optimizer):
    target = np.random.default_rng(2).standard_normal((4, 30))

    def compute():
        training = loop.Training(noisy_square, optimizer, jnp.asarray(target), 0.01, decay=0.9)
        state = loop.initial(training, np.zeros(target.shape), loop.key(0, "test"))
        *_, last = loop.run(training, state, [200])
        return last.weights, last.average

    assert_equal(device, compute)


def test_float32_products_of_highest_precision(device):
    """2.9e-7 on the CPU; inputs of 11 bits, as in TensorFloat32, which such a device takes by default, give 2.9e-4."""
    left, right = np.random.default_rng(3).standard_normal((2, 256, 256))
    exact = left @ right

    def compute():
        return jnp.matmul(left.astype(np.float32), right.astype(np.float32), precision="highest")

    for found in on_both(device, compute):
        assert found.dtype == np.float32
        assert np.linalg.norm(found - exact) < 6e-7 * np.linalg.norm(exact)
