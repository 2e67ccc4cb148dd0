"""One draw behind every quantity: resolved once, shown in every signature; ridges and students as dimensions."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
import xarray as xr

import rfsim
from rfsim import Problem, theory
from rfsim.disk import store
from rfsim.problem import origins
from rfsim.problem.draws import Draw, DrawOptions
from rfsim.results import runs

SMALL = Problem(samples_per_dim=2, features_per_dim=4)
DRAWN = {"dim": None, "seed": 0, "seeds": 1, "array": None, "center": True, "scale": "global"}
DRAWN |= {"split": 0.5, "held_out": None}
TIMES = [0.0, 10.0, 1e3, math.inf]


@pytest.mark.parametrize("function", [rfsim.spectrum, rfsim.train, rfsim.simulate, rfsim.distill, rfsim.density])
def test_every_keyword_of_a_draw_is_shown_with_its_default(function):
    parameters = inspect.signature(function).parameters
    assert {name: parameters[name].default for name in DRAWN} == DRAWN
    assert not any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values())
    for one in parameters:
        assert one == "problem" or f"{one}:" in (function.__doc__ or ""), one  # a line of Args each


def test_options_of_one_quantity_are_shown_too():
    found = {name: one.default for name, one in inspect.signature(rfsim.distill).parameters.items()}
    assert (found["levels"], found["draws"], found["students"]) == (20, "20p", None)
    assert inspect.signature(rfsim.simulate).parameters["optimizer"].default == "sgd"
    assert inspect.signature(theory.distill).parameters["start"].default == "teacher"


def test_what_is_no_keyword_is_refused():
    with pytest.raises(TypeError, match="seedz"):
        rfsim.spectrum(SMALL, seedz=3)
    with pytest.raises(TypeError, match="levelz"):
        rfsim.distill(SMALL, levelz=3)
    with pytest.raises(TypeError, match="bach"):
        rfsim.simulate(SMALL, bach=3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeds": 0}, "seeds must be a whole number of at least 1"),
        ({"seeds": 10**6}, "seeds must be a whole number .* at most 100000"),
        ({"seed": -1}, "seed must be a whole number of at least 0"),
        ({"seed": 2**53, "seeds": 2}, "seed must be a whole number"),
    ],
)
def test_draws_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        Draw(**options)
    with pytest.raises(ValueError, match=message):
        rfsim.train(SMALL, **options)


def test_data_are_read_and_prepared_once(monkeypatch):
    read = []
    source = origins.source
    monkeypatch.setattr("rfsim.problem.draws.source", lambda *args, **kw: read.append(args) or source(*args, **kw))
    array = np.random.default_rng(0).standard_normal((40, 6))
    rfsim.train(SMALL, TIMES, array=array, seeds=2)
    rfsim.density(SMALL, array=array, probes=2, steps=4)
    assert len(read) == 2
    assert set(DrawOptions.__optional_keys__) == set(DRAWN)


@pytest.fixture(scope="module")
def over_ridges() -> xr.Dataset:
    return rfsim.train(SMALL, TIMES, ridges=[0.05, 1.0, 0.0], dim=8, seeds=2, by_part=True)


@pytest.mark.parametrize(("k", "ridge"), list(enumerate([0.05, 1.0, 0.0])))
def test_a_dimension_of_ridges_is_what_separate_runs_find(over_ridges, k, ridge):
    alone = rfsim.train(
        Problem(samples_per_dim=2, features_per_dim=4, ridge=ridge), TIMES, dim=8, seeds=2, by_part=True
    )
    one = over_ridges.isel(ridge=k)
    assert float(one.ridge) == ridge
    assert set(one.data_vars) == set(alone.data_vars)
    for name, values in alone.data_vars.items():
        assert one[name].dims == values.dims
        if ridge == 0:  # the smallest of the ridges, whose truncation all share
            np.testing.assert_array_equal(one[name], values, err_msg=str(name))
        elif "train_time" in values.dims:
            np.testing.assert_allclose(one[name], values, rtol=1e-6, atol=1e-9, err_msg=str(name))
    np.testing.assert_allclose(one.eigenvalue, alone.eigenvalue, atol=1e-6 * ridge + 1e-15)


def test_the_dimension_belongs_to_what_is_learned_alone(over_ridges):
    assert over_ridges.train.dims == ("ridge", "seed", "train_time")
    assert over_ridges.energy.dims == ("ridge", "seed", "part", "train_time")
    assert over_ridges.tau_mem.dims == ("ridge", "seed", "mem_route")
    assert over_ridges.eigenvalue.dims == ("seed", "feature")
    assert over_ridges.ridge.attrs["units"] == "1"
    settings = store.settings(over_ridges)
    assert settings["ridges"] == [0.05, 1.0, 0.0]
    assert "ridge" not in settings
    steps = rfsim.train(SMALL, [1.0], ridges=[0.1, 1.0], dim=6, trainer=rfsim.Descent(0.01)).steps
    assert steps.dims == ("train_time",)


def test_one_decomposition_serves_all_ridges(monkeypatch, tmp_path):
    solved, begun = [], []
    solve = runs.solve
    monkeypatch.setattr(runs, "solve", lambda *args, **kw: solved.append(args) or solve(*args, **kw))
    found = rfsim.train(SMALL, TIMES, ridges=[0.1, 0.2, 0.4, 0.8], dim=6, seeds=2, begin=begun.append)
    assert len(solved) == 2  # one for each seed
    (settings,) = begun  # told once
    assert set(settings) == set(store.settings(found))
    assert settings["ridges"] == [0.1, 0.2, 0.4, 0.8]
    store.save(found, tmp_path / "result.nc")
    assert store.load(tmp_path / "result.nc").equals(found)


@pytest.mark.parametrize(
    ("problem", "options", "message"),
    [
        (Problem(2, 4, ridge=0.5), {"ridges": [1.0]}, "train with ridges does not use ridge.*give it among ridges"),
        (SMALL, {"ridges": [-1.0]}, "ridges must not be negative; got -1"),
        (SMALL, {"ridges": []}, "ridges must be a non-empty list of numbers"),
        (SMALL, {"ridges": [0.1, math.inf]}, "ridges must be finite; got inf"),
        (SMALL, {"ridges": [0.1, 1.0], "trainer": "descent:1e6"}, "trainer descent:1e.06 diverges"),
    ],
)
def test_ridges_that_are_none_are_refused(problem, options, message):
    with pytest.raises(ValueError, match=message):
        rfsim.train(problem, TIMES, dim=6, **options)


TAUGHT = {"dim": 4, "levels": 2, "time_min": 0.1, "time_max": 1.0, "generated": 16}
STUDENTS = [
    rfsim.Student(),
    rfsim.Student(ridge=0.1, target=rfsim.Coupled(10)),
    rfsim.Student(ridge=0.5, parameterization="edm", start="zero"),
]


def test_students_are_the_variants_of_one_run():
    by_object = rfsim.distill(SMALL, [1.0, math.inf], students=STUDENTS, **TAUGHT)
    mappings = [
        {"ridge": 0.0},
        {"ridge": 0.1, "target": "coupled:10"},
        {"ridge": 0.5, "parameterization": "edm", "start": "zero"},
    ]
    by_mapping = rfsim.distill(SMALL, [1.0, math.inf], variants=mappings, **TAUGHT)
    assert by_object.sizes["variant"] == 3
    assert by_object.drop_attrs(deep=False).identical(by_mapping.drop_attrs(deep=False))
    assert store.settings(by_object) == store.settings(by_mapping)


@pytest.mark.parametrize(
    ("problem", "options", "message"),
    [
        (SMALL, {"variants": [{}]}, "students and variants are two forms of one list"),
        (SMALL, {"students": []}, "students must be a list of rfsim.Student, one or more"),
        (SMALL, {"students": [{"ridge": 1}]}, "students must be a list of rfsim.Student.*variants takes mappings"),
        (Problem(2, 4, ridge=0.5), {}, "students have a ridge of their own; got ridge 0.5 beside them"),
        (SMALL, {"target": "coupled:10"}, "students have a target of their own; got target coupled:10"),
        (SMALL, {"start": "zero"}, "students have a start of their own"),
        (SMALL, {"parameterization": "edm"}, "students have a parameterization of their own"),
        (SMALL, {"student_features_per_dim": 6}, "start 'teacher' needs the teacher's 16 features"),
    ],
)
def test_what_students_leave_unused_is_refused(problem, options, message):
    with pytest.raises(ValueError, match=message):
        rfsim.distill(problem, [1.0], **{"students": STUDENTS[:1], **TAUGHT, **options})
