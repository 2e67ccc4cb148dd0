from __future__ import annotations

import dataclasses

import jax
import numpy as np
import pytest

import rfsim
from rfsim import Problem
from rfsim.disk import store
from rfsim.plotting.figures import problem_line
from rfsim.problem.activations import ACTIVATIONS, Activation, activation
from tests.activations import callables

HERE = "tests.activations.callables:"


def test_a_callable_is_stored_as_where_it_is():
    problem = Problem(activation=callables.damped)
    assert str(problem.activation) == HERE + "damped"
    assert problem == Problem(activation=HERE + "damped")
    assert problem.activation.function is callables.damped
    assert str(dataclasses.replace(problem, ridge=1.0).activation) == HERE + "damped"


def test_an_activation_object_declares_what_a_plain_callable_cannot():
    sigma = Problem(activation=HERE + "HARD_TANH").activation
    assert (sigma.name, sigma.odd, sigma.kinks) == (HERE + "HARD_TANH", True, (-1.0, 1.0))
    assert str(Problem(activation=ACTIVATIONS["relu"]).activation) == "relu"


@pytest.mark.slow
def test_a_callable_runs_end_to_end():
    problem = Problem(samples_per_dim=2, features_per_dim=4, activation=HERE + "LEAKY_RELU")
    result = rfsim.train(problem, [0, 100], dim=8)
    assert float(result.train[0, 0]) == 1.0
    assert float(result.train[0, 1]) < 1.0
    assert store.settings(result)["activation"] == HERE + "LEAKY_RELU"
    # a bare underscore would open a subscript in the title
    assert r"$\sigma=\mathrm{LEAKY\_RELU}$" in problem_line(result)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("with_nan", r"is NaN or infinite at -40; it must be finite from -40 to 40"),
        ("wrong_shape", r"must map float64 \(12, 12\) to float64 \(12, 12\); it returns float64 \(12,\)"),
        ("single", r"it returns float32 \(12, 12\)"),
        ("in_numpy", r"cannot be compiled \(TracerArrayConversionError.*\); write it with jax.numpy"),
        ("raises_two_lines", r"cannot be compiled \(RuntimeError: first line\); write it with jax.numpy"),
        ("normalizing", r"must act on each number by itself"),
        ("constant", r"is the constant 1: it has no features to learn from"),
        ("NOT_ODD", r"is declared odd and is not"),
        ("NOT_A_POLYNOMIAL", r"is declared a polynomial of degrees \(1, 3\) and is not one"),
        ("UNSORTED", r"kinks must be finite and increase; got \(1.0, -1.0\)"),
        ("NO_NUMBERS", r"kinks must be a tuple of numbers and degrees one of whole numbers; got 'ab' and None"),
        ("ONE_NUMBER", r"kinks must be a tuple of numbers"),
        ("NO_POLYNOMIAL_FAR_OUT", r"is declared a polynomial of degrees .* and is not one"),
        ("number", r"is a int; a callable or an Activation is needed"),
        ("missing", r"cannot be imported \(AttributeError: .*\); give 'module:attribute'"),
    ],
)
def test_a_callable_that_cannot_be_used_is_refused_in_one_line(name, message):
    with pytest.raises(ValueError, match=message) as refusal:
        Problem(activation=HERE + name)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("spec", ["no_such_module:f", ":f", "math:", "tests..x:f", "os.path:"])
def test_an_address_that_leads_nowhere_is_refused(spec):
    with pytest.raises(ValueError, match=r"cannot be imported \(.*\); give 'module:attribute'"):
        activation(spec)


def test_an_activation_that_declares_no_centering_and_has_a_mean_is_refused_with_it_and_the_remedy():
    problem = Problem(activation=Activation("bare", callables.swish), samples_per_dim=2, features_per_dim=4)
    with pytest.raises(ValueError, match=r"must be centered: E σ\(Γz\) = 0.207 at Γ = 1; declare .*centering=True"):
        rfsim.spectrum(problem, dim=8)


@pytest.mark.parametrize("copies", [2, np.inf])
def test_nan_on_the_data_is_refused_in_one_line(copies):
    rows = np.random.default_rng(0).standard_normal((60, 8))
    rows[::7] *= 100.0
    problem = Problem(samples_per_dim=2, features_per_dim=4, noise_copies=copies, activation=callables.overflows_late)
    with pytest.raises(ValueError, match=r"is (nan at|NaN or infinite)") as refusal:
        rfsim.spectrum(problem, array=rows, scale="none")
    assert "\n" not in str(refusal.value)


def test_checks_do_not_depend_on_the_precision_in_force():
    with jax.enable_x64(False):
        assert str(Problem(activation=callables.damped).activation) == HERE + "damped"


def test_kinks_may_be_listed():
    assert activation(HERE + "LISTED").kinks == (-1.0, 1.0)


def test_a_self_centering_polynomial_has_one_more_direction():
    """Σ_k C(d+k−1, k) over the degrees 0 and 2, in the labels as in the decomposition."""
    found = rfsim.spectrum(Problem(samples_per_dim=40, features_per_dim=4, activation=HERE + "SQUARE"), dim=5)
    assert int(found["count"].sel(part="zero")) == 20 - 1 - 15
    assert (found.eigenvalue.values[0, :4] == 0).all()
