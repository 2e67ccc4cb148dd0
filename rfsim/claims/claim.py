"""Claims and verdicts: words, source, published value, and the rule that maps stored data to a verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import xarray as xr

Verdict = Literal["reproduced", "not reproduced", "cannot be decided"]
Results = Mapping[str, xr.Dataset]  # cell label → stored result


class Judgment(NamedTuple):
    """What a rule found.

    Attributes:
        ours: Our value in words.
        error: Its error bar, where there is one.
        verdict: Of the claim.
    """

    ours: str
    error: float | None
    verdict: Verdict


@dataclass(frozen=True)
class Claim:
    """One claim of a paper, or of ours, and how it is decided.

    Attributes:
        id: Names it.
        claim: In words.
        source: Paper and place.
        published: The published value with the tolerance that the rule applies, in words.
        rule: Stored results → Judgment; it reads data and computes no physics.
        by_errors: Whether it decides by standard errors over seeds, so that one seed alone says nothing.
    """

    id: str
    claim: str
    source: str
    published: str
    rule: Callable[[Results], Judgment]
    by_errors: bool = False


class Row(NamedTuple):
    """A judged claim.

    Attributes:
        claim: What was claimed.
        judgment: What was found.
        command: Redoes it.
    """

    claim: Claim
    judgment: Judgment
    command: str


def decide(holds: bool, *, decidable: bool = True) -> Verdict:
    """The verdict of a yes-or-no rule.

    Args:
        holds: Whether the claim holds.
        decidable: Whether the results at hand are of the size that the rule needs.

    Returns:
        The verdict, in words.

    >>> decide(True), decide(True, decidable=False)
    ('reproduced', 'cannot be decided')
    """
    if not decidable:
        return "cannot be decided"
    return "reproduced" if holds else "not reproduced"


def agreed(sample: bool, limit: bool) -> Verdict:
    """The verdict of a rule that small samples blur: decided where a sample and its d → ∞ limit give one answer.

    Args:
        sample: Whether the claim holds in the sample.
        limit: Whether it holds in the limit.

    Returns:
        The verdict, in words.

    >>> agreed(True, True), agreed(False, False), agreed(True, False)
    ('reproduced', 'not reproduced', 'cannot be decided')
    """
    return decide(limit, decidable=sample == limit)
