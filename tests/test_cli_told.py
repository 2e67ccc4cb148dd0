"""What a command says beside its answer: the counts that data give, when to stop, and what a wrong file is."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import rfsim
from rfsim.cli import best_times, explore_app
from rfsim.disk import store
from rfsim.explorer import server
from rfsim.explorer.server import Address
from rfsim.problem.arrays import rows
from tests.commands import assert_refused, run
from tests.commands import place as place

ROWS = np.random.default_rng(0).standard_normal((40, 3))
FEW = ("--features", "9", "--train-times", "1,10", "--json")


@pytest.fixture
def data(place):
    np.save("rows.npy", ROWS)
    np.save("turned.npy", ROWS.T)
    return "rows.npy"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (
            ("train", *FEW),
            "n is 12, the default ψ_n = 4 times 3 dimensions; data 'rows.npy' has 40 rows, half of them held out: "
            "choose with --samples, up to 20",
        ),
        (
            ("theory", "ridge", "--features", "9", "--json"),
            "n is 12, the default ψ_n = 4 times 3 dimensions, whatever the 40 rows, which give Σ: choose with "
            "--samples, such as --samples 40",
        ),
    ],
)
def test_the_counts_of_a_file_are_told_where_none_are_given(capsys, data, command, said):
    status, _, err = run(capsys, *command, "--data", data)
    assert status == 0
    assert [line for line in err.splitlines() if "default" in line] == [said]
    assert "is 12" not in run(capsys, *command, "--data", data, "--samples", "12")[2]
    without = [one for one in command if one not in ("--features", "9")]
    assert "p is 48, the default ψ_p = 16" in run(capsys, *without, "--data", data, "--samples", "12")[2]


def test_rows_and_columns_of_a_turned_array_are_told(capsys, data):
    told = "3 rows, which are taken for samples, and 40 columns, for dimensions; if it is the other way, transpose it"
    with pytest.warns(UserWarning, match=told):
        rows(ROWS.T)
    assert told in run(capsys, "theory", "spectrum", "--data", "turned.npy", "--samples", "4", "--features", "8")[2]
    assert_refused(capsys, "train", "--data", "turned.npy", match=f"got 160 samples; it has {told}")


def result(test, times=(1, 10, 100, 1000)):
    return xr.Dataset({"test": (("seed", "train_time"), np.atleast_2d(test))}, {"train_time": list(times)})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (result([3, 2.0, 4, 5]), "L_test is lowest, 2, at train_time 10, of 4; closer: --train-times 1:100:20"),
        (result([[3, 2, 0, 5], [3, 2, 8, 5]]), "L_test is lowest, 2, at train_time 10, of 4; closer: .*1:100:20"),
        (result([3, 2, 1.5, 1]), "at train_time 1000, the last of 4: it falls until then, and later times may be"),
        (result([1, 2, 3, 4]), "at train_time 1, the first of 4: earlier times may be better"),
        (result([3, 2, 1, 4], (1000, 100, 10, 1)), "lowest, 1, at train_time 10, of 4; closer"),
        (result([3, 1.0, 2, np.nan]), "lowest, 1, at train_time 10, of 3; closer"),
        (result([3], (1,)), None),
        (xr.Dataset({"train": ("train_time", [1.0, 2.0])}), None),
        (result([3, 2, 1, 4]).expand_dims(ridge=[0.1, 1]), None),
    ],
)
def test_when_to_stop_is_told_of_all_times(given, said):
    told = best_times.lines(given)
    assert len(told) == (said is not None)
    if said:
        assert re.search(said, told[0])


def test_the_best_of_the_grid_of_the_figure_is_told_and_only_what_was_asked_for_in_the_table(capsys, place):
    small = ("--dim", "6", "--samples-per-dim", "2", "--features-per-dim", "4")
    for command, folder in ((("train", *small), "train"), (("theory", "curves", *small[2:]), "theory-curves")):
        status, _, err = run(capsys, *command)
        stored = rfsim.load(f"rfsim-out/{folder}")
        test = stored.test.mean("seed") if "seed" in stored.test.dims else stored.test
        best = float(test.train_time[int(np.argmin(test.values))])
        assert status == 0
        assert f"at train_time {best:.6g}, of {test.size}" in err
    assert run(capsys, *command, "--quiet")[2] == ""


def test_the_figure_of_a_ridge_has_a_curve(capsys, place):
    status, out, err = run(capsys, "theory", "ridge", "--samples-per-dim", "2", "--features-per-dim", "4", "--json")
    assert (status, out.count('"ridge": [0.001, 0.01, 0.1]')) == (0, 1)
    assert run(capsys, "theory", "ridge", "--samples-per-dim", "2", "--features-per-dim", "4")[0] == 0
    stored = rfsim.load("rfsim-out/theory-ridge")
    assert stored.sizes["ridge"] > 60
    assert {1e-3, 1e-2, 1e-1} <= {*stored.ridge.values.tolist()}
    assert len(err.splitlines()) == 6


def test_a_wrong_file_is_named_for_what_it_is(capsys, data):
    Path("table.csv").write_text("1,2\n3,4\n")
    Path("figure.png").write_bytes(b"\x89PNG")
    for folder in ("store.zarr", "other", "out/train"):
        Path(folder).mkdir(parents=True)
    held = xr.Dataset({"a": 1.0})
    store.save(store.label(held, "checkpoint", {}, wall_time=1.0), "out/train/result.nc")
    for command in ("show", "plot"):
        assert_refused(capsys, command, "figure.png", match=r"figure\.png is a figure, and no result; give result\.nc")
        assert_refused(capsys, command, "table.csv", match=r"table\.csv is a table, and no result; --data takes one of")
        assert_refused(capsys, command, "rows.npy", match=r"rows\.npy is an array, and no result; --data takes one of")
        assert_refused(capsys, command, "out", match=r"out is not a store of .*; give one of out.train$")
    assert_refused(capsys, "sweep", "store.zarr", match=r"store\.zarr is the store of a sweep, .*such as store\.toml")
    assert_refused(capsys, "sweep", "other", match=r"other is a folder; a sweep is written in TOML")
    assert_refused(capsys, "sweep", "out/train/result.nc", match="is a result, which rfsim show and rfsim plot read")
    assert_refused(capsys, "sweep", "table.csv", match="is a table; a sweep is written in TOML")


def test_a_list_is_a_text_as_on_the_command_line():
    problem = rfsim.Problem(samples_per_dim=2, features_per_dim=4)
    found = rfsim.train(problem, "0,0.1:1000:3,inf", dim=4)
    assert found.train_time.values.tolist() == [0.0, 0.1, 10.0, 1000.0, np.inf]
    assert rfsim.theory.ridge(problem, "0.1,1").ridge.values.tolist() == [0.1, 1.0]
    for wrong, match in (
        ("1:2", "^train_times: a range must be FIRST:LAST:COUNT"),
        ("much", "^train_times must be a n"),
    ):
        with pytest.raises(ValueError, match=match):
            rfsim.train(problem, wrong, dim=4)


def test_the_address_of_the_page_is_told_before_it_is_prepared(capsys, place, monkeypatch):
    seen = []

    def warm_up(*, quiet):
        seen.append(("prepared", capsys.readouterr().out))

    def serve(address, token, ready):
        ready()
        seen.append(("served", capsys.readouterr().out))

    def end(status):
        raise KeyboardInterrupt

    listening = Address(None, "http://127.0.0.1:1/?access_token=x", None)
    monkeypatch.setattr(server, "require_extra", lambda: None)
    monkeypatch.setattr(server, "listen", lambda *_: listening)
    monkeypatch.setattr(server, "serve", serve)
    monkeypatch.setattr(explore_app, "_warm_up", warm_up)
    monkeypatch.setattr(explore_app, "_end", end)
    assert run(capsys, "explore", "--no-browser")[0] == 130
    assert seen == [("prepared", f"{listening.url}\n"), ("served", "")]
