"""Measures of generated samples: memorization, quality and membership inference (equations.md §8).

A sample is memorized where its nearest training point is less than a third, or another ratio, as far as the second
nearest (B25 Eq. 6); quality is a distance (`distances`). Every measure is one of samples as they are: who made them,
and at which diffusion time, is the caller's knowledge.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.checking import notes
from rfsim.distillation.distances import Truth
from rfsim.distillation.nearest import distinct, finite, nearest_two

RATIO = 1 / 3  # B25 Eq. 6
FALSE_POSITIVES = 0.01, 0.1  # shares of fresh points taken for training points
LEVEL = 0.95  # of the intervals


class Fraction(NamedTuple):
    """A share of samples with its 95% interval (§8).

    Attributes:
        value: The share, in [0, 1].
        low: Lower end of the interval.
        high: Upper end of the interval.
    """

    value: float
    low: float
    high: float


class Membership(NamedTuple):
    """How well losses tell training points from fresh ones, as auditors report it (§8); NaN where it is undefined.

    Attributes:
        membership_auc: AUC of the losses, training against fresh.
        membership_tpr_1: Share of training points found where 1% of fresh ones are taken for such.
        membership_tpr_10: The same where 10% are.
    """

    membership_auc: float = math.nan
    membership_tpr_1: float = math.nan
    membership_tpr_10: float = math.nan


class Quality(NamedTuple):
    """Every measure of one set of samples (§8).

    Attributes:
        memorized_fraction: f_mem, in [0, 1].
        memorized_low: Lower end of its 95% interval.
        memorized_high: Upper end of its 95% interval.
        frechet_per_dim: W2²/d of the Gaussians with the samples' and the true moments.
        sliced_wasserstein: Distance to fresh samples of the truth, in units of the data.
        membership_auc: As in `Membership`.
        membership_tpr_1: As in `Membership`.
        membership_tpr_10: As in `Membership`.
    """

    memorized_fraction: float
    memorized_low: float
    memorized_high: float
    frechet_per_dim: float
    sliced_wasserstein: float
    membership_auc: float
    membership_tpr_1: float
    membership_tpr_10: float


def quality(
    samples: ArrayLike, points: ArrayLike, truth: Truth, told: Membership | None = None, *, ratio: float = RATIO
) -> Quality:
    """All measures of generated samples (§8).

    Args:
        samples: (rows, dim).
        points: Training points, (n, dim).
        truth: The true distribution, from `truth`.
        told: Of the model's losses, from `membership`; passed on.
        ratio: As in `memorized`.

    Returns:
        The measures.

    Raises:
        ValueError: For values that are not finite, or fewer than 2 different training points.
    """
    return Quality(
        *memorized_fraction(samples, points, ratio),
        *truth.distances(samples),
        *(Membership() if told is None else told),
    )


def memorized_fraction(samples: ArrayLike, points: ArrayLike, ratio: float = RATIO) -> Fraction:
    """Share of samples memorized from training points, with its 95% bootstrap interval over samples (§8; B25 Eq. 6).

    The bootstrap of a share is the binomial law, so its quantiles are exact here. Where no sample or every sample is
    memorized, the bootstrap has no spread at all, whatever their number: there Clopper–Pearson's limit stands in.

    Args:
        samples: (rows, dim).
        points: Training points, (n, dim).
        ratio: As in `memorized`.

    Returns:
        f_mem and its interval.

    Raises:
        ValueError: For fewer than 2 different points, or values that are not finite.
    """
    hits = memorized(samples, points, ratio)
    rows, value, tail = hits.size, float(hits.mean()), (1 - LEVEL) / 2
    if value == 0:
        return Fraction(value, 0.0, 1 - tail ** (1 / rows))
    if value == 1:
        return Fraction(value, tail ** (1 / rows), 1.0)
    from scipy.special import bdtr  # slow to load, and asked for between 0 and 1 alone

    low, high = np.searchsorted(bdtr(np.arange(rows + 1), rows, value), [tail, 1 - tail]) / rows
    return Fraction(value, float(low), float(high))


def memorized(samples: ArrayLike, points: ArrayLike, ratio: float = RATIO) -> NDArray[np.bool_]:
    """Which samples are memorized: nearest point at less than a third of the second nearest's distance (§8; B25 Eq. 6).

    The second nearest is another point: copies of one are merged, which is said; beside a copy the ratio would be 1,
    and nothing memorized.

    Args:
        samples: (rows, dim).
        points: Training points, (n, dim).
        ratio: Of the distances, in the place of a third; between 0 and 1.

    Returns:
        True where memorized, (rows,).

    Raises:
        ValueError: For fewer than 2 different points, or values that are not finite.
    """
    x, different = finite("samples", samples), distinct(points)
    if copies := len(np.asarray(points)) - len(different):
        notes.say(
            f"{copies} of {copies + len(different)} training points are copies of others: of memorized samples the "
            "second nearest is the nearest of the others"
        )
    first, second = nearest_two(x, different)
    return (first < ratio * second) | (second == 0)


def auc(training_losses: ArrayLike, fresh_losses: ArrayLike) -> float:
    """Membership inference: P(training loss < fresh loss) + P(equal)/2 over all pairs (§8).

    Args:
        training_losses: Of training points, of any shape.
        fresh_losses: Of fresh samples, of any shape.

    Returns:
        The AUC; ½ where the losses tell nothing of membership, NaN where one of them is.

    Raises:
        ValueError: For an empty set.

    >>> auc([0.1, 0.2], [0.2, 0.3])
    0.875
    """
    training, other = np.ravel(training_losses), np.ravel(fresh_losses)
    if not (training.size and other.size):
        raise ValueError(f"an AUC compares two sets of losses; got {training.size} and {other.size} of them")
    if np.isnan(training).any() or np.isnan(other).any():
        return math.nan
    ascending = np.sort(training)
    twice = sum(int(np.searchsorted(ascending, other, side).sum()) for side in ("left", "right"))
    return twice / 2 / (training.size * other.size)


def true_positive_rate(training_losses: ArrayLike, fresh_losses: ArrayLike, false_positive_rate: float) -> float:
    """Share of training losses below the threshold under which that share of the fresh ones lie at most (§8).

    Args:
        training_losses: Of training points, of any shape.
        fresh_losses: Of fresh samples, of any shape.
        false_positive_rate: Between 0 and 1.

    Returns:
        The rate; about false_positive_rate where the losses tell nothing of membership.

    Raises:
        ValueError: For an empty set.

    >>> true_positive_rate([0.1, 0.2, 0.6, 0.9], [0.5, 0.7, 0.8, 1.0], 0.25)
    0.75
    """
    training, other = np.ravel(training_losses), np.sort(np.ravel(fresh_losses))
    if not (training.size and other.size):
        raise ValueError(f"a rate compares two sets of losses; got {training.size} and {other.size} of them")
    # 0.1 × 512 is not a float64 above 51
    allowed = min(math.floor(false_positive_rate * other.size + 1e-9), other.size - 1)
    return float((training < other[allowed]).mean())


def membership(training_losses: ArrayLike, fresh_losses: ArrayLike) -> Membership:
    """Every measure of membership inference by losses (§8).

    Args:
        training_losses: Of training points, of any shape.
        fresh_losses: Of fresh samples, of any shape.

    Returns:
        The measures.

    Raises:
        ValueError: For an empty set.
    """
    rates = (true_positive_rate(training_losses, fresh_losses, one) for one in FALSE_POSITIVES)
    return Membership(auc(training_losses, fresh_losses), *rates)
