"""`rfsim.posterior`: samples beside noise-free inputs, against the law of x given y (equations.md §13)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Unpack

import xarray as xr
from numpy.typing import ArrayLike

from rfsim.checking.scalars import whole
from rfsim.checking.text import nearest
from rfsim.computing.machine import require_memory
from rfsim.computing.precision import in_float64
from rfsim.distillation.exact import ExactSpectra
from rfsim.distillation.exact_learners import Unkept
from rfsim.distillation.plan import MOST
from rfsim.distillation.posterior import asked, measured, samples_given, truth
from rfsim.distillation.teacher import TeacherFilter, teach
from rfsim.learning.trainers import Flow
from rfsim.problem import model, realization
from rfsim.problem.diffusion import ODE_SOLVERS
from rfsim.problem.draws import ConditionOptions, Draw, told
from rfsim.problem.model import TRAIN_TIMES, Problem
from rfsim.problem.populations import Condition
from rfsim.problem.time_paths import steps_given
from rfsim.quantities.meant import known_keywords
from rfsim.results.progress import Begin, Report, each_seed
from rfsim.results.runs import Run
from rfsim.sample.spectra import Method
from rfsim.sampled.distill_memory import needed_bytes

FEWEST = 2  # samples of each input: fewer have no variance


@known_keywords
@in_float64
@told(ConditionOptions)
def posterior(
    problem: Problem,
    train_times: ArrayLike = TRAIN_TIMES,
    *,
    time_min: float = 0.02,
    time_max: float = 3.0,
    levels: int = 20,
    path: ArrayLike | None = None,
    sampler: str = "ddim",
    inputs: int = 32,
    generated: int = 32,
    report: Report | None = None,
    begin: Begin | None = None,
    **draw: Unpack[ConditionOptions],
) -> xr.Dataset:
    """Samples of a model beside noise-free inputs y: how far they are from the law of x given y.

    Equations.md C4; the reverse process of Kim & Lee 2026 (arXiv 2610.11288), whose measures are not known to us: these
    are ME and PV of C1 for samples at ε in the place of a denoised x. At every level the model has the read-out that is
    trained there, on training points and their inputs; it is asked beside inputs that it was not trained on.

    Args:
        problem: What is trained on at every level: data `condition:SNR@PER_DIM`, or samples with a condition. Its
            diffusion_time is not used, and refused where one is given.
        train_times: τ of the models, (times,), the same at all levels; inf allowed.
        time_min: ε, the diffusion time of samples.
        time_max: T, where sampling starts from N(0, I).
        levels: N; steps lead down a geometric grid of N + 1 times.
        path: All of them, from T down to ε, (levels + 1,), in the place of levels, time_min and time_max.
        sampler: "ddim", "euler" or "heun".
        inputs: How many y to ask beside, of fresh points; of samples the rows that are held out, at most all of them.
        generated: Samples of each, 2 or more.
        report: Hears of each step.
        begin: Called with the settings of the result before anything is computed, as in `rfsim.spectrum`.
        dim: d; defaults to 100, or to the data's own.
        seed: Of the first draw.
        seeds: How many draws.
        array: Samples (rows, dim) in the place of the problem's data.
        center: Whether an array is centered.
        scale: How an array is scaled: "global", "columns" or "none".
        split: Share of an array's rows that may be trained on; the others play the population.
        held_out: Not with a condition, whose held-out rows are those of `split`.
        condition: Noise-free inputs beside x_t, a row (d_y,) for each of the array's, or a file of them; centered and
            scaled as the array is.

    Returns:
        Variables (seed, train_time), averages over inputs: predictive_variance, PV of the samples given y;
        mean_distance, of their mean given y from x_ε; calibration, PV over that, which is 1 for the posterior and below
        1 where samples are too sure; of a population also mean_error, ME of the mean given y, beside
        true_predictive_variance of the posterior, and steps_mean_error and steps_predictive_variance, what the true
        score leaves in the same steps.

    Raises:
        ValueError: In one line, for settings that do not fit together, and for data without inputs beside them.
        MemoryError: Before allocating, for sizes beyond the memory limit.

    >>> found = posterior(Problem(2, 4, data="condition:4@1"), [0, 1e3], dim=4, levels=3)
    >>> bool(found.predictive_variance.sel(train_time=1e3) < found.predictive_variance.sel(train_time=0))
    True
    >>> float(found.true_predictive_variance.round(3))  # ∫e^{−2ε}s + Δ_ε
    0.231
    """
    started = time.perf_counter()
    model.require_unused(problem, "posterior", diffusion_time="time_min and time_max are its levels'; train takes it")
    tau = model.times(train_times)
    if sampler not in ODE_SOLVERS:
        hint = nearest(str(sampler), ODE_SOLVERS)
        raise ValueError(f"sampler must be one of {', '.join(ODE_SOLVERS)}; got {sampler!r}{hint}")
    grid = steps_given(path, levels=levels, time_min=time_min, time_max=time_max)
    rows, draws = (
        whole(name, value, least, MOST["generated"])
        for name, value, least in (("inputs", inputs, 1), ("generated", generated, FEWEST))
    )
    taught = replace(problem, diffusion_time=float(grid[0]))
    run = Run(taught, Draw(**draw), report, method=Method(), copies=6, conditions=True)
    if run.inputs is None:
        known = str(problem.data) if run.origin.array is None else run.origin.called
        raise ValueError(
            f"posterior is of data beside inputs: data condition:SNR@PER_DIM, or samples with a condition; got {known}"
        )
    data = problem.data if run.origin.array is None and isinstance(problem.data, Condition) else None
    if run.origin.array is not None:
        rows = min(rows, len(run.origin.array) - run.origin.training)
    d, _, p = run.sizes
    held = {"levels": grid.size - 1, "models": tau.size, "generated": float(rows) * draws, "kept": False}
    needed = float(needed_bytes(d + run.inputs[0], p, p, **held))
    require_memory(needed, f"models of {p} features in {grid.size - 1} levels", "take fewer features or samples")
    del run.settings["diffusion_time"]
    extra = {"train_times": tau.tolist(), "time_min": float(grid[0]), "time_max": float(grid[-1])}
    extra |= {"levels": grid.size - 1, "sampler": sampler, "inputs": rows, "generated": draws}
    extra |= {} if path is None else {"path": grid.tolist()}
    run.begin(begin, extra)
    beside = {"data_power": realization.power(problem, run.origin, run.sizes), "inputs_power": run.inputs[1]}
    filters = [TeacherFilter(Flow(), problem.ridge, float(one)) for one in tau]

    def samples_of(number: int) -> xr.Dataset:
        instance = realization.instance(taught, run.origin, run.sizes, number)
        exact = ExactSpectra("model", taught, instance, times=grid, cache=Unkept(), **beside)
        models = teach(exact, filters, lambda k: run.tell(instance, f"models, level {k}"))
        of = asked(instance, data, rows)
        run.tell(instance, "samples and their measures")
        found = [
            measured(samples_given(one, of.inputs, draws, number, instance.sigma.function, sampler), of, float(grid[0]))
            for one in models
        ]
        return xr.concat(found, "train_time", join="exact")

    def result(done: Sequence[xr.Dataset]) -> xr.Dataset:
        found = xr.concat(done, "seed", join="exact").assign_coords(
            seed=list(run.seeds[: len(done)]),
            train_time=("train_time", tau, {"long_name": "training time τ", "units": "1"}),
        )
        if data is not None:
            found = found.assign(truth(data.at(d), grid.tolist(), sampler).data_vars)
        return run.label("posterior", found, extra, started)

    return each_seed(run.seeds, samples_of, result)
