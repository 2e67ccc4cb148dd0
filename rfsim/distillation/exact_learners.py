"""Students whose moments are exact: consistency training (M2), self-distillation (M9), hard distillation (M10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers, compiled, namespace, placed
from rfsim.computing.precision import ridge_named
from rfsim.distillation.cache import ArrayCache
from rfsim.distillation.exact import ExactSpectra
from rfsim.distillation.learners import Learner, Regressions, Setting
from rfsim.distillation.networks import Network
from rfsim.distillation.plan import Student
from rfsim.distillation.regression import Forms
from rfsim.distillation.sampling import generate, path
from rfsim.distillation.teacher import TeacherFilter, teach
from rfsim.learning.trainers import Flow
from rfsim.problem.data import stream


class ConsistencyTraining(Learner):
    """The level below at the same point with the same noise, instead of a teacher's step (M2)."""

    def __init__(
        self, student: Student, setting: Setting, teacher: Network, forms: Forms, *, exact: ExactSpectra
    ) -> None:
        super().__init__(student, setting, teacher, forms, whole=True)
        self._exact = exact
        self._below: Numbers | None = None

    def regressions(self, level: int) -> Regressions:
        """Towards the level below, by the exact U, P and C."""
        yield from ()
        form, lower = self.forms.jump(level, 0), self.forms.jump(level - 1, 0)
        pair = self._exact.paired(level, carried=level > 1)
        target = lower.x * pair.steps
        if self._below is not None:
            target = target + lower.score * (self._below @ pair.carried)
        eigen = self._exact.points(level), self._exact.basis(level)
        regression = self._regression(form, level)
        self._below = regression.weights(eigen, target, pair.own, self.setting.distill_times)
        return self._keep(level, 0, self._below)


class SelfDistilled(Learner):
    """(1 − ξ)Ā + ξB̄ with B̄ = ĀU f(U) the teacher's own student, ξ given or the one of the least L_test (M9)."""

    def __init__(
        self, student: Student, setting: Setting, teacher: Network, forms: Forms, *, exact: ExactSpectra
    ) -> None:
        super().__init__(student, setting, teacher, forms, whole=True)
        self._exact = exact
        self.mixing: dict[int, NDArray[np.float64]] = {}

    def regressions(self, level: int) -> Regressions:
        """On the teacher's own U."""
        yield from ()
        form, taught = self.forms.score(level), placed(self.teacher.readouts[level])
        points, basis = self._exact.points(level), self._exact.basis(level)
        target = form.score * ((taught @ basis) * points) @ basis.T
        pure = self._regression(form, level).weights((points, basis), target, 0.0 * target, self.setting.distill_times)
        apart = pure - taught
        mixing = np.full(len(pure), self.method.argument, dtype=float)
        if self.method.argument is None:
            mixing = best_mixing(*self._exact.population(level), taught, apart)
        self.mixing[level] = mixing
        return self._keep(level, 0, taught + placed(np.nan_to_num(mixing))[:, None, None] * apart)


def best_mixing(
    second: Numbers, noise: Numbers, noise_scale: float, teacher: Numbers, apart: Numbers
) -> NDArray[np.float64]:
    """ξ⋆ = −L′/(2D) of L_test at Ā + ξδ, for each δ (times, dim, features) (M9); NaN where δ is nothing.

    second, noise: Ũ (features, features) and Ṽ (features, dim); noise_scale: √Δ.
    """
    slope, curvature, scale = _slopes(second, noise, noise_scale, teacher, apart)
    slope, curvature, scale = (np.asarray(one) for one in (slope, curvature, scale))
    with np.errstate(divide="ignore", invalid="ignore"):
        # what rounding alone makes has no direction
        return np.where(curvature > np.finfo(float).eps ** 2 * scale, -slope / curvature, np.nan)


@compiled
def _slopes(second, noise, noise_scale, teacher, apart):
    """Half of L′ and of L″ over 2Δ/d, and the teacher's own (1/d) Tr ĀŨĀᵀ in the same units."""
    seen = apart @ second
    slope = (seen * teacher).sum((-1, -2)) + (apart * noise.T).sum((-1, -2)) / noise_scale
    return slope, (seen * apart).sum((-1, -2)), ((teacher @ second) * teacher).sum()


class Hard(Learner):
    """A score trained on samples of the teacher, or of the generation before, as if they were data (M10)."""

    def __init__(
        self,
        student: Student,
        setting: Setting,
        teacher: Network,
        forms: Forms,
        *,
        spectra: Callable[[NDArray[np.float64]], ExactSpectra],
        samples: int,
        seed: int,
        tell: Callable[[str], None],
    ) -> None:
        """spectra: of the student's features on other data; samples: how many of these."""
        super().__init__(student, setting, teacher, forms, whole=True)
        self._spectra, self._seed, self._tell = spectra, seed, tell
        self._shape = samples, setting.shape[0]
        self._taught: Sequence[Network] = ()

    def regressions(self, level: int) -> Regressions:
        """All levels are trained before the first, for samples need all of them."""
        yield from ()
        if not self._taught:
            self._taught = self._generations()
        xp = namespace(self._taught[0].readouts)
        return self._keep(level, 0, xp.stack([one.readouts[level] for one in self._taught]))

    def _generations(self) -> Sequence[Network]:
        """A network for each distill_time, of the last generation."""
        parents: Sequence[Network] = [self.teacher]
        for generation in range(1, self.student.generations + 1):
            samples = [self._generated(parent, generation) for parent in parents]
            children: list[Network] = []
            for number, points in enumerate(samples):
                times = self.setting.distill_times if len(samples) == 1 else self.setting.distill_times[[number]]
                filters = [TeacherFilter(Flow(), self.student.ridge, float(time)) for time in times]
                with ridge_named("ridge of the student"):
                    children += teach(self._spectra(points), filters, self._hear(generation))
            parents = children
        return parents

    def _hear(self, generation: int) -> Callable[[int], None]:
        return lambda k: self._tell(f"generation {generation}, level {k}")

    def _generated(self, parent: Network, generation: int) -> NDArray[np.float64]:
        """As many samples as there are training points, at ε in all steps of the ODE, taken as clean data."""
        levels = self.setting.levels
        start = stream(self._seed, f"generations/{generation}").standard_normal(self._shape)
        return generate(parent, start, path(levels, levels), self.setting.function, self.setting.solver)


class Unkept(ArrayCache):
    """A cache for spectra that are looked at once: nothing is kept."""

    def put(self, key, array) -> None:
        """Nothing."""
