"""Sweeps of real quantities: the same numbers whoever computes them, and as many decompositions as were announced."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import rfsim
from rfsim.sweeps.cells import DONE
from rfsim.sweeps.front import sweep
from rfsim.sweeps.request import prepare
from rfsim.sweeps.summary import summary
from tests.sweeps.toys import settled

pytestmark = pytest.mark.slow

TRAINED = {
    "command": "train",
    "problem": {"dim": 12, "diffusion_time": 0.1},
    "axes": {
        "samples_per_dim": [2, 4],
        "ridge": [0.0, 0.1],
        "noise_copies": [3, float("inf")],
        "seed": {"range": [0, 3]},
        "train_times": [10, 1e4, float("inf")],
    },
    "derive": {"features_per_dim": "4 * samples_per_dim"},
}
LIMIT = {
    "command": "theory.curves",
    "axes": {"samples_per_dim": {"log": [1, 64], "points": 9}, "features_per_dim": {"log": [1, 64], "points": 10}}
    | {"train_times": [1e3, 1e4]},
}
ENGINES = [{"executor": "serial"}, {"workers": 2}, {"executor": "dask", "workers": 2}]
LOSSES = ("train", "test", "gen", "train_penalized")


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    path = tmp_path_factory.mktemp("trained") / "a.zarr"
    sweep(TRAINED, path)
    return path


@pytest.fixture(scope="module")
def trained(stored):
    return rfsim.load(stored)


@pytest.mark.parametrize("how", ENGINES[1:], ids=["processes", "dask"])
def test_samples_are_the_same_by_any_executor(trained, how):
    found = sweep(TRAINED, **how)
    assert (found.status == DONE).all()
    xr.testing.assert_identical(found.reason, trained.reason)
    for name, values in trained.data_vars.items():
        if values.dtype.kind == "f" and name not in ("seconds", "residual"):
            size = 1e-12 if name in LOSSES else 1e-8
            np.testing.assert_allclose(found[name], values, rtol=size, atol=size, err_msg=str(name))


@pytest.mark.parametrize("how", ENGINES[1:], ids=["processes", "dask"])
def test_the_limit_is_the_same_to_the_byte_by_any_executor(how):
    here, there = (settled(sweep(LIMIT, **one)) for one in (ENGINES[0], how))
    assert (here.status == DONE).all()
    xr.testing.assert_identical(here, there)


def test_a_cell_is_what_the_public_function_says_of_it(trained):
    cell = {"samples_per_dim": 4, "ridge": 0.1, "noise_copies": 3, "seed": 2}
    problem = rfsim.Problem(samples_per_dim=4, features_per_dim=16, noise_copies=3, ridge=0.1)
    alone = rfsim.train(problem, TRAINED["axes"]["train_times"], dim=12, seed=2)
    for name in (*LOSSES, "eigenvalue", "tau_mem"):
        # of the ridges of a group the smallest says how many orders U is summed to: 1.5e-11 was seen
        np.testing.assert_allclose(trained[name].sel(cell), alone[name].isel(seed=0), rtol=1e-9, err_msg=name)


def test_a_draw_depends_on_the_cell_and_not_on_the_grid(trained):
    fewer = {**TRAINED["axes"], "seed": [2], "samples_per_dim": [4], "noise_copies": [3]}
    found = sweep(TRAINED | {"axes": fewer})
    cell = {name: found[name].values for name in fewer if name != "train_times"}
    for name in LOSSES:
        xr.testing.assert_equal(found[name].reset_coords(drop=True), trained[name].reset_coords(drop=True).sel(cell))


def test_the_limit_is_that_of_the_map(tmp_path):
    found = sweep(LIMIT)
    axes = {name: found[name].values.tolist() for name in ("samples_per_dim", "features_per_dim")}
    whole = rfsim.theory.diagram(rfsim.Problem(), **axes, train_times=[1e3, 1e4])
    for name in ("train", "test", "gen", "tau_mem"):
        np.testing.assert_allclose(found[name], whole[name], rtol=1e-10)


EXPECTED = {"replicates": 1 + (1 + 8), "simulate": 2, "distill": (3 + 4) + (4 + 6)}
COUNTED = {
    "replicates": {
        "command": "train",
        "problem": {"dim": 3, "samples_per_dim": 4, "features_per_dim": 2},
        "axes": {"moments": ["exact", "montecarlo:8"], "ridge": [0.0, 1.0]},
    },
    "simulate": {
        "command": "simulate",
        "problem": {"dim": 4, "samples_per_dim": 2, "features_per_dim": 4, "steps": 20},
        "axes": {"rate": [0.1, 0.2], "exact": [False, True], "seed": [0, 1]},
    },
    "distill": {
        "command": "distill",
        "problem": {"dim": 3, "samples_per_dim": 2, "features_per_dim": 4, "generated": 16},
        "axes": {"levels": [2, 3], "ridge": [0.0, 0.1], "distill_times": [0, 10]},
    },
}


def test_all_ridges_and_times_are_of_one_decomposition(stored):
    count = 2 * 2 * 3
    assert summary(stored, prepare(TRAINED))["decompositions"] == {"announced": count, "done": count}


@pytest.mark.parametrize("name", COUNTED)
def test_as_many_decompositions_are_done_as_were_announced(name, tmp_path):
    spec, told = COUNTED[name], []
    data = sweep(spec, tmp_path / "a.zarr", report=lambda step, values: told.append(step))
    assert (data.status == DONE).all(), data.reason.values
    request = prepare(spec)
    count = EXPECTED[name]
    assert f"{count} decompositions of U" in told[0]
    assert summary(tmp_path / "a.zarr", request)["decompositions"] == {"announced": count, "done": count}
