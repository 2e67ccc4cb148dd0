"""The work of U and V on the CPU, by NumPy and its BLAS: `assembly.Whole` without a program for every size.

A Horner step multiplies a tile by its correlations and adds the next order's product to it, while it is warm. Products
are NumPy's, which lets other threads run meanwhile; SciPy's wrappers of BLAS do not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import pointwise
from rfsim.computing.blas import in_threads
from rfsim.computing.precision import float64
from rfsim.sample.moments.assembly import BLOCK, rows_within, upper_tiles
from rfsim.sample.moments.rules import HostRule

Matrix = NDArray[np.float64]
Tile = NDArray[np.floating]
TILE = 512
POWER_ROWS = 64  # of the correlations whose power is held at once


class Host:
    """As `assembly.Whole`, of NumPy's arrays, which need no padding."""

    def __init__(self, features: int) -> None:
        self.features = features

    def zero(self) -> Matrix:
        """Of `add_orders`, (features, features)."""
        return np.zeros((self.features,) * 2)

    def chunk_rows(self, orders: int, doubles: int = 1) -> int:
        """As `Whole` has it."""
        return rows_within(self.features**2, self.features * orders, doubles)

    def pad(self, array) -> Matrix:
        """As it is."""
        return array

    def unpad(self, array) -> Matrix:
        """As it is."""
        return array

    def place(self, array) -> Matrix:
        """As it is."""
        return array

    def share(self, array) -> Matrix:
        """As it is."""
        return array

    def host(self, array) -> Matrix:
        """As it is."""
        return array

    def values(self, sums) -> Matrix:
        """As it is."""
        return sums

    def coefficients(self, w, deviation, centers, window, offset, rule: HostRule) -> tuple[Matrix, Matrix]:
        """As `Whole` has it."""
        shape = len(w), len(centers)
        g, sums = np.empty((len(window[0]), *shape)), np.empty((3, len(w)))

        def fill(lo: int) -> None:
            where = slice(lo, lo + BLOCK)
            with float64():  # JAX's precision is a setting of each thread
                part, square = rule.host(w[where] @ centers.T, deviation[where], window, offset)
            g[:, where] = part
            # g_1 is not among the orders of every round
            sums[:, where] = square.sum(1), np.einsum("sic,sic->i", part, part), part[1:2].sum((0, 2))

        in_threads(fill, range(0, len(w), BLOCK))
        return g, sums

    def features_of(self, w, x, offset, function) -> Matrix:
        """φ(x), (features, draws)."""
        return pointwise(function, w @ x.T) - offset

    def add_orders(self, second, g, directions, scale, first, orders) -> Matrix:
        """As `assembly.add_orders`; what is on one side of the diagonal is mirrored, in its own tiles too."""
        side = TILE if g.shape[2] >= TILE // 2 else TILE // 2  # of few centers, what is not products takes longer

        def add(tile: NDArray[np.int64]) -> None:
            i, j = tile
            rows, columns = slice(i, i + side), slice(j, j + side)
            c = directions[rows] @ directions[columns].T if first or orders > 1 else np.ones(())
            part, lowest = self._series(g, c, rows, columns, orders)
            if lowest:
                part = horner(part, c, g[:lowest, rows], g[:lowest, columns])
            for _ in range(first):
                part *= c
            part *= scale
            second[rows, columns] += part
            if i != j:
                second[columns, rows] = second[rows, columns].T

        in_threads(add, upper_tiles(self.features, side))
        return second

    def _series(self, g, c, rows, columns, orders) -> tuple[Tile, int]:
        """The sum of the highest orders of a tile, and the lowest of these."""
        return g[orders - 1, rows] @ g[orders - 1, columns].T, orders - 1

    def finish(self, second, diagonal=None) -> Matrix:
        """U with its exact diagonal where that is known by itself, (features,)."""
        if diagonal is not None:
            np.fill_diagonal(second, diagonal)
        return second

    def power_sum(self, directions, remainder, orders) -> float:
        """As `assembly.power_sum`; what is above the diagonal counts twice."""

        def share(start: int) -> float:
            stop, total = min(start + POWER_ROWS, self.features), 0.0
            here, beyond = slice(start, stop), slice(stop, None)
            for where, weight in ((here, 1.0), (beyond, 2.0)):
                c2 = directions[here] @ directions[where].T
                c2 *= c2
                if where is here:
                    np.fill_diagonal(c2, 0.0)
                total += weight * float(remainder[here] @ (_power(c2, orders) @ remainder[where]))
            return total

        return sum(in_threads(share, range(0, self.features, POWER_ROWS)))


def horner(part: Tile, c: Tile, left: NDArray[np.floating], right: NDArray[np.floating]) -> Tile:
    """Σ_s c^s left_s right_sᵀ of a tile, of (orders, rows, centers) each, `part` the sum of what is above; it changes.

    A table that multiplies itself takes half of the work, as NumPy does it.
    """
    order = np.empty_like(part)
    for s in range(len(left) - 1, -1, -1):
        part *= c
        part += np.matmul(left[s], right[s].T, out=order)
    return part


def _power(values: Matrix, exponent: int) -> Matrix:
    """By squares, a tenth of the time of `values**exponent` and more; the values change."""
    found = None
    while exponent:
        if exponent & 1:
            found = values.copy() if found is None else np.multiply(found, values, out=found)
        exponent >>= 1
        if exponent:
            values *= values
    return np.ones_like(values) if found is None else found
