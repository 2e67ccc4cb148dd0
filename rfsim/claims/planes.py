"""What rules on maps measure alike: the border of memorization, and samples at two dimensions against d → ∞."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

HALF = 0.5  # of the value at τ = ∞: where L_gen has set in


def border(share: xr.DataArray, least: float) -> dict[float, float]:
    """Border of memorization: where L_gen has reached half of its final value (§5).

    Read along columns of fixed ψ_p, from p = n downward, linearly in log ψ_n between points of the grid.

    Args:
        share: Of its final value that L_gen has reached, over samples_per_dim and features_per_dim.
        least: ψ_p from which on columns are read.

    Returns:
        The largest such ψ_n < ψ_p by ψ_p; columns without one are left out.

    >>> grid = {"samples_per_dim": [1.0, 4.0, 16.0], "features_per_dim": [32.0]}
    >>> border(xr.DataArray([[0.9], [0.6], [0.4]], coords=grid), least=8)
    {32.0: 8.0}
    """
    table = share.transpose("samples_per_dim", "features_per_dim").values - HALF
    psi_n = share.samples_per_dim.values
    found = {}
    for psi_p, column in zip(share.features_per_dim.values.tolist(), table.T, strict=True):
        inside = psi_n < psi_p
        falls = np.flatnonzero((column[:-1] >= 0) & (column[1:] < 0) & inside[1:])
        if psi_p >= least and falls.size:
            k = int(falls[-1])
            step = np.log(psi_n[k + 1] / psi_n[k])
            found[psi_p] = float(psi_n[k] * np.exp(step * column[k] / (column[k] - column[k + 1])))
    return found


class Extrapolated(NamedTuple):
    """Means over seeds brought to d = ∞ by the law 1/d from two dimensions.

    Attributes:
        value: At d = ∞.
        error: Its standard error.
    """

    value: xr.DataArray
    error: xr.DataArray


def extrapolated(values: xr.DataArray) -> Extrapolated:
    """Value at d = ∞ by the law 1/d, (d₂L₂ − d₁L₁)/(d₂ − d₁) of the means L over seeds.

    Seeds are independent draws at every dim. A term c/d² leaves −c/(d₁d₂).

    Args:
        values: Over dim, whose smallest and largest value are used, seed, and any other dimensions.

    Returns:
        The value and its standard error, over the other dimensions.

    >>> one = xr.DataArray([[3.0, 3.2], [2.0, 2.1]], coords={"dim": [10, 20], "seed": [0, 1]})
    >>> found = extrapolated(one)
    >>> float(found.value.round(12)), float(found.error.round(4))
    (1.0, 0.1414)
    """
    low, high = values.dim.values[[0, -1]].tolist()
    mean, error = values.mean("seed"), values.std("seed", ddof=1) / np.sqrt(values.sizes["seed"])
    weights = {low: -low / (high - low), high: high / (high - low)}
    value = sum(weight * mean.sel(dim=dim, drop=True) for dim, weight in weights.items())
    variance = sum((weight * error.sel(dim=dim, drop=True)) ** 2 for dim, weight in weights.items())
    return Extrapolated(xr.DataArray(value), xr.DataArray(variance) ** 0.5)


class Agreement(NamedTuple):
    """How many cells agree with the limit.

    Attributes:
        agreeing: How many do.
        cells: How many there are.
        farthest: Largest relative distance among them.
    """

    agreeing: int
    cells: int
    farthest: float

    @property
    def share(self) -> float:
        """Share of the cells that agree."""
        return self.agreeing / self.cells

    @property
    def words(self) -> str:
        """The agreement in words."""
        return f"{self.agreeing} of {self.cells} ({100 * self.share:.0f}%), largest distance {100 * self.farthest:.1f}%"


def agreement(found: Extrapolated, limit: xr.DataArray, errors: float, relative: float) -> Agreement:
    """In how many cells a value lies near the limit: within errors standard errors plus a relative distance.

    Args:
        found: Values and standard errors.
        limit: Over the same grid; NaN where there is none.
        errors: Number of standard errors allowed.
        relative: Distance allowed beside them, relative to the limit.

    Returns:
        The agreement.

    >>> limit = xr.DataArray([1.0, 2.0, 0.0])
    >>> found = Extrapolated(xr.DataArray([1.05, 2.5, 0.0]), xr.DataArray([0.01, 0.01, 0.0]))
    >>> agreement(found, limit, errors=3, relative=0.03).words
    '2 of 3 (67%), largest distance 25.0%'
    """
    distance = abs(found.value - limit)
    known = distance.notnull()
    within = (distance <= errors * found.error + relative * abs(limit)) & known
    farthest = (distance / abs(limit).where(limit != 0)).max()
    return Agreement(int(within.sum()), int(known.sum()), float(farthest))
