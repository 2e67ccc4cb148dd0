"""Populations of classes along an axis of a sweep of the limit: each cell is the single call."""

from __future__ import annotations

import numpy as np
import pytest

import rfsim
from rfsim import Problem

DATA = ["classes:0.3@0.5,0.7@1.5", "classes:0.9@0.5,0.1@1.5"]  # the share of the higher variance falls


@pytest.mark.parametrize(
    ("command", "own", "names"),
    [
        ("theory.curves", {"train_times": [1.0, 100.0]}, ("test", "test_class", "tau_gen_class", "tau_mem_class")),
        ("theory.ridge", {"ridges": [0.1, 1.0]}, ("test", "best_ridge")),
    ],
)
def test_imbalance_is_an_axis(tmp_path, command, own, names):
    spec = {"command": command, "axes": {"data": DATA, "samples_per_dim": [2.0, 4.0]}}
    found = rfsim.sweep(spec | {"problem": {"features_per_dim": 4.0} | own}, out=tmp_path / "plane.zarr")
    assert (found.status == 1).all(), found.reason.values
    (values,) = own.values()
    function = getattr(rfsim.theory, command.partition(".")[2])
    for k, data in enumerate(DATA):
        one = function(Problem(4.0, 4.0, data=data), values)
        for name in names:
            cell = found[name].isel(data=k, samples_per_dim=1)
            np.testing.assert_allclose(cell.transpose(*one[name].dims), one[name], rtol=1e-8, err_msg=name)
    assert not np.allclose(found[names[0]].isel(data=0), found[names[0]].isel(data=1))


@pytest.mark.slow
def test_beside_classes_populations_of_one_covariance_stay_a_map(tmp_path):
    spec = {"command": "theory.curves", "axes": {"data": [DATA[0], "isotropic"]}, "problem": {"train_times": [1.0]}}
    found = rfsim.sweep(spec, out=tmp_path / "plane.zarr")
    assert (found.status == 1).all()
    single = rfsim.theory.curves(Problem(), [1.0])
    np.testing.assert_allclose(found.test.isel(data=1), single.test, rtol=1e-6)
    assert found.test_class.isel(data=1).isnull().all()
