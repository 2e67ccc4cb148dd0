"""A quantity that costs nothing, for sweeps of which the values do not matter: f = x·10 + y over times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import xarray as xr

from rfsim.quantities.catalog import QUANTITIES, Cells, Quantity
from rfsim.quantities.parameter import Parameter
from rfsim.quantities.parameters import DATA, DIM, FEATURES_PER_DIM, RIDGE, SAMPLES_PER_DIM, SEED, TRAIN_TIMES
from rfsim.sweeps.plan import Group

PARAMETERS = (SAMPLES_PER_DIM, FEATURES_PER_DIM, DIM, SEED, RIDGE, DATA, TRAIN_TIMES)
OWN = (Parameter(name="word", help="A word.", hint=str), Parameter(name="length", help="Of a path.", hint=int))
DEFAULTS = {
    "data": "isotropic",
    "train_times": (1.0,),
    "word": "",
    "samples_per_dim": 4.0,
    "features_per_dim": 16.0,
    "dim": 10,
    "seed": 0,
    "ridge": 0.0,
    "length": 2,
}
computed: list[Group] = []


def settled(data: xr.Dataset) -> xr.Dataset:
    """A sweep without what differs from run to run: its times."""
    return data.drop_vars("seconds").assign_attrs(wall_time_seconds=0.0)


def sizes(fixed: Mapping[str, Any]) -> dict[str, int]:
    return {"step": int((DEFAULTS | dict(fixed))["length"])}


def compute(group: Group, array=None, report=None) -> xr.Dataset:
    computed.append(group)
    tau = np.atleast_1d(group.fixed.get("train_times", [1.0]))
    known = DEFAULTS | dict(group.fixed)
    cells = [known | {name: values[k] for name, values in group.cells.items()} for k in range(group.size)]
    base = [
        100.0 * cell["samples_per_dim"] + cell["features_per_dim"] + 10000 * cell["seed"] + 1e6 * cell["ridge"]
        for cell in cells
    ]
    value = np.array(base)[:, None] + tau
    status = np.array([3 if cell["samples_per_dim"] == 13 else 1 for cell in cells], dtype=np.int8)
    value[status == 3] = np.nan
    steps = sizes(group.fixed)["step"]
    return xr.Dataset(
        {
            "gen": (("cell", "train_time"), value, {"long_name": "L_gen", "units": "1"}),
            "mass": (("cell", "part"), np.tile([0.25, 0.75], (group.size, 1))),
            "path": (("cell", "step"), np.tile(np.arange(steps) + 0.5, (group.size, 1))),
            "status": ("cell", status),
            "reason": ("cell", np.where(status == 3, "unlucky", "")),
            "residual": ("cell", np.full(group.size, 1e-9)),
        },
        coords={"train_time": tau, "part": ["main", "gen"], "step": np.arange(steps) * 2},
    )


def toy(together: tuple[str, ...] = ("ridge",), tile: int = 0) -> Quantity:
    return Quantity(
        name="train",
        help="A toy.",
        function="tests.sweeps.toys:compute",
        parameters=tuple(one.but(default=DEFAULTS[one.name]) for one in (*PARAMETERS, *OWN)),
        cells=Cells(
            computes=compute,
            together=together,
            tile=tile,
            decompositions=lambda fixed: 1 + (fixed.get("word") == "twice"),
            needed_bytes=lambda known, cells=1: (
                8.0 * (np.asarray(known["features_per_dim"]) * np.asarray(known["dim"])) ** 2
            ),
            sizes=sizes,
        ),
    )


@pytest.fixture
def use(monkeypatch):
    """A function that puts a toy in the place of `train`."""
    computed.clear()

    def put(**settings) -> Quantity:
        quantity = toy(**settings)
        monkeypatch.setitem(QUANTITIES, "train", quantity)
        monkeypatch.setattr("rfsim.sweeps.work.compute", compute)
        monkeypatch.setattr("rfsim.sweeps.checks.refused", lambda group, array: None)
        return quantity

    put()
    return put
