"""What the report consists of: a part for each experiment, an entry for each claim."""

from __future__ import annotations

from typing import NamedTuple

from rfsim.claims import Claim
from rfsim.report import pictures
from rfsim.report.standing import Standing

REPRODUCED, NOT_REPRODUCED, UNDECIDED, NOT_RUN = VERDICTS = (
    "reproduced",
    "not reproduced",
    "cannot be decided",
    "not run",
)
EARLIER = "computed by an earlier version of the code"


class Entry(NamedTuple):
    """A claim in the report. remarks: what a reader has to know before trusting the verdict, and why there is none;
    seeds: what the parts of the seeds say where they agree with it."""

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
