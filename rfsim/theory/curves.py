"""Learning curves of the limit as a labelled result: losses, timescales, energies and terms by part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from rfsim.computing.precision import in_complex128
from rfsim.learning import losses, timescales, trainers
from rfsim.learning.curves import LossCurves, energy_curves, loss_curves, part_curves, train_curve
from rfsim.learning.trainers import Trainer, TrainerFilter
from rfsim.limit.bulks import LimitPart, masses, parts
from rfsim.limit.class_tables import class_targets
from rfsim.limit.contour_sums import LimitSpectrum
from rfsim.limit.dynamics import limit_curves
from rfsim.limit.part_tables import PartSpectrum, part_spectrum
from rfsim.limit.quantiles import quantile
from rfsim.problem.arrays import Rows
from rfsim.problem.classes import named
from rfsim.problem.model import TRAIN_TIMES, Problem, times
from rfsim.quantities.meant import known_keywords
from rfsim.results import classes
from rfsim.results.progress import Begin, Report
from rfsim.results.variables import LONG_NAMES, optional, part_terms
from rfsim.theory.run import LimitRun, require_tolerance
from rfsim.theory.spectrum import spectrum_dataset
from rfsim.theory.wide_curves import held, wide_curves, wide_timescales


@known_keywords
@in_complex128
def curves(
    problem: Problem,
    train_times: ArrayLike = TRAIN_TIMES,
    *,
    trainer: str | Trainer = "flow",
    by_part: bool = False,
    ridge_per_feature: bool = False,
    tolerance: float = 1e-8,
    array: ArrayLike | Rows | None = None,
    center: bool = True,
    scale: str = "global",
    covariance: str = "sample",
    report: Report | None = None,
    begin: Begin | None = None,
) -> xr.Dataset:
    """Losses as d → ∞ at every train_time, from zero, and the timescales.

    Equations.md T13 and T14, §3 and §5. At features_per_dim inf the limit of many features, taken after d → ∞ (W1 to
    W5; Latourelle-Vigeant et al. 2026, Theorem 1): eigenvalues over ψ_p and masses times ψ_p there, the attribute "per"
    says so; m = ∞ alone.

    Args:
        problem: What is trained on, and its ridge γ. A fixed ridge has no effect at features_per_dim inf.
        train_times: Training times τ (times,), not negative, inf allowed.
        trainer: `rfsim.Flow()`, `rfsim.Descent(step)` or `rfsim.Distillation(tau)`, or the text of one
            (`rfsim.learning.trainers`).
        by_part: Also the losses with the filter switched off on each part, and their terms by pairs of parts.
        ridge_per_feature: Whether the ridge is that of the problem × features_per_dim.
        tolerance: Contour nodes are doubled until the losses move by at most this, relative where they pass 1.
        array: Samples (rows, dim) in the place of the problem's data, of which the covariance alone is used.
        center: Whether an array is centered.
        scale: How an array is scaled: "global", "columns" or "none".
        covariance: Of an array: "sample", or an estimate of Σ's eigenvalues, "shrunk" or "deconvolved".
        report: Hears of each step.
        begin: Called with the settings of the result when all input is checked and before anything is computed; what it
            raises ends the run.

    Returns:
        Beside all of `theory.spectrum`, the variables train, test, gen, train_penalized, score, emp, bias2, variance,
        cross, error (train_time), NaN at times where the tolerance is not met and where they are not defined: score for
        arrays, emp where noise copies are finite, bias2 and variance but for isotropic data; energy (part, train_time)
        with part_error; tau_gen (gen_route) and tau_mem (mem_route), the eigenvalues of mini and main taken by rank,
        also where no gap separates them, `edge` the smallest eigenvalue above the atom; residual, of the equations,
        relative; nodes. With by_part, train_without, test_without and train_part (part, train_time), and test_pair
        (part, other, train_time), as in `rfsim.train`.

    Raises:
        ValueError: For parameters outside the theory's domain.
        theory.NotConverged: Where the equations are not solved.

    >>> result = curves(Problem(samples_per_dim=4, features_per_dim=16), [1e5])
    >>> float(result.train[0].round(5)), float(result.test[0].round(3))
    (0.49337, 1.844)
    """
    run = LimitRun(problem, array=array, center=center, scale=scale, covariance=covariance, wide=True, classes=True)
    tau = times(train_times)
    require_tolerance(tolerance)
    way = trainers.read(trainer)
    ridge = run.ridge(per_feature=ridge_per_feature)
    trained = way.at(run.kappa, ridge)
    extra = {"train_times": tau.tolist(), "trainer": str(way), "by_part": by_part}
    extra |= {"ridge_per_feature": True} if ridge_per_feature else {}
    run.begin(begin, extra)
    if run.wide:
        return run.label("theory-curves", _wide(run, tau, trained, tolerance, by_part, report), extra)
    found = parts(run.limit)
    carrying = [part for part in found if part.lower < part.upper]
    ends = carrying[0].lower, carrying[-1].upper
    intervals = [one for part in carrying for one in part.intervals]
    # the times searched for timescales have their share in the choice of nodes
    grid = timescales.time_grid(np.array(ends) + ridge, run.kappa)
    ways = tau, np.array([0.0, np.inf]), grid
    solved = limit_curves(run.limit, np.concatenate(ways), ridge, trainer=way, tolerance=tolerance, intervals=intervals)
    borders = np.cumsum([len(one) for one in ways])[:-1]
    values, *others = (
        LossCurves(*rows) for rows in zip(*(np.split(row, borders) for row in solved.curves), strict=True)
    )
    # what is not known to the tolerance is not shown
    known = solved.error <= tolerance * np.maximum(1.0, np.abs(np.asarray(solved.curves.test)))
    data = _kept(_losses(run, values), known[: tau.size])
    if by_part or ends[0] > 0:
        parted, error = _by_part(
            run, found, part_spectrum(run.limit, ridge, trained.reach, found, target=by_part), values, tau, trained
        )
        data = data.merge(_kept(parted, known[: tau.size] & (error <= tolerance)))
        of = "L_train and L_test" if by_part else "L_train"
        data["part_error"] = (
            "train_time",
            error,
            {"long_name": f"of the parts' sum, of {of}, relative where a loss passes 1"},
        )
    if report:
        report("timescales", {})
    solved_at = {one.tobytes(): curves for one, curves in zip(ways[1:], others, strict=True)}

    def at(train_times: NDArray[np.float64]) -> LossCurves:
        key = train_times.tobytes()
        return solved_at[key] if key in solved_at else loss_curves(*solved.tables, train_times, trained)

    scales = _timescales(run, found, at if known[tau.size :].all() else None, grid)
    data = _judged(data, tau, solved.error[: tau.size], solved.residual, solved.nodes)
    by_class = _by_class(run, solved.tables[0], tau, trained, grid, known)
    data = xr.merge([spectrum_dataset(run, found), data, scales, by_class], join="exact")
    return run.label("theory-curves", data, extra)


def _by_class(
    run: LimitRun,
    spectrum: LimitSpectrum,
    tau: NDArray[np.float64],
    trainer: TrainerFilter,
    grid: NDArray[np.float64],
    known: NDArray[np.bool_],
) -> xr.Dataset:
    """The losses and times of each class, where those of all are known; nothing without classes."""
    if run.population.classes is None:
        return xr.Dataset()
    shares, scales = run.population.classes
    seen = [classes.of_class(spectrum, *one, tau, trainer, grid) for one in class_targets(run.limit, spectrum)]
    table = named(run.problem.data, shares, scales * run.population.power)
    data = classes.labelled(seen, table)
    kept = xr.DataArray(known[: tau.size], dims="train_time")
    shown = dict.fromkeys(classes.LONG_NAMES, kept) | dict.fromkeys(classes.TIMES, known.all())
    return data.assign({name: data[name].where(one) for name, one in shown.items()})


def _wide(
    run: LimitRun,
    tau: NDArray[np.float64],
    trained: TrainerFilter,
    tolerance: float,
    by_part: bool,
    report: Report | None,
) -> xr.Dataset:
    """The same at ψ_p = ∞ (W1 to W5)."""
    trained = held(trained)
    solved = wide_curves(run.limit, tau, trained, tolerance)
    whole = solved.by_part if by_part else solved.by_part._replace(target=None)
    data = _losses(run, solved.curves)
    if whole.names:
        parted, _ = _by_part(run, solved.parts, whole, solved.curves, tau, trained)
        data = data.merge(parted)
    data = _kept(data, solved.error <= tolerance)
    if report:
        report("timescales", {})
    scales = wide_timescales(run, solved, trained, tolerance)
    law = solved.tables.law
    data = _judged(data, tau, solved.error, law.residual, law.points.size)
    return xr.merge([spectrum_dataset(run, solved.parts), data, scales], join="exact")


def _judged(
    data: xr.Dataset, tau: NDArray[np.float64], error: NDArray[np.float64], residual: float, nodes: int
) -> xr.Dataset:
    """With what tells how well the losses are known."""
    data = data.assign(
        error=("train_time", error, {"long_name": "change at the last doubling of the contour's nodes"}),
        residual=((), residual, {"long_name": "of the equations on the contour, relative"}),
        nodes=((), nodes, {"long_name": "nodes of the contour"}),
    )
    return data.assign_coords(train_time=("train_time", tau, {"long_name": "training time τ", "units": "1"}))


def _kept(data: xr.Dataset, known: NDArray[np.bool_]) -> xr.Dataset:
    """The values at the known times, NaN elsewhere; train_time is the last dimension of all."""
    if known.all():
        return data
    return data.assign({name: (one.dims, np.where(known, one.values, np.nan), one.attrs) for name, one in data.items()})


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


def _by_part(
    run: LimitRun,
    parts: Sequence[LimitPart],
    found: PartSpectrum,
    values: LossCurves,
    tau: NDArray[np.float64],
    trainer: TrainerFilter,
) -> tuple[xr.Dataset, NDArray[np.float64]]:
    """Energies, and with a target the terms of the losses; an atom carries nothing of V, so nothing of either.

    With the error (times,) of these contours: by how much the losses of all parts together are off, relative above 1;
    of L_train alone where nothing of L_test is asked for.
    """
    error = np.abs(train_curve(found.spectrum, tau, trainer) - values.train)
    if found.target is not None:
        whole = loss_curves(found.spectrum, found.target, tau, trainer)
        error = np.maximum(error, np.abs(whole.test - values.test))
    error = error / np.maximum(1.0, np.abs(values.test))
    energy = energy_curves(found.spectrum, tau, trainer, run.delta, found.keep)
    data = xr.Dataset(
        {"energy": (("part", "train_time"), energy, {"long_name": "(1/d) Tr Ā P U Āᵀ", "units": "1"})},
        coords={"part": list(found.names)},
    )
    if found.target is not None:
        train, pairs = part_curves(found.spectrum, found.target, tau, trainer, found.keep)
        terms = part_terms(values, train, pairs)
        data = data.assign(terms).assign_coords(other=list(found.names))
    names = {dim: [part.name for part in parts] for dim in ("part", "other") if dim in data.dims}
    data = data.reindex(names, fill_value=0.0)
    if found.target is not None:
        # without an atom all is as it was
        for name, all_parts in (("train_without", values.train), ("test_without", values.test)):
            silent = ~data.part.isin(found.names)
            data[name] = data[name].where(~silent, xr.DataArray(all_parts, dims="train_time"))
    return data, error


def _timescales(
    run: LimitRun, found: Sequence[LimitPart], at: timescales.Curves | None, grid: NDArray[np.float64]
) -> xr.Dataset:
    """By every route; those of the curves where all that are searched are known."""
    rank, problem = masses(run.limit), run.problem
    below = rank["zero"] + rank["null"]
    intervals = [one for part in found if part.lower < part.upper for one in part.intervals]
    shares = [below + rank["mini"] / 2, min(below + rank["mini"], 1.0)]
    median, border = quantile(run.limit, shares, intervals)
    smallest = timescales.smallest_bulk_eigenvalue(run.constants, problem.samples_per_dim, problem.features_per_dim)
    mean = timescales.mean_gen_eigenvalue(run.constants, run.total_variance, problem.features_per_dim)
    gen = timescales.GenTimes(
        run.time(mean),
        run.time(found[-1].mean) if found[-1].name == "gen" else None,
        at and timescales.gen_time_of_curve(at, grid),
    )
    mem = timescales.MemTimes(
        run.time(smallest),
        run.time(float(border)) if rank["main"] else None,
        run.time(float(median)) if rank["mini"] else None,
        at and timescales.mem_time_of_curve(at, grid),
    )
    edge = run.time(next(part.lower for part in found if part.lower < part.upper))
    return xr.Dataset(
        {
            "tau_gen": ("gen_route", optional(gen), {"long_name": "τ_gen", "units": "1"}),
            "tau_mem": ("mem_route", optional([*mem, edge]), {"long_name": "τ_mem", "units": "1"}),
        },
        coords={"gen_route": list(gen._fields), "mem_route": [*mem._fields, "edge"]},
    )
