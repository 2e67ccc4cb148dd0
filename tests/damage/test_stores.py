"""Every file of a sweep's store damaged in every way, before every reader: right numbers, or one line that says so."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import rfsim
from rfsim import plotting
from rfsim.cli import main
from rfsim.disk import store
from rfsim.disk.store import StoreError
from rfsim.disk.sweep_files import BROKEN
from rfsim.sweeps import front
from rfsim.sweeps.cells import DONE
from rfsim.sweeps.request import prepare
from rfsim.sweeps.summary import summary
from tests.sweeps import toys
from tests.sweeps.toys import settled, use

__all__ = ["use"]
pytestmark = pytest.mark.usefixtures("use", "drawn")

TEXT = """
command = "train"
[axes]
samples_per_dim = [2, 4]
ridge = [0.0, 0.5]
train_times = [1, 9]
[derive]
features_per_dim = "4 * samples_per_dim"
"""
TOY = ("samples_per_dim", "ridge", "gen", "features_per_dim")


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def deleted(path: Path) -> None:
    path.unlink()


def one_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1 << 4
    path.write_bytes(content)


def directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def symlink(path: Path) -> None:
    mine = Path("mine").absolute()
    mine.write_bytes(path.read_bytes()[::-1])
    path.unlink()
    path.symlink_to(mine)


TOLD = ("status", "gen", "digest", "part", "samples_per_dim", "zarr.json")  # whose files meet every reader
DAMAGE = {one.__name__: one for one in (truncated, zeroed, deleted, one_bit, directory, symlink)}


@pytest.fixture(autouse=True)
def drawn(monkeypatch):
    """Figures that take no time; the tables beside them are those of any figure."""
    monkeypatch.setattr(plotting, "plot", lambda result, **asked: "figure")

    def save(figure, stem, *, style="paper"):
        path = Path(f"{stem}.pdf")
        path.parent.mkdir(exist_ok=True)
        path.write_text(figure)
        return [path]

    monkeypatch.setattr(plotting, "save", save)


@pytest.fixture
def grid(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grid.toml").write_text(TEXT)
    front.sweep("grid.toml")
    return tmp_path / "grid.zarr"


def names(path: Path) -> list[str]:
    return sorted(str(one.relative_to(path)) for one in path.rglob("*") if one.is_file())


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)]


def assert_right(found: list[dict[str, str]], whole: list[dict[str, str]], *, all_done: bool) -> None:
    """Of all cells, in order, what is done is what it was; without damage all of it."""
    assert len(found) == len(whole)
    for one, other in zip(found, whole, strict=True):
        assert one["status"] in ("done", "waiting")
        if one["status"] == "done":
            assert one == other
        else:
            assert not all_done
            assert (one["gen"], one["command"]) == ("", other["command"])


class Reader:
    """Commands on one store, of which each must be right or say in one line that it is not."""

    def __init__(self, capsys) -> None:
        self.capsys = capsys
        self.whole = {}
        self.told = {}

    def run(self, *words: str) -> tuple[int, str]:
        status = main(words)
        out, err = self.capsys.readouterr()
        assert "Traceback" not in err
        assert status in (0, 2, 3)
        said = [line for line in err.splitlines() if line.startswith("rfsim: ")]
        assert len(said) == (status != 0), err
        if status == 2:
            assert (out, len(err.splitlines())) == ("", 1)
        return status, out

    def look(self, first: bool = False, few: bool = False) -> set[int]:
        """All readers that change nothing, or few of them."""
        seen = set()
        for name, words in {
            "show": ("show", "grid.zarr", "--json"),
            "status": ("sweep", "grid.toml", "--status", "--json"),
            "table": ("sweep", "grid.toml", "--status", "--export", "t.csv", "--quiet"),
            "netcdf": ("sweep", "grid.toml", "--status", "--export", "t.nc", "--quiet"),
            "plot": ("plot", "grid.zarr", "--quiet", "--out", "drawn", "--force"),
        }.items():
            if few and name not in ("status", "plot"):
                continue
            status, out = self.run(*words)
            seen.add(status)
            found = {
                "show": lambda out=out: json.loads(out),
                "status": lambda out=out: json.loads(out),
                "table": lambda: rows(Path("t.csv")),
                "netcdf": lambda: settled(rfsim.load("t.nc")),
                "plot": lambda: rows(Path("drawn/grid.csv")),
            }[name]
            if first:
                self.whole[name] = found()
            elif status == 2:
                continue
            elif name in ("table", "plot"):
                assert_right(found(), self.whole[name], all_done=status == 0)
            elif status == 0:
                there = found()
                assert there.identical(self.whole[name]) if name == "netcdf" else there == self.whole[name]
            elif name == "netcdf":
                there, done = found(), found().status == DONE
                assert there.gen.where(done).equals(self.whole[name].gen.where(done))
                assert there.gen.where(~done).isnull().all()
            elif name == "show":
                assert json.loads(out)["cells"]["waiting"] > 0
            else:
                assert "did not hold what was written" in json.loads(out)["damaged"]
        return seen

    def resume(self, path: Path) -> int:
        """What is computed again is what it was."""
        status, _ = self.run("sweep", "grid.toml", "--quiet")
        if status == 0:
            assert settled(rfsim.load(path)).identical(self.whole["netcdf"].drop_encoding())
            assert not any(one.name.endswith(".partial") for one in path.rglob("*"))
        return status


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGE)
def test_no_damage_passes_in_silence(grid, tmp_path, capsys, damage):
    reader = Reader(capsys)
    assert reader.look(first=True) == {0}
    shutil.copytree(grid, tmp_path / "kept.zarr")
    for name in names(grid):
        DAMAGE[damage](grid / name)
        seen = reader.look(few=not name.startswith(TOLD))
        held = (tmp_path / "mine").read_bytes() if damage == "symlink" else b""
        seen.add(reader.resume(grid))
        if damage == "symlink":
            assert (tmp_path / "mine").read_bytes() == held
        if name == "zarr.json":
            assert seen == {2}
        shutil.rmtree(grid)
        shutil.copytree(tmp_path / "kept.zarr", grid)


def test_a_bit_of_any_file_is_seen(grid):
    whole = rfsim.load(grid)
    for name in names(grid):
        kept = (grid / name).read_bytes()
        one_bit(grid / name)
        if name == "zarr.json":
            with pytest.raises(StoreError, match=r"grid.zarr is (damaged|not a store)"):
                rfsim.load(grid)
        elif name.endswith("zarr.json"):  # the root repeats them
            assert rfsim.load(grid).identical(whole)
        elif "/c/" in name:
            with pytest.raises(StoreError, match=f"is damaged: {name} does not hold what was written; run rfsim sweep"):
                rfsim.load(grid)
        else:
            found = rfsim.load(grid)
            assert found.attrs[BROKEN] == 2
            assert found.status.values.tolist() in ([[0, 0], [1, 1]], [[1, 1], [0, 0]])
            assert found.gen.isnull().all("train_time").equals(found.status == 0)
        (grid / name).write_bytes(kept)
    assert rfsim.load(grid).identical(whole)


def test_what_is_gone_is_computed_again_and_said(grid, capsys):
    for name in ("gen/c.0.0.0", "status/c.1.0", "digest/c.0.0.0", "samples_per_dim/c/0", "part/c/0"):
        whole, computed = settled(rfsim.load(grid)), len(toys.computed)
        (grid / name).unlink()
        assert main(["sweep", "grid.toml", "--status"]) == 3
        assert "did not hold what was written; run the same command" in capsys.readouterr().err
        assert main(["sweep", "grid.toml"]) == 0
        assert "did not hold what was written; now it is again" in capsys.readouterr().err
        assert settled(rfsim.load(grid)).identical(whole)
        assert len(toys.computed) - computed == (name != "samples_per_dim/c/0")


def test_a_variable_that_is_gone_is_computed_again(grid):
    whole = settled(rfsim.load(grid))
    shutil.rmtree(grid / "gen")
    assert (rfsim.load(grid).status == 0).all()
    assert settled(front.sweep("grid.toml")).identical(whole)
    assert len(toys.computed) == 4


def unsealed(path: Path) -> Path:
    """As an earlier version wrote it: without digests."""
    root = json.loads((path / "zarr.json").read_text())
    del root["attributes"]["digest"], root["attributes"]["digests"]
    del root["consolidated_metadata"]["metadata"]["digest"]
    (path / "zarr.json").write_text(json.dumps(root))
    shutil.rmtree(path / "digest")
    return path


def test_a_store_of_an_earlier_version_is_read_and_gets_digests(grid):
    whole = settled(rfsim.load(grid))
    assert settled(rfsim.load(unsealed(grid))).identical(whole)
    assert summary(grid, prepare("grid.toml"))["done"] == 4
    assert settled(front.sweep("grid.toml")).identical(whole)
    assert (grid / "digest").is_dir()
    assert len(toys.computed) == 2


def status_17(path: Path) -> None:
    (path / "status" / "c.0.0").write_bytes(bytes([17, 1]))


def without(name: str):
    def damage(path: Path) -> None:
        shutil.rmtree(path / name)
        root = json.loads((path / "zarr.json").read_text())
        del root["consolidated_metadata"]["metadata"][name]
        (path / "zarr.json").write_text(json.dumps(root))

    return damage


def other(settings):
    def damage(path: Path) -> None:
        root = json.loads((path / "zarr.json").read_text())
        root["attributes"]["settings"] = settings
        (path / "zarr.json").write_text(json.dumps(root))

    return damage


def of_type(name: str, kind: str):
    def damage(path: Path) -> None:
        root = json.loads((path / "zarr.json").read_text())
        root["consolidated_metadata"]["metadata"][name]["data_type"] = kind
        (path / "zarr.json").write_text(json.dumps(root))

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        status_17,
        *map(without, ("status", "decompositions", "reason", "samples_per_dim", "train_time", "features_per_dim")),
        *map(other, (None, 7, "[]", "{", '{"command": 1}', '{"command": "train", "axes": [1]}')),
        *(
            of_type(*one)
            for one in (("status", "float32"), ("gen", "nothing"), ("gen", "float32"), ("ridge", "string"))
        ),
    ],
)
def test_a_store_without_digests_that_is_no_whole_sweep_is_refused(grid, capsys, damage):
    damage(unsealed(grid))
    for words in (["show", "grid.zarr"], ["sweep", "grid.toml", "--status"], ["sweep", "grid.toml"]):
        status = main(words)
        out, err = capsys.readouterr()
        if not (status == 0 and words[-1] == "--status"):
            assert (status, out, len(err.splitlines())) == (2, "", 1), err


def test_foreign_arrays_and_what_killed_runs_left_are_not_of_the_store(grid):
    whole = settled(rfsim.load(grid))
    shutil.copytree(grid / "gen", grid / "foreign")
    partial = grid / "gen" / ".c.0.0.0.0a1b2c3d.partial"
    partial.write_bytes(b"half")
    (grid / "gen" / ".c.0.0.partial").symlink_to("/etc/hostname")
    assert settled(rfsim.load(grid)).identical(whole)
    assert settled(front.sweep("grid.toml")).identical(whole)
    assert (grid / "foreign").is_dir()
    assert not partial.exists()
    assert (grid / "gen" / ".c.0.0.partial").is_symlink()


def test_nothing_is_written_through_a_link(grid, tmp_path):
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "folder").mkdir()
    for name in (".c.0.0.0.partial", "c.0.0.0"):
        (grid / "gen" / name).unlink(missing_ok=True)
        (grid / "gen" / name).symlink_to(tmp_path / "victim")
    front.sweep("grid.toml")
    assert (tmp_path / "victim").read_text() == "mine"
    shutil.rmtree(grid / "gen")
    (grid / "gen").symlink_to(tmp_path / "folder")
    with pytest.raises(StoreError, match=r"grid.zarr/gen is no folder of this store; move it"):
        front.sweep("grid.toml")
    assert list((tmp_path / "folder").iterdir()) == []


def test_folders_of_others_beside_a_store_stay_and_our_own_go(tmp_path):
    mine = tmp_path / ".grid.zarr.new"
    named = tmp_path / ".grid.zarr.new-0"
    left = tmp_path / ".grid.zarr.new-abc"
    for folder in (mine, named, left):
        folder.mkdir()
        (folder / "thesis.txt").write_text("years of work")
    (left / "of-rfsim-sweep").touch()
    front.sweep({"command": "train", "axes": {"seed": [0, 1]}}, tmp_path / "grid.zarr")
    assert sorted(one.name for one in tmp_path.iterdir()) == [mine.name, named.name, "grid.zarr"]
    assert (mine / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("place", ["gen/c.0.0.0", "status/c.0.0", "zarr.json"])
def test_a_pipe_in_the_place_of_a_file_does_not_hang(grid, place):
    import os

    (grid / place).unlink()
    os.mkfifo(grid / place)
    if place == "zarr.json":
        with pytest.raises(StoreError, match=r"not a store of a sweep \(zarr.json is no file\)"):
            rfsim.load(grid)
    else:
        assert rfsim.load(grid).attrs[BROKEN] == 2


def test_an_exported_sweep_is_held_against_its_settings(grid, tmp_path):
    data = rfsim.load(grid)
    store.save(data.assign(status=data.status.copy(data=np.full((2, 2), 17, np.int8))), tmp_path / "a.nc")
    with pytest.raises(StoreError, match=r"a.nc is damaged: a status is 17, and they go from 0 to 3"):
        rfsim.load(tmp_path / "a.nc")
    store.save(data.drop_vars("features_per_dim"), tmp_path / "a.nc")
    with pytest.raises(StoreError, match=r"a.nc is damaged: it has no values of features_per_dim"):
        rfsim.load(tmp_path / "a.nc")
