"""What a result of each kind holds: its variables over their dimensions, for those who read and those who draw it.

Files without a digest, which any program may have changed, are held against it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import numpy as np
import xarray as xr

Form = dict[str, tuple[str, ...]]  # variable → its dimensions, in order


def _form(*own: str, **names: str) -> Form:
    """By the dimensions, joined by two underscores, "one" for none: the variables over them. own: dimensions with
    values of their own."""
    found = {
        name: tuple(dim for dim in dims.split("__") if dim != "one")
        for dims, row in names.items()
        for name in row.split()
    }
    return {name: (name,) for name in own} | found


_CONSTANTS = _form(one="a b v2 s2")
_LOSSES = "train train_penalized test emp score gen"
_ROUTES = _form("gen_route", "mem_route")
_PLANE = "samples_per_dim", "features_per_dim"
_SPECTRUM = (
    _CONSTANTS
    | _form("seed", "bulk", seed__feature="eigenvalue", feature="part", bulk="count mass")
    | _form(seed__bulk="lower upper gap_below merged", seed="residual")
)
_LIMIT = (
    _CONSTANTS
    | _form("bulk", "eigenvalue", eigenvalue="density density_residual", bulk="mass mean lower upper gap_below")
    | _form(interval="interval_lower interval_upper interval_part", large_eigenvalue="large_density large_interval")
)
FORMS: dict[str, Form] = {
    "spectrum": _SPECTRUM,
    "train": _SPECTRUM
    | _ROUTES
    | _form("train_time", seed__train_time=f"{_LOSSES} cross", train_time="bias2 variance")
    | _form(seed__bulk__train_time="energy", seed__gen_route="tau_gen", seed__mem_route="tau_mem"),
    "simulate": _form("seed", "step", seed__step="train test gen exact_train exact_test", step="train_time", one="rate")
    | _form(seed="limit rounding"),
    "distill": _form("seed", "variant", "distill_time", "steps", "quality", "level", "bulk", "ridge")
    | _form(seed__quality="teacher teacher_error reference early_teacher", seed__steps__quality="teacher_steps")
    | _form(seed__variant__distill_time__quality="student student_error early_student regression")
    | _form(seed__variant__distill_time__steps__quality="student_steps")
    | _form(seed__variant__distill_time__level__bulk="suppression suppression_error student_energy")
    | _form(seed__level__bulk="teacher_energy", seed__ridge__level__bulk="leakage", seed="gamma_star")
    | _form(seed__ridge__bulk="leakage_all leakage_all_error", seed__ridge__level__source__bulk="transfer")
    | _form(seed__level__feature="eigenvalue instability", feature="part", grid="diffusion_time"),
    "density": _CONSTANTS
    | _form("seed", "bulk", "eigenvalue", seed__probe__step="node weight node_residual", seed__eigenvalue="density")
    | _form(seed__bulk="mass mass_error", bulk="mass_from mass_to", one="density_width"),
    "theory-spectrum": _LIMIT,
    "theory-curves": _LIMIT
    | _ROUTES
    | _form("train_time", train_time=f"{_LOSSES} bias2 variance error", bulk__train_time="energy", one="residual nodes")
    | _form(gen_route="tau_gen", mem_route="tau_mem"),
    "theory-ridge": _CONSTANTS
    | _form("ridge", ridge="train train_penalized test emp score bias2 variance residual", one="best_ridge best_test"),
    "theory-ridge-plane": _CONSTANTS
    | _form(
        *_PLANE,
        samples_per_dim__features_per_dim="train train_penalized test emp score bias2 variance residual",
    ),
    "theory-diagram": _CONSTANTS
    | _form(*_PLANE, "train_time", samples_per_dim__features_per_dim__train_time="train test score gen")
    | _form(samples_per_dim__features_per_dim="error residual nodes status tau_mem tau_mini"),
    "theory-mini-gap": _CONSTANTS
    | _form("diffusion_time", "samples_per_dim", diffusion_time__samples_per_dim="opening opening_large"),
    "theory-score-minimum": _CONSTANTS
    | _form(*_PLANE, samples_per_dim__features_per_dim="score final train_time error residual"),
}
# what only some results of a kind have: by the settings, the route or the data
OPTIONAL = {
    "train": {*_SPECTRUM, "train_penalized", "emp", "energy"} - {*_CONSTANTS, "residual", "seed"},
    "distill": {"teacher_error", "student_error", "suppression_error", "leakage", "leakage_all_error", "transfer"}
    | {"instability"},
    "density": {"mass_error", "mass_from", "mass_to", "density_width"},
    "theory-spectrum": {"large_density", "large_interval"},
    "theory-curves": {"large_density", "large_interval", "energy"},
}
TEXT = ("bulk", "other", "form", "end", "gen_route", "mem_route", "variant", "quality")  # all else are numbers
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
    optional = OPTIONAL.get(kind, set())
    for name, dims in FORMS.get(kind, {}).items():
        if name not in data.variables:
            if name not in optional:
                yield f"it has no variable {name!r}, which a result of kind {kind!r} has"
            continue
        one = data.variables[name]
        if sorted(map(str, one.dims)) != sorted(dims):
            yield f"its variable {name!r} is over ({', '.join(map(str, one.dims))}), not ({', '.join(dims)})"
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
