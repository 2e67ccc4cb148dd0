from __future__ import annotations

import json

import pytest

from rfsim import bench
from rfsim.cli import main

TINY = bench.Case(dim=8, samples=16, features=40)


def test_every_measurement_is_a_row_beside_its_floor():
    rows = list(bench.run(case=TINY))
    assert [row.name for row in rows] == ["moments", "times", "curve"]
    for row in rows:
        assert row.seconds > 0
        assert row.ratio == pytest.approx(row.seconds / row.floor)
        assert row.size.startswith("d=8 n=16 p=40 t=0.1")
        assert row.peak_memory > 2**20
        assert row.device


def test_the_command_prints_rows(monkeypatch, capsys):
    monkeypatch.setattr(bench.Case, "__new__", lambda cls: tuple.__new__(cls, (8, 16, 40, 0.1)))
    assert main(["bench", "times", "--json"]) == 0
    out, err = capsys.readouterr()
    answer = json.loads(out)
    assert answer["schema"] == 1
    assert list(answer["rows"][0]) == ["name", "size", "seconds", "floor", "ratio", "peak_memory", "device"]
    assert err.startswith("times: ")


def test_an_unknown_measurement_gets_the_nearest_name(capsys):
    assert main(["bench", "curv"]) == 2
    assert "did you mean 'curve'" in capsys.readouterr().err
