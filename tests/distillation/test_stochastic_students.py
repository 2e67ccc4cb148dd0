from __future__ import annotations

import json
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import rfsim
from rfsim.cli import main
from rfsim.disk import store
from rfsim.distillation import run, stochastic, stochastic_students
from rfsim.distillation.cache import ArrayCache
from rfsim.distillation.stochastic_options import with_clock
from rfsim.problem import realization
from rfsim.problem.draws import Draw
from rfsim.sampled import distill
from rfsim.simulation import loop

D, SEEDS, STEPS = 3, 100, 1500
PROBLEM = rfsim.Problem(samples_per_dim=2, features_per_dim=4)
SMALL = {"dim": 4, "levels": 2, "generated": 32, "draws": "4p"}


def prepared(method, ema):
    """A seed distilled by exact flows on many draws, and the plan with the clock of plain descent."""
    asked = {"levels": 2, "time_min": 0.1, "time_max": 1.0, "draws": "8000p", "generated": 16, "start": "zero"}
    asked |= {"optimizer": "sgd", "rate": 0.03, "batch": 1, "steps": STEPS, "ema": ema, "method": method}
    planned = with_clock(distill.plan(PROBLEM, [0.0], **asked), D)
    origin, sizes = Draw(dim=D).of(PROBLEM)
    draw = realization.instance(PROBLEM, origin, sizes, 0)
    with ArrayCache() as cache:
        return planned, run.take(planned, PROBLEM, draw, 1.0, True, cache, run.Wanted(), lambda step: None)


@partial(jax.jit, static_argnames=("loss",))
def side_by_side(state, keys, parameters, rate, decay, *, loss):
    go = partial(loop.advance, loss=loss, optimizer=optax.sgd)
    return jax.vmap(lambda key: go(state._replace(key=key), STEPS, parameters, rate, decay, np.inf))(keys)


@pytest.mark.parametrize(("method", "ema"), [("consistency", 0.995), ("score:noise-online", None)])
def test_plain_descent_on_fresh_draws_is_the_flow_beside_it(method, ema):
    """Its mean over the noise of the steps, to the size of a step and the draws of the flow's moments."""
    planned, distilled = prepared(method, ema)
    one = stochastic_students.task_of(planned, distilled, 0)
    setting = planned.stochastic.setting
    assert planned.students[0].target.ema_time == (None if ema is None else pytest.approx(0.03 / D**2 / (1 - ema)))
    training, _ = stochastic.training(setting, one, seed=0)
    keys = jnp.stack([loop.key(seed, "test") for seed in range(SEEDS)])
    state = stochastic.initial(training, one, seed=0)
    ends = side_by_side(state, keys, training.parameters, setting.rate, setting.decay, loss=training.loss)
    assert not ends.failed.any()
    learner = distilled.models["student"][0]
    exact = np.stack([learner.at[level, 0][-1] for level in (1, 2)])
    directions = np.random.default_rng(0).standard_normal((10, exact.size))
    along = np.asarray(ends.state.weights).reshape(SEEDS, -1) / exact.shape[-1] ** 0.5 @ directions.T
    error = along.std(0, ddof=1) / SEEDS**0.5
    gap = (along.mean(0) - directions @ exact.ravel()) / error
    assert np.all(np.abs(gap) <= 5)
    # where it began is seen at many standard errors
    assert np.median(np.abs(directions @ exact.ravel()) / error) > 20


@pytest.mark.slow
def test_a_resumed_run_ends_in_the_same_bytes(tmp_path):
    asked = SMALL | {"optimizer": "adam", "rate": 0.05, "batch": 8, "ema": 0.5}
    whole = rfsim.distill(PROBLEM, [1.0], steps=30, **asked)
    rfsim.distill(PROBLEM, [1.0], steps=12, checkpoint=tmp_path, **asked)
    steps = []
    again = rfsim.distill(
        PROBLEM,
        [1.0],
        steps=30,
        checkpoint=tmp_path,
        resume=True,
        report=lambda step, values: steps.append(step),
        **asked,
    )
    assert "going on from step 12" in steps
    np.testing.assert_array_equal(again.stochastic.values, whole.stochastic.values)
    shared = np.isin(whole.step.values, again.step.values)
    np.testing.assert_array_equal(again.stochastic_loss.values, whole.stochastic_loss.values[:, :, shared])
    with pytest.raises(store.StoreError):
        rfsim.distill(PROBLEM, [1.0], steps=30, checkpoint=tmp_path, resume=True, **asked | {"rate": 0.06})


def test_the_command_tells_the_student_of_an_optimizer_beside_its_flow(capsys):
    words = "distill --dim 4 --samples-per-dim 2 --features-per-dim 4 --levels 2 --generated 32 --draws 4p"
    words += " --distill-times 1 --optimizer sgd --rate 0.02 --steps 20 --batch 8 --json"
    assert main(words.split()) == 0
    found = json.loads(capsys.readouterr().out)
    own = found["stochastic"]
    assert own["step"] == 20
    assert own["distill_time"] == pytest.approx(20 * 0.02 / 16)
    exact = next(one for one in found["student"] if one["distill_time"] == own["distill_time"])
    for name in ("memorized_fraction", "frechet_per_dim", "sliced_wasserstein", "membership_auc"):
        assert own["exact"][name] == exact[name]
        assert own[name] is not None
    assert own["frechet_per_dim"] != exact["frechet_per_dim"]


def test_a_run_that_diverges_says_so_and_leaves_the_flow(capsys):
    words = "distill --dim 4 --samples-per-dim 2 --features-per-dim 4 --levels 2 --generated 32 --draws 4p"
    words += " --distill-times 1 --optimizer sgd --rate 1e6 --steps 20 --json"
    assert main(words.split()) == 3
    heard = capsys.readouterr()
    found = json.loads(heard.out)["stochastic"]
    assert found["frechet_per_dim"] is None
    assert found["exact"]["frechet_per_dim"] > 0
    assert "seed 0 diverged at step" in heard.err


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rate": 1.0}, "rate belongs to stochastic training; got 1.0 without an optimizer: give one"),
        ({"optimizer": "adam"}, "optimizer adam needs a rate"),
        ({"method": "progressive"}, "stochastic training holds methods consistency, .*; got progressive: drop the opt"),
        ({"target": "coupled:10"}, "the target of stochastic training is that of ema; got target coupled:10: give ema"),
        ({"ema": 1.0}, "ema must be at least 0 and below 1, or the target stays where it begins; got 1"),
        ({"method": "score:prior", "ema": 0.5}, "method score:prior learns from the teacher and has no average"),
        ({"distill_data": "teacher"}, "draws clean data; got distill_data teacher: use train or fresh"),
        ({"distill_data": "fresh", "batch": "full"}, "a full batch takes every training point once; .*: give a batch"),
        ({"batch": "half"}, "batch must be full or a whole number of draws; got 'half'"),
        ({"checkpoint": "x", "optimizer": None, "rate": None}, "checkpoint keeps states of stochastic training"),
        ({"resume": True}, "resume goes on from a checkpoint; give the folder where it lies"),
    ],
)
def test_what_it_does_not_hold_is_refused(given, message):
    usual = (
        {} if given == {"rate": 1.0} else {"optimizer": "adam", "rate": 0.1 if given != {"optimizer": "adam"} else None}
    )
    with pytest.raises(ValueError, match=message):
        rfsim.distill(PROBLEM, [1.0], **SMALL | usual | given)
