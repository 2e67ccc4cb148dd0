"""What is told of samples of one teacher: distance from the truth, copies, the linear map of their noise (§8, W8)."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.computing.jackknife import jackknife
from rfsim.distillation.distances import Truth, frechet_bias
from rfsim.distillation.memorization import RATIO, memorized_fraction

MEASURES = {
    "frechet_per_dim": "W2²/d of samples and the law of x_ε",
    "frechet_bias": "what the number of samples adds to it",
    "frechet_error": "its standard error over samples",
    "memorized_fraction": "f_mem",
    "memorized_low": "lower end of its 95% interval",
    "memorized_high": "upper end of its 95% interval",
    "variance_mean": "mean variance of samples",
    "linear_share": "share of samples that is linear in their noise",
}


def measured(
    samples: NDArray[np.float64],
    start: NDArray[np.float64],
    points: NDArray[np.float64],
    law: Truth,
    ratio: float = RATIO,
) -> xr.Dataset:
    """What is told of samples of one teacher.

    Args:
        samples: (rows, dim).
        start: The noise they start from, (rows, dim), more rows than dimensions.
        points: Training points, (n, dim).
        law: What they are compared with.
        ratio: Of the nearest to the second nearest distance, below which a sample is memorized.

    Returns:
        MEASURES, and variance (rank), the eigenvalues of BBᵀ of the linear map B that fits samples to their noise.
    """

    def distance(rows: NDArray[np.float64]) -> float:
        return law.distances(rows)[0]

    fit, *_ = np.linalg.lstsq(start, samples, rcond=None)
    left = samples - start @ fit
    values = [
        distance(samples),
        frechet_bias(samples, law.covariance),
        float(jackknife(distance, samples)),
        *memorized_fraction(samples, points, ratio),
        float((samples - samples.mean(0)).var(0, ddof=1).mean()),
        1 - float((left**2).sum() / (samples**2).sum()),
    ]
    data = xr.Dataset(
        {
            name: ((), value, {"long_name": long, "units": "1"})
            for (name, long), value in zip(MEASURES.items(), values, strict=True)
        }
    )
    variance = np.linalg.svd(fit, compute_uv=False)[::-1] ** 2
    told = {"long_name": "eigenvalues of the covariance of what is linear in the noise", "units": "1"}
    return data.assign(variance=("rank", variance, told))
