"""The page of claims: each experiment with what is stored of it, judged by the rules beside its claims."""

from __future__ import annotations

from pathlib import Path

from rfsim.reproduce import report
from rfsim.reproduce.report.entries import Entry, ReportPart
from rfsim.reproduce.report.texts import (
    SYMBOLS,
    cell,
    count_words,
    marked,
    size_words,
    standing_words,
    version_words,
)

ROOT = Path(__file__).resolve().parents[1]


def page() -> str:
    """The counts, then a section for each experiment."""
    parts = list(report.gather(ROOT))
    said = [count_words(parts), size_words(parts), *version_words(parts)]
    return "\n\n".join(["  \n".join(map(marked, said)), *map(section, parts)])


def section(part: ReportPart) -> str:
    """One experiment: its claim, what of it is stored, the command that decides it, a row for each claim."""
    standing = marked(standing_words(part))
    told = f"{standing[0].upper()}{standing[1:]}. Decided by `{part.command}`."
    rows = [["claim", "published", "ours", "verdict"], ["---"] * 4, *map(row, part.entries)]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
    return "\n\n".join([f"## {marked(part.title).rstrip('.')}", told, table])


def row(entry: Entry) -> list[str]:
    """A claim in the table."""
    claim = f"{marked(entry.claim.claim)} ({marked(entry.claim.id)}). *{marked(entry.claim.source)}*"
    return [claim, marked(entry.claim.published), cell(entry), f"{SYMBOLS[entry.verdict]} {entry.verdict}"]
