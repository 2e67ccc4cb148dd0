"""The front door to distillation in the limit: its dimensions, its domain, and that it gives what its rooms give."""

from __future__ import annotations

import inspect
import math

import jax
import numpy as np
import pytest

import rfsim
from rfsim import Problem, theory
from rfsim.disk import store
from rfsim.quantities.catalog import QUANTITIES

PROBLEM = Problem(samples_per_dim=8, features_per_dim=32)


def test_a_step_has_its_leakage_its_ridge_and_its_student():
    found = theory.distill(PROBLEM, [0.05, 0.1], ridges=[0.0, 0.1])
    assert found.part.values.tolist() == ["null", "mini", "main", "gen"]
    assert (found.from_time.values.tolist(), found.to_time.values.tolist()) == ([0.1], [0.05])
    assert found.diffusion_time.values.tolist() == [0.05, 0.1]
    np.testing.assert_allclose(found.leakage.values, [[0.7529, 0.1038]], rtol=1e-3)
    np.testing.assert_allclose(found.share.sum("part"), 1, rtol=1e-12)
    assert float(found.gamma_star[0]) == pytest.approx(0.426, rel=2e-3)
    assert float(found.gamma_star_closed[0]) == pytest.approx(0.425, rel=2e-3)
    assert found.closed_valid.values.tolist() == [1]
    assert float(found.residual) < 1e-10
    assert found.test.dims == found.map_error.dims == ("distill_time", "ridge", "step")
    # one level: the student without a ridge is its teacher
    np.testing.assert_allclose(found.suppression.values[0, 0, 0, 1:], 1, rtol=1e-6)
    assert np.isnan(found.suppression.values[0, 0, 0, 0])
    assert store.settings(found)["diffusion_times"] == [0.05, 0.1]
    assert {"ridge", "diffusion_time"}.isdisjoint(store.settings(found))


@pytest.mark.parametrize(
    ("problem", "given", "message"),
    [
        (Problem(activation="relu"), {}, "is of odd activations, such as tanh; got 'relu'"),
        (Problem(noise_copies=2), {}, "noise_copies inf; got 2"),
        (PROBLEM, {"diffusion_times": [0.1]}, "must be two or more, and ascend"),
        (PROBLEM, {"diffusion_times": [0.1, 0.05]}, "must be two or more, and ascend"),
        (PROBLEM, {"teacher_time": 0}, "must be positive"),
        (PROBLEM, {"distill_times": [0.0, 1.0]}, "must be positive"),
        (PROBLEM, {"threshold": 1.0}, "threshold must lie between 0 and 1; got 1"),
        (PROBLEM, {"start": "noise"}, "start must be teacher or zero; got 'noise'"),
        (PROBLEM, {"ridges": [-1.0]}, "ridges"),
        (Problem(activation="linear"), {}, "reach down to 0 where σ is linear"),
        (Problem(activation="linear"), {"teacher_ridge": 0.1}, "reach down to 0 where σ is linear; take another"),
    ],
)
def test_what_is_outside_the_domain_is_refused(problem, given, message):
    with pytest.raises(ValueError, match=message) as caught:
        theory.distill(problem, **({"diffusion_times": [0.05, 0.1]} | given))
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_any_population_has_its_students_and_no_closed_form():
    problem = Problem(samples_per_dim=4, features_per_dim=16, data="atoms:0.5@0.5,0.5@2.5")
    with jax.enable_x64(False):  # the front door sees to its own precision
        found = theory.distill(problem, [0.05, 0.1, 0.2], ridges=[0.1])
    assert np.isfinite(found.test.values).all()
    assert np.isfinite(found.gamma_star.values).all()
    for name in ("map_error", "kappa", "gamma_star_closed", "leakage_closed"):
        assert np.isnan(found[name].values).all()
    assert not found.closed_valid.values.any()


def test_one_step_has_the_ridge_that_the_ladder_has():
    found = theory.gamma_star(Problem(samples_per_dim=8, features_per_dim=32, diffusion_time=0.1), 0.05)
    assert found.attrs[store.KIND] == "theory-gamma-star"
    assert float(found.gamma_star) == pytest.approx(0.426, rel=2e-3)
    assert float(found.gamma_star_closed) == pytest.approx(0.425, rel=2e-3)
    assert [round(float(found[name]), 4) for name in ("leakage", "leakage_closed")] == [0.7529, 0.8159]
    assert store.settings(found)["next_time"] == 0.05
    with pytest.raises(ValueError, match="must be two or more, and ascend"):
        theory.gamma_star(Problem(diffusion_time=0.1), 0.2)


@pytest.mark.parametrize("name", ["theory.distill", "theory.gamma_star"])
def test_the_catalog_has_the_defaults_of_the_function(name):
    own = inspect.signature(getattr(theory, name.removeprefix("theory."))).parameters
    told = {one.name: one.default for one in QUANTITIES[name].parameters if one.role == "option"}
    shared = {"array", "report", "begin", "problem"}
    assert set(own) - shared == set(told)
    for one, parameter in own.items():
        if one not in shared and parameter.default is not inspect.Parameter.empty:
            assert told[one] == parameter.default, one


@pytest.mark.slow
def test_ladders_are_swept_and_maps_of_them_are_drawn(tmp_path):
    asked = {
        "command": "theory.distill",
        "problem": {"diffusion_times": [0.05, 0.1, 0.2], "features_per_dim": 32.0},
        "axes": {"samples_per_dim": [4.0, 8.0], "noise_copies": [2.0, math.inf], "ridges": [0.0, 0.1]},
    }
    found = rfsim.sweep(asked, out=tmp_path / "ladders.zarr")
    whole = found.sel(noise_copies=math.inf)
    assert (found.sel(noise_copies=2).status == 3).all()
    assert "averages the noise" in str(found.sel(noise_copies=2).reason.values[0])
    assert (whole.status == 1).all()
    alone = theory.distill(PROBLEM, [0.05, 0.1, 0.2], ridges=[0.0, 0.1])
    here = whole.sel(samples_per_dim=8)
    for name in ("gamma_star", "leakage", "from_time", "test"):
        np.testing.assert_allclose(here[name].transpose(*alone[name].dims), alone[name], rtol=1e-9)
    one = here.share.sel(part="mini+main", step=2).values
    np.testing.assert_allclose(one, alone.share.sel(part="mini+main", step=2), rtol=1e-9)
    at = {"noise_copies": math.inf}
    assert rfsim.plot(found, x="samples_per_dim", y="ridge", quantity="leakage", facet="step", at=at).axes
    assert rfsim.plot(found, x="step", quantity="gamma_star", facet="samples_per_dim", at=at).axes


@pytest.mark.slow
def test_steps_are_swept_and_a_map_of_their_ridges_is_drawn(tmp_path):
    asked = {
        "command": "theory.gamma_star",
        "problem": {"samples_per_dim": 8, "features_per_dim": 32, "threshold": 0.1},
        "axes": {"diffusion_time": [0.1, 0.2], "teacher_time": [1e4, math.inf]},
        "derive": {"next_time": "diffusion_time / 2"},
    }
    found = rfsim.sweep(asked, out=tmp_path / "steps.zarr")
    assert (found.status == 1).all()
    assert found.gamma_star.sel(teacher_time=math.inf).values.round(3).tolist() == [0.103, 0.142]  # D7
    # a teacher that has not learned all of mini hands less of it on
    assert (found.gamma_star.sel(teacher_time=1e4) < found.gamma_star.sel(teacher_time=math.inf)).all()
    assert rfsim.plot(found, x="diffusion_time", y="teacher_time", quantity="gamma_star").axes
