"""The parts of the report: of each experiment what is stored, its claims judged, its figures.

Verdicts come from the rules beside the claims, applied to stored results; nothing is computed and no row is typed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rfsim import reproduce
from rfsim.claims import Claim, Results
from rfsim.reproduce import Experiment
from rfsim.reproduce.report import ledger, pictures, remembered, seeds
from rfsim.reproduce.report.entries import EARLIER, Entry, ReportPart
from rfsim.reproduce.report.ledger import PAPER
from rfsim.reproduce.report.status import BEST, Status, standing, told
from rfsim.reproduce.report.verdicts import NOT_RUN, UNDECIDED, failed, judged

Tell = Callable[[str, dict[str, int]], None]


def gather(
    root: Path, *, sizes: tuple[str, ...] = BEST, draw: bool = False, tell: Tell = lambda step, values: None
) -> Iterator[ReportPart]:
    """The parts of every experiment of a checkout, in order; results of one at a time are in memory.

    A rule or a figure that fails says so in its place. A part of which nothing has changed is the one that was made
    before.

    Args:
        root: Of the checkout.
        sizes: To look for, the best first.
        draw: Find or draw every figure as well.
        tell: Hears of progress.

    Yields:
        The parts.
    """
    found = reproduce.experiments(root)
    for number, experiment in enumerate(found):
        tell(experiment.name, {"done": number, "total": len(found)})
        key = remembered.key(root, experiment, sizes)
        part = remembered.recall(root, experiment, key) if key else None
        if part is None:
            part = _part(root, experiment, standing(root, experiment, sizes), sizes, draw=draw)
            if key and draw:
                remembered.keep(root, experiment, key, part)
        yield part
    tell("", {"done": len(found), "total": len(found)})


def remember(root: Path, experiment: Experiment, size: str, results: Results) -> None:
    """Make the part of results that are in memory, so that the report need not read them again.

    Only where no better size is stored, which the report would judge in its place.
    """
    better = BEST[: BEST.index(size)]
    if any(
        reproduce.cell_path(root, experiment, one, cell).exists() for one in better for cell in experiment.cells(one)
    ):
        return
    key = remembered.key(root, experiment, BEST)
    if key and remembered.recall(root, experiment, key) is None:
        part = _part(root, experiment, told(experiment.cells(size), size, results), BEST, draw=True)
        remembered.keep(root, experiment, key, part)


def _part(root: Path, experiment: Experiment, have: Status, sizes: Sequence[str], *, draw: bool) -> ReportPart:
    names = " ".join(experiment.figures)
    size = have.size or sizes[-1]
    command = f"rfsim reproduce {names} --size {size}"
    larger = (f"rfsim reproduce {names} --size paper", experiment.seconds(PAPER)) if size != PAPER else None
    frozen = {} if size == PAPER and have.size else ledger.told(root, experiment)
    entries = [_entry(claim, have, command, frozen.get(claim.id, "")) for claim in experiment.claims]
    if have.size is not None:
        undecided = [entry.claim for entry in entries if entry.verdict == UNDECIDED and not failed(entry.ours)]
        why = reasons(root, experiment, undecided, have.size)
        entries = [_explained(entry, why.get(entry.claim.id)) for entry in entries]
    return ReportPart(
        experiment.name,
        reproduce.describe(experiment),
        have._replace(results={}),
        len(have.results),
        command,
        larger,
        entries,
        pictures.find(root, experiment, have.results if have.size else None) if draw else [],
    )


def _entry(claim: Claim, have: Status, command: str, frozen: str) -> Entry:
    if have.size is None:
        return Entry(claim, NOT_RUN, "", None, (), "", command, frozen)
    judgment = judged(claim, have.results)
    found = seeds.votes(claim, have.results, judgment)
    remarks = (*([EARLIER] if have.earlier else []), *([found.words] if found.disagree else []))
    agree = "" if found.disagree else found.words
    return Entry(claim, judgment.verdict, judgment.ours, judgment.error, remarks, agree, command, frozen)


def _explained(entry: Entry, why: str | None) -> Entry:
    return entry if why is None else entry._replace(remarks=(*entry.remarks, why))


def reasons(root: Path, experiment: Experiment, undecided: Sequence[Claim], size: str) -> dict[str, str]:
    """Why claims could not be decided at a size, by their ids: what the paper size says of them, by what is stored of
    it, else by the ledger.
    """
    if not undecided:
        return {}
    if size == PAPER:
        return {claim.id: "paper size; its values decide neither way" for claim in undecided}
    paper = standing(root, experiment, (PAPER,))
    frozen = ledger.read(root).get(experiment.name)
    found = {}
    for claim in undecided:
        verdict = NOT_RUN
        if paper.size:
            verdict = judged(claim, paper.results).verdict
        elif frozen and claim.id in frozen.claims:
            verdict = frozen.claims[claim.id].verdict
        if verdict == NOT_RUN:
            found[claim.id] = f"{size} size; not decided at {size} size: run --size paper"
        elif verdict == UNDECIDED:
            found[claim.id] = f"{size} size; not decided at paper size either"
        else:
            found[claim.id] = f"{size} size; decided at paper size: {verdict}"
    return found
