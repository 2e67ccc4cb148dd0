from __future__ import annotations

import math

import numpy as np
import pytest

from rfsim import Flow, PerFeature, Problem
from rfsim.distillation.plan import Student, students
from rfsim.problem.origins import Sizes
from rfsim.sampled.distill_plan import plan
from tests.distillation.cases import settings

PROBLEM = Problem(samples_per_dim=2, features_per_dim=4, ridge=0.3)
SIZES = Sizes(3, 6, 12)


def refused(message, call):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time_min": 3.0, "time_max": 3.0}, "0 < time_min < time_max <= 20; got time_min 3 and time_max 3$"),
        ({"time_min": 5.0}, "got time_min 5 and time_max 3$"),
        ({"time_min": 0.0}, "got time_min 0 and"),
        ({"time_min": math.nan}, "time_min must be a number; got nan$"),
        ({"time_max": 301.0}, "got time_min 0.02 and time_max 301$"),
        ({"path": [3, 1]}, r"path must be three diffusion times or more .*; got \[3.0, 1.0\]$"),
        ({"path": [3, 1, 1, 0.1]}, "that fall all the way, such as 3,1,0.3,0.02"),
        ({"path": [3, 1, 2]}, "that fall all the way"),
        ({"path": [3, 1, math.nan]}, "that fall all the way"),
        ({"path": [3, 1, 0]}, "^path's diffusion times must lie between 1e-12 and 300; got 0$"),
        ({"path": [math.inf, 1, 0.1]}, "must lie between 1e-12 and 300; got inf$"),
        ({"path": [3, 1, 0.1], "levels": 2}, "path says all diffusion times; got levels 2 beside it: leave it out$"),
        ({"path": [3, 1, 0.1], "time_max": 2}, "got time_max 2 beside it"),
        ({"renoise": 1.5}, "renoise is a share, from 0 to 1; got 1.5$"),
        ({"renoise": math.nan}, "renoise must be a number; got nan$"),
        ({"renoise": 0.5, "method": "progressive"}, "got 0.5 and progressive: leave it out$"),
        ({"levels": 1}, "levels must be a whole number of at least 2, .*; got 1$"),
        ({"levels": 2.5}, "levels must be a whole number of at least 2, .*; got 2.5$"),
        ({"teacher_time": -1.0}, "teacher_time must be a train_time that is not negative, or inf; got -1$"),
        ({"teacher_time": math.nan}, "teacher_time .*; got nan$"),
        ({"early_time": -2.0}, "early_time must be a train_time that is not negative, or inf; got -2$"),
        ({"teacher_ridge": -0.1}, "teacher_ridge must be finite and not negative; got -0.1$"),
        ({"teacher_ridge": math.inf}, "teacher_ridge .*; got inf$"),
        ({"trainer": "flows"}, "trainer must be .*; got 'flows'; did you mean 'flow'"),
        ({"parameterization": "edn"}, r"one of ddim, edm; got 'edn'; did you mean 'edm'\?$"),
        ({"start": "teachers"}, r"start must be one of teacher, zero; got 'teachers'; did you mean 'teacher'\?$"),
        ({"parameterization": "edm", "start": "teacher"}, "start 'teacher' needs parameterization ddim.*start zero$"),
        ({"student_features_per_dim": 2, "start": "teacher"}, "start 'teacher' needs the teacher's .*use start zero$"),
        ({"student_features_per_dim": 0.1}, "student_features_per_dim 0.1 rounds to no features at dim 3$"),
        ({"student_features_per_dim": -4}, "student_features_per_dim must be positive and finite; got -4$"),
        ({"student_features_per_dim": math.nan}, "student_features_per_dim must be a number; got nan$"),
        ({"student_features_per_dim": math.inf}, "student_features_per_dim must be positive and finite; got inf$"),
        ({"target": "couple:3"}, "target must be sequential or coupled:TAU .*; got 'couple:3'"),
        ({"target": "coupled"}, "got 'coupled'$"),
        ({"target": "coupled:-1"}, "got 'coupled:-1'$"),
        ({"target": "coupled:inf"}, "got 'coupled:inf'$"),
        ({"target": "coupled:nan"}, "got 'coupled:nan'$"),
        ({"solver": "heum"}, "solver must be one of ddim, euler, heun; got 'heum'; did you mean 'heun'"),
        ({"solver": "sde"}, "solver must be one of ddim, euler, heun; got 'sde'"),
        ({"sampler": "ode"}, "sampler must be one of ddim, euler, heun, sde; got 'ode'"),
        ({"distill_data": "frehs"}, r"distill_data must be one of train, fresh, teacher; got 'frehs'; did you mean"),
        ({"draws": "1p"}, "draws 1p are 12 for 12 features, and the regression would interpolate; take 2p = 24"),
        ({"draws": 23}, "draws 23 are 23 for 12 features"),
        ({"draws": "1.9p"}, "take 2p = 24 or more"),
        ({"draws": "many"}, "draws must be a multiple of p such as 20p, or a whole number; got 'many'"),
        ({"draws": "-20p"}, "got '-20p'"),
        ({"leakage_ridges": [0, -1]}, r"leakage_ridges must be finite and not negative; got \[0.0, -1.0\]$"),
        ({"leakage_ridges": [math.inf]}, "leakage_ridges must be finite"),
        ({"leakage_ridges": [math.nan]}, "leakage_ridges must be finite"),
        ({"leakage_ridges": []}, "leakage_ridges must be a non-empty list"),
        ({"leakage_ridges": ["x"]}, "leakage_ridges must be real numbers"),
        ({"threshold": 0}, "threshold must lie between 0 and 1; got 0$"),
        ({"threshold": 1.0}, "threshold must lie between 0 and 1; got 1$"),
        ({"generated": 15}, "generated must be a whole number of at least 16, .*; got 15$"),
        ({"samples": 2001}, "at most the 2000 generated; got 2001$"),
        ({"samples": -1}, "samples .*; got -1$"),
        ({"samples": 1.5}, "samples .*; got 1.5$"),
        ({"variants": []}, "variants must hold at least one student$"),
        ({"variants": [{"rigde": 1}]}, "a variant takes ridge, .*, critic; got 'rigde'; did you mean 'ridge'"),
        ({"variants": [{"ridge": -1}]}, "the student's ridge must be finite and not negative; got -1$"),
        ({"variants": [{"ridge": math.nan}]}, "ridge must be a number; got nan$"),
        ({"variants": [{}, {"parameterization": "edm", "start": "teacher"}]}, "'teacher' needs parameterization"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_one_line(options, message):
    refused(message, lambda: settings(PROBLEM, SIZES, **options))


@pytest.mark.parametrize(
    ("times", "message"),
    [([], "distill_times must be a non-empty list"), ([-1], "distill_times must not be negative; got -1"),
     ([math.nan], "got nan"), ([1e101], "distill_times must be at most 1e\\+100, or inf"), (["a"], "must be real")],
)  # fmt: skip
def test_bad_distill_times_are_refused(times, message):
    refused(message, lambda: plan(PROBLEM, times))


def test_the_defaults_are_those_of_the_command():
    found = plan(PROBLEM)
    assert found.distill_times == (10.0, 1e3, 1e5)
    assert found.leakage_ridges == (0.0, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
    assert (found.levels, found.time_min, found.time_max) == (20, 0.02, 3.0)
    assert not {"path", "renoise"} & set(found.settings(5))  # results of before have neither
    assert (found.teacher_time, found.teacher_ridge, found.early_time, found.trainer) == (1e8, 0.0, None, Flow())
    assert (found.solver, found.sampler, found.distill_data, found.draws) == ("ddim", "ddim", "train", PerFeature(20))
    assert (found.generated, found.samples, found.student_features_per_dim) == (2000, 0, None)
    assert found.students == (Student(0.3, "ddim", "teacher", "sequential"),)
    assert found.number_of_draws(12) == 240
    assert len(found.times) == 21
    assert (found.times[0], found.times[-1]) == (0.02, 3.0)  # exactly: ε is where f is the identity
    np.testing.assert_allclose(np.diff(np.log(found.times)), math.log(150) / 20)


def test_the_sampler_is_the_solver_unless_told_otherwise():
    assert plan(PROBLEM, solver="heun").sampler == "heun"
    assert plan(PROBLEM, solver="heun", sampler="sde").sampler == "sde"
    assert plan(PROBLEM, solver="heun", sampler="sde").solver == "heun"


@pytest.mark.parametrize(
    ("draws", "count"), [("20p", 240), ("2p", 24), ("2.5p", 30), (24, 24), ("1000", 1000), ("2.54p", 30)]
)
def test_draws_are_a_multiple_of_the_students_features_or_a_number(draws, count):
    found = settings(PROBLEM, SIZES, draws=draws)
    assert found["draws"] == count
    own = settings(PROBLEM, SIZES, draws="20p", student_features_per_dim=8)
    assert own["draws"] == 480


def test_whole_numbers_are_whole_however_they_are_written():
    given = plan(PROBLEM, levels=4.0, generated=16.0, samples=3.0)
    for value in (given.levels, given.generated, given.samples):
        assert isinstance(value, int)
    assert settings(PROBLEM, SIZES, levels=4.0) == settings(PROBLEM, SIZES, levels=4)


def test_a_start_is_the_teacher_where_it_can_be():
    common = {"ridge": 0.0, "parameterization": "ddim", "start": None, "target": "sequential"}
    common |= {"method": "consistency", "generations": 1}
    variants = [{}, {"parameterization": "edm"}, {"start": "zero"}]
    assert [one.start for one in students(variants, False, **common)] == ["teacher", "zero", "zero"]
    assert [one.start for one in students(variants, True, **common)] == ["zero", "zero", "zero"]
    # a student with as many features as the teacher has the teacher's
    assert plan(PROBLEM, student_features_per_dim=4).students[0].start == "teacher"
    assert plan(PROBLEM, student_features_per_dim=4).student_features_per_dim is None
    assert plan(PROBLEM, student_features_per_dim=8).student_features(SIZES) == 24


def test_variants_take_what_they_leave_out_from_the_common_settings():
    found = plan(PROBLEM, parameterization="edm", variants=[{"ridge": 1}, {"parameterization": "ddim"}, {}])
    assert [one.label for one in found.students] == [
        "edm, start zero, ridge 1, sequential",
        "ddim, start teacher, ridge 0.3, sequential",
        "edm, start zero, ridge 0.3, sequential",
    ]


def test_labels_tell_students_apart():
    given = [
        Student(), Student(ridge=0.1), Student(start="zero"), Student(parameterization="edm", start="zero"),
        Student(target="coupled:10"), Student(target="coupled:0"),
    ]  # fmt: skip
    assert len({one.label for one in given}) == len(given)
    assert [one.target.ema_time for one in given] == [None, None, None, None, 10.0, 0.0]


def test_settings_are_the_same_however_they_are_written():
    told = settings(PROBLEM, SIZES, [1.0, math.inf], variants=[{"ridge": 0.5}])
    assert told["variants"] == [{"ridge": 0.5, "parameterization": "ddim", "start": "teacher", "target": "sequential"}]
    assert told["distill_times"] == (1.0, math.inf)
    assert "students" not in told
    assert told == settings(
        PROBLEM, SIZES, np.array([1, math.inf]), variants=[{"ridge": 0.5}], draws=240, sampler="ddim"
    )
