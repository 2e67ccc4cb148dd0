"""The limit of a problem, and beside it samples of its data at a size of a minute with the limit at that size."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim import theory
from rfsim.checking.lists import times
from rfsim.problem.draws import Draw
from rfsim.problem.model import HALF, Problem
from rfsim.problem.origins import DIM
from rfsim.results.progress import Report
from rfsim.sampled.train import Variant, train_variants

TIMES = "0.1:1e8:91"  # as a command is given them
GRID = np.asarray(times(TIMES))
MOST_FEATURES, SMALL_DIM = 1024, 50  # of a sample: a decomposition takes seconds
LADDER = np.exp2(np.arange(-3.0, 4.0))  # ridges of the samples around the best one of the limit


class Setting(NamedTuple):
    """The data that are advised on, how they are prepared, and which samples are drawn.

    Attributes:
        array: Samples, or None for the problem's named population.
        center: As in `rfsim.advise`.
        scale: As in `rfsim.advise`.
        covariance: As in `rfsim.advise`.
        drawn: Seeds of the samples.
    """

    array: Any
    center: bool
    scale: str
    covariance: str
    drawn: Draw

    @property
    def prepared(self) -> dict[str, Any]:
        """What a sampled quantity is given of the data."""
        return {"array": self.array, "center": self.center, "scale": self.scale}

    @property
    def data(self) -> dict[str, Any]:
        """What a quantity of the limit is given of them."""
        return self.prepared | {"covariance": self.covariance}

    @property
    def told(self) -> dict[str, Any]:
        """What a command is given of how they are prepared, where it is not the default."""
        if self.array is None:
            return {}
        given = {} if self.center else {"center": False}
        return given | ({} if self.scale == "global" else {"scale": self.scale})

    @property
    def columns(self) -> int | None:
        """The data's own dimension."""
        return None if self.array is None else np.shape(getattr(self.array, "values", self.array))[1]


class Size(NamedTuple):
    """A sample's d, n and p, and whether they are those of the problem."""

    dim: int
    samples: int
    features: int
    own: bool


class Limits(NamedTuple):
    """Two results of the limit of one problem: `theory.curves` over GRID and `theory.ridge`."""

    curves: xr.Dataset
    ridge: xr.Dataset


class Compared(NamedTuple):
    """A problem at one diffusion time.

    Attributes:
        problem: Itself.
        dim: The data's dimension, DIM where they have none of their own.
        size: Of the samples.
        limit: Of the problem.
        check: Of a problem of the samples' size, the same where that is the problem's own.
        samples: At the problem's ridge, then at those of the ladder, over GRID.
        ridges: Of the ladder, none where the best ridge is 0, infinite or unknown.
    """

    problem: Problem
    dim: int
    size: Size
    limit: Limits
    check: Limits
    samples: list[xr.Dataset]
    ridges: NDArray[np.float64]

    @property
    def curves(self) -> dict[str, NDArray[np.float64]]:
        """Losses over GRID, for the figure."""
        test = self.samples[0].test.values
        error = test.std(axis=0, ddof=1) / math.sqrt(len(test)) if len(test) > 1 else np.full(len(GRID), np.nan)
        return {
            "train": self.limit.curves.train.values,
            "test": self.limit.curves.test.values,
            "check_test": self.check.curves.test.values,
            "sample_test": test.mean(axis=0),
            "sample_test_error": error,
        }


def compare(problem: Problem, setting: Setting, report: Report) -> Compared:
    """The limit, samples, and the limit at their size.

    Args:
        problem: At one diffusion time.
        setting: The data and the seeds.
        report: Hears of each step.

    Returns:
        All of it.

    Raises:
        ValueError: As `theory.curves` and `rfsim.train` do.
        NotConverged: Where the equations are not solved.
    """
    at = f"at diffusion time {problem.diffusion_time:g}"
    report(f"limit {at}", {})
    size, own = sample_size(problem, setting), limits(problem, setting)
    there = replace(problem, samples_per_dim=size.samples / size.dim, features_per_dim=size.features / size.dim)
    check = own if size.own else limits(there, setting)
    best = float(check.ridge.best_ridge)
    ridges: NDArray[np.float64] = best * LADDER if 0 < best < math.inf else np.zeros(0)
    report(f"samples {at}, {size.samples} of {size.dim} dimensions", {})
    drawn = setting.drawn
    found = train_variants(
        replace(there, ridge=0.0),
        GRID,
        [Variant(one) for one in (problem.ridge, *ridges.tolist())],
        route="dense",
        dim=None if setting.array is not None else size.dim,
        seed=drawn.seed,
        seeds=drawn.seeds,
        **setting.prepared,
    )
    for one in found:
        if isinstance(one, ValueError):
            raise one
    samples = [one for one in found if isinstance(one, xr.Dataset)]
    return Compared(problem, setting.columns or DIM, size, own, check, samples, ridges)


def limits(problem: Problem, setting: Setting) -> Limits:
    """Both results of the limit of a problem."""
    return Limits(
        theory.curves(problem, GRID, **setting.data),
        theory.ridge(replace(problem, ridge=0.0), [float(problem.ridge) or 1e-3], **setting.data),
    )


def sample_size(problem: Problem, setting: Setting) -> Size:
    """The largest size, up to the problem's own, at which its samples take seconds; of data, half of their rows."""
    dim, rows = setting.columns, math.inf
    if dim is None:
        small = max(8, min(SMALL_DIM, int(MOST_FEATURES / problem.features_per_dim)))
        dim = problem.data.dimension or small
    else:
        rows = int(HALF * len(getattr(setting.array, "values", setting.array)))
    wanted = round(problem.samples_per_dim * dim), round(problem.features_per_dim * dim)
    taken = int(max(2, min(wanted[0], rows))), max(1, min(wanted[1], MOST_FEATURES))
    return Size(dim, *taken, taken == wanted)
