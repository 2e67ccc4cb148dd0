"""The second tab: `Tab` of explorer.parts over results of `rfsim.distill`, which are computed once and kept."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

from rfsim.explorer.animation import animation
from rfsim.explorer.copied import joined
from rfsim.explorer.distillation import controls, numbers, systems
from rfsim.explorer.distillation.controls import CONTROLS
from rfsim.explorer.distillation.kept import KEPT, Progress, StoredResults
from rfsim.explorer.distillation.numbers import Entries
from rfsim.explorer.distillation.pictures import Pictures, Sheet, reach
from rfsim.explorer.distillation.systems import DistillationChoice, Request
from rfsim.explorer.parts import Layout, Pending, Refused, TabView, Tell, Texts
from rfsim.maps.commands import command
from rfsim.problem.glossary import explained

HELD = 6  # frames, of which there are ten a second


class DistillationTab:
    """Transfer, leakage and samples of one student of one teacher."""

    name = "distillation"
    title = "Distillation: what becomes of a memorized teacher"
    controls = CONTROLS
    moving = "distill_time"

    def __init__(self, kept: StoredResults = KEPT) -> None:
        self._kept, self._pictures = kept, Pictures()

    def read(self, texts: Texts) -> DistillationChoice:
        """What the controls' texts choose."""
        return controls.read(texts)

    def __reduce__(self) -> str:
        return "TAB"  # what is kept stays where the page is served: a worker has the tab of its own module

    def gather(self, choice: DistillationChoice) -> Entries:
        """The entries of both results. Raises Pending while one is computed for the first time."""
        calls = systems.plane(choice), systems.crossed(choice)
        try:
            found = [self._kept.find(one) for one in calls]
        except ValueError as error:
            raise Refused({"": str(error)}) from None
        waiting = [one for one in found if isinstance(one, Progress)]
        ready = [one for one in found if not isinstance(one, Progress)]
        if waiting:
            done, steps = (sum(numbers) for numbers in zip(*waiting, strict=True))
            raise Pending(
                {"": f"computed for the first time, about half a minute: step {done} of {steps}; shown when it is done"}
            )
        return numbers.entries(choice, *ready)

    def view(self, entries: Entries, layout: Layout) -> TabView:
        """Pictures, tables and words of what was gathered."""
        shown = numbers.shown(entries)
        pictures, words = self._pictures.all(shown, layout), explained(numbers.PARTS)
        return TabView(pictures, numbers.tables(shown), command_line(entries.choice), words)

    def gather_film(self, choice: DistillationChoice) -> Sequence[Entries]:
        """The entries of all distillation times. Raises Pending, as `gather` does."""
        return [self.gather(choice._replace(distill_time=time)) for time in systems.DISTILL_TIMES]

    def animation(self, entries: Sequence[Entries], kind: Literal["gif", "mp4"], tell: Tell) -> bytes:
        """The samples over all distillation times, each held for `HELD` frames."""
        frames = [numbers.shown(one) for one in entries]
        sheet = Sheet("wide", reach(frames[0]), whole=True)
        moves = [partial(sheet.move, shown) for shown in frames for _ in range(HELD)]
        return animation(sheet.figure, moves, kind, tell)

    def prepare(self, tell: Tell) -> Sequence[tuple[Entries, Layout]]:
        """Compute, or read from disk, what the tab starts with."""
        choice = self.read(controls.START)
        for one in (systems.plane(choice), systems.crossed(choice)):
            self._kept.wait(one, tell)
        return [(self.gather(choice), "wide")]


def command_line(choice: DistillationChoice) -> str:
    """The two commands that compute what is shown: the plane, and the parts in more dimensions."""
    return joined(*(_command(one, choice) for one in (systems.plane(choice), systems.crossed(choice))))


def _command(one: Request, choice: DistillationChoice) -> str:
    unsaid = ("variants", "samples", "transfer", "distill_times")
    cell = {name: value for name, value in one.options.items() if name not in unsaid}
    cell |= {"ridge": choice.ridge, "distill_times": [choice.distill_time]}
    return command({"command": "distill", "problem": one.problem}, cell)


TAB = DistillationTab()
