"""Files of data that a sweep names: found beside its own file, told whole in commands, and missed once it is done."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

import rfsim
from rfsim.cli import main
from rfsim.problem.data import DataError
from rfsim.sweeps import front, paths
from tests.sweeps import toys
from tests.sweeps.toys import settled

pytestmark = pytest.mark.usefixtures("use")


@pytest.fixture
def grid(tmp_path, monkeypatch):
    """A sweep and its data in one folder, while the process stands in another one."""
    (tmp_path / "sub").mkdir()
    np.save(tmp_path / "sub" / "x.npy", np.random.default_rng(0).standard_normal((8, 3)))
    (tmp_path / "sub" / "grid.toml").write_text('command = "train"\n[problem]\ndata = "x.npy"\n[axes]\nseed = [0, 1]\n')
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "sub" / "grid.toml"


def commands(store: Path) -> list[str]:
    assert main(["sweep", str(store.with_suffix(".toml")), "--status", "--export", "t.csv", "--quiet", "--force"]) == 0
    with Path("t.csv").open(newline="") as file:
        return [row["command"] for row in csv.DictReader(file)]


def test_data_lie_beside_the_file_of_the_sweep(grid):
    data = front.sweep(grid)
    place = str(grid.with_name("x.npy").resolve())
    assert [group.fixed["data"] for group in toys.computed] == [place, place]
    assert commands(grid.with_suffix(".zarr")) == [f"rfsim train --data {place} --seed {seed}" for seed in (0, 1)]
    assert '"data": "x.npy"' in data.attrs["settings"]  # so that the folder may move


def test_names_along_an_axis_stay_as_they_were_written(grid):
    np.save(grid.with_name("y.npy"), np.random.default_rng(1).standard_normal((8, 3)))
    grid.write_text('command = "train"\n[axes]\ndata = ["x.npy", "y.npy", "isotropic"]\n')
    data = front.sweep(grid)
    assert data.data.values.tolist() == ["x.npy", "y.npy", "isotropic"]
    found = [f"rfsim train --data {grid.with_name(name).resolve()}" for name in ("x.npy", "y.npy")]
    assert commands(grid.with_suffix(".zarr")) == [*found, "rfsim train --data isotropic"]


def test_a_folder_that_moves_is_gone_on_with(grid, tmp_path):
    front.sweep(grid)
    shutil.move(grid.parent, tmp_path / "moved")
    grid = tmp_path / "moved" / "grid.toml"
    toys.computed.clear()
    front.sweep(grid)
    assert toys.computed == []
    assert all(str(tmp_path / "moved") in one for one in commands(grid.with_suffix(".zarr")))


def test_a_finished_sweep_needs_its_data_no_more(grid, capsys):
    whole = settled(front.sweep(grid))
    grid.with_name("x.npy").unlink()
    store = str(grid.with_suffix(".zarr"))
    for words in (["show", store], ["sweep", str(grid), "--status"], ["sweep", str(grid), "--export", "t.nc"]):
        assert main(words) == 0
    assert settled(rfsim.load("t.nc")).identical(whole)
    capsys.readouterr()
    grid.write_text(grid.read_text().replace("[0, 1]", "[0, 1, 2]"))
    assert main(["sweep", str(grid), "--status"]) == 0
    assert "2 done, 1 waiting of 3 cells" in capsys.readouterr().err
    assert main(["sweep", str(grid)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert settled(rfsim.load(store)).identical(whole)
    with pytest.raises(DataError, match=r"x\.npy"):
        front.sweep(grid, "other.zarr")
    assert not Path("other.zarr").exists()


def test_what_is_no_file_stays_as_it_is(grid):
    folder = grid.parent
    place = folder.resolve() / "x.npy"
    assert paths.whole("x.npy", folder) == str(place)
    assert paths.whole("eigenvalues:x.npy", folder) == f"eigenvalues:{place}"
    assert paths.whole("covariance:x.npy", folder) == f"covariance:{place}"
    for text in ("isotropic", "isotropic:2", "atoms:0.5@1,0.5@2", "y.npy", "digits:8", "eigenvalues:", ""):
        assert paths.whole(text, folder) == text
