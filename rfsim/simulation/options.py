"""What a simulation is asked for: its settings, checked, and the memory that they take."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.checking.scalars import real
from rfsim.checking.written import plain
from rfsim.problem.model import Problem
from rfsim.simulation.optimizers import PLAIN, Optimizer
from rfsim.simulation.schedules import CONSTANT, Schedule
from rfsim.simulation.stochastic import Simulation

FULL = "full"


class OptimizerOptions(TypedDict, total=False):
    """How read-outs are trained, every one with its default in `setting`."""

    optimizer: str | Optimizer
    rate: float | None
    batch: int | str
    noise: str | None
    ema: float
    precision: str
    products: str
    schedule: str | Schedule


def setting(
    problem: Problem,
    *,
    optimizer: str | Optimizer = PLAIN,
    rate: float | None = None,
    batch: int | str = FULL,
    noise: str | None = None,
    ema: float = 0.0,
    precision: str = "float64",
    products: str = "highest",
    schedule: str | Schedule = CONSTANT,
) -> Simulation:
    """The checked settings of a simulation, rate 1 where none is given; ValueError, in one line, for others."""
    if noise is None:
        noise = "fresh" if math.isinf(problem.noise_copies) else "frozen"
    rows = None if batch == FULL else batch
    if isinstance(rows, str):
        raise ValueError(f"batch must be {FULL} or a whole number of draws; got {rows!r}")
    given = 1.0 if rate is None else real("rate", rate)
    simulation = Simulation(optimizer, given, rows, real("ema", ema), noise, precision, products, schedule)
    if rate is None and not simulation.plain:
        raise ValueError(
            f"optimizer {simulation.optimizer} needs a rate; only plain {PLAIN} has a stable limit to take it from"
        )
    simulation.check(problem)
    return simulation


def settings(simulation: Simulation, rate: float | None) -> dict[str, Any]:
    """What a result of a simulation is identified by, beside the problem's own settings and the number of steps.

    Args:
        simulation: The settings of the simulation.
        rate: The learning rate η that it has; None where it is not known yet.

    Returns:
        Settings by name, as texts and numbers.
    """
    found = {one.name: plain(getattr(simulation, one.name)) for one in fields(simulation)}
    batch, decay = found.pop("batch"), found.pop("decay")
    if simulation.schedule.constant:  # as it was before there were others
        found.pop("schedule")
    return found | {"rate": rate, "batch": FULL if batch is None else batch, "ema": decay}


def needed_bytes(
    dim: ArrayLike,
    samples: ArrayLike,
    features: ArrayLike,
    noise_copies: ArrayLike,
    *,
    setting: Simulation,
    exact: bool,
    parts: int = 1,
) -> NDArray[np.float64]:
    """Bytes at the peak of a simulation, of each of `parts` over which features are divided; sizes broadcast.

    Beside the matrices: a batch with its features, and the frozen draws where batches are taken of them. With `exact`
    one device holds whole matrices; without, every one its share of all that has features.
    """
    d, n, p, m = (np.asarray(value, dtype=float) for value in (dim, samples, features, noise_copies))
    rows, frozen = draws_of(n, m, setting)
    divided = (0 if exact else 4) * p**2 + 3 * rows * p + 12 * p * d
    whole_ = (11 if exact else 0) * p**2 + 3 * rows * d + 4 * frozen * d
    return 8 * (divided / parts + whole_) + 2**29


def draws_of(
    samples: ArrayLike, noise_copies: ArrayLike, setting: Simulation
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draws of a step, and the frozen ones they are taken from."""
    n, m = np.asarray(samples, dtype=float), np.asarray(noise_copies, dtype=float)
    if setting.averaged:
        return np.zeros_like(n), np.zeros_like(n)
    frozen = n * m if setting.noise == "frozen" else np.zeros_like(n)
    return (np.full_like(n, setting.batch) if setting.batch else np.maximum(n, frozen)), frozen
