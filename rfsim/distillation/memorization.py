"""Measures of generated samples: memorization, quality and membership inference (equations.md §8).

A sample is memorized where its nearest training point is less than a third as far as the second nearest (B25 Eq. 6).
Quality is a distance to the true distribution, of the first two moments (Fréchet) or of one-dimensional projections
(sliced Wasserstein). Every measure is one of samples as they are: who made them, and at which diffusion time, is the
caller's knowledge.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binom, rankdata

from rfsim.checking import notes
from rfsim.computing.arrays import compiled, mapped, namespace, placed
from rfsim.computing.precision import require_float64
from rfsim.problem.data import stream
from rfsim.problem.diffusion import Law
from rfsim.sample.spectra import GROUPS, jackknife_error

RATIO = 1 / 3  # B25 Eq. 6
LEVEL = 0.95  # of the intervals
PROJECTIONS = 128  # directions of the sliced distance
ROWS, BLOCK = 1024, 128  # samples and points of one product, which then stays in a core's cache
PAIRS = 2**21  # entries of the differences held at once


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


class Truth(NamedTuple):
    """The true distribution that samples are compared with (§8).

    Attributes:
        mean: (dim,).
        covariance: (dim, dim).
        samples: Fresh samples of it, (rows, dim).
        projected: These on the directions of `sliced_wasserstein`, ascending on each, (projections, rows).
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    samples: NDArray[np.float64]
    projected: NDArray[np.float64]

    def distances(self, samples: ArrayLike) -> tuple[float, float]:
        """Distances of samples from the truth (§8).

        Args:
            samples: (rows, dim).

        Returns:
            `frechet_per_dim` and `sliced_wasserstein`.

        Raises:
            ValueError: For fewer than 2 samples, or values that are not finite.
        """
        x = _finite("samples", samples)
        return frechet_per_dim(x, self.mean, self.covariance), _between(_projected(x), self.projected)


class Quality(NamedTuple):
    """Every measure of one set of samples (§8).

    Attributes:
        memorized_fraction: f_mem, in [0, 1].
        memorized_low: Lower end of its 95% interval.
        memorized_high: Upper end of its 95% interval.
        frechet_per_dim: W2²/d of the Gaussians with the samples' and the true moments.
        sliced_wasserstein: Distance to fresh samples of the truth, in units of the data.
        membership_auc: AUC of the losses, training against fresh; NaN where it is undefined.
    """

    memorized_fraction: float
    memorized_low: float
    memorized_high: float
    frechet_per_dim: float
    sliced_wasserstein: float
    membership_auc: float


def quality(samples: ArrayLike, points: ArrayLike, truth: Truth, auc: float = math.nan) -> Quality:
    """All measures of generated samples (§8).

    Args:
        samples: (rows, dim).
        points: Training points, (n, dim).
        truth: The true distribution, from `truth`.
        auc: Of the model's losses, from `auc`; passed on.

    Returns:
        The measures.

    Raises:
        ValueError: For values that are not finite, or fewer than 2 different training points.
    """
    return Quality(
        *memorized_fraction(samples, points),
        *truth.distances(samples),
        auc,
    )


def truth(law: Law, rows: int, seed: int) -> Truth:
    """Mean and covariance of a law, exact, and samples of it (§8).

    Args:
        law: The law that samples are compared with, at their diffusion time.
        rows: Number of samples.
        seed: Of the stream "generation/truth".

    Returns:
        The truth.
    """
    mean = law.centers.mean(axis=0)
    spread = law.centers - mean
    covariance = np.diag(law.variances) + spread.T @ spread / len(spread)
    samples = fresh(law, rows, seed, "truth")
    return Truth(mean, covariance, samples, _projected(samples))


def fresh(law: Law, rows: int, seed: int, use: str = "reference") -> NDArray[np.float64]:
    """Independent samples of a law, its components at random (§8).

    Args:
        law: The law.
        rows: Number of samples.
        seed: Of the streams.
        use: Names the stream, "generation/USE": one per use.

    Returns:
        The samples, (rows, dim).
    """
    noise = stream(seed, f"generation/{use}").standard_normal((rows, law.variances.size))
    chosen = stream(seed, f"generation/{use}/component").integers(len(law.centers), size=rows)
    return law.centers[chosen] + noise * np.sqrt(law.variances)


def memorized_fraction(samples: ArrayLike, points: ArrayLike) -> Fraction:
    """Share of samples memorized from training points, with its 95% bootstrap interval over samples (§8; B25 Eq. 6).

    The bootstrap of a share is the binomial law, so its quantiles are exact here. Where no sample or every sample is
    memorized, the bootstrap has no spread at all, whatever their number: there Clopper–Pearson's limit stands in.

    Args:
        samples: (rows, dim).
        points: Training points, (n, dim).

    Returns:
        f_mem and its interval.

    Raises:
        ValueError: For fewer than 2 different points, or values that are not finite.
    """
    hits = memorized(samples, points)
    rows, value, tail = hits.size, float(hits.mean()), (1 - LEVEL) / 2
    if value == 0:
        return Fraction(value, 0.0, 1 - tail ** (1 / rows))
    if value == 1:
        return Fraction(value, tail ** (1 / rows), 1.0)
    low, high = binom.ppf([tail, 1 - tail], rows, value) / rows
    return Fraction(value, float(low), float(high))


def memorized(samples: ArrayLike, points: ArrayLike) -> NDArray[np.bool_]:
    """Which samples are memorized: nearest point at less than a third of the second nearest's distance (§8; B25 Eq. 6).

    The second nearest is another point: copies of one are merged, which is said; beside a copy the ratio would be 1,
    and nothing memorized.

    Args:
        samples: (rows, dim).
        points: Training points, (n, dim).

    Returns:
        True where memorized, (rows,).

    Raises:
        ValueError: For fewer than 2 different points, or values that are not finite.
    """
    x, different = _finite("samples", samples), distinct(points)
    if copies := len(np.asarray(points)) - len(different):
        notes.say(
            f"{copies} of {copies + len(different)} training points are copies of others: of memorized samples the "
            "second nearest is the nearest of the others"
        )
    first, second = nearest_two(x, different)
    return (first < RATIO * second) | (second == 0)


def distinct(points: ArrayLike) -> NDArray[np.float64]:
    """The different training points, in the order in which they come first (§8).

    Args:
        points: (n, dim).

    Returns:
        (different, dim); the points themselves where no two are equal.

    Raises:
        ValueError: For copies of one point only, or values that are not finite.
    """
    y = _finite("points", points)
    first = {row.tobytes(): k for k, row in reversed(list(enumerate(y + 0.0)))}  # −0 is 0
    if len(first) < 2 <= len(y):
        raise ValueError(f"nearest and second nearest need 2 different training points; got {len(y)} copies of one")
    return y if len(first) == len(y) else y[sorted(first.values())]


def nearest_two(samples: ArrayLike, points: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Euclidean distances of each sample to its nearest and second nearest point (§8; B25 Eq. 6).

    Exact: products only exclude blocks of points whose nearest is farther by more than rounding, and the distances
    themselves are of differences. Memory of ROWS × n/BLOCK; what rounding cannot exclude costs time, not digits.

    Args:
        samples: (rows, dim).
        points: (n, dim).

    Returns:
        The two distances, (rows,) and (rows,), in units of the data.

    Raises:
        ValueError: For fewer than 2 points, another dimension, or values that are not finite.
        RuntimeError: In float32.
    """
    require_float64()
    x, y = _finite("samples", samples), _finite("points", points)
    if len(y) < 2:
        raise ValueError(f"nearest and second nearest need at least 2 training points; got {len(y)}")
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"samples and points must share their dimension; got {x.shape[1]} and {y.shape[1]}")
    width, d = min(BLOCK, len(y)), y.shape[1]
    count = -(-len(y) // width)
    # infinitely far points fill the last block
    blocks = np.full((count * width, d), np.inf)
    blocks[: len(y)] = y
    blocks = placed(blocks.reshape(count, width, d))
    middle = y.mean(axis=0)
    size = -(-len(x) // max(1, -(-len(x) // ROWS)))
    squares = [_nearest_in_blocks(x[lo : lo + size], blocks, middle, size) for lo in range(0, len(x), size)]
    first, second = np.sqrt(np.concatenate(squares, axis=1))
    return first, second


def frechet_per_dim(samples: ArrayLike, mean: ArrayLike, covariance: ArrayLike) -> float:
    """Fréchet distance per dimension W2²/d: of the Gaussians with the samples' moments and with those given (§8).

    (‖m − m'‖² + Tr(C + C' − 2(C'^{1/2} C C'^{1/2})^{1/2}))/d, with the samples' covariance C over rows − 1. Computed as
    the least ‖A − QB‖_F² over orthogonal Q with C = AᵀA, C' = BᵀB: never negative, and nothing cancels.

    Args:
        samples: (rows, dim).
        mean: m', (dim,).
        covariance: C', (dim, dim), symmetric.

    Returns:
        The distance, in units of the data squared.

    Raises:
        ValueError: For fewer than 2 samples, values that are not finite, or a covariance with a negative eigenvalue.
    """
    x = _finite("samples", samples)
    rows, d = x.shape
    if rows < 2:
        raise ValueError(f"a covariance needs at least 2 samples; got {rows}")
    lam, basis = scipy.linalg.eigh(np.asarray(covariance, dtype=np.float64))
    if lam[0] < -1e-12 * abs(lam).max():
        raise ValueError(f"a covariance has no negative eigenvalue; got {lam[0]:.3g} beside {lam[-1]:.3g}")
    target = np.sqrt(np.maximum(lam, 0.0))[:, None] * basis.T
    root = np.zeros((d, d))
    triangle = np.linalg.qr((x - x.mean(axis=0)) / math.sqrt(rows - 1), mode="r")
    root[: len(triangle)] = triangle
    left, _, right = scipy.linalg.svd(root @ target.T)
    shift = x.mean(axis=0) - np.asarray(mean)
    return float((shift @ shift + ((root - left @ right @ target) ** 2).sum()) / d)


def sliced_wasserstein(samples: ArrayLike, others: ArrayLike, seed: int = 0, projections: int = PROJECTIONS) -> float:
    """Sliced Wasserstein-2 distance, √ of the mean square over random unit projections (§8).

    The quantile functions are integrated exactly, whatever the two sizes.

    Args:
        samples: (rows, dim).
        others: (other rows, dim).
        seed: Of the directions, stream "sliced".
        projections: Number of directions.

    Returns:
        The distance, in units of the data.

    Raises:
        ValueError: For values that are not finite.
    """
    x, y = (_projected(_finite(*one), seed, projections) for one in (("samples", samples), ("others", others)))
    return _between(x, y)


def auc(training_losses: ArrayLike, fresh_losses: ArrayLike) -> float:
    """Membership inference: P(training loss < fresh loss) + P(equal)/2 over all pairs (§8).

    Args:
        training_losses: Of training points, of any shape.
        fresh_losses: Of fresh samples, of any shape.

    Returns:
        The AUC; ½ where the losses tell nothing of membership.

    Raises:
        ValueError: For an empty set.

    >>> auc([0.1, 0.2], [0.2, 0.3])
    0.875
    """
    training, other = np.ravel(training_losses), np.ravel(fresh_losses)
    if not (training.size and other.size):
        raise ValueError(f"an AUC compares two sets of losses; got {training.size} and {other.size} of them")
    ranks = rankdata(np.concatenate([training, other]))
    above = ranks[training.size :].sum() - other.size * (other.size + 1) / 2
    return float(above / (training.size * other.size))


def jackknife(
    measure: Callable[[NDArray[np.float64]], ArrayLike], samples: NDArray[np.float64], groups: int = GROUPS
) -> NDArray[np.float64]:
    """Standard error of a measure of samples, by leaving out groups of rows (§2).

    Args:
        measure: From samples (fewer rows, dim) to a number or an array.
        samples: (rows, dim).
        groups: Between 2 and rows.

    Returns:
        The standard error, of the measure's shape.

    Raises:
        ValueError: For another number of groups.
    """
    if not 2 <= groups <= len(samples):
        raise ValueError(
            f"a jackknife needs 2 groups or more, none of them empty; got {groups} for {len(samples)} rows"
        )
    parts = np.array_split(np.arange(len(samples)), groups)
    return jackknife_error([np.asarray(measure(np.delete(samples, part, axis=0))) for part in parts])


def _projected(samples: NDArray[np.float64], seed: int = 0, projections: int = PROJECTIONS) -> NDArray[np.float64]:
    """Samples on random directions, ascending on each, (projections, rows)."""
    directions = stream(seed, "sliced").standard_normal((projections, samples.shape[1]))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return np.sort(directions @ samples.T)


def _between(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """√ of the mean squared Wasserstein-2 distance of ascending values, (projections, rows) and (projections, more)."""
    n, m = x.shape[1], y.shape[1]
    # both quantile functions are constant between neighboring multiples of 1/n and 1/m, here in units of 1/nm
    cuts = np.union1d(m * np.arange(n + 1), n * np.arange(m + 1))
    left, widths = cuts[:-1], np.diff(cuts) / (n * m)
    gaps = x[:, left // m] - y[:, left // n]
    return math.sqrt((gaps**2 @ widths).mean())


def _finite(name: str, values: ArrayLike) -> NDArray[np.float64]:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 2 or not len(found):
        raise ValueError(f"{name} must have the shape (rows, dim), one row or more; got {found.shape}")
    bad = int(np.count_nonzero(~np.isfinite(found)))
    if bad:
        raise ValueError(f"{name} hold {bad} NaN or infinite values: a sampler diverged, or the data are broken")
    return found


def _nearest_in_blocks(x, blocks, middle, size):
    """The two least squared distances (2, rows) of at most `size` samples: of the pairs that products leave over."""
    rows = np.zeros((size, x.shape[1]))
    rows[: len(x)] = x
    kept = np.asarray(_candidates(placed(rows - middle), blocks, middle))[:, : len(x)]
    row, block = np.nonzero(kept.T)
    chunk = max(1, PAIRS // blocks[0].size)
    pairs = np.zeros((2, -(-row.size // chunk) * chunk), dtype=np.int64)
    pairs[:, : row.size] = row, block
    found = [_two_least(rows, blocks, *pairs[:, lo : lo + chunk]) for lo in range(0, pairs.shape[1], chunk)]
    squares = np.concatenate(found, axis=1)[:, : row.size].ravel()
    row = np.tile(row, 2)
    order = np.lexsort((squares, row))
    at = np.searchsorted(row[order], np.arange(len(x)))
    return squares[order][[at, at + 1]]


@compiled
def _candidates(x, blocks, middle):
    """Which blocks (blocks, rows) may hold one of a sample's two nearest points, for samples less the middle.

    The least ‖y‖² − 2x·y of a block is off by at most (d + 4) eps (‖x‖ + ‖y‖)², centering included. Two blocks lie
    below the second least upper bound, so two points do, and a block above it holds neither of the nearest two.
    """
    xp = namespace(x, blocks)
    norms = xp.linalg.norm(x, axis=1)
    slack = (x.shape[1] + 4) * np.finfo(x.dtype).eps

    def bounds(block):
        present = xp.isfinite(block[:, :1])
        y = xp.where(present, block - middle, 0.0)
        squares = (y**2).sum(1, keepdims=True)
        least = (xp.where(present, squares, np.inf) - 2 * (y @ x.T)).min(0)
        error = slack * (norms + xp.sqrt(squares.max())) ** 2
        return least - error, least + error

    lower, upper = mapped(bounds, blocks)
    others = np.arange(len(blocks))[:, None] != upper.argmin(0)
    limit = xp.where(others, upper, np.inf).min(0)
    # where squares overflow the bounds are NaN or infinite, and nothing may be excluded
    return ~(lower > limit)


@compiled
def _two_least(x, blocks, row, block):
    """The two least squared distances (2, pairs) of samples x[row] to the points of blocks[block], by differences."""
    squares = ((x[row][:, None, :] - blocks[block]) ** 2).sum(-1)
    xp = namespace(squares)
    others = np.arange(squares.shape[1]) != squares.argmin(1)[:, None]
    return xp.stack([squares.min(1), xp.where(others, squares, np.inf).min(1)])
