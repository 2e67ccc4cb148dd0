"""What a student is trained on: its target and its draws, as objects with their texts (equations.md §7, §8)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from rfsim.checking.scalars import real, whole
from rfsim.checking.text import number_or_nan, shown
from rfsim.checking.written import Written, short
from rfsim.problem.model import LATEST_TRAINING

SEQUENTIAL, COUPLED = "sequential", "coupled"
MOST_DRAWS = 10**12


@dataclass(frozen=True)
class Sequential(Written):
    """The target of a student is the level below, trained for the same distill_time; `sequential`."""

    ema_time: ClassVar[None] = None

    @property
    def form(self) -> str:
        return SEQUENTIAL


@dataclass(frozen=True)
class Coupled(Written):
    """All levels learn at once, towards moving averages; `coupled:TAU` (§7).

    Attributes:
        ema_time: Memory of the averages, in units of distill_time.

    >>> str(Coupled(10))
    'coupled:10'
    """

    ema_time: float

    def __post_init__(self) -> None:
        given = self.ema_time
        value = number_or_nan(given) if isinstance(given, str) else real("ema_time", given)
        if not 0 <= value <= LATEST_TRAINING:
            raise _no_target(str(self))
        object.__setattr__(self, "ema_time", value)

    @property
    def form(self) -> str:
        return f"{COUPLED}:{short(self.ema_time)}"


Targets: TypeAlias = Sequential | Coupled


def read_target(given: str | Targets) -> Targets:
    """The target that a text names, or one as it is; ValueError, in one line, for what is neither.

    >>> read_target("coupled:10")
    Coupled(ema_time=10.0)
    """
    if isinstance(given, Targets):
        return given
    text = str(given)
    kind, _, argument = text.partition(":")
    if text == SEQUENTIAL:
        return Sequential()
    if kind != COUPLED:
        raise _no_target(given)
    return Coupled.of(text, argument)


def _no_target(given: object) -> ValueError:
    return ValueError(
        f"target must be {SEQUENTIAL} or {COUPLED}:TAU with TAU a distill_time that is not negative, at most "
        f"{LATEST_TRAINING:g}; got {given!r}"
    )


@dataclass(frozen=True)
class PerFeature(Written):
    """Draws per level as a multiple of the student's features; `MULTIPLEp` (§7).

    Attributes:
        multiple: Of p.

    >>> str(PerFeature(20))
    '20p'
    """

    multiple: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "multiple", real("multiple", self.multiple))
        if not 0 <= self.multiple < math.inf:
            raise ValueError(f"draws must be a multiple of p such as 20p, or a whole number; got {str(self)!r}")

    @property
    def form(self) -> str:
        return f"{short(self.multiple)}p"

    def asked(self, features: float) -> float:
        """How many for so many features, not yet rounded.

        Args:
            features: p of the student.

        Returns:
            The multiple of them.
        """
        return self.multiple * features


@dataclass(frozen=True)
class Draws(Written):
    """A whole number of draws per level (§7).

    Attributes:
        count: Of draws.

    >>> str(Draws(4000))
    '4000'
    """

    count: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "count", whole("draws", self.count, 0, MOST_DRAWS))

    @property
    def form(self) -> str:
        return str(self.count)

    def asked(self, features: float) -> float:
        """The same for any number of features.

        Args:
            features: p of the student.

        Returns:
            The count.
        """
        return float(self.count)


def read_draws(given: str | int | PerFeature | Draws) -> PerFeature | Draws:
    """The draws that a text or a number says, or as they are; ValueError, in one line, for text that says none.

    >>> read_draws("20p"), read_draws(4000)
    (PerFeature(multiple=20.0), Draws(count=4000))
    """
    if isinstance(given, PerFeature | Draws):
        return given
    text = str(given)
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)p|([0-9]+)", text)
    if found is None:
        raise ValueError(f"draws must be a multiple of p such as 20p, or a whole number; got {text!r}")
    if not float(found[1] or found[2]) <= MOST_DRAWS:
        raise ValueError(f"draws must be at most {MOST_DRAWS} per level; got {shown(text)}")
    return PerFeature.of(text, float(found[1])) if found[1] else Draws.of(text, int(found[2]))
