"""Methods that ask several times at a level, each time about what they have just learned (equations.md M4, M5)."""

from __future__ import annotations

from itertools import pairwise

from rfsim.computing.arrays import Numbers, namespace
from rfsim.distillation.learners import PRIOR, Averages, Learner, Regressions, Route, Setting
from rfsim.distillation.moments import stage
from rfsim.distillation.networks import Network
from rfsim.distillation.plan import Student
from rfsim.distillation.readers import Applied, jumped, moved
from rfsim.distillation.regression import Forms


class DataFree(Learner):
    """g_j(z), from noise to every level, each regressed on one more step of the teacher (M5)."""

    anchor = PRIOR

    def regressions(self, level: int) -> Regressions:
        """From the last level down, one round for each."""
        if level < self.setting.levels:
            return None
        weights = None
        for k in range(level, 0, -1):
            given = yield self._next(k, weights)
            weights = self._learn(self.forms.jump(level, k - 1), level, given.targets, given)
        assert weights is not None  # a grid has a level
        return self._keep(level, 0, weights)

    def _next(self, k: int, weights: Numbers | None) -> Applied:
        """Φ_k(g_k(z)); g_N is z itself, for all distill_times at once."""
        network, function = self.setting.features, self.setting.function
        form, step = self.forms.jump(self.setting.levels, k), stage(self.teacher, k, self.setting.solver)

        def there(x: Numbers) -> Numbers:
            if weights is None:
                return moved(step, x[:, None], heun=step.heun, function=function)
            own = network.weights, network.offsets[-1]
            here = jumped(*own, weights, form.x, form.score, x, function=function)
            return moved(step, here, heun=step.heun, function=function)

        return there


class Progressive(Learner):
    """Two jumps of the round before made one, round by round, until a single one is left (M4).

    Rounds pair jumps from the lowest level up; an odd one on top stays as it is: 20 → 10 → 5 → 3 → 2 → 1.
    """

    def __init__(self, student: Student, setting: Setting, teacher: Network, forms: Forms, *, whole: bool) -> None:
        self._knots = rounds(setting.levels)
        super().__init__(student, setting, teacher, forms, whole=whole)
        self._learned: dict[tuple[int, int], Numbers] = {}

    def route(self, steps: int) -> Route | None:
        """That of the round with so many."""
        found = [knots for knots in self._knots[1:] if len(knots) == steps + 1]
        return list(pairwise(found[0][::-1])) if found else None

    def regressions(self, level: int) -> Regressions:
        """Every round in which the level begins a jump."""
        last: Numbers | None = None
        for number, (before, knots) in enumerate(pairwise(self._knots)):
            if level not in knots[1:]:
                break
            end = knots[knots.index(level) - 1]
            if (level, end) in self._learned:
                continue  # the odd one
            along = before[before.index(end) : before.index(level) + 1][::-1]
            given = yield self._along(list(pairwise(along)), taught=number == 0)
            last = self._learned[level, end] = self._from(last, level, end, given)
            self._keep(level, end, last)
        return last

    def _from(self, begun: Numbers | None, level: int, end: int, given: Averages) -> Numbers:
        """Each distill_time from its own weights of the round before."""
        regression, times = self._regression(self.forms.jump(level, end), level), self.setting.distill_times
        found = []
        for t in range(len(times)):
            one = regression if begun is None else regression._replace(start=begun[t])
            targets = given.targets[t if len(given.targets) > 1 else 0]
            found.append(one.weights(given.eigen, targets, given.moments.own, times[t : t + 1])[0])
        return namespace(found).stack(found)

    def _along(self, jumps: Route, *, taught: bool) -> Applied:
        """The jumps of the round before, one after the other; of the first round the teacher's own steps."""
        network, function = self.setting.features, self.setting.function
        if taught:
            steps = [stage(self.teacher, level, self.setting.solver) for level, _ in jumps]

            def follow(x: Numbers) -> Numbers:
                y = x[:, None]
                for step in steps:
                    y = moved(step, y, heun=step.heun, function=function)
                return y

            return follow
        learned = [(self.forms.jump(*jump), network.offsets[jump[0]], self._learned[jump]) for jump in jumps]

        def jump_on(x: Numbers) -> Numbers:
            y = x
            for form, offset, weights in learned:
                y = jumped(network.weights, offset, weights, form.x, form.score, y, function=function)
            return y

        return jump_on


def rounds(levels: int) -> list[list[int]]:
    """Where the jumps of progressive distillation begin and end, round by round, ascending.

    >>> rounds(5)
    [[0, 1, 2, 3, 4, 5], [0, 2, 4, 5], [0, 4, 5], [0, 5]]
    """
    found = [list(range(levels + 1))]
    while len(found[-1]) > 2:
        last = found[-1]
        found.append([*last[:-1:2], last[-1]])
    return found
