"""Rows of one's own that play the population, and other shares than half to train on."""

from __future__ import annotations

import json

import numpy as np
import pytest

import rfsim
from rfsim import Problem
from rfsim.checking import notes
from rfsim.problem import data, origins
from rfsim.problem.draws import Draw
from tests.commands import assert_refused, run
from tests.commands import place as place

SMALL = Problem(samples_per_dim=4, features_per_dim=8)
TIMES = [1.0, 100.0, 1e4]
RNG = np.random.default_rng(0)
ROWS, OTHERS = RNG.standard_normal((80, 5)) * np.linspace(0.5, 2, 5), RNG.standard_normal((50, 5)) + 0.2


def origin(**options):
    return Draw(array=ROWS, **options).of(SMALL).origin


def test_every_row_is_trained_on_or_held_out():
    for share, count in ((0.8, 64), (0.3, 24), (0.5, 40)):
        found = origin(split=share).split(3)
        assert (len(found.train), len(found.held_out)) == (count, 80 - count)
        assert {row.tobytes() for row in np.concatenate(found)} == {row.tobytes() for row in data.prepare(ROWS)}
    assert Draw(array=np.eye(10)[:, :2] + RNG.random((10, 2)), split=0.7).of(Problem(2)).origin.training == 7


def test_half_is_what_it_was():
    found = origin(split=0.5)
    assert "split" not in found.settings
    for mine, plain in zip(found.split(2), data.split(data.prepare(ROWS), 2), strict=True):
        assert np.array_equal(mine, plain)


@pytest.mark.parametrize(("center", "scale"), [(True, "global"), (True, "columns"), (False, "none"), (True, "none")])
def test_what_is_held_out_is_prepared_by_the_numbers_of_the_array(center, scale):
    found = origin(held_out=OTHERS, center=center, scale=scale)
    assert found.array is not None
    assert found.training == 80
    # one affine map of each column takes both to what they are
    for k in range(5):
        slope, at = np.polyfit(ROWS[:, k], found.array[:, k], 1)
        assert np.allclose(slope * OTHERS[:, k] + at, found.held_out[:, k], rtol=0, atol=1e-12)
    assert np.array_equal(found.array, data.prepare(ROWS, center=center, scale=scale))


def test_a_constant_column_of_the_array_may_vary_in_what_is_held_out():
    rows, others = ROWS.copy(), OTHERS.copy()
    rows[:, 2], others[:25, 2] = 0.1, 0.1
    found = Draw(array=rows, held_out=others).of(SMALL).origin
    assert (found.array[:, 2] == 0).all()
    assert (found.held_out[:25, 2] == 0).all()
    assert (found.held_out[25:, 2] != 0).all()


def test_losses_over_the_rows_of_an_array_alone_are_those_of_a_split():
    """The rows that a split holds out, given as held_out: the same draw, and so the same numbers."""
    parts = data.split(ROWS, 0, 60)
    one = rfsim.train(SMALL, TIMES, array=ROWS, split=0.75, center=False, scale="none")
    order = np.argsort(data.stream(0, "split").permutation(60))  # so that rows are taken in the same order
    two = rfsim.train(SMALL, TIMES, array=parts.train[order], held_out=parts.held_out, center=False, scale="none")
    # Γ is that of the array, of 80 rows there and of 60 here: a scale of σ's argument alone
    assert np.allclose(one.train, two.train, rtol=1e-9)
    assert np.allclose(one.test, two.test, rtol=1e-9)
    settings = json.loads(two.attrs["settings"])
    assert settings["held_out"] == "held_out"
    assert json.loads(one.attrs["settings"])["split"] == 0.75


def test_all_rows_may_be_trained_on():
    with notes.recorded():  # 16 rows for each column: what is held out has another covariance
        found = rfsim.train(Problem(16, 8), TIMES, array=ROWS, held_out=OTHERS)
    assert json.loads(found.attrs["settings"])["n"] == 80
    assert found.test[0, -1] > found.train[0, -1]
    with pytest.raises(ValueError, match="the array has 80 rows, all to train on; got 85 samples"):
        rfsim.train(Problem(17, 8), TIMES, array=ROWS, held_out=OTHERS)
    with pytest.raises(ValueError, match="80 rows and a training part of 64; got 70 samples"):
        rfsim.train(Problem(14, 8), TIMES, array=ROWS, split=0.8)


def test_rows_that_are_in_both_are_told():
    with notes.recorded() as heard:
        origins.source(SMALL, array=ROWS, held_out=np.concatenate([OTHERS, ROWS[:3]]))
    assert [str(one) for one in heard] == [
        "3 rows of held_out are rows of the array too; what is held out may have been trained on"
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": 0.0}, "split, the share of rows to train on, must lie between 0 and 1; got 0"),
        ({"split": 1}, "must lie between 0 and 1; got 1"),
        ({"split": 0.01}, "split 0.01 of the array of 80 rows trains on 0; at least one row is needed on either side"),
        ({"split": 0.8, "held_out": OTHERS}, "split takes them of the data; give one"),
        ({"held_out": OTHERS[:, :4]}, "held_out has 4 columns, the array 5; give rows of as many"),
        ({"held_out": "isotropic"}, "held_out must name a file of samples .*; got 'isotropic'"),
        ({"held_out": np.full((3, 5), np.nan)}, "data 'held_out' has 15 NaN or infinite values"),
    ],
)
def test_refusals(options, message):
    with pytest.raises(ValueError, match=message):
        rfsim.train(SMALL, TIMES, array=ROWS, **options)


def test_a_population_holds_nothing_out():
    with pytest.raises(ValueError, match="data 'isotropic' play their own population: held_out goes with"):
        rfsim.train(SMALL, TIMES, held_out=OTHERS, dim=5)


@pytest.mark.parametrize("command", ["train", "spectrum", "distill", "simulate"])
def test_commands_take_a_file(capsys, place, command):
    np.save("x.npy", ROWS)
    np.savetxt("y.csv", OTHERS, delimiter=",")
    small = ["--samples", "60", "--features", "10", "--json", "--quiet"]
    more = {"distill": ["--levels", "3", "--generated", "16"], "simulate": ["--steps", "3"]}.get(command, [])
    status, out, _ = run(capsys, command, "--data", "x.npy", "--held-out", "y.csv", *small, *more, "--out", "kept")
    assert status == 0
    assert json.loads(out)
    settings = json.loads(rfsim.load("kept").attrs["settings"])
    assert (settings["held_out"], settings["n"], settings["data"]) == ("y.csv", 60, "x.npy")
    assert_refused(capsys, command, "--data", "x.npy", "--split", "0.5", *small, *more, match="training half of 40")


def test_a_sweep_takes_shares(tmp_path):
    spec = {"command": "train", "problem": {"samples_per_dim": 4, "features_per_dim": 8, "train_times": TIMES}}
    found = rfsim.sweep(spec | {"axes": {"split": [0.3, 0.5, 0.8]}}, array=ROWS, executor="serial")
    assert (found.status == 1).all()
    assert np.ptp(found.test.isel(train_time=-1).values) > 0
