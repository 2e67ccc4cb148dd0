"""The critic of distribution matching, as an object with its text (equations.md M11)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from rfsim.checking.scalars import real
from rfsim.checking.text import number_or_nan
from rfsim.checking.written import Written, short

EQUILIBRIUM = "equilibrium"


@dataclass(frozen=True)
class Equilibrium(Written):
    """The critic is the score model of the generator's law at every moment; `equilibrium` (M11)."""

    ratio: ClassVar[None] = None

    @property
    def form(self) -> str:
        """As it is written."""
        return EQUILIBRIUM


@dataclass(frozen=True)
class TwoTimeScale(Written):
    """The critic learns beside the generator, RATIO times as fast; `RATIO` (M11).

    Attributes:
        ratio: ρ, of the rate of the critic's own loss.

    >>> str(TwoTimeScale(5))
    '5'
    """

    ratio: float

    def __post_init__(self) -> None:
        given = self.ratio
        value = number_or_nan(given) if isinstance(given, str) else real("critic", given)
        if not 0 < value < math.inf:
            raise ValueError(f"critic must be {EQUILIBRIUM} or a positive number; got {str(self)!r}")
        object.__setattr__(self, "ratio", value)

    @property
    def form(self) -> str:
        """As it is written."""
        return short(self.ratio)


Critics: TypeAlias = Equilibrium | TwoTimeScale


def read_critic(given: str | float | Critics) -> Critics:
    """The critic that a text or a number says, or one as it is; ValueError, in one line, for what is neither.

    >>> read_critic("5"), read_critic("equilibrium")
    (TwoTimeScale(ratio=5.0), Equilibrium())
    """
    if isinstance(given, Critics):
        return given
    text = str(given)
    return Equilibrium() if text == EQUILIBRIUM else TwoTimeScale.of(text, text)
