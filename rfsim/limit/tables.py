"""Learning curves at every training time (equations.md T13, T14): the limit's `protocol.Spectrum` and `Target`.

Points are the upper half of an ellipse (`contours.ellipse`) around the eigenvalues that carry V; own, cross and
overlap are contour sums −(1/2πi)∮, so any filter that is analytic inside, and real on the real axis, is one sum over
the points.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.computing.arrays import Numbers
from rfsim.computing.machine import require_memory
from rfsim.computing.precision import in_complex128
from rfsim.limit import functions
from rfsim.limit.contour_sums import LimitSpectrum, LimitTarget
from rfsim.limit.contours import Contour, ellipse
from rfsim.limit.equations import State, System, differences
from rfsim.limit.intervals import Interval, support
from rfsim.limit.limits import Limit, reaches_zero
from rfsim.limit.solver import solve

NODES = (128, 256, 512, 1024)
COPIES = 6  # of a system of every pair, at the peak, where each class has an h


class Converged(NamedTuple):
    """An observable on the limit, and how far it is known (T13, T14).

    Attributes:
        values: Of the observable's shape.
        error: What each value changed at the last doubling of the nodes.
        nodes: Of the whole contour.
        residual: The largest of the equations there, relative.
        tables: Spectrum and target on the contour.
    """

    values: NDArray[np.float64]
    error: NDArray[np.float64]
    nodes: int
    residual: float
    tables: tuple[LimitSpectrum, LimitTarget]


@in_complex128
def converged(
    limit: Limit,
    observable: Callable[[LimitSpectrum, LimitTarget], ArrayLike],
    *,
    bounds: tuple[float, float] | None = None,
    ridge: float = 0.0,
    reach: float = np.inf,
    tolerance: float = 1e-8,
) -> Converged:
    """An observable of the limit, its contour's nodes doubled until no value moves (§6).

    Where the largest contour does not meet the tolerance its values are returned with their errors, for the caller to
    judge.

    Args:
        limit: What the equations depend on.
        observable: From spectrum and target to values of one shape.
        bounds: On the eigenvalues; `eigenvalue_bounds` by default.
        ridge: γ of the filters, whose pole at −γ the contour leaves out.
        reach: The filters are bounded for λ + γ < reach.
        tolerance: Of every value, relative above 1.

    Returns:
        The values and their errors.

    Raises:
        ValueError: Where there is no contour (`eigenvalue_bounds`).
        NotConverged: Where the equations are not solved.
    """
    bounds = bounds or eigenvalue_bounds(limit, ridge, reach)
    found, residual, previous = None, 0.0, None
    for nodes in NODES:
        spectrum, target = limit_spectrum(limit, nodes, bounds=bounds, ridge=ridge, reach=reach)
        values, residual = np.asarray(observable(spectrum, target)), max(residual, float(spectrum.residual))
        if previous is not None:
            found = Converged(values, np.abs(values - previous), nodes, residual, (spectrum, target))
            if np.all(found.error <= tolerance * np.maximum(1.0, np.abs(values))):
                break
        previous = values
    assert found is not None  # NODES holds more than one number
    return found


@in_complex128
def limit_spectrum(
    limit: Limit,
    nodes: int,
    *,
    bounds: tuple[float, float] | None = None,
    ridge: float = 0.0,
    reach: float = np.inf,
) -> tuple[LimitSpectrum, LimitTarget]:
    """Spectrum and population target of the limit on a contour (T13, T14).

    Args:
        limit: What the equations depend on.
        nodes: Of the whole contour.
        bounds: On the eigenvalues; `eigenvalue_bounds` by default.
        ridge: γ of the filters, whose pole at −γ the contour leaves out.
        reach: The filters are bounded for λ + γ < reach.

    Returns:
        The spectrum and the target.

    Raises:
        ValueError: Where there is no contour (`eigenvalue_bounds`).
        NotConverged: Where the equations are not solved.
    """
    contour = ellipse(nodes, bounds or eigenvalue_bounds(limit, ridge, reach), ridge, reach)
    return solved(limit, contour)


def eigenvalue_bounds(
    limit: Limit, ridge: float = 0.0, reach: float = np.inf, intervals: Sequence[Interval] | None = None
) -> tuple[float, float]:
    """Bounds on the eigenvalues that carry V, bounds[0] + ridge > 0 (§6).

    They are the edges themselves only where needed: below without a ridge, above where the generous bound comes near to
    `reach`.

    Args:
        limit: What the equations depend on.
        ridge: γ, in units of the eigenvalues of U.
        reach: The filters are bounded for λ + γ < reach.
        intervals: The limit's `support`, if at hand.

    Returns:
        The lower and the upper bound.

    Raises:
        ValueError: Where the spectrum reaches down to 0 and there is no ridge.
        NotConverged: Where an edge is needed and not found.
    """
    lower, upper = float(limit.floor), float(limit.ceiling)
    if upper + ridge > reach / 2:
        upper = (intervals or support(limit))[-1].upper
    if lower + ridge > 0:
        return lower, upper
    lower = (intervals or support(limit))[0].lower
    if lower <= 0:
        raise ValueError(f"{reaches_zero(limit)}, and late training diverges: give a ridge")
    return lower, upper


def tables(
    limit: Limit, z: Numbers, weights: Numbers, x: State, residual: ArrayLike = 0.0
) -> tuple[LimitSpectrum, LimitTarget]:
    """One- and two-point tables at the nodes of a contour, given the states there; pure (T13, T14).

    Args:
        limit: What the equations depend on.
        z: Nodes of the upper half, complex, (points,).
        weights: −dz/2πi, (points,).
        x: The states at z.
        residual: The largest of the equations, relative; passed on.

    Returns:
        The spectrum and the target.
    """
    spectrum = LimitSpectrum(z, weights, functions.own_transform(limit, x), residual)
    linear = functions.cross_transform(limit, x)
    return spectrum, weighed(weights, linear, partial(functions.overlap_transform, limit), pair_systems(limit, x))


PairSystem = tuple[State, State, System]


def pair_systems(limit: Limit, x: State) -> tuple[PairSystem, PairSystem]:
    """Every pair (z, z') and (z, z̄') of the nodes with the system of their differences; pure (§6).

    Args:
        limit: What the equations depend on.
        x: The states at the nodes of an upper half.

    Returns:
        Both, for the two tables of a target.

    Raises:
        MemoryError: Where each class has an h and the systems of all pairs pass the memory limit.
    """
    own = limit.by_class
    if own.variances is not None:
        needed = COPIES * np.dtype(complex).itemsize * x.q.size**2 * (own.shares.size + 2) ** 2
        told = f"the limit of {own.shares.size} classes at {x.q.size} points of a contour"
        require_memory(needed, told, "take fewer classes", each=0)
    column, mirrored = State(*(value[:, None] for value in x)), State(*(value.conj() for value in x))
    return (column, x, differences(limit, column, x)), (column, mirrored, differences(limit, column, mirrored))


def weighed(
    weights: Numbers,
    linear: Numbers,
    overlap: Callable[[State, State, System], Numbers],
    pairs: tuple[PairSystem, PairSystem],
) -> LimitTarget:
    """A target of its transforms at the nodes, with the contour's weights in its tables; pure (T14).

    Args:
        weights: −dz/2πi, (points,).
        linear: (1/d) Tr VᵀRṼ, (points,).
        overlap: Gives (1/d) Tr VᵀRMR'V.
        pairs: Of `pair_systems`.

    Returns:
        The target.
    """
    same, opposite = (overlap(*one) for one in pairs)
    outer = weights[:, None]
    return LimitTarget(weights * linear, outer * weights * same, outer * weights.conj() * opposite)


def solved(limit: Limit, contour: Contour) -> tuple[LimitSpectrum, LimitTarget]:
    """The limit's spectrum and target on a contour (T13, T14).

    Args:
        limit: What the equations depend on.
        contour: The upper half of one.

    Returns:
        Spectrum and target.

    Raises:
        NotConverged: Where the equations are not solved.
    """
    found = solve(limit, contour.points)
    return tables(limit, *contour, found.state, found.residual.max())


def spectrum_on(limit: Limit, contour: Contour) -> LimitSpectrum:
    """The limit's spectrum alone on a contour, without the tables over pairs of its points (T13).

    Args:
        limit: What the equations depend on.
        contour: The upper half of one.

    Returns:
        The spectrum.

    Raises:
        NotConverged: Where the equations are not solved.
    """
    found = solve(limit, contour.points)
    return LimitSpectrum(*contour, functions.own_transform(limit, found.state), found.residual.max())
