"""What of a sweep is drawn: means over seeds, choices that are said, lines that are where they belong."""

from __future__ import annotations

import numpy as np
import pytest

from rfsim.disk import store
from rfsim.maps import scales
from rfsim.maps.names import axes, parameters
from rfsim.maps.slices import STATES, Fixed, cut
from rfsim.maps.views import view
from tests.sweeps.synthetic import gap, labelled, marked, sampled, theory


@pytest.fixture(scope="module")
def data():
    return sampled()


def names(lines):
    return {(line.name, line.panel) for line in lines}


def refused(data, match, **asked):
    with pytest.raises(ValueError, match=match):
        view(data, **asked)


# slices


def test_axes_and_parameters_are_those_of_the_file(data):
    assert axes(data) == ["samples_per_dim", "features_per_dim", "seed", "train_time"]
    assert parameters(data) == ["features_per_dim", "samples_per_dim", "seed", "train_time"]  # as JSON sorts them


def test_seeds_are_averaged_and_the_last_value_is_taken_by_name(data):
    found = cut(data, "gen", ["samples_per_dim"], {"features_per_dims": "16"})
    gen = data.gen.sel(features_per_dim=16, train_time=1e4).transpose("samples_per_dim", "seed").values
    np.testing.assert_allclose(found.values, gen.mean(1), rtol=1e-14)
    np.testing.assert_allclose(found.error, gen.std(1, ddof=1) / np.sqrt(3), rtol=1e-12)
    assert found.fixed == (Fixed("features_per_dim", 16.0), Fixed("train_time", 1e4, "last of 2"))
    assert found.seeds == 3
    assert (found.counts == 3).all()
    alone = cut(data, "gen", ["samples_per_dim"], {"seed": 1, "features_per_dim": 16, "train_time": 1000.0001})
    np.testing.assert_array_equal(alone.values, data.gen.sel(features_per_dim=16, train_time=1e3, seed=1))
    assert alone.seeds == 0
    assert Fixed("seed", 1) in alone.fixed
    assert np.isnan(alone.error).all()


def test_own_dimensions_by_label_by_at_and_by_custom(data):
    keep = ["samples_per_dim"]
    main = cut(data, "energy[main]", keep)
    np.testing.assert_array_equal(main.values, cut(data, "energy", keep, {"part": "main"}).values)
    np.testing.assert_allclose(2 * main.values, cut(data, "energy", keep).values)  # gen, the last
    assert Fixed("part", "gen", "last of 2") in cut(data, "energy", keep).fixed
    assert Fixed("mem_route", "formula") in cut(data, "tau_mem", keep).fixed


def test_only_what_is_done_counts():
    places = {
        0: [(0, 0, 0), (1, 2, 1), (1, 1, 0), (1, 1, 1), (1, 1, 2)],
        3: [(0, 0, 1), (1, 2, 0), (1, 2, 2), (2, 2, 0), (2, 2, 1), (2, 2, 2)],
    }
    data = marked(sampled(), places)
    data.gen[4, 3, :, 0] = np.nan  # done, and not defined at one of the times
    data.status[3, 3, :] = 2  # not converged, but with a value
    found = cut(data, "gen", ["features_per_dim", "samples_per_dim"], {"train_time": 1e3})
    at = {(y, x): STATES[found.state.values[y, x]] for y in range(4) for x in range(5)}
    assert {place: state for place, state in at.items() if state != "done"} == {
        (1, 1): "waiting", (2, 1): "failed", (2, 2): "failed", (3, 4): "not defined", (3, 3): "unconverged",
    }  # fmt: skip
    assert found.counts.values[0, 0] == 1
    assert float(found.values[0, 0]) == float(data.gen[0, 0, 2, 0])
    assert np.isnan(found.error[0, 0])
    assert np.isnan(found.values.values[[1, 2, 2, 3, 3], [1, 1, 2, 4, 3]]).all()
    assert found.counts.sum() == 4 * 5 * 3 - 2 - 5 * 3


def test_an_infinite_value_has_a_mean():
    data = sampled()
    data.gen[0, 0, :, 1] = np.inf
    found = cut(data, "gen", ["samples_per_dim", "features_per_dim"])
    assert found.values[0, 0] == np.inf
    assert np.isnan(found.error[0, 0])


def test_zipped_and_derived_names_are_axes_too():
    one = sampled().isel(features_per_dim=0, drop=True)
    values = 4 * one.samples_per_dim.values
    one = one.assign_coords(
        features_per_dim=("samples_per_dim", values), ridge=("samples_per_dim", [0.0, 0.1, 0.1, 1.0, 10.0])
    )
    one = labelled(
        one.drop_vars(["status", "reason", "residual", "seconds"]),
        axes=["samples_per_dim", "seed", "train_time"],
        derive={"features_per_dim": "4 * samples_per_dim"},
        zip={"samples_per_dim": [], "ridge": []},
    )
    assert set(parameters(one)) == {"samples_per_dim", "features_per_dim", "ridge", "seed", "train_time"}
    found = view(one, x="features_per_dim", facet="train_time")
    assert found.main.values.dims == ("train_time", "features_per_dim")
    np.testing.assert_array_equal(found.main.values.features_per_dim, values)
    assert cut(one, "gen", ["train_time"], {"ridge": 0}).fixed == (Fixed("ridge", 0.0),)
    refused(one, "ridge is 0.1 at 2 places along samples_per_dim", x="train_time", at={"ridge": "0.1"})
    refused(one, "ridge has equal values", x="ridge")
    refused(one, "are of different cells", x="train_time", at={"ridge": 0, "samples_per_dim": 64})
    refused(one, "features_per_dim and samples_per_dim vary together", x="samples_per_dim", y="features_per_dim")


@pytest.mark.parametrize(
    ("asked", "match"),
    [
        ({"quantity": "gn"}, "'gn' is no quantity of this sweep; did you mean 'gen'.*it has eigenvalue, energy, gen"),
        ({"quantity": "tau_mem[formul]"}, "tau_mem has no 'formul'; did you mean 'formula'"),
        ({"x": "sample_per_dim"}, "'sample_per_dim' is no axis of this sweep; did you mean 'samples_per_dim'"),
        ({"x": "samples_per_dim", "at": {"seed": 7}}, "seed has no value 7; it has 0, 1, 2"),
        ({"x": "samples_per_dim", "at": {"seed": "one"}}, "seed is a number; got 'one'"),
        ({"x": "samples_per_dim", "at": {"part": "mini"}}, "part has no value mini; it has main, gen"),
        ({"x": "train_time", "y": "seed", "quantity": "tau_mem"}, "tau_mem does not vary with train_time"),
        ({"x": "seed", "y": "seed"}, "x, y and facet must be different axes"),
        ({"y": "seed"}, "y=seed needs an x"),
        ({"x": "seed", "contours": ["gen=1"]}, "contours are lines on a map"),
        ({"contours": ["gen"]}, "a contour is QUANTITY=LEVEL.*got 'gen'"),
        ({"contours": ["gen=wide"]}, "'wide' is no axis"),
        ({"contours": ["gen=ridge", "gen=tau_mem[x]"]}, "tau_mem has no 'x'"),
        ({"x": "seed", "y": "train_time", "at": {"seed": 0}}, "seed is held at a value"),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(data, asked, match):
    refused(data, match, **asked)


# views


def test_without_names_the_first_two_axes_and_the_first_quantity(data):
    found = view(data)
    assert (found.main.quantity, found.x, found.y, found.facet) == ("gen", "samples_per_dim", "features_per_dim", None)
    found = view(data, facet="samples_per_dim")
    assert (found.x, found.y) == ("features_per_dim", "train_time")
    found = view(data, at={"samples_per_dim": 1})
    assert (found.x, found.y) == ("features_per_dim", "train_time")
    found = view(data, x="train_time")
    assert (found.y, found.facet) == (None, "samples_per_dim")  # a family, for there are few
    assert view(data.isel(features_per_dim=[0], train_time=[0])).y is None
    with pytest.raises(ValueError, match="a sweep is needed; got train"):
        view(data.assign_attrs({store.KIND: "train"}))
    refused(data.isel(samples_per_dim=[0], features_per_dim=[0], train_time=[0], seed=[0]), "more than one point")
    many = sampled(2, 2, times=np.geomspace(1, 100, 25), seeds=1)
    refused(
        many, "train_time has 25 values, and at most 24", x="samples_per_dim", y="features_per_dim", facet="train_time"
    )


def test_standard_lines_are_where_they_belong(data):
    asked = {"x": "samples_per_dim", "y": "features_per_dim", "facet": "train_time"}
    found = view(data, **asked)
    assert names(found.lines) == {("p = n", 0), ("p = n", 1), ("tau_mem = train_time", 0)}
    ruled, _, memory = found.lines
    np.testing.assert_allclose(ruled.points.x, ruled.points.y, rtol=1e-12)
    low, high = scales.edges(data.samples_per_dim, log=True)[[0, -1]]
    assert float(ruled.points.x.max()) == pytest.approx(min(high, scales.edges(data.features_per_dim, log=True)[-1]))
    assert float(ruled.points.x.min()) == pytest.approx(max(low, scales.edges(data.features_per_dim, log=True)[0]))
    np.testing.assert_allclose(memory.points.x, 25, rtol=1e-12)  # where 40 ψ_n = 1000
    turned = view(data, x="features_per_dim", y="samples_per_dim", facet="train_time").lines[2]
    np.testing.assert_allclose(turned.points.y, 25, rtol=1e-12)
    over_time = view(data, x="samples_per_dim", y="train_time").lines
    (memory,) = [line for line in over_time if line.name == "tau_mem = train_time"]
    np.testing.assert_allclose(40 * memory.points.x, memory.points.y, rtol=1e-12)
    assert store.settings(data)["problem"].get("noise_copies") is None


def test_p_is_n_m_at_finite_m_alone():
    copies = sampled(psi_p=6).rename(train_time="noise_copies").assign_coords(noise_copies=[4.0, np.inf])
    copies.attrs["settings"] = copies.attrs["settings"].replace("train_times", "noise_copies")
    found = view(copies, x="samples_per_dim", y="features_per_dim", facet="noise_copies")
    lines = {line.panel: line for line in found.lines if line.name == "p = n m"}
    assert set(lines) == {0}
    np.testing.assert_allclose(lines[0].points.y, 4 * lines[0].points.x, rtol=1e-12)
    finite = copies.assign_coords(noise_copies=[4.0, 32.0])
    found = view(finite, x="noise_copies", y="features_per_dim", at={"samples_per_dim": 1})
    (line,) = [line for line in found.lines if line.name == "p = n m"]
    np.testing.assert_allclose(line.points.y, line.points.x, rtol=1e-12)
    several = sampled(psi_p=6, times=(1, 2, 3)).rename(train_time="noise_copies")
    several = several.assign_coords(noise_copies=[4.0, 20.0, 32.0])
    several.attrs["settings"] = several.attrs["settings"].replace("train_times", "noise_copies")
    found = view(several, x="noise_copies", y="features_per_dim", at={"samples_per_dim": 1})
    (line,) = [line for line in found.lines if line.name == "p = n m"]
    assert scales.logarithmic([4.0, 20.0, 32.0]) is False  # neither in progression nor over a decade: straight
    np.testing.assert_allclose(line.points.y[1:-1], line.points.x[1:-1], rtol=0.02)


def test_contours_of_any_quantity_at_numbers_and_names(data):
    asked = {"x": "samples_per_dim", "y": "features_per_dim", "at": {"train_time": 1e3}}
    contours = ["gen=0.3", "tau_mem[curve]=1e3", "tau_mem=train_time", "tau_mem=tau_mem[curve]"]
    found = view(theory(), contours=contours, **asked)
    lines = {line.name: line.points for line in found.lines}
    np.testing.assert_allclose(lines["tau_mem[curve] = 1e3"].x, 12.5, rtol=1e-12)
    np.testing.assert_allclose(lines["tau_mem[formula] = train_time"].x, 25, rtol=1e-12)
    assert "tau_mem[formula] = tau_mem[curve]" not in lines  # half of it everywhere
    assert found.absent == ("tau_mem=tau_mem[curve]",)
    points = lines["gen = 0.3"]
    np.testing.assert_allclose(gap(points.x, points.y, 1e3), 0.3, rtol=0.06)


def test_a_theory_lies_over_the_samples(data):
    asked = {"x": "samples_per_dim", "y": "features_per_dim"}
    found = view(data, facet="train_time", over=theory(), contours=["gen=0.3"], **asked)
    assert names(found.over_lines) == {("gen = 0.3", 0), ("gen = 0.3", 1)}
    assert found.differences == ()
    later = view(data, over=theory(times=(1e4, 1e3, 1e5)), **asked)  # at the same time, not at its own last one
    assert Fixed("train_time", 1e4) in later.over.fixed
    assert {line.name for line in later.over_lines} == {"gen = 0.001", "gen = 0.01", "gen = 0.1", "gen = 1"}
    swapped = view(data, facet="train_time", over=theory(times=(1e4, 1e5)), contours=["gen=0.3"], **asked)
    assert names(swapped.over_lines) == {("gen = 0.3", 1)}
    curves = view(data, x="samples_per_dim", facet="features_per_dim", over=theory())
    assert curves.over.values.features_per_dim.values.tolist() == pytest.approx([1, 64])  # those that both have
    other = theory()
    other.attrs["settings"] = other.attrs["settings"].replace('"diffusion_time": 0.1', '"diffusion_time": 0.2')
    assert view(data, over=other, **asked).differences == ("diffusion_time=0.2",)
    refused(data, "over: train_time has no value 10000; it has 5", over=theory(times=(5.0,)), **asked)
    refused(data, "shares no value of train_time", over=theory(times=(5.0,)), facet="train_time", **asked)
    refused(data, "over: 'test' is no quantity", over=theory(), quantity="test", **asked)


# scales


def test_levels_and_edges():
    assert scales.levels([0.03, 0.9], log=True) == [0.1, 0.3]
    assert scales.levels([1e-9, 1e9], log=True)[::2] == [1e-6, 1.0, 1e6]
    assert scales.levels([0, 7.0, np.nan, np.inf], log=False) == [1, 2, 3, 4, 5, 6]
    assert scales.levels([2.0, 2.0], log=False) == scales.levels([np.nan], log=True) == []
    np.testing.assert_allclose(scales.edges([1, 2, 4], log=True), np.array([1, 2, 4, 8]) / np.sqrt(2))
    np.testing.assert_allclose(scales.along([0.5, 3, 8], [1, 2, 4], [2, 8, 32], log=True), [0.5, 18, 128])
    assert scales.wide([1, 32])
    assert scales.wide([0, 1, 32, np.inf])
    assert not scales.wide([1, 31])
    assert not scales.wide([-1, 1, 100])
