"""What distillation a student undergoes, as an object with its text, and what each method needs (equations.md §7).

Every one of them is the regression of `regression` (M0) with an anchor law, a form and a target of its own; `learners`
takes them through the levels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from rfsim.checking.scalars import whole
from rfsim.checking.text import nearest, number_or_nan
from rfsim.checking.written import Written, short

CONSISTENCY = "consistency"
INPUTS = ("offline", "noise-online", "population", "teacher-online", "prior")
MOST_MIXING = 1e6

MATCHING, SDS, IDENTITY = "matching", "sds", "identity"
INTEGRATED = (MATCHING, SDS, IDENTITY)  # their flow is not linear in the read-out (M11, M12)

RENOISED, JUMPING, SCORE, ONCE = "renoised", "jumping", "score", "once"


class Traits(NamedTuple):
    """What a method is like.

    about: one line; samples: how its students generate: `RENOISED`, jumps to ε with fresh noise between them (S23);
    `JUMPING`, jumps between levels without noise; `SCORE`, the teacher's sampler; `ONCE`, one jump. jumps: its form is
    a DDIM jump or a score, so that parameterization edm has none; begins: whether a student may begin at the teacher's
    weights; early: whether the early teacher has such students; draws: whether its moments are averages over draws,
    which half of them check; own: whether the student may have features of its own.
    """

    about: str
    samples: str
    jumps: bool = True
    begins: bool = True
    early: bool = True
    draws: bool = True
    own: bool = True


TRAITS = {
    CONSISTENCY: Traits("of each step of the teacher, by the level below (S23)", RENOISED, jumps=False),
    "consistency-training": Traits(
        "the same from data alone, without a teacher", RENOISED, jumps=False, begins=False, early=False, draws=False
    ),
    "segments": Traits("segments:S: consistency within S segments, sampled in S jumps", JUMPING),
    "progressive": Traits("two steps into one, and again, until one is left", JUMPING),
    "data-free": Traits("the teacher's trajectories from noise, one step at a time", ONCE),
    "endpoint": Traits("regression on the teacher's endpoints from noisy training points", ONCE, jumps=False),
    "endpoint-prior": Traits("the same from pure noise", ONCE, jumps=False),
    "two-time": Traits("jumps between all pairs of levels", JUMPING),
    "score": Traits("score:INPUTS: the teacher's score at each level", SCORE, begins=False),
    "self": Traits(
        "self[:XI]: the teacher mixed with its own student, ξ the best unless given", SCORE,
        begins=False, draws=False, own=False,
    ),
    "hard": Traits("a score trained on the teacher's samples", SCORE, begins=False, draws=False),
    MATCHING: Traits("a generator whose law is matched to the teacher's (DMD, VSD)", ONCE, early=False),
    SDS: Traits("the same without the score of its own law, a control", ONCE, early=False),
    IDENTITY: Traits("the same by the Fisher divergence (SiD)", ONCE, early=False),
    "random-teacher": Traits("consistency with a teacher at random, a null", RENOISED, jumps=False, early=False),
    "empirical-teacher": Traits(
        "consistency with the exact score of the training points as teacher", RENOISED,
        jumps=False, begins=False, early=False,
    ),
}  # fmt: skip
ACCEPTED = ", ".join({"segments": "segments:S", "score": "score:INPUTS", "self": "self[:XI]"}.get(k, k) for k in TRAITS)


@dataclass(frozen=True)
class DistillationMethod(Written):
    """A way to distill a teacher (§7).

    Attributes:
        kind: Its name.
        argument: S of segments, the inputs of a score, ξ of self; None where there is none.

    >>> str(DistillationMethod("segments", 4)), DistillationMethod("data-free").traits.samples
    ('segments:4', 'once')
    """

    kind: str = CONSISTENCY
    argument: int | float | str | None = None

    def __post_init__(self) -> None:
        kind, argument = self.kind, self.argument
        if kind not in TRAITS:
            raise ValueError(f"method must be one of {ACCEPTED}; got {str(self)!r}{nearest(str(kind), list(TRAITS))}")
        if kind == "segments":
            number = number_or_nan(argument) if isinstance(argument, str) else argument
            if number is None or not number >= 1 or number != int(number):
                raise ValueError(f"method segments:S takes a whole number S of segments, 1 or more; got {str(self)!r}")
            object.__setattr__(self, "argument", whole("segments", int(number), 1, 10**4))
        elif kind == "score":
            if argument not in INPUTS:
                hint = nearest(str(argument), INPUTS)
                raise ValueError(f"method score:INPUTS takes {', '.join(INPUTS)}; got {str(self)!r}{hint}")
        elif kind == "self" and argument is not None:
            mixing = number_or_nan(argument) if isinstance(argument, str) else float(argument)
            if not -MOST_MIXING <= mixing <= MOST_MIXING:
                raise ValueError(f"method self:XI takes a number ξ of at most {MOST_MIXING:g}; got {str(self)!r}")
            object.__setattr__(self, "argument", mixing)
        elif argument is not None:
            raise ValueError(f"method {kind} takes no {argument!r} behind a colon; got {str(self)!r}")

    @property
    def form(self) -> str:
        """As it is written."""
        told = self.argument if isinstance(self.argument, str) else short(self.argument or 0.0)
        return self.kind if self.argument is None else f"{self.kind}:{told}"

    @property
    def traits(self) -> Traits:
        """What it is like."""
        return TRAITS[self.kind]

    def evaluations(self, levels: int) -> int:
        """Evaluations of the network for a sample of the method's own (M1–M10).

        Args:
            levels: N.

        Returns:
            1, S of segments, N of a score.
        """
        if self.kind == "segments":
            assert isinstance(self.argument, int)  # checked where it was set
            return self.argument
        return levels if self.traits.samples == SCORE else 1

    def undefined(self) -> dict[str, str]:
        """Measures that students of this method do not have, and why."""
        found, samples = {}, self.traits.samples
        if samples == ONCE:
            found["student_steps"] = f"students of {self.kind} jump once, from the last level"
            found["levels"] = f"students of {self.kind} have weights at the last level alone"
        if samples == JUMPING and self.kind != "two-time":
            found["student_steps"] = f"students of {self} take the steps that they learned, and no others"
        if not self.traits.draws:
            found["half"] = f"moments of {self.kind} are no averages over draws"
        elif self.argument == "offline":
            found["half"] = "inputs of score:offline are frozen: half of them are other inputs"
        if not self.traits.early:
            found["early_student"] = f"students of {self.kind} have no early teacher"
        return found

    def has_half(self) -> bool:
        """Whether half of the draws make another such student."""
        return "half" not in self.undefined()


def read_method(given: str | DistillationMethod) -> DistillationMethod:
    """The method that a text names, or one as it is; ValueError, in one line, for what is neither.

    >>> read_method("score:prior").argument
    'prior'
    """
    if isinstance(given, DistillationMethod):
        return given
    kind, colon, argument = str(given).partition(":")
    if not colon and kind in TRAITS:
        return DistillationMethod(kind)
    return DistillationMethod.of(str(given), kind, argument if colon else None)


def require_fitting(
    method: DistillationMethod,
    *,
    levels: int,
    distill_data: str,
    own_features: bool,
    noise_copies: float,
    sampler: str,
    kinks: bool,
    latest: float,
) -> None:
    """ValueError, in one line, for a method that needs other data, features, noise, times or another activation."""
    told, inputs = f"method {method}", method.argument if method.kind == "score" else None
    if method.evaluations(levels) > levels:
        raise ValueError(f"{told} needs as many levels; got {levels}: take more levels or fewer segments")
    if method.traits.samples == SCORE and sampler == "heun":
        raise ValueError(f"{told} learns no score at ε, which Heun's last step looks at: use sampler ddim")
    if own_features and not method.traits.own:
        raise ValueError(f"{told} mixes the teacher's own weights; drop student_features_per_dim")
    if method.kind in ("consistency-training", "self") and distill_data != "train":
        raise ValueError(
            f"{told} averages over the training points exactly; got distill_data {distill_data}: use train"
        )
    own = inputs is not None or method.kind in ("hard", "data-free", "endpoint-prior", *INTEGRATED)
    if own and distill_data != "train":
        raise ValueError(f"{told} has inputs of its own; got distill_data {distill_data}: drop it")
    if method.kind == "consistency-training" and math.isfinite(noise_copies):
        raise ValueError(f"{told} averages over fresh noise; got noise_copies {noise_copies:g}: use inf")
    if method.kind in ("consistency-training", IDENTITY) and kinks:
        raise ValueError(f"{told} needs an activation without kinks; take tanh, erf, softplus, gelu or silu")
    if method.kind in INTEGRATED and latest == math.inf:
        raise ValueError(f"{told} is integrated step by step; got distill_times up to inf: take finite ones")
    if inputs == "offline" and not math.isfinite(noise_copies):
        raise ValueError(f"{told} needs frozen noise; got noise_copies inf: give a number, or use score:noise-online")
