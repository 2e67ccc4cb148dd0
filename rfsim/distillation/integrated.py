"""Students whose flow is not linear, integrated step by step: distribution matching and score identity (M11, M12)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.computing import interrupts, parallel
from rfsim.computing.arrays import Numbers, namespace, placed
from rfsim.distillation import exponential, generators
from rfsim.distillation.exponential import FlowState
from rfsim.distillation.learners import PRIOR, Learner, Regressions, Setting
from rfsim.distillation.networks import Network
from rfsim.distillation.plan import Student
from rfsim.distillation.regression import Forms
from rfsim.simulation.checkpointing import Checkpointing, Keeping, reserved

MOST_STEPS = 100_000  # of one student


class Reached(NamedTuple):
    """All that an integration needs to go on, arrays alone.

    step: steps taken; flow: where it is; found: weights at the distill_times (times, dim, features), NaN at those to
    come; errors, steps: the largest error of a step, and their number, up to each (times,).
    """

    step: np.int64
    flow: FlowState
    found: NDArray[np.float64]
    errors: NDArray[np.float64]
    steps: NDArray[np.float64]


class Drawn(NamedTuple):
    """What an integrated student draws and keeps.

    critic_ridge: γ_f, the teacher's own, so that equal laws have equal scores; pool: the first draws z and ξ (count,
    dim) of the last level, as its moments have them; place: the folder of its states below that of the seed; keeping:
    where; tell: hears of progress.
    """

    critic_ridge: float
    pool: Callable[[int], tuple[NDArray[np.float64], NDArray[np.float64]]]
    place: str
    keeping: Keeping
    tell: Callable[[str], None]


class Integrated(Learner):
    """A generator from noise, moved towards the teacher's law by the difference of two scores (M11, M12)."""

    anchor = PRIOR

    def __init__(
        self, student: Student, setting: Setting, teacher: Network, forms: Forms, *, whole: bool, drawn: Drawn
    ) -> None:
        super().__init__(student, setting, teacher, forms, whole=whole)
        self._drawn = drawn
        self.failure = ""
        self.reached: Reached | None = None

    def regressions(self, level: int) -> Regressions:
        """Of the shared averages U alone; the last level."""
        if level < self.setting.levels:
            return None
        given = yield _nothing
        one, network = self.student, self.setting.features
        form = self.forms.jump(level, 0)
        generator = generators.Generator(
            self.method.kind,
            network.weights,
            network.offsets[level],
            form,
            one.ridge,
            placed(self._regression(form, level).start),
            self.setting.function,
            one.critic.ratio,
            self._drawn.critic_ridge,
        )
        draws = generators.pool(*self._drawn.pool(given.moments.draws))
        flow = generators.GeneratorFlow(generator, self.teacher, given.eigen, draws)
        self.reached = self._follow(flow)
        return self._keep(level, 0, placed(self.reached.found))

    def _follow(self, flow: generators.GeneratorFlow) -> Reached:
        """Through all distill_times, or to where it diverges."""
        times, drawn = self.setting.distill_times, self._drawn
        start = exponential.begun(flow, flow.begin())
        blank = np.full((len(times), *self.setting.shape), np.nan)
        row = np.full(len(times), np.nan)
        state = Reached(start.step, start, blank, row, row)
        folder = drawn.keeping.folder and drawn.keeping.folder / drawn.place
        layout = parallel.layout(1, len(self.setting.features.weights))
        about = {**drawn.keeping.identity, "place": drawn.place, "distill_times": times.tolist()}
        keeping = Checkpointing(folder, about, layout, drawn.keeping.minutes, drawn.tell)
        with reserved([] if folder is None else [folder], layout, resume=drawn.keeping.resume):
            keeping.find(MOST_STEPS)
            state = keeping.resume(state)
            try:
                for number in np.argsort(times, kind="stable"):
                    if np.isfinite(state.steps[number]):
                        continue
                    while float(state.flow.time) < times[number]:
                        state = self._stepped(flow, state, float(times[number]))
                        keeping.offer(state)
                    state = _recorded(flow, state, int(number))
            except exponential.FlowDiverged as failed:
                self.failure = f"{failed}: {self.method} stops there, and later distill_times are null"
            finally:
                keeping.save(state)
        return state

    def _stepped(self, flow: generators.GeneratorFlow, state: Reached, stop: float) -> Reached:
        if int(state.step) >= MOST_STEPS:
            raise exponential.FlowDiverged(
                f"no end at distill_time {float(state.flow.time):.6g} after {MOST_STEPS} steps", state.flow
            )
        with interrupts.deferred():
            reached = exponential.advance(flow, state.flow, stop)
        if int(reached.step) % 100 == 0:
            self._drawn.tell(f"{self._drawn.place}: step {int(reached.step)}, distill_time {float(reached.time):.4g}")
        return state._replace(step=reached.step, flow=reached)


def _nothing(x: Numbers) -> Numbers:
    return namespace(x).zeros((len(x), 0, x.shape[1]))


def _recorded(flow: generators.GeneratorFlow, state: Reached, number: int) -> Reached:
    """With the weights of one distill_time."""
    found, errors, steps = (one.copy() for one in (state.found, state.errors, state.steps))
    found[number] = np.asarray(flow.readout(state.flow.values))
    errors[number], steps[number] = float(state.flow.error), float(state.step)
    return state._replace(found=found, errors=errors, steps=steps)


def integrated(learners: Iterable[Learner | None]) -> list[Integrated]:
    """Those that are integrated."""
    return [one for one in learners if isinstance(one, Integrated)]


def failures(models: Mapping[str, Sequence[Learner | None]]) -> list[str]:
    """A line for each that did not reach its last distill_time."""
    return [one.failure for several in models.values() for one in integrated(several) if one.failure]


def reports(learners: Sequence[Learner | None], times: int) -> dict[str, NDArray[np.float64]]:
    """Steps and the largest error of one, (students, times); NaN of exact flows."""
    nothing = np.full(times, np.nan)
    found: dict[str, Any] = {}
    for name in ("steps", "errors"):
        rows = [
            getattr(one.reached, name) if isinstance(one, Integrated) and one.reached else nothing for one in learners
        ]
        found[name] = np.stack(rows)
    return found
