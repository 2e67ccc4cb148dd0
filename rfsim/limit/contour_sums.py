"""The limit's own protocol.Spectrum and Target: filters summed over the points of a contour (equations.md T13, T14)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rfsim.computing.arrays import Numbers, namespace


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


def _fresh_only(*sources: int) -> None:
    if any(sources):
        raise ValueError("the limit knows training from zero only; a start Ā_0 or a student exists as a sample")
