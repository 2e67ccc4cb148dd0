"""A result's representation: short, complete in its variables, and xarray's own for whatever is no result."""

import pickle

import numpy as np
import pytest
import xarray as xr

import rfsim
from rfsim import Problem
from rfsim.disk import store


@pytest.fixture(scope="module")
def trained():
    return rfsim.train(Problem(samples_per_dim=3, features_per_dim=4), [1.0, 100.0, 1e4], dim=6, seeds=2)


def line_of(result, name):
    (found,) = [line for line in repr(result).splitlines() if line.split()[:1] == [name]]
    return found


def test_it_names_the_quantity_the_settings_and_every_variable(trained):
    head, settings, *_ = repr(trained).splitlines()
    assert head.startswith("rfsim train: seed 2, ")
    assert ", ridge 0, " in repr(trained)
    assert settings.startswith("  dim 6, n 18, p 24, samples_per_dim 3, features_per_dim 4, diffusion_time 0.1")
    for name in trained.data_vars:
        assert line_of(trained, name)
    assert len(repr(trained).splitlines()) <= len(trained.data_vars) + 6


def test_few_values_are_means_over_seeds_and_routes_have_their_names(trained):
    formula = float(trained.tau_gen.mean("seed").sel(gen_route="formula"))
    assert f"formula {formula:.4g}" in line_of(trained, "tau_gen")
    values = ", ".join(f"{value:.4g}" for value in trained.test.mean("seed").values)
    assert values in line_of(trained, "test")
    assert line_of(trained, "test").endswith("L_test")


def test_a_curve_tells_its_ends_and_where_they_lie():
    curve = rfsim.theory.curves(Problem(), np.geomspace(1, 1e6, 13))
    least = curve.test.idxmin("train_time")
    assert f"{float(curve.test.min()):.4g} at train_time {float(least):.4g} …" in line_of(curve, "test")


def test_what_is_missing_is_counted_and_text_is_shown():
    data = store.label(
        xr.Dataset({"x": (("seed", "k"), [[1.0, np.nan] * 4]), "word": ("k", ["a", "b"] * 4), "none": ("z", [])}),
        "train",
        {},
        wall_time=0.0,
    )
    assert "4 of 8 NaN" in line_of(data, "x")
    assert line_of(data, "word").split() == ["word", "k", "a,", "b"]
    assert line_of(data, "none").split() == ["none", "z", "none"]


def test_it_survives_selection_pickles_and_files(trained, tmp_path):
    assert type(trained.isel(seed=[0])) is type(trained)
    assert pickle.loads(pickle.dumps(trained)).identical(trained)
    store.save(trained, tmp_path / "result.nc")
    for place in (tmp_path / "result.nc", tmp_path):
        loaded = rfsim.load(place)
        assert repr(loaded) == repr(trained)
    assert repr(trained.drop_attrs()).startswith("<xarray.Result>")


def test_html_holds_the_same_table_with_xarrays_below(trained):
    found = trained._repr_html_()
    assert found.startswith("<div><strong>rfsim train: seed 2, ")
    assert "L_test" in found
    assert "xr-wrap" in found.split("<details>", 1)[1]
    assert "<script" not in found
    hostile = trained.assign_attrs(settings=store.canonical({"data": "<b>x</b>"}))
    assert "<b>x</b>" not in hostile._repr_html_().split("<details>")[0]
