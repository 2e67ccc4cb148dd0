"""The spectrum of U as ψ_p → ∞ after d → ∞ at finite m (equations.md W11): bulks beside the atoms of frozen noise.

U's eigenvalues over ψ_p are those of a kernel of the n m rows. Without its linear part that is diagonal: n rows of
(v² + s²/m)/ψ_n, the means over copies, and n(m − 1) of s²/(ψ_n m). The linear part adds d directions, above which d
eigenvalues lie (gen); below each atom's rest lie d others (mini between the two). Units are those of `wide_spectrum`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.limit.bulks import LimitPart
from rfsim.limit.intervals import Interval
from rfsim.limit.limits import Limit
from rfsim.limit.solver import NotConverged
from rfsim.problem.ranks import part_masses

WIDE = 1e12  # a ψ_p at which the bound of the eigenvalues is that of many features
HEIGHTS, TURNS = 120, 4  # from far above the axis down to it, and Newton's steps at each
NEAR = 1e-9  # of the distance to an atom: the lowest height
OPEN = 1e-5  # of |L|: a smaller imaginary part is a real solution
SCAN, AROUND, ZOOM, ZOOMS = 600, 200, 64, 5
NODES = 256  # of a bulk's mass and mean
MASS_ERROR = 1e-3
RANK = 0.05  # of a part, or of a bulk: a smaller share of one in the other is an error of its mass
SMALLEST = 1e-10  # of the largest eigenvalue: how near an atom is looked at

Complex = NDArray[np.complexfloating[Any, Any]]


class Levels(NamedTuple):
    """L_1 and L_2 at points of the spectrum, and how far the equations are from holding there, relative.

    Attributes:
        first: L_1, of means over copies, (points,).
        second: L_2, of the rest, (points,).
        residual: (points,).
    """

    first: Complex
    second: Complex
    residual: NDArray[np.float64]


def copies_density(limit: Limit, points: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Density per dimension of the eigenvalues of U over ψ_p, without atoms, at finite m (W11).

    Args:
        limit: What the equations depend on; its features_per_dim is ignored.
        points: u, (points,), none of them at an atom.

    Returns:
        The density, and the residual of the equations, (points,) each.

    Raises:
        ValueError: For a point at an atom.
    """
    u = np.asarray(points, dtype=float)
    if limit.gain == 0:
        return np.zeros_like(u), np.zeros_like(u)
    if np.isin(u, _ground(limit)).any():
        raise ValueError("the density has no value at an atom of frozen noise; leave that point out")
    found = _levels(limit, u)
    value = limit.samples_per_dim * (1 / found.first + (limit.noise_copies - 1) / found.second)
    return np.where(_inside(found), value.imag / np.pi, 0.0), found.residual


def copies_parts(limit: Limit) -> list[LimitPart]:
    """Parts of U's spectrum at finite m, ascending: eigenvalues over ψ_p, masses times ψ_p (W11, §8).

    Args:
        limit: What the equations depend on.

    Returns:
        The parts by rank, what no gap separates as one; what is 0 is none.

    Raises:
        NotConverged: Where the bulks' masses do not add up.
    """
    rows = limit.samples_per_dim * limit.noise_copies
    spread = limit.v2 + limit.s2 > 0
    shares = part_masses(rows, limit.samples_per_dim, limit.noise_copies, linear=limit.gain > 0, nonlinear=spread)
    ranks = {name: share * rows for name, share in shares.items() if name != "zero" and share > 0}
    pieces: list[_Piece] = [*_atoms(limit), *(_bulks(limit) if limit.gain > 0 else [])]
    pieces.sort()
    total = sum(piece.mass for piece in pieces)
    if abs(total - sum(ranks.values())) > MASS_ERROR * total:
        raise NotConverged(
            f"the bulks at features_per_dim inf have mass {total:.6g} instead of {sum(ranks.values()):g}"
        )
    return _named(ranks, pieces)


class _Piece(NamedTuple):
    """An atom, or a bulk."""

    lower: float
    upper: float
    mass: float
    mean: float


def _ground(limit: Limit) -> tuple[float, float]:
    """The kernel's diagonal without its linear part: of means over copies, and of the rest."""
    rest = limit.s2 * limit.copies_inverse / limit.samples_per_dim
    return limit.v2 / limit.samples_per_dim + rest, rest


def _atoms(limit: Limit) -> list[_Piece]:
    dims = 1.0 if limit.gain > 0 else 0.0
    psi_n, m = limit.samples_per_dim, limit.noise_copies
    masses = psi_n - dims, psi_n * (m - 1) - dims
    spots = zip(_ground(limit), masses, strict=True)
    return [_Piece(at, at, mass, at) for at, mass in spots if at > 0 and mass > 1e-12 * psi_n]


def _bulks(limit: Limit) -> list[_Piece]:
    first, rest = _ground(limit)
    top = 1.001 * float(limit._replace(features_per_dim=WIDE).ceiling) / WIDE
    steps = np.geomspace(SMALLEST, 1, SCAN)
    near = np.geomspace(SMALLEST, 1, AROUND)[:-1]
    scan = [rest + (top - rest) * steps, first + (top - first) * near, first - (first - rest) * near]
    grid = np.unique(np.concatenate(scan))
    grid = grid[(grid > rest) & (grid != first)]
    inside = _inside(_levels(limit, grid))
    if inside[-1] or not inside.any():
        raise NotConverged("the bulks at features_per_dim inf do not end below the bound of the eigenvalues")
    turns = np.flatnonzero(inside[1:] != inside[:-1])
    edges = _edges(limit, grid[turns], grid[turns + 1], inside[turns])
    if inside[0]:
        edges = np.concatenate([[rest], edges])
    return [_bulk(limit, low, high) for low, high in edges.reshape(-1, 2)]


def _edges(
    limit: Limit, below: NDArray[np.float64], above: NDArray[np.float64], opened: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Where what is inside below an edge, or above it, ends: brackets of it divided again and again."""
    for _ in range(ZOOMS):
        between = np.linspace(below, above, ZOOM + 1)
        inside = _inside(_levels(limit, between[1:-1].ravel())).reshape(ZOOM - 1, -1)
        same = np.vstack([opened[None], inside]) == opened
        last = np.where(same.all(0), ZOOM - 1, np.argmin(same, axis=0) - 1)
        columns = np.arange(below.size)
        below, above = between[last, columns], between[last + 1, columns]
    return (below + above) / 2


def _bulk(limit: Limit, low: float, high: float) -> _Piece:
    """Mass and mean over cosines, along which the roots at edges are smooth."""
    angles = (np.arange(NODES) + 0.5) * np.pi / NODES
    # an edge at an atom's place is reached over decades
    ends = np.log([max(low, 1e-9 * high), high])
    center, half = ends.mean(), np.ptp(ends) / 2
    u = np.exp(center - half * np.cos(angles))
    weights = copies_density(limit, u)[0] * u * half * np.sin(angles) * np.pi / NODES
    return _Piece(low, high, float(weights.sum()), float(weights @ u / weights.sum()))


def _named(ranks: dict[str, float], pieces: list[_Piece]) -> list[LimitPart]:
    """Pieces in the parts that their ranks name, parts that share a piece together."""
    names, ends = list(ranks), np.cumsum(list(ranks.values()))
    starts = ends - list(ranks.values())
    at, groups = 0.0, []
    for piece in pieces:
        shared = np.minimum(ends, at + piece.mass) - np.maximum(starts, at)
        own = np.flatnonzero(shared > RANK * np.minimum(ends - starts, piece.mass)).tolist()
        at += piece.mass
        if groups and groups[-1][0][-1] >= own[0]:
            groups[-1] = (sorted({*groups[-1][0], *own}), [*groups[-1][1], piece])
        else:
            groups.append((own, [piece]))
    found = []
    for own, several in groups:
        mass = sum(piece.mass for piece in several)
        mean = sum(piece.mass * piece.mean for piece in several) / mass
        intervals = tuple(Interval(piece.lower, piece.upper) for piece in several if piece.lower < piece.upper)
        name, exact = "+".join(names[k] for k in own), float(sum(ranks[names[k]] for k in own))
        found.append(LimitPart(name, exact, mean, several[0].lower, several[-1].upper, intervals))
    return found


def _inside(found: Levels) -> NDArray[np.bool_]:
    """Where the solution is not real."""
    return np.maximum(*(np.abs(one.imag) / np.abs(one) for one in (found.first, found.second))) > OPEN


def _levels(limit: Limit, u: NDArray[np.float64]) -> Levels:
    """The solution from above the axis, followed down from where it is known."""
    first, rest = _ground(limit)
    top = float(limit._replace(features_per_dim=WIDE).ceiling) / WIDE
    lowest = NEAR * np.minimum(np.abs(u - rest), np.abs(u - first))
    z = u + 1j * 10 * top
    found = Levels(first - z, rest - z, np.zeros_like(u))
    for share in np.repeat(np.append(np.linspace(0, 1, HEIGHTS), 1.0), TURNS):
        z = u + 1j * 10 * top * (lowest / (10 * top)) ** share
        found = _stepped(limit, z, found)
    return found


def _stepped(limit: Limit, z: Complex, at: Levels) -> Levels:
    """A step of Newton's of both, with how far the equations were from holding before it."""
    one, two, _ = at
    eps, psi_n, a2 = limit.copies_inverse, limit.samples_per_dim, limit.gain
    values, weights = (np.asarray(each)[:, None] for each in (limit.values, limit.weights))
    kappa = two / one
    slope = a2 * (limit.noise * eps + limit.signal * values)  # of D in κ
    over = 1 / (two + a2 * limit.noise * (1 - eps) + slope * kappa)
    by_one, by_two = -slope * kappa / one, 1 + slope / one
    y, k = (weights * over).sum(0), (weights * values * over).sum(0)
    dy, dk = ([-(weights * part * over**2 * by).sum(0) for by in (by_one, by_two)] for part in (1.0, values))
    c, e = eps * a2 * limit.noise / psi_n, a2 * limit.signal / psi_n
    lower = two * (1 - c * y) + z - eps * limit.s2 / psi_n
    upper = one - two * (1 + e * k) - limit.v2 / psi_n
    a, b = -two * c * dy[0], 1 - c * y - two * c * dy[1]
    p, q = 1 - two * e * dk[0], -1 - e * k - two * e * dk[1]
    determinant = p * b - q * a
    moved_one, moved_two = (b * upper - q * lower) / determinant, (p * lower - a * upper) / determinant
    size = np.maximum(np.abs(lower) / np.abs(two), np.abs(upper) / np.abs(one))
    return Levels(one - moved_one, two - moved_two, size)
