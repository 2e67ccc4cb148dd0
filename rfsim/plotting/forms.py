"""What figures read of a result, by name: its variables over their dimensions, however it was cut, turned or joined.

`xr.concat` spreads what is one for all over the joined dimension, `isel` takes dimensions away, and nothing keeps an
order: `ready` puts that right, or says in one line what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.checking.text import nearest
from rfsim.disk import store
from rfsim.disk.kinds import form_of
from rfsim.problem.ranks import PARTS
from rfsim.quantities.forms import Variables

# dimensions whose values say what stands where; the others count only
LABELLED = ("part", "distill_time", "eigenvalue", "gen_route", "large_eigenvalue", "level", "mem_route", "quality",
            "ridge", "step", "steps", "train_time")  # fmt: skip
ASCENDING = ("seed", "part", "train_time", "ridge", "step", "steps", "level", "eigenvalue", "large_eigenvalue")
ONCE = ("seed", "part")  # dimensions along which a value that stands twice would count twice


def ready(result: xr.Dataset, *needed: str) -> xr.Dataset:
    """The result with every variable that figures read over the dimensions that its kind has them over.

    needed: variables that are about to be drawn, with the values along their dimensions. A dimension that a selection
    took away has one value again; one over which a variable does not vary for this kind is taken away where it is
    constant along it; seeds, parts, times, ridges and eigenvalues ascend. A dataset without a kind is left as it is.

    Raises ValueError, in one line, for what is no dataset, for a dimension of size 0, a needed variable that is missing
    or varies with more than it may, values along its dimensions that are missing, and seeds or parts that stand twice.
    """
    if not isinstance(result, xr.Dataset):
        raise ValueError(f"a result is a labelled dataset, as rfsim.load gives it; got {a_thing(result)}")
    kind = str(result.attrs.get(store.KIND, ""))
    form = form_of(kind).variables
    dims = dict.fromkeys(dim for dims in form.values() for dim in dims)
    if empty := [dim for dim in dims if result.sizes.get(dim) == 0]:
        raise ValueError(f"nothing of this result of the kind {kind} is selected along {', '.join(empty)}")
    result = _restored(result, dims)
    changed: dict[str, Any] = {}
    for name, own in form.items():
        if name not in result.variables or result.variables[name].dims == own:
            continue
        try:
            changed[name] = _over(result, name, own)
        except ValueError as error:
            if name in needed:
                raise ValueError(f"this result of the kind {kind} cannot be drawn: {error}") from None
    result = _ascending(result.assign(changed) if changed else result, kind)
    _known_parts(result, form, needed)
    if lacking := _lacking(result, form, needed):
        whose = f"this result of the kind {kind}" if kind else "this dataset"
        raise ValueError(f"{whose} lacks {', '.join(lacking)}, needed for what is to be drawn; draw the whole result")
    return result


def a_thing(value: Any) -> str:
    """What a value is, with its article, for a message."""
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def several(given: str | Iterable[str], known: Iterable[str] = (), what: str = "") -> tuple[str, ...]:
    """Names that a panel is given: one name alone is one, not its letters; ValueError for one that is not `known`.

    >>> several("train"), several(["train", "test"])
    (('train',), ('train', 'test'))
    """
    names, choices = (given,) if isinstance(given, str) else tuple(given), list(known)
    for name in names:
        if not isinstance(name, str) or (choices and name not in choices):
            raise ValueError(f"{what} is one of {', '.join(choices)}; got {name!r}{nearest(str(name), choices)}")
    return names


def _restored(result: xr.Dataset, dims: Iterable[str]) -> xr.Dataset:
    """Values of dimensions that a selection left as one number or text, over their dimension again."""
    scalars = {dim: one for dim in dims if (one := result.variables.get(dim)) is not None and not one.ndim}
    return result.assign_coords({dim: one.set_dims([dim]) for dim, one in scalars.items()}) if scalars else result


def _over(result: xr.Dataset, name: str, dims: tuple[str, ...]) -> xr.Variable:
    """One variable over `dims`."""
    one = result.variables[name]
    for dim in one.dims:
        if dim in dims:
            continue
        first = one.isel({dim: [0]})
        if not _equal(one.values, np.broadcast_to(first.values, one.shape)):
            raise ValueError(
                f"{name} differs along {dim}, over which it has one value; select one of the {one.sizes[dim]} there"
            )
        one = first.squeeze(dim)
    for dim in dims:
        if dim not in one.dims and result.sizes.get(dim, 1) != 1:
            raise ValueError(f"{name} has lost {dim}, which has {result.sizes[dim]} values")
    return one.set_dims({dim: one.sizes.get(dim, 1) for dim in dims}).transpose(*dims)


def _equal(one: NDArray, other: NDArray) -> bool:
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind in "fc"))


def _ascending(result: xr.Dataset, kind: str) -> xr.Dataset:
    order: dict[str, NDArray[np.intp]] = {}
    for dim in ASCENDING if form_of(kind).variables else ():
        one = result.variables.get(dim)
        if one is None or one.dims != (dim,):
            continue
        values = one.values if dim != "part" else np.array([_rank(str(name)) for name in one.values])
        if dim in ONCE and np.unique(one.values).size < one.size:
            raise ValueError(f"this result of the kind {kind} holds a {dim} twice; leave one of them out")
        if np.any(values[1:] < values[:-1]):
            order[dim] = np.argsort(values, kind="stable")
    return result.isel(order) if order else result


def _rank(part: str) -> float:
    """Its place: parts ascend by their lowest, and by how many merge."""
    lowest, *merged = part.split("+")
    return PARTS.index(lowest) + len(merged) / len(PARTS) if lowest in PARTS else len(PARTS)


def _known_parts(result: xr.Dataset, form: Variables, needed: tuple[str, ...]) -> None:
    if "part" in result.coords and any("part" in form.get(name, ()) for name in needed):
        unknown = {one for name in result.part.values.flat for one in str(name).split("+")} - set(PARTS)
        if unknown:
            raise ValueError(f"a part is one of {', '.join(PARTS)}; this result has {', '.join(sorted(unknown))}")
    if "feature_part" in needed and "feature_part" in result:
        ranks = result.feature_part.values
        if not np.isin(ranks, range(len(PARTS))).all():
            raise ValueError(f"feature_part counts {', '.join(PARTS)} from 0; this result has others: {ranks.max()}")


def _lacking(result: xr.Dataset, form: Variables, needed: tuple[str, ...]) -> list[str]:
    """Variables, and values along their dimensions, that are not there."""
    found = dict.fromkeys(name for name in needed if name not in result.variables)
    for name in needed:
        for dim in form.get(name, ()):
            if dim in LABELLED and dim not in result.variables:
                found[f"{dim} (the values along it)"] = None
    return list(found)
