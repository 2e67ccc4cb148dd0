"""Gaussian data with noise-free inputs beside them, which tell some of their directions (equations.md §13)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.checking.written import short
from rfsim.disk.files.numbers import DataError
from rfsim.problem.laws import Law
from rfsim.problem.populations.base import Data


class Told(NamedTuple):
    """What y tells of x, direction by direction as d → ∞ or at finite d, (directions,) each (§13).

    Attributes:
        residual: s, the variance that y leaves.
        explained: c², the variance that y tells.
        weights: Shares of the directions, adding up to 1.
    """

    residual: NDArray[np.float64]
    explained: NDArray[np.float64]
    weights: NDArray[np.float64]


@dataclass(frozen=True)
class Condition(Data):
    """Gaussian data x = By + Σ^{1/2}ξ_0 of unit variance beside inputs y ~ N(0, I); `condition:SNR@PER_DIM`.

    Attributes:
        snr: c²/(1 − c²), of By to what y leaves, along each direction of x that y tells.
        per_dim: ψ_y = d_y/d. Of x, min(ψ_y, 1) of all directions are told, each by one of y's.

    >>> str(Condition(16.0, 0.5))
    'condition:16@0.5'
    >>> Condition(3.0, 0.5).at(4).residual.tolist()
    [0.25, 0.25, 1.0, 1.0]
    """

    snr: float
    per_dim: float
    kind: ClassVar[str] = "condition"

    def __post_init__(self) -> None:
        for name, words in (("snr", "SNR"), ("per_dim", "PER_DIM")):
            object.__setattr__(self, name, self._number(words, getattr(self, name)))
        if self.snr < 0:
            raise DataError(f"data {str(self)!r}: the signal-to-noise ratio must not be negative")
        if not 1e-6 <= self.per_dim <= 1e6:
            raise DataError(f"data {str(self)!r}: the inputs per dimension must lie between 1e-6 and 1e6")

    @property
    def form(self) -> str:
        told = (short(one) if isinstance(one, (int, float)) else one for one in (self.snr, self.per_dim))
        return f"{self.kind}:{'@'.join(map(str, told))}"

    @property
    def gain(self) -> float:
        """The deviation c of By along a direction that y tells."""
        return math.sqrt(self.snr / (1 + self.snr))

    def inputs(self, dim: int) -> int:
        """d_y of d dimensions.

        Args:
            dim: d.

        Returns:
            d_y.

        Raises:
            DataError: Where ψ_y leaves no input of so few dimensions.
        """
        count = round(self.per_dim * dim)
        if count == 0:
            raise DataError(f"data {str(self)!r}: {short(self.per_dim)} inputs per dimension are none at dim {dim}")
        return count

    def told(self) -> Told:
        """What y tells of x as d → ∞."""
        share = min(self.per_dim, 1.0)
        explained = np.array([self.gain**2, 0.0])
        return Told(np.array([1 / (1 + self.snr), 1.0]), explained, np.array([share, 1 - share]))

    def at(self, dim: int) -> Told:
        """What y tells of x at d.

        Args:
            dim: d.

        Returns:
            It, direction by direction.
        """
        seen = np.arange(dim) < self.inputs(dim)
        residual = np.where(seen, 1 / (1 + self.snr), 1.0)
        return Told(residual, np.where(seen, self.gain**2, 0.0), np.full(dim, 1 / dim))

    def covariance(self) -> Any:
        raise DataError(unknown(str(self)))

    def law(self, dim: int) -> Law:
        """Of x by itself."""
        return Law(np.zeros((1, dim)), np.ones(dim))


def unknown(text: str) -> str:
    """What to say of data with inputs beside them where these are not known.

    Args:
        text: The data's.

    Returns:
        The line.
    """
    return (
        f"data {text!r} have inputs beside x_t, which train, spectrum, posterior and theory.conditions alone know; "
        "take isotropic, of the same variance, elsewhere"
    )
