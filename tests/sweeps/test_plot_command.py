"""`rfsim plot` and `rfsim show` of a sweep: flags, tables beside the figure, refusals in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
import xarray as xr

from rfsim import plotting
from rfsim.cli import folder
from rfsim.disk import places, store
from tests.commands import answer, assert_refused, run
from tests.commands import place as place
from tests.sweeps.synthetic import sampled, theory

DRAW = plotting.plot


@pytest.fixture
def stored(place, monkeypatch):
    """A sweep as a store beside its file, and as netCDF; its theory; the store read without the room that made it."""
    held = {"map.zarr": sampled(), "limit.zarr": theory()}
    for name in held:
        Path(name).mkdir()
        Path(name, "zarr.json").touch()  # by which a store is known; what it holds is read below
    store.save(sampled(), "map.nc")
    Path("map.toml").write_text('command = "train"\n')
    load = store.load

    def read(path):
        name = places.find(path).name
        return held[name] if name in held else load(path)

    monkeypatch.setattr(store, "load", read)
    asked = []

    def plot(result, *, style, width, **more):
        asked.append(more)
        return f"{style} {width} {more}"

    monkeypatch.setattr(plotting, "plot", plot)
    return asked


def test_flags_are_the_arguments_of_plot(stored, capsys):
    status, out, err = run(
        capsys, "plot", "map.toml", "--x", "samples_per_dim", "--y", "features_per_dim", "--quantity", "gen",
        "--facet", "seed", "--at", "train_time=1e3", "--at", "part=gen", "--contour", "gen=0.1",
        "--contour", "tau_mem=train_time", "--over", "limit.zarr",
    )  # fmt: skip
    assert (status, out) == (0, "")
    assert err.splitlines() == [f"wrote map{end}" for end in (".pdf", ".png", ".csv", "-contours.csv")]
    (asked,) = stored
    xr.testing.assert_identical(asked.pop("over"), store.load("limit.zarr"))
    assert asked == {
        "x": "samples_per_dim", "y": "features_per_dim", "quantity": "gen", "facet": "seed",
        "at": {"train_time": "1e3", "part": "gen"}, "contours": ("gen=0.1", "tau_mem=train_time"),
    }  # fmt: skip
    assert Path("map.csv").read_text().startswith("samples_per_dim,features_per_dim,seed,part,train_time,status,")
    assert "over" in Path("map-contours.csv").read_text()


def test_several_quantities_and_their_axis_are_flags(stored, capsys):
    quantities = "gen,tau_mem[formula]"
    assert run(capsys, "plot", "map.nc", "--x", "samples_per_dim", "--quantity", quantities, "--log")[0] == 0
    assert stored == [{"x": "samples_per_dim", "quantity": quantities, "log": True}]
    heading = Path("map.csv").read_text().splitlines()[0]
    assert {"gen", "tau_mem", "command"} <= {*heading.split(",")}
    assert run(capsys, "plot", "map.nc", "--no-log", "--force")[0] == 0
    assert stored[1] == {"log": False}
    assert_refused(capsys, "plot", "map.nc", "--quantity", "gen", "--quantity", "test", match="separate them by commas")


@pytest.mark.slow
def test_a_store_a_file_and_a_netcdf_are_one_sweep(stored, capsys):
    for file in ("map.toml", "map.zarr", "map.nc"):
        assert run(capsys, "plot", file, "--quiet") == (0, "", "")  # each draws what is there already
    assert stored == [{}] * 3
    assert run(capsys, "plot", "map.nc", "--x", "seed", "--quiet") == (0, "", "")  # another slice, another name
    assert len(list(Path().glob("map-*.pdf"))) == 1
    Path("map.csv").write_text("mine\n")
    assert_refused(capsys, "plot", "map.nc", match=r"map\.csv exists with other content.*--force")
    assert run(capsys, "plot", "map.nc", "--x", "seed", "--force")[0] == 0
    assert answer(capsys, "show", "map.toml")["kind"] == "sweep"


@pytest.mark.slow
def test_what_cannot_be_drawn_is_refused_in_one_line(stored, capsys, monkeypatch):
    monkeypatch.setattr(plotting, "plot", DRAW)
    Path("lone.toml").write_text("")
    for arguments, match in (
        (["lone.toml"], r"lone\.toml has no lone\.zarr beside it; run rfsim sweep lone\.toml first"),
        (["map.nc", "--at", "seed"], "must be NAME=VALUE; got 'seed'"),
        (["map.nc", "--contour", "gen="], "must be NAME=VALUE; got 'gen='"),
        (["map.nc", "--at", "seed=9"], "seed has no value 9; it has 0, 1, 2"),
        (["map.nc", "--quantity", "gne"], "did you mean 'gen'"),
        (["map.nc", "--over", "none.nc"], r"none\.nc is not a file"),
        (["map.nc", "--out", "sub", "--facet", "seeds", "--x", "seed"], "x, y and facet must be different"),
    ):
        assert_refused(capsys, "plot", *arguments, match=match)
    store.save(sampled().assign_attrs(rfsim_kind="train"), "train.nc")
    assert_refused(capsys, "plot", "train.nc", "--x", "seed", match="x choose what is drawn of a sweep")
    assert folder.figures(Path("a.b")) == [Path("a.b.pdf"), Path("a.b.png")]


def test_show_counts_the_cells(stored, capsys):
    status, out, _ = run(capsys, "show", "map.zarr")
    assert status == 0
    assert "cells: 60 done" in out
    assert answer(capsys, "show", "map.zarr")["cells"] == {"waiting": 0, "done": 60, "unconverged": 0, "failed": 0}
