"""Distances of generated samples from the true distribution (equations.md §8).

Of the first two moments (Fréchet), or of one-dimensional projections (sliced Wasserstein).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.distillation.nearest import finite
from rfsim.problem.data import stream
from rfsim.problem.laws import AnyLaw

PROJECTIONS = 128  # directions of the sliced distance


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
        x = finite("samples", samples)
        return frechet_per_dim(x, self.mean, self.covariance), _between(_projected(x), self.projected)


def truth(law: AnyLaw, rows: int, seed: int) -> Truth:
    """Mean and covariance of a law, exact, and samples of it (§8).

    Args:
        law: The law that samples are compared with, at their diffusion time.
        rows: Number of samples.
        seed: Of the stream "generation/truth".

    Returns:
        The truth.
    """
    samples = fresh(law, rows, seed, "truth")
    return Truth(law.mean, law.covariance, samples, _projected(samples))


def fresh(law: AnyLaw, rows: int, seed: int, use: str = "reference") -> NDArray[np.float64]:
    """Independent samples of a law, its components at random (§8).

    Args:
        law: The law.
        rows: Number of samples.
        seed: Of the streams.
        use: Names the stream, "generation/USE": one per use.

    Returns:
        The samples, (rows, dim).
    """
    noise = stream(seed, f"generation/{use}").standard_normal((rows, law.variances.shape[-1]))
    return law.points(law.at_random(stream(seed, f"generation/{use}/component"), rows), noise)


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
    x, root, target = _roots(samples, covariance)
    left, _, right = np.linalg.svd(root @ target.T)
    shift = x.mean(axis=0) - np.asarray(mean)
    return float((shift @ shift + ((root - left @ right @ target) ** 2).sum()) / x.shape[1])


def frechet_bias(samples: ArrayLike, covariance: ArrayLike) -> float:
    """What the number of samples adds to `frechet_per_dim` on average, to first order in 1/rows (§8).

    With Wishart fluctuations of C in Tr (C'^{1/2} C C'^{1/2})^{1/2}, and those of the mean: for normal samples
    (½ Σ_ij (1 + δ_ij) r_i r_j/(r_i + r_j) + Tr C)/(rows d), r the singular values of C'^{1/2}C^{1/2}.

    Args:
        samples: (rows, dim); C and r are theirs.
        covariance: C', (dim, dim), symmetric.

    Returns:
        The bias, positive, in units of the data squared.

    Raises:
        ValueError: As `frechet_per_dim`.
    """
    x, root, target = _roots(samples, covariance)
    rows, d = x.shape
    r = np.linalg.svdvals(root @ target.T)
    sums = np.add.outer(r, r)
    pairs = np.outer(r, r) / np.where(sums > 0, sums, 1.0)
    return float(((pairs.sum() + np.trace(pairs)) / 2 + (root**2).sum()) / (rows * d))


def _roots(
    samples: ArrayLike, covariance: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The samples, checked, A with C = AᵀA and B with C' = BᵀB."""
    x = finite("samples", samples)
    rows, d = x.shape
    if rows < 2:
        raise ValueError(f"a covariance needs at least 2 samples; got {rows}")
    lam, basis = np.linalg.eigh(finite("rows of the covariance", covariance))
    if lam[0] < -1e-12 * abs(lam).max():
        raise ValueError(f"a covariance has no negative eigenvalue; got {lam[0]:.3g} beside {lam[-1]:.3g}")
    target = np.sqrt(np.maximum(lam, 0.0))[:, None] * basis.T
    root = np.zeros((d, d))
    triangle = np.linalg.qr((x - x.mean(axis=0)) / math.sqrt(rows - 1), mode="r")
    root[: len(triangle)] = triangle
    return x, root, target


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
    x, y = (_projected(finite(*one), seed, projections) for one in (("samples", samples), ("others", others)))
    return _between(x, y)


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
