from __future__ import annotations

import json
import re

import pytest

from rfsim import bench
from rfsim.cli import main

TINY = bench.Case(
    dim=8,
    samples=16,
    features=40,
    cells=3,
    distilled=bench.Distilled(dim=3, samples=6, features=12, levels=2),
    large=bench.Large(dim=5, samples=20, features=400),
    swept=bench.Swept(plane=2, steps=2, cells=2, groups=2, side=10),
    choices=3,
)
SAMPLED = ["baseline", "stochastic", "step", "step-float32", "moments", "times", "curve", "curve-auto", "krylov"]
LARGE = ["large-spectrum", "large-curve", "large-krylov", "large-lanczos"]
SWEPT = ["sweep-plane", "sweep-gamma-star", "sweep-overhead", "sweep-workers", "sweep-planning"]
DISTILLED = ["distillation", "distillation-methods", "distillation-moments"]
EXPLORED = ["explorer-redraw"]


@pytest.mark.slow
def test_every_measurement_is_a_row_beside_its_floor():
    rows = list(bench.run(SAMPLED, case=TINY))
    assert [row.name for row in rows] == SAMPLED
    for row in rows:
        assert row.seconds > 0
        assert row.ratio == pytest.approx(row.seconds / row.floor)
        assert row.size.startswith("d=8 n=16 p=40 t=0.1")
        assert row.peak_memory > 2**20
        assert row.device
        assert row.against
    baseline, stochastic, step, *_, curve, auto, krylov = rows
    assert "extrapolated from 20" in baseline.size
    assert (baseline.against, baseline.floor) == ("the exact route", curve.seconds)
    assert (stochastic.against, stochastic.floor) == ("the exact route", curve.seconds)
    assert stochastic.size.split("steps=")[1].split()[0] == baseline.size.split("steps=")[1].split()[0]
    assert step.ratio == pytest.approx(step.attainable / step.achieved)
    assert auto.size.endswith("route=dense")  # 40 features are few
    assert krylov.size.endswith("route=dense")  # nothing to gain at 40 features


WIDE = ["theory-wide-curves", "theory-generated"]


@pytest.mark.slow
def test_the_limit_has_rows_of_its_own():
    names = [name for name in bench.MEASUREMENTS if name not in SAMPLED + LARGE + DISTILLED + SWEPT + EXPLORED]
    rows = list(bench.run(names, case=TINY))
    limit = ["theory-process", "theory-spectrum", "theory-curves", *WIDE, "theory-map"]
    assert [row.name for row in rows] == names == [*limit, "theory-leakage", "theory-gamma-star", "theory-students"]
    for row in rows:
        assert row.ratio == pytest.approx(row.seconds / row.floor)
        assert row.size.startswith("psi_n=2 psi_p=5 t=0.1 ")
        assert row.peak_memory > 2**20
    fresh, spectrum, *_, diagram, lost, enough, students = rows
    assert fresh.seconds > fresh.floor > spectrum.seconds  # importing alone takes longer than a spectrum
    assert "cells=3x3 times=2, compiled and computed in " in diagram.size
    assert lost.size.endswith("to=0.05 ridges=50")
    assert enough.against == "leakage of the step alone"
    assert students.size.endswith("levels=8 ridge=0.1")


@pytest.mark.slow
def test_distillation_has_rows_of_its_own():
    rows = list(bench.run(DISTILLED, case=TINY))
    assert [row.name for row in rows] == DISTILLED
    for row in rows:
        assert row.ratio == pytest.approx(row.seconds / row.floor)
        assert row.size.startswith("d=3 n=6 p=12 levels=2 draws=20p")


@pytest.mark.slow
def test_sweeps_have_rows_of_their_own():
    rows = list(bench.run(SWEPT, case=TINY))
    assert [row.name for row in rows] == SWEPT
    for row in rows:
        assert row.ratio == pytest.approx(row.seconds / row.floor)
    assert rows[0].size == "cells=2x2 times=2"
    assert rows[1].size.startswith("cells=2x2 to=0.05, compiled and computed in ")
    assert re.search(r"ms a cell more$", rows[2].size)
    assert rows[4].size == "cells=100 groups=100 decompositions=100"


@pytest.mark.slow
def test_the_explorer_has_a_row():
    [row] = bench.run(EXPLORED, case=TINY)
    assert row.seconds > row.floor > 0
    assert re.match(r"choices=\d: median \d+ ms, 95% within \d+ ms; train_time alone moved 95% within \d+ ms", row.size)


@pytest.mark.slow
def test_the_krylov_row_says_how_many_blocks_ran():
    [row] = bench.run(["krylov"], bench.Case(dim=40, samples=40, features=800, diffusion_time=1.0))
    assert re.search(r"route=krylov blocks=\d+$", row.size)
    assert row.against == "one LAPACK decomposition"


def test_the_command_prints_rows(monkeypatch, capsys):
    monkeypatch.setattr(bench.Case, "__new__", lambda cls: tuple.__new__(cls, (8, 16, 40, 0.1, 3)))
    assert main(["bench", "times", "--json"]) == 0
    out, err = capsys.readouterr()
    answer = json.loads(out)
    assert answer["schema"] == 1
    contract = ["name", "size", "seconds", "floor", "ratio", "peak_memory", "device"]
    assert list(answer["rows"][0]) == [*contract, "against", "achieved", "attainable"]
    assert err.startswith("times: ")


def test_an_unknown_measurement_gets_the_nearest_name(capsys):
    assert main(["bench", "curv"]) == 2
    assert "did you mean 'curve'" in capsys.readouterr().err


@pytest.mark.slow
def test_sizes_beyond_dense_algebra_have_rows_of_their_own():
    rows = list(bench.run(LARGE, case=TINY))
    assert [row.name for row in rows] == LARGE
    for row in rows:
        assert row.ratio == pytest.approx(row.seconds / row.floor)
        assert row.size.startswith("d=5 n=20 p=400 t=0.1 model=gaussian")
    assert "blocks=" in rows[2].size
    assert rows[3].size.endswith("probes=32 steps=50")
