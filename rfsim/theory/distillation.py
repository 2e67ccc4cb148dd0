"""The front door to distillation in the limit (equations.md D1 to D20) [ours].

Steps, leakage, instability, the ridge that is enough, and the students.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from rfsim.computing.precision import in_complex128
from rfsim.learning.filters import learning_rate_constant
from rfsim.limit.ladders import Ladder
from rfsim.limit.leakage import Around, around, closed_form, enough_ridge, instability, leakage
from rfsim.limit.rational import Trained
from rfsim.limit.steps import Fields
from rfsim.limit.students import energies, losses
from rfsim.problem.arrays import Rows
from rfsim.problem.model import Problem, require_unused, ridges_given, times
from rfsim.problem.ranks import PARTS
from rfsim.quantities.meant import known_keywords
from rfsim.quantities.theory_distill import CONSTANTS
from rfsim.results.progress import Begin, Report
from rfsim.theory.step_run import StepRun

RIDGES = (0.0, 0.1, 0.5, 2.0, 10.0)
RESOLVED = 1e-11  # of all energy: what a part has less of is rounding, and its suppression none
VALID = 0.2  # relative: how far the closed leakage may be from D13 where it is called valid
STARTS = ("teacher", "zero")


@known_keywords
@in_complex128
def distill(
    problem: Problem,
    diffusion_times: ArrayLike,
    *,
    ridges: ArrayLike = RIDGES,
    teacher_time: float = math.inf,
    teacher_ridge: float = 0.0,
    distill_times: ArrayLike = (math.inf,),
    threshold: float = 0.01,
    start: str = "teacher",
    array: ArrayLike | Rows | None = None,
    center: bool = True,
    scale: str = "global",
    covariance: str = "sample",
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
        covariance: Of an array: "sample", or an estimate of Σ's eigenvalues, "shrunk" or "deconvolved".
        report: Hears of each step.
        begin: Called with the settings of the result when all input is checked and before anything is computed; what it
            raises ends the run.

    Returns:
        Over step: from_time and to_time, between which it leads; the constants of D1 to D8; leakage (step, ridge), the
        share of what inputs of gen hand up that lands outside of gen, share (step, ridge, part) by where it lands, gain
        (step, ridge); instability (step, part), the mean of qᵀDq/λ; gamma_star, 0 where no ridge is needed and NaN
        where none is enough, and floor, the leakage that no ridge goes below; closed forms (D18, D19), NaN but for Σ =
        I: kappa, gamma_star_closed, leakage_closed (step, ridge), and closed_valid, 1 where that is within 20% of
        leakage at every ridge, else 0. Of students, (distill_time, ridge, step): train and test, losses of the read-out
        taken as a score, map_error, (1/d)E‖f(x) − x‖² (NaN but for Σ = I); student_energy and suppression (…, part; NaN
        where the teacher has less than 1e-11 of its energy), teacher_energy (step, part). Parts that no gap separates
        at a level go by their joint name there, and are NaN elsewhere. residual: what two rules leave of the constants.

    Raises:
        ValueError: For activations that are not odd, finite noise_copies and settings that do not fit.
        theory.NotConverged: Where the equations are not solved, as for diffusion times beyond about 5, where parts lie
            closer to null than double precision tells.

    >>> found = distill(Problem(samples_per_dim=8, features_per_dim=32), [0.05, 0.1], ridges=[0.0, 0.1])
    >>> found.leakage.values.round(4).tolist(), found.share.sel(part="mini").values[0].round(3).tolist()
    ([[0.7529, 0.1038]], [0.683, 0.077])
    """
    gamma, ends = ridges_given(ridges), times(distill_times, "distill_times")
    axes = {"diffusion_time": diffusion_times, "ridge": gamma}
    require_unused(
        problem,
        "theory.distill",
        axes,
        diffusion_time="give it among diffusion_times",
        ridge="give it among ridges",
    )
    if start not in STARTS:
        raise ValueError(f"start must be {' or '.join(STARTS)}; got {start!r}")
    if not ends.all():
        raise ValueError("distill_times must be positive: nothing is handed on at 0")
    run = StepRun(
        problem,
        diffusion_times,
        teacher_time=teacher_time,
        teacher_ridge=teacher_ridge,
        threshold=threshold,
        array=array,
        center=center,
        scale=scale,
        covariance=covariance,
    )
    settings = run.settings | {"diffusion_times": run.times.tolist(), "ridges": gamma.tolist()}
    settings |= {"distill_times": ends.tolist(), "start": start}
    if begin:
        begin(settings)
    tell = report or (lambda step, values: None)
    found = run.ladder(tell)
    isotropic = run.population.isotropic
    early = not (math.isinf(run.teacher_time) and np.isinf(ends).all())
    parts = [around(one, bounded=early) for one in found.levels]
    names = _names(parts)
    data = _steps(found, parts, names, gamma, run.threshold, isotropic, tell)
    data = data.merge(_students(found, parts, names, gamma, ends, start == "teacher", isotropic, tell))
    data["residual"] = (), max(one.error for one in found.steps)
    data = data.assign_coords(
        diffusion_time=("diffusion_time", run.times, {"long_name": "diffusion time t", "units": "1"}),
        step=("step", np.arange(1, found.height + 1), {"long_name": "step", "units": "1"}),
        ridge=("ridge", gamma, {"long_name": "ridge γ of the students", "units": "1"}),
        distill_time=("distill_time", ends, {"long_name": "distillation time τ_S", "units": "1"}),
        part=names,
    )
    return run.label("theory-distill", data, settings)


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
            "from_time": now.time,
            "to_time": before.time,
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
    constants = {
        name: (
            "step",
            np.array([getattr(one, name) for one in (found.fields if name in Fields._fields else found.steps)]),
        )
        for name in CONSTANTS.split()
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

    tell("students", {})
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
        ratio = np.where(teacher > RESOLVED * np.nansum(teacher, -1, keepdims=True), own / teacher, np.nan)
    return xr.Dataset(
        values
        | {
            "student_energy": ((*dims, "part"), own),
            "teacher_energy": (("step", "part"), teacher),
            "suppression": ((*dims, "part"), ratio),
        }
    )
