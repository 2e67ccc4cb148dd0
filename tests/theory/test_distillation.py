"""The front door to distillation in the limit: its dimensions, its domain, and that it gives what its rooms give."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from rfsim import Problem, theory
from rfsim.disk import store

PROBLEM = Problem(samples_per_dim=8, features_per_dim=32)


def test_a_step_has_its_leakage_its_ridge_and_its_student():
    found = theory.distill(PROBLEM, [0.05, 0.1], ridges=[0.0, 0.1])
    assert found.part.values.tolist() == ["null", "mini", "main", "gen"]
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
        (Problem(activation="linear"), {}, "give a teacher_ridge"),
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
