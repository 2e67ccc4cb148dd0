"""Results of the version in which parts were a dimension `bulk` beside a variable `part`: read as if written today.

before.zip was written by that version: `train` (by part, two seeds), `theory.curves` (by part) and `distill` at d = 4,
ψ_n = 2, ψ_p = 4; the sweep of grid.toml, interrupted when two of its four groups were done; and the same sweep, whole,
as `reproduce` stored a cell.
"""

from __future__ import annotations

import functools
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import rfsim
from rfsim import plotting
from rfsim.disk import netcdf, renamed, sealed, store
from rfsim.maps import export
from rfsim.reproduce.cells import Cell
from rfsim.reproduce.storage import kept
from rfsim.sweeps import front, merging, opening, stores
from rfsim.sweeps.cells import DONE
from rfsim.sweeps.request import prepare
from rfsim.sweeps.storage import WAITING
from rfsim.sweeps.summary import summary
from tests.commands import run

PROBLEM = rfsim.Problem(samples_per_dim=2, features_per_dim=4)
TODAY = {
    "train": lambda: rfsim.train(PROBLEM, [0.0, 9.0, np.inf], dim=4, seeds=2, by_part=True),
    "theory-curves": lambda: rfsim.theory.curves(PROBLEM, [1.0, np.inf], by_part=True),
    "distill": lambda: rfsim.distill(
        PROBLEM, [1.0, 100.0], dim=4, levels=4, generated=20, seeds=2, leakage_ridges=[0.0, 1.0]
    ),
}
KINDS = ["train", "theory-curves", pytest.param("distill", marks=pytest.mark.slow)]
OLD = {"part": "bulk", "feature_part": "part"}
LATER = ["evaluations", "student_map_error", "student_proxy"]  # variables that came after
REWORDED = ("student", "student_half", "early_student")  # since students have methods
GRID = {"command": "train", "problem": {"dim": 4}}
AXES = {"features_per_dim": [2, 4], "seed": [0, 1], "train_times": [1, 9]}


@pytest.fixture(autouse=True)
def before(tmp_path, monkeypatch):
    with zipfile.ZipFile(Path(__file__).with_name("before.zip")) as packed:
        packed.extractall(tmp_path)
    monkeypatch.chdir(tmp_path)


def raw(path: str) -> xr.Dataset:
    """A file as another program reads it."""
    with xr.open_dataset(path, engine="h5netcdf", decode_times=False, decode_timedelta=False) as lazy:
        return lazy.load().drop_encoding()


@functools.cache
def computed(kind: str) -> xr.Dataset:
    return TODAY[kind]()


def twin(kind: str) -> xr.Dataset:
    """What this version computes, with the numbers and attributes of the old file, name by name.

    Numbers are compared but for those whose estimator was another one (§8), which the file does not name.
    """
    old, found = raw(f"{kind}.nc"), computed(kind).copy(deep=True).drop_vars(LATER, errors="ignore")
    if "quality" in found.dims:  # of which there are more now
        found = found.sel(quality=old["quality"].values)
    assert {OLD.get(str(name), name) for name in found.variables} == {*old.variables}
    for name in found.variables:
        held = old[OLD.get(str(name), name)]
        assert [OLD.get(str(dim), dim) for dim in found[name].dims] == [*held.dims]
        if held.dtype.kind == "f" and "estimator" not in found[name].attrs:
            np.testing.assert_allclose(held.values, found[name].values, rtol=1e-6, atol=1e-9, equal_nan=True)
        if name in found.dims:
            found = found.assign_coords({name: (name, held.values, found[name].attrs)})
        else:
            found[name].values = held.values
        found[name].attrs.pop("estimator", None)
        if name in REWORDED:
            found[name].attrs["long_name"] = held.attrs["long_name"]
    return found.assign_attrs({name: value for name, value in old.attrs.items() if name != netcdf.DIGEST})


def drawn(figure) -> list:
    """All that stands on a figure: texts, and lines and points in the numbers of their axes."""
    return [
        [
            [text.get_text() for text in ax.texts],
            [ax.get_title(), ax.get_xlabel(), ax.get_ylabel()],
            [[line.get_label(), line.get_xydata().tolist()] for line in ax.lines],
            [np.ma.filled(one.get_offsets(), np.nan).tolist() for one in ax.collections],
        ]
        for ax in figure.axes
    ]


def same(found: list, wanted: list) -> bool:
    return repr(found) == repr(wanted)  # NaN is NaN here


@pytest.mark.parametrize("kind", KINDS)
def test_a_result_of_before_is_the_result_of_today(kind):
    found, wanted = rfsim.load(f"{kind}.nc"), twin(kind)
    xr.testing.assert_equal(found, wanted)
    assert found.sizes == wanted.sizes
    assert store.settings(found) == store.settings(wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_drawn_as_one_of_today(kind):
    wanted = drawn(plotting.plot(twin(kind)))
    assert any(line for *_, line, _ in wanted)
    assert same(drawn(plotting.plot(f"{kind}.nc")), wanted)
    assert same(drawn(plotting.plot(raw(f"{kind}.nc"))), wanted)  # that another program read


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_shown_as_one_of_today(capsys, kind):
    store.save(twin(kind), "today.nc")
    for more in ((), ("--json",)):
        shown = [run(capsys, "show", name, *more) for name in (f"{kind}.nc", "today.nc")]
        assert shown[0] == shown[1]
        assert shown[0][0] == 0


def test_a_file_without_a_digest_is_held_against_the_names_of_today():
    data = raw("train.nc")
    del data.attrs[netcdf.DIGEST]
    data.to_netcdf("bare.nc", engine="h5netcdf")
    xr.testing.assert_equal(rfsim.load("bare.nc"), rfsim.load("train.nc"))
    data.rename(bulk="band").to_netcdf("bare.nc", engine="h5netcdf")
    with pytest.raises(store.StoreError, match=re.escape("its variable 'count' is over (band), not (part)")):
        rfsim.load("bare.nc")
    data.assign_coords(other=data.other).rename(other="feature_part").to_netcdf("bare.nc", engine="h5netcdf")
    with pytest.raises(store.StoreError, match=r"bare\.nc is not a readable netCDF file \(.*; it was left as it is"):
        rfsim.load("bare.nc")  # both names: nobody can tell which is meant


def test_results_of_today_are_read_as_they_are():
    data = xr.Dataset({"share": (("step", "part"), [[0.9, 0.1]])}, {"part": ["mini", "gen"]})
    assert renamed.renamed(data) is data  # theory.distill had its dimension `part` before
    assert renamed.renamed(rfsim.load("train.nc").isel(part=0)).part.item() == "null"
    one = raw("train.nc").isel(bulk=0, feature=3)
    assert {*renamed.renamed(one).coords} >= {"part"}
    assert renamed.renamed(one).feature_part.item() == one.part.item()


def test_every_name_says_why_and_leads_to_a_name_of_today():
    for one in renamed.RENAMED.values():
        assert one.why
        assert one.now not in renamed.RENAMED or renamed.RENAMED[one.now].numbers


def test_a_sweep_of_before_goes_on_with_the_names_of_today():
    first, whole = rfsim.load("grid.zarr"), rfsim.load("cell.nc")
    assert (first.status.values == [[DONE, DONE], [WAITING, WAITING]]).all()
    place, request = Path("grid.zarr"), prepare("grid.toml")
    assert summary(place, request)["waiting"] == 2
    assert (place / "bulk").is_dir()  # looking changes nothing
    tried = []
    data = front.sweep("grid.toml", executor="serial", report=lambda step, values: tried.append(values))
    assert tried[0] == {"done": 0, "total": 2}
    root = stores.describe(place)
    assert {"bulk"}.isdisjoint({*root.arrays} | {one.name for one in place.iterdir()})
    assert sealed.layout(root.arrays["energy"]).dims == ("features_per_dim", "seed", "part", "train_time")
    assert sealed.layout(root.arrays["feature_part"]).dims == ("features_per_dim", "seed", "feature")
    assert {*data.variables} == {*first.variables} == {*whole.variables}
    assert (data.status == DONE).all()
    for name, one in first.data_vars.items():  # its cells were not computed again
        np.testing.assert_array_equal(data[name].values[0], one.values[0])
    for name in {*map(str, data.data_vars)} - {"seconds", "residual", "reason"}:
        assert data[name].dims == whole[name].dims
        np.testing.assert_allclose(data[name], whole[name], rtol=1e-6, atol=1e-9, equal_nan=True)
    assert summary(place, request)["done"] == 4


def test_it_takes_values_more_and_loses_nothing():
    before, request = rfsim.load("grid.zarr"), prepare({**GRID, "axes": AXES | {"seed": [0, 1, 2]}})
    assert opening.look(Path("grid.zarr"), request.plan, request.settings).waiting(request.plan) == 4
    made = opening.reopen(Path("grid.zarr"), request.plan, request.settings)
    assert (made.status() == [[DONE, DONE, WAITING], [WAITING] * 3]).all()
    first = {"features_per_dim": [0]}
    xr.testing.assert_equal(rfsim.load("grid.zarr").isel(first | {"seed": [0, 1]}), before.isel(first))


@pytest.mark.parametrize("lost", ["bulk/c/0", "part/c.0.0.0", "energy/c.0.1.0.0", "bulk/zarr.json"])
def test_damage_done_before_is_mended_first(lost):
    place, request = Path("grid.zarr"), prepare("grid.toml")
    assert (place / lost).is_file()
    (place / lost).unlink()
    made = opening.reopen(place, request.plan, request.settings)
    assert (made.status() == DONE).sum() == (2 if lost.endswith("json") else 1)
    assert ("part" in made.arrays) == (lost != "bulk/c/0")  # which comes with the next group
    left = rfsim.load("grid.zarr")
    assert left.sizes["part"] == 5
    assert {"bulk"}.isdisjoint({*left.variables, *left.dims, *made.arrays})


def test_it_is_merged_with_one_of_today():
    shutil.copytree("grid.zarr", "old.zarr")
    request = prepare("grid.toml")
    opening.reopen(Path("grid.zarr"), request.plan, request.settings)
    for k, pair in enumerate((["old.zarr", "grid.zarr"], ["grid.zarr", "old.zarr"], ["old.zarr", "old.zarr"])):
        joined = merging.merge([Path(one) for one in pair], Path(f"{k}.zarr"))
        assert not any("different" in word for word in joined.words)
        data = rfsim.load(f"{k}.zarr")
        assert (data.status == DONE).sum() == 2
        xr.testing.assert_equal(data, rfsim.load("grid.zarr"))


def test_a_cell_of_before_is_kept_with_the_order_of_its_dimensions():
    cell = Cell("grid", "sweep", None, {"spec": {**GRID, "axes": AXES}})
    data = kept(Path("cell.nc"), cell)
    assert data is not None
    assert "part" in data.dims
    assert [*data.attrs["dimensions"]][:4] == ["features_per_dim", "seed", "part", "train_time"]
    export.to_netcdf(data, "again.nc")
    xr.testing.assert_identical(rfsim.load("again.nc"), data)


@pytest.mark.slow
def test_what_is_typed_with_the_old_word_goes_on_working(capsys):
    def shown(**request):
        return drawn(plotting.plot("cell.nc", quantity="energy", x="train_time", **request))

    assert same(shown(at={"bulk": "gen"}), shown(at={"part": "gen"}))
    assert not same(shown(at={"bulk": "gen"}), shown(at={"part": "main"}))
    assert same(shown(facet="bulk"), shown(facet="part"))
    with pytest.raises(ValueError, match=re.escape("part has no value mine; it has zero, null, mini, main, gen")):
        shown(at={"bulk": "mine"})
    assert run(capsys, "plot", "cell.nc", "--quantity", "mass", "--x", "features_per_dim", "--at", "bulk=gen")[0] == 0
