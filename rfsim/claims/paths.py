"""What rules on ridge and training time measure alike: the path of ridges at τ = ∞ against the path of times at γ = 0.

Both are read from a result over ridge and train_time, ridge 0 first and τ = ∞ last; a ridge γ is compared with the
time 1/(κγ) (equations.md T7; Ali, Kolter, Tibshirani 2019).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.claims.noise import reached
from rfsim.disk import store
from rfsim.learning.filters import learning_rate_constant
from rfsim.problem.diffusion import noise_variance

FROM, TO = 0.05, 0.95  # of the way from the flow's best loss to its last, where times are matched


def points(result: xr.Dataset) -> Iterator[tuple[float, float, float, xr.Dataset]]:
    """The points of a sweep over samples_per_dim and features_per_dim.

    Args:
        result: Of a sweep over these two and more.

    Yields:
        ψ_n, ψ_p, κ (T7), and what the sweep holds there.
    """
    delta = noise_variance(store.settings(result)["problem"]["diffusion_time"])
    for n in result.samples_per_dim.values.tolist():
        for p in result.features_per_dim.values.tolist():
            yield n, p, learning_rate_constant(delta, p), result.sel(samples_per_dim=n, features_per_dim=p)


def stopped(here: xr.Dataset, loss: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A loss of the flow without a ridge at its finite train_times (T7).

    Args:
        here: A result over ridge and train_time, ridge 0 first and τ = ∞ last.
        loss: Name of the variable.

    Returns:
        The train_times and the losses, (times,) each.
    """
    path = here[loss].sel(ridge=0.0).isel(train_time=slice(None, -1))
    return path.train_time.values, path.values


def matched(here: xr.Dataset, kappa: float, loss: str = "test") -> dict[float, float]:
    """κγτ at which the flow has the loss of a ridge (T7; Ali, Kolter, Tibshirani 2019).

    Past its best moment the flow has at τ the loss that the ridge γ has at τ = ∞. Only ridges below the best one, so
    that both are on the side where training on harms, and whose loss lies from FROM to TO of the way from the flow's
    best to its last; linear in log τ.

    Args:
        here: A result over ridge and train_time, ridge 0 first and τ = ∞ last.
        kappa: κ of its problem.
        loss: Name of the variable.

    Returns:
        κγτ by γ.
    """
    tau, path = stopped(here, loss)
    first = int(path.argmin())
    final = here[loss].isel(train_time=-1)
    bottom, top = path[first], float(final.sel(ridge=0.0))
    found = {}
    for gamma in here.ridge.values[1 : int(final.values.argmin())].tolist():
        level = float(final.sel(ridge=gamma))
        if FROM <= (level - bottom) / (top - bottom) <= TO:
            found[gamma] = kappa * gamma * reached(tau[first:], path[first:], level)
    return {gamma: value for gamma, value in found.items() if np.isfinite(value)}


def stopped_over_ridged(here: xr.Dataset, kappa: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """E_score of the flow stopped at τ = 1/(κγ) over that of the ridge γ (T7; Ali, Kolter, Tibshirani 2019).

    Args:
        here: A result over ridge and train_time, ridge 0 first and τ = ∞ last.
        kappa: κ of its problem.

    Returns:
        The ridges whose time was computed, and the ratios, (ridges,) each.
    """
    tau, path = stopped(here, "score")
    gamma = here.ridge.values[1:]
    at = 1 / (kappa * gamma)
    inside = (at >= tau[0]) & (at <= tau[-1])
    flow = np.interp(np.log(at[inside]), np.log(tau), path)
    return gamma[inside], flow / here.score.isel(train_time=-1).values[1:][inside]
