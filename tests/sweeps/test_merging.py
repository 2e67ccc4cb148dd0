"""Stores of one sweep, but for values along its axes, joined: every cell once, conflicts and holes said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import rfsim
from rfsim.cli import main
from rfsim.disk.store import StoreError
from rfsim.sweeps import front, merging
from tests.sweeps import toys
from tests.sweeps.toys import settled

pytestmark = pytest.mark.usefixtures("use")

TEXT = """
command = "train"
[problem]
dim = 6
[axes]
samples_per_dim = {}
ridge = {}
train_times = [0, inf]
[derive]
features_per_dim = "4 * samples_per_dim"
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made(name: str, samples, ridges) -> Path:
    Path(f"{name}.toml").write_text(TEXT.format(samples, ridges))
    front.sweep(f"{name}.toml")
    return Path(f"{name}.zarr")


def test_two_stores_become_one_and_the_next_run_fills_its_holes(place, capsys):
    made("a", [1, 4], [0.0, 0.5])
    made("b", [2, 4], [0.5, 1.0])
    toys.computed.clear()
    assert main(["sweep", "--merge", "a.zarr", "b.zarr", "--out", "c.zarr"]) == 0
    err = capsys.readouterr().err
    assert "2 of 9 cells, in none of them, wait: first samples_per_dim 1, ridge 1" in err
    assert "c.zarr: 7 done, 2 waiting of 9 cells" in err
    assert toys.computed == []
    assert main(["sweep", "c.toml", "--quiet"]) == 0
    assert sum(group.size for group in toys.computed) == 2
    made("whole", [1, 2, 4], [0.0, 0.5, 1.0])
    assert settled(rfsim.load("c.zarr")).identical(settled(rfsim.load("whole.zarr")))
    assert sorted(one.name for one in place.iterdir() if one.name.startswith(".")) == []


def test_a_result_stands_before_a_failure(place):
    first = {"command": "train", "axes": {"seed": [0], "samples_per_dim": [13, 2]}}
    with pytest.raises(ValueError, match="must increase"):
        front.sweep(first, "a.zarr")
    first["axes"]["samples_per_dim"] = [2, 13]
    front.sweep(first, "a.zarr")
    second = front.sweep({"command": "train", "axes": {"seed": [0, 1], "samples_per_dim": [13]}}, "b.zarr")
    assert second.status.values.tolist() == [[3], [3]]
    joined = merging.merge([Path("a.zarr"), Path("b.zarr")], Path("c.zarr"))
    assert rfsim.load("c.zarr").status.values.tolist() == [[1, 3], [0, 3]]
    assert joined.words == ["1 of 4 cells, in none of them, waits: first seed 1, samples_per_dim 2"]


def test_different_values_of_one_cell_are_said_or_refused(place, monkeypatch):
    made("a", [1, 2], [0.0])
    made("b", [2, 4], [0.0])
    compute = toys.compute
    for factor, name in ((1 + 1e-12, "near"), (1.5, "far")):
        monkeypatch.setattr(
            "rfsim.sweeps.work.compute",
            lambda *given, factor=factor, **more: (found := compute(*given, **more)).assign(gen=found.gen * factor),
        )
        made(name, [2, 4], [0.0])
    assert merging.merge([Path("a.zarr"), Path("b.zarr")], Path("c.zarr")).words == []
    (said,) = merging.merge([Path("a.zarr"), Path("near.zarr")], Path("d.zarr")).words
    assert "a.zarr and near.zarr hold different values of 1 cell: gen by 1e-12, relative, at samples_per_dim 2" in said
    assert said.endswith("those of a.zarr stand")
    assert float(rfsim.load("d.zarr").gen[1, 0, 0]) == float(rfsim.load("a.zarr").gen[1, 0, 0])
    with pytest.raises(StoreError, match=r"different values of 1 cell: gen by 0.3.*; nothing was written"):
        merging.merge([Path("a.zarr"), Path("far.zarr")], Path("e.zarr"))
    assert not Path("e.zarr").exists()


def test_an_array_says_its_own_dimension_in_a_merge_too(place):
    array = np.random.default_rng(0).standard_normal((8, 3))
    for name, seeds in (("a", [0, 1]), ("b", [1, 2])):
        front.sweep({"command": "train", "axes": {"seed": seeds}}, f"{name}.zarr", array=array)
    merging.merge([Path("a.zarr"), Path("b.zarr")], Path("c.zarr"))
    whole = {"command": "train", "axes": {"seed": [0, 1, 2]}}
    toys.computed.clear()
    data = front.sweep(whole, "c.zarr", array=array)
    assert toys.computed == []
    assert settled(data).identical(settled(front.sweep(whole, "d.zarr", array=array)))


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["--merge", "a.zarr", "b.zarr"], "--merge needs --out, the store to write"),
        (["--merge", "a.zarr", "--out", "c.zarr"], "--merge joins two stores or more; got a.zarr"),
        (["--merge", "a.zarr", "b.zarr", "--out", "a.zarr"], "a.zarr exists; give another --out"),
        (["--merge", "a.zarr", "b.zarr", "--out", "c.zarr", "--status"], "computes nothing; leave out --status"),
        (["a.toml", "--merge", "a.zarr", "b.zarr", "--out", "c.zarr"], "computes nothing; leave out FILE"),
        (["--merge", "a.zarr", "none.zarr", "--out", "c.zarr"], "none.zarr is no store of a sweep"),
        (
            ["--merge", "a.zarr", "other.zarr", "--out", "c.zarr"],
            "a.zarr and other.zarr are not of one sweep: problem.dim is 6 in a.zarr and 7 in other.zarr",
        ),
        (
            ["--merge", "a.zarr", "turned.zarr", "--out", "c.zarr"],
            "axes are samples_per_dim, ridge in a.zarr and ridge,",
        ),
        ([], "give FILE, a sweep written in TOML, or --merge A.zarr B.zarr --out C.zarr"),
    ],
)
def test_what_cannot_be_joined_is_refused_in_one_line(place, capsys, words, match):
    made("a", [1, 2], [0.0])
    made("b", [2, 4], [0.0])
    Path("other.toml").write_text(TEXT.format([1], [0.0]).replace("dim = 6", "dim = 7"))
    Path("turned.toml").write_text(
        TEXT.format([1], [0.0]).replace("samples_per_dim = [1]\nridge = [0.0]", "ridge = [0.0]\nsamples_per_dim = [1]")
    )
    for name in ("other", "turned"):
        front.sweep(f"{name}.toml")
    assert main(["sweep", *words]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert match in err
    assert not Path("c.zarr").exists()
