"""What of a sweep is drawn: one quantity over one or two axes, and panels, everything else fixed by name.

Nothing is chosen silently: whatever was not asked for is listed in `Slice.fixed`, which titles and legends say.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from rfsim.maps.names import axes, column, in_order, listed, matches, number_of, position, resolve, text_of
from rfsim.problem.model import Problem

WAITING, DONE, UNCONVERGED, FAILED, UNDEFINED = range(5)
STATES = ("waiting", "done", "unconverged", "failed", "not defined")
# of several definitions of one thing, what is meant where no label is given
USUAL = {"mem_route": "formula", "gen_route": "formula", "quality": "memorized_fraction"}
FIRST = ("gen", "test", "score", "student", "memorized_fraction", "opening", "best_ridge", "mass", "eigenvalue")


PARAMETERS = tuple(field.name for field in dataclasses.fields(Problem))


class Fixed(NamedTuple):
    """A dimension held at one value: its coordinate's name, the value, and how it came to that ("" where asked)."""

    name: str
    value: Any
    how: str = ""


class Slice(NamedTuple):
    """One quantity over chosen axes.

    values: means over the seeds that are done, over (facet, y, x), those there are, each a dimension of the axis's own
    name; NaN where there is none. error: their standard errors, NaN for fewer than two seeds. counts: seeds that are
    done. state: index into STATES. fixed: what every other dimension is held at; seeds: how many there are to average.
    cells: all that is stored of the cells behind it, seeds apart.
    """

    quantity: str
    values: xr.DataArray
    error: xr.DataArray
    counts: xr.DataArray
    state: xr.DataArray
    fixed: tuple[Fixed, ...]
    seeds: int
    cells: xr.Dataset

    @property
    def constant(self) -> list[str]:
        """The axes along which nothing changes, of those with more than one value."""
        values = self.values
        long = [str(dim) for dim in values.dims if values.sizes[dim] > 1]
        ends = {dim: (values.min(dim), values.max(dim)) for dim in long}
        several = [dim for dim in long if (values.notnull().sum(dim) > 1).any()]
        return [dim for dim in several if ((ends[dim][0] == ends[dim][1]) | ends[dim][0].isnull()).all()]


def default_quantity(data: xr.Dataset) -> str:
    """The quantity drawn where none is named: L_gen, L_test … or the first number along an axis."""
    along = set(axes(data))
    numbers = [str(name) for name, one in data.data_vars.items() if along & {*one.dims} and one.dtype.kind == "f"]
    plain = [name for name in numbers if name not in ("residual", "seconds")]
    named = [name for name in FIRST if name in plain]
    if not (named or plain):
        raise ValueError("nothing of this sweep can be drawn: no cell has a value yet")
    return (named or plain)[0]


def default_axes(data: xr.Dataset, quantity: str, without: Container[str] = ()) -> tuple[str, str | None]:
    """The first two axes of `quantity` with more than one point, seeds and those `without` aside; the second is None
    where there is one; seeds are an axis where there is no other.
    """
    dims = data[column(data, quantity)[0]].dims
    long = [dim for dim in axes(data) if dim in dims and data.sizes[dim] > 1 and dim not in without]
    if not long:
        raise ValueError(f"{quantity} has no axis with more than one point; rfsim show lists what the sweep holds")
    first, *more = [dim for dim in long if dim != "seed"] or long
    return first, (more[0] if more else None)


def cut(
    data: xr.Dataset, quantity: str, keep: Sequence[str], at: Mapping[str, Any] | None = None, *, strict: bool = True
) -> Slice:
    """`quantity` over the axes `keep`, its other dimensions at the values `at`, or else at their last.

    quantity: a variable, as `tau_mem` or `tau_mem[formula]`. keep: coordinates or dimensions, the last one fastest.
    at: coordinate → value (text or number, matched to 1e-6 relative); of `mem_route`, `gen_route` and `quality` what is
    usual stands where nothing is asked, of all other dimensions the last. seed is averaged over unless kept or chosen.
    strict: raise for a kept axis that the quantity does not vary with; else leave it out.

    Raises ValueError, in one line, for names and values that are not there.
    """
    name, labels = column(data, quantity)
    chosen, given = _at(data, dict(at or {}) | labels)
    taken = data.isel(chosen)
    dims = {one: _line(taken, one) for one in (resolve(data, one) for one in keep)}
    if len(set(dims.values())) < len(dims):
        raise ValueError(f"{' and '.join(dims)} vary together; draw over one of them")
    lacking = [one for one, dim in dims.items() if dim not in taken[name].dims]
    if lacking and strict:
        over = listed(one for one in taken[name].dims)
        raise ValueError(f"{quantity} does not vary with {lacking[0]}; it varies over {over}")
    dims = {one: dim for one, dim in dims.items() if one not in lacking}
    fixed = [one for one in given if one.name in _reach(data, name)]
    fixed += _selected(data, name, chosen=fixed)
    for dim in in_order(data, taken[name].dims):
        if dim == "seed" or dim in dims.values():
            continue
        index, how = _usual(taken, dim)
        fixed.append(Fixed(dim, _stored(taken, dim, index), how))
        taken = taken.isel({dim: index})
    averaged = "seed" in taken[name].dims and "seed" not in dims.values()
    swap = {dim: one for one, dim in dims.items() if dim != one}
    values, error, counts, state = (one.swap_dims(swap).transpose(*dims) for one in _means(taken, name, averaged))
    seeds = taken.sizes["seed"] if averaged else 0
    cells = taken[[name, *(one for one in ("status", "reason") if one in taken)]]
    return Slice(quantity, values, error, counts, state, tuple(fixed), seeds, cells)


def ordered(found: Slice) -> Slice:
    """The same with every axis of numbers ascending; ValueError where a value stands twice."""
    order = {}
    for dim in map(str, found.values.dims):
        values = found.values[dim].values
        if values.dtype.kind not in "fiub":
            continue
        if np.unique(values).size < values.size:
            raise ValueError(f"{dim} has equal values along its axis; draw over another of its names")
        order[dim] = np.argsort(values)
    return found._replace(
        values=found.values.isel(order),
        error=found.error.isel(order),
        counts=found.counts.isel(order),
        state=found.state.isel(order),
    )


def value_of(found: Slice, name: str) -> Any:
    """What `name` is held at in a slice, None where it is not held at one value."""
    held = {one.name: one.value for one in found.fixed}
    if name in held:
        return held[name]
    scalar = found.values.coords.get(name)
    return scalar.values.item() if scalar is not None and scalar.ndim == 0 else None


def _at(data: xr.Dataset, at: Mapping[str, Any]) -> tuple[dict[str, int], list[Fixed]]:
    chosen: dict[str, int] = {}
    fixed = []
    for given, value in at.items():
        name = resolve(data, given)
        if name in data.coords and not data[name].ndim:  # selected before
            _require_here(data[name].values, given, value)
            continue
        dim = str(data[name].dims[0]) if name in data.coords and data[name].ndim == 1 else name
        if dim in chosen:  # zipped names both stand for one place
            _require_here(data[name].values[chosen[dim]], given, value, f" and what else is chosen along {dim}")
            continue
        dim, chosen[dim] = position(data, name, value)
        fixed.append(Fixed(name, _stored(data, name, chosen[dim])))
    return chosen, fixed


def _require_here(here: Any, given: str, value: Any, also: str = "") -> None:
    """Refuse a value that is not the one which is chosen already."""
    here = np.atleast_1d(here)
    if not matches(here, number_of(given, value) if here.dtype.kind in "fiub" else value)[0]:
        said = f"{given}={text_of(value)}{also or f' and the {text_of(here[0])} that was selected'}"
        raise ValueError(f"{said} are of different cells")


def _selected(data: xr.Dataset, name: str, chosen: Sequence[Fixed]) -> list[Fixed]:
    """Values that a selection before has left; parameters of the problem are told with those that never varied."""
    told = {*PARAMETERS, *(one.name for one in chosen)}
    left = data[name].coords.items()
    return [Fixed(str(one), values.values.item()) for one, values in left if not values.ndim and one not in told]


def _stored(data: xr.Dataset, name: str, index: int) -> Any:
    """The value at an index, the index itself of what has no values."""
    return data[name].values[index].item() if name in data.coords else index


def _line(data: xr.Dataset, name: str) -> str:
    """The one dimension that coordinate `name` varies over."""
    if name not in data.coords:
        return name
    dims = data[name].dims
    if len(dims) != 1:
        what = f"varies over {' and '.join(map(str, dims))}: hold all but one of them" if dims else "is held at a value"
        raise ValueError(f"{name} {what}")
    return str(dims[0])


def _usual(data: xr.Dataset, dim: str) -> tuple[int, str]:
    """Where a dimension is held that nothing was asked of, and how to say so."""
    size = data.sizes[dim]
    if dim in data.coords and USUAL.get(dim) in data[dim].values.tolist():
        return data[dim].values.tolist().index(USUAL[dim]), ""
    return size - 1, f"last of {size}" if size > 1 else ""


def _means(
    data: xr.Dataset, name: str, averaged: bool
) -> tuple[xr.DataArray, xr.DataArray, xr.DataArray, xr.DataArray]:
    """Means over seeds that are done, standard errors, counts and states."""
    values = data[name].astype(float)
    status = data["status"] if "status" in data else xr.full_like(values, DONE, dtype=np.int8)
    done = values.notnull() & (status == DONE)
    missing = xr.where(status == DONE, UNDEFINED, status)
    if not averaged:
        state = xr.where(done, DONE, missing).astype(np.int8)
        return values.where(done), xr.full_like(values, np.nan), done.astype(int), state
    count = done.sum("seed")
    with np.errstate(invalid="ignore"):  # infinite values have a mean but no spread
        mean = values.where(done, 0.0).sum("seed", skipna=False) / count.where(count > 0)
        spread = ((values - mean) ** 2).where(done, 0.0).sum("seed", skipna=False)
        error = (spread / (count - 1).where(count > 1) / count.where(count > 1)) ** 0.5
    # of seeds that all lack a value, a failure tells more than a seed that waits
    state = xr.where(count > 0, DONE, missing.broadcast_like(values).max("seed")).astype(np.int8)
    return mean, error, count, state


def _reach(data: xr.Dataset, name: str) -> set[str]:
    """Names of everything that lies along the dimensions of a variable."""
    dims = set(map(str, data[name].dims))
    return dims | {str(one) for one, values in data.coords.items() if dims.issuperset(map(str, values.dims))}
