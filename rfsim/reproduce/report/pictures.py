"""The picture of every figure that shows the results judged: found where it was drawn, or drawn anew.

A file in figures/out may be of another size or of older data. What a PNG was drawn from is in its own text
(`digests.of_picture`), so one that is not current is known; the current one is then drawn into a folder of the
report's, and what a reader has drawn for themselves stays as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from rfsim import reproduce
from rfsim.claims import Results
from rfsim.disk import provenance
from rfsim.reproduce import Experiment
from rfsim.reproduce.report.status import words


class ReportPicture(NamedTuple):
    """A figure: its caption, its PNG or, where there is none, why."""

    name: str
    caption: str
    file: Path | None
    failure: str


def find(root: Path, experiment: Experiment, results: Results | None) -> list[ReportPicture]:
    """The pictures of an experiment's figures; none of them where there are no results."""
    if results is None:
        return [ReportPicture(name, caption, None, "not run") for name, caption in experiment.figures.items()]
    return [_picture(root, experiment, results, name) for name in experiment.figures]


def _picture(root: Path, experiment: Experiment, results: Results, name: str) -> ReportPicture:
    caption, own = experiment.figures[name], reproduce.pictures(root) / "report"
    try:
        source = reproduce.drawn_from(experiment, results)
        for folder in (reproduce.pictures(root), own):
            if provenance.source_of(folder / f"{name}.png") == source:
                return ReportPicture(name, caption, folder / f"{name}.png", "")
        (file,) = reproduce.draw(experiment, [name], results, own, source=source, suffixes=(".png",))
    except Exception as error:  # a figure is a user's code: the others go on
        return ReportPicture(name, caption, None, f"it could not be drawn: {words(error)}")
    return ReportPicture(name, caption, file, "")
