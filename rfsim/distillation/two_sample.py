"""Whether samples lie nearer to the training set than to sets held out: a kernel two-sample test (§8).

MMD²_u(G, S) = k̄(G, G) + k̄(S, S) − 2 k̄(G, S), means over pairs of different points, k Gaussian at the median distance.
The training set and many held-out sets of its size are alike but for what the model has seen of one of them, so that
their spread is that of the statistic where the model has seen none.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.distillation.nearest import finite
from rfsim.problem.data import stream
from rfsim.problem.laws import AnyLaw, Law

SETS = 32  # held out
FEWEST_SETS = 8  # of a population of few rows
ROWS = 2048  # samples at a time


class TwoSample(NamedTuple):
    """MMD²_u of samples against the training set and against held-out sets; NaN where it is undefined (§8).

    Attributes:
        training: Against the training set; no distance, so that it may be negative.
        held_out: The mean against held-out sets.
        difference: held_out less training: positive where samples lie nearer to the training set.
        spread: Standard deviation over held-out sets.
        z: difference over spread √(1 + 1/sets), of a t law with sets − 1 degrees of freedom for samples that know
            nothing of the training set.
    """

    training: float = math.nan
    held_out: float = math.nan
    difference: float = math.nan
    spread: float = math.nan
    z: float = math.nan


class Sets(NamedTuple):
    """The training set and others held out, of one size: (1 + sets, size, dim), and the kernel's width."""

    points: NDArray[np.float64]
    width: float

    @property
    def size(self) -> int:
        """Points of each."""
        return self.points.shape[1]

    @property
    def held_out(self) -> int:
        """How many are held out."""
        return len(self.points) - 1


def sets(training: NDArray[np.float64], law: AnyLaw, seed: int, count: int = SETS) -> Sets | None:
    """The training set beside held-out ones of its size; None where fewer rows than that are held out.

    Rows of an array that play the population give disjoint sets, of fewer points where they must be `FEWEST_SETS`.

    Args:
        training: (n, dim).
        law: Of the population.
        seed: Of the stream "two-sample".
        count: Of held-out sets, at most.

    Returns:
        The sets, or None.
    """
    (size, dim), numbers = training.shape, stream(seed, "two-sample")
    if isinstance(law, Law) and not law.variances.any():
        rows = law.centers
        size = min(size, len(rows) // FEWEST_SETS)
        if size < 2:
            return None
        count = min(count, len(rows) // size)
        drawn = rows[numbers.permutation(len(rows))[: count * size]]
    else:
        components = law.at_random(stream(seed, "two-sample/component"), count * size)
        drawn = law.points(components, numbers.standard_normal((count * size, dim)))
    held = drawn.reshape(count, size, dim)
    apart = _squares(held[0], held[0])[np.triu_indices(size, 1)]
    return Sets(np.concatenate([training[None, :size], held]), math.sqrt(float(np.median(apart))))


def two_sample(samples: ArrayLike, among: Sets) -> TwoSample:
    """The test of samples, more of them than points of a set or fewer (§8).

    Args:
        samples: (rows, dim), two or more.
        among: The sets, from `sets`.

    Returns:
        Both distances, and how far apart they are.

    Raises:
        ValueError: For fewer than 2 samples, or values that are not finite.
    """
    x = finite("samples", samples)
    if len(x) < 2:
        raise ValueError(f"a two-sample test needs at least 2 samples; got {len(x)}")
    own = _within(x, among.width)
    found = np.array([own + _within(one, among.width) - 2 * _between(x, one, among.width) for one in among.points])
    training, held = float(found[0]), found[1:]
    spread, difference = float(held.std(ddof=1)), float(held.mean()) - training
    z = difference / (spread * math.sqrt(1 + 1 / len(held))) if spread > 0 else math.nan
    return TwoSample(training, float(held.mean()), difference, spread, z)


def _within(x: NDArray[np.float64], width: float) -> float:
    """Mean of the kernel over pairs of different points."""
    return (_between(x, x, width) * len(x) - 1) / (len(x) - 1)


def _between(x: NDArray[np.float64], y: NDArray[np.float64], width: float) -> float:
    """Mean of the kernel over all pairs."""
    total = sum(np.exp(_squares(x[k : k + ROWS], y) / (-2 * width**2)).sum() for k in range(0, len(x), ROWS))
    return float(total) / (len(x) * len(y))


def _squares(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distances of all pairs, (rows, other rows)."""
    return np.maximum((x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T, 0.0)
