"""Claims and verdicts: words, source, published value, and the rule that maps stored data to a verdict.

Below them, what several rules measure on stored results alike. Nothing here computes physics.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from rfsim.disk import store

Verdict = Literal["reproduced", "not reproduced", "cannot be decided"]
Results = Mapping[str, xr.Dataset]  # cell label → stored result
LIMIT = "limit-"  # what labels of d → ∞ cells begin with


class Judgment(NamedTuple):
    """What a rule found.

    Attributes:
        ours: Our value in words.
        error: Its error bar, where there is one.
        verdict: Of the claim.
    """

    ours: str
    error: float | None
    verdict: Verdict


@dataclass(frozen=True)
class Claim:
    """One claim of a paper, or of ours, and how it is decided.

    Attributes:
        id: Names it.
        claim: In words.
        source: Paper and place.
        published: The published value with the tolerance that the rule applies, in words.
        rule: Stored results → Judgment; it reads data and computes no physics.
        by_errors: Whether it decides by standard errors over seeds, so that one seed alone says nothing.
    """

    id: str
    claim: str
    source: str
    published: str
    rule: Callable[[Results], Judgment]
    by_errors: bool = False


class Row(NamedTuple):
    """A judged claim.

    Attributes:
        claim: What was claimed.
        judgment: What was found.
        command: Redoes it.
    """

    claim: Claim
    judgment: Judgment
    command: str


def sampled(results: Results) -> dict[str, xr.Dataset]:
    """The sampled results among those of an experiment.

    Args:
        results: By label of the cell.

    Returns:
        Those whose label does not begin with "limit-", by label.
    """
    return {label: result for label, result in results.items() if not label.startswith(LIMIT)}


def complete(results: Results) -> Judgment:
    """Whether every cell of every sweep is done, and how many are not.

    Args:
        results: Sweeps by label.

    Returns:
        The judgment.
    """
    unfinished = {name: int((one.status != 1).sum()) for name, one in results.items()}
    words = ", ".join(f"{name} {count} of {results[name].status.size}" for name, count in unfinished.items())
    return Judgment(f"unfinished cells: {words}", None, decide(not any(unfinished.values())))


def limits(results: Results) -> dict[str, xr.Dataset]:
    """The d → ∞ results among those of an experiment.

    Args:
        results: By label of the cell.

    Returns:
        Those whose label begins with "limit-", by the labels of their samples.
    """
    return {label.removeprefix(LIMIT): result for label, result in results.items() if label.startswith(LIMIT)}


def decide(holds: bool, *, decidable: bool = True) -> Verdict:
    """The verdict of a yes-or-no rule.

    Args:
        holds: Whether the claim holds.
        decidable: Whether the results at hand are of the size that the rule needs.

    Returns:
        The verdict, in words.

    >>> decide(True), decide(True, decidable=False)
    ('reproduced', 'cannot be decided')
    """
    if not decidable:
        return "cannot be decided"
    return "reproduced" if holds else "not reproduced"


def agreed(sample: bool, limit: bool) -> Verdict:
    """The verdict of a rule that small samples blur: decided where a sample and its d → ∞ limit give one answer.

    Args:
        sample: Whether the claim holds in the sample.
        limit: Whether it holds in the limit.

    Returns:
        The verdict, in words.

    >>> agreed(True, True), agreed(False, False), agreed(True, False)
    ('reproduced', 'not reproduced', 'cannot be decided')
    """
    return decide(limit, decidable=sample == limit)


def standard_error(values: ArrayLike) -> float | None:
    """Standard error over the last axis, the seeds, the largest of all rows.

    Args:
        values: (seeds,) or (rows, seeds).

    Returns:
        The error; None for one seed.
    """
    rows = np.atleast_2d(values)
    seeds = rows.shape[-1]
    return float(rows.std(axis=-1, ddof=1).max() / np.sqrt(seeds)) if seeds > 1 else None


def part_eigenvalues(result: xr.Dataset, name: str) -> NDArray[np.float64]:
    """Eigenvalues of one part of U by rank (§8).

    Args:
        result: Of `rfsim.spectrum` or `rfsim.train`.
        name: Of the part.

    Returns:
        Eigenvalues, ascending, (seeds, count).
    """
    index = result.feature_part.attrs["flag_meanings"].split().index(name)
    return result.eigenvalue.transpose("seed", "feature").values[:, result.feature_part.values == index]


def onsets(results: Sequence[xr.Dataset], route: str) -> NDArray[np.float64]:
    """τ_half, when L_gen first reaches half of its τ → ∞ value, over a predicted time (§5).

    Args:
        results: Of `rfsim.train`.
        route: "formula" (B25's τ_mem), "main" or "mini" (τ_mini), as stored in tau_mem.

    Returns:
        The ratios, (results, seeds).
    """
    times = [result.tau_mem for result in results]
    return np.array([(t.sel(mem_route="curve") / t.sel(mem_route=route)).values for t in times])


def growth(results: Sequence[xr.Dataset], variable: Sequence[float]) -> NDArray[np.float64]:
    """Exponent with which τ_half grows in a variable, fitted to all results (§5).

    Args:
        results: Of `rfsim.train`.
        variable: Its value for each, (results,).

    Returns:
        The exponents, (seeds,).
    """
    times = np.array([result.tau_mem.sel(mem_route="curve").values for result in results])
    return np.polyfit(np.log(variable), np.log(times), 1)[0]


class Spread(NamedTuple):
    """How far rows are from one common value.

    Attributes:
        ratio: Largest over smallest of their means over seeds.
        error: Its standard error; None for one seed.
        words: The means.
    """

    ratio: float
    error: float | None
    words: str


def spread(ratios: NDArray[np.float64]) -> Spread:
    """How far positive ratios are from one common value.

    Args:
        ratios: (rows, seeds).

    Returns:
        Largest over smallest of the rows' means.

    >>> spread(np.array([[1.0], [1.5]])).ratio
    1.5
    """
    mean = ratios.mean(axis=1)
    error = standard_error(ratios.max(axis=0) / ratios.min(axis=0))
    return Spread(float(mean.max() / mean.min()), error, ", ".join(f"{value:.3g}" for value in mean))


def rise(result: xr.Dataset) -> NDArray[np.float64]:
    """L_test at the last train_time over its minimum: above 1 where training past the minimum harms.

    Args:
        result: Of `rfsim.train`.

    Returns:
        The ratio, (seeds,).
    """
    return (result.test[:, -1] / result.test.min("train_time")).values


class Approach(NamedTuple):
    """How a loss of samples approaches its limit.

    Attributes:
        dims: d, (dims,).
        mean: Of the loss less its limit, over seeds, (dims,).
        error: Its standard error, (dims,).
    """

    dims: NDArray[np.int64]
    mean: NDArray[np.float64]
    error: NDArray[np.float64]

    @property
    def exponent(self) -> tuple[float, float]:
        """Slope of ln |mean| against ln d, and its standard error."""
        return self._line(np.log(self.dims), np.log(np.abs(self.mean)), self.error / np.abs(self.mean))[0]

    @property
    def line(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Of a straight line in 1/d: the coefficient of 1/d and what is left at d = ∞, with their standard errors."""
        return self._line(1 / self.dims, self.mean, self.error)

    @staticmethod
    def _line(x: NDArray, y: NDArray, error: NDArray) -> tuple[tuple[float, float], tuple[float, float]]:
        fit, covariance = np.polyfit(x, y, 1, w=1 / error, cov="unscaled")
        errors = np.sqrt(np.diag(covariance))
        return (float(fit[0]), float(errors[0])), (float(fit[1]), float(errors[1]))


def approach(limit: xr.Dataset, samples: Sequence[xr.Dataset], loss: str, when: int) -> Approach:
    """How a loss of samples at growing dim approaches its limit at one train_time.

    The first train_time of all is 0: what the loss shares, over the seeds, with quantities of known mean is taken away
    before the mean. These are the loss of the zero score, 1 on average, and in the Gaussian-equivalent model the mean
    eigenvalue, E σ² = a² + v² + s² at σ_x = 1 (T9).

    Args:
        limit: A result of `theory.curves`.
        samples: Results of `rfsim.train` at growing dim.
        loss: Name of the variable.
        when: Index of the train_time.

    Returns:
        The differences by dimension.
    """
    rows = [_known_apart(one, loss, when) for one in samples]
    mean, error = np.transpose(rows)
    return Approach(np.array([store.settings(one)["dim"] for one in samples]), mean - float(limit[loss][when]), error)


def _known_apart(result: xr.Dataset, loss: str, when: int) -> tuple[float, float]:
    """Mean over seeds and its standard error, what is shared with quantities of known mean taken away."""
    values, known = result[loss].isel(train_time=when).values, [result.train.isel(train_time=0).values - 1]
    if store.settings(result)["model"] == "gaussian":
        power = float(result.a**2 + result.v2 + result.s2)
        known.append(result.eigenvalue.mean("feature").values - power)
    controls = np.stack(known, axis=1)
    share, _, rank, _ = np.linalg.lstsq(controls - controls.mean(0), values - values.mean(), rcond=None)
    left = values - controls @ share
    return left.mean(), left.std(ddof=1 + rank) / np.sqrt(left.size)


def measured(
    result: xr.Dataset, model: str, measure: str = "memorized_fraction", **where: object
) -> NDArray[np.float64]:
    """A measure of the samples of one model of a distillation, seed by seed (§8).

    Args:
        result: Of `rfsim.distill`.
        model: Name of the variable, such as "student".
        measure: Label along quality.
        **where: distill_time, steps or variant as labels; what is left out is the last distill_time and the first
            variant.

    Returns:
        The values, (seeds,).
    """
    values = result[model].sel(quality=measure)
    if "variant" in values.dims and "variant" not in where:
        values = values.isel(variant=0)
    if "distill_time" in values.dims and "distill_time" not in where:
        values = values.isel(distill_time=-1)
    return values.sel(where).values


class Compared(NamedTuple):
    """Two quantities of the same seeds.

    Attributes:
        left: Mean of one.
        right: Mean of the other.
        difference: Mean of their differences, left − right.
        error: Its standard error; None for one seed.
    """

    left: float
    right: float
    difference: float
    error: float | None

    @property
    def lower(self) -> bool:
        """Whether the left is below the right by more than three standard errors."""
        return self.difference < -3 * (self.error or 0.0)

    @property
    def higher(self) -> bool:
        """Whether it is above by more than three."""
        return self.difference > 3 * (self.error or 0.0)

    @property
    def words(self) -> str:
        """Both means in words."""
        return f"{self.left:.3g} against {self.right:.3g}"


def compared(left: NDArray[np.float64], right: NDArray[np.float64]) -> Compared:
    """Compare two quantities of the same seeds.

    Args:
        left: (seeds,).
        right: (seeds,).

    Returns:
        Their means and the mean difference.

    >>> compared(np.array([1.0, 2.0]), np.array([1.5, 2.6])).lower
    True
    """
    gap = left - right
    return Compared(float(left.mean()), float(right.mean()), float(gap.mean()), standard_error(gap))
