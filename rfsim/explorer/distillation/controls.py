"""The controls of the second tab, and the choice that their texts stand for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rfsim.checking.text import number, shown
from rfsim.distillation.plan import Student
from rfsim.explorer.distillation.systems import (
    CROSSED_OPTIONS,
    DISTILL_TIMES,
    PARAMETERIZATIONS,
    RIDGES,
    SAMPLES,
    TEACHER_TIMES,
    DistillationChoice,
)
from rfsim.explorer.parts import Control, Refused, Texts
from rfsim.explorer.reading import short
from rfsim.problem.model import times

LEVELS = tuple(range(2, CROSSED_OPTIONS["levels"] + 1))


def _texts(values: Sequence[float]) -> tuple[str, ...]:
    return tuple(map(short, values))


CONTROLS = (
    Control(
        "ridge",
        "ridge of the student, γ",
        "0.5",
        steps=_texts(RIDGES),
        about="What is added to every eigenvalue when the student is distilled; no unit.",
    ),
    Control(
        "distill_time",
        "distillation time, τ_S",
        "1e4",
        steps=_texts(DISTILL_TIMES),
        about="How long the student is distilled, in units of gradient flow.",
    ),
    Control(
        "samples",
        "training points in the plane, n",
        "20",
        options=tuple(map(str, SAMPLES)),
        about="How many points the teacher of the plane has learned from; a count.",
    ),
    Control(
        "teacher_time",
        "training time of the teacher, τ",
        "1e8",
        options=_texts(TEACHER_TIMES),
        about="How long the teacher was trained, in units of gradient flow: late teachers memorize.",
    ),
    Control(
        "parameterization",
        "form of the student",
        "ddim",
        options=PARAMETERIZATIONS,
        about="ddim starts from the teacher's weights, edm from zero.",
    ),
    Control(
        "level",
        "level at which the transfer arrives",
        "2",
        options=tuple(map(str, LEVELS)),
        about="Which step of the grid of diffusion times the transfer between parts is shown for; 1 is the lowest.",
    ),
)
START = {control.name: control.start for control in CONTROLS}
ACCEPTED: dict[str, Sequence[Any]] = {
    "ridge": RIDGES,
    "distill_time": DISTILL_TIMES,
    "samples": SAMPLES,
    "teacher_time": TEACHER_TIMES,
    "parameterization": PARAMETERIZATIONS,
    "level": LEVELS,
}


def read(texts: Texts) -> DistillationChoice:
    """The choice that texts stand for; Refused with all that is wrong at once."""
    values: dict[str, Any] = {}
    messages: dict[str, str] = {}
    for name in ACCEPTED:
        try:
            values[name] = _one_of(name, texts.get(name, "").strip())
        except ValueError as error:
            messages[name] = str(error)
    if messages:
        raise Refused(messages)
    return DistillationChoice(**values)


def _one_of(name: str, text: str) -> Any:
    """The accepted value that the text stands for, or ValueError: the library's own, or what is accepted here."""
    accepted = ACCEPTED[name]
    if isinstance(accepted[0], str):
        if text not in accepted:
            raise ValueError(f"{name} must be one of {', '.join(accepted)}; got {shown(text)}")
        return text
    try:
        value = number(text)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None
    CHECKS.get(name, float)(value)
    for one in accepted:
        if one == value:
            return one
    raise ValueError(
        f"{name} must be one of {', '.join(map(short, accepted))} on this page; got {value:g}: rfsim distill computes "
        "others"
    )


CHECKS: dict[str, Callable[[float], Any]] = {
    "ridge": lambda value: Student(ridge=value),
    "distill_time": lambda value: times([value], "distill_time"),
}
