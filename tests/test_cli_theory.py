"""`rfsim theory …`: the JSON objects, files, exit statuses and refusals of its commands."""

from __future__ import annotations

import importlib
import json
import math
import re

import numpy as np
import pytest

import rfsim
from rfsim import Problem
from rfsim.cli import main
from rfsim.disk import store
from rfsim.limit import solver
from tests.commands import answer, assert_refused, run
from tests.commands import place as place

KEYS = {
    "samples_per_dim", "features_per_dim", "diffusion_time", "noise_copies", "activation", "data", "ridge",
}  # fmt: skip


def test_curves_print_the_contract(capsys):
    found = answer(capsys, "theory", "curves", "--train-times", "0,1e5,inf")
    assert list(found) == [
        "schema", "problem", "train_time", "train", "test", "score", "gen", "bias2", "variance", "emp",
        "train_penalized", "tau_gen", "tau_mem", "residual", "error",
    ]  # fmt: skip
    assert set(found["problem"]) == KEYS | {"trainer", "by_part"}
    assert found["train_time"] == [0.0, 1e5, "inf"]
    assert [f"{value:.5f}" for value in found["train"]] == ["1.00000", "0.49337", "0.49337"]  # equations.md §6
    assert set(found["tau_gen"]) == {"formula", "spectrum", "curve"}
    assert set(found["tau_mem"]) == {"formula", "main", "mini", "curve", "edge"}
    assert found["emp"] == found["train"] == found["train_penalized"]
    direct = rfsim.theory.curves(Problem(), [0, 1e5, math.inf])
    assert found["test"] == direct.test.values.tolist()
    assert 0 <= found["residual"] < 1e-12


@pytest.mark.slow
def test_parts_switched_off_and_trainers_are_answered(capsys):
    arguments = ("--samples-per-dim", "8", "--features-per-dim", "64", "--train-times", "inf", "--by-part")
    found = answer(capsys, "theory", "curves", *arguments, "--trainer", "descent:4")
    assert list(found["without"]) == ["null", "mini", "main", "gen"]
    shown = [found["test"][0], *(found["without"][part]["test"][0] for part in ("null", "mini", "main"))]
    assert [f"{value:.3f}" for value in shown] == ["2.467", "2.467", "0.863", "2.309"]  # equations.md §5


def test_a_spectrum_prints_the_keys_of_the_sampled_one(capsys):
    found = answer(capsys, "theory", "spectrum", "--samples-per-dim", "8", "--features-per-dim", "64")
    assert list(found)[:5] == ["schema", "problem", "eigenvalues", "bulks", "constants"]
    assert set(found["problem"]) == KEYS
    assert found["eigenvalues"] is None
    assert [list(part)[:6] for part in found["bulks"]] == [["name", "count", "mass", "lower", "upper", "gap_below"]] * 4
    assert [part["name"] for part in found["bulks"]] == ["null", "mini", "main", "gen"]
    assert all(part["count"] is None for part in found["bulks"])
    assert found["bulks"][0]["lower"] == found["bulks"][0]["upper"] == found["constants"]["s2"]
    assert sum(part["mass"] for part in found["bulks"]) == pytest.approx(1, abs=1e-8)
    assert len(found["density"]["eigenvalue"]) == len(found["density"]["density"]) == 399


def test_ridge_prints_the_contract(capsys):
    copies = ("--noise-copies", "4", "--ridges", "1e-3,1e-2")
    found = answer(capsys, "theory", "ridge", *copies)
    assert list(found) == [
        "schema", "problem", "ridge", "train", "train_penalized", "test", "emp", "bias2", "variance", "residual",
        "best_ridge",
    ]  # fmt: skip
    assert found["ridge"] == [1e-3, 1e-2]
    shown = [found[name][0] for name in ("train", "test", "emp")]
    assert [f"{value:.4f}" for value in shown] == ["0.0605", "2.9731", "1.3586"]  # equations.md under (T12)
    assert_refused(
        capsys, "theory", "ridge", "--ridge", "0.1", match=r"takes its ridges from --ridges; got --ridge 0.1"
    )
    assert_refused(capsys, "theory", "ridge", "--ridges", "-1", match="ridges: must not hold negative")


@pytest.mark.slow
def test_what_is_not_defined_is_null(capsys, tmp_path):
    x = np.random.default_rng(0).standard_normal((40, 3)) * [0.5, 1, 2]
    np.save("x.npy", x)
    found = answer(capsys, "theory", "curves", "--data", "x.npy", "--samples", "12", "--noise-copies", "2")
    assert found["problem"]["samples_per_dim"] == 4
    for name in ("score", "bias2", "variance", "emp"):
        assert found[name] == [None] * 3
    assert found["problem"]["data_digest"]


def test_files_are_written_plotted_and_shown(capsys):
    status, out, err = run(capsys, "theory", "spectrum")
    assert (status, out) == (0, "")
    assert "wrote rfsim-out/theory-spectrum/figure.png" in err
    assert "mini+main" not in err
    assert run(capsys, "theory", "curves", "--train-times", "1,1e3")[0] == 0
    assert run(capsys, "theory", "ridge", "--width", "single")[0] == 0
    for kind in ("spectrum", "curves", "ridge"):
        data = store.load(f"rfsim-out/theory-{kind}/result.nc")
        assert data.attrs[store.KIND] == f"theory-{kind}"
        assert run(capsys, "plot", f"rfsim-out/theory-{kind}/result.nc", "--out", f"again-{kind}")[0] == 0
        assert run(capsys, "show", f"rfsim-out/theory-{kind}/result.nc")[0] == 0
    assert_refused(capsys, "theory", "curves", "--train-times", "2", match="other settings; use --force")


def test_settings_files_know_nested_commands(capsys, tmp_path):
    (tmp_path / "s.toml").write_text(
        "samples-per-dim = 3\n[train]\ndim = 7\n[theory]\nfeatures-per-dim = 5\n[theory.curves]\ntrain-times = [2]\n"
    )
    found = answer(capsys, "theory", "curves", "--config", "s.toml")
    assert (found["problem"]["samples_per_dim"], found["problem"]["features_per_dim"]) == (3, 5)
    assert found["train_time"] == [2.0]
    (tmp_path / "bad.toml").write_text("[theory.curvs]\nridge = 1\n")
    assert_refused(
        capsys, "theory", "curves", "--config", "bad.toml", match=r"\[theory.curvs\] is no command.*'curves'"
    )
    (tmp_path / "bad.toml").write_text("[theory]\ncurves = 1\n")
    assert_refused(capsys, "theory", "curves", "--config", "bad.toml", match=r"theory.curves must be a table")


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ("--samples-per-dim 0", "samples_per_dim must be positive and finite; got 0"),
        ("--features-per-dim -1", "features_per_dim must be positive and finite; got -1"),
        ("--diffusion-time 0", "diffusion_time must be positive"),
        ("--noise-copies 0.5", "noise_copies must be a whole number of at least 1"),
        ("--data atoms:0.5@1,0.4@2", "the weights sum to 0.9, not 1"),
        ("--data eigenvalues:none.npy", "data file none.npy does not exist"),
        ("--samples 100", "counts of a dimension, which the limit has none of"),
        ("--dim 10", "--dim"),
        ("--seed 1", "--seed"),
        ("--trainer descnt:1", "trainer must be flow, descent:STEP or distillation:TAU"),
        ("--activation linear --features-per-dim 1", "eigenvalues reach down to 0, .*give a ridge"),
        ("--noise-copies 4 --ridge 1e-3 --by-part", "terms by part need a spectrum above 0"),
        ("--noise-copies 4", "eigenvalues reach down to 0, and late training diverges: give a ridge"),
    ],
)
def test_what_is_outside_the_domain_is_refused(capsys, arguments, match):
    assert_refused(capsys, "theory", "curves", *arguments.split(), match=match)


def test_what_does_not_converge_is_told_left_out_and_sets_the_status(capsys, monkeypatch):
    monkeypatch.setattr(solver, "TOLERANCE", -1.0)  # which no residual meets, as 0 may be met on some machines
    status, out, err = run(capsys, "theory", "ridge", "--ridges", "1e-3,0.1", "--json")
    found = json.loads(out)
    lost = [value is None for value in found["test"]]
    assert any(lost)
    assert status == 3
    assert "did not converge" in err
    assert found["residual"][0] is not None


def test_a_best_ridge_that_is_not_found_is_told(capsys, monkeypatch):
    from rfsim.theory import NotConverged

    def lost(limit):
        raise NotConverged("no edges")

    monkeypatch.setattr(importlib.import_module("rfsim.theory.ridge"), "best_ridge", lost)
    status, out, err = run(capsys, "theory", "ridge", "--json", "--ridges", "0.1")
    assert status == 3
    assert json.loads(out)["best_ridge"] is None
    assert "the best ridge was not found" in err


@pytest.mark.slow
def test_a_rewritten_file_of_eigenvalues_is_another_problem(capsys):
    np.save("l.npy", [1.0, 2.0])
    arguments = ("theory", "spectrum", "--data", "eigenvalues:l.npy", "--out", "o")
    assert run(capsys, *arguments)[0] == 0
    assert run(capsys, *arguments)[0] == 0
    np.save("l.npy", [1.0, 3.0])
    assert_refused(capsys, *arguments, match="other settings; use --force")


def test_an_unsolved_spectrum_is_one_line_and_the_status(capsys, monkeypatch):
    from rfsim.limit import bulks

    monkeypatch.setattr(bulks, "MASS_ERROR", 0.0)
    status, out, err = run(capsys, "theory", "spectrum", "--json")
    assert (status, out) == (3, "")
    assert re.search(r"rfsim: the masses of 3 intervals add up to \S+, not 1, at samples_per_dim 4", err)
    assert main(["theory", "--help"]) == 0
