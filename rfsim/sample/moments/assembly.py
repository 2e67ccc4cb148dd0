"""The p × p work of the moments, compiled: Hermite coefficients of pre-activations, and products in mirrored tiles.

Arrays are padded with rows of zeros to a whole number of tiles, so one compiled loop serves all of them.
"""

from __future__ import annotations

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from rfsim.sample.moments.rules import filled, rounded

TILE = 512
BLOCK = 32  # features whose quadrature is done at once
CHUNK_BYTES = 32 * 2**20  # Hermite coefficients held at once where p² doubles are less; what a rule holds at once


def chunk_rows(features: int, orders: int, doubles: int = 1) -> int:
    """Centers whose Hermite coefficients fit in p² doubles, or in the fixed budget where that is more.

    What a rule holds per feature and center (`doubles`), for one block of features, stays within the fixed budget too.
    """
    return rows_within(features**2, padded(features) * orders, doubles)


def rows_within(room: int, per_row: int, doubles: int) -> int:
    """Centers of `per_row` doubles each that fit in `room` of them, or in the fixed budget where that is more."""
    budget = max(8 * room, CHUNK_BYTES)
    return max(min(budget // (8 * per_row), CHUNK_BYTES // (8 * BLOCK * doubles)), 1)


def padded(features: int) -> int:
    """Features up to a whole number of tiles."""
    tile = _tile(features)
    return -(-features // tile) * tile


def pad(array: Array | NDArray[np.float64]) -> Array:
    """On the device, with rows of zeros up to a whole number of tiles."""
    extra = padded(len(array)) - len(array)
    return jnp.asarray(np.pad(array, [(0, extra)] + [(0, 0)] * (array.ndim - 1)) if extra else array)


@partial(jax.jit, static_argnames=("kernel",))
def coefficients(w, deviation, centers, window, offset, kernel):
    """g_s (orders, features, centers) of a `rules.Rule`, and sums over centers of E σ², Σ_s g_s² and its g_1.

    Blocks of features are written where they belong: a map would hold all of g twice while it is put in order.
    """
    block = math.gcd(w.shape[0], BLOCK)

    def rows(k, found):
        g, sums = found
        start = k * block
        eta = _rows(w, start, block) @ centers.T
        part, square = kernel(eta, _rows(deviation, start, block), window, offset)
        part_sums = jnp.stack([square.sum(1), (part**2).sum((0, 2)), part[1].sum(1)])
        g = jax.lax.dynamic_update_slice_in_dim(g, part, start, axis=1)
        return g, jax.lax.dynamic_update_slice_in_dim(sums, part_sums, start, axis=1)

    empty = jnp.zeros((window[0].shape[0], w.shape[0], centers.shape[0])), jnp.zeros((3, w.shape[0]))
    return jax.lax.fori_loop(0, w.shape[0] // block, rows, empty)


@partial(jax.jit, donate_argnums=0)
def add_orders(second, g, directions, scale, first, orders):
    """Add orders to a total by Horner's rule in mirrored upper tiles.

    second + scale·Σ_{s<orders} c^{first+s} ∘ (g_s g_sᵀ); g: (at least orders, padded features, centers). The orders are
    a loop and not unrolled, so that compiling takes as long for forty as for four.
    """
    size = second.shape[0]
    tile = _tile(size)
    pairs = upper_tiles(size, tile)
    return add_tiles(second, (g, directions), (g, directions), pairs, tile, scale, first, orders, mirrored=True)


@partial(jax.jit, donate_argnums=0)
def add_pairs(total, left, right, directions, scale, orders):
    """Add total + scale·Σ_{s<orders} c^s ∘ (left_s right_sᵀ) of two different tables, in all tiles."""
    tile = _tile(total.shape[0])
    edges = range(0, total.shape[0], tile)
    tiles = np.array([(i, j) for i in edges for j in edges])
    return add_tiles(total, (left, directions), (right, directions), tiles, tile, scale, 0, orders)


def upper_tiles(size: int, tile: int) -> NDArray[np.int64]:
    """Where the tiles on and above the diagonal begin, (tiles, 2)."""
    return np.array([(i, j) for i in range(0, size, tile) for j in range(i, size, tile)])


def add_tiles(total, left, right, tiles, tile, scale, first, orders, *, mirrored=False, column=0):
    """Add orders in some tiles of a total, the left g and directions by the right ones.

    total + scale·Σ_{s<orders} c^{first+s} ∘ (g_s g_sᵀ); mirrored: the tiles' transposes are written below the diagonal;
    column: of `total` where the right ones begin.
    """
    (g, directions), (g_right, directions_right) = left, right

    def body(k, total):
        i, j = jnp.asarray(tiles)[k]
        c = _rows(directions, i, tile) @ _rows(directions_right, j, tile).T

        def product(s):
            return _rows(g[s], i, tile) @ _rows(g_right[s], j, tile).T

        part = jax.lax.fori_loop(1, orders, lambda s, sum_: sum_ * c + product(orders - 1 - s), product(orders - 1))
        part = jax.lax.fori_loop(0, first, lambda _, power: power * c, part)
        part = scale * part + jax.lax.dynamic_slice(total, (i, column + j), (tile, tile))
        if mirrored:
            total = jax.lax.dynamic_update_slice(total, part.T, (j, column + i))
        return jax.lax.dynamic_update_slice(total, part, (i, column + j))

    return jax.lax.fori_loop(0, len(tiles), body, total)


@jax.jit
def finish(second, diagonal):
    """The unpadded matrix with its exact diagonal."""
    p = diagonal.shape[0]
    index = jnp.arange(p)
    return second[:p, :p].at[index, index].set(diagonal)


@jax.jit
def power_sum(directions, remainder, orders):
    """Σ_{i≠j} c_ij^{2·orders} r_i r_j over padded rows, by blocks of them."""
    block = math.gcd(directions.shape[0], 64)

    def rows(start):
        c2 = (_rows(directions, start, block) @ directions.T) ** 2
        c2 = c2.at[jnp.arange(block), start + jnp.arange(block)].set(0.0)
        power = jax.lax.fori_loop(1, orders, lambda _, power: power * c2, c2)
        return _rows(remainder, start, block) @ (power @ remainder)

    return jax.lax.map(rows, jnp.arange(0, directions.shape[0], block)).sum()


@partial(jax.jit, static_argnames=("function",))
def features_of(w, x, offset, function):
    """φ(x) (features, draws)."""
    return function(w @ x.T) - offset


class Whole:
    """The work of U and V on one device, arrays padded to whole tiles; `sharded.Ring` is the same over several."""

    def __init__(self, features: int) -> None:
        self.features = features

    def zero(self) -> Array:
        """Of `add_orders`, (padded, padded)."""
        return jnp.zeros((padded(self.features),) * 2)

    def chunk_rows(self, orders: int, doubles: int = 1) -> int:
        """Centers whose coefficients are held at once."""
        return chunk_rows(self.features, rounded(orders), doubles)

    def pad(self, array: Array | NDArray[np.float64]) -> Array:
        """Rows of features, with rows of zeros up to whole tiles."""
        return pad(array)

    def unpad(self, array) -> Array:
        """(padded, columns) to (features, columns)."""
        return array[: self.features]

    def place(self, array: NDArray[np.float64]) -> Array:
        """Rows of features."""
        return jnp.asarray(array)

    def share(self, array: NDArray[np.float64]) -> Array | NDArray[np.float64]:
        """What every feature needs."""
        return array

    def host(self, array: Array) -> NDArray[np.float64]:
        """An array as the host's."""
        return np.asarray(array)

    def values(self, sums) -> NDArray[np.float64]:
        """Sums over centers (kinds, features) on the host, without padding."""
        return np.asarray(sums)[:, : self.features]

    def coefficients(self, w, deviation, centers, window, offset, rule) -> tuple[Array, Array]:
        """Coefficients g of some centers by a `rules.Rule`, and sums over these."""
        return coefficients(w, deviation, jnp.asarray(centers), filled(window), offset, rule.kernel)

    def features_of(self, w, x, offset, function) -> Array:
        """φ(x), (padded features, draws)."""
        return features_of(w, x, offset, function)

    def add_orders(self, second, g, directions, scale, first, orders) -> Array:
        """The function of that name."""
        return add_orders(second, g, directions, scale, first, orders)

    def power_sum(self, directions, remainder, orders) -> float:
        """The function of that name, of rows of features."""
        return float(power_sum(pad(directions), pad(remainder), orders))

    def finish(self, second, diagonal=None) -> Array:
        """U (features, features), with its exact diagonal where that is known by itself, (features,)."""
        return finish(second, jnp.diagonal(second)[: self.features] if diagonal is None else jnp.asarray(diagonal))


def _tile(features: int) -> int:
    return min(TILE, -(-features // 8) * 8)


def _rows(array, start, count):
    return jax.lax.dynamic_slice_in_dim(array, start, count, axis=0)
