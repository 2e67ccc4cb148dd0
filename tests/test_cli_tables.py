"""`rfsim show FILE --csv`: a table that other programs read, of numbers as they are stored."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from rfsim.cli import main, tables
from rfsim.disk import store
from rfsim.maps.views import KIND
from tests.commands import place  # noqa: F401 - in a folder of its own


@pytest.fixture
def losses():
    """Two variables over (seed, train_time), one over seeds alone; numbers that no short text holds."""
    values = np.random.default_rng(0).standard_normal((2, 2, 3)) / 3
    data = xr.Dataset(
        {
            "train": (("seed", "train_time"), values[0]),
            "test": (("seed", "train_time"), values[1]),
            "tau_mem": (("seed",), np.ones(2)),
            "s2": ((), 0.1),
        },
        {"seed": [0, 1], "train_time": [1.0, 100.0, np.inf]},
    )
    data = store.label(data, "train", {}, wall_time=0.0)
    store.save(data, "result.nc")
    return data


def test_the_table_holds_the_numbers_to_the_last_digit(losses, capsys):
    assert main(["show", "result.nc", "--csv"]) == 0
    out, err = capsys.readouterr()
    table = pd.read_csv(io.StringIO(out))
    assert list(table.columns) == ["seed", "train_time", "train", "test"]
    assert len(table) == 6
    for name in ("train", "test"):
        assert np.array_equal(table[name].to_numpy().reshape(2, 3), losses[name].values)
    assert np.array_equal(table.train_time[:3], losses.train_time.values)
    assert err == "left out, over other dimensions: tau_mem, s2\n"


def test_two_forms_at_once_are_refused(losses, capsys):
    assert main(["show", "result.nc", "--csv", "--json"]) == 2
    assert capsys.readouterr().err == "rfsim: --json and --csv are two forms of one answer; give one of them\n"


def test_a_sweep_is_told_its_own_way(losses):
    with pytest.raises(ValueError, match=r"rfsim sweep FILE\.toml --export FILE\.csv"):
        tables.csv(losses.assign_attrs({store.KIND: KIND}))
