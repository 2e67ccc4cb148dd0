"""Losses over a grid of (ψ_n, ψ_p) at given training times, as a labelled result: the phase diagrams of the limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from rfsim.computing.precision import in_complex128
from rfsim.learning import losses
from rfsim.learning.curves import LossCurves
from rfsim.learning.timescales import mean_gen_eigenvalue, mem_time_of_curve, rate_time, smallest_bulk_eigenvalue
from rfsim.learning.trainers import FlowFilter
from rfsim.limit.maps import STATUS, Map, Progress, flow_map
from rfsim.limit.mini import large_eigenvalue
from rfsim.problem.arrays import Rows
from rfsim.problem.model import Problem, times
from rfsim.quantities.meant import known_keywords
from rfsim.results.progress import Report
from rfsim.results.variables import LONG_NAMES
from rfsim.theory.run import LimitRun, require_averaged, require_tolerance
from rfsim.theory.wide_curves import searched, wide_curves

AXES = {"samples_per_dim": "samples per dimension ψ_n", "features_per_dim": "features per dimension ψ_p"}
TOLERANCE = 1e-4
ABOUT: dict[str, dict[str, Any]] = {  # of each cell
    "error": {"long_name": "largest change of a loss at the last doubling of the nodes"},
    "residual": {"long_name": "of the equations, relative"},
    "nodes": {"long_name": "nodes of the contour"},
    "status": {"flag_values": list(range(len(STATUS))), "flag_meanings": " ".join(STATUS)},
    "tau_mem": {"long_name": "τ_mem, B25's formula", "units": "1"},
    "tau_gen": {"long_name": "τ_gen, of the mean of gen by formula", "units": "1"},
    "tau_mini": {"long_name": "τ_mini, of mini's eigenvalue at large ψ", "units": "1"},
    "tau_mem_curve": {"long_name": "τ_mem, by the curve of L_gen", "units": "1"},
}


@known_keywords
@in_complex128
def diagram(
    problem: Problem,
    *,
    samples_per_dim: Sequence[float],
    features_per_dim: Sequence[float],
    train_times: ArrayLike,
    tolerance: float = TOLERANCE,
    array: ArrayLike | Rows | None = None,
    center: bool = True,
    scale: str = "global",
    covariance: str = "sample",
    report: Report | None = None,
) -> xr.Dataset:
    """L_train, L_test, L_gen and E_score of the flow as d → ∞ over a grid of (ψ_n, ψ_p).

    Equations.md T13 and T14; Bonnaire et al. 2025, Fig. 5C. At finite m without a ridge every cell needs its lowest
    edge, which takes most of the time.

    Args:
        problem: What is trained on, and its ridge γ. The grid takes the place of its own samples_per_dim and
            features_per_dim.
        samples_per_dim: ψ_n (rows,), increasing.
        features_per_dim: ψ_p (columns,), increasing; inf is the limit of many features, at m = ∞ alone.
        train_times: Training times τ (times,), not negative, inf allowed.
        tolerance: Of every loss, relative to |L_gen| (to 1e-3 where it is smaller), as the change when the contour's
            nodes are doubled.
        array: Samples (rows, dim) in the place of the problem's data, of which the covariance alone is used.
        center: Whether an array is centered.
        scale: How an array is scaled: "global", "columns" or "none".
        covariance: Of an array: "sample", or an estimate of Σ's eigenvalues, "shrunk" or "deconvolved".
        report: Hears of each step.

    Returns:
        Variables train, test, gen, score, bias2, variance (samples_per_dim, features_per_dim, train_time) — E_score NaN
        for arrays, whose true score is unknown, its parts bias² and variance but for isotropic data —, and for each
        cell error, the largest change of a loss at the last doubling, residual of the equations, relative, nodes,
        tau_mem (B25's formula), tau_gen (of the mean of gen by formula), tau_mini (of `mini.large_eigenvalue`, its
        smallest; NaN where p ≤ n or noise copies are finite) and status: converged; no-contour, where p = n m and no
        ridge let eigenvalues reach down to 0, or an edge was not found; newton; nodes (`maps.Map`). A cell that has not
        converged is NaN.

    Raises:
        ValueError: For parameters outside the theory's domain.

    >>> result = diagram(Problem(), samples_per_dim=[2, 8], features_per_dim=[16], train_times=[1e3, float("inf")])
    >>> result.gen.sizes["train_time"], result.gen.values[:, 0, 1].round(3).tolist()
    (2, [2.287, 0.626])
    """
    tau = times(train_times)
    axes = {
        name: axis(problem, name, values)
        for name, values in zip(AXES, (samples_per_dim, features_per_dim), strict=True)
    }
    require_tolerance(tolerance)
    run = LimitRun(problem, array=array, center=center, scale=scale, covariance=covariance)
    psi_n, psi_p = (grid.ravel() for grid in np.meshgrid(*axes.values(), indexing="ij"))
    require_averaged(replace(problem, features_per_dim=float(psi_p.max())))

    def progress(step: str, done: int, total: int) -> None:
        if report:
            report(f"{step}, cell {done} of {total}", {})

    data = cells(run, psi_n, psi_p, tau, tolerance=tolerance, progress=progress)
    data = xr.Dataset(
        {
            name: (
                (*AXES, *one.dims[1:]),
                one.values.reshape(*(axis.size for axis in axes.values()), *one.shape[1:]),
                one.attrs,
            )
            for name, one in data.items()
        },
        coords={name: (name, axis, {"long_name": AXES[name], "units": "1"}) for name, axis in axes.items()}
        | {"train_time": data.train_time},
    )
    extra = {name: axis.tolist() for name, axis in axes.items()} | {"train_times": tau.tolist(), "tolerance": tolerance}
    return run.label("theory-diagram", data, extra)


def cells(
    run: LimitRun,
    samples_per_dim: NDArray[np.float64],
    features_per_dim: NDArray[np.float64],
    train_times: NDArray[np.float64],
    *,
    tolerance: float,
    mem_time: bool = False,
    progress: Progress | None = None,
) -> xr.Dataset:
    """The variables of `diagram` at points (cells,) of the plane, over the dimensions cell and train_time.

    mem_time: also tau_mem_curve, NaN where L_gen does not rise or the nodes do not resolve when.
    """
    psi_n, psi_p = samples_per_dim, features_per_dim
    wide = np.isinf(psi_p)
    if wide.all():
        each = [_wide_cell(run, float(n), train_times, tolerance, mem_time=mem_time) for n in psi_n]
        return xr.concat(each, "cell", data_vars="minimal", coords="minimal", compat="override", join="override")
    if wide.any():
        rest = {"tolerance": tolerance, "mem_time": mem_time, "progress": progress}
        halves = [cells(run, psi_n[one], psi_p[one], train_times, **rest) for one in (~wide, wide)]
        order = np.argsort(np.concatenate([np.flatnonzero(~wide), np.flatnonzero(wide)]))
        return xr.concat(halves, "cell", data_vars="minimal").isel(cell=order)
    asked = {"tolerance": tolerance, "mem_time": mem_time, "progress": progress}
    found = flow_map(run.limit, psi_n, psi_p, train_times, run.problem.ridge, **asked)
    formula = [
        rate_time(smallest_bulk_eigenvalue(run.constants, n, p), run.delta, p)
        for n, p in zip(psi_n, psi_p, strict=True)
    ]
    gen = [rate_time(mean_gen_eigenvalue(run.constants, run.total_variance, p), run.delta, p) for p in psi_p]
    here = run.limit._replace(samples_per_dim=psi_n, features_per_dim=psi_p)  # for a form that takes arrays
    slowest = np.full(psi_n.size, np.nan) if run.finite_copies else large_eigenvalue(here).min(-1)
    slow = [
        rate_time(lam, run.delta, p) if lam == lam else np.nan for lam, p in zip(slowest.tolist(), psi_p, strict=True)
    ]
    each = {
        "error": found.error,
        "residual": found.residual,
        "nodes": found.nodes,
        "status": found.status.astype(np.int32),
        "tau_mem": np.array(formula),
        "tau_gen": np.array(gen),
        "tau_mini": np.array(slow),
    }
    if mem_time:
        each["tau_mem_curve"] = found.mem_time
    return _labelled(run, found, train_times, each)


def _wide_cell(
    run: LimitRun, psi_n: float, train_times: NDArray[np.float64], tolerance: float, *, mem_time: bool
) -> xr.Dataset:
    """The same at ψ_p = ∞ (W1 to W5), where a fixed ridge is none."""
    limit = run.limit._replace(samples_per_dim=psi_n, features_per_dim=np.inf)
    trainer = FlowFilter(2 * run.delta, 0.0)
    solved = wide_curves(limit, train_times, trainer, tolerance)
    law, own = solved.tables.law, limit.v2 / psi_n
    mini = own * float((run.delta / (limit.signal * limit.values + run.delta)).min())  # `large_eigenvalue` over ψ_p
    done = bool(np.all(solved.error <= tolerance))
    values = {
        "error": solved.error.max(),
        "residual": law.residual,
        "nodes": law.points.size,
        "status": 0 if done else STATUS.index("nodes"),
        "tau_mem": rate_time(own, run.delta, 1.0),
        "tau_gen": rate_time(limit.gain * run.total_variance, run.delta, 1.0),
        "tau_mini": rate_time(mini, run.delta, 1.0),
    }
    if mem_time:
        at, grid = searched(run, solved, trainer, tolerance)
        found = at and mem_time_of_curve(at, grid)
        values["tau_mem_curve"] = np.nan if found is None else found
    each = {name: np.array([value]) for name, value in values.items()}
    each["status"] = each["status"].astype(np.int32)
    whole = solved.curves._replace(
        **{name: np.where(done, values, np.nan)[None] for name, values in solved.curves._asdict().items()}
    )
    return _labelled(run, whole, train_times, each)


def _labelled(
    run: LimitRun, found: Map | LossCurves, train_times: NDArray[np.float64], each: dict[str, NDArray]
) -> xr.Dataset:
    """Losses (cells, times) and what there is of each cell, as variables."""
    curves = {"train": found.train, "test": found.test, "gen": found.test - found.train}
    known = np.asarray(losses.score_error(found.test, run.delta, run.score_power))
    unknown = np.full_like(known, np.nan)
    curves["score"] = known if run.named else unknown
    isotropic = run.population.isotropic
    bias = np.asarray(losses.bias_squared(found.cross, run.delta, run.total_variance)) if isotropic else unknown
    curves |= {"bias2": bias, "variance": curves["score"] - bias}
    return xr.Dataset(
        {
            name: (("cell", "train_time"), values, {"long_name": LONG_NAMES[name], "units": "1"})
            for name, values in curves.items()
        }
        | {name: ("cell", values, ABOUT[name]) for name, values in each.items()},
        coords={"train_time": ("train_time", train_times, {"long_name": "training time τ", "units": "1"})},
    )


def axis(problem: Problem, name: str, values: Sequence[float]) -> NDArray[np.float64]:
    """One axis of the grid; raises what `Problem` raises for a value, and for an empty axis."""
    found = [float(getattr(replace(problem, **{name: value}), name)) for value in np.atleast_1d(values).tolist()]
    if not found or np.any(np.diff(found) <= 0):
        raise ValueError(f"{name} must be a non-empty list of increasing values; got {found}")
    return np.array(found)
