"""Where the spectrum may begin or end if Σ is a multiple of the identity and noise is averaged exactly (§5) [ours].

With L = 1 + (ψ_p/ψ_n)(a²e^{−2t}h + v²q), u = q/r, A = a²e^{−2t}l, and h = l r, the real solutions of T10 are one curve,

    v²u² + βu − A = 0, β = A − v² − ψ_n(L − 1)K, K = a²Δ + A/L,
    z − s² = K[1/u − ψ_p/(u − 1)] + v²/L,

with one positive and one negative u at every real L ≠ 0, 1. Edges are among the points where z turns along it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.limit.limits import Limit

REACH, STEP = 60.0, 0.04  # of s, along each of the three pieces of L: e^s from 0, 1 or ∞
LOOKS, WITHIN = 2, 48  # at steps where z comes near to turning twice, and points in each
STEEP = 0.3  # relative: of |dz/ds| over two steps
HALVINGS = 30  # of a bracket: z is flat where it turns, so that half of the digits of s give all of z
PIECES, BRANCHES = 3, 2


class _Curve(NamedTuple):
    """ψ_n, ψ_p, A, a²Δ and v²."""

    psi_n: float
    psi_p: float
    linear: float
    noisy: float
    v2: float

    def at(self, s: NDArray, piece: NDArray, side: NDArray) -> tuple[NDArray, NDArray]:
        """Of z − s² the value and the derivative along s, on the pieces L < 0, 0 < L < 1, 1 < L, at signs of u."""
        grown = np.exp(s)
        low, middle = piece == 0, piece == 1
        big = np.where(low, -grown, np.where(middle, grown / (1 + grown), 1 + grown))  # L
        over = np.where(low, -1 - grown, np.where(middle, -1 / (1 + grown), grown))  # L − 1
        rate = np.where(low, -grown, np.where(middle, grown / (1 + grown) ** 2, grown))  # dL/ds
        share = self.noisy + self.linear / big
        beta = self.linear - self.v2 - self.psi_n * over * share
        root = np.sqrt(beta**2 + 4 * self.v2 * self.linear)
        # the larger root in size first, the other from their product −A/v²
        far = -(beta + np.copysign(root, beta)) / (2 * self.v2)
        u = np.where(np.sign(far) == side, far, -self.linear / (self.v2 * far))
        over_l, over_u, pole = 1 / big, 1 / u, 1 / (u - 1)
        turn = self.psi_n * (self.noisy + self.linear * over_l**2) / (self.v2 + self.linear * over_u**2)  # du/dL
        inner = over_u - self.psi_p * pole
        change = share * (self.psi_p * pole**2 - over_u**2) * turn - (self.linear * inner + self.v2) * over_l**2
        return share * inner + self.v2 * over_l, change * rate


def explicit(limit: Limit) -> bool:
    """Whether the real solutions are this curve.

    Args:
        limit: What the equations depend on.

    Returns:
        Whether they are.
    """
    sizes = np.array([limit.gain, limit.v2, limit.signal, limit.samples_per_dim, limit.features_per_dim], dtype=float)
    known = np.isfinite(sizes).all() and (sizes > 0).all()
    return bool(
        known
        and limit.classes is None
        and limit.copies_inverse == 0
        and np.size(limit.values) == 1
        and np.min(limit.values) > 0
    )


def turning_points(limit: Limit) -> NDArray[np.float64]:
    """λ − floor of all points that may be edges, ascending (§5).

    Args:
        limit: What the equations depend on, `explicit`.

    Returns:
        The points above the floor, (points,).
    """
    power = float(np.ravel(limit.values)[0])
    linear = limit.gain * limit.signal * power
    curve = _Curve(limit.samples_per_dim, limit.features_per_dim, linear, limit.gain * limit.noise, limit.v2)
    top = 1.01 * float(limit.ceiling)
    with np.errstate(all="ignore"):  # far out on the curve, where there is nothing to find
        low, high, piece, side = _brackets(curve, top)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            same = np.sign(curve.at(middle, piece, side)[1]) == np.sign(curve.at(low, piece, side)[1])
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        found = curve.at((low + high) / 2, piece, side)[0]
    return np.sort(found[np.isfinite(found) & (found > 0) & (found <= top)])


def _brackets(curve: _Curve, top: float) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Steps of s in which z turns between the floor and `top`, with their pieces and signs of u."""
    grid = np.arange(-REACH, REACH + STEP, STEP)
    piece, side = (np.repeat(np.ravel(one), grid.size) for one in np.meshgrid(np.arange(PIECES), [-1.0, 1.0]))
    s = np.tile(grid, PIECES * BRANCHES).reshape(-1, grid.size)
    piece, side = piece.reshape(s.shape), side.reshape(s.shape)
    found = []
    for look in range(LOOKS + 1):
        value, slope = curve.at(s, piece, side)
        sign = np.where((value > 0) & (value <= top) & np.isfinite(slope), np.sign(slope), 0.0)
        row, k = np.nonzero(sign[:, :-1] * sign[:, 1:] < 0)
        found.append((s[row, k], s[row, k + 1], piece[row, 0], side[row, 0]))
        # on both sides of two turns that one step holds |slope| falls steeply, and goes up again
        size, around = np.abs(slope[:, 1:-1]), np.abs(slope[:, :-2]) + np.abs(slope[:, 2:])
        one_sign = (sign[:, :-2] * sign[:, 1:-1] > 0) & (sign[:, 1:-1] * sign[:, 2:] > 0)
        row, k = np.nonzero(one_sign & (around > (2 + STEEP) * size))
        if look == LOOKS or row.size == 0:
            break
        s = np.linspace(s[row, k], s[row, k + 2], WITHIN, axis=1)
        piece, side = (np.repeat(one[row, :1], WITHIN, axis=1) for one in (piece, side))
    return tuple(np.concatenate(each) for each in zip(*found, strict=True))  # type: ignore[return-value]
