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


def rings(pieces: ArrayLike, ends: ArrayLike, digits: float, *, bounded: bool = False) -> Contour:
    """Rings around pieces (parts, 2) of the spectrum inside `ends` (parts, 2): points and weights (parts, nodes).

    The plane without a piece [a, b] and without what lies beyond its ends, (−∞, c] and [d, ∞), is conformal to an
    annulus; a ring is its middle circle, where midpoints of the trapezoid rule converge as fast as they can: errors of
    10^−digits, by as many nodes of an upper half as the narrowest gap needs, a multiple of 8. It is also a circle of
    the plane, through one point of either gap. bounded: a ring between that circle and the piece, for functions that
    are bounded inside of the circle alone, as e^{−κτz} is where Re z > 0; twice as many nodes. c may be −∞ and d ∞.
    """
    from scipy.special import ellipj, ellipkm1  # of distillation alone: other commands of the limit do not load it

    (a, b), (c, d) = (np.asarray(one, dtype=float).T[..., None] for one in (pieces, ends))
    with np.errstate(invalid="ignore"):
        below = np.where(np.isinf(c), 1.0, (c - a) / (c - b))
        above = np.where(np.isinf(d), 1.0, (d - b) / (d - a))
    # t = ±1 are the piece's edges and ±1/k its ends, (z − a)/(b − z) = scale (1 + t)/(1 − t)
    ratio, scale = np.sqrt(below * above), np.sqrt(below / above)
    k, rest = (1 - ratio) / (1 + ratio), 4 * ratio / (1 + ratio) ** 2
    width, height = ellipkm1(rest), ellipkm1(k**2)
    level = height / 4 if bounded else height / 2
    rate = float((np.pi * level / width).min())
    nodes = 8 * int(np.ceil(digits * np.log(10) / rate / 8))
    x = width * ((np.arange(nodes) + 0.5) * 2 / nodes - 1)
    s, cn, dn, _ = ellipj(x, k**2)
    s_, cn_, dn_, _ = ellipj(level, rest)
    under = cn_**2 + (k * s * s_) ** 2
    t = (s * dn_ + 1j * cn * dn * s_ * cn_) / under
    slope = (cn * cn_ - 1j * s * dn * s_ * dn_) * (dn * cn_ * dn_ - 1j * k**2 * s * cn * s_) / under**2
    away = 1 - t + scale * (1 + t)
    points = a + (b - a) * scale * (1 + t) / away
    return Contour(points, 2 * scale * (b - a) / away**2 * slope * (2 * width / nodes) / (2j * np.pi))
