"""A labelled simulation of invented numbers."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from rfsim.disk import store
from rfsim.problem import origins
from rfsim.results.variables import LONG_NAMES
from rfsim.simulation.options import setting, settings

STOPS = np.array([0, 1, 2, 3, 4, 6, 7, 10])


def dataset(problem, *, dim=3, seed=0, seeds=1, diverged=None, exact=True, steps=10, devices=1, **options):
    """A result of invented numbers, with the settings that `options` make."""
    sizes = origins.resolve(problem, origins.source(problem), dim)
    own = origins.settings(problem, origins.source(problem), sizes, seed=seed, seeds=seeds)
    own |= {"model": "real", "route": "dense", "moments": "exact"}
    own |= settings(setting(problem, **options), options.get("rate")) | {
        "steps": steps,
        "devices": devices,
        "exact": exact,
    }
    rows = 1 / (1 + STOPS) + 0.1 * np.arange(seeds)[:, None]
    if diverged:
        rows = np.where(STOPS > 3, np.nan, rows)
    values = {"train": rows, "test": rows + STOPS / 100, "gen": STOPS / 100 + 0 * rows}
    for name in ("train", "test"):
        values[f"exact_{name}"] = values[name] * (1 if exact else np.nan)
    data = xr.Dataset(
        {name: (("seed", "step"), row, {"long_name": LONG_NAMES.get(name, name)}) for name, row in values.items()}
        | {"train_time": ("step", 0.5 * STOPS), "script_time": ("step", 2.0 * STOPS), "rate": ((), 4.5)}
        | {"limit": ("seed", np.full(seeds, 9.0)), "rounding": ("seed", np.full(seeds, 1e-7))},
        coords={"seed": seed + np.arange(seeds), "step": STOPS},
        attrs={"diverged": json.dumps(diverged or {}), "devices": json.dumps(["cpu:0 cpu"])},
    )
    return store.label(data, "simulate", own, wall_time=1.0)
