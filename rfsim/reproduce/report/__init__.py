"""The report of claims: what is stored, judged by the rules beside the claims, as a page, as Markdown and as JSON."""

from __future__ import annotations

from pathlib import Path

from rfsim import reproduce
from rfsim.disk import store
from rfsim.reproduce.report import ledger, page, texts
from rfsim.reproduce.report.entries import ReportPart
from rfsim.reproduce.report.parts import Tell, gather
from rfsim.reproduce.report.status import BEST

__all__ = ["BEST", "ReportPart", "gather", "ledger", "write"]


def write(root: Path, schema: int, *, tell: Tell = lambda step, values: None) -> tuple[list[ReportPart], list[Path]]:
    """Judge everything stored in a checkout, draw what is not drawn, and write the report beside the figures.

    Equal stored results give equal bytes.

    Args:
        root: Of the checkout.
        schema: Of the command line's JSON.
        tell: Hears of progress.

    Returns:
        The report's parts, and the files index.html, claims.md and claims.json, the page first.

    Raises:
        StoreError: Where the folder cannot be written.
    """
    parts = list(gather(root, draw=True, tell=tell))
    written = []
    for name, text in (
        ("index.html", page.html(parts)),
        ("claims.md", texts.markdown(parts)),
        ("claims.json", texts.json_text(parts, schema)),
    ):
        path = reproduce.pictures(root) / name
        store.write(path, text.encode())
        written.append(path)
    return parts, written
