"""The command that computes one cell of a sweep again: a shell command, or Python where a parameter has no flag."""

from __future__ import annotations

import dataclasses
import json
import math
import shlex
from collections.abc import Mapping
from typing import Any, NamedTuple

from rfsim.activations import runs_code
from rfsim.model import Problem

FIELDS = tuple(field.name for field in dataclasses.fields(Problem))
DATA = ("center", "scale")
DRAW = ("dim", "seed", "seeds")
METHOD = ("model", "moments")
DISTILL = (
    "distill_times", "levels", "time_min", "time_max", "teacher_time", "teacher_ridge", "trainer", "early_time",
    "parameterization", "start", "target", "solver", "sampler", "student_features_per_dim", "distill_data", "draws",
    "leakage_ridges", "threshold", "generated",
)  # fmt: skip
SIMULATE = ("optimizer", "rate", "batch", "noise", "steps", "ema", "precision", "products", "devices", "exact")
RENAMED = {"early_time": "early-teacher-time"}  # flags that are not the parameter's name
SWITCHES = {"by_part": (True, "by-part"), "center": (False, "no-center"), "exact": (False, "no-exact")}


class Front(NamedTuple):
    """How a quantity is asked for: the command's words ("" for none), the parameters that have a flag, those that are
    lists, and those of the problem that do not count."""

    words: str
    flags: tuple[str, ...]
    lists: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()


FRONTS = {
    "train": Front(
        "train",
        (*FIELDS, *DATA, *DRAW, *METHOD, "train_times", "route", "trainer", "by_part"),
        ("train_times",),
    ),
    "spectrum": Front("spectrum", (*FIELDS, *DATA, *DRAW, *METHOD)),
    "simulate": Front("simulate", (*FIELDS, *DATA, *DRAW, *METHOD, *SIMULATE)),
    "distill": Front(
        "distill",
        (*FIELDS, *DATA, *DRAW, *DISTILL),
        ("distill_times", "leakage_ridges"),
        ("diffusion_time",),
    ),
    "density": Front("", ()),
    "theory.curves": Front("theory curves", (*FIELDS, *DATA, "train_times", "trainer", "by_part"), ("train_times",)),
    "theory.spectrum": Front("theory spectrum", (*FIELDS, *DATA)),
    "theory.ridge": Front("theory ridge", (*FIELDS, *DATA, "ridges"), ("ridges",), ("ridge",)),
    "theory.score_minimum": Front("", (), ("samples_per_dim", "features_per_dim")),
    "theory.mini_gap": Front("", (), ("samples_per_dim", "diffusion_times"), ("features_per_dim",)),
}  # fmt: skip


def command(settings: Mapping[str, Any], cell: Mapping[str, Any], paths: Mapping[str, str] | None = None) -> str:
    """The shell command that computes one cell again, every number at full precision.

    settings: of the sweep, with "command" and "problem"; cell: the parameters in which cells differ, by name, lists by
    the name of one value (train_time, distill_time, ridge of theory.ridge); paths: of files of data, by how the sweep
    names them. A parameter that only Python takes makes it a `python -c` command. Raises ValueError for a command that
    is none.

    >>> command({"command": "train", "problem": {"dim": 50}}, {"samples_per_dim": 4.0, "seed": 3, "train_time": 1e3})
    'rfsim train --dim 50 --samples-per-dim 4 --seed 3 --train-times 1000'
    """
    name = str(settings["command"]).replace(" ", ".")
    if name not in FRONTS:
        raise ValueError(f"command must be one of {', '.join(FRONTS)}; got {name!r}")
    front = FRONTS[name]
    given = {one: _plain(value) for one, value in (settings.get("problem") or {}).items() if one not in front.unused}
    for one, value in cell.items():
        listed = f"{one}s" if f"{one}s" in front.lists else one
        if listed not in front.unused:
            given[listed] = _plain(value)
    given = {one: value for one, value in given.items() if value is not None}
    if isinstance(data := given.get("data"), str):
        given["data"] = (paths or {}).get(data, data)
    if "array" in settings:
        return _python(name, front, given, array=True)
    if not front.words or not set(given) <= set(front.flags):
        return _python(name, front, given, array=False)
    words = ["rfsim", *front.words.split()]
    for one, value in given.items():
        if one in SWITCHES:
            when, flag = SWITCHES[one]
            words += [f"--{flag}"] if bool(value) == when else []
        else:
            values = value if isinstance(value, list) else [value]
            words += [f"--{RENAMED.get(one, one.replace('_', '-'))}", ",".join(map(_text, values))]
    if runs_code(str(given.get("activation", ""))):
        words.append("--allow-import")
    return shlex.join(words)


def _python(name: str, front: Front, given: Mapping[str, Any], *, array: bool) -> str:
    """A call of the front door; what it returns is printed. Of an array, which only its owner has, the call alone."""
    scalars = {one: value for one, value in given.items() if one in FIELDS and one not in front.lists}
    rest = {one: value for one, value in given.items() if one not in scalars}
    rest = {
        one: [value] if one in front.lists and not isinstance(value, list) else value for one, value in rest.items()
    }
    if not front.words:  # what is a list of its own there and one value here
        for one in front.lists:
            field = one if one in FIELDS else one.removesuffix("s")
            rest.setdefault(one, [scalars.pop(field, getattr(Problem, field))])
    problem = ", ".join(f"{one}={_literal(value)}" for one, value in scalars.items())
    call = ", ".join([f"rfsim.Problem({problem})", *(f"{one}={_literal(value)}" for one, value in rest.items())])
    if array:
        return f"rfsim.{name}({call}, array=array)"
    return shlex.join(["python", "-c", f"import rfsim; print(rfsim.{name}({call}))"])


def _plain(value: Any) -> Any:
    """A number, text or list of them, of NumPy's or of JSON's, where infinities are text."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return float(value) if value in ("inf", "-inf") else value


def _text(value: Any) -> str:
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {_literal(one)}" for key, one in value.items()) + "}"
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    return json.dumps(value) if isinstance(value, str) else repr(value)
