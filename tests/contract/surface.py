"""What scripts outside this repository rely on, as plain values: flags, JSON, sweeps, results, exit statuses.

Written to frozen.json by `python -m tests.contract.surface`; what is meant to change is frozen anew, in a commit that
says so.
"""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

FROZEN = Path(__file__).with_name("frozen.json")
NOISE = (
    "residual",
    "error_bound",
    "part_error",
    "orders",
    "remaining",
    "blocks",
    "change",
    "seconds",
)  # names whose values are rounding
TINY = ("--dim", "6", "--samples-per-dim", "2", "--features-per-dim", "4")
RATIOS = TINY[2:]
MANY = ("--samples-per-dim", "2", "--features-per-dim", "inf")
FEW = (*TINY, "--levels", "3", "--time-min", "0.1", "--time-max", "1", "--generated", "16", "--distill-times", "1,100")
CALLS = {  # one of every answer: a name, and the command line that gives it
    "train": ("train", *TINY, "--train-times", "0,100,inf"),
    "train by part": ("train", *TINY, "--by-part", "--seeds", "2"),
    "train by krylov": ("train", *TINY, "--route", "krylov"),
    "train of frozen copies": ("train", *TINY, "--noise-copies", "2", "--ridge", "0.1"),
    "train by Monte Carlo": ("train", *TINY, "--moments", "montecarlo:20"),
    "train of the Gaussian model": ("train", *TINY, "--model", "gaussian"),
    "spectrum": ("spectrum", *TINY),
    "simulate": ("simulate", *TINY, "--steps", "20", "--noise", "fresh", "--batch", "4"),
    "distill": ("distill", *FEW),
    "distill with an audit": ("distill", *FEW, "--audit"),
    "theory curves": ("theory", "curves", *RATIOS, "--by-part"),
    "theory spectrum": ("theory", "spectrum", *RATIOS),
    "theory ridge": ("theory", "ridge", *RATIOS),
    "theory curves of many features": ("theory", "curves", *MANY, "--by-part"),
    "theory spectrum of many features": ("theory", "spectrum", *MANY),
    "theory generated": ("theory", "generated", *MANY, "--levels", "3", "--student", "--distill-times", "1,inf"),
    "theory distill": ("theory", "distill", *RATIOS, "--ridges", "0,0.1", "--distill-times", "100,inf"),
}
REFUSALS = {  # command lines that give no answer: their exit status
    "no such flag": (("train", "--width-per-dim", "3"), 2),
    "a size that is none": (("train", "--dim", "3.5"), 2),
    "a time that is none": (("theory", "curves", "--train-times", "1,,2"), 2),
    "no such data": (("spectrum", "--data", "isotropc"), 2),
    "a descending ladder": (("theory", "distill", "--diffusion-times", "0.1,0.05"), 2),
    "a solver that the limit does not know": (("theory", "distill", "--solver", "heun"), 2),
    "counts in the limit": (("theory", "ridge", "--samples", "20"), 2),
    "a file that is not there": (("show", "nowhere.nc"), 2),
    "a sweep that is not there": (("sweep", "nowhere.toml"), 2),
    "no such figure": (("reproduce", "no-such-figure"), 2),
    "a step that diverges": (("train", *TINY, "--trainer", "descent:1e6", "--json"), 2),
}


def flags() -> dict[str, dict[str, dict[str, Any]]]:
    """Of every command: each flag, or positional argument, with its type and default."""
    from rfsim.cli.app import app

    return {
        " ".join(name): {
            " ".join(one.names): {"type": _type(one.hint), "default": _default(one.field_info.default)}
            for one in command.assemble_argument_collection()
            if one.parse and one.show
        }
        for name, command in _commands(app, ())
        if command.default_command
    }


def sweeps() -> dict[str, dict[str, Any]]:
    """Of every quantity that a sweep maps: its parameters, and those that are lists with the dimension each makes."""
    from rfsim.quantities.catalog import QUANTITIES

    return {
        name: {"parameters": sorted(one.swept), "lists": dict(sorted(one.lists.items()))}
        for name, one in sorted(QUANTITIES.items())
    }


def answer(call: str) -> dict[str, Any]:
    """What a call of CALLS prints as JSON, and the variables of the result that it stores."""
    import rfsim
    from rfsim.cli import main

    with tempfile.TemporaryDirectory() as folder:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
            status = main([*CALLS[call], "--json", "--out", folder])
        assert status in (0, 3), status
        return {
            "status": status,
            "json": json.loads(printed.getvalue()),
            "stored": variables(rfsim.load(Path(folder) / "result.nc")),
        }


def results() -> dict[str, dict[str, Any]]:
    """Variables of what only Python gives, and of a sweep."""
    import rfsim

    problem = rfsim.Problem(samples_per_dim=2, features_per_dim=4)
    with tempfile.TemporaryDirectory() as folder:
        spec = {"command": "theory.ridge", "axes": {"samples_per_dim": [1, 2], "ridges": [0.1, 1.0]}}
        return {
            "density": variables(rfsim.density(problem, dim=6, probes=2, steps=5)),
            "theory.score_minimum": variables(
                rfsim.theory.score_minimum(problem, samples_per_dim=[2], features_per_dim=[4])
            ),
            "theory.gamma_star": variables(rfsim.theory.gamma_star(problem, 0.05)),
            "theory.mini_gap": variables(rfsim.theory.mini_gap(problem, samples_per_dim=[8], diffusion_times=[0.1])),
            "sweep": variables(rfsim.sweep(spec, out=Path(folder) / "plane.zarr")),
        }


def variables(data: xr.Dataset) -> dict[str, str]:
    """Each variable and coordinate of a result: dimensions, kind of number, unit."""
    return {
        str(name): " ".join(
            ["coordinate" * (name in data.coords), f"({', '.join(map(str, one.dims))})", one.dtype.kind]
            + ([str(one.attrs["units"])] if "units" in one.attrs else [])
        ).strip()
        for name, one in sorted(data.variables.items(), key=lambda item: str(item[0]))
    }


def differences(frozen: Any, found: Any, where: str = "") -> Iterator[str]:
    """What is not as it was: shapes and texts to the letter, numbers within 1e-6 but for those that are rounding."""
    if isinstance(frozen, Mapping) and isinstance(found, Mapping):
        for key in sorted({*frozen, *found}):
            if key not in found or key not in frozen:
                yield f"{where}/{key} is {'gone' if key in frozen else 'new'}"
            elif key not in NOISE:
                yield from differences(frozen[key], found[key], f"{where}/{key}")
    elif isinstance(frozen, list) and isinstance(found, list):
        if len(frozen) != len(found):
            yield f"{where} had {len(frozen)} entries and has {len(found)}"
        for k, pair in enumerate(zip(frozen, found, strict=False)):
            yield from differences(*pair, f"{where}/{k}")
    elif _number(frozen) and _number(found):
        if not np.isclose(frozen, found, rtol=1e-6, atol=1e-9):
            yield f"{where} was {frozen} and is {found}"
    elif type(frozen) is not type(found) or frozen != found:
        yield f"{where} was {frozen!r} and is {found!r}"


def kept(frozen: Any, found: Any) -> Any:
    """What is found, with the frozen numbers where they differ by rounding, so that a diff shows what was meant."""
    if isinstance(frozen, Mapping) and isinstance(found, Mapping):
        return {key: kept(frozen[key], one) if key in frozen else one for key, one in found.items()}
    if isinstance(frozen, list) and isinstance(found, list) and len(frozen) == len(found):
        return [kept(*pair) for pair in zip(frozen, found, strict=True)]
    return found if any(differences(frozen, found)) else frozen


def everything() -> dict[str, Any]:
    """All of it, as frozen.json holds it."""
    return {
        "flags": flags(),
        "sweeps": sweeps(),
        "answers": {call: answer(call) for call in CALLS},
        "results": results(),
    }


def _commands(app: Any, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name in app:
        if not name.startswith("-"):
            yield (*above, name), app[name]
            yield from _commands(app[name], (*above, name))


def _type(hint: Any) -> str:
    choices = [one for part in (hint, *typing.get_args(hint)) if typing.get_origin(part) is typing.Literal
               for one in typing.get_args(part)]  # fmt: skip
    if choices:
        return " | ".join(map(str, choices))
    return hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint).replace("typing.", "")


def _default(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return str(value)
    if isinstance(value, Sequence):
        return [str(one) for one in value]
    return "required"


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


if __name__ == "__main__":
    import jax

    with jax.enable_x64(True):
        told = kept(json.loads(FROZEN.read_text(encoding="utf-8")), everything())
        FROZEN.write_text(json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
