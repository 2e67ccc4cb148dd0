"""What a result of each kind holds at least: asked of files without a digest, which any program may have changed."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import numpy as np
import xarray as xr

CONSTANTS = {"a": "", "b": "", "v2": "", "s2": ""}
LOSSES = ("train", "test", "score", "gen")
RIDGE = ("train", "train_penalized", "test", "emp", "score", "bias2", "variance", "residual")
ROUTES = {"tau_gen": "gen_route", "tau_mem": "mem_route", "gen_route": "gen_route", "mem_route": "mem_route"}
EDGES = ("lower", "upper", "gap_below")
PLANE = "samples_per_dim features_per_dim"
STUDENT = "seed variant distill_time"
TEXT = ("bulk", "other", "form", "end", "gen_route", "mem_route", "variant", "quality")  # all else are numbers

# variable → its dimensions
HELD: dict[str, dict[str, str]] = {
    "spectrum": CONSTANTS
    | dict.fromkeys(EDGES, "seed bulk")
    | {"eigenvalue": "seed feature", "part": "feature", "count": "bulk", "mass": "bulk", "merged": "seed bulk"}
    | {"residual": "seed", "seed": "seed", "bulk": "bulk"},
    "train": CONSTANTS
    | dict.fromkeys((*LOSSES, "cross"), "seed train_time")
    | {name: dim if name == dim else f"seed {dim}" for name, dim in ROUTES.items()}
    | {"residual": "seed", "seed": "seed", "train_time": "train_time", "bias2": "train_time", "variance": "train_time"},
    "simulate": dict.fromkeys(("train", "test", "gen", "exact_train", "exact_test"), "seed step")
    | {"limit": "seed", "rounding": "seed", "seed": "seed", "step": "step", "train_time": "step", "rate": ""},
    "distill": dict.fromkeys(("teacher", "reference", "early_teacher"), "seed quality")
    | dict.fromkeys(("student", "early_student", "regression"), f"{STUDENT} quality")
    | {"teacher_steps": "seed steps quality", "student_steps": f"{STUDENT} steps quality"}
    | {"suppression": f"{STUDENT} level bulk", "student_energy": f"{STUDENT} level bulk"}
    | {"teacher_energy": "seed level bulk", "leakage_all": "seed ridge bulk", "gamma_star": "seed"}
    | {"eigenvalue": "seed level feature", "part": "feature", "diffusion_time": "grid"}
    | {name: name for name in ("seed", "variant", "distill_time", "steps", "quality", "level", "bulk", "ridge")},
    "theory-spectrum": CONSTANTS
    | dict.fromkeys(("density", "density_residual", "eigenvalue"), "eigenvalue")
    | dict.fromkeys(("mass", "mean", "bulk", *EDGES), "bulk")
    | dict.fromkeys(("interval_lower", "interval_upper", "interval_part"), "interval"),
    "theory-ridge": CONSTANTS | dict.fromkeys((*RIDGE, "ridge"), "ridge") | {"best_ridge": "", "best_test": ""},
    "theory-ridge-plane": CONSTANTS | dict.fromkeys(RIDGE, PLANE) | {name: name for name in PLANE.split()},
    "theory-diagram": CONSTANTS
    | dict.fromkeys(LOSSES, f"{PLANE} train_time")
    | dict.fromkeys(("error", "residual", "nodes", "status", "tau_mem", "tau_mini"), PLANE)
    | {name: name for name in (*PLANE.split(), "train_time")},
    "theory-mini-gap": CONSTANTS
    | dict.fromkeys(("opening", "opening_large"), "diffusion_time samples_per_dim")
    | {name: name for name in ("diffusion_time", "samples_per_dim")},
    "theory-score-minimum": CONSTANTS
    | dict.fromkeys(("score", "final", "train_time", "error", "residual"), PLANE)
    | {name: name for name in PLANE.split()},
    "density": CONSTANTS
    | dict.fromkeys(("node", "weight", "node_residual"), "seed probe step")
    | {"mass": "seed bulk", "density": "seed eigenvalue", "eigenvalue": "eigenvalue", "seed": "seed", "bulk": "bulk"},
}
HELD["theory-curves"] = (
    HELD["theory-spectrum"]
    | dict.fromkeys((*LOSSES, "bias2", "variance", "emp", "train_penalized", "error", "train_time"), "train_time")
    | {"residual": "", "nodes": "", **ROUTES}
)
JSON = {  # attributes beside those of every result
    "simulate": {"devices": list, "diverged": dict},
    "distill": {"undefined": dict},
}
UNTIMED = ("checkpoint",)  # whose equal contents are equal bytes


def missing_attributes(data: xr.Dataset, kind: str) -> Iterator[str]:
    """What is wrong with the attributes that every result has, each in words."""
    for name, what in {"settings": dict, "versions": dict, **JSON.get(kind, {})}.items():
        if name not in data.attrs:
            yield f"it has no attribute {name!r}"
        elif not _is_json(data.attrs[name], what):
            yield f"its attribute {name!r} is no JSON {'object' if what is dict else 'list'}"
    if kind not in UNTIMED:
        seconds = data.attrs.get("wall_time_seconds")
        if seconds is None:
            yield "it has no attribute 'wall_time_seconds'"
        elif not (isinstance(seconds, (int, float, np.number)) and math.isfinite(seconds)):
            yield "its attribute 'wall_time_seconds' is no number"


def missing_variables(data: xr.Dataset, kind: str) -> Iterator[str]:
    """What is wrong with the variables that a result of this kind has, and with flags, each in words."""
    for name, dims in HELD.get(kind, {}).items():
        if name not in data.variables:
            yield f"it has no variable {name!r}, which a result of kind {kind!r} has"
            continue
        one = data.variables[name]
        if sorted(map(str, one.dims)) != sorted(dims.split()):
            yield f"its variable {name!r} is over ({', '.join(map(str, one.dims))}), not ({', '.join(dims.split())})"
        elif (name in TEXT) != (one.dtype.kind in "OUT"):
            yield f"its variable {name!r} holds {'numbers' if name in TEXT else 'text'}"
        elif name not in TEXT and one.dtype.kind not in "biuf":
            yield f"its variable {name!r} holds {one.dtype}, not numbers"
    for name, one in data.variables.items():
        flags = one.attrs.get("flag_values")
        if flags is not None and not np.isin(one.values, flags).all():
            yield f"its variable {name!r} holds values that are none of its flags"


def _is_json(text: object, what: type) -> bool:
    try:
        return isinstance(text, str) and isinstance(json.loads(text), what)
    except (ValueError, RecursionError):
        return False
