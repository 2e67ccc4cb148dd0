"""The one idea: a spectrum, sampled or d → ∞, is what `own`, `cross` and `overlap` say of it.

Weights are Ā = −(1/√Δ) Σ_j S_jᵀ f_j(U): S_0 = V carries what is learned from zero, S_1 = −√Δ Ā_0ᵀ a start. Filters
are evaluated on `points`: eigenvalues for a sample, contour nodes for the limit. The losses in `rfsim.learning` are
written once over these methods and never ask which of the two they hold.
"""

from __future__ import annotations

from typing import Protocol

from rfsim.computing.arrays import Numbers


class Spectrum(Protocol):
    """U and its sources, sampled or of the limit (T7, T8)."""

    @property
    def points(self) -> Numbers:
        """Where filters are evaluated, (points,)."""
        ...

    @property
    def constant(self) -> float:
        """The loss of the zero score: E‖ξ‖²/d over the training noise, 1 where it is averaged."""
        ...

    def own(self, g: Numbers, left: int = 0, right: int = 0) -> Numbers:
        """Trace (1/d) Tr S_leftᵀ g(U) S_right (T8).

        Args:
            g: Values of a function of U at the points, (..., points).
            left: Source on the left: 0 is V, 1 a start.
            right: Source on the right.

        Returns:
            The trace, (...).
        """
        ...


class Target(Protocol):
    """A distribution on which the weights are judged: Ũ and Ṽ seen from a spectrum (T8)."""

    @property
    def constant(self) -> float:
        """The loss of the zero score on the target."""
        ...

    def cross(self, g: Numbers, source: int = 0) -> Numbers:
        """Trace (1/d) Tr S_sourceᵀ g(U) Ṽ (T8).

        Args:
            g: Values of a function of U at the spectrum's points, (..., points).
            source: 0 is V, 1 a start.

        Returns:
            The trace, (...).
        """
        ...

    def overlap(self, f: Numbers, g: Numbers, left: int = 0, right: int = 0) -> Numbers:
        """Trace (1/d) Tr S_leftᵀ f(U) Ũ g(U) S_right (T8).

        Args:
            f: Values of the function on the left at the spectrum's points, (..., points).
            g: Values of the function on the right, (..., points).
            left: Source on the left: 0 is V, 1 a start.
            right: Source on the right.

        Returns:
            The trace, (...).
        """
        ...
