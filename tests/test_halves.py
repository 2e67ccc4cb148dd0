from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import rfsim
from rfsim.checking.notes import Note, recorded
from rfsim.problem import data
from rfsim.problem.draws import Draw
from rfsim.problem.origins import Source
from rfsim.results.halves import differ, linear_gap, without_shifted_times
from rfsim.results.runs import Run
from rfsim.sample.spectra import Method

D, N, SEED = 4, 32, 0
PROBLEM = rfsim.Problem(samples_per_dim=N / D, features_per_dim=8, diffusion_time=0.3)


def array(factor):
    """Rows of which those that seed SEED holds out are `factor` times as large."""
    rows = np.random.default_rng(3).standard_normal((2 * N, D))
    rows[data.stream(SEED, "split").permutation(2 * N)[N:]] *= factor
    return rows


def timescales(curve, seeds):
    """A run over an array whose halves differ for SEED, and times as `train` finds them."""
    run = Run(PROBLEM, Draw(seed=SEED, seeds=seeds, array=array(6.0)), method=Method(), copies=1)
    dims, routes = ("seed", "mem_route"), ["formula", "curve"]
    times = xr.Dataset(
        {"tau_mem": (dims, [[1e3, curve]] * seeds, {"units": "1"})}, {"seed": list(run.seeds), "mem_route": routes}
    )
    return run, times


def test_a_time_before_anything_is_memorized_is_undefined_where_the_halves_differ_and_that_is_said():
    run, times = timescales(2.9, 1)
    with pytest.warns(
        Note, match="tau_mem by the curves is undefined .* for seed 0: .*held-out rows differ in their covariance"
    ):
        found = without_shifted_times(run, times, 0.0)
    np.testing.assert_array_equal(found.tau_mem, [[1e3, np.nan]])
    assert "for seed 0:" in found.tau_mem.attrs["note"]
    assert found.tau_mem.attrs["units"] == "1"
    run, times = timescales(1e3, 1)
    assert without_shifted_times(run, times, 0.0).identical(times)


@pytest.mark.slow
def test_training_says_so_of_such_an_array_alone():
    with pytest.warns(Note, match="tau_mem by the curves"):
        assert np.isnan(rfsim.train(PROBLEM, [1.0], array=array(6.0)).tau_mem.sel(mem_route="curve")).all()
    with recorded() as notes:
        result = rfsim.train(PROBLEM, [1.0], array=array(1.0))
    assert not notes
    assert np.isfinite(result.tau_mem.sel(mem_route="curve")).all()


def test_sampling_is_told_from_a_difference_of_the_halves():
    found = [differ(Source(np.random.default_rng(k).standard_normal((2 * N, D)), {}), N, k, 0.3) for k in range(20)]
    assert sum(found) <= 4
    assert all(differ(Source(array(factor), {}), N, SEED, 0.3) for factor in (2.0, 6.0, 100.0))
    assert not differ(Source(array(0.2), {}), N, SEED, 0.3)  # a gap below zero is no early rise


def test_the_linear_gap_is_that_of_the_linear_score():
    rng = np.random.default_rng(5)
    training, held = rng.standard_normal((40, 3)), 2 * rng.standard_normal((50, 3))
    t = 0.4
    shrink, delta = np.exp(-2 * t), 1 - np.exp(-2 * t)
    inverse = np.linalg.inv(shrink * training.T @ training / 40 + delta * np.eye(3))

    def loss(rows):
        """E‖√Δ s(x_t) + ξ‖²/d for s = −C_t^{-1}x, exact in the noise."""
        second = shrink * rows.T @ rows / len(rows) + delta * np.eye(3)
        return (delta * np.trace(inverse @ second @ inverse) - 2 * delta * np.trace(inverse) + 3) / 3

    assert linear_gap(training, held, t, training) == pytest.approx(loss(held) - loss(training), rel=1e-12)
    some = training[:7]
    assert linear_gap(training, held, t, some) == pytest.approx(loss(held) - loss(some), rel=1e-12)
