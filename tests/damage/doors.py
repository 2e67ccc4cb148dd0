"""Every computing command, found in the command line itself, with small flags; functions that answer from memory."""

from __future__ import annotations

import contextlib
import functools
import inspect
import tempfile
from collections.abc import Iterator
from typing import get_type_hints

import pytest
import xarray as xr
from cyclopts import App

from rfsim import theory
from rfsim.cli import folder
from rfsim.cli.app import app
from rfsim.cli.flags import OutputFlags
from rfsim.disk import store
from rfsim.sampled import advise, distill, posterior, simulate, spectrum, train
from tests.commands import run

DRAWN = "--dim 4 --samples-per-dim 2 --features-per-dim 4"
FAST = ("spectrum", "train")  # the others take longer to compile than tests of every day may
DOORS = {  # command: (module, name) of what computes, flags of a small problem, and sets of further ones
    "train": (
        (train, "train"),
        DRAWN,
        (
            "--route krylov --model gaussian",
            "--by-part --trainer descent:0.5 --ridge 0.1 --train-times 1,inf --noise-copies 2",
            "--moments montecarlo:8 --seed 3 --seeds 2 --activation relu",
        ),
    ),
    "spectrum": ((spectrum, "spectrum"), DRAWN, ("--model gaussian --ridge 0.1 --data powerlaw:1",)),
    "simulate": (
        (simulate, "simulate"),
        f"{DRAWN} --steps 4",
        (
            "--noise-copies 2 --batch 3 --no-exact --optimizer adam --rate 0.01 --ema 0.5",
            "--devices 1 --precision float32 --seed 2",
        ),
    ),
    "distill": (
        (distill, "distill"),
        f"{DRAWN} --levels 2 --generated 16 --draws 64",
        ("--student-features-per-dim 5 --sampler sde --ridge 0.1 --target coupled:10",),
    ),
    "posterior": (
        (posterior, "posterior"),
        f"{DRAWN} --data condition:4@1 --levels 2 --inputs 2 --generated 4",
        ("--sampler heun --ridge 0.1 --time-min 0.1",),
    ),
    "advise": ((advise, "advise"), "--samples-per-dim 2 --features-per-dim 4 --seeds 1", ("--rate 0.1",)),
    "theory conditions": (
        (theory, "conditions"),
        "--data condition:4@1 --feature-ratios 4",
        ("--activation relu --ridge 0.1",),
    ),
    "theory split": ((theory, "split"), "--samples-per-dim 2", ("--data powerlaw:1",)),
    "theory curves": ((theory, "curves"), "--train-times 10", ("--by-part --trainer descent:0.5 --ridge 0.1",)),
    "theory spectrum": ((theory, "spectrum"), "", ("--noise-copies 2 --samples-per-dim 8",)),
    "theory ridge": ((theory, "ridge"), "", ("--ridges 0.5 --data subspace:0.5",)),
    "theory generated": (
        (theory, "generated"),
        "--features-per-dim inf --train-times 10 --levels 3",
        ("--sampler sde --train-schedule best", "--student --distill-times 10,inf"),
    ),
    "theory distill": (
        (theory, "distill"),
        "--ridges 0.1",
        ("--diffusion-times 0.1,0.3 --teacher-time 1e4 --start zero --threshold 0.1",),
    ),
}


def computing(commands: App = app, words: tuple[str, ...] = ()) -> Iterator[str]:
    """The commands that take an --out with a result: all that have OutputFlags."""
    for name in commands:
        if name.startswith("-"):
            continue
        one = commands[name]
        if one.default_command is not None:
            hints = get_type_hints(inspect.unwrap(one.default_command))
            if OutputFlags in hints.values():
                yield " ".join((*words, name))
        yield from computing(one, (*words, name))


@functools.cache
def computed(command: str) -> xr.Dataset:
    """What a command computes of its small flags."""
    found = []
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as scratch:
        patch.chdir(scratch)
        patch.setenv("RFSIM_CACHE", scratch)
        patch.setattr(folder, "reserved", lambda *_, **__: contextlib.nullcontext())
        patch.setattr(folder, "illustrate", lambda *_, **__: [])
        patch.setattr(folder, "keep", lambda out, data: found.append(data) or out)
        words = [*command.split(), *DOORS[command][1].split(), "--out", "t", "--quiet"]
        assert app(words, result_action="return_value") == 0
    return found[0]


@pytest.fixture
def kept(command, monkeypatch) -> xr.Dataset:
    """The public function of a command answers at once with what it has computed before, which this is."""
    data = computed(command)

    def door(*_, begin, **__):
        begin(store.settings(data))
        return data

    (module, name), _, _ = DOORS[command]
    monkeypatch.setattr(module, name, door)
    return data


def ask(capsys, command: str, *flags: str) -> tuple[int, str, str]:
    """Run a command on its small problem."""
    return run(capsys, *command.split(), *DOORS[command][1].split(), "--quiet", *flags)
