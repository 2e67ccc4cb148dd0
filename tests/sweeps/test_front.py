from __future__ import annotations

import json
import resource
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import rfsim
from rfsim.disk import locks, store
from rfsim.disk.store import StoreError
from rfsim.maps.export import to_csv
from rfsim.sweeps import front, storage
from rfsim.sweeps.cells import DONE, FAILED
from rfsim.sweeps.request import prepare
from rfsim.sweeps.summary import announcement, summary
from tests.sweeps import toys

pytestmark = pytest.mark.usefixtures("use")

GRID = {
    "command": "train",
    "axes": {"samples_per_dim": [1, 2, 4], "ridge": [0.0, 0.5], "train_times": [1, 9], "seed": {"range": [0, 2]}},
    "derive": {"features_per_dim": "4 * samples_per_dim"},
}


def expected(data: xr.Dataset) -> xr.DataArray:
    value = data.samples_per_dim * 100 + data.features_per_dim + data.train_time + 10000 * data.seed + 1e6 * data.ridge
    return value.transpose(*data.gen.dims)


def stop_after(groups: int):
    def report(step, values):
        if values["done"] == groups:
            raise KeyboardInterrupt

    return report


def interrupted(out, groups: int, grid=GRID) -> None:
    with pytest.raises(KeyboardInterrupt):
        front.sweep(grid, out, report=stop_after(groups))


def test_the_result_is_one_labelled_dataset(tmp_path):
    data = front.sweep(GRID, tmp_path / "a.zarr")
    assert data.gen.dims == ("samples_per_dim", "ridge", "seed", "train_time")
    xr.testing.assert_equal(data.gen.reset_coords(drop=True), expected(data).reset_coords(drop=True))
    assert data.features_per_dim.dims == ("samples_per_dim",)
    assert data.samples_per_dim.attrs == {"long_name": "samples per dimension ψ_n", "units": "1"}
    assert data.gen.attrs["long_name"] == "L_gen"
    assert data.mass.sel(part="gen").values.tolist() == np.full((3, 2, 2), 0.75).tolist()
    assert data.status.dims == ("samples_per_dim", "ridge", "seed")
    assert (data.status == DONE).all()
    assert data.status.attrs["flag_meanings"] == "waiting done unconverged failed"
    assert (data.reason == "").all()
    assert set(data.seconds.dims) == set(data.residual.dims) == set(data.status.dims)
    assert data.attrs["rfsim_kind"] == "sweep"
    assert store.settings(data)["axes"]["ridge"] == [0.0, 0.5]
    assert "numpy" in json.loads(data.attrs["versions"])
    assert [str(name) for name in data.data_vars][:3] == ["gen", "mass", "path"]
    assert data.attrs["wall_time_seconds"] == float(data.seconds.isel(ridge=0).sum())
    assert len(toys.computed) == 6


def test_others_read_the_store_without_us_and_without_warnings(tmp_path):
    data = front.sweep(GRID, tmp_path / "a.zarr")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        other = xr.open_zarr(tmp_path / "a.zarr", chunks=None)
    xr.testing.assert_equal(other.gen.load(), data.gen)
    assert rfsim.load(tmp_path / "a.zarr").identical(data)
    store.save(data, tmp_path / "a.nc")
    xr.testing.assert_equal(rfsim.load(tmp_path / "a.nc").gen, data.gen)


def test_it_is_readable_while_it_runs_and_goes_on_where_it_was_left(tmp_path):
    whole = front.sweep(GRID, tmp_path / "whole.zarr")
    toys.computed.clear()
    interrupted(tmp_path / "a.zarr", 4)
    half = rfsim.load(tmp_path / "a.zarr")
    assert int((half.status == storage.WAITING).sum()) == 4
    assert half.gen.isnull().any("train_time").equals(half.status == storage.WAITING)
    again = front.sweep(GRID, tmp_path / "a.zarr")
    assert [group.number for group in toys.computed] == [0, 1, 2, 3, 4, 5]
    xr.testing.assert_identical(toys.settled(again), toys.settled(whole))
    front.sweep(GRID, tmp_path / "a.zarr")
    assert len(toys.computed) == 6


def test_nothing_is_announced_or_run_twice(tmp_path):
    told = []
    front.sweep(GRID, tmp_path / "a.zarr", report=lambda step, values: told.append((step, dict(values))))
    assert told[0][0] == "12 cells in 6 groups, 6 decompositions of U; 6 groups to do in this process"
    assert told[-1][1] == {"done": 6, "total": 6}
    with pytest.raises(StoreError, match=r"a.zarr exists; leave out --no-resume"):
        front.sweep(GRID, tmp_path / "a.zarr", resume=False)


def test_cells_that_fail_are_marked_and_tried_again_when_asked(tmp_path):
    grid = {"command": "train", "axes": {"samples_per_dim": [2, 13]}}
    data = front.sweep(grid, tmp_path / "a.zarr")
    assert data.status.values.tolist() == [DONE, FAILED]
    assert data.reason.values.tolist() == ["", "unlucky"]
    assert np.isnan(data.gen.values[1]).all()
    front.sweep(grid, tmp_path / "a.zarr")
    assert len(toys.computed) == 2
    front.sweep(grid, tmp_path / "a.zarr", retry_failed=True)
    assert [group.fixed["samples_per_dim"] for group in toys.computed] == [2, 13, 13]


def test_groups_without_any_result_are_failed_with_the_reason_of_the_executor(tmp_path, monkeypatch):
    def lost(job):
        raise RuntimeError("worse luck")

    monkeypatch.setattr(front, "work", lost)
    data = front.sweep({"command": "train", "axes": {"seed": [0, 1]}}, tmp_path / "a.zarr")
    assert data.status.values.tolist() == [FAILED] * 2
    assert "worse luck" in data.reason.values[0]


def test_shorter_dimensions_are_filled_up_and_keep_their_own_coordinate(tmp_path):
    data = front.sweep({"command": "train", "axes": {"length": [1, 3]}}, tmp_path / "a.zarr")
    np.testing.assert_array_equal(data.path, [[0.5, np.nan, np.nan], [0.5, 1.5, 2.5]])
    np.testing.assert_array_equal(data.step_value.values[1], [0, 2, 4])
    assert "step" not in data.coords
    assert front.sweep({"command": "train", "axes": {"seed": [1, 3]}}).step.values.tolist() == [0, 2]


def test_a_list_may_differ_from_cell_to_cell(tmp_path):
    data = front.sweep({"command": "train", "axes": {"seed": [0, 1]}, "derive": {"train_times": "10 * seed + 1"}})
    assert data.gen.dims == ("seed",)
    assert data.train_times.values.tolist() == [1, 11]
    assert data.gen.values.tolist() == [417, 10427]


def test_a_store_of_other_settings_is_left_alone(tmp_path):
    front.sweep(GRID, tmp_path / "a.zarr")
    other = GRID | {"problem": {"dim": 7}, "derive": {"features_per_dim": "5 * samples_per_dim"}}
    match = (
        r"made with other settings \(derive.features_per_dim is \"4 \* samples_per_dim\" there and "
        r"\"5 \* samples_per_dim\" here; problem.dim is not given there and 7 here\); give another --out"
    )
    with pytest.raises(StoreError, match=match):
        front.sweep(other, tmp_path / "a.zarr")
    assert len(toys.computed) == 6


def test_the_data_behind_a_name_belong_to_the_settings(tmp_path):
    array = np.random.default_rng(0).standard_normal((8, 3))
    front.sweep({"command": "train", "axes": {"seed": [0]}}, tmp_path / "a.zarr", array=array)
    with pytest.raises(StoreError, match=r"array is .* there and not given here"):
        front.sweep({"command": "train", "axes": {"seed": [0]}}, tmp_path / "a.zarr")
    np.save(tmp_path / "x.npy", array)
    named = {"command": "train", "problem": {"data": str(tmp_path / "x.npy")}, "axes": {"seed": [0]}}
    front.sweep(named, tmp_path / "b.zarr")
    np.save(tmp_path / "x.npy", array + 1)
    with pytest.raises(StoreError, match=r"digest of .*x.npy is"):
        front.sweep(named, tmp_path / "b.zarr")


@pytest.mark.parametrize("content", ["nothing", "file", "foreign"])
def test_what_is_no_store_is_refused_and_left(tmp_path, content):
    path = tmp_path / "a.zarr"
    if content == "file":
        path.write_text("mine")
    else:
        path.mkdir()
    if content == "foreign":
        xr.Dataset({"a": ("x", [1.0])}).to_zarr(path, zarr_format=2, consolidated=False)
    before = sorted(path.rglob("*"))
    with pytest.raises(StoreError, match=r"a.zarr is no store of a sweep.*left as it is"):
        front.sweep(GRID, path)
    assert sorted(path.rglob("*")) == before
    with pytest.raises(StoreError):
        rfsim.load(path)


def test_two_runs_on_one_store_are_kept_apart(tmp_path):
    with locks.held(tmp_path / "a.zarr"), pytest.raises(StoreError, match=r"being written by process \d+ on"):
        front.sweep(GRID, tmp_path / "a.zarr")
    assert not (tmp_path / "a.zarr").exists()


def test_a_disk_that_takes_no_more_leaves_what_is_there(tmp_path, monkeypatch):
    whole = front.sweep(GRID, tmp_path / "whole.zarr")
    interrupted(tmp_path / "a.zarr", 2)
    put, calls = storage.Storage._put, []

    def full(self, name, where, values):
        calls.append(name)
        if calls.count("status") == 2:
            raise OSError(28, "No space left on device")
        put(self, name, where, values)

    monkeypatch.setattr(storage.Storage, "_put", full)
    with pytest.raises(StoreError, match=r"cannot write .*a.zarr: No space left on device; what was stored"):
        front.sweep(GRID, tmp_path / "a.zarr")
    monkeypatch.undo()
    kept = rfsim.load(tmp_path / "a.zarr")
    done = kept.status == DONE
    assert int(done.sum()) == 6
    assert kept.gen.where(done).equals(whole.gen.where(done))


def test_a_file_that_may_not_grow_is_a_refusal_too(tmp_path):
    interrupted(tmp_path / "a.zarr", 2)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8, hard))
    try:
        with pytest.raises(StoreError, match=r"cannot write .*: File too large"):
            front.sweep(GRID, tmp_path / "a.zarr")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert int((rfsim.load(tmp_path / "a.zarr").status == DONE).sum()) == 4


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        front.sweep(GRID, tmp_path / "file" / "a.zarr")
    assert toys.computed == []


def test_the_summary_counts(tmp_path):
    path = tmp_path / "a.zarr"
    asked = prepare(GRID)
    before = summary(path, asked)
    assert (before["waiting"], before["groups"], before["holder"]) == (12, {"total": 6, "waiting": 6}, None)
    interrupted(path, 4)
    now = summary(path, asked)
    assert (now["cells"], now["done"], now["waiting"], now["failed"]) == (12, 8, 4, 0)
    assert now["decompositions"] == {"announced": 6, "done": 0}
    assert now["seconds"] > 0


def test_the_store_of_a_file_lies_beside_it(tmp_path):
    path = tmp_path / "grid.toml"
    path.write_text('command = "train"\n[axes]\nseed = [0, 1]\n')
    data = front.sweep(path)
    assert Path(tmp_path / "grid.zarr").is_dir()
    assert data.identical(rfsim.load(tmp_path / "grid.zarr"))


def test_a_sweep_of_lists_alone_is_one_cell():
    data = front.sweep({"command": "train", "axes": {"train_times": [1, 9]}})
    assert data.gen.dims == ("train_time",)
    assert data.status.item() == DONE


def test_axes_of_one_value_text_or_both():
    axes = {"seed": [3], "samples_per_dim": [1], "word": ["full", 16]}
    data = front.sweep({"command": "train", "axes": axes, "derive": {"features_per_dim": "2 * samples_per_dim"}})
    assert data.gen.shape == (1, 1, 2, 1)
    assert data.word.values.tolist() == ["full", "16"]
    assert data.word.dtype.kind == "U"
    assert [group.fixed["word"] for group in toys.computed] == ["full", 16]


def test_what_an_earlier_try_left_does_not_stay(tmp_path, monkeypatch):
    grid = {"command": "train", "axes": {"samples_per_dim": [2, 13]}}
    front.sweep(grid, tmp_path / "a.zarr")

    def lost(job):
        raise RuntimeError("worse luck")

    monkeypatch.setattr(front, "work", lost)
    data = front.sweep(grid, tmp_path / "a.zarr", retry_failed=True)
    assert data.status.values.tolist() == [DONE, FAILED]
    assert data.reason.values.tolist() == ["", "unlucky"]  # the earlier result stands where a try gave none
    assert data.part.values.tolist() == ["main", "gen"]


def test_a_store_of_other_groups_is_left_alone(tmp_path, use):
    front.sweep(GRID, tmp_path / "a.zarr")
    use(together=("ridge",), tile=1)
    with pytest.raises(StoreError, match="a version that groups cells otherwise"):
        front.sweep(GRID, tmp_path / "a.zarr")


def test_zipped_and_derived_parameters_are_coordinates_and_in_the_command(tmp_path):
    grid = {
        "command": "train",
        "problem": {"dim": 6},
        "zip": {"samples_per_dim": [2, 4], "ridge": [0.5, 1.0]},
        "derive": {"features_per_dim": "2 * samples_per_dim"},
    }
    for data in (front.sweep(grid, tmp_path / "a.zarr"), xr.open_zarr(tmp_path / "a.zarr", chunks=None)):
        assert set(data.coords) >= {"samples_per_dim", "ridge", "features_per_dim"}
    to_csv(rfsim.load(tmp_path / "a.zarr"), tmp_path / "a.csv")
    rows = (tmp_path / "a.csv").read_text().splitlines()
    assert rows[2].endswith(",rfsim train --dim 6 --ridge 1 --samples-per-dim 4 --features-per-dim 8")


def test_axes_in_another_order_are_refused(tmp_path):
    axes = {"samples_per_dim": [2, 3], "features_per_dim": [2, 3]}
    front.sweep({"command": "train", "axes": axes}, tmp_path / "a.zarr")
    turned = dict(reversed(axes.items()))
    with pytest.raises(StoreError, match=r"axes in another order \(samples_per_dim, features_per_dim there"):
        front.sweep({"command": "train", "axes": turned}, tmp_path / "a.zarr")


def test_a_retry_that_is_killed_is_computed_again(tmp_path, monkeypatch):
    grid = {"command": "train", "axes": {"samples_per_dim": [13]}}
    front.sweep(grid, tmp_path / "a.zarr")
    put = storage.Storage._put

    def killed(self, name, where, values):
        if name == "status":
            raise KeyboardInterrupt
        put(self, name, where, values)

    monkeypatch.setattr(storage.Storage, "_put", killed)
    with pytest.raises(KeyboardInterrupt):
        front.sweep(grid, tmp_path / "a.zarr", retry_failed=True)
    monkeypatch.undo()
    assert rfsim.load(tmp_path / "a.zarr").status.item() == storage.WAITING


def test_an_array_says_its_own_dimension(tmp_path):
    array = np.random.default_rng(0).standard_normal((8, 3))
    data = front.sweep({"command": "train", "axes": {"seed": [0]}}, tmp_path / "a.zarr", array=array)
    assert toys.computed[0].fixed["dim"] == 3
    to_csv(data, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text().rstrip().endswith(', array=array)"')


def test_one_store_has_one_lock_whatever_it_is_called(tmp_path):
    (tmp_path / "link.zarr").symlink_to(tmp_path / "a.zarr")
    with locks.held(tmp_path / "a.zarr"), pytest.raises(StoreError, match="being written by process"):
        front.sweep(GRID, tmp_path / "link.zarr")


def test_counts_are_said_as_one_would():
    one = prepare({"command": "train", "axes": {"seed": [0]}}).plan
    assert announcement(one, 1, "in 2 processes") == (
        "1 cell in 1 group, 1 decomposition of U; 1 group to do in 2 processes"
    )
    many = prepare(GRID).plan
    assert announcement(many, 6, "in this process").endswith("6 decompositions of U; 6 groups to do in this process")
