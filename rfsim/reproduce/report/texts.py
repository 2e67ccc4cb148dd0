"""The table of claims as JSON, as Markdown and as lines for a reader; numbers that the page says alike."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rfsim.checking.text import counted
from rfsim.disk import store
from rfsim.reproduce.report.entries import EARLIER, Entry, ReportPart
from rfsim.reproduce.report.verdicts import VERDICTS

SYMBOLS = {"reproduced": "✓", "not reproduced": "✗", "cannot be decided": "?", "not run": "–"}


def json_text(parts: Sequence[ReportPart], schema: int) -> str:
    """`rfsim claims --json`, a claim on each line, so that two reports can be compared by line."""
    claims = (json.dumps(claim, allow_nan=False, ensure_ascii=False) for claim in answer(parts))
    return f'{{"schema": {schema}, "claims": [\n' + ",\n".join(claims) + "\n]}\n"


def answer(parts: Sequence[ReportPart]) -> list[dict[str, Any]]:
    """The claims as objects. Others script against the keys: add none, rename none.

    What weakens a verdict (older code, seeds that disagree) stands in `ours`: the verdict is the rule's own.
    """
    return [
        store.plain(
            {
                "id": entry.claim.id,
                "claim": entry.claim.claim,
                "source": entry.claim.source,
                "published": entry.claim.published,
                "ours": entry.said,
                "error": entry.error,
                "verdict": entry.verdict,
                "command": entry.command,
            }
        )
        for part in parts
        for entry in part.entries
    ]


def lines(parts: Sequence[ReportPart]) -> list[str]:
    """Every claim for a reader, by experiment, and the counts."""
    found = []
    for part in parts:
        found.append(f"{part.name}: {standing_words(part)}")
        for entry in part.entries:
            found.append(f"  {entry.verdict.upper()}: {entry.claim.claim} [{entry.claim.id}]")
            found.append(f"    published: {entry.claim.published} ({entry.claim.source})")
            found += [f"    ours:      {value_words(entry)}"] if entry.ours else []
            found += [f"    but:       {'; '.join(entry.remarks)}"] if entry.remarks else []
            found += [f"    at paper size: {entry.paper}"] if entry.paper else []
        found.append(f"  {part.command}")
    return [*found, count_words(parts)]


def markdown(parts: Sequence[ReportPart]) -> str:
    """The report's table as GitHub's Markdown."""
    head = ["verdict", "claim", "source", "published", "ours", "command", "wall time"]
    rows = [head, ["---"] * len(head)]
    for part in parts:
        rows += [
            [
                f"{SYMBOLS[entry.verdict]} {entry.verdict}",
                f"{marked(entry.claim.claim)} ({marked(entry.claim.id)})",
                marked(entry.claim.source),
                marked(entry.claim.published),
                cell(entry),
                f"`{entry.command}`",
                duration(part.standing.seconds) if part.size else "",
            ]
            for entry in part.entries
        ]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    said = [count_words(parts), size_words(parts), *version_words(parts)]
    return "# Claims\n\n" + "\n".join(f"{marked(one)}  " for one in said) + f"\n\n{table}\n"


def cell(entry: Entry) -> str:
    """Our value in a cell of a table: what weakens it, and what the ledger says of the paper size."""
    ours = marked(value_words(entry)) + "".join(f"; **{marked(remark)}**" for remark in entry.remarks)
    return "; ".join(filter(None, (ours, entry.paper and f"at paper size {marked(entry.paper)}")))


def value_words(entry: Entry) -> str:
    """Our value with its error bar."""
    return entry.ours if entry.error is None else f"{entry.ours} ± {entry.error:.2g}"


def standing_words(part: ReportPart) -> str:
    """What of an experiment was judged."""
    if part.size is None:
        return f"not run ({part.standing.reason})"
    have = part.standing
    # of one draw nothing tells how another would be
    chance = ", so chance cannot be told" if list(have.seeds) == [1] else ""
    drawn = f", {seed_words(have.seeds)}{chance}" if have.seeds else ""
    older = f", {have.earlier} of them {EARLIER}" if have.earlier else ""
    return f"size {part.size}, {part.cells} {'cell' if part.cells == 1 else 'cells'}{drawn}{older}"


def seed_words(seeds: Sequence[int]) -> str:
    """Numbers of seeds, ascending, in words.

    >>> seed_words([1]), seed_words([5]), seed_words([1, 2, 5])
    ('1 seed', '5 seeds', '1 to 5 seeds')
    """
    return counted(seeds[0], "seed") if len({*seeds}) == 1 else f"{seeds[0]} to {counted(seeds[-1], 'seed')}"


def counts(parts: Sequence[ReportPart]) -> dict[str, int]:
    """Claims by verdict, all verdicts in their order."""
    found = Counter(entry.verdict for part in parts for entry in part.entries)
    return {verdict: found[verdict] for verdict in VERDICTS}


def count_words(parts: Sequence[ReportPart]) -> str:
    found = counts(parts)
    return f"{sum(found.values())} claims: " + ", ".join(f"{count} {verdict}" for verdict, count in found.items())


def size_words(parts: Sequence[ReportPart]) -> str:
    """How many experiments were judged at which size, and how many by older code."""
    found = Counter(f"at size {part.size}" if part.size else "not run" for part in parts)
    older = sum(bool(part.standing.earlier) for part in parts)
    told = ", ".join(f"{count} {words}" for words, count in sorted(found.items()))
    return f"{len(parts)} experiments: {told}" + (f"; {older} {EARLIER}" if older else "")


def version_words(parts: Sequence[ReportPart]) -> list[str]:
    """The versions that the results were computed with, one line for each set."""
    return [f"computed with {words}" for words in sorted(set[str]().union(*(part.standing.versions for part in parts)))]


def duration(seconds: float | None) -> str:
    """Measured seconds, in words.

    >>> duration(None), duration(7.4), duration(480.0)
    ('not recorded', '7 s', '8 min')
    """
    if seconds is None:
        return "not recorded"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def marked(text: str) -> str:
    """Text that Markdown shows as it is, in a cell of a table."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\|*`~$])", r"\\\1", " ".join(escaped.split()))
