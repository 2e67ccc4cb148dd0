"""All models of a seed taken through a level together: what several ask of the same draws is averaged once (M0)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers
from rfsim.distillation.flow import decomposed
from rfsim.distillation.learners import TRAINING, Averages, Eigen, Learner, Regressions
from rfsim.distillation.moments import LevelMoments, Source, StudentFeatures, averages, level_moments, stage
from rfsim.distillation.networks import Function, Network
from rfsim.distillation.readers import Arriving, Ask, Questions

SHARES = "half", "student"  # who hears of half of the draws; all others of all of them

Groups = Mapping[str, Sequence[Learner | None]]
Hear = Callable[[LevelMoments, Eigen, Numbers | None], None]


class LearnerState:
    """A learner at one level: what it asks next, None when it has learned, and its weights then."""

    def __init__(self, learner: Learner, level: int) -> None:
        self.anchor = learner.anchor
        self._regressions: Regressions = learner.regressions(level)
        self.ask: Ask | None = None
        self.weights: Numbers | None = None
        self._on(lambda: next(self._regressions))

    def hear(self, given: Averages) -> None:
        """Take averages in, and ask on."""
        self._on(lambda: self._regressions.send(given))

    def _on(self, step: Callable[[], Ask]) -> None:
        try:
            self.ask = step()
        except StopIteration as end:
            self.ask, self.weights = None, end.value


class LevelTraining:
    """Groups of models, each with one learner by student: the students, those by half of the draws, the controls."""

    def __init__(
        self, groups: Groups, network: Network, function: Function, solver: str, source: Callable[[str, int], Source]
    ) -> None:
        """network: the students' features; source: the draws of an anchor at a level, from the first on."""
        self.groups, self._network, self._function, self._solver = groups, network, function, solver
        self._source = source

    def taught(
        self,
        level: int,
        teacher: Network,
        landed: Arriving | None,
        hear: Hear,
        *,
        carried: bool,
        difference: bool,
    ) -> dict[str, list[Numbers | None]]:
        """Weights (times, dim, features) at a level by group and student, None where there are none.

        landed: asked of the training draws beside them; hear: is told the training draws' moments, their U decomposed,
        and the answer to `landed`, by half of the draws and then by all; carried, difference: as in `level_moments`.
        """
        states = {name: [one and LearnerState(one, level) for one in several] for name, several in self.groups.items()}
        everyone = {name: [one for one in several if one is not None] for name, several in states.items()}
        anchors = {one.anchor for several in everyone.values() for one in several if one.ask is not None}
        for anchor in [TRAINING, *sorted(anchors - {TRAINING})]:
            here = {name: [one for one in several if one.anchor == anchor] for name, several in everyone.items()}
            half, rest = here.pop(SHARES[0], []), [one for several in here.values() for one in several]
            if anchor == TRAINING:
                self._on_anchor(level, teacher, anchor, half, rest, landed, hear, carried, difference)
            else:
                self._on_anchor(level, teacher, anchor, half, rest, None, None, False, False)
        return {name: [None if one is None else one.weights for one in several] for name, several in states.items()}

    def _on_anchor(
        self,
        level: int,
        teacher: Network,
        anchor: str,
        half: list[LearnerState],
        rest: list[LearnerState],
        landed: Arriving | None,
        hear: Hear | None,
        carried: bool,
        difference: bool,
    ) -> None:
        """All rounds on the draws of one anchor; the first with the moments that all share."""
        network = self._network
        own = StudentFeatures(network.weights, network.offsets[level], network.offsets[level - 1])
        asking = [[one for one in several if one.ask is not None] for several in (half, rest)]
        asks = [one.ask for several in asking for one in several if one.ask is not None]
        questions = self._questions(level, [*asks, *([] if landed is None else [landed])])
        moments = level_moments(
            stage(teacher, level, self._solver),
            own,
            self._source(anchor, level),
            self._function,
            questions,
            carried=carried,
            difference=difference,
        )
        for number, several in enumerate(asking):
            found = next(moments)
            if not several and hear is None:
                continue
            answers = questions.answers(found.targets)
            rest_of, eigen = found._replace(second=np.zeros((0, 0))), decomposed(found.second)
            del found
            at = 0 if number == 0 else len(asking[0])
            for one, answer in zip(several, answers[at:], strict=False):
                one.hear(Averages(answer, rest_of, eigen))
            if hear is not None:
                hear(rest_of, eigen, None if landed is None else answers[-1])
            self._go_on(level, anchor, several, rest_of, eigen)
            del rest_of, eigen  # p × p each
        moments.close()

    def _go_on(self, level: int, anchor: str, several: list[LearnerState], found: LevelMoments, eigen: Eigen) -> None:
        """Further rounds, on the same draws: averages of what is asked alone."""
        while still := [one for one in several if one.ask is not None]:
            questions = self._questions(level, [one.ask for one in still if one.ask is not None])
            source = self._source(anchor, level)
            averaged = averages(self._network, level, source, self._function, questions, found.draws)
            for one, answer in zip(still, questions.answers(averaged), strict=True):
                one.hear(Averages(answer, found, eigen))

    def _questions(self, level: int, asks: Sequence[Ask]) -> Questions:
        return Questions(asks, self._network, level, self._solver, self._function)


def stacked(weights: Sequence[Numbers | None], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Weights of several students, (students, times, dim, features), NaN where there are none."""
    return np.stack([np.full(shape, np.nan) if one is None else np.asarray(one) for one in weights])
