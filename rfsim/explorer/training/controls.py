"""The controls of the first tab, their steps, and the choice that their texts stand for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rfsim.checking.text import number
from rfsim.explorer import reading
from rfsim.explorer.parts import Control, Refused, Texts
from rfsim.problem.activations import ACTIVATIONS
from rfsim.problem.model import Problem, times

EARLIEST = 1e-12
RATIOS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)  # from one power of ten, or of eight, to the next
TIMES = (1.0, 1.3, 1.8, 2.4, 3.2, 4.2, 5.6, 7.5)


class TrainingChoice(NamedTuple):
    """What the tab shows: a problem in the limit, and a training time τ."""

    problem: Problem
    train_time: float


def _decades(first: int, last: int, mantissas: Sequence[float]) -> tuple[str, ...]:
    """The mantissas in each power of ten from `first`, and 10^last."""
    return (*(reading.short(m * 10.0**k) for k in range(first, last) for m in mantissas), reading.short(10.0**last))


def _eights(first: int, last: int) -> tuple[str, ...]:
    return (*(reading.short(m * 8.0**k) for k in range(first, last) for m in RATIOS), reading.short(8.0**last))


FIRST, LAST = -1, 9  # powers of ten of the training times that are drawn
TRAIN_TIMES = ("0", *_decades(FIRST, LAST, TIMES), "inf")
CONTROLS = (
    Control(
        "samples_per_dim",
        "samples per dimension, ψ_n",
        "8",
        steps=_eights(-1, 3),
        about="ψ_n = n/d: training samples over the data's dimension.",
    ),
    Control(
        "features_per_dim",
        "features per dimension, ψ_p",
        "64",
        steps=_eights(-1, 3),
        about="ψ_p = p/d: random features over the data's dimension.",
    ),
    Control(
        "diffusion_time",
        "diffusion time, t",
        "0.01",
        steps=(*_decades(-3, 0, (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)), "1.5", "2", "3"),
        about="x_t = e^(−t) x + √(1 − e^(−2t)) ξ: how far the data are noised, without a unit.",
    ),
    Control(
        "noise_copies",
        "noise copies per sample, m",
        "inf",
        steps=("1", "2", "3", "4", "6", "8", "12", "16", "24", "32", "48", "64", "128", "inf"),
        about="Frozen draws of the noise for each sample; inf averages over the noise.",
    ),
    Control(
        "ridge",
        "ridge, γ",
        "0",
        steps=("0", *_decades(-5, 1, (1.0, 2.0, 5.0))),
        about="Weight decay, in units of the eigenvalues λ.",
    ),
    Control(
        "data",
        "data covariance, Σ",
        "isotropic",
        suggestions=("isotropic", "isotropic:4", "atoms:0.5@0.5,0.5@1.5", "powerlaw:1", "subspace:0.3"),
        about=f"One of {reading.FORMS}.",
    ),
    Control(
        "activation",
        "activation, σ",
        "tanh",
        options=tuple(ACTIVATIONS),
        about="The features' nonlinearity, centered where it needs to be.",
    ),
    Control(
        "train_time",
        "training time, τ",
        "1000",
        steps=TRAIN_TIMES,
        about="Steps × learning rate/d²: direction λ is learned at the rate 2Δ(λ + γ)/ψ_p.",
    ),
)
PROBLEM = tuple(control.name for control in CONTROLS if control.name in reading.FIELDS)


def read(texts: Texts) -> TrainingChoice:
    """The choice that texts stand for; Refused, with all that is wrong at once."""
    problem, messages = reading.problem(texts, PROBLEM)
    train_time = 0.0
    try:
        train_time = float(times(number(texts.get("train_time", "").strip()), "train_time")[0])
        if 0 < train_time < EARLIEST:  # the axis of the losses begins at the earliest time of all
            raise ValueError(f"train_time must be 0 or at least {EARLIEST:g} on this page; got {train_time:g}")
    except ValueError as error:
        messages["train_time"] = reading.blamed("train_time", str(error))
    if messages:
        raise Refused(messages)
    return TrainingChoice(problem, train_time)
