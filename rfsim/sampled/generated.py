"""`rfsim.generated`: samples of teachers along training time, and the linear map behind them (equations.md §8, §11)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Unpack

import xarray as xr
from numpy.typing import ArrayLike

from rfsim.checking.scalars import real, whole
from rfsim.computing.machine import require_memory
from rfsim.computing.precision import in_float64
from rfsim.distillation.cache import ArrayCache
from rfsim.distillation.distances import truth
from rfsim.distillation.exact import ExactSpectra
from rfsim.distillation.linear_samples import measured
from rfsim.distillation.memorization import RATIO
from rfsim.distillation.plan import FEWEST_GENERATED, MOST
from rfsim.distillation.sampling import generate, starting_points
from rfsim.distillation.teacher import TeacherFilter, teach
from rfsim.learning.trainers import Flow
from rfsim.problem import model, realization
from rfsim.problem.diffusion import ODE_SOLVERS, diffuse
from rfsim.problem.draws import Draw, DrawOptions, told
from rfsim.problem.model import TRAIN_TIMES, Problem
from rfsim.problem.time_paths import steps_given
from rfsim.quantities.meant import known_keywords
from rfsim.results.progress import Begin, Report, each_seed
from rfsim.results.runs import Run
from rfsim.sample.spectra import Method
from rfsim.sampled.distill_memory import needed_bytes
from rfsim.sampled.distill_plan import GENERATED


@known_keywords
@in_float64
@told(DrawOptions)
def generated(
    problem: Problem,
    train_times: ArrayLike = TRAIN_TIMES,
    *,
    time_min: float = 0.02,
    time_max: float = 3.0,
    levels: int = 20,
    path: ArrayLike | None = None,
    sampler: str = "ddim",
    generated: int = GENERATED,
    memorized_ratio: float = RATIO,
    report: Report | None = None,
    begin: Begin | None = None,
    **draw: Unpack[DrawOptions],
) -> xr.Dataset:
    """Samples of a sampled teacher at each training time, and the linear map that takes their noise to them.

    Equations.md T15, §8; what `rfsim.theory.generated` is the limit of (W6). All training times share W, the data, the
    decompositions of every level and the noise that samples start from, which is that of `distill`.

    Args:
        problem: What is trained on at every level. Its diffusion_time is not used, and refused where one is given.
        train_times: τ of the teachers, (times,), the same at all levels; inf allowed.
        time_min: ε, the diffusion time of samples.
        time_max: T, where sampling starts from N(0, I).
        levels: N; steps lead down a geometric grid of N + 1 times.
        path: All of them, from T down to ε, (levels + 1,), in the place of levels, time_min and time_max.
        sampler: "ddim", "euler" or "heun".
        generated: Samples of each teacher, more than dim.
        memorized_ratio: A sample is memorized where its nearest training point is nearer than this times the second
            nearest; between 0 and 1.
        report: Hears of each step.
        begin: Called with the settings of the result before anything is computed, as in `rfsim.spectrum`.
        dim: d; defaults to 100, or to the data's own.
        seed: Of the first draw.
        seeds: How many draws.
        array: Samples (rows, dim) in the place of the problem's data.
        center: Whether an array is centered.
        scale: How an array is scaled: "global", "columns" or "none".
        split: Share of an array's rows that may be trained on; the others play the population.
        held_out: Rows (rows, dim), or a file of them, that play it in their place; all of the array may be trained on.

    Returns:
        Variables frechet_per_dim, frechet_bias and frechet_error (seed, train_time): W2²/d to the law of x_ε, what the
        number of samples adds to it to first order, which is in it, and its standard error over samples;
        memorized_fraction, memorized_low and memorized_high (seed, train_time), f_mem with its 95% interval;
        variance_mean (seed, train_time); variance (seed, train_time, rank), the eigenvalues of BBᵀ, ascending, of the
        linear map B that fits samples to the noise they start from, without noise of its own from the number of
        samples; linear_share (seed, train_time), the share of the samples' variance that B explains.

    Raises:
        ValueError: In one line, for settings that do not fit together.
        MemoryError: Before allocating, for sizes beyond the memory limit.

    >>> found = generated(Problem(2, 4), [0, 1e3], dim=4, levels=3, generated=32)
    >>> bool(abs(found.linear_share.sel(train_time=0) - 1) < 1e-12)
    True
    """
    started = time.perf_counter()
    model.require_unused(problem, "generated", diffusion_time="time_min and time_max are its levels'; train takes it")
    tau = model.times(train_times)
    if sampler not in ODE_SOLVERS:
        raise ValueError(f"sampler must be one of {', '.join(ODE_SOLVERS)}; got {sampler!r}")
    grid = steps_given(path, levels=levels, time_min=time_min, time_max=time_max)
    levels = grid.size - 1
    rows = whole("generated", generated, FEWEST_GENERATED, MOST["generated"])
    taught = replace(problem, diffusion_time=float(grid[0]))
    run = Run(taught, Draw(**draw), report, method=Method(), copies=6)
    d, _, p = run.sizes
    if rows <= d:
        raise ValueError(f"generated must be more than dim {d}, so that samples tell a linear map; got {rows}")
    needed = float(needed_bytes(d, p, p, levels=levels, models=tau.size, generated=rows))
    require_memory(needed, f"teachers of {p} features in {levels} levels", "take fewer features or levels")
    del run.settings["diffusion_time"]
    extra = {"train_times": tau.tolist(), "time_min": float(grid[0]), "time_max": float(grid[-1]), "levels": levels}
    if not 0 < real("memorized_ratio", memorized_ratio) < 1:
        raise ValueError(f"memorized_ratio must lie between 0 and 1; got {memorized_ratio:g}")
    extra |= {"sampler": sampler, "generated": rows} | ({} if path is None else {"path": grid.tolist()})
    extra |= {} if memorized_ratio == RATIO else {"memorized_ratio": memorized_ratio}
    run.begin(begin, extra)
    data_power = realization.power(problem, run.origin, run.sizes)
    filters = [TeacherFilter(Flow(), problem.ridge, float(one)) for one in tau]

    def teachers_of(number: int) -> xr.Dataset:
        instance = realization.instance(taught, run.origin, run.sizes, number)
        law = truth(diffuse(instance.population, float(grid[0])), rows, number)
        start = starting_points(number, rows, d)
        with ArrayCache() as cache:
            exact = ExactSpectra("teacher", taught, instance, data_power, grid, cache)
            teachers = teach(exact, filters, lambda k: run.tell(instance, f"teachers, level {k}"))
        found: list[xr.Dataset] = []
        for network in teachers:
            samples = generate(network, start, range(levels, -1, -1), instance.sigma.function, sampler)
            found.append(measured(samples, start, instance.points, law, memorized_ratio))
        return xr.concat(found, "train_time", join="exact")

    def result(done: Sequence[xr.Dataset]) -> xr.Dataset:
        data = xr.concat(done, "seed", join="exact").assign_coords(
            seed=list(run.seeds[: len(done)]),
            train_time=("train_time", tau, {"long_name": "training time τ", "units": "1"}),
        )
        return run.label("generated", data, extra, started)

    return each_seed(run.seeds, teachers_of, result)
