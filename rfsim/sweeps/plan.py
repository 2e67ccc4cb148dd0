"""Which cells a sweep has, and in which groups they are computed: what a group shares is made once.

Cells are never listed: groups are made from their number, and what is asked of all of them is asked of arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.quantities.catalog import Quantity
from rfsim.sweeps.axes import Axis
from rfsim.sweeps.quantities import sizes, tile
from rfsim.sweeps.spec import Spec, refusal


class Group(NamedTuple):
    """What is computed at once: parameters that are the same in all cells, and those that differ, each (cells,)."""

    number: int
    quantity: str
    fixed: Mapping[str, Any]
    cells: Mapping[str, list]
    size: int


class SweepPlan(NamedTuple):
    """The cells of a sweep over `axes`, in tiles (cells of a group along each axis).

    derived: values of derived parameters, each over the axes they depend on and of length 1 along the others.
    """

    spec: Spec
    axes: tuple[Axis, ...]
    tiles: tuple[int, ...]
    derived: Mapping[str, NDArray]

    @property
    def quantity(self) -> Quantity:
        return self.spec.quantity

    @property
    def shape(self) -> tuple[int, ...]:
        """Cells along each axis."""
        return tuple(axis.size for axis in self.axes)

    @property
    def counts(self) -> tuple[int, ...]:
        """Groups along each axis."""
        return tuple(-(-axis.size // tile) for axis, tile in zip(self.axes, self.tiles, strict=True))

    @property
    def cells(self) -> int:
        return math.prod(self.shape)

    @property
    def groups(self) -> int:
        return math.prod(self.counts)

    @property
    def lists(self) -> dict[str, tuple]:
        """The axes that one run of the quantity takes whole, by the parameter they are."""
        return {key: values for axis in self.spec.axes if axis.own for key, values in axis.values.items()}

    def where(self, number: int) -> tuple[slice, ...]:
        """The cells of one group, a slice along each axis."""
        index = np.unravel_index(number, self.counts)
        return tuple(
            slice(int(at) * tile, min((int(at) + 1) * tile, axis.size))
            for at, tile, axis in zip(index, self.tiles, self.axes, strict=True)
        )

    def group(self, number: int, cells: Sequence[int] | NDArray[np.intp] | None = None) -> Group:
        """One group, by its number; of `cells`, numbers of some of its cells, those alone."""
        where = self.where(number)
        shape = tuple(one.stop - one.start for one in where)
        same: dict[str, Any] = {**self.spec.fixed, **{key: list(values) for key, values in self.lists.items()}}
        differing: dict[str, list] = {}
        for k, axis in enumerate(self.axes):
            for key, values in axis.values.items():
                if self.inner(axis):
                    grid = np.broadcast_to(np.arange(axis.size)[where[k]].reshape(_along(k, len(shape))), shape)
                    differing[key] = [values[at] for at in grid.ravel()]
                else:
                    same[key] = values[where[k].start]
        for key, values in self.derived.items():
            here = values[tuple(one if values.shape[k] > 1 else slice(None) for k, one in enumerate(where))]
            if here.size > 1 or any(self.inner(axis) for axis in self._behind(values)):
                differing[key] = [_number(value) for value in np.broadcast_to(here, shape).ravel()]
            else:
                same[key] = _number(here.item())
        if cells is None:
            return Group(number, self.quantity.name, same, differing, math.prod(shape))
        differing = {key: [values[at] for at in cells] for key, values in differing.items()}
        return Group(number, self.quantity.name, same, differing, len(cells))

    def inner(self, axis: Axis) -> bool:
        """Whether groups reach over this axis: one preparation serves all of its values."""
        names = {*axis.values, *(key for key, values in self.derived.items() if axis in self._behind(values))}
        return names <= set(self.quantity.cells.together)

    def parameters(self) -> dict[str, Any]:
        """Every parameter of all cells at once: arrays that broadcast over the axes; fixed ones as they are."""
        found: dict[str, Any] = {**self.spec.fixed, **{key: list(values) for key, values in self.lists.items()}}
        for k, axis in enumerate(self.axes):
            for key, values in axis.values.items():
                found[key] = _array(values).reshape(_along(k, len(self.axes)))
        return found | dict(self.derived)

    def evaluate(self, function: Callable[[Mapping[str, Any]], int]) -> NDArray[np.int64]:
        """A whole number of every group by its parameters (groups along each axis, or 1 where it changes nothing).

        Only the axes on which it is seen to depend are multiplied out: others cost one call a value.
        """
        first = self.group(0).fixed
        base = function(first)
        changing = [k for k in range(len(self.axes)) if self._changes(k, function, first, base)]
        found = np.empty(tuple(self.counts[k] if k in changing else 1 for k in range(len(self.axes))), dtype=np.int64)
        for index in np.ndindex(found.shape):
            found[index] = function(self.group(int(np.ravel_multi_index(index, self.counts))).fixed)
        return found

    def coordinates(self) -> Iterator[tuple[str, NDArray, tuple[str, ...], dict[str, str]]]:
        """What varies, by name: values, dimensions, what it is."""
        dims = tuple(axis.dim for axis in self.axes)
        for axis in self.axes:
            for key, values in axis.values.items():
                written = [self.spec.written.get(one, one) for one in values] if key == "data" else values
                yield key, _array(written), (axis.dim,), self._described(key)
        for key, values in self.derived.items():
            spread = tuple(k for k, length in enumerate(values.shape) if length > 1)
            own = values.reshape([values.shape[k] for k in spread])
            yield key, own, tuple(dims[k] for k in spread), self._described(key)

    def length(self, dim: str, found: int) -> int:
        """Of a dimension of the quantity's own: the longest of all groups, where it depends on what varies."""
        return int(self.evaluate(lambda fixed: sizes(self.quantity, fixed).get(dim, 0)).max()) or found

    def loose(self) -> tuple[str, ...]:
        """Dimensions of the quantity's own whose coordinate differs from group to group."""
        quantity, seen = self.quantity, dict[str, None]()

        def own(fixed: Mapping[str, Any]) -> Mapping[str, int]:
            return sizes(quantity, fixed)

        def counted(fixed: Mapping[str, Any]) -> int:
            seen.update(dict.fromkeys(own(fixed)))
            return len(own(fixed))

        self.evaluate(counted)
        lengths = {dim: self.evaluate(lambda fixed, dim=dim: own(fixed).get(dim, 0)) for dim in seen}
        # with these a dimension of one length may have other numbers
        shaped = any(quantity.swept[name].shapes for name in self.varied())
        listed = {axis.dim for axis in self.spec.axes if axis.own}
        varying = (dim for dim, length in lengths.items() if np.ptp(length) or (shaped and dim != "feature"))
        return (*varying, *(dim for dim in quantity.cells.grids if dim not in listed))

    def single(self) -> tuple[str, ...]:
        """Dimensions of the quantity's own of which every cell is one value: lists that stand in [zip] or [derive]."""
        lists = self.quantity.lists
        return tuple(lists[key] for key in self.varied() if key in lists)

    def varied(self) -> tuple[str, ...]:
        """Parameters that are not the same in all cells."""
        return (*(key for axis in self.axes for key in axis.values), *self.derived)

    def _changes(self, k: int, function: Callable, first: Mapping[str, Any], base: int) -> bool:
        if self.inner(self.axes[k]):
            return False
        index = [0] * len(self.axes)
        for at in range(1, self.counts[k]):
            index[k] = at
            if function(self.group(int(np.ravel_multi_index(tuple(index), self.counts))).fixed) != base:
                return True
        return False

    def _described(self, name: str) -> dict[str, str]:
        """The attributes of a coordinate: what it is, and its unit."""
        parameter = self.quantity.swept[name]
        return {"long_name": parameter.label, "units": parameter.unit}

    def _behind(self, values: NDArray) -> list[Axis]:
        """The axes that derived values depend on."""
        return [axis for k, axis in enumerate(self.axes) if values.shape[k] > 1]


def plan(spec: Spec) -> SweepPlan:
    """Divide a sweep into groups.

    Raises ValueError, in one line, that lists derived parameters without a value.
    """
    axes = tuple(axis for axis in spec.axes if not axis.own)
    derived: dict[str, NDArray] = {}
    known: dict[str, Any] = dict(spec.fixed)
    for k, axis in enumerate(axes):
        known |= {key: _array(values).reshape(_along(k, len(axes))) for key, values in axis.values.items()}
    wrong = []
    for key, one in spec.derived.items():
        values = one.value(known)
        derived[key] = known[key] = values.reshape((1,) * (len(axes) - values.ndim) + values.shape)
        if np.isnan(values).any():
            wrong.append(f"[derive] {key} = {one.text!r} has no value where it divides 0 by 0")
    if wrong:
        raise refusal("the sweep", wrong)
    return _tiled(SweepPlan(spec, axes, (1,) * len(axes), derived))


def _tiled(plan: SweepPlan) -> SweepPlan:
    """Groups as long as possible along inner axes, at most the quantity's tile of cells, in equal lengths."""
    left = tile(plan.quantity, plan.spec.fixed) or plan.cells
    tiles = [1] * len(plan.axes)
    for k in reversed(range(len(plan.axes))):
        if plan.inner(plan.axes[k]):
            size = plan.axes[k].size
            tiles[k] = -(-size // -(-size // min(size, left)))
            left //= tiles[k]
    return plan._replace(tiles=tuple(tiles))


def _array(values: Sequence) -> NDArray:
    """Of one type as NumPy has it; numbers among texts stay what they are."""
    mixed = len({isinstance(value, str) for value in values}) > 1
    return np.array(values, dtype=object if mixed else None)


def _along(k: int, axes: int) -> tuple[int, ...]:
    return tuple(-1 if at == k else 1 for at in range(axes))


def _number(value: float) -> int | float:
    """Whole numbers as such: sizes and seeds are among what may be derived."""
    return int(value) if float(value).is_integer() else float(value)
