"""Learning curves and parts as ψ_p → ∞ after d → ∞ (equations.md W1 to W5): sums over two channels."""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers
from rfsim.learning import timescales
from rfsim.learning.curves import LossCurves, loss_curves
from rfsim.learning.filters import Filter
from rfsim.learning.trainers import TrainerFilter
from rfsim.limit.bulks import LimitPart
from rfsim.limit.limits import Limit
from rfsim.limit.part_tables import PartSpectrum
from rfsim.limit.wide_spectrum import MINI, WideTables, channels, refined, tables, wide_parts
from rfsim.results.variables import optional
from rfsim.theory.run import LimitRun

FINE = 1024  # nodes of the median of mini, which is read off the rule


class WideCurves(NamedTuple):
    """What the wide limit says of a training.

    Attributes:
        limit: What it was asked of.
        curves: The losses, each (times,).
        error: What they move by where every other node is left out, relative above 1, (times,).
        tables: Of the rule that they are known by.
        parts: Of the spectrum.
        by_part: Spectrum and target, and which points belong to which part.
    """

    limit: Limit
    curves: LossCurves
    error: NDArray[np.float64]
    tables: WideTables
    parts: list[LimitPart]
    by_part: PartSpectrum


def wide_curves(
    limit: Limit, train_times: NDArray[np.float64], trainer: TrainerFilter, tolerance: float = 1e-8
) -> WideCurves:
    """Losses of the wide limit at training times (W2 to W4).

    Args:
        limit: What the equations depend on, m = ∞.
        train_times: τ, (times,); may hold inf.
        trainer: At κ = 2Δ and a ridge over ψ_p.
        tolerance: Of the losses.

    Returns:
        The curves and what they were computed from.
    """

    def values(found: WideTables) -> NDArray[np.float64]:
        return np.stack(loss_curves(found.spectrum, found.target, train_times, trainer))

    found, curves, error = refined(limit, tolerance, values)
    parts = wide_parts(limit)
    names = tuple(part.name for part in parts if part.name in ("mini", "gen"))
    half = found.spectrum.points.size // 2
    rows = {"gen": np.repeat([1.0, 0.0], half), "mini": np.repeat([0.0, 1.0], half)}
    keep = np.array([rows[name] for name in names]).reshape(len(names), 2 * half)
    by_part = PartSpectrum(found.spectrum, found.target, names, keep)
    return WideCurves(limit, LossCurves(*curves), error.max(0), found, parts, by_part)


class _Held:
    """A trainer whose filter is evaluated once at each times and points: losses, energies and errors share it."""

    def __init__(self, trainer: TrainerFilter) -> None:
        self.trainer, self.ridge, self.reach = trainer, trainer.ridge, trainer.reach
        self.seen: dict[tuple[bytes, bytes], Numbers] = {}

    def filter(self, train_times: NDArray[np.float64]) -> Filter:
        f, times = self.trainer.filter(train_times), train_times.tobytes()

        def held(lam: Numbers) -> Numbers:
            key = times, lam.tobytes()
            if key not in self.seen:
                self.seen[key] = f(lam)
            return self.seen[key]

        return held


def held(trainer: TrainerFilter) -> TrainerFilter:
    """The trainer, evaluated once where it is asked for the same.

    Args:
        trainer: Whose filter is applied.

    Returns:
        It again.
    """
    return cast("TrainerFilter", _Held(trainer))


def wide_timescales(run: LimitRun, found: WideCurves, trainer: TrainerFilter, tolerance: float) -> xr.Dataset:
    """By every route, as `theory.curves` has them: formulas over ψ_p, the spectrum's own, the curves' (§3, §5).

    Args:
        run: The problem.
        found: Its curves.
        trainer: Theirs.
        tolerance: Of the losses that are searched.

    Returns:
        tau_gen (gen_route) and tau_mem (mem_route).
    """
    limit, parts = found.limit, {part.name: part for part in found.parts}

    at, grid = searched(run, found, trainer, tolerance)
    own = limit.v2 / limit.samples_per_dim
    gen = timescales.GenTimes(
        run.time(limit.gain * run.total_variance),
        run.time(parts["gen"].mean) if "gen" in parts else None,
        at and timescales.gen_time_of_curve(at, grid),
    )
    mem = timescales.MemTimes(
        run.time(own),
        run.time(own) if "main" in parts else None,
        run.time(_median(limit)) if "mini" in parts else None,
        at and timescales.mem_time_of_curve(at, grid),
    )
    edge = run.time(found.parts[0].lower) if found.parts else None
    return xr.Dataset(
        {
            "tau_gen": ("gen_route", optional(gen), {"long_name": "τ_gen", "units": "1"}),
            "tau_mem": ("mem_route", optional([*mem, edge]), {"long_name": "τ_mem", "units": "1"}),
        },
        coords={"gen_route": list(gen._fields), "mem_route": [*mem._fields, "edge"]},
    )


def searched(
    run: LimitRun, found: WideCurves, trainer: TrainerFilter, tolerance: float
) -> tuple[timescales.Curves | None, NDArray[np.float64]]:
    """The curves at other times, None where they are not known to the tolerance, and the times to search.

    Args:
        run: The problem.
        found: Its curves.
        trainer: Theirs.
        tolerance: Of the losses.

    Returns:
        Both.
    """
    rates = found.tables.spectrum.points[found.tables.spectrum.weights > 0] + trainer.ridge
    if not rates.size:  # nothing is learned
        return None, rates
    grid = timescales.time_grid(rates, 2 * run.delta)
    solved = wide_curves(found.limit, grid, trainer, tolerance)
    if solved.error.max() > tolerance:
        return None, grid
    tables = solved.tables
    return lambda times: loss_curves(tables.spectrum, tables.target, times, trainer), grid


def _median(limit: Limit) -> float:
    """Of mini: its eigenvalues fall as those of Σ̂ rise."""
    law = tables(limit, FINE).law
    order = np.argsort(law.points[law.points > 0])
    lam, weights = law.points[law.points > 0][order], law.weights[law.points > 0][order]
    below = np.cumsum(weights) - weights / 2
    middle = np.interp(weights.sum() / 2, below, lam)
    return float(channels(limit, np.array([middle])).points[MINI][0])
