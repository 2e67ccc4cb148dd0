"""The command that computes one cell of a sweep again: a shell command, or Python where a parameter has no flag."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Mapping
from typing import Any

from rfsim.problem.activations import runs_code
from rfsim.problem.model import Problem
from rfsim.quantities.catalog import QUANTITIES, Quantity
from rfsim.sweeps.cells import PROBLEM


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
    if name not in QUANTITIES:
        raise ValueError(f"command must be one of {', '.join(QUANTITIES)}; got {name!r}")
    quantity = QUANTITIES[name]
    own = {made: one for one, made in quantity.lists.items()}
    given = {one: _plain(value) for one, value in (settings.get("problem") or {}).items()}
    given |= {own.get(one, one): _plain(value) for one, value in cell.items()}
    given = {one: value for one, value in given.items() if value is not None and not quantity.ignores(one)}
    if isinstance(data := given.get("data"), str):
        given["data"] = (paths or {}).get(data, data)
    if "array" in settings:
        return _python(quantity, given, array=True)
    if not quantity.command or not set(given) <= set(quantity.flagged):
        return _python(quantity, given, array=False)
    words = ["rfsim", *quantity.typed.split()]
    for one, value in given.items():
        parameter = quantity.flagged[one]
        if parameter.switch:
            words += [parameter.typed] if bool(value) != parameter.default else []
        else:
            values = value if isinstance(value, list) else [value]
            words += [parameter.typed, ",".join(map(_text, values))]
    if runs_code(str(given.get("activation", ""))):
        words.append("--allow-import")
    return shlex.join(words)


def _python(quantity: Quantity, given: Mapping[str, Any], *, array: bool) -> str:
    """A call of the public function, whose result is printed; of an array, which its owner alone has, only the call."""
    over = quantity.over or {}
    fields = {one: value for one, value in given.items() if one in PROBLEM and one not in over}
    rest = {over.get(one, one): value for one, value in given.items() if one not in fields}
    rest = {keyword: getattr(Problem, one) for one, keyword in over.items()} | rest
    rest = {
        one: [value] if one in (*quantity.lists, *over.values()) and not isinstance(value, list) else value
        for one, value in rest.items()
    }
    problem = ", ".join(f"{one}={_literal(value)}" for one, value in fields.items())
    call = ", ".join([f"rfsim.Problem({problem})", *(f"{one}={_literal(value)}" for one, value in rest.items())])
    if array:
        return f"rfsim.{quantity.name}({call}, array=array)"
    return shlex.join(["python", "-c", f"import rfsim; print(rfsim.{quantity.name}({call}))"])


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
