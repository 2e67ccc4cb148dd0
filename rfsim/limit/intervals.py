"""Where the spectrum of the limit lives: its intervals, with edges at the folds of the real solution (equations.md §5).

Outside the spectrum the equations have a real solution, and an edge is where its Jacobian is singular. Where that
solution is an explicit curve (`edges`) it gives them all. Elsewhere they are bracketed on a grid in log(λ − floor) and
then solved for. Gaps too narrow for the grid show as minima of the density, bulks too narrow as a Stieltjes transform
that falls between two points of a gap; both are looked into.
"""

from __future__ import annotations

import contextlib
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers
from rfsim.computing.precision import in_complex128
from rfsim.limit.edges import explicit, turning_points
from rfsim.limit.equations import Point, differences, equations, state
from rfsim.limit.limits import Limit
from rfsim.limit.solver import NotConverged, solve_above

REACH = 1e-13  # the grid begins at REACH times the largest possible eigenvalue above the floor
SMALLEST = 1e6  # times v²: what the smallest parts are taken to be of, in the place of the largest eigenvalue
POINTS, INSIDE, ZOOM, ZOOMS = 384, 15, 24, 3
OPEN = 1e-6  # of |q| or |r|: a smaller imaginary part is a real solution
FOLD_STEPS, NARROWINGS, NARROW = 12, 8, 1e-10
TINY = 1e-100  # an imaginary step: what it moves is a derivative, with no difference of near numbers


class Interval(NamedTuple):
    """One connected piece of the spectrum (§5).

    Attributes:
        lower: Smallest λ; the floor itself where the density diverges there.
        upper: Largest λ.
    """

    lower: float
    upper: float


@in_complex128
def support(limit: Limit) -> list[Interval]:
    """Intervals of positive density of the limit's spectrum (§5).

    Args:
        limit: What the equations depend on.

    Returns:
        The intervals, ascending; atoms are not among them (`bulks.atom`).

    Raises:
        NotConverged: Where an edge cannot be solved for.
    """
    if explicit(limit):
        with contextlib.suppress(NotConverged):  # between two turns that nearly meet nothing can be solved
            return _between(limit, turning_points(limit))
    height = _scan(limit)
    inside = height.density > 0
    starts = np.flatnonzero(~inside[:-1] & inside[1:])
    ends = np.flatnonzero(inside[:-1] & ~inside[1:])
    if ends.size != starts.size + inside[0] or inside[-1]:
        raise NotConverged(f"the spectrum does not end below its bound {float(limit.ceiling):g}")
    brackets = np.exp(height.log)[np.concatenate([np.stack([starts, starts + 1], 1), np.stack([ends + 1, ends], 1)])]
    edges = float(limit.floor) + _edges(limit, brackets)
    lower = np.sort(edges[: starts.size])
    if inside[0]:
        lower = np.concatenate([[float(limit.floor)], lower])
    return [Interval(float(a), float(b)) for a, b in zip(lower, np.sort(edges[starts.size :]), strict=True)]


def _between(limit: Limit, turning: NDArray[np.float64]) -> list[Interval]:
    """The intervals among the points where the real solution turns: between two of them there is density or none."""
    ends = np.concatenate([turning[:1] / 2, np.sqrt(turning[:-1] * turning[1:]), 2 * turning[-1:]])
    inside = _heights(limit, np.log(ends)).density > 0
    if turning.size == 0 or inside[-1]:
        raise NotConverged(
            f"no end of the spectrum was found at samples_per_dim {limit.samples_per_dim:g}, features_per_dim "
            f"{limit.features_per_dim:g}"
        )
    floor = float(limit.floor)
    edges = [*([floor] if inside[0] else []), *(floor + turning[inside[:-1] != inside[1:]]).tolist()]
    return [Interval(*pair) for pair in zip(edges[::2], edges[1::2], strict=True)]


class _Heights(NamedTuple):
    """A grid of λ: log(λ − floor) ascending, the density there (0 where the solution is real), Re q and Re r."""

    log: NDArray[np.float64]
    density: NDArray[np.float64]
    q: NDArray[np.float64]
    r: NDArray[np.float64]


def _scan(limit: Limit) -> _Heights:
    """A grid over all that is possible, finer inside the support, and refined around edges, minima and falls."""
    top = float(np.log(limit.ceiling))
    # where memorized parts are far smaller than what is learned, at late t, the grid goes on below them
    spread = float(limit.v2 if limit.copies_inverse == 0 else limit.v2 + limit.s2)
    low = np.log(REACH) + (min(top, math.log(SMALLEST * spread)) if spread > 0 else top)
    found = _heights(limit, np.linspace(low, top, round(POINTS * (top - low) / -math.log(REACH))))
    inside = found.density > 0
    # a gap between two bulks of a point each would show no minimum
    found = _refined(limit, found, np.flatnonzero(inside[:-1] | inside[1:]), INSIDE)
    for _ in range(ZOOMS):
        found = _refined(limit, found, _worth_a_look(found), ZOOM)
    return found


def _refined(limit: Limit, found: _Heights, steps: NDArray[np.intp], points: int) -> _Heights:
    """The grid with that many points more in each of the steps (k, k + 1)."""
    inner = [np.linspace(found.log[k], found.log[k + 1], points + 2)[1:-1] for k in steps]
    fresh = _heights(limit, np.concatenate([*inner, np.zeros(0)]))
    order = np.argsort(np.concatenate([found.log, fresh.log]), kind="stable")
    return _Heights(*(np.concatenate(pair)[order] for pair in zip(found, fresh, strict=True)))


def _worth_a_look(found: _Heights) -> NDArray[np.intp]:
    """Indices k of the steps (k, k + 1) that hold an edge, or may hold a gap or a bulk of their own."""
    inside = found.density > 0
    edge = inside[:-1] != inside[1:]
    gap = ~inside[:-1] & ~inside[1:]
    fall = gap & ((found.q[1:] < found.q[:-1]) | (found.r[1:] < found.r[:-1]))
    middle = found.density[1:-1]
    minimum = (middle > 0) & (middle < found.density[:-2]) & (middle <= found.density[2:])
    minimum &= (found.density[:-2] > 0) & (found.density[2:] > 0)
    look = edge | fall
    look[:-1] |= minimum
    look[1:] |= minimum
    return np.flatnonzero(look)


def _heights(limit: Limit, log: NDArray[np.float64]) -> _Heights:
    if log.size == 0:
        return _Heights(log, log, log, log)
    x = solve_above(limit, np.exp(log)).state
    share = np.maximum(x.q.imag / np.abs(x.q), x.r.imag / np.abs(x.r))
    # per unit of log λ, in the larger of its two measures: a bulk of d of p directions shows in r
    weight = np.exp(log) * np.maximum(x.q.imag, x.r.imag) / np.pi
    return _Heights(log, np.where(share > OPEN, weight, 0.0), np.asarray(x.q.real), np.asarray(x.r.real))


def _edges(limit: Limit, brackets: NDArray[np.float64]) -> NDArray[np.float64]:
    """The fold inside each bracket (outside point, inside point), as offsets from the floor.

    Newton needs a start within the fold's own scale, which a large atom close by makes small: where it fails, the
    bracket is narrowed first, and is the edge itself once it is as narrow as NARROW.
    """
    edges, todo = np.zeros(len(brackets)), np.arange(len(brackets))
    if todo.size == 0:
        raise NotConverged(
            f"no part of the spectrum was found at samples_per_dim {limit.samples_per_dim:g}, features_per_dim "
            f"{limit.features_per_dim:g}"
        )
    for _ in range(NARROWINGS):
        outside, inside = brackets[todo].T
        found, residual = _folds(limit, outside)
        between = np.abs(found - outside) <= 1.01 * np.abs(inside - outside)
        good = (residual <= 1e-9) & between & ((found - outside) * (inside - outside) >= 0)
        edges[todo[good]] = found[good]
        todo = todo[~good]
        if todo.size == 0:
            return edges
        brackets[todo] = [_narrowed(limit, bracket) for bracket in brackets[todo]]
        narrow = np.abs(np.diff(brackets[todo])[:, 0]) <= NARROW * brackets[todo, 0]
        edges[todo[narrow]] = brackets[todo[narrow], 0]
        todo = todo[~narrow]
        if todo.size == 0:
            return edges
    raise NotConverged(
        f"the edge at {float(limit.floor + brackets[todo[0], 0]):.9g} was not found at samples_per_dim "
        f"{limit.samples_per_dim:g}, features_per_dim {limit.features_per_dim:g}"
    )


def _narrowed(limit: Limit, bracket: NDArray[np.float64]) -> NDArray[np.float64]:
    log = np.linspace(np.log(bracket[0]), np.log(bracket[1]), ZOOM)
    first = max(int(np.argmax(_heights(limit, log).density > 0)), 1)
    return np.exp(log[first - 1 : first + 1])


def _folds(limit: Limit, outside: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Edges and residuals from starts outside, (points,) each."""
    start = solve_above(limit, outside).state
    with np.errstate(all="ignore"):  # a start that is too far away is told by its residual
        return folds(limit, Point(start.q.real, start.r.real, start.h.real), outside)


def folds(limit: Limit, x: Point, offset: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Edges of the spectrum near real solutions: Newton on the equations with the Jacobian's determinant 0 (§5).

    Args:
        limit: What the equations depend on.
        x: Real solutions (q, r, h) outside the spectrum, (points,), or h (points, classes).
        offset: Their λ − floor, (points,).

    Returns:
        λ − floor of the edges, and the residuals there, (points,) each.
    """
    joint = x.h.ndim > x.q.ndim
    scale = np.stack([x.q, x.r, *(np.moveaxis(x.h, -1, 0) if joint else [x.h]), offset])
    unknown = len(scale) - 1
    directions = 1j * TINY * np.eye(unknown + 1)[:, :, None]

    def left(y: Numbers) -> Numbers:
        q, r, *h, at = y * _over(scale, y)
        here = state(limit, Point(q, r, np.stack(h, -1) if joint else h[0]))
        system = differences(limit, here, here)
        value, _ = equations(limit, here, at)
        rows = system.table * _over(scale[:unknown], y)
        # rows of size one, so that the determinant is small at a fold only
        sizes = _largest(rows)
        fold = system.determinant * _over(scale[:unknown], y).prod(0) / sizes.prod(0)
        several = [value.q, value.r, *(np.moveaxis(value.h, -1, 0) if joint else [value.h])]
        return np.concatenate([np.stack(several) / sizes, fold[None]])

    y = np.ones((unknown + 1, offset.size))
    for _ in range(FOLD_STEPS):
        moved = left(y[:, None] + directions)  # (4, directions, points)
        jacobian, value = np.moveaxis(moved.imag / TINY, -1, 0), moved[:, 0].real.T
        y = y - _solved(jacobian, value).T
    return y[-1] * offset, np.abs(left(y)).max(0)


def _over(scale: Numbers, y: Numbers) -> Numbers:
    """Scales (k, points) beside y, (k, points) or (k, directions, points)."""
    return scale if y.ndim == scale.ndim else scale[:, None]


def _largest(rows: Numbers) -> Numbers:
    """The largest modulus along axis 1, of real numbers or of those with imaginary steps, which it carries."""
    at = np.abs(rows.real).argmax(1, keepdims=True)
    found: Numbers = np.take_along_axis(rows, at, 1)[:, 0]
    return np.where(found.real < 0, -found, found)


def _solved(matrices: NDArray[np.floating], right: NDArray[np.floating]) -> NDArray[np.floating]:
    """Solutions (points, k) of linear systems, NaN where one is singular."""
    singular = ~(np.abs(np.linalg.det(matrices)) > 0)
    return np.linalg.solve(np.where(singular[:, None, None], np.nan, matrices), right[..., None])[..., 0]
