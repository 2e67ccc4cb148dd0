from __future__ import annotations

import numpy as np
import pytest

from rfsim import Problem
from rfsim.limit import landmarks
from rfsim.limit.dynamics import limit_curves
from rfsim.limit.landmarks import early_stopping_gain, n_star
from rfsim.limit.minimizer import ridge_losses
from tests.theory.cases import limit_of


@pytest.mark.slow
def test_training_fully_costs_one_percent_at_n_star():
    found = n_star(Problem(features_per_dim=2, samples_per_dim=1e3))
    assert found is not None
    assert early_stopping_gain(limit_of(found, 2)) == pytest.approx(0.01, rel=1e-3)
    assert early_stopping_gain(limit_of(1.001 * found, 2)) < 0.01 < early_stopping_gain(limit_of(0.999 * found, 2))


def test_the_gain_is_that_of_the_curve():
    limit = limit_of(4, 8)
    curve = limit_curves(limit, np.geomspace(1, 1e3, 2000)).curves.test
    assert early_stopping_gain(limit) == pytest.approx(ridge_losses(limit, 0.0).test[0] / curve.min() - 1, rel=1e-5)


def test_behind_a_large_ridge_nothing_overfits():
    assert n_star(Problem(features_per_dim=2, ridge=10.0)) is None


def test_where_the_gain_stays_there_is_no_border(monkeypatch):
    monkeypatch.setattr(landmarks, "early_stopping_gain", lambda limit, ridge: 0.02)
    assert n_star(Problem(features_per_dim=2)) is None


def test_the_three_lines(monkeypatch):
    monkeypatch.setattr(landmarks, "n_star", lambda problem: 10 * problem.features_per_dim)
    assert landmarks.plane_lines(Problem(features_per_dim=2, noise_copies=4)) == (2.0, 0.5, 20.0)
    assert landmarks.plane_lines(Problem(features_per_dim=2)) == (2.0, None, 20.0)
