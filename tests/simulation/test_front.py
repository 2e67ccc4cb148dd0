"""`rfsim.simulate`: what a result holds, its checkpoints, and what is refused before anything is computed."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import numpy as np
import pytest

import rfsim
from rfsim.disk import checkpoints, store
from rfsim.results import progress
from rfsim.sampled import simulate as door
from rfsim.simulation import run
from rfsim.simulation import stochastic as engine
from tests.training import by_hand

FROZEN = by_hand.problem(noise_copies=2, ridge=0.03)
FRESH = by_hand.problem(ridge=0.03)
STEPS = 300
OPTIONS = {"dim": 2, "steps": STEPS, "batch": 3, "exact": False}


@pytest.fixture(autouse=True)
def by_quadrature(monkeypatch):
    """Moments come from a quadrature that takes no compilation."""
    monkeypatch.setattr(door, "prepare", by_hand.prepared)


def simulate(problem=FROZEN, **options):
    return rfsim.simulate(problem, **(OPTIONS | options))


def same(one, other):
    return one.drop_attrs().identical(other.drop_attrs()) and store.settings(one) == store.settings(other)


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*.nc")}


def final(folder, step=STEPS, seed=0):
    return (Path(folder) / f"seed-{seed}" / f"checkpoint-{step:012d}.nc").read_bytes()


# --- the result ---------------------------------------------------------------------------------------------------


def test_what_a_result_holds():
    data = simulate(seeds=2, ema=0.5)
    stops = engine.recorded_steps(STEPS)
    assert dict(data.sizes) == {"seed": 2, "step": len(stops)}
    assert data.step.values.tolist() == stops.tolist()
    assert set(data.data_vars) == {
        "train", "test", "gen", "exact_train", "exact_test", "train_time", "script_time", "rate", "limit", "rounding",
    }  # fmt: skip
    assert data.rate == 0.5 * data.limit[0]
    np.testing.assert_allclose(data.train_time, stops * float(data.rate) / 4, rtol=1e-14)
    np.testing.assert_allclose(data.script_time, stops * float(data.rate) / 8, rtol=1e-14)
    assert data.exact_train.isnull().all()
    np.testing.assert_array_equal(data.gen, data.test - data.train)
    assert data.train[0, 5] != data.train[1, 5]
    assert json.loads(data.attrs["diverged"]) == {}
    found = store.settings(data)
    assert {"optimizer", "batch", "noise", "ema", "precision", "rate", "steps", "devices", "exact"} < set(found)
    assert (found["noise"], found["rate"], found["seeds"]) == ("frozen", None, 2)


@pytest.mark.slow
def test_the_filter_is_beside_full_batches_of_every_seed():
    data = simulate(seeds=2, batch="full", ema=0.5, exact=True)
    for name in ("train", "test"):
        np.testing.assert_allclose(data[name], data[f"exact_{name}"], rtol=0, atol=1e-8)


@pytest.mark.slow
def test_what_is_trained_with_noise_is_not_the_filter_and_adam_has_none():
    fresh = simulate(FRESH, exact=True)
    assert np.abs(fresh.train - fresh.exact_train).max() > 0.1
    assert simulate(FRESH, seed=1).train[0, -1] != fresh.train[0, -1]
    adam = simulate(optimizer="adam", rate=0.01, batch="full", exact=True)
    assert adam.exact_train.isnull().all()
    assert adam.train[0, -1] < adam.train[0, 0]
    assert simulate(batch="full").exact_test.isnull().all()


def test_a_rate_above_the_limit_warns_and_what_diverges_is_told():
    limit = float(simulate(steps=1).limit[0])
    with pytest.warns(UserWarning, match=rf"rate {2 * limit:.6g} is above the largest stable one, {limit:.6g}"):
        data = simulate(rate=2 * limit)
    (line,) = json.loads(data.attrs["diverged"]).values()
    step = int(re.match(r"diverged at step (\d+): the loss is", line)[1])
    after = data.step.values > step
    assert data.train.values[0, after].size > 3
    assert np.isnan(data.train.values[0, after]).all()
    assert np.isfinite(data.train.values[0, ~after]).all()


# --- checkpoints --------------------------------------------------------------------------------------------------


def test_a_longer_run_goes_on_from_a_shorter_one_to_the_same_numbers(tmp_path):
    whole = simulate(seeds=2)
    simulate(seeds=2, steps=37, checkpoint=tmp_path)  # 37 is no step that a longer run measures
    longer = simulate(seeds=2, checkpoint=tmp_path, resume=True)
    assert same(longer, whole)
    finished = files(tmp_path)
    assert same(simulate(seeds=2, checkpoint=tmp_path, resume=True), whole)
    assert files(tmp_path) == finished


def test_resume_begins_where_nothing_is(tmp_path):
    assert same(simulate(checkpoint=tmp_path, resume=True), simulate())
    assert checkpoints.present(tmp_path / "seed-0") == [STEPS]


@pytest.mark.parametrize(
    ("where", "options"),
    [
        ("loop", {"ema": 0.9}),
        ("judge", {"ema": 0.9}),
        pytest.param("loop", {"optimizer": "adam", "rate": 0.01}, marks=pytest.mark.slow),
    ],
)
def test_ctrl_c_keeps_a_checkpoint_and_the_run_ends_in_the_same_bytes(tmp_path, monkeypatch, where, options):
    whole = simulate(**options, checkpoint=tmp_path / "whole")
    judge, called = engine.Judge.__call__, []

    def press(*args):
        called.append(args)
        if len(called) == 9:
            signal.raise_signal(signal.SIGINT)
        return judge(*args) if where == "judge" else None

    with monkeypatch.context() as patch:
        if where == "judge":
            patch.setattr(engine.Judge, "__call__", press)
        else:
            patch.setattr(run, "_seldom", lambda tell: press)
        with pytest.raises(KeyboardInterrupt):
            simulate(**options, checkpoint=tmp_path / "cut", checkpoint_minutes=1e9)
    (step,) = checkpoints.present(tmp_path / "cut" / "seed-0")
    assert 0 < step < STEPS
    resumed = simulate(**options, checkpoint=tmp_path / "cut", resume=True)
    assert same(resumed, whole)
    assert final(tmp_path / "cut") == final(tmp_path / "whole")


def test_ctrl_c_between_seeds_carries_those_that_ended(tmp_path):
    def press(step, values):
        if values["seed"] == 1:
            signal.raise_signal(signal.SIGINT)

    real = by_hand.prepared

    def told(of, draw, delta, layout, exact, tell):
        tell("moments")
        return real(of, draw, delta, layout, exact, tell)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(progress.Interrupted) as pressed:
        patch.setattr(door, "prepare", told)
        simulate(seeds=3, checkpoint=tmp_path, report=press)
    kept = pressed.value.result
    assert same(kept, simulate())
    assert set(files(tmp_path)) == {name for name in files(tmp_path) if name.startswith("seed-0")}
    assert same(simulate(seeds=3, checkpoint=tmp_path, resume=True), simulate(seeds=3))


def test_a_diverged_run_diverges_again_at_its_step(tmp_path):
    with pytest.warns(UserWarning, match="above the largest stable one"):
        once = simulate(rate=200.0, checkpoint=tmp_path)
    before = files(tmp_path)
    with pytest.warns(UserWarning, match="above the largest stable one"):
        again = simulate(rate=200.0, checkpoint=tmp_path, resume=True)
    assert "diverged at step" in once.attrs["diverged"]
    assert same(once, again)
    assert once.attrs["diverged"] == again.attrs["diverged"]
    assert files(tmp_path) == before


def truncate(path):
    path.write_bytes(path.read_bytes()[:500])


def foreign(path):
    path.write_bytes(b"mine")


@pytest.mark.parametrize("spoil", [truncate, foreign])
def test_a_newest_checkpoint_that_is_damaged_is_named_and_the_one_before_used(tmp_path, spoil):
    simulate(steps=75, checkpoint=tmp_path)
    whole = simulate(checkpoint=tmp_path, resume=True)
    kept = files(tmp_path)
    before, newest = checkpoints.present(tmp_path / "seed-0")
    assert (before, newest) == (75, STEPS)
    damaged = tmp_path / "seed-0" / f"checkpoint-{newest:012d}.nc"
    spoil(damaged)
    said = []
    with pytest.warns(UserWarning, match=rf"^{re.escape(str(damaged))} is not a readable .*; this checkpoint is not"):
        again = simulate(checkpoint=tmp_path, resume=True, report=lambda step, values: said.append(step))
    assert f"going on from step {before}" in said
    assert same(again, whole)
    assert files(tmp_path)[f"seed-0/{damaged.name}"] == kept[f"seed-0/{damaged.name}"]


# --- refusals -----------------------------------------------------------------------------------------------------


@pytest.fixture
def nothing_computed(monkeypatch):
    def prepare(*args):
        raise AssertionError("refused too late")

    monkeypatch.setattr(door, "prepare", prepare)


@pytest.fixture
def taken(tmp_path, monkeypatch):
    """A finished run of seed 1."""
    with monkeypatch.context() as patch:
        patch.setattr(door, "prepare", by_hand.prepared)
        simulate(seed=1, checkpoint=tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seed": 1}, "seed-1 holds a checkpoint at step 300; resume to go on from it, or name another folder"),
        ({"seed": 0, "seeds": 2}, "seed-1 holds a checkpoint at step 300"),
        ({"seed": 1, "resume": True, "steps": 299}, "at step 300, beyond the 299 steps asked for; take as many"),
        ({"seed": 1, "resume": True, "rate": 3.0}, "rate is null there and 3.0 here"),
        ({"seed": 1, "resume": True, "batch": 4}, "batch is 3 there and 4 here; choose another folder"),
        ({"seed": 1, "resume": True, "ema": 0.5}, "ema is 0.0 there and 0.5 here"),
        ({"seed": 1, "resume": True, "exact": True}, "rate_from.exact is false there and true here"),
    ],
)
@pytest.mark.usefixtures("nothing_computed")
def test_a_folder_that_is_taken_is_refused_before_anything_is_computed(taken, options, words):
    before = files(taken)
    with pytest.raises(store.StoreError, match=words) as refused:
        simulate(checkpoint=taken, **options)
    assert "\n" not in str(refused.value)
    assert files(taken) == before


def test_a_rate_that_another_seed_gave_is_another_run(tmp_path):
    simulate(seeds=2, checkpoint=tmp_path)
    with pytest.raises(store.StoreError, match="rate_from.seed is 0 there and 1 here"):
        simulate(seed=1, checkpoint=tmp_path, resume=True)


@pytest.mark.usefixtures("nothing_computed")
@pytest.mark.parametrize(
    ("problem", "options", "words"),
    [
        (FROZEN, {"steps": 0}, "steps must be a whole number of at least 1"),
        (FROZEN, {"steps": 2**31}, r"steps must be at most 2\^31 - 1; got 2147483648"),
        (FROZEN, {"batch": "half"}, "batch must be full or a whole number of draws; got 'half'"),
        (FROZEN, {"noise": "fresh"}, "fresh noise has no frozen copies; got noise_copies 2"),
        (FRESH, {"noise": "frozen"}, "averaged over all samples; got batch 3: take batch full"),
        (FROZEN, {"optimizer": "adam"}, "optimizer adam needs a rate; only plain sgd has a stable limit"),
        (FROZEN, {"optimizer": "adagrd", "rate": 1.0}, "got 'adagrd'; did you mean 'adagrad'"),
        (FROZEN, {"rate": -1.0}, "rate must be positive and finite; got -1"),
        (FROZEN, {"ema": 2.0}, "must lie between 0 and 1; got 2"),
        (FROZEN, {"resume": True}, "resume goes on from a checkpoint; give the folder where it lies"),
        (FROZEN, {"checkpoint_minutes": 0.0}, "checkpoint_minutes must be positive; got 0"),
        (FROZEN, {"devices": 3}, "3 devices were asked for and 1 is there|devices must divide the 8 features; got 3"),
        (FROZEN, {"model": "gaussian"}, "simulate trains the real features .*; got model gaussian"),
        (FROZEN, {"moments": "montecarlo:10"}, "got model real, moments montecarlo:10"),
        (FROZEN, {"preciscion": "float32"}, "preciscion"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_settings_that_are_refused(problem, options, words):
    with pytest.raises((ValueError, TypeError), match=words) as refused:
        simulate(problem, **options)
    assert "\n" not in str(refused.value)


@pytest.mark.usefixtures("nothing_computed")
def test_what_cannot_be_held_or_written_is_foreseen(tmp_path):
    with pytest.raises(MemoryError, match="GiB"):
        simulate(dim=100_000)
    with pytest.raises(MemoryError, match="smaller batch"):
        simulate(batch=10**10)
    (tmp_path / "file").write_text("")
    with pytest.raises(store.StoreError, match="cannot write to .*file/seed-0: .*; choose a folder that can be"):
        simulate(checkpoint=tmp_path / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
