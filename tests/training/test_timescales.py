from __future__ import annotations

import math

import numpy as np
import pytest

from rfsim.learning import timescales
from rfsim.learning.curves import LossCurves
from rfsim.problem.activations import ACTIVATIONS, Constants, gaussian_constants
from rfsim.problem.diffusion import noise_variance, signal


def test_the_formula_gives_the_stated_edges():
    # equations.md §5: B25's edge is 0.0873 at t = 0.01 and 0.0598 at t = 0.1 for ψ_p = 64, ψ_n = 8
    for t, edge in ((0.01, 0.0873), (0.1, 0.0598)):
        c = gaussian_constants(ACTIVATIONS["tanh"], signal_variance=signal(t) ** 2, noise_variance=noise_variance(t))
        assert timescales.smallest_bulk_eigenvalue(c, 8, 64) == pytest.approx(edge, abs=6e-5)


def test_mini_lies_where_the_noise_of_its_direction_puts_it():
    # no signal in a direction: it is part of main; no noise: of the null eigenvalues
    c = Constants(0.5, 0.1, 0.02, 0.03, 0.0)
    edge = timescales.smallest_bulk_eigenvalue(c, 8, 64)
    found = timescales.mini_eigenvalue(c, 8, 64, [1.0, 0.0, 0.2])
    np.testing.assert_allclose(found, [edge, c.s2, c.s2 + c.v2 * (1.6 - 0.25)])
    assert np.isnan(timescales.mini_eigenvalue(c, 8, 8, 0.2))


def test_the_mean_of_the_leading_eigenvalues_is_the_trace_per_direction():
    # a² WΣ_tWᵀ/d has min(p, d) nonzero eigenvalues that sum to a²Γ²p on average
    c = Constants(0.5, 0.1, 0.02, 0.03, 0.0)
    assert timescales.mean_gen_eigenvalue(c, 1.5, 8.0) == pytest.approx(0.25 * 1.5 * 8 + 0.05)
    assert timescales.mean_gen_eigenvalue(c, 1.5, 0.5) == pytest.approx(0.25 * 1.5 + 0.05)


def test_no_rate_is_an_infinite_time():
    assert timescales.rate_time(0.0, 0.2, 4.0) == math.inf
    assert timescales.rate_time(0.5, 0.2, 4.0) == pytest.approx(40.0)


def test_without_a_linear_part_there_is_nothing_to_generalize_from():
    assert timescales.mean_gen_eigenvalue(Constants(0.0, 0.0, 0.02, 0.03, 0.0), 1.0, 8.0) == 0.0


def known(train, test):
    return lambda tau: LossCurves(train(tau), test(tau), np.zeros_like(tau), np.zeros_like(tau))


GRID = np.geomspace(1e-2, 1e6, 150)


def rise(tau, at):
    return 1 / (1 + at / np.maximum(tau, 1e-300))


def test_the_times_of_known_curves():
    found = known(
        lambda tau: 1 - 0.4 * rise(tau, 10) - 0.1 * rise(tau, 1e4),
        lambda tau: 1 - 0.4 * rise(tau, 10) + 0.9 * rise(tau, 1e4),
    )
    assert timescales.mem_time_of_curve(found, GRID) == pytest.approx(1e4, rel=1e-4)
    gen = timescales.gen_time_of_curve(found, GRID)
    fine = np.geomspace(1, 1e4, 400_001)
    values = found(fine).test
    assert gen == pytest.approx(fine[np.argmax(values <= 1.01 * values.min())], rel=1e-3)


def test_a_gap_that_never_opens_has_no_memorization_time():
    flat = known(lambda tau: 0.5 + 0 * rise(tau, 1), lambda tau: 0.5 + 0 * rise(tau, 1))
    assert timescales.mem_time_of_curve(flat, GRID) is None


def test_the_grid_spans_every_rate():
    grid = timescales.time_grid(np.array([0.0, 1e-3, 20.0]), kappa=0.1)
    assert grid[0] < 0.01 / (0.1 * 20)
    assert grid[-1] > 20 / (0.1 * 1e-3)


def test_what_holds_from_the_start_is_time_zero():
    # at small t the whole fall of L_test is within the margin; at finite m L_gen may begin above half of its end
    shallow = known(lambda tau: 1 - 0.5 * rise(tau, 10), lambda tau: 1 - 0.005 * rise(tau, 10))
    assert timescales.gen_time_of_curve(shallow, GRID) == 0.0
    early = known(lambda tau: 0.4 - 0.1 * rise(tau, 10), lambda tau: 1 + 0.1 * rise(tau, 10))
    assert timescales.mem_time_of_curve(early, GRID) == 0.0


def test_a_gap_below_the_losses_accuracy_is_none():
    tiny = known(lambda tau: 1 - rise(tau, 10), lambda tau: 1 - rise(tau, 10) + 1e-9 * rise(tau, 100))
    assert timescales.mem_time_of_curve(tiny, GRID) is None
