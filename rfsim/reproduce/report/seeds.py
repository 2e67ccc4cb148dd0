"""Whether a verdict hangs on the draw: the rule judged again on parts of the seeds.

A rule says whether it is met, not whether it would be met again. Two ways to ask, by what the rule decides with:

- A rule on values (an exponent within 0.15 of 1) is judged on each seed alone: every sampled result is cut to its k-th
  seed, k up to the smallest number of seeds among them, so that each seed is one whole, independent repetition. What
  has no seeds, or one, stays as it is in all of them.
- A rule that decides by standard errors (`Claim.by_errors`) has already weighed the draw, and one seed has no
  standard error. It is judged with one part of the seeds left out in turn, at most FOLDS parts: a verdict that then
  changes hung on that part. At least three seeds must be left, for a standard error of two is itself unknown by a
  factor of several; what has fewer than four stays as it is. So is judged a rule that raises or warns on one seed (a
  spread over one).

Seeds disagree where a part that decides has another verdict than the whole. That is said beside the verdict and does
not change it: the rule stands as it is written. A claim whose value is the same in all parts has nothing to do with
seeds (it is of theory alone), and one that cannot be decided has no verdict to doubt.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rfsim.claims import Claim, Judgment, Results

FOLDS = 5
SOME, MANY = 2, 4  # seeds of a result from which one can be taken alone, and from which some can be left out


class Votes(NamedTuple):
    """What the parts of the seeds say; words: "" where they have nothing to say."""

    disagree: bool
    words: str


NOTHING = Votes(False, "")


def votes(claim: Claim, results: Results, whole: Judgment) -> Votes:
    """The rule of a claim on parts of the seeds, against its judgment on all of them."""
    if whole.verdict == "cannot be decided":
        return NOTHING
    count = _fewest(results, SOME)
    alone = [] if claim.by_errors else _judged(claim, results, count, SOME, lambda k, have: [k])
    if alone:
        return _counted(alone, whole, f"of {count} seeds alone")
    folds = min(_fewest(results, MANY), FOLDS)
    left = _judged(claim, results, folds, MANY, lambda k, have: [i for i in range(have) if i % folds != k])
    return _counted(left, whole, f"of {folds} when one part in {folds} of the seeds is left out")


def _fewest(results: Results, least: int) -> int:
    """The smallest number of seeds among the results that have at least `least`; 0 where none has."""
    return min((n for n in (data.sizes.get("seed", 0) for data in results.values()) if n >= least), default=0)


def _counted(found: Sequence[Judgment], whole: Judgment, where: str) -> Votes:
    decided = [one.verdict for one in found if one.verdict != "cannot be decided"]
    held = decided.count("reproduced")
    undecided = f" ({len(found) - len(decided)} undecided)" if len(decided) < len(found) else ""
    if set(decided) - {whole.verdict}:
        return Votes(True, f"seeds disagree: it holds in {held} {where}{undecided}")
    if not decided or all(one.ours == whole.ours for one in found):
        return NOTHING
    return Votes(False, f"the same verdict in {len(decided)} {where}{undecided}")


def _judged(
    claim: Claim, results: Results, parts: int, least: int, kept: Callable[[int, int], list[int]]
) -> list[Judgment]:
    """The judgment on each part, `kept` saying which of how many seeds are in it, of results that have at least
    `least`; none where one raises or warns.
    """
    found = []
    for k in range(parts):
        cut = {
            label: data.isel(seed=kept(k, have)) if (have := data.sizes.get("seed", 0)) >= least else data
            for label, data in results.items()
        }
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", RuntimeWarning)
                found.append(Judgment(*claim.rule(cut)))
        except Exception:  # whatever the rule needs, parts of the seeds do not have it
            return []
    return found
