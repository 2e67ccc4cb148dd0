from __future__ import annotations

import math

import numpy as np
import pytest

from rfsim import Problem
from rfsim.limit import tables
from rfsim.theory.curves import curves
from rfsim.theory.minimum import score_minimum


def test_it_is_the_lowest_point_of_the_curve():
    problem = Problem(samples_per_dim=4, features_per_dim=16, diffusion_time=0.1)
    found = score_minimum(problem, samples_per_dim=[4], features_per_dim=[16]).isel(
        samples_per_dim=0, features_per_dim=0
    )
    tau = float(found.train_time) * np.array([1.0, 0.98, 1.02])
    at, before, after = curves(problem, tau).score.values
    assert float(found.score) == pytest.approx(at, abs=1e-9)
    assert at < min(before, after)
    assert float(found.final) == pytest.approx(float(curves(problem, [np.inf]).score[0]), abs=1e-8)
    assert found.residual <= 1e-12


def test_where_training_never_harms_the_minimum_is_at_the_end():
    found = score_minimum(Problem(), samples_per_dim=[1e6], features_per_dim=[0.5])
    assert math.isinf(found.train_time[0, 0])
    assert float(found.score[0, 0]) == float(found.final[0, 0])


def test_more_samples_lower_it_to_the_floor_of_the_features():
    found = score_minimum(Problem(diffusion_time=0.01), samples_per_dim=[1e2, 1e6, 1e8], features_per_dim=[8, 32])
    score = found.score.values
    assert np.all(np.diff(score, axis=0) < 0)
    assert np.all(score[1] - score[2] < 1e-3 * score[2])
    assert score[2, 1] < score[2, 0] / 3


@pytest.mark.slow
def test_what_is_not_known_to_the_tolerance_is_not_shown(monkeypatch):
    monkeypatch.setattr(tables, "NODES", (8, 16))
    found = score_minimum(Problem(), samples_per_dim=[4], features_per_dim=[16])
    assert np.isnan([found.score, found.final, found.train_time]).all()
    assert found.error[0, 0] > 0
    with pytest.raises(ValueError, match="tolerance must lie between 0 and 1; got 0"):
        score_minimum(Problem(), samples_per_dim=[4], features_per_dim=[16], tolerance=0)
