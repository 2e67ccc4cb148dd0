"""Labelled results: what a run found, as variables with dimensions, long names and units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.diffusion import diffuse, score_power
from rfsim.filters import learning_rate_constant
from rfsim.model import Instance, constants, instance
from rfsim.runs import Run
from rfsim.spectra import PARTS, SampleSpectrum, SampleTarget, bulks, part_slices
from rfsim.training import curves, losses, timescales


def spectrum_dataset(run: Run, found: Sequence[SampleSpectrum]) -> xr.Dataset:
    population = instance(run.problem, run.origin, run.sizes._replace(features=1), run.seeds[0]).population
    c = constants(run.problem, population)
    lam = np.stack([np.asarray(one.points) for one in found])
    counts = run.counts
    tables = [bulks(row, counts) for row in lam]
    names = [bulk.name for bulk in tables[0]]
    part = np.concatenate([np.full(count, PARTS.index(name)) for name, count in counts.items()])

    def column(field: str, dtype: type = float) -> NDArray:
        values = [[getattr(bulk, field) for bulk in table] for table in tables]
        return np.array([[np.nan if v is None else v for v in row] for row in values], dtype=dtype)

    flags = {"flag_values": list(range(len(PARTS))), "flag_meanings": " ".join(PARTS)}
    return xr.Dataset(
        {
            "eigenvalue": (("seed", "feature"), lam, {"long_name": "eigenvalue λ of U", "units": "1"}),
            "part": ("feature", part.astype(np.int32), {"long_name": "part by rank"} | flags),
            "count": ("bulk", np.array([bulk.count for bulk in tables[0]])),
            "mass": ("bulk", np.array([bulk.mass for bulk in tables[0]]), {"long_name": "share of the features"}),
            "lower": (("seed", "bulk"), column("lower"), {"long_name": "smallest eigenvalue"}),
            "upper": (("seed", "bulk"), column("upper"), {"long_name": "largest eigenvalue"}),
            "gap_below": (
                ("seed", "bulk"),
                column("gap_below"),
                {"long_name": "lower over upper of the part below"},
            ),
            "merged": (("seed", "bulk"), column("merged", np.int8), {"long_name": "1: no gap to the part below"}),
            "a": c.a,
            "b": c.b,
            "v2": c.v2,
            "s2": c.s2,
            "residual": ("seed", np.array([one.residual for one in found]), {"long_name": "of the decomposition"}),
            "orders": ("seed", np.array([one.orders for one in found]), {"long_name": "Hermite orders of U"}),
            "error_bound": ("seed", np.array([one.error_bound for one in found]), {"long_name": "on U, spectral norm"}),
        },
        coords={"seed": list(run.seeds[: len(found)]), "bulk": names},
    )


def curves_dataset(
    run: Run, draw: Instance, spectrum: SampleSpectrum, target: SampleTarget, tau: NDArray[np.float64]
) -> xr.Dataset:
    """Losses, energies and timescales of one seed."""
    problem, delta = run.problem, run.delta
    kappa = learning_rate_constant(delta, run.features_per_dim)

    seen: dict[bytes, curves.FlowCurves] = {}

    def at(times: NDArray[np.float64]) -> curves.FlowCurves:
        # both timescales search the same grid
        key = times.tobytes()
        if key not in seen:
            seen[key] = curves.flow_curves(spectrum, target, times, kappa, problem.ridge)
        return seen[key]

    found = at(tau)
    power = score_power(diffuse(draw.population, problem.diffusion_time)) if run.origin.array is None else None
    score = np.full(tau.size, np.nan) if power is None else losses.score_error(found.test, delta, power)
    slices = part_slices(run.counts)
    keep = np.zeros((len(slices), run.sizes.features))
    for row, where in zip(keep, slices.values(), strict=True):
        row[where] = 1.0
    energy = curves.flow_energies(spectrum, tau, kappa, problem.ridge, delta, keep)
    gen_time, mem_time = _timescales(run, draw, spectrum, at, kappa)
    long = {
        "train": "L_train",
        "test": "L_test",
        "score": "E_score",
        "gen": "L_gen",
        "cross": "(1/d) Tr Vᵀ f(U) Ṽ",
    }
    values = {"train": found.train, "test": found.test, "score": score, "gen": found.gen, "cross": found.cross}
    return xr.Dataset(
        {name: ("train_time", np.asarray(v), {"long_name": long[name], "units": "1"}) for name, v in values.items()}
        | {
            "energy": (("bulk", "train_time"), energy, {"long_name": "(1/d) Tr Ā P U Āᵀ", "units": "1"}),
            "tau_gen": ("gen_route", _optional(gen_time), {"long_name": "τ_gen", "units": "1"}),
            "tau_mem": ("mem_route", _optional(mem_time), {"long_name": "τ_mem", "units": "1"}),
        },
        coords={"gen_route": list(gen_time._fields), "mem_route": list(mem_time._fields)},
    )


def with_bias_variance(run: Run, data: xr.Dataset) -> xr.Dataset:
    """bias² and variance over train_time: isotropic data only, cross averaged over seeds before squaring."""
    bias = variance = np.full(data.sizes["train_time"], np.nan)
    if run.origin.array is None and run.problem.data.partition(":")[0] == "isotropic":
        draw = instance(run.problem, run.origin, run.sizes._replace(features=1, samples=1), run.seeds[0])
        total = diffuse(draw.population, run.problem.diffusion_time).power
        bias = np.asarray(losses.bias_squared(data.cross.mean("seed").values, run.delta, total))
        variance = data.score.mean("seed").values - bias
    return data.assign(
        bias2=("train_time", bias, {"long_name": "bias²", "units": "1"}),
        variance=("train_time", variance, {"long_name": "variance", "units": "1"}),
    )


def _timescales(
    run: Run, draw: Instance, spectrum: SampleSpectrum, at: timescales.Curves, kappa: float
) -> tuple[timescales.GenTimes, timescales.MemTimes]:
    problem, delta, psi_p = run.problem, run.delta, run.features_per_dim
    c = constants(problem, draw.population)
    lam, slices = np.asarray(spectrum.points), part_slices(run.counts)
    total_variance = diffuse(draw.population, problem.diffusion_time).power

    def rate(eigenvalue: float) -> float:
        return timescales.rate_time(eigenvalue, delta, psi_p)

    grid = timescales.time_grid(lam[lam > 0] + problem.ridge, kappa)
    gen = timescales.GenTimes(
        rate(timescales.mean_gen_eigenvalue(c, total_variance, psi_p)),
        rate(float(lam[slices["gen"]].mean())),
        timescales.gen_time_of_curve(at, grid),
    )
    mem = timescales.MemTimes(
        rate(timescales.smallest_bulk_eigenvalue(c, run.settings["samples_per_dim"], psi_p)),
        rate(float(lam[slices["main"]][0])) if "main" in slices else None,
        rate(float(np.median(lam[slices["mini"]]))) if "mini" in slices else None,
        timescales.mem_time_of_curve(at, grid),
    )
    return gen, mem


def _optional(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], dtype=float)
