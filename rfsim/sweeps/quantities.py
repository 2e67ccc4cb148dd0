"""What one group of a sweep computes: for each public quantity its parameters, what they share, and what it costs."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from rfsim import api, densities, theory
from rfsim.distillation import front as distillation
from rfsim.model import Problem
from rfsim.runs import Report
from rfsim.simulation import asked
from rfsim.simulation import front as simulation
from rfsim.sweeps import costs, limits, sampled
from rfsim.sweeps.cells import Given
from rfsim.sweeps.costs import Parameters
from rfsim.theory.quantities import diagram

PRIVATE = ("problem", "array", "report", "begin", "options")  # not settings of a cell
TILE = 64  # cells of the plane in one program
STUDENTS = 16  # of one distillation: all of their weights, at every level and time, are held

Computes: TypeAlias = Callable[[Given, ArrayLike | None, Report | None], xr.Dataset]


class Quantity(NamedTuple):
    """A public quantity as a sweep sees it.

    parameters: all that a spec may give; lists: those that are lists, and the result's dimension each makes; together:
    those of which one group serves many values; tile: the most cells of a group, 0 for no bound; decompositions: of U,
    that a group of these fixed parameters does over all of its seeds; needed_bytes: at the peak of a group, of values
    that may be arrays (groups,), and of a number of cells; sizes: of dimensions whose length depends on parameters;
    defaults: of every parameter that has one;
    computes: a group of them.
    """

    name: str
    parameters: tuple[str, ...]
    lists: Mapping[str, str]
    together: tuple[str, ...]
    tile: int
    decompositions: Callable[[Parameters], int]
    needed_bytes: Callable[..., NDArray[np.float64]]
    sizes: Callable[[Parameters], Mapping[str, int]]
    defaults: Mapping[str, Any]
    computes: Computes


def compute(group: Given, array: ArrayLike | None = None, report: Report | None = None) -> xr.Dataset:
    """All cells of a group, along the dimension cell; what one cell costs itself is in status and reason.

    Variables and dimensions are those of the front door's result, numbers as float64, bulk and other labels in full,
    without the seed where there is one; status (1 done, 2 unconverged, 3 failed), reason and residual by cell.
    """
    return QUANTITIES[group.quantity].computes(group, array, report)


def tile(quantity: Quantity, fixed: Parameters) -> int:
    """The most cells of a group of these fixed parameters: 1 where the quantity has no program for many of them."""
    alone = quantity.name == "theory.curves" and not limits.mapped(fixed)
    return 1 if alone else quantity.tile


def _quantity(
    name: str,
    doors: Sequence[Callable[..., Any]],
    computes: Computes,
    *,
    without: Sequence[str] = (),
    lists: Mapping[str, str] | None = None,
    together: Sequence[str] = (),
    tile: int = 0,
    decompositions: Callable[[Parameters], int] = costs.none,
    needed_bytes: costs.Formula = costs.nothing_large,
    words: Sequence[str] = (),
    sizes: Callable[[Parameters], Mapping[str, int]] = costs.fixed,
    **defaults: Any,
) -> Quantity:
    """`doors`: the functions whose signatures name the parameters, beside the problem's own."""
    found = {one.name: one.default for one in dataclasses.fields(Problem)}
    for door in doors:
        for one in inspect.signature(door).parameters.values():
            if one.kind is not inspect.Parameter.VAR_KEYWORD:
                found.setdefault(one.name, one.default)
    left = {one: value for one, value in found.items() if one not in (*PRIVATE, *without)}
    listed = dict(lists or {})
    return Quantity(
        name,
        tuple(left),
        listed,
        tuple(together),
        tile,
        decompositions,
        costs.vectorized(needed_bytes, tuple(listed), words),
        sizes,
        {one: value for one, value in left.items() if value is not inspect.Parameter.empty} | defaults,
        computes,
    )


QUANTITIES: dict[str, Quantity] = {
    one.name: one
    for one in (
        _quantity(
            "train",
            [api.train],
            sampled.train,
            without=("ridges",),
            lists={"train_times": "train_time"},
            together=("ridge", "trainer"),
            decompositions=costs.spectra,
            needed_bytes=costs.train_bytes,
            sizes=costs.features,
        ),
        _quantity(
            "spectrum",
            [api.spectrum],
            sampled.spectrum,
            without=("ridge",),
            decompositions=costs.spectra,
            needed_bytes=costs.spectrum_bytes,
            sizes=costs.features,
        ),
        _quantity(
            "simulate",
            [simulation.simulate, asked.setting],
            sampled.simulate,
            without=("devices", "checkpoint", "resume", "checkpoint_minutes", "model", "moments"),
            together=sampled.SETTINGS,
            decompositions=costs.simulations,
            needed_bytes=costs.simulation_bytes,
            words=("noise_copies", "batch"),
            sizes=costs.stops,
        ),
        _quantity(
            "distill",
            [distillation.distill, distillation.plan],
            sampled.distill,
            without=("diffusion_time", "spill", "students", "variants"),
            lists={"distill_times": "distill_time", "leakage_ridges": "leakage_ridge"},
            together=sampled.STUDENT,
            tile=STUDENTS,
            decompositions=costs.distillations,
            needed_bytes=costs.distillation_bytes,
            sizes=costs.levels,
        ),
        _quantity(
            "density",
            [densities.density],
            sampled.density,
            without=("ridge",),
            needed_bytes=costs.density_bytes,
            sizes=costs.probes,
        ),
        _quantity(
            "theory.curves",
            [theory.curves],
            limits.curves,
            lists={"train_times": "train_time"},
            together=limits.PLANE,
            tile=TILE,
            tolerance=diagram.TOLERANCE,
        ),
        _quantity(
            "theory.spectrum",
            [theory.spectrum],
            limits.spectrum,
            without=("ridge", "points"),
            lists={"grid": "eigenvalue"},
        ),
        _quantity(
            "theory.ridge",
            [theory.ridge],
            limits.ridge,
            without=("ridge",),
            lists={"ridges": "ridge"},
            together=limits.PLANE,
            tile=TILE,
        ),
        _quantity("theory.score_minimum", [theory.score_minimum], limits.score_minimum),
        _quantity(
            "theory.mini_gap",
            [theory.mini_gap],
            limits.mini_gap,
            without=("ridge", "features_per_dim", "diffusion_times"),
        ),
    )
}
