"""The questions of `rfsim.advise`, each with its value, its error, and what computes it again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from rfsim import theory
from rfsim.learning.clocks import largest_stable_rate, step_time
from rfsim.limit.landmarks import ACCURACY, WITHIN, enough_samples
from rfsim.problem.diffusion import noise_variance
from rfsim.problem.model import Problem
from rfsim.sampled.advice.compared import GRID, TIMES, Compared, Setting
from rfsim.theory.run import LimitRun

DIGITS = 2  # of a rate that nobody gave


class Answer(NamedTuple):
    """One answer.

    Attributes:
        question: In words.
        value: NaN where there is none.
        error: Of the same unit, NaN where it is not known.
        quantity: That gives the value, as a sweep names it.
        given: Its parameters by name, those of the problem among them.
        reads: Where the value stands in its `--json`.
    """

    question: str
    value: float
    error: float
    quantity: str
    given: Mapping[str, Any]
    reads: str

    @property
    def told(self) -> dict[str, Any]:
        """What is not a number of it."""
        return {
            "question": self.question,
            "quantity": self.quantity,
            "given": dict(self.given),
            "reads": self.reads,
        }


def answers(found: Compared, setting: Setting, rate: float | None) -> list[Answer]:
    """All questions at one diffusion time.

    Args:
        found: The limit and the samples.
        setting: The data.
        rate: η of the optimizer, None for one by the limit.

    Returns:
        The answers, always of the same questions.
    """
    return [*_times(found, setting, rate), *_ridge(found, setting), *_samples(found, setting), _trust(found, setting)]


def _times(found: Compared, setting: Setting, rate: float | None) -> list[Answer]:
    """When it generalizes and memorizes, when to stop, in training time and in steps, and what that leaves."""
    curves, check, sample = found.limit.curves, found.check.curves, found.samples[0]
    limit = {**_limit(found.problem, setting), "train_times": TIMES}
    told = []
    for question, name, route in (
        ("When does it generalize? (training time)", "tau_gen", "gen_route"),
        ("When does it memorize? (training time)", "tau_mem", "mem_route"),
    ):
        way = "curve" if np.isfinite(float(curves[name].sel({route: "curve"}))) else "formula"
        value, at_size = (float(one[name].sel({route: way})) for one in (curves, check))
        error = value * _relative(_mean(sample[name].sel({route: way})), at_size)
        told.append(Answer(question, value, error, "theory.curves", limit, f"{name}.{way}"))
    test, apart = curves.test.values, check.test.values
    stop, stop_there = _lowest(test), _lowest(apart)
    stop_sample = _lowest(_mean_over_seeds(sample.test))
    at = float(GRID[stop])
    # known to a step of the grid at best
    spread = max(abs(math.log(GRID[stop_sample] / GRID[stop_there])), math.log(GRID[1] / GRID[0]))
    told.append(
        Answer(
            "When to stop? (training time)",
            at,
            at * math.expm1(spread),
            "theory.curves",
            limit,
            "train_time of the lowest test",
        )
    )
    off = abs(float(_mean_over_seeds(sample.test)[stop_there]) - float(apart[stop_there]))
    own = {**_limit(found.problem, setting), "train_times": at}
    told.append(Answer("What does stopping leave? (L_test)", float(test[stop]), off, "theory.curves", own, "test[0]"))
    eta, p = _rate(found, rate), round(found.problem.features_per_dim * found.dim)
    step = step_time(eta, found.dim)
    descent = {**_sample(found.problem, setting), "p": p, "rate": eta, "exact": False}
    if setting.array is None:
        descent |= {"dim": found.dim, "n": round(found.problem.samples_per_dim * found.dim)}
    else:
        descent["n"] = found.size.samples  # a step is one time for any number of samples
    for what, tau, error in (
        ("stop", at, told[2].error),
        ("memorize", told[1].value, told[1].error),
    ):
        steps = max(1, round(tau / step)) if math.isfinite(tau) else math.nan
        words = f"After how many steps of sgd at rate {eta:g} does it memorize?"
        if what == "stop":
            words = f"After how many steps of sgd at rate {eta:g} to stop?"
        given = {**descent, "steps": int(steps)} if math.isfinite(steps) else descent
        told.append(Answer(words, steps, error / step, "simulate", given, f"step at train_time {tau:.6g}"))
    return told


def _ridge(found: Compared, setting: Setting) -> list[Answer]:
    """The best ridge, and what it leaves of a training to the end."""
    best, left = float(found.limit.ridge.best_ridge), float(found.limit.ridge.best_test)
    error = off = math.nan
    if found.ridges.size:
        end = np.array([float(_mean_over_seeds(one.test)[-1]) for one in found.samples[1:]])
        error = best * _relative(_bottom(found.ridges, end), float(found.check.ridge.best_ridge))
        off = abs(float(end[len(end) // 2]) - float(found.check.ridge.best_test))
    given = _limit(found.problem, setting)
    given.pop("ridge", None)
    told = [Answer("Which ridge is best?", best, error, "theory.ridge", given, "best_ridge")]
    # γ = 0 may have no limit of its own, and the zero score is no ridge
    own = {**given, "ridges": best} if 0 < best < math.inf else given
    told.append(Answer("What does it leave? (L_test)", left, off, "theory.ridge", own, "test[0]"))
    return told


def _samples(found: Compared, setting: Setting) -> list[Answer]:
    """How many samples are enough, and where memorizing goes."""
    run = LimitRun(found.problem, **setting.data)
    enough = enough_samples(run.limit, float(found.problem.ridge))
    value = math.nan if enough is None else enough
    given = {**_limit(found.problem, setting), "train_times": TIMES}
    given |= {} if enough is None else {"samples_per_dim": value}
    reads = f"the last test is {WITHIN:.0%} above the lowest"
    words = "How many samples for each dimension are enough, so that stopping gains nothing?"
    told = [Answer(words, value, ACCURACY * value, "theory.curves", given, reads)]
    name, cost, error = _memorizing(found.problem, setting)
    own = {**_limit(found.problem, setting), "train_times": math.inf, "by_part": True}
    words = f"How much of L_test at the end do the memorizing directions cost ({name or 'there are none'})?"
    reads = f"test[0] - without.{name}.test[0]"
    return [*told, Answer(words, cost, error, "theory.curves", own, reads)]


def _memorizing(problem: Problem, setting: Setting) -> tuple[str, float, float]:
    """The part that memorizes, what it costs at the end and the error of that; NaN where parts are not told apart."""
    try:
        end = theory.curves(problem, [math.inf], by_part=True, **setting.data)
    except ValueError:  # of frozen noise eigenvalues reach down to 0; all else was refused before
        return "", math.nan, math.nan
    # mini by itself, or with what no gap separates from it
    name = next((str(one) for one in end.part.values if "mini" in str(one)), "")
    without = float(end.test_without.sel(part=name)[0]) if name else math.nan
    return name, float(end.test[0]) - without, float(end.part_error[0])


def _trust(found: Compared, setting: Setting) -> Answer:
    """By how much L_test of samples differs from the limit at their size, at worst over training times."""
    test = found.samples[0].test
    mean, limit = _mean_over_seeds(test), found.check.curves.test.values
    off = np.abs(mean / limit - 1)
    at = int(np.nanargmax(off))
    error = math.nan
    if test.sizes["seed"] > 1:
        error = float(test.values[:, at].std(ddof=1)) / math.sqrt(test.sizes["seed"]) / float(limit[at])
    size, drawn = found.size, setting.drawn
    given = {**_sample(found.problem, setting), "n": size.samples, "p": size.features, "train_times": TIMES}
    given |= {"seed": drawn.seed, "seeds": drawn.seeds} | ({} if setting.array is not None else {"dim": size.dim})
    words = f"How far is L_test of samples ({size.samples} of {size.dim} dimensions) from the limit, at worst?"
    reads = f"test at train_time {GRID[at]:.6g} over {limit[at]:.12g} of the limit, less 1"
    return Answer(words, float(off[at]), error, "train", given, reads)


def _limit(problem: Problem, setting: Setting) -> dict[str, Any]:
    """Settings of a quantity of the limit."""
    told = problem.settings | setting.told
    return told | ({} if setting.covariance == "sample" else {"covariance": setting.covariance})


def _sample(problem: Problem, setting: Setting) -> dict[str, Any]:
    """Settings of a sampled quantity, whose numbers of samples and features stand beside them."""
    told = problem.settings | setting.told
    return {name: value for name, value in told.items() if name not in ("samples_per_dim", "features_per_dim")}


def _rate(found: Compared, rate: float | None) -> float:
    """η as given, or half of the largest stable one by the limit's largest eigenvalue."""
    if rate is not None:
        return rate
    problem, dim = found.problem, found.dim
    largest, delta = float(found.limit.curves.upper.max()), noise_variance(problem.diffusion_time)
    p = round(problem.features_per_dim * dim)
    return float(f"{largest_stable_rate(largest, problem.ridge, delta, p, dim) / 2:.{DIGITS}g}")


def _relative(value: float, other: float) -> float:
    return abs(value / other - 1) if other else math.nan


def _bottom(ridges: np.ndarray, test: np.ndarray) -> float:
    """Where a parabola through the lowest of some losses and its neighbors, over log γ, is lowest."""
    at = int(np.argmin(test))
    if not 0 < at < len(test) - 1:
        return float(ridges[at])
    before, here, after = test[at - 1 : at + 2]
    shift = (before - after) / (2 * (before - 2 * here + after))
    return float(ridges[at] * (ridges[at + 1] / ridges[at]) ** shift)


def _lowest(test: np.ndarray) -> int:
    return int(np.nanargmin(test))


def _mean(values: xr.DataArray) -> float:
    return float(values.mean("seed", skipna=False))


def _mean_over_seeds(values: xr.DataArray) -> np.ndarray:
    return values.mean("seed").values
