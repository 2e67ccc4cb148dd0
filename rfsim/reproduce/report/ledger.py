"""The ledger: what every claim is at paper size, kept in the repository as figures/ledger.json.

It is frozen from stored results of paper size alone, judged by the rules beside the claims; what is not stored keeps
the row that it has. Quick sizes leave many claims undecided: where they do, readers are told what the ledger says, and
whether the code behind it has changed since.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rfsim.claims import Claim
from rfsim.disk import content, provenance, store
from rfsim.reproduce import Experiment, code_digest
from rfsim.reproduce.report.status import Status, standing
from rfsim.reproduce.report.verdicts import failed, judged

SCHEMA = 1
PAPER = "paper"
OLDER = "older than the code behind it"


class LedgerRow(NamedTuple):
    """A claim at paper size.

    Attributes:
        verdict: Of the claim.
        ours: Our value in words.
        error: Its error bar, where there is one.
    """

    verdict: str
    ours: str
    error: float | None


class LedgerPart(NamedTuple):
    """What was frozen of one experiment.

    Attributes:
        asked: Digest of the settings of its cells.
        code: Digest of the code that computed them.
        data: Digest of their numbers.
        seeds: Numbers of seeds among them, ascending.
        versions: Of the packages that computed them, in words.
        claims: Its claims, by id.
    """

    asked: str
    code: str
    data: str
    seeds: Sequence[int]
    versions: Sequence[str]
    claims: Mapping[str, LedgerRow]


Ledger = Mapping[str, LedgerPart]


def place(root: Path) -> Path:
    """Where the ledger lies."""
    return root / "figures" / "ledger.json"


def read(root: Path) -> Ledger:
    """The ledger of a checkout, by experiment; empty where there is none.

    Raises ValueError, in one line, for a file that is none.
    """
    try:
        text = place(root).read_text(encoding="utf-8")
    except OSError:
        return {}
    try:
        held = json.loads(text)
        if held["schema"] != SCHEMA:
            raise ValueError
        return {name: _part(part) for name, part in held["experiments"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(
            f"{place(root)} is no ledger of schema {SCHEMA}; restore it from the repository, or remove it and run "
            "rfsim claims --freeze"
        ) from None


def freeze(root: Path, experiments: Sequence[Experiment]) -> tuple[Path, list[str]]:
    """Write the ledger anew: experiments whose every cell is stored at paper size are judged, others keep their rows.

    Returns the file, and the names of the experiments that were judged. Equal stored results give equal bytes.
    """
    kept = read(root)
    found: dict[str, LedgerPart] = {}
    taken = []
    for one in experiments:
        have = standing(root, one, (PAPER,))
        if have.size is not None:
            found[one.name] = _frozen(one, have)
            taken.append(one.name)
        elif one.name in kept:
            found[one.name] = kept[one.name]
    held = {name: part._asdict() | {"claims": _rows(part)} for name, part in found.items()}
    text = json.dumps({"schema": SCHEMA, "experiments": held}, ensure_ascii=False, indent=1, allow_nan=False)
    store.write(place(root), f"{text}\n".encode())
    return place(root), taken


def older(experiment: Experiment, part: LedgerPart) -> bool:
    """Whether the code behind an experiment, or what it asks for, has changed since its part was frozen."""
    cells = experiment.cells(PAPER)
    code = {cell.label: code_digest(cell) for cell in cells}
    return (part.asked, part.code) != (_asked(experiment), _of(code))


def told(root: Path, experiment: Experiment) -> dict[str, str]:
    """What the ledger says of an experiment's claims, in words, by their ids."""
    part = read(root).get(experiment.name)
    if part is None:
        return {}
    remark = f" ({OLDER})" if older(experiment, part) else ""
    return {name: f"{row.verdict}: {value(row)}{remark}" for name, row in part.claims.items()}


def value(row: LedgerRow) -> str:
    """Our value with its error bar."""
    return row.ours if row.error is None else f"{row.ours} ± {row.error:.2g}"


def _frozen(one: Experiment, have: Status) -> LedgerPart:
    code = {label: str(data.attrs.get("code_digest")) for label, data in have.results.items()}
    data = {label: provenance.of_data(data) for label, data in have.results.items()}
    rows = {claim.id: _row(claim, have) for claim in one.claims}
    return LedgerPart(_asked(one), _of(code), _of(data), list(have.seeds), list(have.versions), rows)


def _row(claim: Claim, have: Status) -> LedgerRow:
    """Its judgment; a rule that failed is no row of a ledger."""
    found = judged(claim, have.results)
    if failed(found.ours):
        raise ValueError(f"claim {claim.id} cannot be frozen: {found.ours}")
    return LedgerRow(found.verdict, found.ours, found.error)


def _asked(one: Experiment) -> str:
    return _of({cell.label: cell.key() for cell in one.cells(PAPER)})


def _of(texts: Mapping[str, str]) -> str:
    return content.of_text("\0".join(f"{label}\0{text}" for label, text in sorted(texts.items())))


def _rows(part: LedgerPart) -> dict[str, dict[str, Any]]:
    return {name: row._asdict() for name, row in part.claims.items()}


def _part(held: Mapping[str, Any]) -> LedgerPart:
    rows = {name: LedgerRow(**row) for name, row in held["claims"].items()}
    return LedgerPart(**{**held, "claims": rows})
