"""A distillation in the limit as an answer: the JSON object of the command contract, and lines for a reader.

Parts stand under PARTS; where no gap separates some, they stand under their joint name and their own are null. What is
not defined is null.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rfsim.cli.answers import head, short, table
from rfsim.disk import store
from rfsim.quantities.theory_distill import CONSTANTS

if TYPE_CHECKING:
    import xarray as xr

AXES = ("diffusion_times", "ridges", "distill_times")
PARTS = ("gen", "main", "mini", "null")
SCORES = ("train", "test")


def answer(data: xr.Dataset) -> dict[str, Any]:
    """`rfsim theory distill --json`: constants, leakage, instability and γ⋆ of each step, and the students."""
    steps = [data.isel(step=k) for k in range(data.sizes["step"])]
    isotropic = bool(data.kappa.notnull().any())
    found = head(data, AXES) | {
        "diffusion_time": data.diffusion_time.values,
        "constants": [{name: float(one[name]) for name in CONSTANTS.split()} for one in steps],
        "leakage": [[_leakage(one.isel(ridge=g)) for g in range(one.sizes["ridge"])] for one in steps],
        "instability": [_by_part(one.instability) for one in steps],
        "gamma_star": [_gamma_star(one, store.settings(data)["threshold"]) for one in steps],
        "closed": [_closed(one) for one in steps] if isotropic else None,
        "student": [
            _student(data.isel(distill_time=k, ridge=g), isotropic)
            for k in range(data.sizes["distill_time"])
            for g in range(data.sizes["ridge"])
        ],
        "residual": float(data.residual),
    }
    return store.plain(found)


def lines(data: xr.Dataset) -> list[str]:
    """The same for a reader: a table of steps, one of what leaks, one of the students."""
    found = answer(data)
    times = found["diffusion_time"]
    names = [*PARTS, *(name for name in map(str, data.part.values) if name not in PARTS)]
    names = [name for name in names if any(row.get(name) is not None for row in found["instability"])]
    steps = [f"{short(times[k + 1])} to {short(times[k])}" for k in range(len(times) - 1)]
    ways = zip(steps, found["gamma_star"], found["closed"] or [{}] * len(steps), found["instability"], strict=True)
    stars = [
        [step, _enough(star["ridge"]), _enough(star["closed"]), short(star["floor"]), _near(closed)]
        + [short(shaken.get(name)) for name in names]
        for step, star, closed, shaken in ways
    ]
    leaked = [
        [step, short(one["ridge"]), *(short(one.get(name)) for name in names), short(one["gain"])]
        for step, row in zip(steps, found["leakage"], strict=True)
        for one in row
    ]
    students = [
        [short(one["distill_time"]), short(one["ridge"]), short(times[level + 1])]
        + [short(one[name][level]) for name in SCORES]
        + [short(one["map_error"] and one["map_error"][level])]
        + [short(one["suppression"][name] and one["suppression"][name][level]) for name in names]
        for one in found["student"]
        for level in range(len(steps))
    ]
    threshold = short(store.settings(data)["threshold"])
    return [
        f"steps: gamma_star is the ridge at which at most {threshold} leaks; instability by part",
        *table([["step", "gamma_star", "closed", "floor", "closed_valid", *names], *stars]),
        "leakage: share of gen that lands outside of gen, and where",
        *table([["step", "ridge", *names, "gain"], *leaked]),
        "students: losses as a score, error of the map, energy over the teacher's by part",
        *table([["distill_time", "ridge", "level", *SCORES, "map_error", *names], *students]),
    ]


def _leakage(one: xr.Dataset) -> dict[str, Any]:
    """Of one step at one ridge: gen, alone or with others, is what lands outside of it."""
    shares = _by_part(one.share)
    lost = {name: float(one.leakage) for name, value in shares.items() if "gen" in name and value is not None}
    return {"ridge": float(one.ridge)} | shares | lost | {"gain": float(one.gain)}


def _gamma_star(one: xr.Dataset, threshold: float) -> dict[str, Any]:
    return {
        "threshold": threshold,
        "ridge": float(one.gamma_star),
        "closed": float(one.gamma_star_closed),
        "floor": float(one.floor),
    }


def _closed(one: xr.Dataset) -> dict[str, Any]:
    return {
        "kappa": float(one.kappa),
        "leakage": one.leakage_closed.values,
        "closed_valid": bool(one.closed_valid),
    }


def _student(one: xr.Dataset, isotropic: bool) -> dict[str, Any]:
    """At one ridge and distill_time: lists over levels 1…N."""
    found: dict[str, Any] = {name: float(one[name]) for name in ("ridge", "distill_time")}
    found |= {name: one[name].values for name in SCORES}
    found["map_error"] = one.map_error.values if isotropic else None
    return found | {"suppression": _by_part(one.suppression)}


def _by_part(values: xr.DataArray) -> dict[str, Any]:
    """By the names of the parts: a number or (levels,); null where there is no such part."""
    found: dict[str, Any] = dict.fromkeys(PARTS)
    for name in map(str, values.part.values):
        here = values.sel(part=name).values
        if not np.isnan(here).all():
            found[name] = here
    return found


def _enough(ridge: float | None) -> str:
    return "none" if ridge is None else short(ridge)


def _near(closed: dict[str, Any]) -> str:
    return "-" if not closed else "yes" if closed["closed_valid"] else "no"
