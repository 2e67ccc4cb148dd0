"""An axis of a stored sweep with values added to it: what is missing is computed, nothing else, and nothing is lost."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import rfsim
from rfsim.cli import main
from rfsim.disk.store import StoreError
from rfsim.sweeps import front, opening, scratch, storage
from rfsim.sweeps.request import prepare
from rfsim.sweeps.summary import summary
from tests.sweeps import toys
from tests.sweeps.toys import settled

pytestmark = pytest.mark.usefixtures("cache_of_its_own")

pytestmark = pytest.mark.usefixtures("use")

GRID = {
    "command": "train",
    "axes": {"samples_per_dim": [1, 2, 4], "ridge": [0.0, 0.5], "train_times": [1, 9]},
    "derive": {"features_per_dim": "4 * samples_per_dim"},
}


def wider(grid, **axes):
    return grid | {"axes": grid["axes"] | axes}


def cells(groups) -> int:
    return sum(group.size for group in groups)


@pytest.mark.parametrize(
    ("axes", "groups", "new"),
    [
        ({"samples_per_dim": [1, 2, 4, 8]}, 1, 2),
        ({"samples_per_dim": [1, 2, 3, 4]}, 1, 2),
        ({"samples_per_dim": [0.5, 1, 2, 3, 4, 8]}, 3, 6),
        ({"ridge": [0.0, 0.25, 0.5]}, 3, 3),
        ({"samples_per_dim": [1, 2, 4, 8], "ridge": [0.0, 0.5, 1.0]}, 4, 6),
    ],
)
def test_what_is_missing_is_computed_and_nothing_else(tmp_path, axes, groups, new):
    front.sweep(GRID, tmp_path / "a.zarr")
    toys.computed.clear()
    data = front.sweep(wider(GRID, **axes), tmp_path / "a.zarr")
    assert (len(toys.computed), cells(toys.computed)) == (groups, new)
    whole = front.sweep(wider(GRID, **axes), tmp_path / "whole.zarr")
    assert settled(data).identical(settled(whole))
    assert [one.name for one in sorted(tmp_path.iterdir())] == ["a.zarr", "whole.zarr"]
    toys.computed.clear()
    front.sweep(wider(GRID, **axes), tmp_path / "a.zarr")
    assert toys.computed == []


def test_texts_and_zipped_values_may_be_added_anywhere(tmp_path):
    grid = {
        "command": "train",
        "axes": {"word": ["a", "b"]},
        "zip": {"samples_per_dim": [4, 1], "seed": [7, 8]},
    }
    more = {
        "command": "train",
        "axes": {"word": ["c", "b", "a"]},
        "zip": {"samples_per_dim": [1, 9, 4], "seed": [8, 8, 7]},
    }
    front.sweep(grid, tmp_path / "a.zarr")
    toys.computed.clear()
    data = front.sweep(more, tmp_path / "a.zarr")
    assert cells(toys.computed) == 9 - 4
    assert settled(data).identical(settled(front.sweep(more, tmp_path / "b.zarr")))


def test_groups_of_many_cells_may_be_cut_otherwise(tmp_path, use):
    use(together=("samples_per_dim", "features_per_dim"), tile=4)
    axes = {"samples_per_dim": list(range(1, 8)), "features_per_dim": [1, 3, 5], "seed": [0, 1]}
    grid = {"command": "train", "axes": axes}
    front.sweep(grid, tmp_path / "a.zarr")
    toys.computed.clear()
    more = wider(grid, features_per_dim=[1, 2, 3, 4, 5, 6])
    data = front.sweep(more, tmp_path / "a.zarr")
    assert cells(toys.computed) == 7 * 3 * 2
    assert settled(data).identical(settled(front.sweep(more, tmp_path / "b.zarr")))


def test_a_dimension_that_grows_longer_and_loses_its_one_coordinate(tmp_path):
    front.sweep({"command": "train", "axes": {"length": [2], "seed": [0, 1]}}, tmp_path / "a.zarr")
    more = {"command": "train", "axes": {"length": [1, 2, 3], "seed": [0, 1]}}
    data = front.sweep(more, tmp_path / "a.zarr")
    whole = front.sweep(more, tmp_path / "b.zarr")
    assert settled(data).equals(settled(whole))
    assert "step" not in data.coords
    assert len(toys.computed) == 2 + 4 + 6


def test_what_the_work_took_is_kept(tmp_path):
    front.sweep(GRID, tmp_path / "a.zarr")
    before = summary(tmp_path / "a.zarr", prepare(GRID))["seconds"]
    more = wider(GRID, samples_per_dim=[1, 2, 3, 4], ridge=[0.0, 0.5, 1.0])
    looked = summary(tmp_path / "a.zarr", prepare(more))["seconds"]
    assert looked == pytest.approx(before)
    kept = opening.reopen(tmp_path / "a.zarr", prepare(more).plan, prepare(more).settings)
    assert kept.totals()[1] == pytest.approx(before)


def test_status_and_export_work_before_it_goes_on(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = 'command = "train"\n[axes]\nsamples_per_dim = {}\nridge = [0.0, 0.5]\n'
    Path("grid.toml").write_text(text.format([1, 2, 4]))
    assert main(["sweep", "grid.toml", "--quiet"]) == 0
    Path("grid.toml").write_text(text.format([1, 2, 3, 4, 8]))
    assert main(["sweep", "grid.toml", "--status", "--export", "t.csv"]) == 0
    assert "grid.zarr: 6 done, 4 waiting of 10 cells\n3 of 5 groups" in capsys.readouterr().err
    with Path("t.csv").open(newline="") as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["done"] * 6
    toys.computed.clear()
    assert main(["sweep", "grid.toml", "--status"]) == 0
    assert toys.computed == []
    assert main(["sweep", "grid.toml"]) == 0
    assert "10 cells in 5 groups, 5 decompositions of U; 2 groups to do in this process" in capsys.readouterr().err


def test_values_are_not_taken_away_and_a_list_of_each_run_stays(tmp_path):
    front.sweep(GRID, tmp_path / "a.zarr")
    with pytest.raises(StoreError, match=r"\(samples_per_dim 2 is there and not here: values are added, not taken"):
        front.sweep(wider(GRID, samples_per_dim=[1, 4]), tmp_path / "a.zarr")
    with pytest.raises(StoreError, match=r"axes.train_times is \[1, 9\] there and \[1, 5, 9\] here, which each run"):
        front.sweep(wider(GRID, train_times=[1, 5, 9]), tmp_path / "a.zarr")
    with pytest.raises(StoreError, match=r"problem.dim is not given there and 7 here"):
        front.sweep(wider(GRID, samples_per_dim=[1, 2, 4, 8]) | {"problem": {"dim": 7}}, tmp_path / "a.zarr")
    assert len(toys.computed) == 3


def test_data_may_be_added_and_those_that_stay_must_be_the_same(tmp_path):
    array = np.random.default_rng(0).standard_normal((8, 3))
    for name in ("x.npy", "y.npy"):
        np.save(tmp_path / name, array)
    names = [str(tmp_path / name) for name in ("x.npy", "y.npy")]
    front.sweep({"command": "train", "axes": {"data": names[:1]}}, tmp_path / "a.zarr")
    data = front.sweep({"command": "train", "axes": {"data": names[::-1]}}, tmp_path / "a.zarr")
    assert data.data.values.tolist() == names[::-1]
    assert len(toys.computed) == 2
    np.save(tmp_path / "x.npy", array + 1)
    with pytest.raises(StoreError, match=r"digest of .*x.npy is"):
        front.sweep({"command": "train", "axes": {"data": [*names, "isotropic"]}}, tmp_path / "a.zarr")


class Killed(BaseException):
    pass


@pytest.mark.parametrize("moment", ["_put", "_prepare", "exchange", "rename", "rmtree"])
def test_a_kill_in_the_middle_loses_nothing(tmp_path, monkeypatch, moment):
    """As SIGKILL does: nothing after that moment happens, not even what `finally` would do."""
    whole = settled(front.sweep(wider(GRID, samples_per_dim=[1, 2, 3, 4]), tmp_path / "whole.zarr"))
    front.sweep(GRID, tmp_path / "a.zarr")
    calls = []

    def killed(*args, **more):
        calls.append(args)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(scratch, "_discard", lambda folder, path: None)
        if moment == "exchange":
            patch.setattr(scratch, "exchange", killed)
        elif moment == "rename":
            patch.setattr(scratch, "exchange", lambda path, new, folder: (path.rename(folder / scratch.OLD), killed()))
        elif moment == "rmtree":
            exchange = scratch.exchange
            patch.setattr(scratch, "exchange", lambda *args: (exchange(*args), killed()))
        else:
            patch.setattr(storage.Storage, moment, killed)
        with pytest.raises(Killed):
            front.sweep(wider(GRID, samples_per_dim=[1, 2, 3, 4]), tmp_path / "a.zarr")
    assert calls
    toys.computed.clear()
    more = wider(GRID, samples_per_dim=[1, 2, 3, 4])
    assert summary(tmp_path / "a.zarr", prepare(more))["done"] == 6
    assert settled(front.sweep(more, tmp_path / "a.zarr")).identical(whole)
    assert cells(toys.computed) == 2
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.zarr", "whole.zarr"]


def test_a_disk_that_takes_no_more_leaves_the_store(tmp_path, monkeypatch):
    whole = front.sweep(GRID, tmp_path / "a.zarr")

    def full(self, *_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage.Storage, "_put", full)
    with pytest.raises(StoreError, match="No space left on device; what was stored before stands"):
        front.sweep(wider(GRID, samples_per_dim=[1, 2, 4, 8]), tmp_path / "a.zarr")
    monkeypatch.undo()
    xr.testing.assert_identical(rfsim.load(tmp_path / "a.zarr"), whole)
    assert [one.name for one in tmp_path.iterdir()] == ["a.zarr"]


def test_cells_that_failed_are_carried_over_as_they_are(tmp_path):
    front.sweep({"command": "train", "axes": {"samples_per_dim": [2, 13]}}, tmp_path / "a.zarr")
    data = front.sweep({"command": "train", "axes": {"samples_per_dim": [2, 4, 13]}}, tmp_path / "a.zarr")
    assert data.status.values.tolist() == [1, 1, 3]
    assert data.reason.values.tolist() == ["", "", "unlucky"]
    assert len(toys.computed) == 3


def test_a_group_without_result_leaves_its_other_cells(tmp_path, monkeypatch):
    front.sweep(GRID, tmp_path / "a.zarr")

    def lost(job):
        raise RuntimeError("worse luck")

    monkeypatch.setattr(front, "work", lost)
    data = front.sweep(wider(GRID, ridge=[0.0, 0.5, 1.0]), tmp_path / "a.zarr")
    assert data.status.values.tolist() == [[1, 1, 3]] * 3
    assert data.gen.isel(ridge=[0, 1]).notnull().all()
    assert "worse luck" in data.reason.values[0, 2]
