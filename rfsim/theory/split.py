"""The front door to linear scores of disjoint halves in the limit (equations.md T30 to T33)."""

from __future__ import annotations

import math
import time

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from rfsim.checking.scalars import numbers, real, whole
from rfsim.checking.text import nearest
from rfsim.disk import store
from rfsim.disk.files.numbers import DataError
from rfsim.limit.split import SplitDistance, renormalized_noise, split_distance, split_distance_in_steps
from rfsim.problem.arrays import Rows
from rfsim.problem.diffusion import ODE_SOLVERS, time_grid
from rfsim.problem.model import EARLIEST, LARGEST_RATIO, LATEST, Problem, require_unused
from rfsim.quantities.meant import known_keywords
from rfsim.results.progress import Begin, Report
from rfsim.theory.run import covariance_of

MOST = 10**4  # steps
MOST_SAMPLES = 1e6  # per dimension, in steps: from there on what halves differ by is rounding of the law of Σ̂
SAMPLE_RATIOS = (1.0, 4.0, 16.0)


@known_keywords
def split(
    problem: Problem,
    *,
    time_max: float = 3.0,
    time_min: float = 0.0,
    levels: int = 0,
    sampler: str = "ddim",
    sample_ratios: ArrayLike = SAMPLE_RATIOS,
    array: ArrayLike | Rows | None = None,
    center: bool = True,
    scale: str = "global",
    covariance: str = "sample",
    report: Report | None = None,
    begin: Begin | None = None,
) -> xr.Dataset:
    """How far apart the samples of two linear scores are, of disjoint halves of the data and from the same noise.

    Equations.md T30 to T33; Wang, Zavatone-Veth and Pehlevan 2026 (arXiv 2602.02908). The score is −(Σ̂ + σ²)^{-1}x of
    the covariance Σ̂ of n rows, not centered, in the units of the data themselves, and is followed without noise from
    σ_T² = e^{2T} − 1 down; or, with levels, from N(0, I) at T in so many steps, as `rfsim.distill(split_pair=True)`
    samples with σ(x) = x, in units of x_t at time_min.

    Args:
        problem: Its data, and ψ_n = n/d of each half. Nothing else of it is used, and what is given of it is refused.
        time_max: T at which sampling begins.
        time_min: Where it ends, from 0 and below T.
        levels: Steps of the sampler, geometric in the diffusion time; 0: the flow itself. With steps time_min is above
            0.
        sampler: Of the steps: "ddim", "euler" or "heun".
        sample_ratios: ψ_n (sample_ratios,) of each half at which the distances are told too.
        array: Samples (rows, dim) in the place of the problem's data, of which the covariance alone is used, as Σ.
        center: Whether an array is centered.
        scale: How an array is scaled: "global", "columns" or "none".
        covariance: Of an array: "sample", or an estimate of Σ's eigenvalues, "shrunk" or "deconvolved".
        report: Hears of each step.
        begin: Called with the settings of the result when all input is checked and before anything is computed.

    Returns:
        across (direction), the expected squared distance between the samples of the two along a direction of Σ of that
        variance, population, from those of one to those of Σ's own score, and variance, of those of one; mass, the
        share of the direction; across_all, population_all, variance_all, their means, which are E‖·‖²/d;
        across_by_samples and population_by_samples (sample_ratio), these means at other ψ_n; kappa, the renormalized
        noise at the end, at time_min.

    Raises:
        ValueError: For settings that do not fit together.
        theory.NotConverged: Where the equation of the noise is not solved.

    >>> found = split(Problem(samples_per_dim=2.0), time_max=4.0)
    >>> float(found.across_all.round(3)), float(found.population_all.round(3))
    (0.26, 0.134)
    """
    started = time.perf_counter()
    if str(problem.activation) not in (Problem.activation, "linear"):
        raise ValueError(f"theory.split is for linear scores; got activation {problem.activation}: leave it out")
    first, last = (_time(name, value) for name, value in (("time_max", time_max), ("time_min", time_min)))
    if not last < first:
        raise ValueError(f"time_min must be below time_max; got {last:g} and {first:g}")
    steps = whole("levels", levels, 0, MOST)
    ratios = numbers("sample_ratios", sample_ratios)
    if wrong := [one for one in ratios if not 1 / LARGEST_RATIO <= one <= LARGEST_RATIO]:
        within = f"{1 / LARGEST_RATIO:g} and {LARGEST_RATIO:g}"
        raise ValueError(f"sample_ratios must lie between {within}; got {wrong[0]:g}")
    if sampler not in ODE_SOLVERS:
        hint = nearest(str(sampler), ODE_SOLVERS)
        raise ValueError(f"sampler must be one of {', '.join(ODE_SOLVERS)}; got {sampler!r}{hint}")
    if steps and last < EARLIEST:
        raise ValueError(f"levels end at a time_min of {EARLIEST:g} or more; got {last:g}")
    if steps and (largest := max(problem.samples_per_dim, *ratios)) > MOST_SAMPLES:
        raise ValueError(
            f"in levels the law is known up to {MOST_SAMPLES:g} samples per dimension; got {largest:g}: leave levels "
            "out"
        )
    population, origin = covariance_of(problem, array=array, center=center, scale=scale, covariance=covariance)
    if population.classes is not None:
        raise DataError(
            f"data {str(problem.data)!r}: the law of two halves is that of one covariance, and classes have several; "
            f"take isotropic:{population.power:g}, of the same variance"
        )
    require_unused(
        problem,
        "theory.split",
        **dict.fromkeys(("features_per_dim", "noise_copies", "ridge"), "its scores are linear, of every feature"),
        diffusion_time="give time_max and time_min",
    )
    told = {"data": str(problem.data), "samples_per_dim": problem.samples_per_dim, "activation": "linear"}
    told |= {"features_per_dim": math.inf, "noise_copies": math.inf}
    told |= origin.settings | {"time_max": first, "time_min": last}
    told |= {"levels": steps, "sampler": sampler} if steps else {}
    told |= {"sample_ratios": ratios.tolist()}
    if begin:
        begin(told)
    noises = [math.expm1(2 * one) for one in (first, last)]

    def distances(samples_per_dim: float) -> SplitDistance:
        if steps:
            grid = time_grid(last, first, steps)
            return split_distance_in_steps(population, samples_per_dim, times=grid, sampler=sampler)
        return split_distance(population, samples_per_dim, first=noises[0], last=noises[1])

    found, others = distances(problem.samples_per_dim), [distances(float(one)) for one in ratios]
    # σ_0 = 0: what the sample's own directions without variance leave
    kappa = float(renormalized_noise(population, problem.samples_per_dim, max(noises[1], 1e-12 * population.power)))
    names = {"across": "between the halves", "population": "to the population's", "variance": "of the samples"}
    words = {name: f"squared distance {text}" for name, text in names.items()} | {"variance": "variance of the samples"}
    values = found._asdict()
    data = xr.Dataset(
        {name: ("direction", values[name], {"long_name": words[name], "units": "1"}) for name in names}
        | {"mass": ("direction", population.weights, {"long_name": "share of the direction"})}
        | {
            f"{name}_all": (
                (),
                float(population.weights @ values[name]),
                {"long_name": f"{words[name]}, per dimension"},
            )
            for name in names
        }
        | {
            f"{name}_by_samples": (
                "sample_ratio",
                np.array([population.weights @ getattr(one, name) for one in others]),
                {"long_name": f"{words[name]}, per dimension", "units": "1"},
            )
            for name in ("across", "population")
        }
        | {"kappa": ((), kappa, {"long_name": "renormalized noise at the end"})},
        coords={
            "direction": ("direction", population.values, {"long_name": "eigenvalue of Σ", "units": "1"}),
            "sample_ratio": ("sample_ratio", ratios, {"long_name": "samples per dimension ψ_n", "units": "1"}),
        },
    )
    return store.label(data, "theory-split", told, wall_time=time.perf_counter() - started)


def _time(name: str, value: float) -> float:
    if not 0 <= real(name, value) <= LATEST:
        raise ValueError(f"{name} must lie between 0 and {LATEST:g}; got {value:g}")
    return float(value)
