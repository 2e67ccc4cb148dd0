"""U and V with their rows divided over devices: each has its own features and the others' come past in a ring.

Device i of K holds the coefficients g_i of p/K features and makes the blocks g_i g_jᵀ of U for j = i, i + 1, …, i + K/2
as those of device j reach it (`ppermute`); the other half of its rows are their transposes, sent home at the end.
U's blocks are made by the same tiles as on one device (`assembly.add_tiles`). No device holds p × p. Over several
processes each chooses rule and orders for itself, from the same numbers: hosts must be of one kind.
"""

from __future__ import annotations

from functools import partial
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.sharding import PartitionSpec
from numpy.typing import NDArray

from rfsim.computing import arrays
from rfsim.computing.parallel import AXIS, DeviceLayout
from rfsim.sample.moments import assembly
from rfsim.sample.moments.assembly import Whole
from rfsim.sample.moments.host import Host
from rfsim.sample.moments.rules import filled, rounded

HELD = 3  # copies of the coefficients: a device's own, those it works with and those that arrive
ROWS, COLUMNS, ORDERS, COMMON = (PartitionSpec(*axes) for axes in ((AXIS, None), (None, AXIS), (None, AXIS, None), ()))


Assembler: TypeAlias = "Host | Whole | Ring"


def assembler(layout: DeviceLayout | None, features: int) -> Assembler:
    """What does the work of U and V where `layout` says."""
    if layout is not None and layout.mesh is not None:
        return Ring(layout, features)
    return Host(features) if arrays.on_host() else Whole(features)


class Ring:
    """As `assembly.Whole`, with every device's features padded to whole tiles of their own."""

    def __init__(self, layout: DeviceLayout, features: int) -> None:
        """The number of devices must divide `features`, as `parallel.layout` checks."""
        assert layout.mesh is not None
        self.features, self._layout, self._mesh = features, layout, layout.mesh
        self._own = features // layout.count
        tiles = -(-self._own // assembly.TILE)
        self._tile = -(-self._own // (8 * tiles)) * 8
        self._padded = tiles * self._tile

    def zero(self) -> Array:
        """Of `add_orders`, (K·padded, (K/2 + 1)·padded): for each device its own block and those of its successors."""
        blocks = self._layout.count, self._layout.count // 2 + 1
        return self._layout.zeros((blocks[0] * self._padded, blocks[1] * self._padded), 0)

    def chunk_rows(self, orders: int, doubles: int = 1) -> int:
        """As `Whole` has it, on each device."""
        return assembly.rows_within(self._own * self.features, HELD * self._padded * rounded(orders), doubles)

    def pad(self, array: NDArray[np.float64]) -> Array:
        """As `Whole` has it, each device's own rows up to whole tiles."""
        each = array.reshape(self._layout.count, self._own, *array.shape[1:])
        extra = self._padded - self._own
        each = np.pad(each, [(0, 0), (0, extra)] + [(0, 0)] * (array.ndim - 1)) if extra else each
        return self._layout.place(each.reshape(-1, *array.shape[1:]), 0)

    def unpad(self, array) -> Array:
        """(K·padded, columns) to (features, columns)."""
        return _unpadded(array, mesh=self._mesh, own=self._own)

    def place(self, array: NDArray[np.float64]) -> Array:
        """As `Whole` has it, its rows divided."""
        return self._layout.place(array, 0)

    def share(self, array: NDArray[np.float64]) -> Array:
        """As `Whole` has it, on every device."""
        return self._layout.place(array)

    def host(self, array: Array) -> NDArray[np.float64]:
        """As `Whole` has it, gathered."""
        return self._layout.whole(array)

    def values(self, sums) -> NDArray[np.float64]:
        """As `Whole` has it."""
        each = self._layout.whole(sums).reshape(len(sums), self._layout.count, -1)
        return each[:, :, : self._own].reshape(len(sums), self.features)

    def coefficients(self, w, deviation, centers, window, offset, rule) -> tuple[Array, Array]:
        """As `Whole` has it, of each device's own features."""
        centers, window, offset = jax.tree.map(self._layout.place, (centers, filled(window), offset))
        return _coefficients(w, deviation, centers, window, offset, mesh=self._mesh, kernel=rule.kernel)

    def features_of(self, w, x, offset, function) -> Array:
        """As `Whole` has it, of each device's own features."""
        x, offset = map(self._layout.place, (x, offset))
        return _features_of(w, x, offset, mesh=self._mesh, function=function)

    def add_orders(self, second, g, directions, scale, first, orders) -> Array:
        """As `Whole` has it, around the ring."""
        return _add_orders(second, g, directions, scale, first, orders, mesh=self._mesh, tile=self._tile)

    def power_sum(self, directions, remainder, orders) -> float:
        """As `Whole` has it, on each device by itself."""
        return float(assembly.power_sum(assembly.pad(directions), assembly.pad(remainder), orders))

    def finish(self, second, diagonal=None) -> Array:
        """U (features, features), with its exact diagonal where that is known by itself, (features,)."""
        known = None if diagonal is None else self._layout.place(diagonal, 0)
        return _finish(second, known, mesh=self._mesh, own=self._own)


@partial(jax.jit, static_argnames=("mesh", "kernel"))
def _coefficients(w, deviation, centers, window, offset, *, mesh, kernel):
    """`assembly.coefficients` of each device's features."""

    def own(w, deviation, centers, window, offset):
        return assembly.coefficients(w, deviation, centers, window, offset, kernel)

    specs = ROWS, PartitionSpec(AXIS), COMMON, COMMON, COMMON
    return _each(own, mesh, specs, (ORDERS, COLUMNS))(w, deviation, centers, window, offset)


@partial(jax.jit, static_argnames=("mesh", "function"))
def _features_of(w, x, offset, *, mesh, function):
    def own(w, x, offset):
        return assembly.features_of(w, x, offset, function)

    return _each(own, mesh, (ROWS, COMMON, COMMON), ROWS)(w, x, offset)


@partial(jax.jit, static_argnames=("mesh", "tile"), donate_argnums=0)
def _add_orders(second, g, directions, scale, first, orders, *, mesh, tile):
    """`assembly.add_orders` in blocks: a device's own one in mirrored tiles, those of its successors in all of them."""
    count = mesh.size
    size = second.shape[0] // count
    upper = assembly.upper_tiles(size, tile)
    every = np.array([(i, j) for i in range(0, size, tile) for j in range(0, size, tile)])
    backwards = [(i, (i - 1) % count) for i in range(count)]

    def own(second, g, directions, scale, first, orders):
        here = g, directions
        second = assembly.add_tiles(second, here, here, upper, tile, scale, first, orders, mirrored=True)

        def turn(s, state):
            second, there = state
            there = lax.ppermute(there, AXIS, backwards)
            second = assembly.add_tiles(second, here, there, every, tile, scale, first, orders, column=s * size)
            return second, there

        return lax.fori_loop(1, count // 2 + 1, turn, (second, here))[0]

    specs = ROWS, ORDERS, ROWS, COMMON, COMMON, COMMON
    return _each(own, mesh, specs, ROWS)(second, g, directions, scale, first, orders)


@partial(jax.jit, static_argnames=("mesh", "own"))
def _finish(second, diagonal, *, mesh, own):
    """Rows of U, unpadded: blocks that a device has made, and transposes of those that its predecessors have."""
    count = mesh.size
    size = second.shape[0] // count

    def rows(second, diagonal):
        here = lax.axis_index(AXIS)
        out = jnp.zeros((own, count * own))
        for s in range(count // 2 + 1):
            block = second[:own, s * size : s * size + own]
            out = lax.dynamic_update_slice_in_dim(out, block, (here + s) % count * own, axis=1)
            if 0 < s < count - s:  # half way round both have made it
                sent = lax.ppermute(block.T, AXIS, [(i, (i + s) % count) for i in range(count)])
                out = lax.dynamic_update_slice_in_dim(out, sent, (here - s) % count * own, axis=1)
        if diagonal is None:
            return out
        index = jnp.arange(own)
        return out.at[index, here * own + index].set(diagonal)

    return _each(rows, mesh, (ROWS, PartitionSpec(AXIS)), ROWS)(second, diagonal)


@partial(jax.jit, static_argnames=("mesh", "own"))
def _unpadded(array, *, mesh, own):
    return _each(lambda rows: rows[:own], mesh, (ROWS,), ROWS)(array)


def _each(function, mesh, given: Any, found: Any):
    """`function` on every device's part; unchecked, for loops that begin at the same zeros on all of them."""
    return jax.shard_map(function, mesh=mesh, in_specs=given, out_specs=found, check_vma=False)
