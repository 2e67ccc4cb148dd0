"""Numbers that the papers, or equations.md, state for a sampled system."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import rfsim
from rfsim import Problem


@pytest.mark.slow
def test_late_losses_are_the_stated_ones():
    # equations.md §6 states them at ψ_n = 4, ψ_p = 16, t = 0.1, τ = 1e5 for d = 50 and 100
    for dim, test, train in ((50, 1.749, 0.5088), (100, 1.796, 0.4997)):
        result = rfsim.train(Problem(samples_per_dim=4, features_per_dim=16), [1e5], dim=dim, seeds=6)
        for values, stated in ((result.test, test), (result.train, train)):
            error = float(values.std("seed", ddof=1)[0]) / np.sqrt(6)
            # the stated values are averages of their own over some seeds: two errors of about this size
            assert abs(float(values.mean("seed")[0]) - stated) < 5 * np.sqrt(2) * error + 5e-4


@pytest.mark.slow
def test_moments_stay_below_four_matrices():
    """U at n = p in a process of its own: peak memory above what is resident before is below 4 p² doubles."""
    code = """
import jax, math
jax.config.update("jax_enable_x64", True)
import numpy as np
from rfsim.problem.activations import ACTIVATIONS
from rfsim.problem.diffusion import diffuse, noise_variance
from rfsim.problem.laws import Law
from rfsim.computing.machine import peak_memory
from rfsim.sample.moments import averaged_moments
p = n = 2500
rng = np.random.default_rng(0)
scale = math.sqrt(noise_variance(0.1))
def run(p, n):
    law = diffuse(Law(rng.standard_normal((n, 80)), np.zeros(80)), 0.1)
    return averaged_moments(rng.standard_normal((p, 80)), law, ACTIVATIONS["tanh"], noise_scale=scale)
jax.block_until_ready(run(200, 100).second)
before = peak_memory()
jax.block_until_ready(run(p, n).second)
print((peak_memory() - before) / (8 * p * p))
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert 1 < float(out) < 4


@pytest.mark.slow
def test_the_real_model_approaches_the_gaussian_equivalent_one():
    """The losses' difference shrinks with d, fitted at d = 30, 60, 120 on shared W and points (B25 Lemma C.1)."""
    problem, dims = Problem(samples_per_dim=4, features_per_dim=16), {30: 12, 60: 8, 120: 5}
    pairs = [
        [
            rfsim.train(problem, [1e5], dim=dim, seeds=seeds, model=model, route=route)
            for model, route in (("real", "krylov"), ("gaussian", "dense"))
        ]
        for dim, seeds in dims.items()
    ]
    for name in ("train", "test"):
        mean, error = [], []
        for real, gaussian in pairs:
            difference = (real[name] - gaussian[name]).values[:, 0]
            mean.append(np.abs(difference.mean()))
            error.append(difference.std(ddof=1) / np.sqrt(len(difference)))
        weights = np.array(mean) / np.array(error)
        fit, covariance = np.polyfit(np.log(list(dims)), np.log(mean), 1, w=weights, cov="unscaled")
        assert fit[0] + 3 * np.sqrt(covariance[0, 0]) < 0
