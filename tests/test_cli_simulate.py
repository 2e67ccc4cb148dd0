"""`rfsim simulate`: the JSON object of its contract, its tables, files, exit statuses and refusals."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rfsim.cli import answers, simulate_answers
from rfsim.disk import store
from rfsim.problem import model
from rfsim.results.progress import Interrupted
from rfsim.sampled import simulate as door
from tests.commands import answer, assert_refused, run
from tests.commands import place as place
from tests.simulation.synthetic import STOPS, dataset

pytestmark = pytest.mark.usefixtures("cache_of_its_own")

SMALL = ["--dim", "3", "--samples-per-dim", "2", "--features-per-dim", "4", "--noise-copies", "2"]
KEYS = ["schema", "problem", "optimizer", "devices", "step", "train_time", "train", "test", "gen", "exact"]


@pytest.fixture
def invented(monkeypatch):
    """The public function answers at once, with numbers that are invented; returns what it was asked for."""
    asked = {}

    def simulate(
        problem,
        *,
        array,
        center,
        scale,
        model,
        moments,
        report,
        begin,
        checkpoint,
        resume,
        checkpoint_minutes,
        split,
        held_out,
        keep_weights,
        **options,
    ):
        asked.update(options, problem=problem, checkpoint=checkpoint, resume=resume, minutes=checkpoint_minutes)
        made = dataset(problem, **options)
        begin(store.settings(made))
        return made

    monkeypatch.setattr(door, "simulate", simulate)
    return asked


def parsed(data) -> dict:
    """The answer as another program reads it."""
    return json.loads(answers.text(simulate_answers.answer(data)))


# --- the JSON object ----------------------------------------------------------------------------------------------


def test_the_answer_has_the_keys_of_the_contract():
    data = dataset(model.Problem(noise_copies=2))
    found = parsed(data)
    assert list(found) == KEYS
    assert found["schema"] == 1
    assert found["problem"] == json.loads(json.dumps(store.settings(data)))
    assert found["optimizer"] == {
        "name": "sgd", "batch": "full", "noise": "frozen", "ema": 0.0, "precision": "float64", "products": "highest",
        "rate": 4.5, "limit": 9.0, "rounding": 1e-7,
    }  # fmt: skip
    assert found["devices"] == ["cpu:0 cpu"]
    assert found["step"] == STOPS.tolist()
    assert found["train_time"] == (STOPS / 2).tolist()
    for name in ("train", "test", "gen"):
        assert found[name] == data[name].values[0].tolist()
    assert found["exact"] == {name: data[f"exact_{name}"].values[0].tolist() for name in ("train", "test")}


def test_there_is_null_where_there_is_no_filter():
    data = dataset(model.Problem(noise_copies=2), optimizer="adam", rate=1.0, exact=False)
    assert parsed(data)["exact"] == {"train": None, "test": None}
    assert "exact train" not in "\n".join(simulate_answers.lines(data))


def test_seeds_give_mean_and_standard_error():
    data = dataset(model.Problem(noise_copies=2), seeds=3)
    found = parsed(data)
    assert sorted(found) == sorted([*KEYS, "train_se", "test_se", "gen_se"])
    assert found["train"] == pytest.approx(data.train.values.mean(0).tolist())
    assert found["train_se"] == pytest.approx((data.train.values.std(0, ddof=1) / 3**0.5).tolist())
    assert len(found["exact"]["test"]) == len(STOPS)


def test_what_diverged_is_null_and_told():
    data = dataset(model.Problem(noise_copies=2), seeds=2, diverged={"1": "diverged at step 3: the loss is nan"})
    found = parsed(data)
    assert found["train"][3] is not None
    assert found["train"][4:] == found["train_se"][4:] == [None] * 4
    assert simulate_answers.failed_parts(data) == ["seed 1 diverged at step 3: the loss is nan"]


# --- the command --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("invented")
def test_files_are_written_drawn_again_and_shown(capsys):
    status, out, err = run(capsys, "simulate", *SMALL)
    assert (status, out) == (0, "")
    assert sorted(path.name for path in Path("rfsim-out/simulate").iterdir()) == [
        "figure.pdf", "figure.png", "result.nc",
    ]  # fmt: skip
    assert "sgd at rate 4.5, stable below 9; batch full, noise frozen, ema 0" in err
    assert re.search(r"\nstep +train_time +train +test +gen +exact train +exact test\n", err)
    assert run(capsys, "plot", "rfsim-out/simulate/result.nc", "--out", "again", "--quiet") == (0, "", "")
    assert "simulate result" in run(capsys, "show", "rfsim-out/simulate/result.nc")[1]
    assert run(capsys, "simulate", *SMALL, "--quiet") == (0, "", "")  # the same settings: once more is no loss
    assert_refused(capsys, "simulate", *SMALL, "--rate", "1", match="other settings; use --force")


def test_flags_reach_the_public_function(capsys, invented):
    answer(
        capsys, "simulate", *SMALL, "--optimizer", "sgd:momentum=0.9", "--rate", "2.5", "--batch", "7", "--noise",
        "frozen", "--steps", "1e3", "--ema", "0.99", "--precision", "float32", "--products", "high", "--devices", "2",
        "--no-exact", "--checkpoint", "here", "--resume", "--checkpoint-minutes", "0.5", "--seeds", "2", "--seed", "3",
        "--ridge", "0.1",
    )  # fmt: skip
    assert invented.pop("problem") == model.Problem(samples_per_dim=2, features_per_dim=4, noise_copies=2, ridge=0.1)
    assert invented == {
        "optimizer": "sgd:momentum=0.9", "rate": 2.5, "batch": 7, "noise": "frozen", "steps": 1000, "ema": 0.99,
        "precision": "float32", "products": "high", "devices": 2, "exact": False, "checkpoint": Path("here"),
        "resume": True, "minutes": 0.5, "seeds": 2, "seed": 3, "dim": 3, "schedule": "constant",
    }  # fmt: skip


def test_a_divergence_is_status_3_with_the_answer_printed(capsys, monkeypatch):
    line = "diverged at step 3: the loss is 2e+06, above 1e+06; the rate is 4.5"
    monkeypatch.setattr(door, "simulate", lambda problem, **_: dataset(problem, diverged={"0": line}, exact=False))
    status, out, err = run(capsys, "simulate", *SMALL, "--json", "--quiet")
    assert (status, err) == (3, f"rfsim: seed 0 {line}\n")
    assert json.loads(out)["train"][-1] is None


def test_interruption_is_130_and_keeps_the_seeds_that_ended(capsys, monkeypatch):
    kept = dataset(model.Problem(noise_copies=2))

    def interrupted(*args, **options):
        raise Interrupted(kept)

    monkeypatch.setattr(door, "simulate", interrupted)
    status, out, err = run(capsys, "simulate", *SMALL, "--seeds", "3")
    assert (status, out) == (130, "")
    assert "kept 1 of 3 seeds in rfsim-out/simulate\n" in err
    assert store.load("rfsim-out/simulate/result.nc").train.equals(kept.train)


BAD_VALUES = [
    (["--optimizer", "adamm"], "optimizer must be the name of an optax optimizer.* did you mean 'adam'"),
    (["--optimizer", "adam"], "optimizer adam needs a rate; only plain sgd has a stable limit to take it from"),
    (["--optimizer", "sgd:momentu=1", "--rate", "1"], "did you mean 'momentum'"),
    (["--rate", "0"], "rate must be positive and finite; got 0"),
    (["--rate", "fast"], "--rate"),
    (["--batch", "0"], "--batch: must be a whole number from 1.*, or full"),
    (["--batch", "2.5"], "--batch: must be a whole number"),
    (["--batch", "ful"], "--batch: .*or full"),
    (["--noise", "frosen"], "--noise"),
    (["--noise", "fresh"], "fresh noise has no frozen copies; got noise_copies 2: take noise frozen"),
    (["--noise-copies", "inf", "--noise", "frozen", "--batch", "4"], "got batch 4: take batch full"),
    (["--steps", "0"], "--steps: must be a whole number from 1"),
    (["--steps", "2147483648"], r"steps must be at most 2\^31 - 1; got 2147483648"),
    (["--ema", "1.5"], "between 0 and 1; got 1.5"),
    (["--precision", "float16"], "--precision"),
    (["--products", "best"], "--products"),
    (["--devices", "0"], "--devices: must be a whole number from 1"),
    (["--devices", "5"], "5 devices were asked for|devices must divide the 12 features; got 5"),
    (["--resume"], "resume goes on from a checkpoint; give the folder where it lies"),
    (["--checkpoint-minutes", "0"], "checkpoint_minutes must be positive; got 0"),
    (["--checkpoint", "/dev/null"], "cannot write to /dev/null/seed-0: .*; choose a folder that can be written"),
    (["--model", "gaussian"], "simulate trains the real features .*; got model gaussian"),
    (["--moments", "montecarlo:5"], "moments montecarlo:5"),
    (["--dim", "1e5"], "needs about .* GiB, and this process may use"),
    (["--optimiser", "adam"], "--optimizer"),
]


@pytest.mark.parametrize(("given", "match"), BAD_VALUES, ids=lambda v: " ".join(v)[:40] if isinstance(v, list) else "")
def test_bad_settings_are_refused(capsys, given, match):
    small = dict(zip(SMALL[::2], SMALL[1::2], strict=True))
    others = [word for flag, value in small.items() if flag not in given for word in (flag, value)]
    assert_refused(capsys, "simulate", *others, *given, match=match)


# --- real processes -----------------------------------------------------------------------------------------------


# Ctrl-C is heard even where the tests run in the background of a shell, which turns it off
MAIN = """
import signal, sys
from rfsim.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def command(place, tmp_path_factory):
    """`rfsim simulate` in a process of its own, that shares what it compiled with the next one."""
    cache = tmp_path_factory.getbasetemp() / "compiled"
    started = []

    def start(*arguments: str) -> subprocess.Popen:
        words = [sys.executable, "-c", MAIN, "simulate", *SMALL, *arguments, "--json", "--quiet"]
        env = os.environ | {"RFSIM_CACHE": str(cache)}
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def ended(process) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def newest(folder) -> Path | None:
    return max(Path(folder).glob("seed-*/checkpoint-*.nc"), default=None)


def later_than(process, folder, seen) -> None:
    """Wait until a checkpoint is written after `seen`."""
    while newest(folder) == seen and process.poll() is None:
        time.sleep(0.005)


MANY = ["--seeds", "2", "--steps", "60000", "--checkpoint-minutes", "1e-6"]
KILLED = [
    ["--batch", "4", "--ema", "0.999"],
    ["--optimizer", "adam", "--rate", "0.001", "--precision", "float32"],
]


@pytest.mark.slow
@pytest.mark.parametrize("options", KILLED, ids=lambda value: value[1])
def test_a_killed_run_resumes_to_the_same_bytes_and_the_same_answer(command, options):
    status, whole, err = ended(command(*MANY, *options, "--checkpoint", "whole"))
    assert (status, err) == (0, "")
    rng = np.random.default_rng(len(options))
    for _ in range(2):
        process, seen = command(*MANY, *options, "--checkpoint", "cut", "--resume"), newest("cut")
        later_than(process, "cut", seen)
        time.sleep(rng.uniform(0, 0.6))
        process.send_signal(signal.SIGKILL)
        ended(process)
    assert newest("cut") is not None
    assert ended(command(*MANY, *options, "--checkpoint", "cut", "--resume")) == (0, whole, "")
    for seed in (0, 1):
        name = f"seed-{seed}/checkpoint-{60_000:012d}.nc"
        assert (Path("cut") / name).read_bytes() == (Path("whole") / name).read_bytes()


@pytest.mark.slow
def test_ctrl_c_on_a_process_keeps_the_checkpoint(command):
    steps = ["--steps", "300000", "--batch", "4"]
    whole = ended(command(*steps))
    process = command(*steps, "--checkpoint", "cut", "--checkpoint-minutes", "1e-6")
    later_than(process, "cut", None)
    process.send_signal(signal.SIGINT)
    status, out, err = ended(process)
    assert (status, out) == (130, "")
    assert err.endswith("rfsim: interrupted\n")
    assert newest("cut") is not None
    assert ended(command(*steps, "--checkpoint", "cut", "--resume")) == whole


@pytest.mark.slow
def test_refusals_and_divergence_of_a_process(command):
    kept = ["--steps", "50", "--checkpoint", "kept"]
    assert ended(command("--steps", "20", "--checkpoint", "kept"))[0] == 0
    status, out, err = ended(command(*kept))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "kept/seed-0 holds a checkpoint at step 20; resume to go on from it" in err
    status, out, err = ended(command(*kept, "--resume", "--ema", "0.5"))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "ema is 0.0 there and 0.5 here" in err
    status, longer, err = ended(command(*kept, "--resume"))
    assert (status, err) == (0, "")
    assert longer == ended(command("--steps", "50"))[1]
    newest("kept").write_bytes(b"garbage")
    status, out, err = ended(command(*kept, "--resume"))
    assert (status, out, err.count("\n")) == (0, longer, 1)
    assert "checkpoint-000000000050.nc is not a readable netCDF file" in err
    assert err.endswith("this checkpoint is not used\n")
    status, out, err = ended(command("--steps", "50", "--rate", "1000"))
    assert status == 3
    assert json.loads(out)["train"][-1] is None
    assert json.loads(out)["exact"]["train"][-1] is not None
    warned, diverged = err.splitlines()
    assert warned.startswith("rfsim: warning: rate 1000 is above the largest stable one, ")
    assert re.match(
        r"rfsim: seed 0 diverged at step \d+: the loss is .*the rate is 1000 and the stable limit", diverged
    )
