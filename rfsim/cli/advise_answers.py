"""`rfsim advise` as an answer: questions with their values, and the command that gives each number again."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rfsim.checking.lists import times
from rfsim.cli.answers import head, short
from rfsim.disk import store
from rfsim.maps.commands import command
from rfsim.problem.arrays import ARRAY
from rfsim.problem.model import Problem

if TYPE_CHECKING:
    import xarray as xr

DEFAULTS = Problem().settings


def answer(data: xr.Dataset) -> dict[str, Any]:
    """`rfsim advise --json`: for each diffusion time the questions, each with value, error and command.

    `reads` says where the value stands in what the command prints as JSON.
    """
    found = []
    for k, rows in enumerate(json.loads(data.attrs["answers"])):
        for row, told in enumerate(rows):
            found.append(
                {
                    "question": told["question"],
                    "value": float(data.value[k, row]),
                    "error": float(data.error[k, row]),
                    "command": _command(data, told),
                    "reads": told["reads"],
                    "diffusion_time": float(data.diffusion_time[k]),
                }
            )
    return store.plain(head(data, ()) | {"answers": found})


def lines(data: xr.Dataset) -> list[str]:
    """A page: each question with its value and error, and below it the command."""
    told = []
    for at, several in groupby(answer(data)["answers"], key=lambda one: one["diffusion_time"]):
        told += [f"at diffusion time {at:g}"]
        for one in several:
            error = "" if one["error"] is None else f" ± {one['error']:.2g}"
            value = "none" if one["value"] is None else short(one["value"]) + error
            told += [f"  {one['question']}  {value}", f"      {one['command']}"]
    return told


def _command(data: xr.Dataset, told: dict[str, Any]) -> str:
    """What computes an answer again; settings that are the problem's defaults go without saying."""
    given = {name: value for name, value in told["given"].items() if name not in DEFAULTS or value != DEFAULTS[name]}
    settings: dict[str, Any] = {"command": told["quantity"], "problem": given}
    problem = store.settings(data)
    if problem["data"] == ARRAY:  # of Python, which has no file
        settings["array"] = problem["data_digest"]
        if isinstance(text := given.get("train_times"), str):  # Python has no ranges
            given["train_times"] = list(times(text))
    return command(settings, {})
