"""A sweep as netCDF and CSV: everything is there, at full precision, block by block."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import xarray as xr

from rfsim.disk import store
from rfsim.maps import export
from rfsim.maps.views import view
from tests.sweeps.synthetic import marked, sampled, theory


@pytest.fixture(scope="module")
def data():
    return marked(sampled(), {0: [(0, 0, 0)], 3: [(1, 2, 1)]})


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_netcdf_comes_back_as_it_was(data, tmp_path):
    export.to_netcdf(data, tmp_path / "sweep.nc")
    found = store.load(tmp_path / "sweep.nc")
    xr.testing.assert_identical(found, data)
    data.to_zarr(tmp_path / "sweep.zarr", zarr_format=2, consolidated=False)
    lazy = xr.open_zarr(tmp_path / "sweep.zarr", consolidated=False)
    export.to_netcdf(lazy, tmp_path / "again.nc")
    xr.testing.assert_equal(store.load(tmp_path / "again.nc"), data)
    export.to_csv(data, tmp_path / "sweep.csv")
    export.to_csv(lazy[list(data.data_vars)], tmp_path / "lazy.csv", rows=50)
    assert (tmp_path / "lazy.csv").read_bytes() == (tmp_path / "sweep.csv").read_bytes()


def test_csv_has_a_row_per_cell_and_value_of_a_list(data, tmp_path):
    left_out = export.to_csv(data, tmp_path / "sweep.csv")
    assert left_out == ["eigenvalue is left out of sweep.csv: 70 values a cell, over feature"]
    rows = read(tmp_path / "sweep.csv")
    assert len(rows) == 5 * 4 * 3 * 2
    assert list(rows[0]) == [
        "samples_per_dim", "features_per_dim", "seed", "train_time", "status", "reason", "gen", "test", "energy[main]",
        "energy[gen]", "tau_mem[formula]", "tau_mem[curve]", "residual", "seconds", "command",
    ]  # fmt: skip
    for row in rows:
        here = {name: float(row[name]) for name in ("samples_per_dim", "features_per_dim", "train_time")}
        one = data.sel(seed=int(row["seed"]), **here)
        assert float(row["gen"] or "nan") == pytest.approx(float(one.gen), rel=0, abs=0, nan_ok=True)
        assert float(row["energy[main]"] or "nan") == pytest.approx(float(one.energy[0]), rel=0, nan_ok=True)
    assert (rows[0]["status"], rows[0]["gen"], rows[0]["reason"]) == ("waiting", "", "")
    (failed, _) = [row for row in rows if row["status"] == "failed"]
    assert failed["reason"] == "ValueError: no such thing"
    assert failed["command"] == (
        "rfsim train --diffusion-time 0.1 --dim 50 --features-per-dim 16 "
        f"--samples-per-dim {float(failed['samples_per_dim'])!r} --seed 1 --train-times 1000"
    )
    assert sum(row["status"] == "done" for row in rows) == 5 * 4 * 3 * 2 - 4


@pytest.mark.parametrize("rows", [7, 50, *(pytest.param(rows, marks=pytest.mark.slow) for rows in (1, 2, 6, 24, 1000))])
def test_blocks_of_any_size_make_the_same_file(data, tmp_path, rows):
    export.to_csv(data, tmp_path / "whole.csv")
    export.to_csv(data, tmp_path / "blocks.csv", rows=rows)
    assert (tmp_path / "blocks.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_the_cells_of_a_figure_and_its_lines(data, tmp_path):
    found = view(data, x="samples_per_dim", y="features_per_dim", at={"train_time": 1e3}, contours=["gen=0.3"],
                 over=theory())  # fmt: skip
    export.to_csv(found.main.cells, tmp_path / "cells.csv")
    rows = read(tmp_path / "cells.csv")
    assert len(rows) == 5 * 4 * 3
    assert list(rows[0]) == [
        "samples_per_dim", "features_per_dim", "seed", "train_time", "status", "reason", "gen", "command",
    ]  # fmt: skip
    assert {row["train_time"] for row in rows} == {"1000"}
    assert all(row["command"].endswith("--train-times 1000") for row in rows)
    export.lines_to_csv(found, tmp_path / "lines.csv")
    rows = read(tmp_path / "lines.csv")
    assert list(rows[0]) == ["contour", "sweep", "piece", "samples_per_dim", "features_per_dim"]
    assert {(row["contour"], row["sweep"]) for row in rows} == {
        ("p = n", "this"), ("tau_mem = train_time", "this"), ("gen = 0.3", "this"), ("gen = 0.3", "over"),
    }  # fmt: skip
    memory = [float(row["samples_per_dim"]) for row in rows if row["contour"] == "tau_mem = train_time"]
    np.testing.assert_allclose(memory, 25, rtol=1e-12)


def test_a_failure_leaves_what_was_there(data, tmp_path):
    path = tmp_path / "sweep.csv"
    path.write_text("mine")
    broken = data.assign_attrs(settings=data.attrs["settings"].replace('"train"', '"tarin"'))
    with pytest.raises(ValueError, match="command must be one of"):
        export.to_csv(broken, path)
    assert path.read_text() == "mine"
    assert [one.name for one in tmp_path.iterdir()] == ["sweep.csv"]
