"""Rates that go by a schedule: optax's own, and the filter of plain descent beside the loop."""

from __future__ import annotations

import json
import math

import numpy as np
import optax
import pytest

import rfsim
from rfsim import Problem
from rfsim.learning.descent import averaged_descent
from rfsim.learning.scheduled import scheduled_descent
from rfsim.simulation.schedules import KINDS, Schedule, read

SMALL = Problem(samples_per_dim=2, features_per_dim=4, noise_copies=3)
TEXTS = [
    "cosine:decay_steps=30,alpha=0.1",
    "cosine:decay_steps=30,warmup_steps=10",
    "linear:end_value=0.2,transition_steps=25",
    "polynomial:end_value=0.1,power=2,transition_steps=20",
    "exponential:decay_rate=0.5,transition_steps=10",
    "constant:warmup_steps=15",
]


def test_shares_are_those_of_optax():
    steps = np.arange(60)
    own = {
        "cosine": (read(TEXTS[0]), optax.cosine_decay_schedule(1.0, 30, 0.1)),
        "warm": (read(TEXTS[1]), optax.warmup_cosine_decay_schedule(0.0, 1.0, 10, 40)),
        "linear": (read(TEXTS[2]), optax.linear_schedule(1.0, 0.2, 25)),
        "exponential": (read(TEXTS[4]), optax.exponential_decay(1.0, 10, 0.5)),
    }
    for schedule, theirs in own.values():
        assert np.allclose(schedule.shares(60), [float(theirs(k)) for k in steps], rtol=1e-6, atol=1e-7)
    assert {one.partition(":")[0] for one in TEXTS} == set(KINDS)


def test_a_schedule_and_its_text_are_one():
    one = Schedule("cosine", {"warmup_steps": 10, "decay_steps": 30})
    assert str(one) == "cosine:decay_steps=30,warmup_steps=10"
    assert read(str(one)) == one == read("cosine:warmup_steps=10,decay_steps=30")
    assert read("constant").constant
    assert not read("constant:warmup_steps=3").constant


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_the_filter_of_equal_steps_is_that_of_descent(ema):
    lam, steps = np.array([0.0, 1e-3, 0.3, 1.7]), np.array([0, 1, 7, 40])
    one = scheduled_descent(steps, 0.9, np.ones(40), ema, 0.05)(lam)
    assert np.allclose(one, averaged_descent(steps, 0.9, ema, 0.05)(lam), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("schedule", TEXTS)
@pytest.mark.parametrize("ema", [0.0, 0.8])
def test_the_loop_takes_the_steps_of_the_filter(schedule, ema):
    """All frozen draws at every step: no noise is left, and the loop is the filter to rounding."""
    found = rfsim.simulate(SMALL, steps=50, dim=5, schedule=schedule, ema=ema)
    for name in ("train", "test"):
        assert np.allclose(found[name], found[f"exact_{name}"], rtol=1e-9)
    plain = rfsim.simulate(SMALL, steps=50, dim=5, ema=ema)
    assert abs(found.train[0, -1] - plain.train[0, -1]) > 1e-4
    shares = read(schedule).shares(50)
    assert math.isclose(float(found.train_time[-1]), float(found.rate) / 25 * shares.sum(), rel_tol=1e-12)
    assert json.loads(found.attrs["settings"])["schedule"] == schedule
    assert "schedule" not in json.loads(plain.attrs["settings"])


@pytest.mark.slow
def test_a_resumed_run_goes_on_in_its_schedule(tmp_path):
    options = {"dim": 5, "schedule": "cosine:decay_steps=40,warmup_steps=5", "optimizer": "adam", "rate": 0.1}
    whole = rfsim.simulate(SMALL, steps=50, batch=4, checkpoint=tmp_path / "whole", **options)
    rfsim.simulate(SMALL, steps=20, batch=4, checkpoint=tmp_path / "cut", **options)
    found = rfsim.simulate(SMALL, steps=50, batch=4, checkpoint=tmp_path / "cut", resume=True, **options)
    assert float(found.train[0, -1]) == float(whole.train[0, -1])


def test_the_peak_is_held_against_the_stable_rate():
    rate = 1.5 * float(rfsim.simulate(SMALL, steps=1, dim=5).limit[0])
    with pytest.warns(UserWarning, match="above the largest stable one"):
        rfsim.simulate(SMALL, steps=30, dim=5, rate=rate, schedule="cosine:decay_steps=30")
    rfsim.simulate(SMALL, steps=30, dim=5, rate=rate, schedule="constant:warmup_steps=60")  # never gets there


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cosin:decay_steps=3", "constant, cosine, linear, polynomial, exponential; got .*; did you mean 'cosine'"),
        ("cosine", "schedule 'cosine' needs decay_steps, as in cosine:decay_steps=1000"),
        ("linear:end_value=0", "needs transition_steps, as in linear:end_value=0.1,transition_steps=1000"),
        ("cosine:decay_step=3", "has no setting 'decay_step'; did you mean 'decay_steps'"),
        ("cosine:decay_steps=2.5", "decay_steps must be a whole number of steps; got 2.5"),
        ("cosine:decay_steps=0", "decay_steps must be positive; got 0"),
        ("cosine:decay_steps=3,alpha=-1", "alpha must be finite and not negative; got -1"),
        ("cosine:decay_steps", "has 'decay_steps' in the place of SETTING=NUMBER"),
        ("exponential:transition_steps=5,decay_rate=0.5,staircase=1", "has no setting 'staircase'"),
    ],
)
def test_refusals(text, message):
    with pytest.raises(ValueError, match=message):
        rfsim.simulate(SMALL, steps=3, dim=5, schedule=text)
