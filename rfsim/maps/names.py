"""Names in a sweep's dataset: dimensions, coordinates and variables as their readers spell them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from rfsim.checking.text import nearest, number
from rfsim.disk import renamed, store
from rfsim.disk.sweep_files import DIMS
from rfsim.quantities.meant import hint

CLOSE = 1e-6  # relative distance within which a value given is a value stored
SHOWN = 12  # values listed in a message
COLUMN = re.compile(r"(?P<name>[^\[\]]+)(?:\[(?P<labels>[^\[\]]+)\])?")
OUTSIDE = re.compile(r",(?![^\[]*\])")  # commas between quantities
NEVER = ("status", "reason")  # marks of cells, not quantities


def resolve(data: xr.Dataset, name: str) -> str:
    """The dimension or coordinate that `name` means: itself, the list parameter it is one value of, or what an earlier
    version called by that name.

    Raises ValueError with the nearest name and all there are.

    >>> resolve(xr.Dataset(coords={"train_time": [1.0, 2.0]}), "train_times")
    'train_time'
    """
    known = {str(one) for one in (*data.dims, *data.coords)}
    # a list parameter (train_times) is a dimension by the name of one of its values
    for one in (name, name.removesuffix("s"), renamed.now(name)):
        if one in known:
            return one
    raise ValueError(f"{name!r} is no axis of this sweep{hint(name, sorted(known))}; it has {listed(sorted(known))}")


def column(data: xr.Dataset, text: str) -> tuple[str, dict[str, Any]]:
    """A variable and the labels of its own dimensions, of `tau_mem` or `tau_mem[formula]`, as CSV columns are named; of
    maps, whose routes are variables of their own, tau_mem[curve] is tau_mem_curve.

    Raises ValueError where there is no such variable or label, with the nearest one.
    """
    found = COLUMN.fullmatch(text.strip())
    known = sorted(str(name) for name, one in data.data_vars.items() if name not in NEVER and one.dtype.kind in "fiub")
    if not found or found["name"] not in known:
        name = found["name"] if found else text
        raise ValueError(f"{name!r} is no quantity of this sweep{nearest(name, known)}; it has {listed(known)}")
    if found["labels"] and (one := f"{found['name']}_{found['labels'].strip()}") in known:
        return one, {}
    variable = data[found["name"]]
    own = [str(dim) for dim in variable.dims if dim not in axes(data) and dim in data.coords]
    chosen: dict[str, Any] = {}
    for label in (found["labels"] or "").split(","):
        label = label.strip()
        homes = [dim for dim in own if dim not in chosen and label in map(text_of, data[dim].values.tolist())]
        if label and not homes:
            labels = [text_of(value) for dim in own for value in data[dim].values.tolist()]
            raise ValueError(f"{found['name']} has no {label!r}{nearest(label, labels)}; it has {listed(labels)}")
        if label:
            chosen[homes[0]] = label
    return found["name"], chosen


def quantities(given: str | Sequence[str]) -> list[str]:
    """Several quantities of one figure: names in a list, or in a text between commas, those of labels aside.

    >>> quantities("train, test"), quantities("tau_mem[formula]"), quantities(["gen"])
    (['train', 'test'], ['tau_mem[formula]'], ['gen'])
    """
    named = [one.strip() for one in OUTSIDE.split(given)] if isinstance(given, str) else list(given)
    if not named or not all(isinstance(one, str) and one for one in named):
        raise ValueError(f"quantity must be a name, or several, such as train,test; got {given!r}")
    if twice := sorted({one for one in named if named.count(one) > 1}):
        raise ValueError(f"quantity names {twice[0]} more than once; give each once")
    return named


def axes(data: xr.Dataset) -> list[str]:
    """The dimensions of a sweep that its file asked for, in the file's order; own dimensions of variables are none."""
    wanted = parameters(data)
    homes = {str(data[name].dims[0]) for name in wanted if name in data.coords and data[name].ndim == 1}
    # marks of cells lack the axes that one run yields at once: the variable with most tells their order
    every = [str(dim) for one in sorted(data.data_vars.values(), key=lambda one: -one.ndim) for dim in one.dims]
    order = in_order(data, dict.fromkeys(every))
    return [dim for dim in order if dim in homes or dim in data.get("status", xr.DataArray()).dims]


def in_order(data: xr.Dataset, dims: Iterable[Any]) -> list[str]:
    """Dimensions in the order of the sweep's file, however its arrays were transposed since; others go last."""
    known = [str(one) for one in np.atleast_1d(data.attrs.get(DIMS, []))]
    return sorted(map(str, dims), key=lambda dim: known.index(dim) if dim in known else len(known))


def parameters(data: xr.Dataset) -> list[str]:
    """The coordinates that are parameters of a cell: axes, zipped and derived ones, by their names in the dataset."""
    told = store.settings(data)
    names = [name for table in ("axes", "zip", "derive") for name in told.get(table) or {}]
    known = {str(one) for one in data.coords}
    return [one if one in known else one.removesuffix("s") for one in names if {one, one.removesuffix("s")} & known]


def home(data: xr.Dataset, name: str) -> str:
    """The dimension along which `name` lies, itself where it lies along several."""
    name = resolve(data, name)
    return str(data[name].dims[0]) if name in data.coords and data[name].ndim == 1 else name


def position(data: xr.Dataset, name: str, value: Any) -> tuple[str, int]:
    """(dimension, index) where coordinate `name` has `value`: text as it is, numbers to 1e-6 relative.

    Raises ValueError where the value is not there, or at several places, with the values there are.
    """
    values = data[name].values if name in data.coords else np.arange(data.sizes[name])
    dims = data[name].dims if name in data.coords else (name,)
    if len(dims) != 1:
        raise ValueError(f"{name} varies over {' and '.join(map(str, dims))}; choose values of those")
    here = np.flatnonzero(matches(values, number_of(name, value) if values.dtype.kind in "fiub" else value))
    if here.size == 1:
        return str(dims[0]), int(here[0])
    if here.size:
        raise ValueError(f"{name} is {text_of(value)} at {here.size} places along {dims[0]}; choose by another name")
    shown = listed([text_of(one) for one in values.tolist()])
    raise ValueError(f"{name} has no value {text_of(value)}; it has {shown}")


def matches(values: np.ndarray, value: Any) -> np.ndarray:
    """Where `values` are `value`: text as it is, numbers to 1e-6 relative."""
    if values.dtype.kind not in "fiub":
        return np.array([str(one) == str(value) for one in values.tolist()], dtype=bool)
    given = values.astype(float)
    with np.errstate(invalid="ignore"):  # inf less inf
        return (given == value) | (np.abs(given - value) <= CLOSE * np.abs(value) * np.isfinite(value))


def text_of(value: Any) -> str:
    """A value as it is written: whole numbers without a point, others at full precision.

    >>> text_of(4.0), text_of(0.1), text_of(float("inf")), text_of("erf")
    ('4', '0.1', 'inf', 'erf')
    """
    value = value.item() if hasattr(value, "item") else value
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def listed(names: Iterable[Any]) -> str:
    """Names or values by commas, the middle of a long list left out."""
    all_of = [str(one) for one in names]
    if len(all_of) > SHOWN:
        all_of = [*all_of[: SHOWN - 2], "…", all_of[-1]]
    return ", ".join(all_of) or "none"


def number_of(name: str, value: Any) -> float:
    """The value asked of coordinate `name`, of a text too; ValueError where it is no number."""
    try:
        return number(value) if isinstance(value, str) else float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} is a number; got {value!r}") from None


def long_name(one: xr.DataArray) -> str:
    """What a variable is called, with its unit where it has one."""
    unit = one.attrs.get("units", "1")
    return f"{one.attrs.get('long_name', one.name)}{'' if unit == '1' else f' ({unit})'}"


def fixed_parameters(data: xr.Dataset) -> Mapping[str, Any]:
    """The parameters that are the same in all cells, as the file gave them."""
    return store.settings(data).get("problem") or {}
