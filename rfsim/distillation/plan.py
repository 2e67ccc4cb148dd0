"""What is distilled and how: the settings of `rfsim.distill`, checked before anything is computed (equations.md §7)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rfsim.checking.scalars import real, told, whole
from rfsim.checking.text import LARGEST, nearest, shown
from rfsim.checking.written import Parsed, plain
from rfsim.distillation.consistency import require_parameterization
from rfsim.distillation.critics import Critics, Equilibrium, read_critic
from rfsim.distillation.memorization import RATIO
from rfsim.distillation.methods import CONSISTENCY, INTEGRATED, MATCHING, RENOISED, DistillationMethod, read_method
from rfsim.distillation.moments import FEWEST
from rfsim.distillation.sampling import SOLVERS
from rfsim.distillation.stochastic_settings import StochasticPlan
from rfsim.distillation.targets import (
    MOST_DRAWS,
    SEQUENTIAL,
    Draws,
    PerFeature,
    Targets,
    read_target,
)
from rfsim.learning.trainers import Trainer
from rfsim.problem.diffusion import ODE_SOLVERS, time_grid
from rfsim.problem.model import EARLIEST, LATEST_TRAINING, require_ridge
from rfsim.problem.origins import Sizes
from rfsim.problem.time_paths import MOST_LEVELS
from rfsim.quantities.meant import known_fields

STARTS = ("teacher", "zero")
DATA = ("train", "fresh", "teacher")
LATEST_LEVEL = 20.0  # a DDIM jump from T multiplies by e^T
MOST = {"generations": 1000, "levels": MOST_LEVELS, "generated": 10**8, "samples": 10**8}
FEWEST_GENERATED = 16  # for standard errors by leaving out groups of them


@known_fields
@dataclass(frozen=True)
class Student:
    """How one student is trained on the moments that all share (§7).

    Attributes:
        ridge: γ, in units of the eigenvalues of U_k.
        parameterization: "ddim" or "edm".
        start: "teacher", for ddim with the teacher's features, or "zero".
        target: `Sequential`, the level below trained for the same distill_time, or `Coupled`, all levels at once
            towards moving averages, or the text of one.
        method: What distillation it is, `rfsim.DistillationMethod` or the text of one.
        generations: Of method hard: how many students learn one from another.
        critic: Of method matching: "equilibrium", the score of the generator's law at every moment, or a positive
            number, how many times as fast as the generator a critic learns beside it.

    >>> Student(target="coupled:10").target
    Coupled(ema_time=10.0)
    >>> Student(method="segments:4").method.argument
    4
    """

    ridge: float = 0.0
    parameterization: str = "ddim"
    start: str = "teacher"
    target: Parsed[str | Targets, Targets] = Parsed(read_target, SEQUENTIAL)
    method: Parsed[str | DistillationMethod, DistillationMethod] = Parsed(read_method, CONSISTENCY)
    generations: int = 1
    critic: Parsed[str | float | Critics, Critics] = Parsed(read_critic, "equilibrium")

    def __post_init__(self) -> None:
        require_parameterization(self.parameterization)
        object.__setattr__(self, "generations", whole("generations", self.generations, 1, MOST["generations"]))
        _require("start", self.start, STARTS)
        if self.start == "teacher" and self.parameterization != "ddim":
            raise ValueError(
                f"start 'teacher' needs parameterization ddim, whose weights are a score's; got "
                f"{self.parameterization}: use start zero"
            )
        require_ridge("the student's ridge", self.ridge)
        self._require_method()

    def _require_method(self) -> None:
        """ValueError for a start, form or target that the method does not have."""
        told, traits = f"method {self.method}", self.method.traits
        if traits.jumps and self.parameterization != "ddim":
            raise ValueError(f"{told} learns scores, which parameterization ddim has; got {self.parameterization}")
        if not traits.begins and self.start == "teacher":
            raise ValueError(f"{told} does not begin at a teacher's weights; got start 'teacher': use start zero")
        if self.method.kind != CONSISTENCY and self.target.ema_time is not None:
            raise ValueError(f"{told} takes targets as they stand; got target {self.target}: use sequential")
        if self.method.kind != MATCHING and self.critic != Equilibrium():
            raise ValueError(f"a critic belongs to method {MATCHING}; got critic {self.critic} with {told}")
        if self.method.kind != "hard" and self.generations != 1:
            raise ValueError(f"generations belong to method hard; got {self.generations} with {told}")

    @property
    def settings(self) -> dict[str, Any]:
        """As stored with a result; what consistency distillation has no use for is left out, as before it was one."""
        found = {one.name: plain(getattr(self, one.name)) for one in fields(self)}
        usual = {"method": CONSISTENCY, "generations": 1, "critic": str(Equilibrium())}
        return {name: value for name, value in found.items() if usual.get(name) != value}

    @property
    def label(self) -> str:
        """A name for tables and legends.

        >>> Student(ridge=0.1).label
        'ddim, start teacher, ridge 0.1, sequential'
        """
        own = f"{self.parameterization}, start {self.start}, ridge {self.ridge:g}, {self.target}"
        again = f", generation {self.generations}" if self.generations > 1 else ""
        by = "" if self.critic == Equilibrium() else f", critic {self.critic}"
        return own if self.method.kind == CONSISTENCY else f"{self.method}{again}{by}, {own}"


@dataclass(frozen=True)
class DistillationPlan:
    """The settings of a distillation but for the problem."""

    distill_times: tuple[float, ...]
    levels: int
    time_min: float
    time_max: float
    teacher_time: float
    early_time: float | None
    teacher_ridge: float
    trainer: Trainer
    students: tuple[Student, ...]
    solver: str
    sampler: str
    student_features_per_dim: float | None
    distill_data: str
    draws: PerFeature | Draws
    leakage_ridges: tuple[float, ...]
    threshold: float
    generated: int
    samples: int
    path: tuple[float, ...] | None = None
    renoise: float = 1.0
    stochastic: StochasticPlan | None = None
    memorized_ratio: float = RATIO
    split_pair: bool = False

    def __post_init__(self) -> None:
        for name, least in (("levels", 2), ("generated", FEWEST_GENERATED), ("samples", 0)):
            object.__setattr__(self, name, whole(name, getattr(self, name), least, MOST[name]))
        reals = ("time_min", "time_max", "teacher_time", "teacher_ridge", "threshold", "renoise", "memorized_ratio")
        for name in reals:
            object.__setattr__(self, name, real(name, getattr(self, name)))
        if 0 < self.time_min < EARLIEST:
            raise ValueError(f"time_min must be at least {EARLIEST:g}; got {self.time_min:g}")
        if not 0 < self.time_min < self.time_max <= LATEST_LEVEL:
            raise ValueError(
                f"the levels need 0 < time_min < time_max <= {LATEST_LEVEL:g}; got time_min {self.time_min:g} and "
                f"time_max {self.time_max:g}"
            )
        for name, time in (("teacher_time", self.teacher_time), ("early_time", self.early_time)):
            if time is not None and not real(name, time) >= 0:
                raise ValueError(f"{name} must be a train_time that is not negative, or inf; got {time:g}")
            if time is not None and LATEST_TRAINING < time < math.inf:
                raise ValueError(f"{name} must be at most {LATEST_TRAINING:g}, or inf; got {time:g}")
        require_ridge("teacher_ridge", self.teacher_ridge)
        _require("solver", self.solver, ODE_SOLVERS)
        _require("sampler", self.sampler, SOLVERS)
        _require("distill_data", self.distill_data, DATA)
        own = self.student_features_per_dim
        if own is not None and not 0 < real("student_features_per_dim", own) < math.inf:
            raise ValueError(f"student_features_per_dim must be positive and finite; got {own:g}")
        if min(self.leakage_ridges) < 0 or not np.all(np.isfinite(self.leakage_ridges)):
            raise ValueError(f"leakage_ridges must be finite and not negative; got {told(list(self.leakage_ridges))}")
        require_ridge("leakage_ridges", max(self.leakage_ridges))
        if not 0 < self.threshold < 1:
            raise ValueError(f"threshold must lie between 0 and 1; got {self.threshold:g}")
        if not 0 < self.memorized_ratio < 1:
            raise ValueError(f"memorized_ratio must lie between 0 and 1; got {self.memorized_ratio:g}")
        if not isinstance(self.split_pair, bool):
            raise ValueError(f"split_pair must be True or False; got {self.split_pair!r}")
        if self.samples > self.generated:
            raise ValueError(f"samples to keep must be at most the {self.generated} generated; got {self.samples}")
        if not 0 <= self.renoise <= 1:
            raise ValueError(f"renoise is a share, from 0 to 1; got {self.renoise:g}")
        if self.renoise != 1 and all(one.method.traits.samples != RENOISED for one in self.students):
            raise ValueError(
                f"renoise is for students that jump to the first time and back up; got {self.renoise:g} and "
                f"{', '.join(str(one.method) for one in self.students)}: leave it out"
            )

    @property
    def integrated(self) -> bool:
        """Whether some student's flow is followed step by step."""
        return any(one.method.kind in INTEGRATED for one in self.students)

    @property
    def times(self) -> NDArray[np.float64]:
        """ε = t_0 < … < t_N = T, geometric unless given, (grid,)."""
        return np.array(self.path) if self.path is not None else time_grid(self.time_min, self.time_max, self.levels)

    def student_features(self, sizes: Sizes) -> int:
        """Number p of the student's features; ValueError where it rounds to none or its start needs the teacher's."""
        if self.student_features_per_dim is None:
            return sizes.features
        if not self.student_features_per_dim * sizes.dim < LARGEST:
            raise ValueError(
                f"student_features_per_dim times dim must stay below 2^53; got {self.student_features_per_dim:g}"
            )
        features = round(self.student_features_per_dim * sizes.dim)
        if features < 1:
            raise ValueError(
                f"student_features_per_dim {self.student_features_per_dim:g} rounds to no features at dim {sizes.dim}"
            )
        if features != sizes.features and any(student.start == "teacher" for student in self.students):
            raise ValueError(
                f"start 'teacher' needs the teacher's {sizes.features} features; the student has {features} of its "
                "own: use start zero"
            )
        return features

    def number_of_draws(self, features: int) -> int:
        """Draws per level for a student of so many features; ValueError for too few and too many."""
        draws = self.draws
        asked = draws.asked(features)
        if not asked <= MOST_DRAWS:
            raise ValueError(f"draws must be at most {MOST_DRAWS} per level; got {shown(str(draws))}")
        count = round(asked)
        if count < FEWEST * features:
            raise ValueError(
                f"draws {self.draws} are {count} for {features} features, and the regression would interpolate; take "
                f"{FEWEST}p = {FEWEST * features} or more"
            )
        return count

    def settings(self, draws: int) -> dict[str, Any]:
        """As stored with a result."""
        apart = ("students", "stochastic")
        kept = {f.name: plain(getattr(self, f.name)) for f in fields(self) if f.name not in apart}
        # left out, as before there were others
        usual = {"path": None, "renoise": 1.0, "memorized_ratio": RATIO, "split_pair": False}
        kept = {name: value for name, value in kept.items() if name not in usual or value != usual[name]}
        kept |= self.stochastic.settings if self.stochastic else {}
        return kept | {"draws": draws, "variants": [student.settings for student in self.students]}


def students(variants: Sequence[Mapping[str, Any]] | None, own_features: bool, **common: Any) -> tuple[Student, ...]:
    """One student per mapping of `variants`, each over what is `common` to all; one of the common settings for None.

    A start of None is the teacher where the student can start there, and zero elsewhere.
    """
    found = []
    for given in [{}] if variants is None else variants:
        for name in given:
            if name not in common:
                raise ValueError(f"a variant takes {', '.join(common)}; got {name!r}{nearest(str(name), list(common))}")
        chosen = {**common, **given}
        if chosen["start"] is None:
            chosen["method"] = read_method(chosen["method"])
            able = chosen["method"].traits.begins and chosen["parameterization"] == "ddim" and not own_features
            chosen["start"] = "teacher" if able else "zero"
        found.append(Student(**chosen))
    if not found:
        raise ValueError("variants must hold at least one student")
    return tuple(found)


def _require(name: str, value: str, accepted: Sequence[str]) -> None:
    if value not in accepted:
        raise ValueError(f"{name} must be one of {', '.join(accepted)}; got {value!r}{nearest(str(value), accepted)}")
