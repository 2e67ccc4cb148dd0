from __future__ import annotations

import importlib
import math

import numpy as np
import pytest

from rfsim import Problem
from rfsim.disk import store
from rfsim.limit.minimizer import RidgeLosses, ridge_losses, score_errors
from rfsim.limit.solver import NotConverged
from rfsim.limit.wide import wide_losses
from rfsim.theory.ridge import ridge, ridge_plane
from tests.theory.cases import limit_of


def test_no_ridge_at_p_equal_to_nm_is_refused():
    with pytest.raises(ValueError, match="give a positive ridge"):
        ridge(Problem(samples_per_dim=4, features_per_dim=16, noise_copies=4), [0.1, 0.0])


@pytest.mark.parametrize("data", ["isotropic", "atoms:0.5@0.5,0.5@1.5"])
def test_what_the_engine_finds_is_labelled(data):
    result = ridge(Problem(samples_per_dim=4, features_per_dim=6, noise_copies=4, data=data), [1e-3, 0.5, 0.0])
    limit = limit_of(4, 6, m=4, data=data)
    found = ridge_losses(limit, [1e-3, 0.5, 0.0])
    for name in ("train", "train_penalized", "test", "emp", "residual"):
        np.testing.assert_array_equal(result[name], getattr(found, name))
    for name, values in score_errors(limit, found)._asdict().items():
        np.testing.assert_array_equal(result[name], values)
    assert np.isnan(result.bias2).all() == (data != "isotropic")
    assert result.attrs["rfsim_kind"] == "theory-ridge"
    settings = store.settings(result)
    assert settings["ridges"] == [1e-3, 0.5, 0.0]
    assert "ridge" not in settings
    assert float(result.best_test) <= float(result.test.min())
    assert ridge_losses(limit, float(result.best_ridge)).test[0] == pytest.approx(float(result.best_test), abs=1e-12)


def test_an_array_stands_for_its_covariance():
    rng = np.random.default_rng(0)
    array = rng.standard_normal((400, 2)) * [0.5, 1.5]
    result = ridge(Problem(), [0.1], array=array)
    assert np.isnan(result.score).all()
    assert np.isfinite(result.test).all()


def test_steps_are_reported_and_results_can_be_stored(tmp_path):
    steps = []
    result = ridge(Problem(), [0.1], report=lambda step, values: steps.append((step, values)))
    assert steps == [("optimal ridge", {})]
    store.save(result, tmp_path / "ridge.nc")
    assert store.load(tmp_path / "ridge.nc").equals(result)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([-1.0], "ridges must not be negative; got -1"),
        ([], r"ridges must be a non-empty list of numbers; got shape \(0,\)"),
        ([1.0, math.nan], "ridges must be finite; got nan"),
        ([math.inf], "ridges must be finite; got inf"),
        (["much"], r"ridges must be real numbers; got \['much'\]"),
        ([[1.0]], r"non-empty list of numbers; got shape \(1, 1\)"),
    ],
)
def test_what_are_no_ridges_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        ridge(Problem(), given)


def test_points_that_do_not_converge_are_missing_values(monkeypatch):
    def partly(limit, ridges):
        values = np.array([1.0, math.nan])
        return RidgeLosses(*[values] * 5, residual=np.array([1e-16, 1e-3]))

    def failing(limit):
        raise NotConverged("an edge")

    room = importlib.import_module("rfsim.theory.ridge")  # of the function's name
    monkeypatch.setattr(room, "ridge_losses", partly)
    monkeypatch.setattr(room, "best_ridge", failing)
    result = ridge(Problem(), [0.1, 0.2])
    assert np.isnan(result.test).values.tolist() == np.isnan(result.bias2).values.tolist() == [False, True]
    assert result.residual.values.tolist() == [1e-16, 1e-3]
    assert math.isnan(result.best_ridge)


@pytest.mark.slow
@pytest.mark.parametrize("per_feature", [False, True])
def test_the_plane_is_its_points(per_feature):
    problem = Problem(noise_copies=3, ridge=0.02, data="atoms:0.5@0.5,0.5@1.5")
    features, samples = np.geomspace(0.3, 1e3, 20), np.array([0.5, 3.0, 20.0, 21.0, 22.0, 23.0, 24.0])
    result = ridge_plane(problem, [*features, math.inf], samples, ridge_per_feature=per_feature)
    assert result.test.dims == ("samples_per_dim", "features_per_dim")
    for n, p in ((0, 3), (1, 19), (6, 7)):
        limit = limit_of(samples[n], features[p], m=3, data=problem.data)
        found = ridge_losses(limit, 0.02 * (features[p] if per_feature else 1))
        for name in ("train", "train_penalized", "test", "emp"):
            assert float(result[name][n, p]) == pytest.approx(getattr(found, name)[0], rel=1e-10)
    wide = wide_losses(limit_of(3.0, 1.0, m=3, data=problem.data), 0.02 if per_feature else 0.0)
    assert float(result.test[1, -1]) == pytest.approx(wide.test[0], rel=1e-12)
    settings = store.settings(result)
    assert settings["samples_per_dim"] == samples.tolist()
    assert settings["features_per_dim"][-1] == "inf"
    assert float(result.residual.max()) < 1e-12


@pytest.mark.slow
def test_the_plane_has_one_row_by_default_and_refuses_what_is_no_ratio():
    assert ridge_plane(Problem(ridge=0.1), [1.0, 2.0]).test.shape == (1, 2)
    with pytest.raises(ValueError, match="features_per_dim must be positive; got 0"):
        ridge_plane(Problem(ridge=0.1), [1.0, 0.0])
    with pytest.raises(ValueError, match="samples_per_dim must be finite; got inf"):
        ridge_plane(Problem(ridge=0.1), [1.0], [math.inf])
    with pytest.raises(ValueError, match="0 at noise_copies 2 .*: a ridge must be positive here; got 0"):
        ridge_plane(Problem(noise_copies=2), [1.0])
