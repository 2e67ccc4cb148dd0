"""The work of U and V on the CPU, by NumPy and BLAS: `assembly.Whole` without a program for every size.

A Horner step multiplies a tile by its correlations and has BLAS add the next order's product to it, while it is warm.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dgemm, dsyrk, sgemm, ssyrk  # type: ignore[attr-defined]

from rfsim.computing.arrays import pointwise
from rfsim.computing.blas import in_threads
from rfsim.computing.precision import float64
from rfsim.sample.moments.assembly import BLOCK, rows_within, upper_tiles
from rfsim.sample.moments.rules import Rule

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

    def coefficients(self, w, deviation, centers, window, offset, rule: Rule) -> tuple[Matrix, Matrix]:
        """As `Whole` has it."""
        shape = len(w), len(centers)
        g, sums = np.empty((len(window[0]), *shape)), np.empty((3, len(w)))

        def fill(lo: int) -> None:
            where = slice(lo, lo + BLOCK)
            with float64():  # JAX's precision is a setting of each thread
                part, square = rule.host(w[where] @ centers.T, deviation[where], window, offset)
            g[:, where] = part
            sums[:, where] = square.sum(1), np.einsum("sic,sic->i", part, part), part[1].sum(1)

        in_threads(fill, range(0, len(w), BLOCK))
        return g, sums

    def features_of(self, w, x, offset, function) -> Matrix:
        """φ(x), (features, draws)."""
        return pointwise(function, w @ x.T) - offset

    def add_orders(self, second, g, directions, scale, first, orders) -> Matrix:
        """As `assembly.add_orders`; what is on one side of the diagonal is mirrored, in its own tiles too."""

        def add(tile: NDArray[np.int64]) -> None:
            i, j = tile
            rows, columns = slice(i, i + TILE), slice(j, j + TILE)
            c = product(directions[rows], directions[columns]) if first or orders > 1 else np.ones(())
            part, lowest = self._series(g, c, rows, columns, orders)
            for s in range(lowest - 1, -1, -1):
                part *= c
                part = _order(g[s], rows, columns, part)
            for _ in range(first):
                part *= c
            if i == j:
                part += np.tril(part, -1).T
            part *= scale
            second[rows, columns] += part
            if i != j:
                second[columns, rows] = second[rows, columns].T

        in_threads(add, upper_tiles(self.features, TILE))
        return second

    def _series(self, g, c, rows, columns, orders) -> tuple[Tile, int]:
        """The sum of the highest orders of a tile, and the lowest of these; on the diagonal its lower half."""
        return _order(g[orders - 1], rows, columns), orders - 1

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
                c2 = (directions[here] @ directions[where].T) ** 2
                if where is here:
                    np.fill_diagonal(c2, 0.0)
                total += weight * float(remainder[here] @ (c2**orders @ remainder[where]))
            return total

        return sum(in_threads(share, range(0, self.features, POWER_ROWS)))


def _order(g: Tile, rows: slice, columns: slice, total: Tile | None = None) -> Tile:
    return square(g[rows], total) if rows == columns else product(g[rows], g[columns], total)


def product(left: Tile, right: Tile, total: Tile | None = None) -> Tile:
    """left·rightᵀ in columns, added to what is there already; float64 or float32, as left is."""
    gemm = dgemm if left.dtype == np.float64 else sgemm
    if total is None:
        return gemm(1.0, left.T, right.T, trans_a=True)
    return gemm(1.0, left.T, right.T, trans_a=True, beta=1.0, c=total, overwrite_c=True)


def square(left: Tile, total: Tile | None = None) -> Tile:
    """left·leftᵀ on and below the diagonal, half of `product`'s work, added to what is there already."""
    syrk = dsyrk if left.dtype == np.float64 else ssyrk
    if total is None:
        return syrk(1.0, left.T, trans=True, lower=True)
    return syrk(1.0, left.T, trans=True, lower=True, beta=1.0, c=total, overwrite_c=True)
