"""The catalog says of every quantity what its function does, and costs nothing to read."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys

import numpy as np
import pytest

from rfsim.disk import store
from rfsim.problem.model import Problem
from rfsim.quantities.catalog import QUANTITIES, Quantity, declared, register, resolve
from rfsim.quantities.parameter import REQUIRED, Parameter
from rfsim.quantities.parameters import BY_PART, TRAIN_TIMES
from rfsim.quantities.registry import FIELDS

SMALL = Problem(samples_per_dim=2, features_per_dim=4, noise_copies=2.0)
# what makes each small, and what every function refuses before it computes
FEW = {
    "train": {"dim": 3},
    "spectrum": {"dim": 3},
    "simulate": {"dim": 3, "steps": 2},
    "distill": {"dim": 3, "levels": 2, "generated": 16},
    "density": {"dim": 3},
    "theory.ridge": {"ridges": [0.1]},
}
PLANE = {"samples_per_dim": [2.0], "features_per_dim": [4.0]}
OVER = {"theory.score_minimum": PLANE, "theory.mini_gap": {"samples_per_dim": [2.0], "diffusion_times": [0.1]}}
OVER |= {"theory.distill": {"diffusion_times": [0.1, 0.2]}, "theory.gamma_star": {"next_time": 0.05}}
OVER["posterior"] = {"dim": 3, "levels": 2}
WRONG = {"theory.score_minimum": ({"tolerance": 2.0}, "tolerance")}
WRONG |= dict.fromkeys(("theory.distill", "theory.gamma_star"), ({}, "averages the noise"))
WRONG["theory.generated"] = ({}, "^theory.generated knows features_per_dim inf alone; got 4")
WRONG["theory.conditions"] = ({}, "^theory.conditions is of data condition:SNR@PER_DIM; got data 'isotropic'")
WRONG["posterior"] = ({}, "^posterior is of data beside inputs: .* got isotropic$")
NONE = ({"center": "neither"}, "center must be True or False")


def options(quantity: Quantity) -> dict[str, Parameter]:
    """What the function takes beside the problem."""
    return {one.name: one for one in quantity.parameters if one.role == "option"}


def test_reading_the_catalog_loads_nothing_that_computes():
    words = (
        "import sys; from rfsim.quantities.catalog import QUANTITIES; assert len(QUANTITIES) > 9; "
        "print([one for one in ('numpy', 'jax', 'xarray', 'scipy', 'matplotlib') if one in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout == "[]\n"


@pytest.mark.parametrize("name", QUANTITIES)
def test_every_parameter_that_is_declared_is_one_of_the_function(name):
    quantity = QUANTITIES[name]
    function, (wrong, told) = resolve(quantity.function), WRONG.get(name, NONE)
    given = {one: parameter.default for one, parameter in options(quantity).items()}
    given = {one: options(quantity)[one].given if value is REQUIRED else value for one, value in given.items()}
    given = {one: value for one, value in given.items() if value is not REQUIRED}
    with pytest.raises(ValueError, match=told):
        function(SMALL, **given | FEW.get(name, {}) | OVER.get(name, {}) | wrong)
    with pytest.raises(TypeError, match="nonsense"):
        function(SMALL, **FEW.get(name, {}), **OVER.get(name, {}), nonsense=1)


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=pytest.mark.slow) if one in ("simulate", "distill") else one for one in FEW]
)
def test_defaults_are_those_of_the_function(name):
    quantity = QUANTITIES[name]
    function, few = resolve(quantity.function), FEW[name]
    given = {one: parameter.default for one, parameter in options(quantity).items()} | few
    plain, full = function(SMALL, **few), function(SMALL, **given)
    assert store.settings(plain) == store.settings(full)
    for one in plain.data_vars:
        np.testing.assert_array_equal(plain[one], full[one])


def test_the_fields_of_the_problem_are_those_that_are_declared():
    fields = {field.name: field.default for field in dataclasses.fields(Problem)}
    assert set(fields) == FIELDS
    assert {name: declared()[name].default for name in fields} == fields


@pytest.mark.parametrize("name", QUANTITIES)
def test_everything_that_is_named_is_there(name):
    quantity = QUANTITIES[name]
    named = [quantity.around, quantity.page if quantity.page else None]
    named += [getattr(quantity.answer, one.name) for one in dataclasses.fields(quantity.answer)]
    named += [getattr(quantity.cells, one) for one in ("computes", "mapped", "decompositions", "needed_bytes", "sizes")]
    named += [quantity.cells.refuses, *(one.check for one in quantity.parameters)]
    assert all(callable(resolve(one)) for one in named if one is not None)


def test_a_name_says_one_thing_however_many_quantities_have_it():
    """Only what is told of it, its default and where it stands may differ."""
    for quantity in QUANTITIES.values():
        assert len({one.name for one in quantity.flagged.values()}) == len(quantity.flagged)
        flags = [one.typed for one in quantity.flagged.values()]
        assert len(set(flags)) == len(flags)
        for one in quantity.parameters:
            first = declared()[one.name]
            assert (one.label, one.unit, one.hint, one.makes) == (first.label, first.unit, first.hint, first.makes)


def test_a_parameter_is_called_by_its_words_and_its_symbol():
    assert TRAIN_TIMES.label == "training time τ"
    assert BY_PART.label == "by part"
    assert (BY_PART.typed, QUANTITIES["distill"].flagged["early_time"].typed) == ("--by-part", "--early-teacher-time")


def test_what_is_given_to_a_command_lies_over_its_defaults():
    train = QUANTITIES["train"]
    assert train.given(dim=3)["dim"] == 3
    assert train.given()["samples_per_dim"] is None  # where a count may stand in its place
    with pytest.raises(TypeError, match="train has no 'dmi'; did you mean 'dim'"):
        train.given(dmi=3)


def test_no_two_quantities_have_one_name():
    with pytest.raises(ValueError, match=re.escape("two quantities 'train'; give one of them another name")):
        register(QUANTITIES["train"])


def test_any_of_them_may_be_imported_first():
    """Each from nothing: what a quantity imports does not wait for all of them to be there."""
    code = """
import importlib, pkgutil, sys
import rfsim.quantities as room
for name in [f"rfsim.quantities.{one.name}" for one in pkgutil.iter_modules(room.__path__)]:
    for one in [one for one in sys.modules if one.partition(".")[0] == "rfsim"]:
        del sys.modules[one]
    importlib.import_module(name)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
