"""The spectrum of the limit: density, atom, and its parts with exact masses (equations.md §5, §8)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.limit.contours import own_arcs
from rfsim.limit.intervals import Interval, support
from rfsim.limit.limits import Limit
from rfsim.limit.solver import NotConverged, Solution, attempt_above, solve_above
from rfsim.problem.ranks import PARTS, part_masses

MASS_ERROR = 1e-8
TOLD = 1e-14  # of λ: a narrower piece of the spectrum has no digits
ROUNDING = 1e-14  # a part of σ whose eigenvalues are that much smaller is rounding


class LimitPart(NamedTuple):
    """One part of the limit's spectrum: an atom, or intervals between which no other part lies (§8).

    Attributes:
        name: "gen", or "mini+main" where no gap separates the two.
        mass: Share of the p eigenvalues.
        mean: Of λ over the part.
        lower: Smallest λ; equal to upper for an atom.
        upper: Largest λ.
        intervals: Its pieces, ascending.
    """

    name: str
    mass: float
    mean: float
    lower: float
    upper: float
    intervals: tuple[Interval, ...]


def density(limit: Limit, lam: ArrayLike) -> NDArray[np.float64]:
    """Density ρ(λ) = Im q(λ + i0)/π of the limit's spectrum, without its atom (T10, T11; B25 Thm 3.1, U26 Prop. C.2).

    Args:
        limit: What the equations depend on.
        lam: λ, (points,).

    Returns:
        ρ per unit λ, (points,); 0 outside the support.

    Raises:
        ValueError: For a point at the atom or edge itself.
        NotConverged: Where a point does not converge.
        RuntimeError: In float32.
    """
    offset = _offsets(limit, lam)
    return _density(solve_above(limit, offset))


def density_with_residual(limit: Limit, lam: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Density of the limit's spectrum and how well the equations hold at each point (T10, T11).

    Args:
        limit: What the equations depend on.
        lam: λ, (points,).

    Returns:
        ρ per unit λ, NaN where a point does not converge, and the residual relative to the largest term; (points,)
        each.

    Raises:
        ValueError: For a point at the atom or edge itself.
        RuntimeError: In float32.
    """
    found = attempt_above(limit, _offsets(limit, lam))
    return np.where(found.converged, _density(found), np.nan), np.asarray(found.residual)


def _offsets(limit: Limit, lam: ArrayLike) -> NDArray[np.float64]:
    offset = np.asarray(lam, dtype=float) - float(limit.floor)
    if np.any(offset == 0):
        raise ValueError(
            f"the density has no value at its atom or edge λ = {float(limit.floor):g}; leave that point out"
        )
    return offset


def _density(found: Solution) -> NDArray[np.float64]:
    q = found.state.q
    # a real solution's imaginary part is rounding
    return np.where(q.imag > 1e-12 * np.abs(q), q.imag / np.pi, 0.0)


def masses(limit: Limit) -> dict[str, float]:
    """Masses of the parts by rank (§8).

    Args:
        limit: What the equations depend on.

    Returns:
        Masses by name, ascending in eigenvalue; they add up to 1.
    """
    spread = float(limit.v2 + limit.s2)
    power = float(limit.signal * (limit.weights @ limit.values) + limit.noise)
    gen = limit.gain * power * max(limit.features_per_dim, 1.0)  # where gen's eigenvalues lie
    return part_masses(
        limit.features_per_dim,
        limit.samples_per_dim,
        limit.noise_copies,
        linear=gen > ROUNDING * spread,
        nonlinear=spread > ROUNDING * gen,
    )


def atom(limit: Limit) -> LimitPart | None:
    """The atom at the floor: null at s² where noise is averaged exactly, else zero (§5).

    Args:
        limit: What the equations depend on.

    Returns:
        The part; None where it has no mass.
    """
    at = float(limit.floor)
    name = "null" if at > 0 else "zero"
    mass = masses(limit)[name]
    return LimitPart(name, mass, at, at, at, (Interval(at, at),)) if mass > 0 else None


def parts(limit: Limit) -> tuple[LimitPart, ...]:
    """All parts of the limit's spectrum, with masses and means by contour integral around each interval (§5, §8).

    Args:
        limit: What the equations depend on.

    Returns:
        The parts, ascending.

    Raises:
        NotConverged: Where the masses do not add up to 1 within 1e-8 (a bulk was missed), or an edge is not found.
        RuntimeError: In float32.
    """
    found, base = support(limit), atom(limit)
    start = base.mass if base else 0.0
    moments = _moments(limit, found)
    total = start + moments[:, 0].sum()
    if abs(total - 1) > MASS_ERROR:
        raise NotConverged(
            f"the masses of {len(found)} intervals add up to {total:.10f}, not 1, at samples_per_dim "
            f"{limit.samples_per_dim:g}, features_per_dim {limit.features_per_dim:g}"
        )
    grouped = [base] if base else []
    for names, members in _grouped(masses(limit), start, moments[:, 0]):
        mass, first = moments[members].sum(0)
        inside = tuple(found[k] for k in members)
        grouped.append(LimitPart(names, float(mass), float(first / mass), inside[0].lower, inside[-1].upper, inside))
    return tuple(grouped)


def gap_points(limit: Limit, pieces: Sequence[Interval | LimitPart]) -> NDArray[np.float64]:
    """Real points below, between and above pieces of the spectrum without its atom (§6).

    Args:
        limit: What the equations depend on.
        pieces: Ascending.

    Returns:
        λ, ascending, (pieces + 1,). The first lies between the atom, if there is one, and the lowest piece, else
        anywhere below.
    """
    floor = float(limit.floor)
    edges = [(one.lower - floor, one.upper - floor) for one in pieces]
    below = edges[0][0] / 2 if edges[0][0] > 0 else -edges[0][1]
    between = [math.sqrt(a[1] * b[0]) for a, b in itertools.pairwise(edges)]
    return floor + np.array([below, *between, 2 * edges[-1][1]])


def edges_above(limit: Limit, pieces: Sequence[Interval | LimitPart]) -> NDArray[np.float64]:
    """Edges of pieces of the spectrum, λ − floor, (pieces, 2) (§5).

    Args:
        limit: What the equations depend on.
        pieces: Ascending, without the atom.

    Returns:
        Lower and upper edges.

    Raises:
        NotConverged: Where a piece is as narrow as the rounding of λ, as at the latest diffusion times.
    """
    floor = float(limit.floor)
    edges = np.array([[one.lower, one.upper] for one in pieces]) - floor
    if np.any(np.diff(edges) < TOLD * floor):
        raise NotConverged(
            f"parts of the spectrum lie closer to its atom at {floor:.6g} than double precision tells (samples_per_dim "
            f"{limit.samples_per_dim:g}, features_per_dim {limit.features_per_dim:g}, noise variance {limit.noise:g})"
        )
    return edges


def own_gaps(limit: Limit, pieces: Sequence[Interval | LimitPart]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Edges of pieces of the spectrum, and real points on both sides of each, as close to it as its own size (§6).

    Args:
        limit: What the equations depend on.
        pieces: Ascending, without the atom.

    Returns:
        Edges and points, λ − floor, (pieces, 2) each: the sides of `contours.own_arcs`.

    Raises:
        NotConverged: As `edges_above`.
    """
    edges, gaps = edges_above(limit, pieces), gap_points(limit, pieces) - float(limit.floor)
    ends = np.stack([gaps[:-1], np.minimum(gaps[1:], 2 * edges[:, 1])], axis=1)
    ends[:, 0] = np.where(edges[:, 0] > 0, np.maximum(ends[:, 0], edges[:, 0] / 2), ends[:, 0])
    return edges, ends


def _moments(limit: Limit, intervals: list[Interval]) -> NDArray[np.float64]:
    """Mass and ∫λρ of each interval, (intervals, 2), by contour integrals of q and of zq."""
    floor = float(limit.floor)
    z, weights = own_arcs(*own_gaps(limit, intervals))
    q = np.asarray(solve_above(limit, z.ravel()).state.q).reshape(z.shape)
    values: NDArray[np.complex128] = np.stack([(weights * q).sum(1), (weights * (z + floor) * q).sum(1)], axis=1)
    return 2 * values.real


def _grouped(by_rank: dict[str, float], start: float, found: NDArray[np.float64]) -> list[tuple[str, list[int]]]:
    """Which intervals make up which parts: both lie in ascending order, and a shared border is a gap.

    Returns (name, indices of intervals) for the finest groups whose cumulated masses agree.
    """
    borders = np.cumsum([by_rank[name] for name in PARTS])
    seen = start + np.cumsum(found)
    groups: list[tuple[str, list[int]]] = []
    members: list[int] = []
    lower = start
    for k, upper in enumerate(seen):
        members.append(k)
        if np.min(np.abs(borders - upper)) <= MASS_ERROR:
            names = [
                name
                for name, top in zip(PARTS, borders, strict=True)
                if top > lower + MASS_ERROR and top - by_rank[name] < upper - MASS_ERROR
            ]
            groups.append(("+".join(names), members))
            members, lower = [], upper
    return groups
