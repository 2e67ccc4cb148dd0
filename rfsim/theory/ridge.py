"""The front door to the ridge minimizer in the limit: over ridges, and over the (ψ_n, ψ_p) plane (equations.md T12)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from rfsim.checking.scalars import numbers
from rfsim.computing.precision import in_complex128
from rfsim.limit.limits import Limit
from rfsim.limit.minimizer import RidgeLosses, losses_along, ridge_losses, score_errors
from rfsim.limit.optimal import BestRidge, best_ridge
from rfsim.limit.solver import NotConverged
from rfsim.limit.wide import wide_losses
from rfsim.problem.arrays import Rows
from rfsim.problem.model import Problem, require_unused, ridges_given
from rfsim.quantities.meant import known_keywords
from rfsim.results.progress import Begin, Report
from rfsim.results.variables import LONG_NAMES
from rfsim.theory.run import LimitRun

UNKNOWN = BestRidge(np.nan, np.nan)
LOSSES = ("train", "train_penalized", "test", "emp", "score", "bias2", "variance")


@known_keywords
@in_complex128
def ridge(
    problem: Problem,
    ridges: ArrayLike,
    *,
    array: ArrayLike | Rows | None = None,
    center: bool = True,
    scale: str = "global",
    covariance: str = "sample",
    report: Report | None = None,
    begin: Begin | None = None,
) -> xr.Dataset:
    """Losses of the ridge minimizer as d → ∞ at each of several ridges, and the optimal ridge.

    Equations.md T12; Urfin et al. 2026, §2.2.

    Args:
        problem: What is trained on. `ridges` take the place of its own, which is left out of the result's settings and
            refused where it is given and not among them.
        ridges: Ridges γ (ridges,), finite and not negative; 0 stands for γ → 0 and is refused at p = n m, where L_test
            diverges.
        array: Samples (rows, dim) in the place of the problem's data, of which the covariance alone is used.
        center: Whether an array is centered.
        scale: How an array is scaled: "global", "columns" or "none".
        covariance: Of an array: "sample", or an estimate of Σ's eigenvalues, "shrunk" or "deconvolved".
        report: Hears of each step.
        begin: Called with the settings of the result when all input is checked and before anything is computed; what it
            raises ends the run.

    Returns:
        train, train_penalized (with the penalty; U26's "L_train"), test, emp (the training samples with fresh noise),
        score (E_score, NaN for data), bias2, variance (NaN where Σ is not isotropic) and residual over the coordinate
        ridge; best_ridge and best_test: the γ with the lowest L_test over all γ ≥ 0, inf where the zero score is best;
        the constants a, b, v2, s2 (T9). Where the equations do not converge losses are NaN beside their residual.
        Losses are per dimension, with weight Δ: the zero score has loss 1.

    Raises:
        ValueError: For ridges and problems that have no such limit.

    >>> result = ridge(Problem(samples_per_dim=4, features_per_dim=16, noise_copies=4), [1e-3])
    >>> [round(float(result[name][0]), 4) for name in ("train", "test", "emp")]
    [0.0605, 2.9731, 1.3586]
    """
    gamma = ridges_given(ridges)
    require_unused(problem, "theory.ridge", {"ridge": gamma}, ridge="give it among ridges")
    run = LimitRun(problem, array=array, center=center, scale=scale, covariance=covariance, classes=True)
    run.settings.pop("ridge")
    extra = {"ridges": gamma.tolist()}
    run.begin(begin, extra)
    found = ridge_losses(run.limit, gamma)
    _tell(report, "optimal ridge")
    data = xr.Dataset(
        _variables(run, found, ("ridge",), gamma.shape) | _best((), [best_or_unknown(run.limit)]),
        coords={"ridge": ("ridge", gamma, {"long_name": "ridge γ", "units": "1"})},
    )
    return run.label("theory-ridge", data, extra)


def cells(
    run: LimitRun, samples_per_dim: NDArray[np.float64], features_per_dim: NDArray[np.float64], ridges: ArrayLike
) -> tuple[xr.Dataset, list[ValueError | None]]:
    """The losses of `ridge` at points (cells,) of the plane, over the dimensions cell and ridge.

    In one program where every ridge is above zero or no eigenvalue is 0; and the optimal ridge of each. Where a ridge
    of 0 has no limit its losses are NaN, and the ValueError that says why stands in the cell's place of the list.
    """
    gamma = ridges_given(ridges)
    positive = gamma > 0
    shape = samples_per_dim.size, gamma.size
    limits = [
        run.limit._replace(samples_per_dim=float(n), features_per_dim=float(p))
        for n, p in zip(samples_per_dim, features_per_dim, strict=True)
    ]
    failures: list[ValueError | None] = [None] * shape[0]
    if float(run.limit.floor) > 0 or gamma.all():
        psi_n, psi_p = (np.repeat(values, gamma.size) for values in (samples_per_dim, features_per_dim))
        found = losses_along(
            run.limit._replace(samples_per_dim=psi_n, features_per_dim=psi_p), np.tile(gamma, shape[0])
        )
    else:
        whole = np.full((len(RidgeLosses._fields), *shape), np.nan)
        for k, limit in enumerate(limits):
            try:
                whole[:, k] = np.stack(ridge_losses(limit, gamma))
            except ValueError as error:
                failures[k] = error
                if positive.any():
                    whole[:, k, positive] = np.stack(ridge_losses(limit, gamma[positive]))
        found = RidgeLosses(*whole.reshape(len(whole), -1))
    data = xr.Dataset(
        _variables(run, found, ("cell", "ridge"), shape) | _best(("cell",), [best_or_unknown(one) for one in limits]),
        coords={"ridge": ("ridge", gamma, {"long_name": "ridge γ", "units": "1"})},
    )
    return data, failures


def best_or_unknown(limit: Limit) -> BestRidge:
    """The optimal ridge, NaN where the edges that it is looked for between are not found."""
    try:
        return best_ridge(limit)
    except NotConverged:
        return UNKNOWN


@known_keywords
@in_complex128
def ridge_plane(
    problem: Problem,
    features_per_dim: ArrayLike,
    samples_per_dim: ArrayLike | None = None,
    *,
    ridge_per_feature: bool = False,
    array: ArrayLike | Rows | None = None,
    center: bool = True,
    scale: str = "global",
    covariance: str = "sample",
    report: Report | None = None,
) -> xr.Dataset:
    """The losses of `ridge` at the problem's ridge over a grid of (ψ_n, ψ_p), in one go.

    Equations.md T12; Urfin et al. 2026, Figs 3–6, 14, 16 and 17.

    Args:
        problem: What is trained on, and its ridge γ. The grid takes the place of its own ratios, which are left out of
            the settings.
        features_per_dim: ψ_p (columns,), positive; inf: the limit of many features, taken after d → ∞ (`theory.wide`).
        samples_per_dim: ψ_n (rows,), positive and finite; None: the problem's own alone.
        ridge_per_feature: Whether the ridge is that of the problem × features_per_dim.
        array: Samples (rows, dim) in the place of the problem's data, of which the covariance alone is used.
        center: Whether an array is centered.
        scale: How an array is scaled: "global", "columns" or "none".
        covariance: Of an array: "sample", or an estimate of Σ's eigenvalues, "shrunk" or "deconvolved".
        report: Hears of each step.

    Returns:
        The losses, score, bias2, variance and residual of `ridge` over (samples_per_dim, features_per_dim).

    Raises:
        ValueError: As `ridge` does, and for a ridge of 0 at finite m, where one cell in the plane has no limit.

    >>> plane = ridge_plane(Problem(ridge=1e-3), [8, 32], [4, 16])
    >>> plane.test.dims, plane.test.shape
    (('samples_per_dim', 'features_per_dim'), (2, 2))

    """
    psi_p = _positive("features_per_dim", features_per_dim)
    psi_n = _positive("samples_per_dim", problem.samples_per_dim if samples_per_dim is None else samples_per_dim)
    if np.isinf(psi_n).any():
        raise ValueError("samples_per_dim must be finite; got inf")
    run = LimitRun(problem, array=array, center=center, scale=scale, covariance=covariance)
    for name in ("features_per_dim", "samples_per_dim"):
        run.settings.pop(name)
    _tell(report, "losses over the plane")
    rows, columns = (values.ravel() for values in np.meshgrid(psi_n, psi_p, indexing="ij"))
    found = _over_plane(run, rows, columns, ridge_per_feature)
    dims = ("samples_per_dim", "features_per_dim")
    data = xr.Dataset(
        _variables(run, found, dims, (psi_n.size, psi_p.size)),
        coords={
            "samples_per_dim": ("samples_per_dim", psi_n, {"long_name": "samples per dimension ψ_n", "units": "1"}),
            "features_per_dim": ("features_per_dim", psi_p, {"long_name": "features per dimension ψ_p", "units": "1"}),
        },
    )
    extra = {"features_per_dim": psi_p.tolist(), "samples_per_dim": psi_n.tolist()}
    return run.label("theory-ridge-plane", data, extra | {"ridge_per_feature": ridge_per_feature})


def _best(dims: Sequence[str], found: Sequence[BestRidge]) -> dict:
    ridges, tests = (np.reshape(values, (len(found),) if dims else ()) for values in zip(*found, strict=True))
    return {
        "best_ridge": (dims, ridges, {"long_name": "γ of the lowest L_test", "units": "1"}),
        "best_test": (dims, tests, {"long_name": "lowest L_test over all γ", "units": "1"}),
    }


def _over_plane(
    run: LimitRun, psi_n: NDArray[np.float64], psi_p: NDArray[np.float64], ridge_per_feature: bool
) -> RidgeLosses:
    """At points (points,) of the plane, the wide ones among them by their own limit."""
    gamma = float(run.problem.ridge)
    whole = RidgeLosses(*(np.empty(psi_n.shape) for _ in RidgeLosses._fields))
    wide = np.isinf(psi_p)
    if not wide.all():
        near = run.limit._replace(samples_per_dim=psi_n[~wide], features_per_dim=psi_p[~wide])
        _fill(whole, ~wide, losses_along(near, gamma * (psi_p[~wide] if ridge_per_feature else np.ones((~wide).sum()))))
    for k in np.flatnonzero(wide):
        far = run.limit._replace(samples_per_dim=float(psi_n[k]))
        _fill(whole, np.array([k]), wide_losses(far, gamma if ridge_per_feature else 0.0))
    return whole


def _fill(whole: RidgeLosses, where: NDArray, part: RidgeLosses) -> None:
    for values, found in zip(whole, part, strict=True):
        values[where] = found


def _variables(run: LimitRun, found: RidgeLosses, dims: Sequence[str], shape: tuple[int, ...]) -> dict:
    values = found._asdict() | score_errors(run.limit, found)._asdict()
    if not run.named:
        values["score"] = np.full(found.test.shape, np.nan)  # the score of the data's law is not known
    names = {name: LONG_NAMES[name] for name in LOSSES} | {"residual": "of the equations, relative"}
    return {
        name: (dims, values[name].reshape(shape), {"long_name": long, "units": "1"}) for name, long in names.items()
    }


def _positive(name: str, given: ArrayLike) -> NDArray[np.float64]:
    values = _numbers(name, given, finite=False)
    if not np.all(values > 0):
        raise ValueError(f"{name} must be positive; got {values[~(values > 0)][0]:g}")
    return values


def _numbers(name: str, given: ArrayLike, *, finite: bool = True) -> NDArray[np.float64]:
    values = numbers(name, given)
    wrong = ~np.isfinite(values) if finite else np.isnan(values)
    if wrong.any():
        raise ValueError(f"{name} must be {'finite' if finite else 'numbers'}; got {values[wrong][0]:g}")
    return values


def _tell(report: Report | None, step: str) -> None:
    if report:
        report(step, {})
