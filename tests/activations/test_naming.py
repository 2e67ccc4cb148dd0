"""Callables in the place of a name: what they are found to be, and what they are called among settings."""

from __future__ import annotations

import dataclasses
import functools
import math
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import ndtr

import rfsim
from rfsim import Problem
from rfsim.disk import store
from rfsim.problem import origins
from rfsim.problem.activations import ACTIVATIONS, Activation, activation, fingerprint, gaussian_constants
from rfsim.problem.activations.naming import short
from rfsim.problem.activations.probing import probe
from tests.activations import callables

HERE = "tests.activations.callables:"


def test_gelu_is_exact_and_silu_is_that_of_jax():
    x = np.linspace(-9, 9, 181)
    np.testing.assert_allclose(ACTIVATIONS["gelu"].function(jnp.asarray(x)), x * ndtr(x), rtol=1e-13, atol=1e-300)
    assert ACTIVATIONS["silu"].function is jax.nn.silu


def test_a_function_of_jax_is_taken_as_it_is():
    found = Problem(activation=jax.nn.gelu)
    assert str(found.activation) == "jax.nn:gelu"  # by its public module, wherever it is defined
    assert found == Problem(activation="jax.nn:gelu")
    # the tanh approximation is a function of its own, and no other name of the exact one
    approximate, exact = (
        gaussian_constants(one, signal_variance=0.8, noise_variance=0.2)
        for one in (found.activation, ACTIVATIONS["gelu"])
    )
    assert 1e-6 < abs(approximate.v2 / exact.v2 - 1) < 1e-2


def test_the_function_of_a_named_activation_is_that_activation():
    for name, sigma in ACTIVATIONS.items():
        assert str(Problem(activation=sigma.function).activation) == name
        assert str(Problem(activation=sigma).activation) == name


def scaled(factor):
    def inner(x):
        return jnp.tanh(factor * x)

    return inner


LOCAL = {
    "a lambda": lambda: lambda x: jnp.sin(x) + 0.1 * x,
    "a local function": lambda: scaled(2.0),
    "a partial one": lambda: functools.partial(jax.nn.leaky_relu, negative_slope=0.3),
    "an Activation": lambda: callables.LEAKY_RELU,
}


@pytest.mark.parametrize("make", LOCAL.values(), ids=LOCAL)
def test_what_has_no_address_is_named_by_what_it_computes(make):
    name = str(Problem(activation=make()).activation)
    title, sign, digest = name.partition("@")
    assert title.isidentifier()
    assert (sign, len(digest)) == ("@", 16)
    # made again it is the same, also as the string that settings hold
    assert Problem(activation=make()) == Problem(activation=name)
    assert activation(name).name == name


def test_a_title_has_the_name_alone():
    assert [short(name) for name in ("tanh", "jax.nn:gelu", "inner@0123456789abcdef")] == ["tanh", "gelu", "inner"]


def test_functions_of_one_name_that_compute_other_things_are_told_apart():
    assert len({Problem(activation=scaled(factor)).activation for factor in (2.0, 3.0, 2.0)}) == 2
    declared = [Activation("mine", callables.leaky_relu, self_centering=True, kinks=k) for k in ((), (0.0,))]
    assert len({Problem(activation=one).activation for one in declared}) == 2


def test_the_digest_is_that_of_every_process():
    code = "import jax.numpy as jnp, rfsim; print(rfsim.Problem(activation=lambda x: jnp.sin(x) + 0.1 * x).activation)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(Problem(activation=LOCAL["a lambda"]()).activation)


def test_a_name_of_another_process_is_refused_in_one_line():
    with pytest.raises(ValueError, match=r"'f@0123456789abcdef' was a function of another process.*define it again"):
        Problem(activation="f@0123456789abcdef")


@pytest.mark.parametrize("bad", [math.tanh, jax.nn.softmax, lambda x, y: x, lambda x: x > 0, 3, None])
def test_what_is_no_activation_is_refused_in_one_line(bad):
    with pytest.raises(ValueError, match="activation") as refusal:
        Problem(activation=bad)
    assert "\n" not in str(refusal.value)


KINKS = {
    "relu": (jax.nn.relu, (0.0,)),
    "relu6": (jax.nn.relu6, (0.0, 6.0)),
    "elu": (jax.nn.elu, (0.0,)),  # its second derivative jumps
    "hard_tanh": (callables.hard_tanh, (-1.0, 1.0)),
    "hard_silu": (jax.nn.hard_silu, (-3.0, 3.0)),
    "sign": (jnp.sign, (0.0,)),
    "at π": (lambda x: jnp.maximum(x - math.pi, 0), (math.pi,)),
    "x|x|": (lambda x: x * jnp.abs(x), (0.0,)),
    "tanh": (jnp.tanh, ()),
    "steep": (lambda x: jnp.tanh(1000 * (x - 0.3)), ()),
    "fast": (lambda x: jnp.sin(200 * x), ()),
}


@pytest.mark.parametrize("name", KINKS)
def test_kinks_are_found(name):
    function, expected = KINKS[name]
    found = probe(function)
    np.testing.assert_allclose(found.kinks, expected, rtol=0, atol=1e-13)
    assert found.odd == (name in ("hard_tanh", "sign", "x|x|", "tanh", "fast"))


def test_a_plain_callable_has_the_constants_of_what_declares_itself():
    for bare, declared in (("leaky_relu", "LEAKY_RELU"), ("hard_tanh", "HARD_TANH"), ("swish", "SWISH")):
        both = [
            gaussian_constants(activation(HERE + name), signal_variance=0.7, noise_variance=0.4)
            for name in (bare, declared)
        ]
        np.testing.assert_allclose(both[0][:4], both[1][:4], rtol=1e-12)


def test_settings_hold_a_digest_of_what_is_imported(monkeypatch):
    def told(name=HERE + "double"):
        problem = Problem(activation=name)
        return origins.limit_settings(problem, origins.source(problem)).get("activation_digest")

    before = told()
    assert before == fingerprint(activation(HERE + "double"))
    monkeypatch.setattr(callables, "double", lambda x: 3 * x)
    assert told() not in (None, before)
    assert told("tanh") is None


@pytest.mark.slow
@pytest.mark.parametrize("function", [jax.nn.gelu, LOCAL["a partial one"]()], ids=["gelu", "partial"])
def test_every_quantity_takes_a_callable(function):
    problem = Problem(samples_per_dim=3, features_per_dim=4, ridge=0.1, activation=function)
    spectral = dataclasses.replace(problem, ridge=0.0)  # a spectrum takes none
    runs = [
        rfsim.train(problem, [0, 10], dim=4),
        rfsim.spectrum(problem, dim=4),
        rfsim.simulate(problem, steps=2, dim=4),
        rfsim.distill(problem, [0, 10], dim=8, levels=2, time_min=0.3, time_max=1.0, generated=16, teacher_ridge=0.1),
        rfsim.theory.curves(problem, [10.0]),
        rfsim.theory.spectrum(spectral),
        rfsim.theory.ridge(problem, [0.1]),
    ]
    assert {store.settings(one)["activation"] for one in runs} == {str(problem.activation)}
    grid = {"command": "train", "problem": {"dim": 8, "features_per_dim": 4, "ridge": 0.1, "train_times": [10]}}
    swept = rfsim.sweep(grid | {"axes": {"activation": [function, "tanh"]}})
    assert swept.activation.values.tolist() == [str(problem.activation), "tanh"]
    assert (swept.status == 1).all()
