"""Labelled results: what a run found, as variables with dimensions, long names and units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.diffusion import diffuse, score_power
from rfsim.filters import learning_rate_constant
from rfsim.runs import Run
from rfsim.spectra import PARTS, SampleSpectrum, SampleTarget, bulks, part_slices
from rfsim.training import curves, losses, timescales


def spectrum_dataset(run: Run, found: Sequence[SampleSpectrum]) -> xr.Dataset:
    c = run.constants
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
            "error_bound": ("seed", np.array([one.error_bound for one in found]), {"long_name": "of U, spectral norm"}),
        },
        coords={"seed": list(run.seeds[: len(found)]), "bulk": names},
    )


def curves_dataset(run: Run, spectrum: SampleSpectrum, target: SampleTarget, tau: NDArray[np.float64]) -> xr.Dataset:
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
    power = None if run.population is None else score_power(diffuse(run.population, problem.diffusion_time))
    score = np.full(tau.size, np.nan) if power is None else losses.score_error(found.test, delta, power)
    slices = part_slices(run.counts)
    keep = np.zeros((len(slices), run.sizes.features))
    for row, where in zip(keep, slices.values(), strict=True):
        row[where] = 1.0
    energy = curves.flow_energies(spectrum, tau, kappa, problem.ridge, delta, keep)
    gen_time, mem_time = _timescales(run, spectrum, at, kappa)
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
    law = run.population
    if law is not None and len(law.centers) == 1 and np.ptp(law.variances) == 0:
        bias = np.asarray(losses.bias_squared(data.cross.mean("seed").values, run.delta, run.total_variance))
        variance = data.score.mean("seed").values - bias
    return data.assign(
        bias2=("train_time", bias, {"long_name": "bias²", "units": "1"}),
        variance=("train_time", variance, {"long_name": "variance", "units": "1"}),
    )


def _timescales(
    run: Run, spectrum: SampleSpectrum, at: timescales.Curves, kappa: float
) -> tuple[timescales.GenTimes, timescales.MemTimes]:
    problem, delta, psi_p = run.problem, run.delta, run.features_per_dim
    c = run.constants
    lam, slices = np.asarray(spectrum.points), part_slices(run.counts)

    def rate(eigenvalue: float) -> float:
        return timescales.rate_time(eigenvalue, delta, psi_p)

    grid = timescales.time_grid(lam[lam > 0] + problem.ridge, kappa)
    gen = timescales.GenTimes(
        rate(timescales.mean_gen_eigenvalue(c, run.total_variance, psi_p)),
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
