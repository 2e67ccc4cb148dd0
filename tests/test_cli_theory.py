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


DISTILL = ("theory", "distill", "--samples-per-dim", "8", "--features-per-dim", "32")
NAMES = ["gen", "main", "mini", "null"]


def test_a_distillation_prints_the_contract_and_the_numbers_of_the_document(capsys):
    asked = (*DISTILL, "--diffusion-times", "0.05,0.1", "--teacher-time", "inf", "--ridges", "0,0.1,0.5,2,10")
    found = answer(capsys, *asked, "--threshold", "0.01")
    assert list(found) == [
        "schema", "problem", "diffusion_time", "constants", "leakage", "instability", "gamma_star", "closed", "student",
        "residual",
    ]  # fmt: skip
    told = {"teacher_time", "teacher_ridge", "threshold", "start"}
    assert set(found["problem"]) == KEYS - {"ridge", "diffusion_time"} | told
    assert found["diffusion_time"] == [0.05, 0.1]
    (constants,), (leaked,), (shaken,), (star,), (closed,) = (
        found[name] for name in ("constants", "leakage", "instability", "gamma_star", "closed")
    )
    known = {  # D7
        "alpha": 1.0512711, "beta": 0.0592237, "c1": -0.141523, "c2": 0.110094, "tau1": -0.534048, "tau2": -1.131535,
        "var_mean": 0.345027, "var_fresh": 2.295488, "a_u": 0.5770633, "a_omega": 0.2703431, "a_y": 0.0359906,
        "rho": 0.1248430, "rho_new": 0.0041979, "s1": 0.1048003, "s2": 0.0200575, "c_h": 0.0482561, "c_k": 0.5776833,
        "w1": 0.1249761, "c_psi": 0.0122791,
    }  # fmt: skip
    assert list(constants) == list(known)
    np.testing.assert_allclose(list(constants.values()), list(known.values()), atol=6e-7)
    assert [list(one) for one in leaked] == [["ridge", *NAMES, "gain"]] * 5
    assert [f"{one['gen']:.3g}" for one in leaked] == ["0.753", "0.104", "0.00754", "0.000672", "6.9e-05"]
    assert [f"{leaked[0][name]:.2g}" for name in NAMES[1:]] == ["0.07", "0.68", "2.4e-06"]
    for one in leaked:
        assert one["gen"] == pytest.approx(one["main"] + one["mini"] + one["null"], rel=1e-9)
    assert [f"{shaken[name]:.4f}" for name in NAMES] == ["0.0071", "0.0127", "0.0486", "0.0400"]
    assert list(star) == ["threshold", "ridge", "closed", "floor"]
    assert [f"{star[name]:.3g}" for name in star] == ["0.01", "0.426", "0.425", "1.26e-05"]
    assert list(closed) == ["kappa", "leakage", "closed_valid"]
    assert [f"{one:.4g}" for one in closed["leakage"][:3]] == ["0.8159", "0.1158", "0.007449"]  # D8
    assert closed["closed_valid"] is True
    assert [list(one) for one in found["student"]] == [
        ["ridge", "distill_time", "train", "test", "map_error", "suppression"]
    ] * 5
    assert [one["distill_time"] for one in found["student"]] == ["inf"] * 5
    first = found["student"][0]
    assert [f"{first[name][0]:.4f}" for name in ("train", "test", "map_error")] == ["0.5028", "1.7735", "0.0202"]
    assert list(first["suppression"]) == NAMES
    assert first["suppression"]["mini"] == pytest.approx([1.0])
    assert first["suppression"]["null"] is None
    assert 0 <= found["residual"] < 1e-10


def test_merged_parts_have_their_joint_name_and_a_threshold_below_the_floor_no_ridge(capsys):
    """D8's blind prediction at (6, 24), .15 → .08, with a level more below, where mini stands apart."""
    asked = ("--samples-per-dim", "6", "--features-per-dim", "24", "--diffusion-times", "0.03,0.08,0.15")
    found = answer(capsys, *DISTILL[:2], *asked, "--ridges", "0,0.1", "--threshold", "1e-7", "--distill-times", "1,inf")
    apart, merged = (row[0] for row in found["leakage"])
    assert [apart[name] is None for name in (*NAMES, "mini+main")[1:4]] == [False] * 3
    assert "mini+main" not in apart
    assert (merged["mini"], merged["main"]) == (None, None)
    assert f"{merged['gen']:.4f} {found['leakage'][1][1]['gen']:.4f}" == "0.6707 0.0946"
    assert merged["gen"] == pytest.approx(merged["mini+main"] + merged["null"], rel=1e-9)
    assert [one["ridge"] for one in found["gamma_star"]] == [None, None]
    assert all(one["floor"] > 1e-7 for one in found["gamma_star"])
    one = found["student"][0]["suppression"]
    assert [value is None for value in one["mini"]] == [False, True]
    assert [value is None for value in one["mini+main"]] == [True, False]
    assert [(one["distill_time"], one["ridge"]) for one in found["student"]] == [
        (1.0, 0.0), (1.0, 0.1), ("inf", 0.0), ("inf", 0.1),
    ]  # fmt: skip
    assert answer(capsys, *DISTILL, "--ridges", "0", "--threshold", "0.9")["gamma_star"][0]["ridge"] == 0


@pytest.mark.slow
def test_a_population_that_is_not_isotropic_has_no_closed_form(capsys):
    data = ("--samples-per-dim", "4", "--features-per-dim", "16", "--data", "atoms:0.5@0.5,0.5@2.5")
    found = answer(capsys, *DISTILL[:2], *data, "--ridges", "0.1")
    assert found["closed"] is None
    assert found["gamma_star"][0]["closed"] is None
    assert found["gamma_star"][0]["ridge"] > 0
    assert found["student"][0]["map_error"] is None
    assert found["student"][0]["test"][0] > 0


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ("--ridge 0.1", "takes its ridges from --ridges; got --ridge 0.1"),
        ("--ridge 0", "takes its ridges from --ridges; got --ridge 0"),
        ("--diffusion-time 0.1", "takes its diffusion_times from --diffusion-times; got --diffusion-time 0.1"),
        ("--diffusion-times 0.1,0.05", "must be two or more, and ascend; got"),
        ("--diffusion-times 0.1", "must be two or more, and ascend; got"),
        ("--diffusion-times 0,0.1", "diffusion_time must be positive"),
        ("--activation relu", "is of odd activations, such as tanh; got 'relu'"),
        ("--noise-copies 4", "averages the noise, noise_copies inf; got 4"),
        ("--solver heun", 'Invalid value "heun" for --solver. Choose from: "ddim"'),
        ("--parameterization edm", 'Invalid value "edm" for --parameterization. Choose from: "ddim"'),
        ("--target coupled:10", 'Invalid value "coupled:10" for --target. Choose from: "sequential"'),
        ("--threshold 1", "threshold must lie between 0 and 1; got 1"),
        ("--teacher-time 0", "teacher_time must be positive"),
        ("--teacher-ridge -1", "teacher_ridge must be finite and not negative; got -1"),
        ("--distill-times 0", "distill_times must be positive"),
        ("--samples 100", "counts of a dimension, which the limit has none of"),
    ],
)
def test_a_distillation_outside_the_domain_is_refused(capsys, arguments, match):
    assert_refused(capsys, *DISTILL[:2], *arguments.split(), match=match)


def test_a_distillation_is_stored_drawn_shown_and_asked_for_twice(capsys, monkeypatch):
    asked = (*DISTILL, "--ridges", "0,0.1")
    status, out, err = run(capsys, *asked)
    assert (status, out) == (0, "")
    assert "0.1 to 0.05  0.426054" in err
    assert "yes" in err
    data = store.load("rfsim-out/theory-distill/result.nc")
    assert data.attrs[store.KIND] == "theory-distill"
    again = run(capsys, *asked)
    assert again[0] == 0
    again_data = store.load("rfsim-out/theory-distill/result.nc")
    assert again_data.drop_attrs().identical(data.drop_attrs())
    assert_refused(capsys, *asked, "--threshold", "0.1", match="other settings; use --force")
    assert run(capsys, "show", "rfsim-out/theory-distill/result.nc")[0] == 0
    assert run(capsys, "plot", "rfsim-out/theory-distill/result.nc", "--out", "again")[0] == 0
