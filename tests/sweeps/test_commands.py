"""The command that redoes a cell: read by the real command line, it asks for that cell."""

from __future__ import annotations

import dataclasses
import math
import shlex

import numpy as np
import pytest

import rfsim
from rfsim.cli import commands, options
from rfsim.cli.app import app
from rfsim.maps.commands import command
from rfsim.problem.model import Problem
from rfsim.quantities.catalog import QUANTITIES

# a value for every parameter, not its default where it has one; `another` finds those that are not here
VALUES = {
    "samples_per_dim": 4.1, "features_per_dim": 1 / 3, "diffusion_time": 0.2, "noise_copies": 3.0, "activation": "erf",
    "data": "powerlaw:1.5", "ridge": 1e-3, "dim": 7, "seed": 3, "seeds": 2, "center": False, "scale": "columns",
    "model": "gaussian", "moments": "montecarlo:8", "route": "krylov", "trainer": "descent:0.5", "by_part": True,
    "optimizer": "sgd:momentum=0.9", "rate": 0.5, "batch": 16, "noise": "fresh", "steps": 12, "ema": 0.9,
    "precision": "float32", "products": "high", "devices": 2, "exact": False, "levels": 5, "time_min": 0.03,
    "time_max": 2.0, "teacher_time": math.inf, "teacher_ridge": 0.1, "early_time": 30.0, "parameterization": "edm",
    "renoise": 0.5, "start": "zero", "target": "coupled:3", "method": "segments:2", "generations": 2, "critic": "5",
    "solver": "heun", "sampler": "sde", "student_features_per_dim": 2.5,
    "distill_data": "fresh", "draws": "30p", "threshold": 0.02, "generated": 50,
    "train_times": [0.1, math.inf], "distill_times": [1.0], "leakage_ridges": [0.0, 0.3], "ridges": [0.1, 2.0],
    "diffusion_times": [0.02, 0.3], "covariance": "deconvolved", "train_schedule": "best", "student": True,
    "schedule": "cosine:decay_steps=9", "feature_ratios": [2.0, 30.0], "inputs": 5, "sample_ratios": [2.0, 30.0],
}  # fmt: skip


def another(parameter):
    """A value that a parameter takes, not its default."""
    default = parameter.default
    given = VALUES.get(parameter.name)
    if given is not None and (not parameter.choices or given in parameter.choices):
        return given
    if parameter.switch:
        return not default
    if parameter.choices:
        return next(one for one in parameter.choices if one != default)
    found = [*default, default[0]] if isinstance(default, tuple) else default + 1 if isinstance(default, int) else None
    found = 1.1 * default if isinstance(default, float) else found
    assert found is not None, f"{parameter.name}: no value follows from its default {default!r}; give one in VALUES"
    if parameter.check is not None:
        parameter.check(found, parameter.name)
    return found


def parsed(line):
    """The arguments of the command line's function, and its words."""
    words = shlex.split(line)
    assert words[0] == "rfsim"
    function, bound, ignored = app.parse_args(words[1:], exit_on_error=False, print_error=False, verbose=False)
    assert not ignored
    found = {}
    for name, value in bound.arguments.items():
        found |= dataclasses.asdict(value) if dataclasses.is_dataclass(value) else {name: value}
    return function, found


@pytest.mark.parametrize("name", [name for name, one in QUANTITIES.items() if one.command])
def test_every_flag_is_one_of_the_command_line(name):
    quantity = QUANTITIES[name]
    flags = {
        one: flag
        for one, flag in quantity.flagged.items()
        if (one in VALUES or one in quantity.swept) and not flag.unused and flag.role != "command"
    }
    values = {one: another(flag) for one, flag in flags.items()}
    line = command({"command": name, "problem": values}, {})
    assert line.startswith(f"rfsim {quantity.typed} --")
    _, found = parsed(line)
    for one, flag in flags.items():
        value = values[one] != flag.default if flag.switch else values[one]
        told = found[flag.typed.removeprefix("--").replace("-", "_")]
        assert told == (tuple(value) if isinstance(value, list) else value), one


# what only Python takes
OWN = {"spill": "here", "points": 5, "variants": [{"ridge": 0.5}]}


@pytest.mark.parametrize("name", QUANTITIES)
def test_what_has_no_flag_is_asked_for_in_python(name):
    quantity = QUANTITIES[name]
    flags = set(quantity.flagged) if quantity.command else set()
    for one in {*quantity.swept, *OWN} - flags:
        line = command({"command": name, "problem": {one: 1}}, {})
        assert shlex.split(line)[:2] == ["python", "-c"], one
        assert f"{(quantity.over or {}).get(one, one)}=" in line


def test_cells_are_asked_for_by_axes_lists_and_full_precision():
    settings = {"command": "train", "problem": {"dim": 50, "noise_copies": "inf", "by_part": False, "rate": None}}
    cell = {"samples_per_dim": np.float64(64 ** (1 / 7)), "seed": np.int64(3), "train_time": 1e3}
    line = command(settings, cell)
    assert line == (
        "rfsim train --dim 50 --noise-copies inf --samples-per-dim 1.8114473285278132 --seed 3 --train-times 1000"
    )
    assert command({"command": "theory curves"}, {"train_time": math.inf}) == "rfsim theory curves --train-times inf"
    # a cell's own value goes before that of all, and the ridges of theory.ridge are one list
    assert command({"command": "train", "problem": {"ridge": 1.0}}, {"ridge": 0.5}) == "rfsim train --ridge 0.5"
    assert command({"command": "theory.ridge", "problem": {"ridge": 1.0}}, {"ridge": 0.5}) == (
        "rfsim theory ridge --ridges 0.5"
    )
    with pytest.raises(ValueError, match="command must be one of .*train; got 'tarin'"):
        command({"command": "tarin"}, {})


@pytest.mark.parametrize("psi", [4.3, 64 ** (1 / 7), 0.7, 1 / 3 + 1e-16])
def test_the_command_has_the_same_number_of_samples_and_features(psi):
    found = {}

    def caught(quantity, values, *_):
        found["asked"] = options.ask(quantity, values)

    line = command({"command": "train", "problem": {"dim": 45}}, {"samples_per_dim": psi, "features_per_dim": 2 * psi})
    problem = Problem(samples_per_dim=psi, features_per_dim=2 * psi)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commands, "compute", caught)
        app(shlex.split(line)[1:], result_action="return_value")
    assert found["asked"].problem == problem
    assert found["asked"].sizes[1:] == (round(psi * 45), round(2 * psi * 45))


def test_what_has_no_flag_is_python_that_calls_the_public_function(monkeypatch):
    heard = {}

    def train(*positional, **named):
        (problem,) = positional
        heard.update(named, problem=problem)

    monkeypatch.setattr(rfsim, "train", train, raising=False)
    problem = {"dim": 8, "samples_per_dim": 2, "features_per_dim": 4.0, "fresh_noise": True}
    words = shlex.split(
        command({"command": "train", "problem": problem}, {"noise_copies": 2.0, "train_time": math.inf})
    )
    assert words[:2] == ["python", "-c"]
    exec(words[2], {})
    assert heard == {
        "problem": Problem(samples_per_dim=2, features_per_dim=4.0, noise_copies=2.0),
        "dim": 8, "fresh_noise": True, "train_times": [math.inf],
    }  # fmt: skip
    line = command({"command": "theory.mini_gap", "problem": {}}, {"samples_per_dim": 8.0, "diffusion_time": 0.1})
    assert "rfsim.theory.mini_gap(rfsim.Problem(), samples_per_dim=[8.0], diffusion_times=[0.1])" in line
    variants = {"variants": [{"ridge": 0.5, "start": "zero"}]}
    line = shlex.split(command({"command": "distill", "problem": variants}, {"distill_time": 10.0}))[2]
    assert 'variants=[{"ridge": 0.5, "start": "zero"}], distill_times=[10.0]' in line
    # a callable's address runs code, which is allowed by name
    line = command({"command": "train", "problem": {"activation": "jax.numpy:tanh"}}, {})
    assert line == "rfsim train --activation jax.numpy:tanh --allow-import"
    line = command({"command": "density", "problem": {"activation": "jax.numpy:tanh"}}, {})
    assert shlex.split(line)[2] == 'import rfsim; print(rfsim.density(rfsim.Problem(activation="jax.numpy:tanh")))'
