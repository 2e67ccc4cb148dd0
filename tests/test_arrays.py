from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rfsim.checking.notes import Note, recorded
from rfsim.cli.options import ask
from rfsim.disk import store
from rfsim.disk.files.numbers import DataError
from rfsim.plotting.figures import problem_line
from rfsim.problem import origins
from rfsim.problem.arrays import check_array, rows
from rfsim.problem.draws import Draw
from rfsim.problem.model import Problem
from rfsim.problem.populations import in_file
from rfsim.quantities.catalog import QUANTITIES
from rfsim.quantities.train import TRAIN
from rfsim.results import runs
from rfsim.sample.spectra import Method

VALUES = np.random.default_rng(0).standard_normal((12, 3))
FRAME = pd.DataFrame(VALUES, columns=list("abc"))

CURVES = QUANTITIES["theory.curves"]


@pytest.mark.parametrize(
    "given",
    [
        VALUES.tolist(),
        FRAME,
        FRAME.astype("Float64"),
        np.ma.masked_array(VALUES, mask=False),
        FRAME.to_xarray().to_array().T,
    ],
    ids=["lists", "frame", "frame that can miss values", "nothing masked", "labelled"],
)
def test_arrays_are_taken_in_every_form(given):
    np.testing.assert_array_equal(check_array(given), VALUES)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        (np.ma.masked_array(VALUES, mask=VALUES > 1), r"the array has \d+ masked values; fill or remove them first"),
        (FRAME.where(FRAME < 1), r"values, counted from 0 at row \d, column \d \([a-z]\), .*; remove or fill them"),
        ([[1.0, 2.0], [3.0, np.nan]], r"1 NaN or infinite values, counted from 0 at row 1, column 1; remove or fill"),
        (FRAME.astype("Float64").where(FRAME < 1), "NaN or infinite values"),
        (FRAME.assign(word="x", day="y"), "columns that are no real numbers: word, day; drop or convert them first"),
        (FRAME.assign(word="1.5"), "no real numbers: word"),
        ([[1.0, 2.0], [3.0]], "rows of different lengths; give every sample as many numbers"),
        ("x.npy", r"the array holds <U5 values; real numbers are needed; name a file in Problem\(data=FILE\)"),
        (VALUES[0], r"the array has shape \(3,\); \(samples, dimensions\) is needed"),
    ],
)
def test_what_is_no_array_of_samples_is_refused_by_name(given, match):
    with pytest.raises(DataError, match=match):
        check_array(given)


@pytest.mark.parametrize("data", ["isotropic", "digits", "none.csv", "eigenvalues:none.csv", "powerlaw:1"])
def test_an_array_is_never_called_by_the_data_whose_place_it_takes(data):
    problem = Problem(1, 2, data=data)
    origin = origins.source(problem, array=VALUES)
    assert origins.limit_settings(problem, origin)["data"] == "array"
    run = runs.Run(problem, Draw(array=VALUES), method=Method(), copies=1)
    result = run.label("spectrum", store.xr.Dataset(coords={"seed": [0]}), {}, 0.0)
    assert "array data" in problem_line(result)
    with pytest.raises(ValueError, match="^the array has 12 rows and a training half of 6; got 9 samples"):
        origins.resolve(Problem(3, 2, data=data), origin, None)
    with pytest.raises(ValueError, match="^dim is 3, given by the array; got 4"):
        origins.resolve(problem, origin, 4)


def test_a_file_read_by_the_command_line_keeps_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", VALUES)
    asked = ask(TRAIN, TRAIN.given(data="x.npy", n=6))
    assert str(asked.problem.data) == "x.npy"
    direct = origins.source(Problem(data=Path("x.npy")))
    assert direct.settings == origins.source(asked.problem, array=asked.arguments["array"]).settings
    with pytest.raises(ValueError, match="^data 'x.npy' has 12 rows"):
        ask(TRAIN, TRAIN.given(data="x.npy", n=7))


def test_a_path_is_data_and_an_array_is_not():
    assert str(Problem(data=Path("a") / "b.csv").data) == "a/b.csv"
    with pytest.raises(ValueError, match="must name a population or a file; got an array: give it as array="):
        Problem(data=VALUES)


def test_what_is_said_of_a_file_are_notes_of_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    FRAME.to_csv("x.csv", index=False)
    np.savetxt("twice.csv", np.repeat(VALUES, 2, axis=0), delimiter=",")
    assert "the first row is a header (a, b, c)" in " ".join(ask(TRAIN, TRAIN.given(data="x.csv", n=6)).notes)
    assert "12 rows that are copies of others" in " ".join(ask(CURVES, CURVES.given(data="twice.csv")).notes)
    with pytest.warns(Note, match="12 rows that are copies"):
        rows(np.repeat(VALUES, 2, axis=0))
    with recorded() as notes:
        rows(VALUES)
    assert not notes


@pytest.mark.parametrize(
    ("spec", "path", "there"),
    [
        ("a/x.csv", "a/x.csv", "b/y.csv"),
        ("x.npz:k", "x.npz", "b/y.csv:k"),
        ("covariance:x.npz:k", "x.npz", "covariance:b/y.csv:k"),
        ("eigenvalues:x.tsv", "x.tsv", "eigenvalues:b/y.csv"),
    ],
)
def test_the_file_of_data_is_known_and_may_be_moved(spec, path, there):
    data = in_file(spec)
    assert data.path == Path(path)
    assert data.moved(Path("b/y.csv")) == there


def test_data_without_a_file_have_none():
    assert [in_file(spec) for spec in ("isotropic", "digits", "digits:5", "atoms:1@1", "unknown")] == [None] * 5
