"""Parts of the report as they were last made, taken while nothing that they are made of has changed.

Judging reads every result, and seeds are judged again part by part: most of a minute where all is stored. What a part
is made of is told by the bytes of its files, which are read in a second: no time of a file is trusted.
"""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rfsim import reproduce
from rfsim.computing import machine
from rfsim.disk import content, provenance, store
from rfsim.reproduce import Experiment
from rfsim.reproduce.report import ledger
from rfsim.reproduce.report.entries import Entry, ReportPart
from rfsim.reproduce.report.pictures import ReportPicture
from rfsim.reproduce.report.status import Status


def key(root: Path, experiment: Experiment, sizes: Sequence[str]) -> str | None:
    """A digest of all that a part is made of: code, packages, files of the experiment, results of every size.

    None where that cannot be said.
    """
    told = [_code(), store.canonical({"sizes": list(sizes), "versions": machine.versions()})]
    try:
        files = Path(str(experiment.module.__file__)), experiment.drawing
        told += [content.of_bytes(path.read_bytes()) for path in files]
        frozen = ledger.place(root)
        told.append(content.of_bytes(frozen.read_bytes()) if frozen.is_file() else "no ledger")
        for size in reproduce.SIZES:  # all of them: an undecided claim looks at the paper's
            for cell in experiment.cells(size):
                path = reproduce.cell_path(root, experiment, size, cell)
                held = content.of_bytes(path.read_bytes()) if path.is_file() else "absent"
                told += [size, cell.label, cell.key(), held]
    except Exception:  # an experiment is a user's file: whoever makes the part says what is wrong
        return None
    return content.of_text("\0".join(told))


def recall(root: Path, experiment: Experiment, wanted: str) -> ReportPart | None:
    """The part that was kept under this key; None where there is none, or one that is damaged."""
    try:
        digest, _, text = _place(root, experiment).read_text(encoding="utf-8").partition("\n")
        if digest != content.of_text(text):
            return None
        kept = json.loads(text)
        return _part(root, experiment, kept["part"]) if kept["key"] == wanted else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(root: Path, experiment: Experiment, wanted: str, part: ReportPart) -> None:
    """Keep a part under its key, where the folder can be written and nothing of it failed."""
    if any(picture.failure and part.size for picture in part.pictures):
        return
    text = json.dumps({"key": wanted, "part": _plain(root, part)})
    place = _place(root, experiment)
    with contextlib.suppress(store.StoreError), store.atomic(place) as temporary:
        temporary.write_text(f"{content.of_text(text)}\n{text}", encoding="utf-8")


def _place(root: Path, experiment: Experiment) -> Path:
    return root / "experiments" / "out" / ".report" / f"{experiment.name}.json"


@functools.cache
def _code() -> str:
    root = provenance.package_root()
    return content.of_files((root / "rfsim").rglob("*.py"), root)


def _plain(root: Path, part: ReportPart) -> dict[str, Any]:
    have = part.standing._replace(results={})._asdict()
    pictures = [
        {**one._asdict(), "file": one.file and one.file.relative_to(root).as_posix(), "source": _source(one)}
        for one in part.pictures
    ]
    entries = [{**entry._asdict(), "claim": entry.claim.id} for entry in part.entries]
    return {**part._asdict(), "standing": have, "entries": entries, "pictures": pictures}


def _part(root: Path, experiment: Experiment, kept: dict[str, Any]) -> ReportPart | None:
    claims = {claim.id: claim for claim in experiment.claims}
    entries = [
        Entry(**{**entry, "claim": claims[entry["claim"]], "remarks": tuple(entry["remarks"])})
        for entry in kept["entries"]
    ]
    pictures = []
    for one in kept["pictures"]:
        source = one.pop("source")
        picture = ReportPicture(**{**one, "file": one["file"] and root / one["file"]})
        if _source(picture) != source:  # removed, or drawn anew from something else
            return None
        pictures.append(picture)
    larger = None if kept["larger"] is None else tuple(kept["larger"])
    return ReportPart(
        **{
            **kept,
            "standing": Status(**kept["standing"]),
            "larger": larger,
            "entries": entries,
            "pictures": pictures,
        }
    )


def _source(picture: ReportPicture) -> str | None:
    return None if picture.file is None else provenance.source_of(picture.file)
