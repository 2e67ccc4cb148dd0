"""Results are read by name: however one was selected, transposed, squeezed or joined, the same is drawn, or one line
says what is missing."""

from __future__ import annotations

import re

import numpy as np
import pytest
import xarray as xr
from matplotlib.collections import Collection
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch
from matplotlib.text import Text

import rfsim
from rfsim import plotting
from rfsim.disk import store
from rfsim.disk.kinds import form_of
from rfsim.plotting.forms import ASCENDING, ready
from tests.plotting.synthetic import MADE, SEEDED, sample


def drawn(figure):
    """All that a figure shows as data and words, artist by artist."""
    found = []
    for one in figure.findobj(lambda artist: isinstance(artist, (Line2D, Collection, StepPatch, Text))):
        if isinstance(one, Line2D):
            found.append((one.get_label(), str(one.get_color()), one.get_xydata().tolist()))
        elif isinstance(one, StepPatch):
            found.append(("steps", np.concatenate([np.ravel(part) for part in one.get_data()]).tolist()))
        elif isinstance(one, Collection):
            found.append(("area", [path.vertices.tolist() for path in one.get_paths()]))
        else:
            found.append(("text", one.get_text()))
    return found


def assert_same(figure, other):
    ours, theirs = drawn(figure), drawn(other)
    assert len(ours) == len(theirs)
    for one, another in zip(ours, theirs, strict=True):
        assert one[:-1] == another[:-1]
        if one[0] == "text":
            assert one == another
        else:
            np.testing.assert_allclose(np.ravel(one[-1]).astype(float), np.ravel(another[-1]).astype(float), rtol=1e-12)


def told(result):
    """Why nothing is drawn, in one line; "" where something is."""
    try:
        rfsim.plot(result)
    except ValueError as error:
        return str(error)
    return ""


def drawn_or_told(result):
    """A figure, or None where one line says why there is none."""
    try:
        return rfsim.plot(result)
    except ValueError as error:
        said = str(error)
    assert "\n" not in said
    return None


def backward(result):
    return result.transpose(*reversed(list(result.dims)))


@pytest.mark.parametrize("name", MADE)
def test_transposed_and_joined_it_is_drawn_the_same(name):
    whole = MADE[name](seeds=3) if name in SEEDED else MADE[name]()
    other = backward(whole)
    if name in SEEDED:  # what is one for all seeds is spread over them
        other = xr.concat([other.isel(seed=[1]), other.isel(seed=[0, 2])], "seed", data_vars="all")
    assert_same(rfsim.plot(whole), rfsim.plot(other))


@pytest.mark.slow
@pytest.mark.parametrize("name", SEEDED)
def test_the_title_tells_the_seeds_that_are_drawn(name):
    whole = MADE[name](seeds=3)
    alone = rfsim.plot(whole.isel(seed=[1]))
    assert "seed 1" in alone.get_suptitle()
    assert_same(alone, rfsim.plot(whole.isel(seed=1)))
    assert_same(alone, rfsim.plot(whole.isel(seed=[1]).squeeze()))
    # runs of their own know other settings, and hold what is of one seed alone
    runs = [MADE[name](seed=k, seeds=1) for k in (1, 0)]
    assert "seeds 0–1" in rfsim.plot(xr.concat(runs, "seed", data_vars="all")).get_suptitle()
    assert "seeds 0, 2" in rfsim.plot(whole.isel(seed=[2, 0])).get_suptitle()


@pytest.mark.slow
@pytest.mark.parametrize("name", MADE)
def test_every_dimension_can_be_cut_to_one_or_to_some(name):
    result = MADE[name]()
    for dim, size in result.sizes.items():
        scalar, one = drawn_or_told(result.isel({dim: size - 1})), drawn_or_told(result.isel({dim: [size - 1]}))
        assert (scalar is None) == (one is None), dim
        if one is not None:
            assert_same(one, scalar)
            one.draw_without_rendering()
        drawn_or_told(result.isel({dim: slice(1, None)}))
        drawn_or_told(result.isel({dim: 0}, drop=True))
        read = any(dim in dims for dims in form_of(result.attrs[store.KIND]).variables.values())
        assert (drawn_or_told(result.isel({dim: []})) is None) == read
    drawn_or_told(result.isel(dict.fromkeys(result.dims, 0)))
    ascending = {dim: slice(None, None, -1) for dim in ASCENDING if dim in result.dims}
    assert_same(rfsim.plot(result), rfsim.plot(result.isel(ascending)))


@pytest.mark.slow
@pytest.mark.parametrize("name", MADE)
def test_what_is_missing_is_named(name):
    result = MADE[name]()
    form = form_of(result.attrs[store.KIND]).variables
    unread = [one for one in result.data_vars if one not in form]
    assert_same(rfsim.plot(result), rfsim.plot(result.drop_vars(unread)))
    for one in {*form, *result.coords} & set(result.variables):
        said = told(result.drop_vars(one))
        assert not said or re.search(rf"\b{one}\b", said)


@pytest.mark.parametrize("change", [lambda one: one.expand_dims("run"), lambda one: xr.concat([one, one], "run")])
def test_a_dimension_along_which_nothing_differs_is_no_dimension(change):
    assert_same(rfsim.plot(sample()), rfsim.plot(change(sample())))


def test_what_differs_where_there_is_one_value_is_refused_by_name():
    other = sample().assign(train=sample().train * 2)
    with pytest.raises(ValueError, match="train differs along run, over which it has one value; select one of the 2"):
        rfsim.plot(xr.concat([sample(), other], "run", data_vars="all"))
    with pytest.raises(ValueError, match="holds a seed twice; leave one of them out"):
        rfsim.plot(xr.concat([sample(), sample()], "seed", data_vars="all"))
    with pytest.raises(ValueError, match="train has lost seed, which has 2 values"):
        rfsim.plot(sample().assign(train=sample().train.mean("seed")))
    with pytest.raises(ValueError, match=r"nothing of this result of the kind train is selected along train_time"):
        rfsim.plot(sample().isel(train_time=[]))
    with pytest.raises(ValueError, match=r"a part is one of zero, .*; this result has mine"):
        rfsim.plot(sample().assign_coords(part=["null", "mine", "main", "gen"]))
    with pytest.raises(ValueError, match=r"part counts zero, .*: 99"):
        rfsim.plot(sample().assign(feature_part=sample().feature_part * 0 + 99))


def test_a_cut_spectrum_keeps_its_shares():
    result = sample()
    gen = plotting.part_histograms(result.isel(feature=slice(-6, None)), bins=8)
    whole = plotting.part_histograms(result, parts=("gen",), bins=8)
    assert gen.density["gen"] == pytest.approx(whole.density["gen"])
    assert list(plotting.part_histograms(result.isel(part=[-1])).density) == ["gen"]


@pytest.mark.parametrize("name", MADE)
def test_what_is_in_form_is_handed_on_as_it_is(name):
    result = MADE[name]()
    if not np.any(np.diff(result.get("train_time", xr.DataArray([0.0])).values) < 0):
        assert ready(result).equals(result)
    with pytest.raises(ValueError, match="a result is a labelled dataset, as rfsim.load gives it; got a DataArray"):
        ready(result[next(iter(result.data_vars))])
