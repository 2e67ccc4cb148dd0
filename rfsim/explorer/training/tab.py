"""The first tab: `Tab` of explorer.parts over the theory of the limit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Literal

from rfsim.explorer import reading
from rfsim.explorer.animation import animation
from rfsim.explorer.copied import joined
from rfsim.explorer.parts import Layout, TabView, Tell, Texts
from rfsim.explorer.training import controls, numbers, pictures
from rfsim.explorer.training.controls import CONTROLS, TrainingChoice
from rfsim.maps.commands import command
from rfsim.problem.glossary import explained
from rfsim.problem.model import Problem

ALWAYS = ("samples_per_dim", "features_per_dim", "diffusion_time")  # in the command, at their defaults too
# which between them compile a program for every number of ρ_Σ's atoms that the controls ask for, up to the next power
# of two, and as many as a text has room for; nothing else that is shown compiles
WARM: tuple[dict[str, str], ...] = (
    {},
    {"data": "atoms:0.5@0.5,0.5@1.5"},
    {"data": "powerlaw:1"},
    *({"data": "atoms:" + ",".join(f"{1 / k:g}@{1 + j / 10:g}" for j in range(k))} for k in (4, 8, 16, 20)),
)
NAMES = tuple(control.name for control in CONTROLS)


class TrainingTab:
    """Spectrum and losses of the limit at a training time."""

    name = "training"
    title = "Training: which directions are learned when"
    controls = CONTROLS
    moving = "train_time"

    def read(self, texts: Texts) -> TrainingChoice:
        """What the controls' texts choose."""
        return controls.read(texts)

    def gather(self, choice: TrainingChoice) -> TrainingChoice:
        """The choice itself: workers solve."""
        return choice

    def view(self, choice: TrainingChoice, layout: Layout) -> TabView:
        """Pictures, tables and words of a choice."""
        shown = self._shown(choice)
        return TabView(
            pictures.pictures(shown, layout), numbers.tables(shown), command_line(choice), explained(shown.names)
        )

    def gather_film(self, choice: TrainingChoice) -> TrainingChoice:
        """The choice itself."""
        return choice

    def animation(self, choice: TrainingChoice, kind: Literal["gif", "mp4"], tell: Tell) -> bytes:
        """A film of a choice along training time."""
        figure, move = pictures.film(self._shown(choice))
        return animation(figure, [partial(move, float(tau)) for tau in numbers.STEPS], kind, tell)

    def prepare(self, tell: Tell) -> Sequence[tuple[TrainingChoice, Layout]]:
        """Choices that between them compile all there is."""
        start = {control.name: control.start for control in CONTROLS}
        choices = [self.read(start | texts) for texts in WARM]
        return [(choices[0], "narrow"), *((one, "wide") for one in choices)]

    def _shown(self, choice: TrainingChoice) -> numbers.TrainingNumbers:
        try:
            return numbers.shown(choice)
        except (ValueError, ArithmeticError) as error:
            raise reading.refusal(error, NAMES) from None


def command_line(choice: TrainingChoice) -> str:
    """The two commands that compute what is shown.

    The spectrum, and the losses over the training times that are drawn, at the one that is now and at the end.
    """
    usual = Problem().settings
    given = choice.problem.settings.items()
    problem = {name: value for name, value in given if name in ALWAYS or value != usual[name]}
    drawn = [numbers.RANGE, math.inf]
    if not numbers.in_range(choice.train_time):
        drawn.insert(0, choice.train_time)
    spectral = {name: value for name, value in problem.items() if name != "ridge"}  # of which U has none
    return joined(
        *(
            command({"command": name, "problem": spectral if name == "theory spectrum" else problem}, cell)
            for name, cell in (("theory spectrum", {}), ("theory curves", {"train_times": drawn}))
        )
    )


TAB = TrainingTab()
