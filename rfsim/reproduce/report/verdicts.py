"""A rule applied to stored results, whatever it does."""

from __future__ import annotations

from rfsim.claims import Claim, Judgment, Results
from rfsim.reproduce.report.status import words

REPRODUCED, NOT_REPRODUCED, UNDECIDED, NOT_RUN = VERDICTS = (
    "reproduced",
    "not reproduced",
    "cannot be decided",
    "not run",
)
FAILED = "the rule failed"


def judged(claim: Claim, results: Results) -> Judgment:
    """The rule's judgment; a rule that raises, or gives none of the verdicts, decides nothing and says why."""
    try:
        ours, error, verdict = claim.rule(results)
        if verdict not in VERDICTS:
            raise ValueError(f"the rule's verdict {verdict!r} is none of {', '.join(VERDICTS)}")
        finite = error is not None and abs(float(error)) < float("inf")
        return Judgment(str(ours), float(error) if finite and error is not None else None, verdict)
    except Exception as error:  # a rule is a user's code, and the data may be anything: the others go on
        return Judgment(f"{FAILED}: {words(error)}", None, UNDECIDED)


def failed(ours: str) -> bool:
    """Whether this is said of a rule that failed."""
    return ours.startswith(f"{FAILED}: ")
