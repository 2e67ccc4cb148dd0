"""Learning curves of the limit as a labelled result: losses, timescales, energies and terms by part."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from rfsim.model import TRAIN_TIMES, Problem, times
from rfsim.precision import in_float64
from rfsim.results import optional, part_terms
from rfsim.runs import Report
from rfsim.theory.bulks import Part, masses, parts
from rfsim.theory.dynamics import limit_curves
from rfsim.theory.quantiles import quantile
from rfsim.theory.quantities.run import LimitRun
from rfsim.theory.tables import limit_spectrum, part_spectrum
from rfsim.trainers import Trainer
from rfsim.trainers import trainer as named
from rfsim.training import losses, timescales
from rfsim.training.curves import LossCurves, energy_curves, loss_curves, part_curves

LONG_NAMES = {
    "train": "L_train",
    "train_penalized": "L_train with the ridge's penalty",
    "test": "L_test",
    "emp": "L_emp, the training samples with fresh noise",
    "score": "E_score",
    "gen": "L_gen",
    "cross": "(1/d) Tr Vᵀ f(U) Ṽ",
    "bias2": "bias²",
    "variance": "variance",
    "error": "change at the last doubling of the contour's nodes",
}


@in_float64
def curves(
    problem: Problem,
    train_times: ArrayLike = TRAIN_TIMES,
    *,
    trainer: str = "flow",
    by_part: bool = False,
    tolerance: float = 1e-8,
    array: ArrayLike | None = None,
    center: bool = True,
    scale: str = "global",
    report: Report | None = None,
) -> xr.Dataset:
    """Losses as d → ∞ at every train_time, from zero (equations.md T13, T14), and the timescales of §3 and §5.

    train_times: (times,) not negative, inf allowed; trainer as in `rfsim.trainers`; `array` (samples, dim) takes the
    place of a data file, of which the covariance alone is used. Contour nodes are doubled until the losses move by at
    most `tolerance`, relative where they pass 1.

    Returns variables train, test, gen, train_penalized, score, emp, bias2, variance, cross, error (train_time), all
    NaN at times where the tolerance is not met, some where they are not defined: score for arrays, emp where noise
    copies are finite, bias2 and variance but for isotropic data; energy (bulk, train_time); tau_gen (gen_route) and
    tau_mem (mem_route), the eigenvalues of mini and main taken by rank, also where no gap separates them, `edge` the
    smallest eigenvalue above the atom; residual, of the equations, relative; nodes; the constants (T9). With by_part,
    train_without and test_without (bulk, train_time), train_part, and test_pair (bulk, other, train_time), as in
    `rfsim.train`.

    Raises ValueError for parameters outside the theory's domain, NotConverged where the equations are not solved.

    >>> result = curves(Problem(samples_per_dim=4, features_per_dim=16), [1e5])
    >>> float(result.train[0].round(5)), float(result.test[0].round(3))
    (0.49337, 1.844)
    """
    run = LimitRun(problem, array=array, center=center, scale=scale)
    tau = times(train_times)
    trained = named(trainer, run.kappa, problem.ridge)
    if report:
        report("curves", {})
    found = parts(run.limit)
    carrying = [part for part in found if part.lower < part.upper]
    ends = carrying[0].lower, carrying[-1].upper
    # the times searched for timescales have their share in the choice of nodes
    grid = timescales.time_grid(np.array(ends) + problem.ridge, run.kappa)
    searched = np.concatenate([tau, [0.0, np.inf], grid])
    solved = limit_curves(run.limit, searched, problem.ridge, trainer=trainer, tolerance=tolerance)
    values = LossCurves(*(np.asarray(row)[: tau.size] for row in solved.curves))
    data = _losses(run, values).assign(error=("train_time", solved.error[: tau.size]))
    if ends[0] > 0:
        data = data.assign(_by_part(run, values, tau, trained, every=by_part))
    # what is not known to the tolerance is not shown
    known = solved.error[: tau.size] <= tolerance * np.maximum(1.0, np.abs(values.test))
    kept = {name: one.where(known) if "train_time" in one.dims else one for name, one in data.items()}
    data = xr.Dataset(kept, coords=data.coords).assign(error=data.error)
    if report:
        report("timescales", {})
    pair = limit_spectrum(run.limit, solved.nodes, ridge=problem.ridge, reach=trained.reach)
    data = data.assign(
        residual=((), solved.residual, {"long_name": "of the equations, relative"}),
        nodes=((), solved.nodes, {"long_name": "nodes of the contour"}),
    ).merge(_timescales(run, found, lambda train_times: loss_curves(*pair, train_times, trained), grid))
    data = data.assign_coords(train_time=("train_time", tau, {"long_name": "training time τ", "units": "1"}))
    return run.label("theory-curves", data, {"train_times": tau.tolist(), "trainer": trainer, "by_part": by_part})


def _losses(run: LimitRun, values: LossCurves) -> xr.Dataset:
    undefined = np.full(values.train.size, np.nan)
    score = losses.score_error(values.test, run.delta, run.score_power) if run.named else undefined
    bias2 = variance = undefined
    if run.population.isotropic:
        bias2 = losses.bias_squared(values.cross, run.delta, run.total_variance)
        variance = np.asarray(score) - np.asarray(bias2)
    columns = {
        "train": values.train,
        "test": values.test,
        "score": score,
        "gen": values.gen,
        "bias2": bias2,
        "variance": variance,
        "emp": undefined if run.finite_copies else values.train,
        "train_penalized": values.train_penalized,
        "cross": values.cross,
    }
    return xr.Dataset(
        {
            name: ("train_time", np.asarray(column), {"long_name": LONG_NAMES[name], "units": "1"})
            for name, column in columns.items()
        }
    )


def _by_part(run: LimitRun, values: LossCurves, tau: NDArray[np.float64], trainer: Trainer, *, every: bool):
    """Energies, and with `every` the terms of the losses, on the parts that carry V; none reaches down to 0."""
    found = part_spectrum(run.limit, run.problem.ridge, trainer.reach)
    energy = energy_curves(found.spectrum, tau, trainer, run.delta, found.keep)
    data = xr.Dataset(
        {"energy": (("bulk", "train_time"), energy, {"long_name": "(1/d) Tr Ā P U Āᵀ", "units": "1"})},
        coords={"bulk": list(found.names)},
    )
    if not every:
        return data
    terms = part_curves(found.spectrum, found.target, tau, trainer, found.keep)
    return data.assign(part_terms(values, *terms)).assign_coords(other=list(found.names))


def _timescales(run: LimitRun, found: tuple[Part, ...], at: timescales.Curves, grid: NDArray[np.float64]) -> xr.Dataset:
    rank, problem = masses(run.limit), run.problem
    below = rank["zero"] + rank["null"]
    median, border = quantile(run.limit, [below + rank["mini"] / 2, min(below + rank["mini"], 1.0)])
    smallest = timescales.smallest_bulk_eigenvalue(run.constants, problem.samples_per_dim, problem.features_per_dim)
    mean = timescales.mean_gen_eigenvalue(run.constants, run.total_variance, problem.features_per_dim)
    gen = timescales.GenTimes(
        run.time(mean),
        run.time(found[-1].mean) if found[-1].name == "gen" else None,
        timescales.gen_time_of_curve(at, grid),
    )
    mem = timescales.MemTimes(
        run.time(smallest),
        run.time(float(border)) if rank["main"] else None,
        run.time(float(median)) if rank["mini"] else None,
        timescales.mem_time_of_curve(at, grid),
    )
    edge = run.time(next(part.lower for part in found if part.lower < part.upper))
    return xr.Dataset(
        {
            "tau_gen": ("gen_route", optional(gen), {"long_name": "τ_gen", "units": "1"}),
            "tau_mem": ("mem_route", optional([*mem, edge]), {"long_name": "τ_mem", "units": "1"}),
        },
        coords={"gen_route": list(gen._fields), "mem_route": [*mem._fields, "edge"]},
    )
