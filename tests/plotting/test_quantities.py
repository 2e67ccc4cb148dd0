"""Every variable of every quantity that can be swept is drawn: as a map and small maps, as lines and families, with
contours and over another sweep."""

from __future__ import annotations

import numpy as np
import pytest

import rfsim
from rfsim.maps.lines import MEMORY
from rfsim.maps.views import view
from rfsim.quantities.catalog import QUANTITIES
from tests.plotting.test_forms import assert_same
from tests.sweeps.forms import AXES, BY_PART, OWN, stored

SWEEPS = {name: (name, None) for name in OWN} | {"theory.curves by part": ("theory.curves", BY_PART)}


def ways(data, name, x, y):
    """All that may be asked of a variable."""
    own = [str(dim) for dim in data[name].dims if dim not in (x, y, "seed")]
    middle = float(np.median(data[name].values))
    yield "map", {"x": x, "y": y}
    yield "contour", {"x": x, "y": y, "contours": [f"{name}={middle!r}"]}
    yield "over", {"x": x, "y": y, "over": data}
    yield "lines", {"x": x, "over": data}
    yield "family", {"x": x, "facet": y}
    for dim in own:
        yield "facet", {"x": x, "y": y, "facet": dim}
        yield "own", {"x": dim}
    if "tau_mem" in data and "train_time" in data.coords:
        yield "times", {"x": x, "y": y, "contours": ["tau_mem=train_time"], "at": {"train_time": 10}}


def numbers(data):
    return [str(name) for name, one in data.data_vars.items() if name != "status" and one.dtype.kind in "fiu"]


def test_the_forms_are_of_all_quantities_that_declare_what_they_hold():
    assert {name for name, one in QUANTITIES.items() if one.form is not None} <= set(OWN) <= set(QUANTITIES)


@pytest.mark.parametrize("sweep", SWEEPS)
def test_a_variable_of_every_shape_has_a_map_and_lines(sweep):
    command, own = SWEEPS[sweep]
    data = stored(command, own)
    x, y = AXES.get(command, ("samples_per_dim", "features_per_dim"))
    shapes = {data[name].dims: name for name in numbers(data)}
    for name in shapes.values():
        for _, asked in list(ways(data, name, x, y))[::3]:
            assert view(data, quantity=name, **asked).main.values.notnull().any()


@pytest.mark.slow
@pytest.mark.parametrize("sweep", SWEEPS)
def test_every_variable_is_drawn_in_every_way(sweep):
    command, own = SWEEPS[sweep]
    data = stored(command, own)
    x, y = AXES.get(command, ("samples_per_dim", "features_per_dim"))
    for name in numbers(data):
        for _, asked in ways(data, name, x, y):
            assert rfsim.plot(data, quantity=name, **asked).axes


@pytest.mark.parametrize("sweep", ["theory.curves", "theory.curves by part", "train"])
def test_the_line_of_memory_is_that_of_the_formula_by_whatever_route_it_is_stored(sweep):
    data = stored(*SWEEPS[sweep])
    times = 10 * data.samples_per_dim / 4
    data["tau_mem"] = times * (data.tau_mem * 0 + 1)
    (line,) = [one for one in view(data, at={"train_time": 10}).lines if one.name == MEMORY]
    assert line.points.x.values == pytest.approx(4.0)
    figure = rfsim.plot(data)
    figure.draw_without_rendering()
    if "mem_route" in data.dims:
        # what is not there is no line
        assert MEMORY not in {one.name for one in view(data.sel(mem_route=["curve"]), at={"train_time": 10}).lines}


def test_a_sweep_is_drawn_alike_however_it_was_turned_or_cut():
    data = stored("train").assign_attrs(dimensions=["samples_per_dim", "features_per_dim", "seed", "part"])
    turned = data.transpose(*reversed(list(data.dims)))
    for asked in ({}, {"x": "samples_per_dim"}, {"quantity": "energy", "facet": "part"}):
        assert_same(rfsim.plot(data, **asked), rfsim.plot(turned, **asked))
    cut = rfsim.plot(data.isel(train_time=0, seed=1))
    assert r"$\tau=10$" in cut.get_suptitle()
    assert "seed 1" in cut.get_suptitle()
    with pytest.raises(ValueError, match=r"train_time=1000 and the 10 that was selected are of different cells"):
        view(data.isel(train_time=0), at={"train_time": 1000})
    assert "map" in {way for way, _ in ways(data, "gen", "samples_per_dim", "features_per_dim")}


def test_measures_say_whose_they_are_and_a_panel_that_repeats_says_so():
    data = stored("distill")
    labels = [
        rfsim.plot(data, quantity=f"{name}[memorized_fraction]").axes[-1].get_ylabel()
        for name in ("teacher", "early_teacher", "student", "student_error", "regression", "reference")
    ]
    assert len(set(labels)) == len(labels)
    assert labels[0].startswith("teacher, memorized share")
    data["teacher"] = data.teacher.isel(features_per_dim=0, drop=True).broadcast_like(data.teacher)
    told = rfsim.plot(data, quantity="teacher[memorized_fraction]", x="samples_per_dim", facet="features_per_dim")
    assert r"the same at every $\psi_p$" in told.get_suptitle()
    other = rfsim.plot(data, quantity="student[memorized_fraction]", x="samples_per_dim", facet="features_per_dim")
    assert "the same" not in other.get_suptitle()


def test_p_equals_n_is_straight_on_axes_of_two_points():
    data = stored("theory.curves").isel(samples_per_dim=[0, 1])
    ax = rfsim.plot(data).axes[0]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    (line,) = [one for one in view(data).lines if one.name == "p = n"]
    assert line.points.sizes["point"] <= 3
    np.testing.assert_allclose(line.points.x, line.points.y)
