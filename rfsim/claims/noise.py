"""What rules on the noise of batches measure alike, with what theory foretells of the same draws (`training.noisy`)."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.disk import store
from rfsim.learning.descent import descent_step
from rfsim.learning.filters import learning_rate_constant
from rfsim.learning.noisy import adam_steps, noise_share
from rfsim.problem.diffusion import noise_variance


def reached(clock: NDArray[np.float64], values: NDArray[np.float64], level: float) -> float:
    """Where on a clock values first reach a level, on a straight line in the clock's log.

    Args:
        clock: Ascending and positive, (times,).
        values: (times,).
        level: To reach.

    Returns:
        The time, in the clock's unit; inf if never.

    >>> reached(np.array([1.0, 10.0, 100.0]), np.array([0.0, 1.0, 3.0]), 2.0).__round__(3)
    31.623
    """
    k = int(np.argmax(values >= level))
    if values[k] < level:
        return math.inf
    pair = slice(max(k - 1, 0), k + 1)
    return float(np.exp(np.interp(level, values[pair], np.log(clock[pair]))))


def batch_share(simulated: xr.Dataset, trained: xr.Dataset) -> NDArray[np.float64]:
    """Share S of the loss that batches of plain descent add at rest (`training.noisy`; §3).

    Args:
        simulated: A result of `rfsim.simulate`.
        trained: A result of `rfsim.train` of the same draws, with eigenvalues.

    Returns:
        S, (seeds,).
    """
    s = store.settings(simulated)
    c = descent_step(float(s["rate"]), noise_variance(s["diffusion_time"]), s["p"], s["dim"])
    rows = trained.eigenvalue.transpose("seed", "feature").values
    return np.array([noise_share(row, c, int(s["batch"])) for row in rows])


def batch_excess(simulated: xr.Dataset, after: float) -> NDArray[np.float64]:
    """Excess of L_train over the filter's, relative, mean over late steps (§3).

    Args:
        simulated: A result of `rfsim.simulate`.
        after: The train_time after which steps count.

    Returns:
        The excess, (seeds,).
    """
    late = simulated.train_time.values > after
    return (simulated.train / simulated.exact_train).isel(step=late).mean("step", skipna=False).values - 1


def batch_delay(simulated: xr.Dataset, trained: xr.Dataset) -> float:
    """Time at which L_gen of batches reaches half of the filter's at τ = ∞, over the filter's own (§3).

    Args:
        simulated: A result of `rfsim.simulate`; means over its seeds.
        trained: A result of `rfsim.train` of the same draws, its last train_time ∞.

    Returns:
        The ratio of the two train_times.
    """
    level, time = 0.5 * float(final_gap(trained).mean()), simulated.train_time.values[1:]
    exact = (simulated.exact_test - simulated.exact_train).mean("seed", skipna=False).values[1:]
    return reached(time, simulated.gen.mean("seed", skipna=False).values[1:], level) / reached(time, exact, level)


def final_gap(trained: xr.Dataset) -> NDArray[np.float64]:
    """L_gen at τ = ∞ (§1).

    Args:
        trained: A result of `rfsim.train`, its last train_time ∞.

    Returns:
        L_gen, (seeds,).
    """
    return trained.gen.isel(train_time=-1).values


def adam_clock(simulated: xr.Dataset, trained: xr.Dataset) -> NDArray[np.float64]:
    """Steps at which Adam with fresh noise is where the flow is (`training.noisy`; §3).

    Args:
        simulated: A result of `rfsim.simulate` by Adam.
        trained: A result of `rfsim.train` of the same draws, its first train_time 0 and its last ∞; means over seeds.

    Returns:
        The steps at its finite train_times, (times,).
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
