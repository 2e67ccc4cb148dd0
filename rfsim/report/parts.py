"""The parts of the report: of each experiment what is stored, its claims judged, its figures.

Verdicts come from the rules beside the claims, applied to stored results; nothing is computed and no row is typed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rfsim import reproduce
from rfsim.claims import Claim, Judgment, Results
from rfsim.report import pictures, seeds
from rfsim.report.standing import BEST, Standing, standing, words
from rfsim.reproduce import Experiment

REPRODUCED, NOT_REPRODUCED, UNDECIDED, NOT_RUN = VERDICTS = (
    "reproduced",
    "not reproduced",
    "cannot be decided",
    "not run",
)
EARLIER = "computed by an earlier version of the code"


class Entry(NamedTuple):
    """A claim in the report. remarks: what a reader has to know before trusting the verdict; seeds: what the parts of
    the seeds say where they agree with it."""

    claim: Claim
    verdict: str
    ours: str
    error: float | None
    remarks: tuple[str, ...]
    seeds: str
    command: str

    @property
    def said(self) -> str:
        """Our value with the remarks, so that no reader of one text misses them."""
        return f"{self.ours} [{'; '.join(self.remarks)}]".strip() if self.remarks else self.ours


class Part(NamedTuple):
    """One experiment: its title, what was judged (its results are dropped), claims and figures.

    command: what redoes it, or runs it. larger: the command of the paper size and its estimated seconds, where that is
    not what was judged.
    """

    name: str
    title: str
    standing: Standing
    cells: int
    command: str
    larger: tuple[str, float] | None
    entries: list[Entry]
    pictures: list[pictures.Picture]

    @property
    def size(self) -> str | None:
        return self.standing.size


Tell = Callable[[str, dict[str, int]], None]


def gather(
    root: Path, *, sizes: tuple[str, ...] = BEST, draw: bool = False, tell: Tell = lambda step, values: None
) -> Iterator[Part]:
    """The parts of every experiment of a checkout, in order; results of one at a time are in memory.

    draw: find or draw every figure as well. A rule or a figure that fails says so in its place.
    """
    found = reproduce.experiments(root)
    for number, experiment in enumerate(found):
        tell(experiment.name, {"done": number, "total": len(found)})
        yield _part(root, experiment, standing(root, experiment, sizes), sizes, draw=draw)
    tell("", {"done": len(found), "total": len(found)})


def _part(root: Path, experiment: Experiment, have: Standing, sizes: Sequence[str], *, draw: bool) -> Part:
    names = " ".join(experiment.figures)
    size = have.size or sizes[-1]
    command = f"rfsim reproduce {names} --size {size}"
    larger = (f"rfsim reproduce {names} --size paper", experiment.seconds("paper")) if size != "paper" else None
    return Part(
        experiment.name,
        reproduce.describe(experiment),
        have._replace(results={}),
        len(have.results),
        command,
        larger,
        [_entry(claim, have, command) for claim in experiment.claims],
        pictures.find(root, experiment, have.results if have.size else None) if draw else [],
    )


def _entry(claim: Claim, have: Standing, command: str) -> Entry:
    if have.size is None:
        return Entry(claim, NOT_RUN, "", None, (), "", command)
    judgment = judged(claim, have.results)
    found = seeds.votes(claim, have.results, judgment)
    remarks = (*([EARLIER] if have.earlier else []), *([found.words] if found.disagree else []))
    agree = "" if found.disagree else found.words
    return Entry(claim, judgment.verdict, judgment.ours, judgment.error, remarks, agree, command)


def judged(claim: Claim, results: Results) -> Judgment:
    """The rule's judgment; a rule that raises, or gives none of the verdicts, decides nothing and says why."""
    try:
        ours, error, verdict = claim.rule(results)
        if verdict not in VERDICTS:
            raise ValueError(f"the rule's verdict {verdict!r} is none of {', '.join(VERDICTS)}")
        finite = error is not None and abs(float(error)) < float("inf")
        return Judgment(str(ours), float(error) if finite and error is not None else None, verdict)
    except Exception as error:  # a rule is a user's code, and the data may be anything: the others go on
        return Judgment(f"the rule failed: {words(error)}", None, UNDECIDED)
