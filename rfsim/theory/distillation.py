"""The front door to distillation in the limit (equations.md D1 to D20) [ours].

Steps, leakage, instability, the ridge that is enough, and the students.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from typing import Any, Unpack

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from rfsim.checking.scalars import numbers, real
from rfsim.computing.precision import in_complex128
from rfsim.disk import store
from rfsim.learning.filters import learning_rate_constant
from rfsim.limit.ladders import Ladder, ladder
from rfsim.limit.leakage import Around, around, closed_form, enough_ridge, instability, leakage
from rfsim.limit.populations import Population, from_array, population
from rfsim.limit.rational import Trained
from rfsim.limit.resolvents import level
from rfsim.limit.students import energies, losses
from rfsim.problem.arrays import Rows
from rfsim.problem.draws import DataOptions, defaults_of, told
from rfsim.problem.model import Problem, limit_settings, require_unused, ridges_given, source, times
from rfsim.problem.ranks import PARTS
from rfsim.results.runs import Begin, Report

RIDGES = (0.0, 0.1, 0.5, 2.0, 10.0)
THRESHOLD = 0.01
VALID = 0.2  # relative: how far the closed leakage may be from D13 where it is called valid
CONSTANTS = {
    "fields": ("c1", "c2", "tau1", "tau2", "var_mean", "var_fresh"),
    "steps": ("alpha", "beta", "a_u", "a_omega", "a_y", "rho", "rho_new", "s1", "s2", "c_h", "c_k", "w1", "c_psi"),
}
STARTS = ("teacher", "zero")


@in_complex128
def distill(
    problem: Problem,
    diffusion_times: ArrayLike,
    *,
    ridges: ArrayLike = RIDGES,
    teacher_time: float = math.inf,
    teacher_ridge: float = 0.0,
    distill_times: ArrayLike = (math.inf,),
    threshold: float = THRESHOLD,
    start: str = "teacher",
    array: ArrayLike | Rows | None = None,
    center: bool = True,
    scale: str = "global",
    report: Report | None = None,
    begin: Begin | None = None,
) -> xr.Dataset:
    """Consistency distillation (`ddim`, sequential) of a teacher's steps as d → ∞, without drawing a matrix.

    Equations.md D1 to D21 [ours]: derived and checked on draws and on the real model, not proved.

    Args:
        problem: What is distilled, of an odd activation and with the noise averaged. diffusion_times and ridges take
            the place of its own diffusion_time and ridge, which are refused where they are given and not among these.
        diffusion_times: t_0 < … < t_N (levels,): step k leads from t_k to t_{k−1}, level k is the student at t_k, and
            t_0 carries none.
        ridges: The students' ridges γ (ridges,).
        teacher_time: The teacher's train_time τ, positive, inf allowed.
        teacher_ridge: The teacher's ridge γ.
        distill_times: Distillation times τ_S (times,), positive, inf allowed.
        threshold: Of γ⋆, between 0 and 1.
        start: Of the students, "teacher" or "zero".
        array: Samples (rows, dim) in the place of the problem's data, of which the covariance alone is used.
        center: Whether an array is centered.
        scale: How an array is scaled: "global", "columns" or "none".
        report: Hears of each step.
        begin: Called with the settings of the result when all input is checked and before anything is computed; what it
            raises ends the run.

    Returns:
        Over step: the constants of D1 to D8; leakage (step, ridge), the share of what inputs of gen hand up that lands
        outside of gen, share (step, ridge, part) by where it lands, gain (step, ridge); instability (step, part), the
        mean of qᵀDq/λ; gamma_star, 0 where no ridge is needed and NaN where none is enough, and floor, the leakage that
        no ridge goes below; closed forms (D18, D19): kappa, gamma_star_closed, leakage_closed (step, ridge) and
        closed_valid, 1 where it is within 20% of leakage at every ridge, NaN but for Σ = I. Of students,
        (distill_time, ridge, step): train and test, losses of the read-out taken as a score, map_error,
        (1/d)E‖f(x) − x‖² (NaN but for Σ = I); student_energy and suppression (…, part), teacher_energy (step, part).
        Parts that no gap separates at a level go by their joint name there, and are NaN elsewhere. residual: what two
        rules leave of the constants.

    Raises:
        ValueError: For activations that are not odd, finite noise_copies and settings that do not fit.
        theory.NotConverged: Where the equations are not solved.

    >>> found = distill(Problem(samples_per_dim=8, features_per_dim=32), [0.05, 0.1], ridges=[0.0, 0.1])
    >>> found.leakage.values.round(4).tolist(), found.share.sel(part="mini").values[0].round(3).tolist()
    ([[0.7529, 0.1038]], [0.683, 0.077])
    """
    started = time.perf_counter()
    grid, gamma, ends = _checked(problem, diffusion_times, ridges, distill_times)
    axes = {"diffusion_time": grid, "ridge": gamma}
    told = {"diffusion_time": "give it among diffusion_times", "ridge": "give it among ridges"}
    require_unused(problem, "theory.distill", axes, **told)
    if start not in STARTS:
        raise ValueError(f"start must be {' or '.join(STARTS)}; got {start!r}")
    limit = real("threshold", threshold)
    if not 0 < limit < 1:
        raise ValueError(f"threshold must lie between 0 and 1; got {limit:g}")
    tau, taught = float(times([teacher_time], "teacher_time")[0]), float(ridges_given([teacher_ridge])[0])
    if tau == 0 or not ends.all():
        raise ValueError(
            "teacher_time and distill_times must be positive: nothing is learned, and nothing handed on, at 0"
        )
    origin = source(problem, array=array, center=center, scale=scale)
    settings = {k: v for k, v in limit_settings(problem, origin).items() if k not in ("ridge", "diffusion_time")}
    settings |= {"diffusion_times": grid.tolist(), "ridges": gamma.tolist(), "distill_times": ends.tolist()}
    settings |= {"teacher_time": tau, "teacher_ridge": taught, "threshold": limit, "start": start}
    if begin:
        begin(settings)
    tell = report or (lambda step, values: None)
    rho = population(problem.data) if origin.array is None else from_array(origin.array)
    found = _ladder(problem, rho, grid, tau, taught, tell)
    early = not (math.isinf(tau) and np.isinf(ends).all())
    parts = [around(one, np.pi / 4 if early else np.pi / 2) for one in found.levels]
    names = _names(parts)
    data = _steps(found, parts, names, gamma, limit, rho.isotropic, tell)
    data = data.merge(_students(found, parts, names, gamma, ends, start == "teacher", rho.isotropic, tell))
    data["residual"] = (), max(one.error for one in found.steps), {"long_name": "between two rules of the constants"}
    data = data.assign_coords(
        diffusion_time=("grid", grid, {"long_name": "diffusion time t", "units": "1"}),
        step=("step", np.arange(1, found.height + 1)),
        ridge=("ridge", gamma, {"long_name": "ridge γ of the students", "units": "1"}),
        distill_time=("distill_time", ends, {"long_name": "distillation time τ_S", "units": "1"}),
        part=names,
    )
    return store.label(data, "theory-distill", settings, wall_time=time.perf_counter() - started)


class StepOptions(DataOptions, total=False):
    """Of a step of the teacher, as in `distill`."""

    teacher_time: float
    teacher_ridge: float
    distill_times: ArrayLike
    start: str
    report: Report | None
    begin: Begin | None


@told(StepOptions, **defaults_of(distill))
def gamma_star(
    problem: Problem, next_time: float, threshold: float = THRESHOLD, **options: Unpack[StepOptions]
) -> xr.Dataset:
    """The ridge γ⋆ of one step that is enough against leakage, as d → ∞.

    Equations.md D13 and D19 [ours].

    Args:
        problem: What is distilled; the step leads from its diffusion_time. Its ridge is not used, and refused where one
            is given.
        next_time: The diffusion time that the step leads down to.
        threshold: The leakage that is allowed, between 0 and 1.
        teacher_time: The teacher's train_time τ, inf allowed.
        teacher_ridge: The teacher's ridge γ.
        distill_times: Distillation times τ_S (times,).
        start: Of the student, "teacher" or "zero".
        array: Samples (rows, dim) in the place of the problem's data, of which the covariance alone is used.
        center: Whether an array is centered.
        scale: How an array is scaled: "global", "columns" or "none".
        report: Hears of each step.
        begin: Called with the settings of the result before anything is computed.

    Returns:
        Scalars: gamma_star by D13, gamma_star_closed by D19, floor and kappa.

    Raises:
        ValueError: As `distill` does.
        theory.NotConverged: Where the equations are not solved.

    >>> found = gamma_star(Problem(samples_per_dim=8, features_per_dim=32, diffusion_time=0.1), 0.05)
    >>> round(float(found.gamma_star), 3), round(float(found.gamma_star_closed), 3)
    (0.426, 0.425)
    """
    require_unused(problem, "theory.gamma_star", ridge="it is what is solved for; theory.distill takes ridges")
    found = distill(problem, [next_time, problem.diffusion_time], ridges=[0.0], threshold=threshold, **options)
    return found[["gamma_star", "gamma_star_closed", "floor", "kappa"]].isel(step=0, drop=True)


def _checked(
    problem: Problem, diffusion_times: ArrayLike, ridges: ArrayLike, distill_times: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    if not problem.activation.odd:
        given = str(problem.activation)
        raise ValueError(f"distillation in the limit is of odd activations, such as tanh; got {given!r}")
    if math.isfinite(problem.noise_copies):
        raise ValueError(
            f"distillation in the limit averages the noise, noise_copies inf; got {problem.noise_copies:g}"
        )
    grid = numbers("diffusion_times", diffusion_times)
    if grid.size < 2 or not np.all(np.diff(grid) > 0):
        raise ValueError(f"diffusion_times must be two or more, and ascend; got {grid.tolist()}")
    return grid, ridges_given(ridges), times(distill_times, "distill_times")


def _ladder(
    problem: Problem, rho: Population, grid: NDArray[np.float64], tau: float, ridge: float, tell: Report
) -> Ladder:
    levels = []
    for t in grid.tolist():
        tell(f"level t = {t:g}", {})
        levels.append(level(dataclasses.replace(problem, diffusion_time=t), rho))
    if ridge == 0 and float(levels[0].limit.floor) == 0:
        raise ValueError("eigenvalues of U reach down to 0 where σ is linear; give a teacher_ridge")
    teachers = [Trained(tau, learning_rate_constant(one.noise, problem.features_per_dim), ridge) for one in levels[1:]]
    return ladder(levels, teachers, problem.activation)


def _names(parts: Sequence[Around]) -> list[str]:
    """All parts of all levels, in the order of their lowest one."""
    names = dict.fromkeys(name for one in parts for name in one.names)
    return sorted(names, key=lambda name: (PARTS.index(name.split("+")[0]), len(name)))


def _filled(names: Sequence[str], of: Sequence[str], values: ArrayLike) -> NDArray[np.float64]:
    """Values (..., of) as (..., names), NaN where there is no such part."""
    given = np.asarray(values, dtype=float)
    whole = np.full((*given.shape[:-1], len(names)), np.nan)
    whole[..., [names.index(name) for name in of]] = given
    return whole


def _steps(
    found: Ladder,
    parts: Sequence[Around],
    names: list[str],
    gamma: NDArray[np.float64],
    threshold: float,
    isotropic: bool,
    tell: Report,
) -> xr.Dataset:
    rows: dict[str, list[Any]] = {}
    for k in range(1, found.height + 1):
        tell(f"leakage of step {k} of {found.height}", {})
        now, before, constants, taught = found.levels[k], found.levels[k - 1], found.steps[k - 1], found.teachers[k - 1]
        lost = leakage(now, before, constants, taught, gamma, parts[k], parts[k - 1])
        shaken = instability(now, constants, found.fields[k - 1], taught, parts[k])
        closed = closed_form(now, constants, taught)
        short = closed.leakage(gamma)
        row = {
            "leakage": lost.lost,
            "share": _filled(names, lost.names, lost.shares),
            "gain": now.limit.features_per_dim * lost.energies.sum(-1),
            "instability": _filled(names, parts[k].names, [shaken[name] for name in parts[k].names]),
            "gamma_star": enough_ridge(lost, threshold),
            "floor": lost.floor,
            "kappa": closed.kappa if isotropic else np.nan,
            "gamma_star_closed": closed.ridge(threshold) if isotropic else np.nan,
            "leakage_closed": short if isotropic else np.full_like(short, np.nan),
            "closed_valid": int(isotropic and bool(np.all(np.abs(short / lost.lost - 1) <= VALID))),
        }
        for name, value in row.items():
            rows.setdefault(name, []).append(value)
    dims = {"leakage": ("ridge",), "share": ("ridge", "part"), "gain": ("ridge",), "instability": ("part",)}
    dims |= {"leakage_closed": ("ridge",)}
    values = {name: (("step", *dims.get(name, ())), np.array(value)) for name, value in rows.items()}
    of = {"fields": found.fields, "steps": found.steps}
    constants = {
        name: ("step", np.array([getattr(one, name) for one in of[where]]))
        for where, listed in CONSTANTS.items()
        for name in listed
    }
    return xr.Dataset(constants | values)


def _students(
    found: Ladder,
    parts: Sequence[Around],
    names: list[str],
    gamma: NDArray[np.float64],
    ends: NDArray[np.float64],
    from_teacher: bool,
    isotropic: bool,
    tell: Report,
) -> xr.Dataset:
    psi_p = found.space.features_per_dim
    kappa = [learning_rate_constant(found.out(k) ** 2, psi_p) for k in range(1, found.height + 1)]

    def each(of: Callable[[list[Trained]], Any]) -> list[list[Any]]:
        return [
            [of([Trained(tau, rate, ridge) for rate in kappa]) for ridge in gamma.tolist()] for tau in ends.tolist()
        ]

    tell(f"students of {found.height} levels", {})
    scored = each(lambda trained: losses(found, trained, from_teacher=from_teacher))
    shared = each(lambda trained: energies(found, trained, parts[1:], from_teacher=from_teacher))
    dims = "distill_time", "ridge", "step"
    values = {
        name: (dims, np.array([[getattr(one, name) for one in row] for row in scored]))
        for name in ("train", "test", "map_error")
    }
    if not isotropic:
        values["map_error"] = dims, np.full_like(values["map_error"][1], np.nan)
    own = np.array(
        [
            [[_filled(names, here.names, one) for here, (one, _) in zip(parts[1:], row, strict=True)] for row in rows]
            for rows in shared
        ]
    )
    teacher = np.array([_filled(names, h.names, one) for h, (_, one) in zip(parts[1:], shared[0][0], strict=True)])
    null = [k for k, name in enumerate(names) if name == "null"]
    teacher[:, null] = np.where(np.isnan(teacher[:, null]), np.nan, 0.0)  # exactly: the read-out has nothing there
    with np.errstate(divide="ignore"):
        ratio = np.where(teacher > 0, own / teacher, np.nan)
    return xr.Dataset(
        values
        | {
            "student_energy": ((*dims, "part"), own),
            "teacher_energy": (("step", "part"), teacher),
            "suppression": ((*dims, "part"), ratio),
        }
    )
