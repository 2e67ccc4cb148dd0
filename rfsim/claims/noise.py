"""What rules on the noise of batches measure alike, with what theory foretells of the same draws (`training.noisy`)."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim import store
from rfsim.diffusion import noise_variance
from rfsim.filters import descent_step, learning_rate_constant
from rfsim.training.noisy import adam_steps, noise_share


def reached(clock: NDArray[np.float64], values: NDArray[np.float64], level: float) -> float:
    """Where on a clock (times,) `values` first reach `level`, on a straight line in the clock's log; inf if never.

    >>> reached(np.array([1.0, 10.0, 100.0]), np.array([0.0, 1.0, 3.0]), 2.0).__round__(3)
    31.623
    """
    k = int(np.argmax(values >= level))
    if values[k] < level:
        return math.inf
    pair = slice(max(k - 1, 0), k + 1)
    return float(np.exp(np.interp(level, values[pair], np.log(clock[pair]))))


def batch_share(simulated: xr.Dataset, trained: xr.Dataset) -> NDArray[np.float64]:
    """S of plain descent in batches (`training.noisy`), (seeds,), from the eigenvalues of the same draws' training."""
    s = store.settings(simulated)
    c = descent_step(float(s["rate"]), noise_variance(s["diffusion_time"]), s["p"], s["dim"])
    rows = trained.eigenvalue.transpose("seed", "feature").values
    return np.array([noise_share(row, c, int(s["batch"])) for row in rows])


def batch_excess(simulated: xr.Dataset, after: float) -> NDArray[np.float64]:
    """L_train over the filter's, less 1, mean over the steps after a train_time, (seeds,)."""
    late = simulated.train_time.values > after
    return (simulated.train / simulated.exact_train).isel(step=late).mean("step", skipna=False).values - 1


def batch_delay(simulated: xr.Dataset, trained: xr.Dataset) -> float:
    """train_time at which L_gen, mean over seeds, reaches half of the filter's at τ = ∞, over the filter's own."""
    level, time = 0.5 * float(final_gap(trained).mean()), simulated.train_time.values[1:]
    exact = (simulated.exact_test - simulated.exact_train).mean("seed", skipna=False).values[1:]
    return reached(time, simulated.gen.mean("seed", skipna=False).values[1:], level) / reached(time, exact, level)


def final_gap(trained: xr.Dataset) -> NDArray[np.float64]:
    """L_gen at τ = ∞, the last train_time of a training, (seeds,)."""
    return trained.gen.isel(train_time=-1).values


def adam_clock(simulated: xr.Dataset, trained: xr.Dataset) -> NDArray[np.float64]:
    """Steps at which Adam with fresh noise is where the flow is (`training.noisy`), at its finite train_times.

    trained: of the same draws, its first train_time 0 and its last ∞; means over seeds.
    """
    s = store.settings(simulated)
    delta = noise_variance(s["diffusion_time"])
    return adam_steps(
        trained.train_time.values[:-1],
        trained.train.mean("seed", skipna=False).values[:-1],
        trained.eigenvalue.mean("seed", skipna=False).values,
        rate=float(s["rate"]),
        batch=int(s["batch"]),
        noise_variance=delta,
        kappa=learning_rate_constant(delta, s["p"] / s["dim"]),
    )
