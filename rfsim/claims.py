"""Claims and verdicts: words, source, published value, and the rule that maps stored data to a verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import xarray as xr

Verdict = Literal["reproduced", "not reproduced", "cannot be decided"]
Results = Mapping[str, xr.Dataset]  # cell label → stored result


class Judgment(NamedTuple):
    """What a rule found: our value in words, its error bar where there is one, and the verdict."""

    ours: str
    error: float | None
    verdict: Verdict


@dataclass(frozen=True)
class Claim:
    """One claim. published: the published value with the tolerance that the rule applies, in words.

    rule: stored results → Judgment; it reads data and computes no physics.
    """

    id: str
    claim: str
    source: str
    published: str
    rule: Callable[[Results], Judgment]


class Row(NamedTuple):
    """A judged claim, and the command that redoes it."""

    claim: Claim
    judgment: Judgment
    command: str


def decide(holds: bool, *, decidable: bool = True) -> Verdict:
    """The verdict of a yes-or-no rule; `decidable` says whether the results at hand are of the size it needs."""
    if not decidable:
        return "cannot be decided"
    return "reproduced" if holds else "not reproduced"
