"""The limit at every level of what is generated, and how long the teachers there train (equations.md W1, W3, W6)."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.checking.text import number_or_nan, shown
from rfsim.learning.losses import score_error
from rfsim.limit.generation import best_time, population_losses, score_factor
from rfsim.limit.limits import Limit, limit
from rfsim.problem.activations import mean_slopes
from rfsim.problem.diffusion import total_variance
from rfsim.theory.run import LimitRun

FLAT = 1e-6  # a deviation of samples that counts as none
THETA = "theta:"
EXAMPLE = "theta:0.001=1.2,3=100"


class Theta(NamedTuple):
    """A schedule in LV26's training time θ = 2Δa²τ: ln θ linear in the diffusion time between what is given.

    Attributes:
        times: Diffusion times, ascending, (times,); beyond them θ stays as it is at the ends.
        values: θ there, (times,).
    """

    times: tuple[float, ...]
    values: tuple[float, ...]

    def train_time(self, level: Limit, t: float) -> float:
        """τ of a level, inf where nothing linear is learned.

        Args:
            level: What the equations depend on there.
            t: Its diffusion time.

        Returns:
            τ = θ(t)/(2Δa²).
        """
        theta = math.exp(np.interp(t, self.times, np.log(self.values)))
        return theta / (2 * level.noise * level.gain) if level.gain else math.inf


def read_schedule(text: str) -> str | Theta:
    """The training times over levels that a text names.

    Args:
        text: constant, best, `theta:VALUE` or `theta:TIME=VALUE,…`.

    Returns:
        The schedule; "constant" and "best" are texts.

    Raises:
        ValueError: In one line, for another text.

    >>> read_schedule("theta:0.001=1.2,3=100")
    Theta(times=(0.001, 3.0), values=(1.2, 100.0))
    """
    if text in ("constant", "best"):
        return text
    if text.startswith(THETA):
        items = [item.rpartition("=") for item in text.removeprefix(THETA).split(",")]
        if len(items) == 1 and not items[0][1]:  # one θ at all levels
            items = [("1", "=", items[0][2])]
        times, values = (tuple(number_or_nan(item[k]) for item in items) for k in (0, 2))
        rising = all(early < late for early, late in pairwise(times))
        if rising and all(0 < one < math.inf for one in times + values):
            return Theta(times, values)
    raise ValueError(
        "train_schedule must be constant, best, or theta:VALUE or theta:TIME=VALUE,… with positive numbers and rising "
        f"diffusion times, as {EXAMPLE}; got {shown(text)}"
    )


class Ladder:
    """The limit at every diffusion time that is asked for, and the teachers there; each is made once."""

    def __init__(self, run: LimitRun, ridge: float, schedule: str | Theta, train_times: NDArray[np.float64]) -> None:
        """train_times: Of the schedule "constant"."""
        self.run, self.ridge, self.schedule, self.train_times = run, ridge, schedule, train_times
        self.limits: dict[float, Limit] = {}
        self.times: dict[float, NDArray[np.float64]] = {}

    def limit(self, t: float) -> Limit:
        """At a diffusion time."""
        t = float(t)
        if t not in self.limits:
            there = replace(self.run.problem, diffusion_time=t)
            self.limits[t] = limit(there, self.run.population, wide=True)
        return self.limits[t]

    def teachers(self, t: float) -> NDArray[np.float64]:
        """Their training times at a diffusion time, (times,)."""
        t = float(t)
        if self.schedule == "constant":
            return self.train_times
        if t not in self.times:
            level = self.limit(t)
            chosen = self.schedule.train_time(level, t) if isinstance(self.schedule, Theta) else None
            self.times[t] = np.array([best_time(level, self.ridge) if chosen is None else chosen])
        return self.times[t]

    def score(self, t: float, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """w_t(λ), (times, points)."""
        return score_factor(self.limit(t), points, self.teachers(t), self.ridge)

    def score_error(self, t: float) -> NDArray[np.float64]:
        """E_score of the teachers at a diffusion time, (times,)."""
        level = self.limit(t)
        power = float(level.weights @ (1 / (level.signal * level.values + level.noise)))
        return np.asarray(score_error(population_losses(level, self.teachers(t), self.ridge), level.noise, power))

    def read(self, t: float, variance: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """How features read samples of a variance Λ (times, points): l = a(Γ_y)/a(Γ), (times, 1)."""
        own = math.sqrt(total_variance(self.run.population.power, t))
        # a sample that is 0 is read by the slope at 0
        there = np.maximum(np.sqrt(variance @ weights), FLAT)
        slopes = mean_slopes(self.run.problem.activation, np.append(there, own))
        return (slopes[:-1] / slopes[-1] if slopes[-1] else np.ones_like(there))[:, None]
