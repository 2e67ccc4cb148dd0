"""`rfsim.advise`: when it generalizes and memorizes, when to stop, which ridge, how many samples, and what to trust."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from rfsim.checking import notes
from rfsim.checking.scalars import numbers, real
from rfsim.computing.precision import in_float64
from rfsim.disk import store
from rfsim.disk.files.numbers import DataError
from rfsim.problem.arrays import Rows
from rfsim.problem.draws import Draw
from rfsim.problem.model import Problem, require_finite_width, require_unused
from rfsim.problem.origins import limit_settings, source
from rfsim.problem.populations import Classes
from rfsim.quantities.meant import known_keywords
from rfsim.results.progress import Begin, Report
from rfsim.sampled.advice.answers import Answer, answers
from rfsim.sampled.advice.compared import GRID, Compared, Setting, compare

FEWEST_ROWS = 4  # of an array: half of them make a sample


@known_keywords
@in_float64
def advise(
    problem: Problem,
    diffusion_times: ArrayLike = (0.1,),
    *,
    rate: float | None = None,
    seed: int = 0,
    seeds: int = 2,
    array: ArrayLike | Rows | None = None,
    center: bool = True,
    scale: str = "global",
    covariance: str = "sample",
    report: Report | None = None,
    begin: Begin | None = None,
) -> xr.Dataset:
    """Answers to what is asked before a training, by the limit of the data's covariance, beside samples of the data.

    Equations.md T10, T12 to T14, §3. Every number is that of another quantity, which the answer names with what it was
    given; its error is what samples at a size of a minute differ by from the limit at their size.

    Args:
        problem: What is trained on, its number of samples and features, and its ridge. Its diffusion_time is not used,
            and refused where it is given.
        diffusion_times: t (times,), positive.
        rate: η of the optimizer whose steps are counted; None for half of the largest stable rate of plain descent by
            the limit, in two digits.
        seed: Of the first sample.
        seeds: How many samples.
        array: Samples (rows, dim) in the place of the problem's data.
        center: Whether an array is centered.
        scale: How an array is scaled: "global", "columns" or "none".
        covariance: Of an array: "sample", or an estimate of Σ's eigenvalues, "shrunk" or "deconvolved".
        report: Hears of each step.
        begin: Called with the settings of the result when all input is checked and before anything is computed.

    Returns:
        value and error (diffusion_time, question), NaN where a question has no answer; the attribute `answers`, JSON:
        for each question of each diffusion_time its words, the quantity behind its value, what that was given, and
        what is read there. Losses for the figure (diffusion_time, train_time): train and test of the limit, check_test
        of the limit at the samples' size, sample_test and sample_test_error of the samples.

    Raises:
        ValueError: For settings that do not fit together, and parameters outside the theory's domain.
        theory.NotConverged: Where the equations of the limit are not solved.

    >>> import json
    >>> import rfsim
    >>> found = rfsim.advise(rfsim.Problem(2, 4), seeds=1)
    >>> words = [one["question"] for one in json.loads(found.attrs["answers"])[0]]
    >>> words[0], float(found.value[0, 0].round(2))
    ('When does it generalize? (training time)', 7.95)
    """
    started = time.perf_counter()
    require_unused(problem, "advise", diffusion_time="give it among diffusion_times")
    require_finite_width(problem.features_per_dim)
    if array is None and isinstance(problem.data, Classes):
        raise DataError(
            f"data {str(problem.data)!r}: advice is of one covariance, and classes have several; take "
            f"isotropic:{problem.data.law(1).power:g}, of the same variance"
        )
    times = numbers("diffusion_times", diffusion_times)
    if rate is not None and not 0 < real("rate", rate) < np.inf:
        raise ValueError(f"rate must be positive and finite; got {rate:g}")
    asked = [replace(problem, diffusion_time=float(one)) for one in times]
    drawn = Draw(seed=seed, seeds=seeds)
    with notes.recorded() as heard:  # each of many runs says what there is to say of the data
        given = problem.data.rows() if array is None else array
        setting = Setting(given, center, scale, covariance, drawn)
        origin = source(problem, array=given, center=center, scale=scale)
        if origin.array is not None and len(origin.array) < FEWEST_ROWS:
            raise DataError(
                f"{origin.called} has {len(origin.array)} rows; advice compares the limit with samples of half of "
                f"them, and needs {FEWEST_ROWS}"
            )
        told = {name: value for name, value in limit_settings(problem, origin).items() if name != "diffusion_time"}
        told |= {"covariance": covariance} if covariance != "sample" else {}
        told |= {"diffusion_times": times.tolist(), "rate": rate, "seed": drawn.seed, "seeds": drawn.seeds}
        if begin:
            begin(told)
        compared = [compare(one, setting, report or (lambda step, values: None)) for one in asked]
        found = [answers(one, setting, rate) for one in compared]
    for line in dict.fromkeys(str(one) for one in heard):
        notes.say(line)
    data = _dataset(times, compared, found)
    return store.label(data, "advise", told, wall_time=time.perf_counter() - started)


def _dataset(times: np.ndarray, compared: Sequence[Compared], found: Sequence[Sequence[Answer]]) -> xr.Dataset:
    """Values over diffusion times and questions, which are the same at each."""
    both = ("diffusion_time", "question")
    curves = {name: np.stack([one.curves[name] for one in compared]) for name in compared[0].curves}
    names = {
        "train": "L_train of the limit",
        "test": "L_test of the limit",
        "check_test": "L_test of the limit at the samples' size",
        "sample_test": "L_test of samples",
        "sample_test_error": "its standard error over seeds",
    }
    return xr.Dataset(
        {
            "value": (both, np.array([[one.value for one in row] for row in found], dtype=float)),
            "error": (both, np.array([[one.error for one in row] for row in found], dtype=float)),
        }
        | {name: (("diffusion_time", "train_time"), rows, {"long_name": names[name]}) for name, rows in curves.items()},
        coords={
            "diffusion_time": ("diffusion_time", times, {"long_name": "diffusion time t", "units": "1"}),
            "question": np.arange(len(found[0])),
            "train_time": ("train_time", GRID, {"long_name": "training time τ", "units": "1"}),
        },
        attrs={"answers": json.dumps([[one.told for one in row] for row in found], ensure_ascii=False)},
    )
