"""The page of claims: what the ledger of the repository says of each, experiment by experiment."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from rfsim import reproduce
from rfsim.claims import Claim
from rfsim.reproduce.report import ledger
from rfsim.reproduce.report.ledger import LedgerPart, LedgerRow
from rfsim.reproduce.report.texts import SYMBOLS, marked, seed_words
from rfsim.reproduce.report.verdicts import NOT_RUN, VERDICTS

ROOT = Path(__file__).resolve().parents[1]


def page() -> str:
    """The counts, then a section for each experiment."""
    experiments, held = reproduce.experiments(ROOT), ledger.read(ROOT)
    rows = [_row(claim, held.get(one.name)) for one in experiments for claim in one.claims]
    found = Counter(row.verdict for row in rows)
    counts = ", ".join(f"{found[verdict]} {verdict}" for verdict in VERDICTS)
    told = f"{len(rows)} claims of {len(experiments)} experiments: {counts}."
    return "\n\n".join([told, *(section(one, held.get(one.name)) for one in experiments)])


def section(experiment: reproduce.Experiment, part: LedgerPart | None) -> str:
    """One experiment: what it asks, how its verdicts come about, a row for each claim."""
    title = marked(reproduce.describe(experiment)).rstrip(".")
    command = f"Decided by `rfsim reproduce {experiment.name} --size {ledger.PAPER}`"
    told = [command if part is None else f"{command}, {_computed(experiment, part)}"]
    table = [["claim", "published", "ours", "verdict"], ["---"] * 4]
    table += [_cells(claim, _row(claim, part)) for claim in experiment.claims]
    return "\n\n".join([f"## {title}", f"{told[0]}.", "\n".join(f"| {' | '.join(cells)} |" for cells in table)])


def _computed(experiment: reproduce.Experiment, part: LedgerPart) -> str:
    """Seeds and versions behind a part of the ledger, and whether the code has changed since."""
    seeds = [seed_words(part.seeds)] if part.seeds else []
    older = [ledger.OLDER] if ledger.older(experiment, part) else []
    return "; ".join([*seeds, *part.versions, *older])


def _row(claim: Claim, part: LedgerPart | None) -> LedgerRow:
    """The ledger's row of a claim; a claim that came after its experiment was frozen has none."""
    return (part.claims if part else {}).get(claim.id, LedgerRow(NOT_RUN, "", None))


def _cells(claim: Claim, row: LedgerRow) -> list[str]:
    """A claim in the table."""
    said = f"{marked(claim.claim)} ({marked(claim.id)}). *{marked(claim.source)}*"
    return [said, marked(claim.published), marked(ledger.value(row)), f"{SYMBOLS[row.verdict]} {row.verdict}"]
