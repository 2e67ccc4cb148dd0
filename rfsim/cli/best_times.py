"""When to stop: the training time of the lowest L_test among all that were computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rfsim.cli.answers import short

if TYPE_CHECKING:
    import xarray as xr


def lines(data: xr.Dataset) -> list[str]:
    """One line on the best training time, with its neighbors, between which the minimum lies; nothing where the result
    has no L_test over several times.

    Over several seeds it is that of their mean.
    """
    if "test" not in data or set(data.test.dims) - {"seed"} != {"train_time"} or data.sizes["train_time"] < 2:
        return []
    test = data.test.mean("seed") if "seed" in data.test.dims else data.test
    test = test.sortby("train_time")
    test = test[np.isfinite(test.values)]
    if test.size < 2:
        return []
    times, best = test.train_time.values, int(np.argmin(test.values))
    told = f"L_test is lowest, {short(float(test[best]))}, at train_time {short(float(times[best]))}"
    if best == len(times) - 1:
        return [f"{told}, the last of {len(times)}: it falls until then, and later times may be better"]
    if best == 0:
        return [f"{told}, the first of {len(times)}: earlier times may be better"]
    low, high = (float(f"{times[k]:.3g}") for k in (best - 1, best + 1))
    return [f"{told}, of {len(times)}; closer: --train-times {low:g}:{high:g}:20"]
