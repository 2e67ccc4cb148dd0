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

from rfsim.computing.arrays import Numbers, namespace
from rfsim.computing.precision import in_complex128
from rfsim.learning.protocol import Spectrum, Target
from rfsim.limit import functions
from rfsim.limit.bulks import LimitPart, gap_points, parts
from rfsim.limit.contours import Contour, arcs, ellipse
from rfsim.limit.equations import Differences, State, differences
from rfsim.limit.intervals import Interval, support
from rfsim.limit.limits import Limit, reaches_zero
from rfsim.limit.solver import solve

NODES = (128, 256, 512, 1024)
LENS = np.pi / 4


class LimitSpectrum(NamedTuple):
    """The limit as a `protocol.Spectrum`: one-point table on the upper half of a contour (T13).

    Attributes:
        points: z, (points,).
        weights: −dz/2πi, (points,).
        transform: (1/d) Tr VᵀR(z)V, (points,).
        residual: The largest of the equations at the points, relative to their largest term.
        constant: Loss of the zero score, 1.
    """

    points: Numbers
    weights: Numbers
    transform: Numbers
    residual: Numbers
    constant: float = 1.0

    def own(self, g: Numbers, left: int = 0, right: int = 0) -> Numbers:
        """Trace (1/d) Tr Vᵀ g(U) V, as in `protocol.Spectrum` (T13).

        Args:
            g: Values of a function of U at the points, (..., points).
            left: 0; the limit knows training from zero only.
            right: 0, likewise.

        Returns:
            The trace, (...).

        Raises:
            ValueError: For another source.
        """
        _fresh_only(left, right)
        return 2 * _real_part(g, self.weights * self.transform)


class LimitTarget(NamedTuple):
    """The population of the limit as a `protocol.Target`; the tables hold the contour's weights (T14).

    Attributes:
        linear: (1/d) Tr VᵀRṼ, (points,).
        same: P at (z, z'), (points, points).
        opposite: P at (z, z̄'), (points, points).
        constant: Loss of the zero score, 1.
    """

    linear: Numbers
    same: Numbers
    opposite: Numbers
    constant: float = 1.0

    def cross(self, g: Numbers, source: int = 0) -> Numbers:
        """Trace (1/d) Tr Vᵀ g(U) Ṽ, as in `protocol.Target` (T14).

        Args:
            g: Values of a function of U at the spectrum's points, (..., points).
            source: 0; the limit knows training from zero only.

        Returns:
            The trace, (...).

        Raises:
            ValueError: For another source.
        """
        _fresh_only(source)
        return 2 * _real_part(g, self.linear)

    def overlap(self, f: Numbers, g: Numbers, left: int = 0, right: int = 0) -> Numbers:
        """Trace (1/d) Tr Vᵀ f(U) Ũ g(U) V, as in `protocol.Target` (T14).

        Args:
            f: Values of the function on the left at the spectrum's points, (..., points).
            g: Values of the function on the right, (..., points).
            left: 0; the limit knows training from zero only.
            right: 0, likewise.

        Returns:
            The trace, (...).

        Raises:
            ValueError: For another source.
        """
        _fresh_only(left, right)
        if namespace(self.linear) is not np:
            return 2 * (f * (g @ self.same.T + g.conj() @ self.opposite.T)).sum(-1).real
        both, apart = (self.same + self.opposite).T, (self.same - self.opposite).T
        pairs = namespace(both).block([[both.real, both.imag], [-apart.imag, apart.real]])
        return 2 * (_apart(f.conj()) * (_apart(g) @ pairs)).sum(-1)


def _real_part(g: Numbers, row: Numbers) -> Numbers:
    """Re g @ row.

    Here and in overlap by real products: the libraries divide sums of complex ones by the number of threads, and
    results of the limit are the same bytes wherever a sweep computes them.
    """
    return _apart(g) @ _apart(row.conj()) if namespace(g, row) is np else (g @ row).real


def _apart(values: Numbers) -> Numbers:
    """Real parts, then imaginary ones, (..., 2 points)."""
    return namespace(values).concatenate([values.real, values.imag], axis=-1)


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
    return _solved(limit, contour)


class PartSpectrum(NamedTuple):
    """Spectrum and target on contours of their own around each part, so that filters can be switched off on parts (§6).

    Attributes:
        spectrum: On all contours.
        target: None where only what needs none was asked for.
        names: Of the parts, (parts,).
        keep: 1 on the points that belong to the part and 0 elsewhere, (parts, points).
    """

    spectrum: Spectrum
    target: Target | None
    names: tuple[str, ...]
    keep: NDArray[np.float64]


@in_complex128
def part_spectrum(
    limit: Limit,
    ridge: float = 0.0,
    reach: float = np.inf,
    found: Sequence[LimitPart] | None = None,
    *,
    target: bool = True,
) -> PartSpectrum:
    """The limit's spectrum by parts; an atom carries nothing of V and is left out (§6).

    Args:
        limit: What the equations depend on.
        ridge: γ of the filters.
        reach: The filters are bounded for λ + γ < reach.
        found: `bulks.parts`, if at hand.
        target: Whether to compute the target; its tables over pairs of points are most of the time.

    Returns:
        The spectrum by parts.

    Raises:
        ValueError: Where the spectrum reaches down to 0: there is no gap to pass below it.
        NotConverged: Where the equations are not solved, or an edge is not found.
    """
    bulks = [part for part in found or parts(limit) if part.lower < part.upper]
    if bulks[0].lower <= 0:
        raise ValueError(f"{reaches_zero(limit)}: terms by part need a spectrum above 0")
    ends = gap_points(limit, bulks)
    ends[-1] = min(ends[-1], (bulks[-1].upper + reach - ridge) / 2)
    contour = Contour(*(values.ravel() for values in arcs(ends, LENS)))
    keep = np.repeat(np.eye(len(bulks)), contour.points.size // len(bulks), axis=1)
    names = tuple(part.name for part in bulks)
    if not target:
        return PartSpectrum(_spectrum(limit, contour), None, names, keep)
    return PartSpectrum(*_solved(limit, contour), names, keep)


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


PairSystem = tuple[State, State, Differences]


def pair_systems(limit: Limit, x: State) -> tuple[PairSystem, PairSystem]:
    """Every pair (z, z') and (z, z̄') of the nodes with the system of their differences; pure (§6).

    Args:
        limit: What the equations depend on.
        x: The states at the nodes of an upper half.

    Returns:
        Both, for the two tables of a target.
    """
    column, mirrored = State(*(value[:, None] for value in x)), State(*(value.conj() for value in x))
    return (column, x, differences(limit, column, x)), (column, mirrored, differences(limit, column, mirrored))


def weighed(
    weights: Numbers,
    linear: Numbers,
    overlap: Callable[[State, State, Differences], Numbers],
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


def _solved(limit: Limit, contour: Contour) -> tuple[LimitSpectrum, LimitTarget]:
    found = solve(limit, contour.points)
    return tables(limit, *contour, found.state, found.residual.max())


def _spectrum(limit: Limit, contour: Contour) -> LimitSpectrum:
    """The one-point table alone."""
    found = solve(limit, contour.points)
    return LimitSpectrum(*contour, functions.own_transform(limit, found.state), found.residual.max())


def _fresh_only(*sources: int) -> None:
    if any(sources):
        raise ValueError("the limit knows training from zero only; a start Ā_0 or a student exists as a sample")
