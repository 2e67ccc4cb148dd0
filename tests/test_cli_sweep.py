from __future__ import annotations

import json

import pytest

import rfsim
from rfsim.disk import locks
from rfsim.sweeps import front, storage
from rfsim.sweeps.engines.outcome import Lost
from tests.commands import answer, assert_refused, place, run  # noqa: F401
from tests.sweeps.toys import computed, use  # noqa: F401

pytestmark = pytest.mark.usefixtures("use")

TEXT = """
command = "train"
[axes]
samples_per_dim = [2, 4]
ridge = [0.0, 0.5]
seed = {range = [0, 2]}
"""


@pytest.fixture
def grid(place):  # noqa: F811
    (place / "grid.toml").write_text(TEXT)
    return place


def test_a_sweep_is_stored_beside_its_file_and_counted(grid, capsys):
    found = answer(capsys, "sweep", "grid.toml")
    assert found == {
        "schema": 1,
        "store": "grid.zarr",
        "cells": 8,
        "waiting": 0,
        "done": 8,
        "unconverged": 0,
        "failed": 0,
        "groups": {"total": 4, "waiting": 0},
        "decompositions": {"announced": 4, "done": 0},
        "seconds": found["seconds"],
        "holder": None,
    }
    assert rfsim.load("grid.zarr").gen.shape == (2, 2, 2, 1)
    status, out, err = run(capsys, "sweep", "grid.toml", "--resume")
    assert (status, out) == (0, "")
    assert "grid.zarr: 8 done of 8 cells" in err
    assert "4 of 4 groups; 0 of 4 decompositions of U" in err
    assert len(computed) == 4


def test_progress_says_what_will_be_done_and_quiet_does_not(grid, capsys):
    _, _, err = run(capsys, "sweep", "grid.toml")
    assert "8 cells in 4 groups, 4 decompositions of U; 4 groups to do in this process" in err
    assert "sweep 4/4" in err
    assert run(capsys, "sweep", "grid.toml", "--quiet") == (0, "", "")


def test_the_status_computes_nothing(grid, capsys):
    status, _, err = run(capsys, "sweep", "grid.toml", "--status")
    assert status == 0
    assert "grid.zarr: 8 waiting of 8 cells" in err
    assert not (grid / "grid.zarr").exists()
    with locks.held(grid / "grid.zarr"):
        assert "being written by process" in run(capsys, "sweep", "grid.toml", "--status")[2]
    assert computed == []


def test_cells_that_failed_are_status_3_and_can_be_tried_again(grid, capsys):
    (grid / "grid.toml").write_text(TEXT.replace("[2, 4]", "[2, 13]"))
    assert run(capsys, "sweep", "grid.toml")[0] == 3
    found = json.loads(run(capsys, "sweep", "grid.toml", "--json", "--status")[1])
    assert (found["done"], found["failed"]) == (4, 4)
    assert len(computed) == 4
    assert run(capsys, "sweep", "grid.toml", "--retry-failed")[0] == 3
    assert len(computed) == 6


def test_an_interrupted_sweep_is_130_and_goes_on(grid, capsys, monkeypatch):
    stored = storage.Storage.write

    def stop(self, number, *args, **more):
        stored(self, number, *args, **more)
        if number == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(storage.Storage, "write", stop)
    status, out, err = run(capsys, "sweep", "grid.toml", "--quiet")
    assert (status, out, err) == (130, "", "rfsim: interrupted\n")
    assert answer(capsys, "sweep", "grid.toml")["done"] == 8
    assert len(computed) == 4


def test_an_engine_that_is_gone_is_status_3_in_one_line(grid, capsys, monkeypatch):
    def lost(*_):
        raise Lost("the dask scheduler at tcp://127.0.0.1:1 is gone; run the same command again")

    monkeypatch.setattr(front, "_run", lost)
    status, _, err = run(capsys, "sweep", "grid.toml", "--quiet")
    assert status == 3
    assert err == "rfsim: the dask scheduler at tcp://127.0.0.1:1 is gone; run the same command again\n"


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["none.toml"], r"none.toml is not a file; give a sweep written in TOML"),
        (["grid.toml", "--workers", "0"], r"workers.*from 1"),
        (["grid.toml", "--executor", "threads"], r"threads.*executor"),
        (["grid.toml", "--executor", "serial", "--workers", "2"], r"executor 'serial' is this process alone"),
        (["grid.toml", "--export", "x.txt"], r"x.txt"),
        (["grid.toml", "--retry"], r"--retry"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(grid, capsys, arguments, match):
    assert_refused(capsys, "sweep", *arguments, match=match)


def test_a_second_run_is_refused_by_name_of_the_holder(grid, capsys):
    with locks.held(grid / "grid.zarr"):
        assert_refused(capsys, "sweep", "grid.toml", match=r"grid.zarr is being written by process \d+ on")


def test_an_existing_store_is_refused_without_resume(grid, capsys):
    run(capsys, "sweep", "grid.toml")
    assert_refused(capsys, "sweep", "grid.toml", "--no-resume", match="grid.zarr exists; leave out --no-resume")


@pytest.mark.parametrize("name", ["table.csv", "table.nc"])
def test_exports_are_written_again_and_other_files_are_kept(grid, capsys, name):
    assert run(capsys, "sweep", "grid.toml", "--export", name, "--quiet") == (0, "", "")
    assert run(capsys, "sweep", "grid.toml", "--export", name, "--quiet") == (0, "", "")
    (grid / name).write_text("mine")
    assert_refused(capsys, "sweep", "grid.toml", "--export", name, match=f"{name} exists and is no sweep; use --force")
    assert run(capsys, "sweep", "grid.toml", "--export", name, "--force", "--quiet") == (0, "", "")
