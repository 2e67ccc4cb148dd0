"""What the report consists of: a part for each experiment, an entry for each claim."""

from __future__ import annotations

from typing import NamedTuple

from rfsim.claims import Claim
from rfsim.reproduce.report import pictures
from rfsim.reproduce.report.status import Status

EARLIER = "computed by an earlier version of the code"


class Entry(NamedTuple):
    """A claim in the report.

    Attributes:
        claim: What was claimed.
        verdict: Of the claim, or that it was not run.
        ours: Our value in words.
        error: Its error bar, where there is one.
        remarks: What a reader has to know before trusting the verdict, and why there is none.
        seeds: What the parts of the seeds say where they agree with it.
        command: Redoes it.
        paper: What the ledger says of it at paper size, where that is not what was judged.
    """

    claim: Claim
    verdict: str
    ours: str
    error: float | None
    remarks: tuple[str, ...]
    seeds: str
    command: str
    paper: str = ""

    @property
    def said(self) -> str:
        """Our value with the remarks, so that no reader of one text misses them."""
        return f"{self.ours} [{'; '.join(self.remarks)}]".strip() if self.remarks else self.ours


class ReportPart(NamedTuple):
    """One experiment in the report; its results are dropped.

    Attributes:
        name: Of its file.
        title: Its claim in one line.
        standing: What is stored of it.
        cells: Number of them that were judged.
        command: Redoes it, or runs it.
        larger: Command of the paper size and its estimated seconds, where that is not what was judged.
        entries: One for each claim.
        pictures: Its figures.
    """

    name: str
    title: str
    standing: Status
    cells: int
    command: str
    larger: tuple[str, float] | None
    entries: list[Entry]
    pictures: list[pictures.ReportPicture]

    @property
    def size(self) -> str | None:
        """The size that was judged, if any."""
        return self.standing.size
