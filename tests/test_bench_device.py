"""A first run on a device, against numbers of this CPU: what deviates is told, what fails is told, the rest goes on."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from rfsim.bench import BenchRow, device
from rfsim.bench.__main__ import main
from rfsim.bench.device import Part
from rfsim.bench.table import table

VALUES = np.array([1.0, 4.0, np.nan])


def parts(values=VALUES, fails=False):
    def broken():
        raise RuntimeError("out of memory\nand a long trace")

    found = {"moments": lambda: Part({"U": np.asarray(values)}, 1e6)}
    return found | {"curve": broken if fails else lambda: Part({"train": np.ones(2)})}


@pytest.fixture
def toy(monkeypatch, tmp_path):
    """Parts that cost nothing, and a file of their own."""
    monkeypatch.setattr(device, "STORED", tmp_path / "device.json")
    monkeypatch.setattr(device, "attainable_rate", lambda precision: 1e9)
    monkeypatch.setattr(device, "tests", lambda: {"status": 0, "said": "6 skipped"})

    def give(**how):
        monkeypatch.setattr(device.Work, "parts", parts(**how))

    give()
    return give


def test_what_is_recorded_is_found_again(toy, capsys):
    assert main(["--device", "--record"]) == 0
    stored = json.loads(device.STORED.read_text())["full"]
    assert stored["values"]["moments"]["U"][:2] == [1.0, 4.0]
    assert stored["written"]["moments"]["by"] == "python -m rfsim.bench --device --size full --record moments"
    capsys.readouterr()
    assert main(["--device"]) == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert report["parts"]["moments"]["deviation"] == {"U": 0.0}
    assert report["parts"]["moments"]["share"] == pytest.approx(report["parts"]["moments"]["achieved"] / 1e9)
    assert report["tests"]["said"] == "6 skipped"
    assert all(part["peak_memory"] > 2**20 for part in report["parts"].values())
    assert "deviates" not in err


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([1.0, 4.0 + 2e-9, np.nan], "moments U: deviates by 5.0e-10 of its largest, 1e-10 is allowed"),
        ([1.0, 4.0, 1.0], "moments U: has not the shape or not the gaps of what is stored"),
        ([1.0, 4.0], "moments U: has not the shape or not the gaps of what is stored"),
    ],
)
def test_each_quantity_that_deviates_is_one_line(toy, capsys, values, line):
    main(["--device", "--record"])
    toy(values=values)
    capsys.readouterr()
    assert main(["--device"]) == 1
    out, err = capsys.readouterr()
    assert [one for one in err.splitlines() if "moments U" in one] == [line]
    assert json.loads(out)["parts"]["curve"]["deviation"] == {"train": 0.0}


def test_a_deviation_of_rounding_is_none():
    found, lines = device.deviations("moments", Part({"U": VALUES * (1 + 1e-12)}), {"U": VALUES.tolist()}, "full")
    assert lines == []
    assert found["U"] == pytest.approx(1e-12, rel=1e-3)


def test_a_part_that_raises_is_told_and_the_rest_goes_on(toy, capsys):
    main(["--device", "--record"])
    toy(fails=True)
    capsys.readouterr()
    assert main(["--device"]) == 1
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert report["parts"]["curve"] == {"failed": "RuntimeError: out of memory"}
    assert report["parts"]["moments"]["deviation"] == {"U": 0.0}
    assert err.splitlines()[-1] == "curve: RuntimeError: out of memory"


def test_numbers_that_are_not_stored_are_asked_for(toy, capsys):
    assert main(["--device", "moments"]) == 1
    *_, said = capsys.readouterr().err.splitlines()
    assert said == (
        "moments: no numbers are stored; write them on a CPU: "
        "python -m rfsim.bench --device --size full --record moments"
    )


def test_tests_that_fail_are_told(toy, capsys, monkeypatch):
    main(["--device", "--record"])
    monkeypatch.setattr(device, "tests", lambda: {"status": 1, "said": "1 failed, 5 passed"})
    assert main(["--device"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "tests: 1 failed, 5 passed"


def test_an_unknown_part_is_refused(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--device", "momnts"])
    assert ended.value.code == 2
    assert "unknown part 'momnts'; choose among moments, decomposition, curve" in capsys.readouterr().err


def test_numbers_that_are_stored_say_who_wrote_them():
    stored = json.loads(device.STORED.read_text())
    assert set(stored["small"]["values"]) == set(device.Work(device.SIZES["small"]).parts)
    for size, found in stored.items():
        assert set(found["values"]) == set(found["written"]) <= set(device.Work(device.SIZES[size]).parts)
        for part, written in found["written"].items():
            assert written["by"] == f"python -m rfsim.bench --device --size {size} --record {part}"
            assert written["device"].startswith("cpu")


def test_the_table_has_a_row_for_each_measurement(monkeypatch):
    monkeypatch.setattr("rfsim.bench.table.attainable_rate", lambda precision: 9e10)
    rows = [
        BenchRow("moments", "d=8", 3.0, 2.0, 1.5, 2**30, "cpu:0 cpu", "K products", 6e10, 9e10),
        BenchRow("curve", "d=8", 3.0, 2.0, 1.5, 2**30, "cpu:0 cpu", "one decomposition"),
    ]
    machine, _, _, head, _, first, second = table(rows).splitlines()
    assert "one large product: 90 GFLOP/s in float64" in machine
    assert head.count("|") == first.count("|") == second.count("|")
    assert first == "| moments | d=8 | 3 | 1.50 | K products | 60 of 90 | 1.00 GiB |"
    assert second == "| curve | d=8 | 3 | 1.50 | one decomposition |  | 1.00 GiB |"


@pytest.mark.slow
def test_the_small_size_on_this_cpu():
    """The whole command, its tests of a GPU among it, which skip here."""
    command = [sys.executable, "-m", "rfsim.bench", "--device", "--size", "small"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert report["device"][0].startswith("cpu")
    assert "skipped" in report["tests"]["said"]
    assert set(report["parts"]) == set(device.Work(device.SIZES["small"]).parts)
    for part in report["parts"].values():
        assert part["deviation"]
        assert max(part["deviation"].values()) < device.TOLERANCE
