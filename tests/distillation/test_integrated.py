"""Students that are integrated step by step, as `rfsim.distill` gives them (equations.md M11, M12)."""

from __future__ import annotations

import json
import math

import jax
import numpy as np
import pytest

import rfsim
from rfsim import Problem, Student
from rfsim.cli import main
from rfsim.disk import store
from rfsim.distillation import exponential, integrated
from rfsim.distillation.critics import Equilibrium, TwoTimeScale, read_critic
from rfsim.sampled.distill import distill
from rfsim.sampled.distill_memory import needed_bytes
from rfsim.sampled.distill_plan import plan

SMALL = {"dim": 3, "levels": 3, "generated": 64, "leakage_ridges": [0.0, 1.0]}
TINY = Problem(samples_per_dim=2, features_per_dim=4)
KINDS = "matching", "sds", "identity"


@pytest.fixture(scope="module")
def several():
    students = [Student(method=kind, ridge=0.01) for kind in KINDS] + [Student(method="matching", critic=4, ridge=0.01)]
    with jax.enable_x64(True):
        return distill(TINY, [0.0, 0.02, 0.1], students=students, **SMALL)


def test_students_begin_at_their_teachers_jump_and_move(several):
    """At distill_time 0 all are the teacher in one step; then each is another."""
    at = several.student.sel(quality="frechet_per_dim").squeeze("seed").values
    teacher = several.teacher_steps.sel(steps=1, quality="frechet_per_dim").values.squeeze()
    np.testing.assert_allclose(at[:, 0], teacher, rtol=1e-12)
    assert len({f"{value:.6g}" for value in at[:, 2]}) == len(at)


def test_what_they_do_not_have_is_null_and_named(several):
    assert np.isnan(several.early_student).all()
    assert np.isnan(several.suppression.sel(level=[1, 2])).all()
    assert np.isfinite(several.suppression.sel(level=3, part="gen")).all()
    assert np.isfinite(several.student_half.sel(quality="frechet_per_dim")).all()
    assert np.isnan(several.student_steps.sel(steps=[2, 3])).all()
    undefined = json.loads(several.attrs["undefined"])
    assert undefined["early_student"].startswith("students of matching have no early teacher")
    assert (several.evaluations == 1).all()


def test_steps_and_their_error_are_told(several):
    steps, errors = (several[f"integration_{name}"].squeeze("seed").values for name in ("steps", "error"))
    assert (steps[:, 0] == 0).all()
    assert (np.diff(steps, axis=1) > 0).all()
    assert (errors[:, 1:] <= exponential.TOLERANCE).all()
    assert (errors[:, 1:] > 0).all()


@pytest.mark.slow
def test_with_a_linear_activation_a_matched_generator_has_the_teachers_law():
    """Samples of a generator whose law is matched have the second moments of what it was taught, whatever the map."""
    problem, asked = Problem(samples_per_dim=4, features_per_dim=4, activation="linear"), {"draws": "600p"}
    found = distill(
        problem, [0.0, 0.2], levels=2, teacher_time=math.inf, samples=4000, dim=3, generated=4000,
        students=[Student(method=kind) for kind in ("matching", "identity", "sds")], **asked,
    ).squeeze("seed")  # fmt: skip
    points = found.training_point.values
    want = np.exp(-2 * 0.02) * points.T @ points / len(points) + (1 - np.exp(-2 * 0.02)) * np.eye(3)
    before, matched, identity, sds = (
        one.T @ one / len(one)
        for one in found.student_sample.values[[0, 0, 1, 2], [0, 1, 1, 1]]
    )  # fmt: skip
    assert np.abs(before - want).max() > 0.2
    for one in (matched, identity):
        np.testing.assert_allclose(one, want, atol=0.12)
    assert np.abs(sds).max() < 0.01  # collapse


def test_a_resumed_integration_ends_in_the_same_bytes(tmp_path, monkeypatch):
    asked = SMALL | {"method": "matching", "critic": "3"}
    whole = rfsim.distill(TINY, [0.02, 0.05], **asked)
    calls, advance = [], exponential.advance

    def interrupted(*given):
        calls.append(given)
        if len(calls) == 12:
            raise KeyboardInterrupt
        return advance(*given)

    monkeypatch.setattr(integrated.exponential, "advance", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rfsim.distill(TINY, [0.02, 0.05], checkpoint=tmp_path, **asked)
    monkeypatch.setattr(integrated.exponential, "advance", advance)
    told = []
    again = rfsim.distill(
        TINY, [0.02, 0.05], checkpoint=tmp_path, resume=True, report=lambda step, _: told.append(step), **asked
    )
    assert any(step.startswith("going on from step") for step in told)
    np.testing.assert_array_equal(again.student.values, whole.student.values)
    np.testing.assert_array_equal(again.integration_steps.values, whole.integration_steps.values)
    with pytest.raises(store.StoreError, match="resume to go on from it"):
        rfsim.distill(TINY, [0.02, 0.05], checkpoint=tmp_path, **asked)
    with pytest.raises(store.StoreError):
        rfsim.distill(TINY, [0.02, 0.05], checkpoint=tmp_path, resume=True, **asked | {"critic": "4"})


def test_an_integration_that_diverges_keeps_what_it_reached(capsys, monkeypatch):
    """From some distill_time on no step is short enough: one line, exit status 3, null from there on."""
    slopes = integrated.generators.GeneratorFlow.slopes

    def broken(self, values):
        found = slopes(self, values)
        begun = self.__dict__.setdefault("begun", self._spread)
        return tuple(one * (np.nan if self._spread < begun / 2 else 1.0) for one in found)

    words = "distill --dim 3 --samples-per-dim 2 --features-per-dim 4 --levels 2 --generated 32 --activation linear "
    words += "--method sds --distill-times 0.001,10 --json"
    monkeypatch.setattr(integrated.generators.GeneratorFlow, "slopes", broken)
    assert main(words.split()) == 3
    heard = capsys.readouterr()
    first, last = json.loads(heard.out)["student"]
    assert first["frechet_per_dim"] > 0
    assert first["integration"]["steps"] > 0
    assert last["frechet_per_dim"] is None
    assert last["integration"]["steps"] is None
    assert "seed 0 diverged at distill_time" in heard.err
    assert "later distill_times are null" in heard.err


def test_the_command_tells_how_the_student_was_integrated(capsys):
    words = "distill --dim 3 --samples-per-dim 2 --features-per-dim 4 --levels 2 --generated 32 --method matching "
    assert main([*words.split(), "--critic", "5", "--distill-times", "0.01", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["method"] == "matching"
    assert found["student"][0]["integration"]["steps"] > 0
    assert found["controls"]["early_student"][0]["frechet_per_dim"] is None


def test_critics_are_read_and_written():
    assert read_critic("equilibrium") == Equilibrium() == Student(method="matching").critic
    assert read_critic(5) == read_critic("5.0") == TwoTimeScale(5)
    assert Student(method="matching", critic="5").settings["critic"] == "5"
    assert "critic" not in Student(method="matching").settings


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"critic": "0"}, "^critic must be equilibrium or a positive number; got '0'$"),
        ({"critic": "fast"}, "^critic must be equilibrium or a positive number; got 'fast'$"),
        ({"critic": math.inf}, "^critic must be equilibrium or a positive number; got 'inf'$"),
        ({"critic": 5, "method": "sds"}, "^a critic belongs to method matching; got critic 5 with method sds$"),
        ({"critic": 5, "method": "consistency"}, "^a critic belongs to method matching; got critic 5 with"),
        (
            {"distill_times": [1.0, math.inf]},
            "^method matching is integrated step by step; got .* up to inf: take",
        ),
        ({"distill_data": "fresh"}, "^method matching has inputs of its own; got distill_data fresh: drop it$"),
        ({"parameterization": "edm"}, "^method matching learns scores, which parameterization ddim has; got edm$"),
        ({"target": "coupled:3"}, "^method matching takes targets as they stand; got target coupled:3"),
        ({"levels": 1}, "^levels must be .*at least 2|^levels must"),
        (
            {"optimizer": "adam", "rate": 0.1},
            "^stochastic training holds methods .*; got matching: drop the optimizer$",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(options, message):
    asked = {"distill_times": [1.0], "levels": 4, "method": "matching"} | options
    with pytest.raises(ValueError, match=message) as told:
        plan(TINY, asked.pop("distill_times"), **asked)
    assert "\n" not in str(told.value)


def test_identity_needs_a_derivative_everywhere():
    with pytest.raises(ValueError, match="^method identity needs an activation without kinks; take tanh"):
        plan(Problem(2, 4, activation="relu"), [1.0], method="identity")


def test_what_an_integration_holds_is_counted():
    """The pool, the blocks of a step and the critics' bases, beside what every distillation holds."""
    given = {"levels": 20, "models": 3, "generated": 2000}
    plain = needed_bytes(10, 1000, 1000, **given)
    more = needed_bytes(10, 1000, 1000, integrated=1, draws=20_000, **given)
    assert 8 * 5 * 20_000 * 10 + 8 * 5 * 1000**2 < more - plain < 8 * 20 * 20_000 * 10 + 8 * 12 * 1000**2
    assert needed_bytes(10, 1000, 1000, draws=20_000, **given) == plain
