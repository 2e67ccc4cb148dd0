"""How a denoiser errs beside noise-free inputs, as labelled variables over train_time (equations.md §13).

x̂ = (x_t + Δs)/e^{−t}, and e^{−2t}/Δ (ME + RE) = L_test.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.learning import curves
from rfsim.learning.trainers import TrainerFilter
from rfsim.problem.diffusion import signal
from rfsim.problem.populations import Condition

if TYPE_CHECKING:
    from rfsim.results.runs import Run
    from rfsim.sample.spectra import Solved

LONG_NAMES = {
    "mean_error": "ME of the denoised mean given y",
    "predictive_variance": "PV of the denoiser around that mean",
    "residual_error": "RE of what y leaves",
    "residual_alignment": "RA of the denoiser with what y leaves",
}


def condition_datasets(
    run: Run, solved: Solved, tau: NDArray[np.float64], trainers: Sequence[TrainerFilter]
) -> list[xr.Dataset]:
    """One seed's errors given y of each trainer; nothing of arrays, whose By is not known, and without a condition."""
    found: list[xr.Dataset] = [xr.Dataset() for _ in trainers]
    data, population = run.problem.data, solved.target
    for given in solved.condition:
        assert isinstance(data, Condition)
        assert population is not None
        told = data.at(run.sizes.dim)
        left = float(told.weights @ told.residual)
        for k, trainer in enumerate(trainers):
            whole = curves.loss_curves(solved.spectrum, population, tau, trainer)
            own = curves.loss_curves(solved.spectrum, given, tau, trainer)
            found[k] = _errors(run, left, whole, own)
    return found


def _errors(run: Run, left: float, whole: curves.LossCurves, own: curves.LossCurves) -> xr.Dataset:
    """From the population's curves, and those of its mean given y and of what y leaves, Ṽ by Σ."""
    ratio = run.delta / signal(run.problem.diffusion_time) ** 2
    of_all, of_mean = (one.test - 1 + 2 * one.cross for one in (whole, own))
    error = ratio * of_mean
    alignment = left - own.cross
    around = ratio * (1 + of_all - of_mean - 2 * whole.cross)  # RE, without what cancels in it at small t
    values = (error, left + around - 2 * own.cross, around, alignment)
    return xr.Dataset(
        {
            name: ("train_time", np.asarray(one), {"long_name": long, "units": "1"})
            for (name, long), one in zip(LONG_NAMES.items(), values, strict=True)
        }
    )
