"""`rfsim distill`: the JSON object of its contract, its tables, files, exit statuses and refusals."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from rfsim.cli import answers, distill_answers
from rfsim.disk import store
from rfsim.problem import origins
from rfsim.problem.model import Problem
from rfsim.sampled import distill as door
from tests.commands import answer, assert_refused, run
from tests.commands import place as place
from tests.distillation.synthetic import dataset

SMALL = ["--dim", "3", "--samples-per-dim", "2", "--features-per-dim", "6", "--levels", "3", "--generated", "50"]
AXES = ("distill_times", "leakage_ridges")
PARTS = ["gen", "main", "mini", "null"]
Q = ["memorized_fraction", "memorized_interval", "frechet_per_dim", "sliced_wasserstein", "membership_auc"]
Q += ["membership_tpr_1", "membership_tpr_10"]


def parsed(data) -> dict:
    """The answer as another program reads it."""
    return json.loads(answers.text(distill_answers.answer(data)))


@pytest.fixture
def invented(monkeypatch):
    """The public function answers at once, with numbers that are invented; returns what it was asked for."""
    asked = {}

    def distill(problem, *, array, center, scale, split, held_out, report, begin, **options):
        asked.update(options, problem=problem)
        for name in ("limit", "audit", "checkpoint", "resume", "checkpoint_minutes"):  # of the run, not of its plan
            options.pop(name)
        draw = {name: options.pop(name) for name in ("dim", "seed", "seeds")}
        made = dataset(problem, **draw, **{name: options[name] for name in ("levels", *AXES)})
        sizes = origins.resolve(problem, origins.source(problem), draw["dim"])
        own = origins.settings(problem, origins.source(problem), sizes, seed=draw["seed"], seeds=draw["seeds"])
        own.pop("diffusion_time")
        planned = door.plan(problem, **options)
        own |= planned.settings(planned.number_of_draws(planned.student_features(sizes)))
        begin(own)
        return store.label(made, "distill", own, wall_time=1.0)

    monkeypatch.setattr(door, "distill", distill)
    return asked


# --- the JSON object ----------------------------------------------------------------------------------------------


def test_the_answer_has_the_keys_of_the_contract():
    data = dataset(levels=4)
    found = parsed(data)
    assert list(found) == [
        "schema", "problem", "method", "diffusion_time", "teacher", "early_teacher", "reference", "student", "leakage",
        "gamma_star", "controls", "undefined",
    ]  # fmt: skip
    assert found["schema"] == 1
    assert found["method"] == "consistency"
    assert not {"distill_times", "leakage_ridges", "diffusion_time"} & set(found["problem"])
    assert {"levels", "time_min", "teacher_time", "trainer", "draws", "generated", "dim", "seed"} < set(
        found["problem"]
    )
    assert found["diffusion_time"] == data.diffusion_time.values.tolist()
    for name in ("teacher", "early_teacher", "reference"):
        assert list(found[name])[: len(Q)] == Q
    assert [one["distill_time"] for one in found["student"]] == [10, 1e3, 1e5]
    for one in found["student"]:
        assert list(one)[: len(Q) + 1] == ["distill_time", *Q]
        assert list(one["suppression"]) == PARTS
        assert [len(one["suppression"][part]) for part in PARTS] == [4] * 4
        assert list(one["half"])[: len(Q)] == Q
        assert list(one["half"]["suppression"]) == PARTS
    assert [one["ridge"] for one in found["leakage"]] == data.ridge.values.tolist()
    for one in found["leakage"]:
        assert set(one) == {"ridge", *PARTS, *(f"{part}_se" for part in PARTS), "per_level", "half", "moved"}
        assert list(one["per_level"]) == PARTS
        assert one["per_level"]["gen"][0] is None  # nothing is handed up to level 1
        assert all(value is not None for value in one["per_level"]["gen"][1:])
    assert found["gamma_star"] == {"threshold": 0.01, "ridge": 5.0}
    assert [one["steps"] for one in found["controls"]["teacher_steps"]] == [1, 2, 4]
    assert [one["steps"] for one in found["controls"]["student_steps"]] == [1, 2, 4]
    for name in ("early_student", "regression"):
        assert [one["distill_time"] for one in found["controls"][name]] == [10, 1e3, 1e5]
    for entries in found["controls"].values():
        assert all(list(entry)[1 : len(Q) + 1] == Q for entry in entries)
    assert found["undefined"] == {}


def test_every_number_is_the_results_own():
    data = dataset(levels=4)
    found, first = parsed(data), data.isel(seed=0, variant=0)
    q = first.teacher.values.tolist()
    assert [found["teacher"][name] for name in Q] == [q[0], [q[1], q[2]], *q[3:]]
    assert found["teacher"]["frechet_per_dim_se"] == float(first.teacher_error.sel(quality="frechet_per_dim"))
    assert "frechet_per_dim_se" not in found["reference"]
    one = found["student"][1]
    assert one["sliced_wasserstein"] == float(first.student.sel(quality="sliced_wasserstein")[1])
    assert one["half"]["frechet_per_dim"] == float(first.student_half.sel(quality="frechet_per_dim")[1])
    assert one["suppression"]["mini"] == first.suppression.sel(part="mini")[1].values.tolist()
    assert one["suppression_se"]["mini"] == first.suppression_error.sel(part="mini")[1].values.tolist()
    assert one["train"] == first.student_train[1].values.tolist()
    last = found["controls"]["student_steps"][2]
    assert last["membership_auc"] == float(first.student_steps.sel(quality="membership_auc", steps=4)[-1])
    three = found["leakage"][3]
    assert three["null"] == float(first.leakage_all.sel(part="null")[3])
    assert three["null_se"] == float(first.leakage_all_error.sel(part="null")[3])
    assert three["per_level"]["main"][2] == float(first.leakage.sel(part="main", level=3)[3])


def test_seeds_give_mean_and_standard_error():
    data = dataset(seeds=3)
    found = parsed(data)
    values = data.student.sel(quality="frechet_per_dim").isel(variant=0, distill_time=2).values
    one = found["student"][2]
    assert one["frechet_per_dim"] == pytest.approx(values.mean())
    assert one["frechet_per_dim_se"] == pytest.approx(values.std(ddof=1) / math.sqrt(3))
    rows = data.suppression.isel(variant=0, distill_time=2).sel(part="gen").values
    assert one["suppression"]["gen"] == pytest.approx(rows.mean(0).tolist())
    assert one["suppression_se"]["gen"] == pytest.approx((rows.std(0, ddof=1) / math.sqrt(3)).tolist())
    assert set(found["reference"]) == {*Q, *(f"{name}_se" for name in Q if name != "memorized_interval")}
    assert set(found["gamma_star"]) == {"threshold", "ridge", "ridge_se"}
    assert "ridge_se" not in found["leakage"][0]


def test_undefined_is_null_with_its_reason_and_a_missing_seed_is_not_hidden():
    reason = {"membership_auc": "the student's features are its own"}
    data = dataset(seeds=2, undefined=reason)
    data.student.loc[{"quality": "membership_auc", "seed": 1}] = np.nan
    data["student_train"] = data.student_train * np.nan
    data.gamma_star[0] = np.nan
    found = parsed(data)
    assert found["undefined"] == reason
    assert found["student"][0]["membership_auc"] is found["student"][0]["membership_auc_se"] is None
    assert found["student"][0]["frechet_per_dim"] is not None
    assert found["student"][0]["train"] == [None] * 3
    assert found["gamma_star"]["ridge"] is None
    # n ≤ d: no main
    few = parsed(dataset(Problem(samples_per_dim=1, features_per_dim=6)))
    assert few["student"][0]["suppression"]["main"] is few["leakage"][0]["main"] is None
    assert few["leakage"][0]["per_level"]["main"] is None


def test_what_moves_with_half_of_the_draws_is_named():
    data = dataset(seeds=3)
    for name in ("student", "suppression", "leakage_all"):
        data[f"{name}_moved"] = data[f"{name}_moved"] * 0
    data.student_moved.loc[{"quality": "frechet_per_dim", "distill_time": 10.0}] = [[1], [1], [0]]
    data.student_moved.loc[{"quality": "membership_auc", "distill_time": 10.0}] = [[1], [0], [0]]
    data.suppression_moved.loc[{"part": "null", "level": 2, "distill_time": 1e3}] = 1
    data.leakage_all_moved.loc[{"part": "mini", "ridge": 0.0}] = 1
    found = parsed(data)
    assert [one["moved"] for one in found["student"]] == [["frechet_per_dim"], ["suppression.null"], []]
    assert [one["moved"] for one in found["leakage"]] == [["mini"], *([[]] * 6)]
    told = "\n".join(distill_answers.lines(data))
    assert "moves with half of the draws  student at distill_time 10: frechet_per_dim\n" in told
    assert told.endswith("moves with half of the draws  leakage at ridge 0: mini")


def test_tables_hold_every_model_and_what_is_not_known():
    data = dataset(levels=4, undefined={"membership_auc": "no score"}, distill_times=(0.0, math.inf))
    data["suppression"] = data.suppression.where(data.part != "null")
    told = distill_answers.lines(data)
    assert told[0] == "d 3  n 6  p 18  seed 0"
    names = [re.split("  +", line)[:3] for line in told[2:19]]
    assert [row[0] for row in names] == [
        "reference", *["teacher"] * 3, "early teacher", *["student"] * 4, *["early student"] * 2, *["regression"] * 2,
        "suppression: median and range of the levels", "distill_time", "0", "inf",
    ]  # fmt: skip
    assert [row[1] for row in names[1:9]] == ["4", "1", "2", "4", "1", "1", "2", "4"]
    assert [row[2] for row in names[5:9]] == ["0", "inf", "inf", "inf"]
    assert told[17].split()[-1] == "-"
    assert "undefined  membership_auc: no score" in told
    assert any(line.startswith("gamma_star  5 (leakage below 0.01)") for line in told)


# --- the command --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("invented")
def test_files_are_written_drawn_again_and_shown(capsys):
    status, out, err = run(capsys, "distill", *SMALL)
    assert (status, out) == (0, "")
    assert sorted(path.name for path in Path("rfsim-out/distill").iterdir()) == [
        "figure.pdf", "figure.png", "result.nc",
    ]  # fmt: skip
    assert "wrote rfsim-out/distill/result.nc" in err
    assert "suppression: median and range of the levels" in err
    assert run(capsys, "plot", "rfsim-out/distill/result.nc", "--out", "again", "--quiet") == (0, "", "")
    assert "distill result" in run(capsys, "show", "rfsim-out/distill/result.nc")[1]
    assert run(capsys, "distill", *SMALL, "--quiet") == (0, "", "")  # the same settings: once more is no loss
    assert_refused(capsys, "distill", *SMALL, "--teacher-time", "1e3", match="other settings; use --force")


def test_flags_reach_the_public_function(capsys, invented):
    found = answer(
        capsys, "distill", *SMALL, "--ridge", "0.1", "--distill-times", "1,inf", "--leakage-ridges", "0,2",
        "--early-teacher-time", "30", "--target", "coupled:5", "--sampler", "sde", "--start", "zero", "--draws", "400",
        "--distill-data", "fresh", "--teacher-ridge", "1e-3", "--parameterization", "edm", "--seeds", "2",
    )  # fmt: skip
    assert [one["distill_time"] for one in found["student"]] == [1, "inf"]
    assert [one["ridge"] for one in found["leakage"]] == [0, 2]
    assert invented["problem"] == Problem(samples_per_dim=2, features_per_dim=6, ridge=0.1)
    expected = {
        "early_time": 30, "target": "coupled:5", "sampler": "sde", "start": "zero", "draws": "400", "levels": 3,
        "distill_data": "fresh", "teacher_ridge": 1e-3, "parameterization": "edm", "seeds": 2, "dim": 3,
        "solver": "ddim", "trainer": "flow", "student_features_per_dim": None, "generated": 50,
    }  # fmt: skip
    assert {name: invented[name] for name in expected} == expected


BAD_VALUES = [
    (["--diffusion-time", "0.1"], "--diffusion-time"),
    (["--model", "gaussian"], "--model"),
    (["--levels", "1"], "--levels: must be a whole number from 2"),
    (["--generated", "1"], "--generated: must be a whole number from 2"),
    (["--solver", "eulr"], "euler"),
    (["--distill-times", "-1"], "--distill-times: must not hold negative"),
    (["--leakage-ridges", "0,,1"], "--leakage-ridges: must be numbers separated by single commas"),
    (["--samples", "1"], "--samples: must be a whole number from 2"),
    (["--activation", "tahn"], "did you mean 'tanh'"),
    (["--time-min", "3"], "the levels need 0 < time_min < time_max"),
    (["--draws", "1p"], "1p are .* for .* features, and the regression would interpolate; take 2p"),
    (["--draws", "some"], "draws must be a multiple of p such as 20p, or a whole number; got 'some'"),
    (["--parameterization", "edm", "--start", "teacher"], "start 'teacher' needs parameterization ddim"),
    (["--student-features-per-dim", "4", "--start", "teacher"], "the student has .* of its own: use start zero"),
    (["--target", "coupled"], "target must be sequential or coupled:TAU"),
    (["--threshold", "2"], "threshold must lie between 0 and 1; got 2"),
    (["--teacher-time", "-1"], "teacher_time must be a train_time that is not negative"),
    (["--dim", "1e5"], "needs about .* GiB, and this process may use"),
]


@pytest.mark.parametrize(("given", "match"), BAD_VALUES, ids=lambda v: " ".join(v)[:40] if isinstance(v, list) else "")
def test_bad_settings_are_refused(capsys, given, match):
    assert_refused(capsys, "distill", *given, match=match)


@pytest.mark.slow
def test_the_command_itself(capsys):
    found = answer(capsys, "distill", *SMALL, "--distill-times", "0,10,inf", "--out", "here", "--quiet")
    kept = store.load("here/result.nc")
    assert found == parsed(kept)
    at_start = found["student"][0]["suppression"]
    assert at_start["gen"] == pytest.approx([1] * 3)  # from the teacher's weights
    assert found["student"][0]["frechet_per_dim"] == pytest.approx(
        found["controls"]["teacher_steps"][0]["frechet_per_dim"]
    )
    assert found["controls"]["student_steps"][0]["frechet_per_dim"] == found["student"][-1]["frechet_per_dim"]
    assert 0 <= found["reference"]["memorized_fraction"] < 0.5
    assert run(capsys, "distill", *SMALL, "--distill-times", "0,10,inf", "--out", "here", "--quiet")[0] == 0
    assert_refused(capsys, "distill", *SMALL, "--ridge", "1", "--out", "here", match="other settings; use --force")


@pytest.mark.slow
def test_a_student_with_features_of_its_own_has_no_suppression(capsys):
    found = answer(capsys, "distill", *SMALL, "--student-features-per-dim", "4", "--distill-times", "10", "--quiet")
    assert "features of its own" in found["undefined"]["suppression"]
    assert found["student"][0]["suppression"] == {part: [None] * 3 for part in PARTS}
    assert found["student"][0]["memorized_fraction"] is not None


# --- the limit beside the sample ----------------------------------------------------------------------------------


def test_the_limit_stands_beside_the_sample_where_it_was_asked_for():
    data = dataset(levels=3)
    lost = np.array([np.nan, 0.7, 0.6]) / (1 + data.ridge.values[:, None])
    both = data.assign(limit_leakage=(("ridge", "level"), lost), limit_gamma_star=("level", [np.nan, 0.4, 0.5]))
    found, alone = parsed(both), parsed(data)
    assert found["gamma_star"].pop("limit") == [None, 0.4, 0.5]
    assert [one.pop("limit") for one in found["leakage"]] == [[None, *row] for row in lost[:, 1:].tolist()]
    assert found == alone
    told = "\n".join(distill_answers.lines(both))
    assert "gamma_star of the limit by level: median and range  0.45 (0.4–0.5)" in told
    assert "0.65 (0.6–0.7)" in told
    assert "limit" not in "\n".join(distill_answers.lines(data))


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ("--solver heun", "of solver ddim; got heun: leave the limit out"),
        ("--trainer descent:0.5", "of trainer flow; got descent:0.5"),
        ("--distill-data fresh", "of distill_data train; got fresh"),
        ("--student-features-per-dim 5", "of the teacher's own features"),
        ("--activation relu", "is of odd activations"),
        ("--noise-copies 2", "averages the noise"),
    ],
)
def test_where_there_is_no_limit_it_is_refused(capsys, arguments, match):
    assert_refused(capsys, "distill", *SMALL, "--limit", *arguments.split(), match=match)


@pytest.mark.slow
def test_the_limit_is_that_of_the_theory_and_a_sample_is_near(capsys):
    asked = (
        "--dim",
        "20",
        "--samples-per-dim",
        "8",
        "--features-per-dim",
        "32",
        "--levels",
        "2",
        "--time-min",
        "0.025",
    )
    found = answer(
        capsys, "distill", *asked, "--time-max", "0.1", "--generated", "16", "--distill-times", "1", "--limit",
        "--leakage-ridges", "0,0.1,0.5",
    )  # fmt: skip
    assert found["problem"]["limit"] is True
    above = [one["limit"] for one in found["leakage"]]
    assert [row[0] for row in above] == [None] * 3
    assert [f"{row[1]:.3g}" for row in above] == ["0.753", "0.104", "0.00754"]  # equations.md D13, from 0.1 to 0.05
    assert found["gamma_star"]["limit"] == [None, pytest.approx(0.426, rel=2e-3)]
    assert found["leakage"][1]["gen"] == pytest.approx(above[1][1], rel=0.5)  # gaps fall as 1/d
    assert "rfsim-out" not in str(list(Path().iterdir()))
