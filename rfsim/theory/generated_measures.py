"""What is told of generated samples: distances from the truth, variances and their quantiles (equations.md W8)."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.limit.sample_covariance import SampleCovariance
from rfsim.problem.diffusion import noise_variance, signal
from rfsim.theory.run import LimitRun

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
MEASURES = {
    "frechet_per_dim": "W2²/d of samples and the law of x_ε",
    "kl_per_dim": "KL(samples‖truth)/d",
    "kl_reverse_per_dim": "KL(truth‖samples)/d",
    "kl_mean_per_dim": "KL(truth‖N(0, mean covariance of samples))/d",
    "variance_mean": "mean variance of samples",
    "variance_quantile": "quantiles of the eigenvalues of the samples' covariance",
    "recovered": "mean variance of samples along eigenvectors of Σ",
}


def measured(
    run: LimitRun,
    law: SampleCovariance,
    first: float,
    way: str,
    ways: Mapping[str, NDArray[np.float64]],
    change: float,
) -> xr.Dataset:
    """What is told of samples N(0, Λ(Σ̂)) (W8).

    Args:
        run: The problem.
        law: Of Σ̂.
        first: ε.
        way: The dimension of the ways.
        ways: Λ, (times, points), by name of the way.
        change: What Λ is known to.

    Returns:
        MEASURES over way and train_time, truth, and residual: what they move by on half of the nodes.
    """
    variance = np.stack(list(ways.values()))
    values, weights = run.population.values, run.population.weights
    truth = signal(first) ** 2 * values + noise_variance(first)
    isotropic = run.population.isotropic

    def integral(integrand: NDArray[np.float64], every_other: bool = False) -> NDArray[np.float64]:
        some = law.every_other if every_other else 1.0
        return integrand @ (some * law.weights)

    undefined = np.full(variance.shape[:-1], np.nan)
    mean, recovered = integral(variance), variance @ law.measures
    found = {"variance_mean": mean, "recovered": recovered}
    with np.errstate(divide="ignore", over="ignore"):  # a map that is 0 somewhere is infinitely far in one direction
        ratio = recovered / truth
        found["kl_mean_per_dim"] = (1 / ratio - 1 + np.log(ratio)) @ weights / 2
        far = (np.sqrt(variance) - math.sqrt(truth[0])) ** 2
        share = variance / truth[0]
        forward, reverse = (share - 1 - np.log(share)) / 2, (1 / share - 1 + np.log(share)) / 2
        own = {"frechet_per_dim": far, "kl_per_dim": forward, "kl_reverse_per_dim": reverse}
        found |= {name: integral(one) if isotropic else undefined for name, one in own.items()}
    found["variance_quantile"] = _quantiles(variance, law)
    moved = np.abs(integral(variance, every_other=True) - mean)
    if isotropic:
        moved = np.maximum(moved, np.abs(integral(far, every_other=True) - found["frechet_per_dim"]))
    more = {"variance_quantile": ("quantile",), "recovered": ("direction",)}
    return xr.Dataset(
        {
            name: ((way, "train_time", *more.get(name, ())), found[name], {"long_name": long, "units": "1"})
            for name, long in MEASURES.items()
        }
        | {
            "truth": ("direction", truth, {"long_name": "variance of x_ε along eigenvectors of Σ", "units": "1"}),
            "residual": ((), max(float(moved.max()), change, law.residual), {"long_name": "with half of all nodes"}),
        },
        coords={
            way: list(ways),
            "quantile": list(QUANTILES),
            "direction": ("direction", values, {"long_name": "eigenvalue l of Σ", "units": "1"}),
        },
    )


def _quantiles(variance: NDArray[np.float64], law: SampleCovariance) -> NDArray[np.float64]:
    """Of Λ over the law of Σ̂, (…, quantiles)."""
    flat = variance.reshape(-1, variance.shape[-1])
    found = []
    for row in flat:
        order = np.argsort(row)
        weights = law.weights[order]
        found.append(np.interp(QUANTILES, np.cumsum(weights) - weights / 2, row[order]))
    return np.array(found).reshape(*variance.shape[:-1], len(QUANTILES))
