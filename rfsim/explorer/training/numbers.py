"""What the library says of a choice, and the tables that show it."""

from __future__ import annotations

import math
from typing import NamedTuple, SupportsFloat

import numpy as np
import xarray as xr

from rfsim import theory
from rfsim.checking.text import number
from rfsim.explorer.cache import ResultCache
from rfsim.explorer.parts import Table, Value
from rfsim.explorer.reading import short
from rfsim.explorer.training.controls import FIRST, LAST, TRAIN_TIMES, TrainingChoice
from rfsim.learning.filters import learned_share, learning_rate_constant
from rfsim.problem.diffusion import noise_variance
from rfsim.problem.model import Problem

HELD = 64  # problems kept for all sessions together
# of the losses on the contour, where the nodes are doubled until it is met: what is then left is a hundredth of it, and
# five digits are shown; at the library's 1e-8 a redraw solves half as long again
TOLERANCE = 1e-6
STEPS = np.array([number(text) for text in TRAIN_TIMES])
# the drawn times but for 0 and ∞ as --train-times takes them: as many, evenly spaced on a logarithmic axis
COUNT = len(TRAIN_TIMES) - 2
RANGE = f"{short(10.0**FIRST)}:{short(10.0**LAST)}:{COUNT}"
LOSSES = {
    "train": "L_train",
    "test": "L_test",
    "gen": "L_gen = L_test − L_train",
    "score": "E_score",
    "bias2": "bias²",
    "variance": "variance",
    "emp": "L_emp, fresh noise",
    "train_penalized": "L_train + penalty",
}
TIMES = {
    ("tau_gen", "formula"): "τ_gen, mean of gen by formula",
    ("tau_gen", "spectrum"): "τ_gen, mean of gen",
    ("tau_gen", "curve"): "τ_gen, L_test within 1% of its lowest",
    ("tau_mem", "formula"): "τ_mem, B25's formula",
    ("tau_mem", "main"): "τ_mem, lower edge of main",
    ("tau_mem", "mini"): "τ_mini, median of mini",
    ("tau_mem", "edge"): "τ_mem, lowest edge above the atom",
    ("tau_mem", "curve"): "τ_mem, L_gen at half its final value",
}


def in_range(train_time: float) -> bool:
    """Whether RANGE, with ∞ after it, holds a training time but for rounding."""
    return math.isinf(train_time) or bool(np.isclose(np.geomspace(10.0**FIRST, 10.0**LAST, COUNT), train_time).any())


class TrainingNumbers(NamedTuple):
    """Everything the tab shows of a choice: curves at all steps and at the choice's own training time."""

    choice: TrainingChoice
    curves: xr.Dataset

    @property
    def kappa(self) -> float:
        """κ = 2Δ/ψ_p."""
        problem = self.choice.problem
        return learning_rate_constant(noise_variance(problem.diffusion_time), problem.features_per_dim)

    @property
    def names(self) -> list[str]:
        """Of the parts."""
        return [str(name) for name in self.curves.part.values]

    @property
    def part_times(self) -> np.ndarray:
        """1/(κ(λ+γ)) at each part's mean λ: the training time after which e^{−1} of it is left to learn."""
        with np.errstate(divide="ignore"):  # a zero eigenvalue is never learned
            return 1 / (self.kappa * (self.curves["mean"].values + self.choice.problem.ridge))

    def share(self, eigenvalues: np.ndarray, train_time: float) -> np.ndarray:
        """The share of each direction that is learned at a training time."""
        return learned_share(eigenvalues, train_time, self.kappa, self.choice.problem.ridge)


def _solved(key: tuple[Problem, tuple[float, ...]]) -> xr.Dataset:
    problem, typed = key
    return theory.curves(problem, np.concatenate([STEPS, typed]), tolerance=TOLERANCE)


SOLVED = ResultCache(_solved, HELD)


def shown(choice: TrainingChoice) -> TrainingNumbers:
    """What is shown of a choice; raises what `theory.curves` raises."""
    typed = () if choice.train_time in STEPS else (choice.train_time,)
    return TrainingNumbers(choice, SOLVED.get((choice.problem, typed)))


def shared(choice: TrainingChoice) -> TrainingChoice:
    """The choice at the first step, where one solve and one figure serve both; itself at a time that is no step."""
    return choice._replace(train_time=float(STEPS[0])) if choice.train_time in STEPS else choice


def value(number: SupportsFloat) -> Value:
    """A number to five digits; a dash where there is none."""
    exact = float(number)
    if math.isnan(exact):
        return Value("—")
    return Value("∞" if math.isinf(exact) else f"{exact:.5g}", exact)


def tables(shown: TrainingNumbers) -> tuple[Table, ...]:
    """Parts, losses, timescales and constants."""
    return _parts(shown), _losses(shown), _timescales(shown), _constants(shown)


def _parts(shown: TrainingNumbers) -> Table:
    data = shown.curves
    columns = (
        data.mass.values,
        data.lower.values,
        data.upper.values,
        data["mean"].values,
        shown.part_times,
        shown.share(data["mean"].values, shown.choice.train_time),
    )
    rows = {name: tuple(map(value, row)) for name, *row in zip(shown.names, *columns, strict=True)}
    return Table(
        "parts",
        "Parts of the spectrum: share of the features, eigenvalues λ, e-folding time 1/(κ(λ+γ)) of the mean λ, and "
        "how much of a direction of that λ is learned",
        ("part", "mass", "lowest λ", "highest λ", "mean λ", "time", "learned"),
        ("mass", "lower", "upper", "mean", "time", "learned"),
        rows,
    )


def _losses(shown: TrainingNumbers) -> Table:
    tau = shown.choice.train_time
    now, end = (shown.curves.sel(train_time=at) for at in (tau, math.inf))
    rows = {name: (value(now[name]), value(end[name])) for name in LOSSES}
    rows = {LOSSES[name]: row for name, row in rows.items() if any(one.number is not None for one in row)}
    return Table(
        "losses", "Losses per dimension", ("loss", f"at τ = {value(tau).text}", "at τ = ∞"), ("now", "end"), rows
    )


def _timescales(shown: TrainingNumbers) -> Table:
    found = {
        words: shown.curves[name].sel({f"{name.removeprefix('tau_')}_route": route})
        for (name, route), words in TIMES.items()
    }
    rows = {words: (value(at),) for words, at in found.items()}
    return Table("timescales", "Training times at which it happens", ("what", "τ"), ("train_time",), rows)


def _constants(shown: TrainingNumbers) -> Table:
    data, t = shown.curves, shown.choice.problem.diffusion_time
    rows = {
        "a": (value(data.a),),
        "b": (value(data.b),),
        "v²": (value(data.v2),),
        "s²": (value(data.s2),),
        "Δ": (value(noise_variance(t)),),
        "κ": (value(shown.kappa),),
    }
    return Table(
        "constants",
        "Constants of σ (T9), noise variance Δ and rate κ = 2Δ/ψ_p",
        ("constant", "value"),
        ("value",),
        rows,
    )
