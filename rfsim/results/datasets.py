"""Labelled results: what a run found, as variables with dimensions, long names and units."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.computing.jackknife import jackknife_error
from rfsim.learning import curves, losses, timescales
from rfsim.learning.trainers import TrainerFilter
from rfsim.results.classes import class_datasets
from rfsim.results.conditions import condition_datasets
from rfsim.results.runs import Run
from rfsim.results.variables import LONG_NAMES, optional, part_terms
from rfsim.sample.spectra import PARTS, SampleSpectrum, Solved, part_slices, sample_parts


def spectrum_dataset(run: Run, found: Sequence[SampleSpectrum]) -> xr.Dataset:
    """Eigenvalues and parts of every seed where the method labels them; the constants, and what bounds the error."""
    c = run.constants
    common = {
        "a": c.a,
        "b": c.b,
        "v2": c.v2,
        "s2": c.s2,
        "residual": ("seed", np.array([one.residual for one in found]), {"long_name": "of the decomposition"}),
        "orders": ("seed", np.array([one.orders for one in found]), {"long_name": "Hermite orders of U"}),
        "error_bound": ("seed", np.array([one.error_bound for one in found]), {"long_name": "of U, spectral norm"}),
    }
    seed = {"seed": list(run.seeds[: len(found)])}
    if not run.method.labels:
        blocks = np.array([np.nan if one.blocks is None else one.blocks for one in found])
        change = np.array([one.remaining for one in found])
        krylov = {
            "blocks": ("seed", blocks, {"long_name": "blocks of the Krylov space, NaN where U was decomposed whole"}),
            "remaining": (
                "seed",
                change,
                {"long_name": "what further blocks are estimated to change"},
            ),
        }
        return xr.Dataset(common | krylov, coords=seed)
    lam = np.stack([np.asarray(one.points) for one in found])
    counts = run.counts
    tables = [sample_parts(row, counts) for row in lam]
    names = [part.name for part in tables[0]]
    part = np.concatenate([np.full(count, PARTS.index(name)) for name, count in counts.items()])

    def column(field: str, dtype: type = float) -> NDArray:
        values = [[getattr(part, field) for part in table] for table in tables]
        return np.array([[np.nan if v is None else v for v in row] for row in values], dtype=dtype)

    flags = {"flag_values": list(range(len(PARTS))), "flag_meanings": " ".join(PARTS)}
    return xr.Dataset(
        {
            "eigenvalue": (("seed", "feature"), lam, {"long_name": "eigenvalue λ of U", "units": "1"}),
            "feature_part": ("feature", part.astype(np.int32), {"long_name": "part by rank"} | flags),
            "count": ("part", np.array([part.count for part in tables[0]])),
            "mass": ("part", np.array([part.mass for part in tables[0]]), {"long_name": "share of the features"}),
            "lower": (("seed", "part"), column("lower"), {"long_name": "smallest eigenvalue"}),
            "upper": (("seed", "part"), column("upper"), {"long_name": "largest eigenvalue"}),
            "gap_below": (
                ("seed", "part"),
                column("gap_below"),
                {"long_name": "lower over upper of the part below"},
            ),
            "merged": (("seed", "part"), column("merged", np.int8), {"long_name": "1: no gap to the part below"}),
        }
        | common,
        coords=seed | {"part": names},
    )


def joined(run: Run, done: Sequence[tuple[SampleSpectrum, xr.Dataset]]) -> xr.Dataset:
    """The seeds' spectra, and what belongs to each, along one dimension."""
    spectra, parts = zip(*done, strict=True)
    return spectrum_dataset(run, spectra).merge(xr.concat(parts, dim="seed", join="exact"))


def eigenvalue_errors(run: Run, solved: Solved) -> xr.Dataset:
    """Standard errors of one seed's eigenvalues over Monte Carlo replicates; nothing where the moments are exact."""
    if run.method.draws is None:
        return xr.Dataset()
    error = jackknife_error([np.asarray(one.spectrum.points) for one in solved.replicates])
    return xr.Dataset({"eigenvalue_error": ("feature", error, {"long_name": "Monte Carlo standard error of λ"})})


def curves_datasets(
    run: Run, solved: Solved, tau: NDArray[np.float64], trainers: Sequence[TrainerFilter], *, by_part: bool
) -> list[xr.Dataset | ValueError]:
    """Losses and timescales of one seed by each of several trainers, who may have ridges of their own.

    Energies, and with `by_part` the parts' terms, where parts are labelled. In the place of a trainer that diverges on
    this spectrum the ValueError that says so.
    """

    def one(trainer: TrainerFilter) -> xr.Dataset | ValueError:
        try:
            trainer.require_stable(float(np.max(solved.spectrum.points)))
        except ValueError as error:
            return error
        return _curves_dataset(run, solved, tau, trainer, by_part=by_part)

    found = [one(trainer) for trainer in trainers]
    stable = [(data, trainer) for data, trainer in zip(found, trainers, strict=True) if isinstance(data, xr.Dataset)]
    errors = iter(_curve_errors(run, solved, tau, [trainer for _, trainer in stable]))
    by_class = iter(class_datasets(run, solved, tau, [trainer for _, trainer in stable]))
    given = iter(condition_datasets(run, solved, tau, [trainer for _, trainer in stable]))
    return [
        data.assign(_with_score(next(errors), data.score.values, run.delta)).merge(next(by_class)).merge(next(given))
        if isinstance(data, xr.Dataset)
        else data
        for data in found
    ]


def _curves_dataset(
    run: Run, solved: Solved, tau: NDArray[np.float64], trainer: TrainerFilter, *, by_part: bool
) -> xr.Dataset:
    spectrum, target, delta = solved.spectrum, solved.target, run.delta
    assert target is not None  # a training asks for the population
    at = curves.remembered(lambda times: curves.loss_curves(spectrum, target, times, trainer))
    found = at(tau)
    power = run.score_power
    score = np.full(tau.size, np.nan) if power is None else np.asarray(losses.score_error(found.test, delta, power))
    gen_time, mem_time = _timescales(run, spectrum, trainer.ridge, at)
    values = {
        "train": found.train,
        "train_penalized": found.train_penalized,
        "test": found.test,
        "emp": _fresh_noise_loss(run, solved, tau, trainer, found),
        "score": score,
        "gen": found.gen,
        "cross": found.cross,
    }
    data = xr.Dataset(
        {
            name: ("train_time", np.asarray(v), {"long_name": LONG_NAMES[name], "units": "1"})
            for name, v in values.items()
        }
        | {
            "tau_gen": ("gen_route", optional(gen_time), {"long_name": "τ_gen", "units": "1"}),
            "tau_mem": ("mem_route", optional(mem_time), {"long_name": "τ_mem", "units": "1"}),
        },
        coords={"gen_route": list(gen_time._fields), "mem_route": list(mem_time._fields)},
    )
    if run.method.labels:
        keep = _kept(run)
        energy = curves.energy_curves(spectrum, tau, trainer, delta, keep)
        data["energy"] = (("part", "train_time"), energy, {"long_name": "(1/d) Tr Ā P U Āᵀ", "units": "1"})
        if by_part:
            terms = curves.part_curves(spectrum, target, tau, trainer, keep)
            data = data.assign(part_terms(found, *terms)).assign_coords(other=list(part_slices(run.counts)))
    return data


def _fresh_noise_loss(
    run: Run, solved: Solved, tau: NDArray[np.float64], trainer: TrainerFilter, found: curves.LossCurves
) -> NDArray[np.float64]:
    """L_emp: L_train where noise is averaged, else by its own target, NaN where that was not asked for."""
    if math.isinf(run.problem.noise_copies):
        return found.train
    if solved.fresh is None:
        return np.full(tau.size, np.nan)
    return curves.loss_curves(solved.spectrum, solved.fresh, tau, trainer).test


def _curve_errors(
    run: Run, solved: Solved, tau: NDArray[np.float64], trainers: Sequence[TrainerFilter]
) -> list[dict[str, NDArray[np.float64]]]:
    """Standard errors of one seed's losses by each trainer; nothing where the moments are exact.

    Of the Monte Carlo replicates they are made from one is held at a time.
    """
    if run.method.draws is None:
        return [{} for _ in trainers]
    found: list[list[curves.LossCurves]] = [[] for _ in trainers]
    for one in solved.replicates:
        assert one.target is not None  # a training asks for the population
        for several, trainer in zip(found, trainers, strict=True):
            several.append(curves.loss_curves(one.spectrum, one.target, tau, trainer))
        del one
    return [
        {name: jackknife_error([getattr(one, name) for one in several]) for name in ("train", "test", "gen")}
        for several in found
    ]


def _with_score(errors: dict[str, NDArray[np.float64]], score: NDArray[np.float64], delta: float) -> dict:
    """As variables, with that of E_score where it is known."""
    if errors:
        errors = errors | {"score": np.where(np.isnan(score), np.nan, errors["test"] / delta)}
    return {
        f"{name}_error": ("train_time", values, {"long_name": f"Monte Carlo standard error of {name}", "units": "1"})
        for name, values in errors.items()
    }


def _kept(run: Run) -> NDArray[np.float64]:
    """(parts, features): 1 on the eigenvalues of each non-empty part."""
    slices = part_slices(run.counts)
    keep = np.zeros((len(slices), run.sizes.features))
    for row, where in zip(keep, slices.values(), strict=True):
        row[where] = 1.0
    return keep


def with_bias_variance(run: Run, data: xr.Dataset) -> xr.Dataset:
    """bias² and variance over train_time: isotropic data only, cross averaged over seeds before squaring."""
    bias = variance = np.full(data.sizes["train_time"], np.nan)
    if run.population is not None and run.population.isotropic and run.inputs is None:
        bias = np.asarray(losses.bias_squared(data.cross.mean("seed").values, run.delta, run.total_variance))
        variance = data.score.mean("seed").values - bias
    return data.assign(
        bias2=("train_time", bias, {"long_name": LONG_NAMES["bias2"], "units": "1"}),
        variance=("train_time", variance, {"long_name": LONG_NAMES["variance"], "units": "1"}),
    )


def _timescales(
    run: Run, spectrum: SampleSpectrum, ridge: float, at: timescales.Curves
) -> tuple[timescales.GenTimes, timescales.MemTimes]:
    psi_p, c = run.features_per_dim, run.constants
    lam, slices = np.asarray(spectrum.points), part_slices(run.counts) if run.method.labels else {}

    def rate(name: str, typical: Callable[[NDArray[np.float64]], float]) -> float | None:
        if name not in slices:
            return None
        return timescales.rate_time(float(typical(lam[slices[name]])), run.delta, psi_p)

    def formula(eigenvalue: float) -> float:
        return timescales.rate_time(eigenvalue, run.delta, psi_p)

    grid = timescales.time_grid(lam[lam > 0] + ridge, run.kappa)
    gen = timescales.GenTimes(
        # inputs have directions of their own in gen, of which the formula knows none
        None if run.inputs else formula(timescales.mean_gen_eigenvalue(c, run.total_variance, psi_p)),
        rate("gen", np.mean),
        timescales.gen_time_of_curve(at, grid),
    )
    mem = timescales.MemTimes(
        formula(timescales.smallest_bulk_eigenvalue(c, run.settings["samples_per_dim"], psi_p)),
        rate("main", np.min),
        rate("mini", np.median),
        timescales.mem_time_of_curve(at, grid),
    )
    return gen, mem
