from __future__ import annotations

import math

import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rfsim
from rfsim import Problem
from rfsim.disk import store
from rfsim.learning import curves, descent, filters
from rfsim.learning.trainers import Descent, DescentFilter, Distillation, DistillationFilter, Flow, FlowFilter, read
from rfsim.limit.dynamics import limit_curves
from tests.theory.cases import limit_of

SMALL = Problem(samples_per_dim=3, features_per_dim=6, noise_copies=3, ridge=0.02)
LAM = jnp.array([0.0, 1e-9, 1e-3, 0.5, 20.0])
TIMES = jnp.array([0.0, 3.0, 1e3, np.inf])


def test_texts_name_trainers():
    assert read("flow") == Flow()
    assert read("flow").at(0.4, 0.1) == FlowFilter(0.4, 0.1)
    assert read("descent:1e-2").at(0.4, 0.1) == DescentFilter(0.4, 0.1, 0.01)
    assert read("distillation:30").at(0.4) == DistillationFilter(0.4, 0.0, 30.0)
    assert read("distillation:inf").student_time == math.inf


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("adam", "trainer must be flow, descent:STEP or distillation:TAU; got 'adam'$"),
        ("descend:2", r"; got 'descend:2'; did you mean 'descent'\?"),
        ("flow:3", "trainer must be .*; got 'flow:3'$"),
        ("descent", "trainer must be .*; got 'descent'$"),
        ("descent:", "the STEP of descent must be a positive train_time per step; got 'descent:'"),
        ("descent:-1", "got 'descent:-1'"),
        ("descent:inf", "got 'descent:inf'"),
        ("descent:nan", "got 'descent:nan'"),
        ("distillation:0", "the TAU of distillation must be a positive train_time, or inf; got 'distillation:0'"),
        ("distillation:x", "got 'distillation:x'"),
        (3, "got 3"),
    ],
)
def test_other_texts_are_refused_in_one_line(text, message):
    for call in (
        lambda: read(text),
        lambda: rfsim.train(SMALL, [1.0], dim=4, trainer=text),
        lambda: limit_curves(limit_of(4, 16), [1.0], trainer=text),
    ):
        with pytest.raises(ValueError, match=message) as caught:
            call()
        assert "\n" not in str(caught.value)


@settings(deadline=None)
@given(st.floats(1e-300, 1e100))
def test_numbers_are_read_as_they_are_written(value):
    assert read(f"descent:{value!r}") == Descent(value)
    assert read(f"distillation:{value!r}") == Distillation(value)


def test_the_filters_are_those_of_the_kinds():
    flow = filters.flow(TIMES, 0.4, 0.1)
    np.testing.assert_array_equal(FlowFilter(0.4, 0.1).filter(TIMES)(LAM), flow(LAM))
    student = filters.flow(7.0, 0.4, 0.1)
    expected = flow(LAM) * LAM * student(LAM)
    np.testing.assert_allclose(DistillationFilter(0.4, 0.1, 7.0).filter(TIMES)(LAM), expected, rtol=1e-14)
    # steps of 0.25: c = κ·STEP = 0.1, and the end is the minimizer
    expected = descent.descent(jnp.array([0, 12, 4000]), 0.1, 0.1)(LAM[:-1])
    found = DescentFilter(0.4, 0.1, 0.25).filter(TIMES)(LAM[:-1])
    np.testing.assert_allclose(found[:-1], expected, rtol=1e-14)
    np.testing.assert_array_equal(found[-1], filters.minimizer(0.1)(LAM[:-1]))
    flat = DescentFilter(0.4, 0.0, 0.25).filter(TIMES)(LAM[:1])
    np.testing.assert_allclose(flat[:, 0], [0, 1.2, 400, 0])


def test_times_are_whole_steps():
    between = DescentFilter(0.4, 0.0, 0.25)
    np.testing.assert_array_equal(between.steps([0.0, 0.12, 0.13, 0.3, 1e12, np.inf]), [0, 0, 1, 1, 4e12, np.inf])
    # (1 − cλ)^k of a negative number has no value between whole k
    lam = jnp.array([15.0, 19.0])
    np.testing.assert_array_equal(between.filter(0.3)(lam), between.filter(0.25)(lam))
    assert np.all(np.isfinite(between.filter(jnp.linspace(0, 3, 50))(lam)))


@pytest.mark.parametrize("steps", [1, 10**6 + 1, 10**12])
@pytest.mark.parametrize(
    "lam", [1e-15, 1e-12, 1e-6, 0.4, 4.9, 5.1, 12.0, 19.99, 1e-12 + 1e-13j, 1 + 2j, 4.9 + 1j, 18 + 2j], ids=str
)
def test_descent_keeps_its_digits_over_any_number_of_steps(steps, lam):
    with mp.workdps(60):
        exact = (1 - (1 - mp.mpf(0.1) * mp.mpmathify(lam)) ** steps) / mp.mpmathify(lam)
        found = DescentFilter(0.4, 0.0, 0.25).filter(jnp.array(0.25 * steps))(jnp.array([lam]))
        assert complex(found[0]) == pytest.approx(complex(exact), rel=1e-12)


@pytest.mark.slow
def test_a_diverging_descent_names_the_largest_step():
    kappa, ridge = 0.4, 0.5
    DescentFilter(kappa, ridge, 0.249).require_stable(19.5)
    with pytest.raises(ValueError, match=r"descent:0.25 diverges: the largest eigenvalue of U is 19.5, .* below 0.25$"):
        DescentFilter(kappa, ridge, 0.25).require_stable(19.5)
    for call in (
        lambda: rfsim.train(SMALL, [1.0], dim=6, trainer="descent:1000"),
        lambda: limit_curves(limit_of(4, 16), [1.0], trainer="descent:1000"),
    ):
        with pytest.raises(ValueError, match="descent:1000 diverges: .* STEP must stay below [0-9.]+$") as caught:
            call()
        largest = float(str(caught.value).rpartition(" ")[2])
        assert 1 < largest < 100
    # the named step is the border
    for share, message in ((0.999, None), (1.001, "diverges")):
        text = f"descent:{share * largest!r}"
        if message is None:
            assert np.all(limit_curves(limit_of(4, 16), [1e9], trainer=text).error <= 1e-8)
        else:
            with pytest.raises(ValueError, match=message):
                limit_curves(limit_of(4, 16), [1.0], trainer=text)


@pytest.mark.slow
def test_a_step_is_a_number_and_not_a_program():
    """One compiled program per kind: settings are arguments."""
    limit = limit_of(4, 16)

    def programs(texts):
        for text in texts:
            limit_curves(limit, [1.0, 1e3], 0.01, trainer=text)
        return curves._losses.program._cache_size()

    first = programs(["flow", "descent:1", "distillation:10"])
    assert programs(["flow", "descent:2", "descent:3.5", "distillation:20", "distillation:inf"]) == first


@pytest.mark.slow
def test_the_public_function_follows_the_trainer():
    times = [0.0, 2.0, 2.4, 1e4, np.inf]
    found = {
        text: rfsim.train(SMALL, times, dim=6, trainer=text, by_part=True)
        for text in ("flow", "descent:1", "descent:1e-3", "distillation:50", "distillation:inf")
    }
    assert store.settings(found["descent:1"])["trainer"] == "descent:1"
    descent, flow = found["descent:1"], found["flow"]
    np.testing.assert_array_equal(descent.steps, [0, 2, 2, 1e4, np.inf])
    assert "steps" not in flow
    for name in ("train", "test", "energy", "train_part", "test_pair"):
        np.testing.assert_array_equal(descent[name].isel(train_time=1), descent[name].isel(train_time=2))
        np.testing.assert_allclose(descent[name].isel(train_time=-1), flow[name].isel(train_time=-1), atol=1e-9)
        np.testing.assert_allclose(found["descent:1e-3"][name], flow[name], rtol=2e-3, atol=2e-3)
    assert abs(float((descent.test - flow.test).isel(train_time=1, seed=0))) > 1e-3
    # a student that has not learned all of it lies nearer to the start, and with a ridge never learns all
    student, whole = found["distillation:50"], found["distillation:inf"]
    assert np.all(student.train.values[0, 1:] > whole.train.values[0, 1:])
    assert np.all(whole.train.values[0, 1:] > flow.train.values[0, 1:])
    # the curve's times are those of the trainer's own curve, to half a step
    for text in ("descent:1", "distillation:50"):
        tau = float(found[text].tau_mem.sel(mem_route="curve", seed=0))
        near = rfsim.train(SMALL, [tau - 1, tau + 1, np.inf], dim=6, trainer=text).gen.values[0]
        assert near[0] <= near[2] / 2 <= near[1]
