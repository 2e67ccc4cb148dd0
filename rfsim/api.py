"""The front door: one function per quantity, `Problem` → `xarray.Dataset`, computed in float64 whatever JAX is set to.

The command line, the experiments and a notebook call these and compute nothing themselves. Datasets are labelled
results (`store.label`): they carry their settings, and `store.save` writes them as they are.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from rfsim import store
from rfsim.diffusion import diffuse, noise_variance, score_power
from rfsim.filters import learning_rate_constant
from rfsim.machine import require_memory
from rfsim.model import Instance, Problem, Sizes, Source, constants, instance, resolve, settings, source
from rfsim.precision import in_float64
from rfsim.spectra import (
    PARTS,
    SampleSpectrum,
    SampleTarget,
    bulks,
    part_counts,
    part_slices,
    population_moments,
    sample_spectrum,
    sample_target,
)
from rfsim.training import curves, losses, timescales

Report = Callable[[str, Mapping[str, Any]], None]

TRAIN_TIMES = (1.0, 100.0, 1e5)


@in_float64
def spectrum(
    problem: Problem,
    *,
    dim: int | None = None,
    seed: int = 0,
    seeds: int = 1,
    array: ArrayLike | None = None,
    center: bool = True,
    scale: str = "global",
    report: Report | None = None,
) -> xr.Dataset:
    """Eigenvalues of the sampled U = E φφᵀ (equations.md T4; Bonnaire et al. 2025, Fig. 4) and its parts by rank (§8).

    dim defaults to 100, or to the data's own; `array` (samples, dim) takes the place of a data file; seeds
    seed … seed + seeds − 1 are run one after the other.

    Returns variables eigenvalue (seed, feature), part (feature), per part count, mass, lower, upper, gap_below,
    merged, the constants a, b, v2, s2 (T9), and residual (seed). Eigenvalues are dimensionless.

    Raises ValueError for settings that do not fit together and MemoryError, before allocating, for sizes beyond the
    memory limit.

    >>> result = spectrum(Problem(samples_per_dim=2, features_per_dim=4), dim=10)
    >>> result.sizes["feature"], [str(name) for name in result.bulk.values]
    (40, ['null', 'mini', 'main', 'gen'])
    """
    started = time.perf_counter()
    run = _Run(problem, dim, seed, seeds, array, center, scale, report)
    run.require(copies=5)
    found: list[SampleSpectrum] = []

    def result() -> xr.Dataset:
        return run.label("spectrum", _spectrum_dataset(run, found), {}, started)

    with _keeping(found, result):
        for draw in run.draws():
            run.tell(draw, "moments and eigenvalues")
            # seeds hold their eigenvalues, not p² each
            found.append(sample_spectrum(problem, draw)._replace(basis=np.zeros(0)))
    return result()


@in_float64
def train(
    problem: Problem,
    train_times: ArrayLike = TRAIN_TIMES,
    *,
    dim: int | None = None,
    seed: int = 0,
    seeds: int = 1,
    array: ArrayLike | None = None,
    center: bool = True,
    scale: str = "global",
    report: Report | None = None,
) -> xr.Dataset:
    """Losses of the gradient flow from zero at every train_time, in closed form (equations.md T7, T8; B25 Fig. 5).

    train_times: (times,) not negative, inf allowed; the rest as in `spectrum`.

    Returns, beside all of `spectrum`, the variables train, test, score, gen (seed, train_time) — L_train, L_test,
    E_score (NaN where the true score is unknown) and L_gen = L_test − L_train —, cross (seed, train_time), bias2 and
    variance (train_time; isotropic data, cross averaged over seeds before squaring), energy (seed, bulk, train_time),
    tau_gen and tau_mem (seed, route). Losses are per dimension, with weight Δ: the zero score has loss 1.

    >>> result = train(Problem(samples_per_dim=2, features_per_dim=4), [0, 10, float("inf")], dim=10)
    >>> [float(value) for value in result.train.sel(train_time=0)]
    [1.0]
    """
    started = time.perf_counter()
    tau = _times(train_times)
    run = _Run(problem, dim, seed, seeds, array, center, scale, report)
    run.require(copies=7)
    done: list[tuple[SampleSpectrum, xr.Dataset]] = []

    def result() -> xr.Dataset:
        spectra, parts = zip(*done, strict=True)
        data = _spectrum_dataset(run, spectra).merge(xr.concat(parts, dim="seed", join="exact"))
        data = data.assign_coords(train_time=("train_time", tau, {"long_name": "training time τ", "units": "1"}))
        return run.label("train", _bias_variance(run, data), {"train_times": tau.tolist()}, started)

    with _keeping(done, result):
        for draw in run.draws():
            run.tell(draw, "moments and eigenvalues")
            spectrum = sample_spectrum(problem, draw)
            run.tell(draw, "population and change of basis")
            target = sample_target(spectrum, population_moments(problem, draw, spectrum))
            run.tell(draw, "curves")
            done.append((spectrum._replace(basis=np.zeros(0)), _curves(run, draw, spectrum, target, tau)))
            del spectrum, target  # two p × p matrices less while the next seed is decomposed
    return result()


def load(path: str | Path) -> xr.Dataset:
    """Read a stored result into memory; nothing in the file is executed.

    Raises store.StoreError, in one line, for a missing, truncated or foreign file or an unknown schema.

    >>> load("no-such-result.nc")
    Traceback (most recent call last):
    ...
    rfsim.store.StoreError: no-such-result.nc is not a file; give a result written by rfsim (result.nc)
    """
    return store.load(path)


class Interrupted(KeyboardInterrupt):
    """Ctrl-C after at least one seed had ended; `result` is the labelled result of those seeds."""

    def __init__(self, result: xr.Dataset) -> None:
        super().__init__("interrupted")
        self.result = result


@contextlib.contextmanager
def _keeping(done: Sequence[Any], result: Callable[[], xr.Dataset]) -> Iterator[None]:
    """Turn a Ctrl-C into one that carries what is done."""
    try:
        yield
    except KeyboardInterrupt:
        if not done:
            raise
        raise Interrupted(result()) from None


class _Run:
    """What the quantities share: resolved sizes, the draws of each seed, progress, the label."""

    def __init__(
        self,
        problem: Problem,
        dim: int | None,
        seed: int,
        seeds: int,
        array: ArrayLike | None,
        center: bool,
        scale: str,
        report: Report | None,
    ) -> None:
        for name, value, least in (("seed", seed, 0), ("seeds", seeds, 1)):
            if isinstance(value, bool) or int(value) != value or value < least:
                raise ValueError(f"{name} must be a whole number of at least {least}; got {value}")
        self.problem, self.report = problem, report
        self.origin: Source = source(problem, array=array, center=center, scale=scale)
        self.sizes: Sizes = resolve(problem, self.origin, dim)
        self.seeds = range(int(seed), int(seed) + int(seeds))
        self.delta = noise_variance(problem.diffusion_time)
        self.settings = settings(problem, self.origin, self.sizes, seed=int(seed), seeds=int(seeds))

    @property
    def features_per_dim(self) -> float:
        """ψ_p as resolved."""
        return self.settings["features_per_dim"]

    @property
    def counts(self) -> dict[str, int]:
        return part_counts(self.sizes.features, self.sizes.samples, self.sizes.dim, self.problem.noise_copies)

    def require(self, *, copies: int) -> None:
        """Refuse sizes whose p × p matrices (`copies` of them at the peak) and rows pass the memory limit."""
        d, n, p = (float(size) for size in self.sizes)
        needed = 8 * (copies * p**2 + 6 * d * (n + p)) + 2**29
        require_memory(needed, f"dim {d:.12g} with {n:.12g} samples and {p:.12g} features")

    def draws(self):
        for seed in self.seeds:
            yield instance(self.problem, self.origin, self.sizes, seed)

    def tell(self, draw: Instance, step: str) -> None:
        if self.report:
            self.report(step, {"seed": draw.seed, "seeds": len(self.seeds), "first": self.seeds[0]})

    def label(self, kind: str, data: xr.Dataset, extra: Mapping[str, Any], started: float) -> xr.Dataset:
        wall = time.perf_counter() - started
        settings = {**self.settings, "seeds": data.sizes["seed"], **extra}  # fewer seeds where the run was interrupted
        return store.label(data, kind, settings, wall_time=wall)


def _times(train_times: ArrayLike) -> NDArray[np.float64]:
    tau = np.atleast_1d(np.asarray(train_times, dtype=np.float64))
    if tau.ndim != 1 or tau.size == 0:
        raise ValueError(f"train_times must be a non-empty list of times; got shape {tau.shape}")
    if np.any(np.isnan(tau)) or np.any(tau < 0):
        raise ValueError(f"train_times must not be negative; got {tau[np.isnan(tau) | (tau < 0)][0]:g}")
    return tau


def _spectrum_dataset(run: _Run, found: Sequence[SampleSpectrum]) -> xr.Dataset:
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


def _curves(
    run: _Run, draw: Instance, spectrum: SampleSpectrum, target: SampleTarget, tau: NDArray[np.float64]
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


def _timescales(
    run: _Run, draw: Instance, spectrum: SampleSpectrum, at: timescales.Curves, kappa: float
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


def _bias_variance(run: _Run, data: xr.Dataset) -> xr.Dataset:
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


def _optional(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], dtype=float)
