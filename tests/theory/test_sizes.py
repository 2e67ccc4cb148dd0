"""Samples at growing d against the limit, at d = 50, 100, 200 (experiments/20_limit.py has more cases)."""

from __future__ import annotations

import numpy as np
import pytest

import rfsim
from rfsim import Problem
from rfsim.claims import approach


@pytest.mark.slow
def test_the_gaussian_equivalent_model_approaches_the_limit_as_one_over_d():
    problem = Problem(samples_per_dim=2, features_per_dim=4, data="atoms:0.5@0.5,0.5@1.5")
    times = [0.0, 300.0, np.inf]
    limit = rfsim.theory.curves(problem, times)
    seeds = {50: 600, 100: 250, 200: 80}
    samples = [rfsim.train(problem, times, dim=dim, seeds=count, model="gaussian") for dim, count in seeds.items()]
    for when in (1, 2):
        found = approach(limit, samples, "test", when)
        slope, error = found.exponent
        assert error <= 0.25
        assert abs(slope + 1) <= 3 * error
        rest, error = found.line[1]
        assert abs(rest) <= 3 * error
