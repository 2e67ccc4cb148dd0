"""What a result of each kind holds: its variables over their dimensions, for those who read and those who draw it.

Files without a digest, which any program may have changed, are held against it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import numpy as np
import xarray as xr

from rfsim.quantities.catalog import FORMS
from rfsim.quantities.forms import Form

TEXT = ("part", "other", "form", "end", "gen_route", "mem_route", "variant", "quality")  # all else are numbers
EITHER = ("class",)  # numbers of a population's classes, texts of labels
UNTIMED = ("checkpoint",)  # whose equal contents are equal bytes


def form_of(kind: str) -> Form:
    """What a result of a kind holds; nothing that is known of a kind that declares no form."""
    return FORMS.get(kind, Form(variables={}))


def missing_attributes(data: xr.Dataset, kind: str) -> Iterator[str]:
    """What is wrong with the attributes that every result has, each in words."""
    for name, what in {"settings": dict, "versions": dict, **form_of(kind).json}.items():
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
    form = form_of(kind)
    for name, dims in form.variables.items():
        if name not in data.variables:
            if name not in form.optional:
                yield f"it has no variable {name!r}, which a result of kind {kind!r} has"
            continue
        one = data.variables[name]
        if sorted(map(str, one.dims)) != sorted(dims):
            yield f"its variable {name!r} is over ({', '.join(map(str, one.dims))}), not ({', '.join(dims)})"
        elif name in EITHER and one.dtype.kind in "OUT":
            continue
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
