"""A distillation as an answer: the JSON object of the command contract, and lines for a reader.

What is not defined is null, with the reason under "undefined". Over several seeds a number is the mean and `NAME_se`
beside it the standard error; for one seed `NAME_se` is the result's own error bar where it has one. The limits of an
interval are then means, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rfsim.cli.answers import head, mean, short, size_lines, standard_error, table
from rfsim.cli.audit_answers import audit_answer, audit_lines
from rfsim.disk import store

if TYPE_CHECKING:
    import xarray as xr

AXES = ("distill_times", "leakage_ridges")
PARTS = ("gen", "main", "mini", "null")
SHOWN = ("memorized_fraction", "frechet_per_dim", "sliced_wasserstein", "membership_auc")  # in the table
MEASURES = (*SHOWN, "membership_tpr_1", "membership_tpr_10")
INTERVAL = ("memorized_low", "memorized_high")
LOSSES = ("train", "test")


def answer(data: xr.Dataset) -> dict[str, Any]:
    """`rfsim distill --json`: teacher, student and every control by the same measures; suppression; leakage; γ⋆."""
    own = data.isel(variant=0)  # the command distills one student
    times = enumerate(own.distill_time.values.tolist())
    controls = {
        "teacher_steps": _along(own, "teacher_steps", "steps"),
        "student_steps": _along(own.isel(distill_time=-1), "student_steps", "steps"),
        "early_student": _along(own, "early_student", "distill_time"),
        "regression": _along(own, "regression", "distill_time"),
    }
    found = head(data, AXES) | {
        "method": store.settings(data)["variants"][0].get("method", "consistency"),
        "diffusion_time": own.diffusion_time.values,
        "teacher": _quality(own, "teacher") | _levels(own, "teacher"),
        "early_teacher": _quality(own, "early_teacher"),
        "reference": _quality(own, "reference"),
        "student": [{"distill_time": time} | _student(own.isel(distill_time=k)) for k, time in times],
        **({"stochastic": _stochastic(own)} if "stochastic" in own else {}),
        "leakage": [
            {"ridge": ridge} | _leakage(own.isel(ridge=k)) for k, ridge in enumerate(own.ridge.values.tolist())
        ],
        "gamma_star": {"threshold": store.settings(data)["threshold"]}
        | _numbers(own, "ridge", "gamma_star")
        | ({"limit": own.limit_gamma_star.values} if "limit_gamma_star" in own else {}),
        **({"split": _split(own)} if "split_teacher" in own else {}),
        "controls": controls,
        **({"audit": audit_answer(own, data)} if "audit_count" in own else {}),
        "undefined": json.loads(data.attrs["undefined"]),
    }
    return store.plain(found)


def lines(data: xr.Dataset) -> list[str]:
    """The same for a reader: samples of each model in one table, suppression and leakage in two more."""
    found = answer(data)
    header = ["samples of", "steps", "distill_time", "memorized", "interval", *SHOWN[1:]]
    ridge = found["gamma_star"]["ridge"]
    reached = "no ridge of these" if ridge is None else short(ridge)
    limit = found["gamma_star"].get("limit")
    return [
        *size_lines(data),
        *table([header, *_sample_rows(found)]),
        "suppression: median and range of the levels",
        *table([["distill_time", *PARTS], *_suppression_rows(found)]),
        "leakage: shares of Gen that land outside of gen, and where",
        *table([["ridge", *PARTS, *(["limit"] if "limit" in found["gamma_star"] else [])], *_leakage_rows(found)]),
        f"gamma_star  {reached} (leakage below {short(found['gamma_star']['threshold'])})",
        *([f"gamma_star of the limit by level: median and range  {_range(limit)}"] if limit else []),
        *(_split_lines(found["split"]) if "split" in found else []),
        *(audit_lines(found["audit"]) if "audit" in found else ()),
        *(f"undefined  {name}: {reason}" for name, reason in found["undefined"].items()),
        *_moved_lines(found),
    ]


def failed_parts(data: xr.Dataset) -> list[str]:
    """A line for each seed of which a run diverged; exact flows do not."""
    return [f"seed {seed} {line}" for seed, line in json.loads(data.attrs.get("diverged", "{}")).items()]


def _stochastic(one: xr.Dataset) -> dict[str, Any]:
    """The student after all steps of its optimizer, and the exact flow beside it."""
    time = float(mean(one.stochastic_time))
    return (
        {"step": int(one.step.values[-1]), "distill_time": None if np.isnan(time) else time}
        | _quality(one, "stochastic")
        | {"exact": _quality(one, "stochastic_exact")}
    )


def _split(own: xr.Dataset) -> dict[str, Any]:
    """How far apart samples of two halves are, and how far from the training points of either."""
    times = list(enumerate(own.distill_time.values.tolist()))

    def to_training(one: xr.Dataset, model: str) -> dict[str, float]:
        return {which: float(mean(one[f"{model}_to_{which}"])) for which in ("own", "other")}

    return (
        _numbers(own, "teacher", "split_teacher")
        | {"teacher_one_step": float(mean(own.split_teacher_steps.sel(steps=1)))}
        | {"teacher_steps": mean(own.split_teacher_steps), "early_teacher": float(mean(own.split_early_teacher))}
        | {
            "student": [
                {"distill_time": time} | _numbers(own.isel(distill_time=k), "distance", "split_student")
                for k, time in times
            ],
            "to_training": {
                "teacher": to_training(own, "teacher"),
                "student": [
                    {"distill_time": time} | to_training(own.isel(distill_time=k), "student") for k, time in times
                ],
            },
        }
    )


def _student(one: xr.Dataset) -> dict[str, Any]:
    """A student at one distill_time, the same with half of the draws, and the measures that differ by too much."""
    moved = [name for name in _measures(one) if _mostly(one.student_moved.sel(quality=name))]
    moved += [f"suppression.{name}" for name in _known(one) if _mostly(one.suppression_moved.sel(part=name))]
    return (
        _quality(one, "student")
        | ({"evaluations": int(mean(one.evaluations))} if "evaluations" in one else {})
        | ({"mixing": mean(one.mixing)} if "mixing" in one else {})
        | ({"integration": _integration(one)} if "integration_steps" in one else {})
        | {"suppression": _by_part(one, "suppression")}
        | {f"suppression_{key}": part for key, part in _errors_by_part(one, "suppression").items()}
        | _levels(one, "student")
        | {
            "half": _quality(one, "student_half", errors=False)
            | {"suppression": _by_part(one, "suppression_half")},
            "moved": moved,
        }
    )  # fmt: skip


def _integration(one: xr.Dataset) -> dict[str, float]:
    """How the student came there."""
    return {name: float(mean(one[f"integration_{name}"])) for name in ("steps", "error")}


def _leakage(one: xr.Dataset) -> dict[str, Any]:
    """Leakage at one ridge, over all levels and level by level."""
    found: dict[str, Any] = dict.fromkeys(PARTS)
    for name in _known(one):
        found |= _numbers(one.sel(part=name), name, "leakage_all")
    half = {name: float(mean(one.leakage_all_half.sel(part=name))) for name in _known(one)}
    found |= {"limit": one.limit_leakage.values} if "limit_leakage" in one else {}
    return found | {
        "per_level": _by_part(one, "leakage"),
        "half": dict.fromkeys(PARTS) | half,
        "moved": [name for name in _known(one) if _mostly(one.leakage_all_moved.sel(part=name))],
    }


def _quality(one: xr.Dataset, name: str, *, errors: bool = True) -> dict[str, Any]:
    """Q of the contract: how much the samples memorize, and how good they are."""

    def value(measure: str) -> float:
        return float(mean(one[name].sel(quality=measure)))

    found = {"memorized_fraction": value(MEASURES[0]), "memorized_interval": [value(end) for end in INTERVAL]}
    there = _measures(one)
    found |= {measure: value(measure) for measure in there[1:]}
    if not errors:
        return found
    return found | {f"{key}_se": error for key in there for error in _error(one.sel(quality=key), name)}


def _measures(one: xr.Dataset) -> list[str]:
    """Those that a result has: of before there were fewer."""
    return [measure for measure in MEASURES if measure in one.quality.values]


def _along(one: xr.Dataset, name: str, axis: str) -> list[dict[str, Any]]:
    """Q at every value of an axis."""
    return [{axis: value} | _quality(one.isel({axis: k}), name) for k, value in enumerate(one[axis].values.tolist())]


def _levels(one: xr.Dataset, name: str) -> dict[str, Any]:
    """The losses of a model read as a score, level by level."""
    return {loss: mean(one[f"{name}_{loss}"]) for loss in LOSSES}


def _numbers(one: xr.Dataset, key: str, name: str) -> dict[str, float]:
    """A scalar of each seed under `key`, its error under `key_se`."""
    return {key: float(mean(one[name]))} | {f"{key}_se": float(error) for error in _error(one, name)}


def _by_part(one: xr.Dataset, name: str) -> dict[str, NDArray[np.float64] | None]:
    """(levels,) for each part; null for a part without directions."""
    return dict.fromkeys(PARTS) | {part: mean(one[name].sel(part=part)) for part in _known(one)}


def _errors_by_part(one: xr.Dataset, name: str) -> dict[str, dict[str, Any]]:
    found = {part: error for part in _known(one) for error in _error(one.sel(part=part), name)}
    return {"se": dict.fromkeys(PARTS) | found} if found else {}


def _error(one: xr.Dataset, name: str) -> Iterator[NDArray[np.float64]]:
    """The standard error over seeds, or of one seed where the result has it; else none."""
    if one.sizes["seed"] > 1:
        yield standard_error(one[name])
    elif f"{name}_error" in one:
        yield one[f"{name}_error"].isel(seed=0).values


def _known(one: xr.Dataset) -> list[str]:
    """Names of the parts that have directions, descending."""
    return [str(name) for name in one.part.values[::-1]]


def _mostly(flags: xr.DataArray) -> bool:
    """Whether anything is flagged in more than half of the seeds."""
    return bool((flags.mean("seed") > 0.5).any())


def _sample_rows(found: dict[str, Any]) -> Iterator[list[str]]:
    levels, controls = len(found["diffusion_time"]) - 1, found["controls"]

    def row(name: str, steps: int, q: dict[str, Any]) -> list[str]:
        interval = "–".join("?" if end is None else f"{end:.3g}" for end in q["memorized_interval"])
        shown = [short(q[measure]) for measure in SHOWN]
        return [name, str(steps), short(q.get("distill_time", "")), shown[0], interval, *shown[1:]]

    yield ["reference", "", *row("", 0, found["reference"])[2:]]
    yield row("teacher", levels, found["teacher"])
    yield from (row("teacher", q["steps"], q) for q in controls["teacher_steps"] if q["steps"] < levels)
    yield row("early teacher", levels, found["early_teacher"])
    yield from (row("student", q.get("evaluations", 1), q) for q in found["student"])
    last, own = {"distill_time": found["student"][-1]["distill_time"]}, found["student"][-1].get("evaluations", 1)
    if trained := found.get("stochastic"):
        yield row(f"after {trained['step']} steps", own, trained | {"distill_time": trained["distill_time"] or ""})
    yield from (
        row("student", q["steps"], last | q)
        for q in controls["student_steps"]
        if q["steps"] != own and q["memorized_fraction"] is not None
    )
    yield from (row("early student", own, q) for q in controls["early_student"] if q["memorized_fraction"] is not None)
    yield from (row("regression", 1, q) for q in controls["regression"])


def _suppression_rows(found: dict[str, Any]) -> Iterator[list[str]]:
    for one in found["student"]:
        values = [one["suppression"][name] for name in PARTS]
        yield [short(one["distill_time"]), *("-" if row is None else _range(row) for row in values)]


def _range(row: list[float | None]) -> str:
    known = [float(value) for value in row if value is not None]
    return f"{np.median(known):.3g} ({min(known):.3g}–{max(known):.3g})" if known else "-"


def _leakage_rows(found: dict[str, Any]) -> Iterator[list[str]]:
    for one in found["leakage"]:
        limit = [_range(one["limit"])] if "limit" in one else []
        yield [short(one["ridge"]), *(short(one[name]) for name in PARTS), *limit]


def _split_lines(found: dict[str, Any]) -> list[str]:
    """Two halves' samples from the same noise, and their own and the other half's nearest training points."""

    def row(name: str, time: Any, apart: float, seen: dict[str, float] | None = None) -> list[str]:
        near = ["", ""] if seen is None else [short(seen["own"]), short(seen["other"])]
        return [name, short(time), short(apart), *near]

    seen = found["to_training"]
    return [
        "halves: squared distance per dimension of their samples from the same noise, and to training points",
        *table(
            [
                ["samples of", "distill_time", "apart", "to own", "to other"],
                row("teacher", "", found["teacher"], seen["teacher"]),
                row("in one step", "", found["teacher_one_step"]),
                row("early teacher", "", found["early_teacher"]),
                *(
                    row("student", one["distill_time"], one["distance"], near)
                    for one, near in zip(found["student"], seen["student"], strict=True)
                ),
            ]
        ),
    ]


def _moved_lines(found: dict[str, Any]) -> Iterator[str]:
    for axis, name in (("distill_time", "student"), ("ridge", "leakage")):
        for one in found[name]:
            if one["moved"]:
                yield f"moves with half of the draws  {name} at {axis} {short(one[axis])}: {', '.join(one['moved'])}"
