"""Names that there are not: the parameter that a symbol of the papers stands for, the nearest name, or nothing."""

from __future__ import annotations

import inspect

import pytest

import rfsim
from rfsim import Problem
from rfsim.checking.text import nearest
from rfsim.quantities.catalog import QUANTITIES, declared, resolve
from rfsim.quantities.meant import hint

FUNCTIONS = [one for one in QUANTITIES.values() if resolve(one.function).__module__.startswith("rfsim.")]


@pytest.mark.parametrize("one", [one for one in declared().values() if one.symbol], ids=lambda one: one.name)
def test_every_symbol_stands_for_its_parameter_as_it_is_typed_and_in_greek(one):
    for given in (one.symbol, f"--{one.symbol}"):
        assert f"{one.symbol} is {one.name}" in hint(given, [one.name, "json"])
        assert f"{one.symbol} is {one.typed}" in hint(given, [one.typed, "--json"])


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("--psi-n", "; ψ_n is --samples-per-dim"),
        ("--psi_p", "; ψ_p is --features-per-dim"),
        ("--gamma", "; γ is --ridge"),
        ("--tau", "; τ is --train-times"),
        ("--sigma", "; σ is --activation"),
        ("--dimension", "; did you mean '--dim'?"),
        ("--copies", "; did you mean '--noise-copies'?"),
        ("--tarin-times", "; did you mean '--train-times'?"),
        ("--no-open", ""),
        ("--width-per-dim", ""),
    ],
)
def test_a_flag_is_named_where_it_was_meant_and_none_where_none_is_near(given, meant):
    flags = [one.typed for one in QUANTITIES["train"].flagged.values()]
    assert hint(given, [*flags, "--json", "--no-token"]) == meant


def test_what_a_quantity_does_not_use_is_not_named():
    flags = [one.typed for one in QUANTITIES["theory.ridge"].flagged.values()]
    assert hint("--gamma", flags, of="theory ridge") == "; γ is --ridges"


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: Problem(psi_n=4), r"^Problem has no 'psi_n'; ψ_n is samples_per_dim$"),
        (lambda: Problem(n=40), r"^Problem has no 'n'; ψ_n = n/d is samples_per_dim$"),
        (lambda: Problem(dim=10), "^Problem has no 'dim'; it is an argument of rfsim.density, .* and others$"),
        (lambda: Problem(sampels_per_dim=4), r"^Problem has no 'sampels_per_dim'; did you mean 'samples_per_dim'\?$"),
        (lambda: Problem(width=4), "^Problem has no 'width'; it takes samples_per_dim, "),
        (lambda: rfsim.Student(gamma=1), "^Student has no 'gamma'; γ is ridge$"),
        (lambda: rfsim.train(Problem(), psi_n=4), r"^train has no 'psi_n'; ψ_n is samples_per_dim, a field of the pro"),
        (
            lambda: rfsim.train(Problem(), diffusion_time=4),
            r"'diffusion_time'; it is a field of .*Problem\(diffusion_t",
        ),
        (lambda: rfsim.train(Problem(), d=4), "^train has no 'd'; d is dim$"),
        (lambda: rfsim.theory.ridge(Problem(), gamma=[1.0]), "^ridge has no 'gamma'; γ is ridges$"),
    ],
)
def test_a_keyword_that_there_is_not_is_refused_in_a_line(call, match):
    with pytest.raises(TypeError, match=match):
        call()


@pytest.mark.parametrize("quantity", FUNCTIONS, ids=lambda one: one.name)
def test_every_function_refuses_a_keyword_in_a_line(quantity):
    function = resolve(quantity.function)
    with pytest.raises(TypeError, match=f"^{function.__name__} has no 'nothing_like_it'; it takes problem, "):
        function(Problem(), nothing_like_it=1)
    assert "problem" in inspect.signature(function).parameters


def test_what_is_typed_wrong_is_near_and_what_only_looks_alike_is_not():
    assert nearest("gne", ["gen", "test"]) == "; did you mean 'gen'?"
    assert nearest("consistensy", ["consistency"]) == "; did you mean 'consistency'?"
    assert nearest("--no-open", ["--no-token", "--no-browser"]) == ""
    assert nearest("--psi-n", ["--json"]) == ""
