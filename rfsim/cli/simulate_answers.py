"""A simulation as an answer: the JSON object of the command contract, and the same facts as lines for a reader.

Over several seeds a value is the mean, and `NAME_se` its standard error; what one seed lacks is undefined (null).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from rfsim.cli.answers import errors, head, mean, short, size_lines, table
from rfsim.disk import store

if TYPE_CHECKING:
    import xarray as xr

LOSSES = ("train", "test", "gen")
OPTIMIZER = ("optimizer", "batch", "noise", "ema", "precision", "products")
ROWS = 12  # of the table that a reader sees


def answer(data: xr.Dataset) -> dict[str, Any]:
    """`rfsim simulate --json`: losses at every recorded step, and the filter's at the same steps."""
    settings = store.settings(data)
    found = head(data) | {
        "optimizer": {"name" if name == "optimizer" else name: settings[name] for name in OPTIMIZER}
        | {name: settings[name] for name in ("schedule",) if name in settings}
        | {"rate": float(data.rate), "limit": mean(data.limit), "rounding": float(data.rounding.max())},
        "devices": json.loads(data.attrs["devices"]),
        "step": data.step.values,
        "train_time": data.train_time.values,
    }
    for name in LOSSES:
        found |= {name: mean(data[name])} | errors(data, name, name)
    exact = {name: mean(data[f"exact_{name}"]) for name in ("train", "test")}
    return store.plain(found | {"exact": {name: _or_none(values) for name, values in exact.items()}})


def lines(data: xr.Dataset) -> list[str]:
    """What was run on what, and the losses at some of the steps as a table."""
    told = answer(data)
    by = told["optimizer"]
    head_ = [
        f"{by['name']} at rate {by['rate']:.6g}, stable below {short(by['limit'])}; batch {by['batch']}, noise "
        f"{by['noise']}, ema {by['ema']:g}" + (f", schedule {by['schedule']}" if "schedule" in by else ""),
        f"{', '.join(told['devices'])}; {by['precision']}, products {by['products']}, a gradient's relative error "
        f"{short(by['rounding'])}",
    ]
    columns = {"step": told["step"], "train_time": told["train_time"]} | {name: told[name] for name in LOSSES}
    columns |= {f"exact {name}": values for name, values in told["exact"].items() if values is not None}
    shown = np.unique(np.linspace(0, len(told["step"]) - 1, ROWS).astype(int))
    rows = [[short(values[k]) for values in columns.values()] for k in shown]
    return [*size_lines(data), *head_, *table([list(columns), *rows])]


def failed_parts(data: xr.Dataset) -> list[str]:
    """A line for each seed that diverged."""
    return [f"seed {seed} {line}" for seed, line in json.loads(data.attrs["diverged"]).items()]


def _or_none(values: Any) -> Any:
    return None if np.all(np.isnan(values)) else values
