"""U and V on the CPU with the high orders of the series summed in float32, whose products take half of the time (§2).

The correlations c of the noise are of order 1/√d, so that order s of U is of relative size d^(−s/2): from the order
`single` on, what float32 rounds is below the share of the error that U is allowed, and is bounded beside what is left
out. For k terms added one to the other, a dot product's among them, |rounding| ≤ γ_k Σ|terms| with γ_k = ku/(1 − ku)
(Higham 2002, §3.1), whatever their order. With Cauchy–Schwarz over centers and orders it is at most
γ_k |c_ij|^single √(e_i e_j), e the energy of the orders from `single` on.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from rfsim.sample.moments.host import Host, Matrix, Tile, horner

UNIT = 2.0**-24  # of float32
TINY = 2.0**-126  # below, float32 loses digits or all of them
LARGEST = 1e30  # of sums in float32, far from where they overflow
LEAST_FEATURES = 512  # below, the series takes less than what is around it


def rounding(centers: int, orders: int) -> float:
    """γ_k of `orders` products over `centers`, each cast, multiplied by c that is cast too, and added to the next."""
    k = centers + 3 * orders + 2
    return k * UNIT / (1 - k * UNIT)


class Mixed(Host):
    """As `Host`, with orders from `single` on in float32."""

    def __init__(self, features: int, single: int) -> None:
        super().__init__(features)
        self.single = single
        self._energy, self._gamma, self._lost = np.zeros(features), 0.0, 0.0
        self._low: NDArray[np.float32] | None = None  # the orders that are summed in float32 now

    def chunk_rows(self, orders: int, doubles: int = 1) -> int:
        """As `Host` has it, orders in float32 held in both precisions."""
        return super().chunk_rows(orders + -(-max(orders - self.single, 0) // 2), doubles)

    def error_bound(self, directions: Matrix) -> float:
        """Bound on the spectral norm of what float32 has rounded so far: the Frobenius norm of the bound on entries."""
        total = self.power_sum(directions, self._energy, self.single)
        return self._gamma * math.sqrt(max(total, 0.0)) + self.features * self._lost

    def add_orders(self, second, g, directions, scale, first, orders) -> Matrix:
        """As `Host` has it."""
        keep = min(max(self.single - first, 0), orders)
        low, centers = g[keep:orders], g.shape[2]
        energy = np.einsum("sic,sic->i", low, low)
        if len(low) and energy.max() < LARGEST:
            self._energy += scale * energy
            self._gamma = max(self._gamma, rounding(centers, len(low)))
            self._lost += scale * (centers + 2) * len(low) * TINY
            self._low = low.astype(np.float32)
        second = super().add_orders(second, g, directions, scale, first, orders)
        self._low = None
        return second

    def _series(self, g, c, rows, columns, orders) -> tuple[Tile, int]:
        if self._low is None:
            return super()._series(g, c, rows, columns, orders)
        left, right = self._low[:, rows], self._low[:, columns]
        part = left[-1] @ right[-1].T
        if len(left) > 1:
            part = horner(part, c.astype(np.float32), left[:-1], right[:-1])
        return part.astype(np.float64), orders - len(left)
