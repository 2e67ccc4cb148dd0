"""`rfsim distill`: consistency distillation of a teacher, on the flags of a sampled problem less its diffusion time."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

from cyclopts import Parameter

from rfsim.cli.compute import Views, compute
from rfsim.cli.flags import (
    LISTED,
    FigureFlags,
    OutputFlags,
    SampleFlags,
    from_two,
    listed,
    number,
    numbers,
    read_as,
    text_flag,
    times,
)

Form = Literal["ddim", "edm"]
Start = Literal["teacher", "zero"]
Solver = Literal["ddim", "euler", "heun"]
Sampler = Literal["ddim", "euler", "heun", "sde"]
Points = Literal["train", "fresh", "teacher"]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class DistillFlags:
    """Teacher, student and what is measured; names are those of `rfsim.distill`."""

    distill_times: Annotated[
        tuple[float, ...], read_as(times, f"Distillation times τ_S, {LISTED}.", show_default=listed)
    ] = (10.0, 1e3, 1e5)
    levels: Annotated[int, read_as(from_two, "Levels N of the grid of diffusion times.")] = 20
    time_min: Annotated[float, read_as(number, "First diffusion time ε.")] = 0.02
    time_max: Annotated[float, read_as(number, "Last diffusion time T.")] = 3.0
    teacher_time: Annotated[float, read_as(number, "Training time of the teacher; inf is one.")] = 1e8
    teacher_ridge: Annotated[float, read_as(number, "Ridge of the teacher; --ridge is the student's.")] = 0.0
    trainer: Annotated[str, text_flag("Of the teacher: flow, descent:STEP or distillation:TAU.")] = "flow"
    early_teacher_time: Annotated[
        float | None, read_as(number, "Training time of the control that does not memorize; chosen unless given.")
    ] = None
    parameterization: Annotated[Form, text_flag("Form of the consistency function.")] = "ddim"
    start: Annotated[
        Start | None, text_flag("The student's first weights; the teacher's, or zero where it cannot take them.")
    ] = None
    target: Annotated[str, text_flag("sequential, or coupled:TAU, a moving average over TAU.")] = "sequential"
    solver: Annotated[Solver, text_flag("The teacher's steps in the target.")] = "ddim"
    sampler: Annotated[Sampler | None, text_flag("The teacher's steps in sampling; those of --solver.")] = None
    student_features_per_dim: Annotated[
        float | None, read_as(number, "Width of a student with features of its own; the teacher's unless given.")
    ] = None
    distill_data: Annotated[Points, text_flag("Clean points of distillation.")] = "train"
    draws: Annotated[str, read_as(str, "Noise draws per level: a number, or a multiple of p.")] = "20p"
    leakage_ridges: Annotated[
        tuple[float, ...], read_as(numbers, f"Ridges of the leakage, {LISTED}.", show_default=listed)
    ] = (0.0, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
    threshold: Annotated[float, read_as(number, "Leakage below which a ridge is enough.")] = 0.01
    generated: Annotated[int, read_as(from_two, "Samples generated of each model.")] = 2000


SAMPLE, DISTILL, OUTPUT, FIGURE = SampleFlags(), DistillFlags(), OutputFlags(), FigureFlags()


def distill(
    *,
    problem: SampleFlags = SAMPLE,
    distillation: DistillFlags = DISTILL,
    output: OutputFlags = OUTPUT,
    figure: FigureFlags = FIGURE,
) -> int:
    """Consistency distillation: samples, energies and leakage."""
    from rfsim.cli import distill_answers as answers
    from rfsim.distillation import front

    options = dataclasses.asdict(distillation)
    options["early_time"] = options.pop("early_teacher_time")
    return compute(
        "distill",
        partial(front.distill, **options),
        Views(answers.answer, answers.lines, answers.failed_parts),
        (problem, output, figure),
    )
