"""Numbers at the ends of float64 and of whole numbers: refused in one line, or computed, in the time of any other."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

import rfsim
from rfsim import Problem
from rfsim.problem import origins
from rfsim.sampled.distill_plan import plan

TINY = {
    "train": "--dim 4 --features 8 --samples 6",
    "spectrum": "--dim 4 --features 8 --samples 6",
    "simulate": "--dim 4 --features 8 --samples 6 --steps 3",
    "distill": "--dim 3 --features 6 --samples 6 --levels 2 --generated 16 --distill-times 1,10",
    "posterior": "--data condition:4@1 --dim 3 --features 6 --samples 6 --levels 2 --inputs 2 --generated 2",
    "theory conditions": "--data condition:4@1",
    "theory curves": "",
    "theory spectrum": "",
    "theory ridge": "",
    "theory distill": "--ridges 0.1",
    "theory generated": "--train-times 10 --levels 3",
}
RUN = """
import contextlib, io, json, resource, signal, sys, time
resource.setrlimit(resource.RLIMIT_AS, (12 * 2**30,) * 2)
import jax
from rfsim.computing import machine
from rfsim.cli import main

machine.use_compilation_cache = lambda: None
class Late(BaseException): ...
def late(*_): raise Late
signal.signal(signal.SIGALRM, late)
for line in sys.stdin:
    arguments = json.loads(line)
    said = io.StringIO()
    signal.alarm(120)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
            status = main(arguments)
    except BaseException as error:
        status = f"{type(error).__name__}: {error}"
    signal.alarm(0)
    print(json.dumps([arguments, status, said.getvalue()]), flush=True)
"""


def cases(command):
    """The command at every extreme of each of its flags of numbers."""
    from tests.test_typed_numbers import numeric_flags

    for _, flag, counts in (one for one in numeric_flags() if one[0] == command):
        words = TINY[command].split()
        for own in (flag, flag.removesuffix("-per-dim")):
            if own in words:
                at = words.index(own)
                del words[at : at + 2]
        for value in ("9007199254740992",) if counts else ("5e-324", "1e300"):
            yield [*command.split(), *words, flag, value, "--json", "--quiet"]


@pytest.mark.slow
@pytest.mark.parametrize("command", TINY)
def test_a_number_at_its_extreme_is_computed_or_refused_in_one_line(command, tmp_path):
    asked = list(cases(command))
    told = "".join(f"{json.dumps(one)}\n" for one in asked)
    done = subprocess.run(
        [sys.executable, "-c", RUN], input=told, capture_output=True, text=True, cwd=tmp_path, timeout=1500
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(asked), done.stderr
    for arguments, status, said in found:
        assert status in (0, 2, 3), (arguments, status)
        assert status != 2 or (said.count("\n"), said[:7]) == (1, "rfsim: "), (arguments, said)
        assert all(line.startswith("rfsim: ") for line in said.splitlines()), (arguments, said)
        assert max(map(len, said.splitlines()), default=0) < 400


SMALL = Problem(3, 3)
BEYOND = {
    "train_times": (lambda: rfsim.train(SMALL, np.ones(10**7), dim=4), "at most 1000000 numbers; got 10000000"),
    "ridges": (lambda: rfsim.theory.ridge(SMALL, [1e300]), "ridges must be at most 1e"),
    "seeds": (lambda: rfsim.train(SMALL, dim=4, seeds=10**7), "seeds must be .* at most 100000; got 10000000"),
    "seed": (lambda: rfsim.train(SMALL, dim=4, seed=2**53), "seed must be a whole number"),
    "levels": (lambda: plan(SMALL, levels=10**9), "levels must be .* at most 10000; got 1000000000"),
    "samples": (lambda: plan(SMALL, samples=10**15), "samples must be .* at most 100000000"),
    "generated": (lambda: plan(SMALL, generated=10**15), "generated must be .* at most 100000000"),
    "memory": (lambda: rfsim.distill(SMALL, dim=100, generated=10**8), "needs about .* GiB"),
    "draws": (lambda: plan(SMALL, draws=10**15).number_of_draws(4), "draws must be at most 1000000000000 per level"),
    "digits": (lambda: plan(SMALL, draws="9" * 5000).number_of_draws(4), "draws must be at most .*; got '999"),
    "time_min": (lambda: plan(SMALL, time_min=5e-324), "time_min must be at least 1e-12"),
    "early_time": (lambda: plan(SMALL, early_time=1e300), "early_time must be at most 1e.100, or inf"),
    "target": (lambda: plan(SMALL, target="coupled:1e300"), "at most 1e.100"),
    "trainer": (lambda: rfsim.train(SMALL, dim=4, trainer="distillation:1e300"), "at most 1e.100"),
    "width": (lambda: plan(SMALL, student_features_per_dim=1e300).student_features(origins.Sizes(4, 4, 4)), "2.53"),
    "points": (lambda: rfsim.theory.spectrum(SMALL, points=10**9), "points must be .* at most 1000000"),
    "probes": (lambda: rfsim.density(SMALL, dim=4, probes=10**9), "probes must be .* at most 1000000"),
    "steps": (lambda: rfsim.simulate(SMALL, dim=4, steps=10**15), "steps must be"),
    "batch": (lambda: rfsim.simulate(SMALL, dim=4, batch=10**15), "needs about .* GiB"),
    "dim": (lambda: rfsim.train(SMALL, dim=10**15), "needs about .* GiB"),
    "workers": (
        lambda: rfsim.sweep({"command": "train", "axes": {"seed": [0, 1]}}, workers=10**9),
        "workers must be at most 4096",
    ),
}


@pytest.mark.parametrize("name", BEYOND)
def test_what_is_out_of_all_proportion_is_refused_before_anything_is_made(name):
    call, match = BEYOND[name]
    with pytest.raises((ValueError, MemoryError), match=match) as refusal:
        call()
    assert "\n" not in str(refusal.value)
