"""What all results about steps of a teacher in the limit share: their domain, their settings, the ladder of levels."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Mapping
from typing import Any, Unpack

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from rfsim.checking.scalars import numbers, real
from rfsim.disk import store
from rfsim.learning.filters import learning_rate_constant
from rfsim.limit.ladders import Ladder, ladder
from rfsim.limit.rational import Trained
from rfsim.limit.resolvents import Level, level
from rfsim.problem.diffusion import noise_variance
from rfsim.problem.model import Problem, require_ridge, times
from rfsim.problem.origins import limit_settings
from rfsim.results.progress import Report
from rfsim.theory.run import LimitOptions, covariance_of

LONG_NAMES = {
    "from_time": "diffusion time t from which a step leads",
    "to_time": "diffusion time t′ to which a step leads",
    "leakage": "leaked share of gen",
    "share": "share of what gen hands up, by where it lands",
    "gain": "what gen hands up, over what it holds",
    "instability": "mean of qᵀDq/λ over a part",
    "gamma_star": "ridge γ⋆ that is enough",
    "floor": "leakage that no ridge goes below",
    "kappa": "κ of the closed forms",
    "gamma_star_closed": "ridge γ⋆ that is enough, closed form",
    "leakage_closed": "leaked share of gen, closed form",
    "closed_valid": "whether closed forms are near",
    "train": "L_train of the student, as a score",
    "test": "L_test of the student, as a score",
    "map_error": "(1/d)E‖f(x) − x‖² of the student's map",
    "student_energy": "energy of the student by part",
    "teacher_energy": "energy of the teacher by part",
    "suppression": "energy of the student over the teacher's",
    "residual": "between two rules of the constants",
}


def told_of(name: str) -> dict[str, str]:
    """What a variable says that it is; the constants of D1 to D8 go by their names."""
    return {"long_name": LONG_NAMES[name], "units": "1"} if name in LONG_NAMES else {"units": "1"}


class StepRun:
    """A problem's teacher and its steps down a ladder of diffusion times, all input checked."""

    def __init__(
        self,
        problem: Problem,
        diffusion_times: ArrayLike,
        *,
        teacher_time: float,
        teacher_ridge: float,
        threshold: float,
        **data: Unpack[LimitOptions],
    ) -> None:
        """Raise ValueError for what is outside of the theory's domain (equations.md D1 to D21)."""
        self.started = time.perf_counter()
        if not problem.activation.odd:
            given = str(problem.activation)
            raise ValueError(f"distillation in the limit is of odd activations, such as tanh; got {given!r}")
        if math.isfinite(problem.noise_copies):
            raise ValueError(
                f"distillation in the limit averages the noise, noise_copies inf; got {problem.noise_copies:g}"
            )
        self.problem = problem
        self.times: NDArray[np.float64] = numbers("diffusion_times", diffusion_times)
        if self.times.size < 2 or not np.all(np.diff(self.times) > 0):
            raise ValueError(f"diffusion_times must be two or more, and ascend; got {self.times.tolist()}")
        self.problems = [dataclasses.replace(problem, diffusion_time=t) for t in self.times.tolist()]
        self.threshold = real("threshold", threshold)
        if not 0 < self.threshold < 1:
            raise ValueError(f"threshold must lie between 0 and 1; got {self.threshold:g}")
        self.teacher_time = float(times([teacher_time], "teacher_time")[0])
        if self.teacher_time == 0:
            raise ValueError("teacher_time must be positive: nothing is learned, and nothing handed on, at 0")
        require_ridge("teacher_ridge", teacher_ridge)
        self.teacher_ridge = float(teacher_ridge)
        self.population, origin = covariance_of(problem, **data)
        self.settings: dict[str, Any] = {  # of the problem but what the lists of a function take the place of
            name: value
            for name, value in limit_settings(problem, origin).items()
            if name not in ("ridge", "diffusion_time")
        } | {"teacher_time": self.teacher_time, "teacher_ridge": self.teacher_ridge, "threshold": self.threshold}

    def levels(self, report: Report) -> list[Level]:
        """The ladder's levels; ValueError where filters have their poles on the spectrum."""
        found = []
        for one in self.problems:
            report(f"level t = {one.diffusion_time:g}", {})
            found.append(level(one, self.population))
        if float(found[0].limit.floor) == 0:
            raise ValueError("eigenvalues of U reach down to 0 where σ is linear; take another activation")
        return found

    def teachers(self) -> list[Trained]:
        """Of all levels but the first."""
        psi_p = self.problem.features_per_dim
        rates = [learning_rate_constant(noise_variance(t), psi_p) for t in self.times[1:].tolist()]
        return [Trained(self.teacher_time, rate, self.teacher_ridge) for rate in rates]

    def ladder(self, report: Report) -> Ladder:
        """Levels, teachers, steps, and how their frozen noises correlate."""
        return ladder(self.levels(report), self.teachers(), self.problem.activation)

    def label(self, kind: str, data: xr.Dataset, settings: Mapping[str, Any]) -> xr.Dataset:
        """`data` as a result, each variable with what it is."""
        for name, one in data.data_vars.items():
            one.attrs = told_of(str(name))
        return store.label(data, kind, settings, wall_time=time.perf_counter() - self.started)
