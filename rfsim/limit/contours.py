"""Nodes z and weights −dz/2πi of contours around the spectrum: g(z) summed over a contour is its average over ρ inside.

Only upper halves are held: what is real on the real axis has the sum 2 Re Σ w g.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

HALF_HEIGHT = 1.25  # of the ellipse; below π/2, where filters would grow
FINENESS, ENDS = 4.0, 32.0  # of an arc, whose step is angle/FINENESS: errors e^{−2π·FINENESS} and e^{−ENDS}


class Contour(NamedTuple):
    """z and weights, both (nodes,)."""

    points: NDArray[np.complex128]
    weights: NDArray[np.complex128]


def ellipse(
    nodes: int, bounds: ArrayLike, ridge: float = 0.0, reach: float = np.inf, half_height: float = HALF_HEIGHT
) -> Contour:
    """The upper nodes/2 of an ellipse in s = log[u/(1 − u/reach)], u = z + γ, whose foci are those of bounds + γ.

    |Im s| < π/2 is the disc whose diameter is 0 < u < reach, where |1 − 2u/reach| < 1; at reach = ∞, s = log u and the
    disc is Re u > 0, where e^{−κτu} stays bounded. Midpoints of the trapezoid rule: no node is real, and each stands
    for its conjugate too. bounds of shape (2, cells, 1) make one contour each.
    """
    angles = (np.arange(nodes // 2) + 0.5) * (2 * np.pi / nodes)
    ends = np.asarray(bounds) + ridge
    low, high = np.log(ends) - np.log1p(-ends / reach)
    length = np.hypot((high - low) / 2, half_height)
    w = np.exp((low + high) / 2 + length * np.cos(angles) + 1j * half_height * np.sin(angles))
    u = w / (1 + w / reach)
    step = u**2 / w * (-length * np.sin(angles) + 1j * half_height * np.cos(angles)) * (2 * np.pi / nodes)
    return Contour(u - ridge, -step / (2j * np.pi))


def arcs(ends: ArrayLike, angle: float = np.pi / 2, *, fineness: float = FINENESS, reach: float = ENDS) -> Contour:
    """Arcs of circles over the steps of `ends` (parts + 1,), real points in gaps: points and weights (parts, nodes).

    In s = log[(z − left)/(right − z)] an arc is Im s = angle and all of the spectrum lies `angle` away from it, so that
    the trapezoid rule converges however narrow a gap is. Half circles, π/2, are the widest. Functions that grow outside
    of them, as e^{−κτz} does on the left, need a lens, whose own neighborhood then is inside: π/4. fineness and reach
    say how many nodes there are, and leave errors of e^{−2π·fineness} and e^{−reach}.
    """
    ends = np.asarray(ends, dtype=float)
    return _arcs(ends[:-1, None], ends[1:, None], 0.0, reach, angle, fineness)


def own_arcs(
    pieces: ArrayLike, ends: ArrayLike, angle: float = np.pi / 2, *, fineness: float = FINENESS, reach: float = ENDS
) -> Contour:
    """`arcs` of ends (parts, 2) of their own, around pieces (parts, 2) of the spectrum inside.

    Nodes go on for `reach` beyond a piece's edges in s, where a shared arc whose ends are far away in units of the
    piece would end soon after it.
    """
    left, right = np.asarray(ends, dtype=float).T[..., None]
    inside = np.asarray(pieces, dtype=float)
    edges = np.log((inside - left) / (right - inside))
    center, half = edges.mean(1, keepdims=True), float(np.diff(edges).max()) / 2
    return _arcs(left, right, center, reach + half, angle, fineness)


def _arcs(
    left: NDArray[np.float64],
    right: NDArray[np.float64],
    center: NDArray[np.float64] | float,
    reach: float,
    angle: float,
    fineness: float,
) -> Contour:
    step = angle / fineness
    half = int(np.ceil(reach / step))
    # whole steps from s = 0: there the error that z = ∞, at s = iπ, makes is imaginary
    begin = np.round(np.asarray(center) / step) * step
    w: NDArray[np.complex128] = np.exp(1j * angle + begin + step * np.arange(-half, half + 1))
    width = right - left
    return Contour(left + width * (w / (1 + w)), step * width * (w / (1 + w) ** 2) / (2j * np.pi))
