"""The front door to the ridge minimizer beside noise-free inputs in the limit, over ψ_p (equations.md §13)."""

from __future__ import annotations

import math
import time

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from rfsim.checking.scalars import numbers
from rfsim.disk import store
from rfsim.disk.files.numbers import DataError
from rfsim.learning import losses
from rfsim.limit.conditions import Conditional, conditional_losses, true_denoiser
from rfsim.problem.activations import gaussian_constants
from rfsim.problem.diffusion import noise_variance, signal
from rfsim.problem.model import LARGEST_RATIO, Problem, constants, require_unused
from rfsim.problem.origins import Source, limit_settings
from rfsim.problem.populations import Condition
from rfsim.quantities.meant import known_keywords
from rfsim.results.conditions import LONG_NAMES
from rfsim.results.progress import Begin, Report

FEATURE_RATIOS, RATIO = (4.0, 16.0, 64.0), "feature_ratio"
LOSSES = {
    "train": "L_train",
    "train_penalized": "L_train with the ridge's penalty (Δγ/d)‖Ā‖²",
    "test": "L_test",
    **LONG_NAMES,
    "mean_error_linear": "the linear part of ME",
    "predictive_variance_linear": "the linear part of PV",
    "residual": "of the equations, relative",
}
TRUE = {
    "true_test": "L_test of the true score",
    "true_predictive_variance": "PV of the true denoiser",
    "true_residual_error": "RE of the true denoiser",
}


@known_keywords
def conditions(
    problem: Problem,
    feature_ratios: ArrayLike = FEATURE_RATIOS,
    *,
    report: Report | None = None,
    begin: Begin | None = None,
) -> xr.Dataset:
    """How the ridge minimizer errs beside noise-free inputs y as d → ∞, at each of several ψ_p.

    Equations.md §13; Kim and Lee 2026 (arXiv 2610.11288), Theorem 4.2 and Figs 2 to 4. The features are
    σ(W_1x_t/√(2d) + W_2y/√(2d_y)), and x̂ = (x_t + Δs)/e^{−t} is the denoised x.

    Args:
        problem: What is trained on, its data condition:SNR@PER_DIM, with noise averaged; and its ridge γ.
            `feature_ratios` take the place of its features_per_dim.
        feature_ratios: ψ_p = p/d (feature_ratios,), positive and finite.
        report: Hears of each step.
        begin: Called with the settings of the result when all input is checked and before anything is computed.

    Returns:
        Over feature_ratio: train, train_penalized (with the penalty) and test, whose zero score has loss 1; score,
        E_score against ∇ log P(x_t|y); mean_error, predictive_variance, residual_error and residual_alignment, ME, PV,
        RE and RA of x̂ per dimension, e^{−2t}(ME + RE)/Δ = L_test; mean_error_linear and predictive_variance_linear,
        what is linear in them; residual of the equations, where they were not solved beside NaN. true_test,
        true_predictive_variance and true_residual_error, of E[x|x_t, y], whose ME is 0; the constants a, b, v2, s2
        (T9).

    Raises:
        ValueError: For settings that do not fit together.
        theory.NotConverged: Where the equations were solved at no ψ_p.

    >>> found = conditions(Problem(4, data="condition:4@1", ridge=0.01), [6.0])
    >>> [round(float(found[name][0]), 4) for name in ("train", "mean_error", "predictive_variance")]
    [0.3197, 0.0566, 0.0907]
    """
    started = time.perf_counter()
    data = problem.data
    if not isinstance(data, Condition):
        raise DataError(f"theory.conditions is of data condition:SNR@PER_DIM; got data {str(data)!r}")
    psi_p = numbers("feature_ratios", feature_ratios)
    wrong = psi_p[~((psi_p >= 1 / LARGEST_RATIO) & (psi_p <= LARGEST_RATIO))]
    if wrong.size:
        within = f"{1 / LARGEST_RATIO:g} and {LARGEST_RATIO:g}"
        raise ValueError(f"feature_ratios must lie between {within}; got {wrong[0]:g}")
    averages = "its noise is averaged; theory.conditions has no other, rfsim.train has"
    given = {"features_per_dim": psi_p}
    own = "give it among feature_ratios"
    require_unused(problem, "theory.conditions", given, features_per_dim=own, noise_copies=averages)
    told = limit_settings(problem, Source(None, {})) | {"feature_ratios": psi_p.tolist()}
    told.pop("features_per_dim")
    if begin:
        begin(told)
    t, sigma = problem.diffusion_time, constants(problem, 1.0, 1.0)
    limit = conditional(problem, data)
    found, best = conditional_losses(limit._replace(features_per_dim=psi_p), problem.ridge), true_denoiser(limit)
    inverse = float(limit.weights @ (1 / (signal(t) ** 2 * limit.residual + noise_variance(t))))
    values = found._asdict() | {"score": np.asarray(losses.score_error(found.test, limit.noise, inverse))}
    true = dict(zip(TRUE, (best.test, best.predictive_variance, best.residual_error), strict=True))
    names = {**LOSSES, "score": "E_score given y"}
    result = xr.Dataset(
        {name: (RATIO, values[name], {"long_name": long, "units": "1"}) for name, long in names.items()}
        | {name: ((), true[name], {"long_name": long, "units": "1"}) for name, long in TRUE.items()}
        | {name: getattr(sigma, name) for name in ("a", "b", "v2", "s2")},
        coords={RATIO: (RATIO, psi_p, {"long_name": "features per dimension ψ_p", "units": "1"})},
    )
    return store.label(result, "theory-conditions", told, wall_time=time.perf_counter() - started)


def conditional(problem: Problem, data: Condition) -> Conditional:
    """What the equations depend on, of a problem and its data (§13)."""
    t = problem.diffusion_time
    told, clean, noise = data.told(), signal(t) ** 2, noise_variance(t)
    whole = constants(problem, 1.0, 1.0)
    # of pre-activations that share y alone: of variance 1, (1 + e^{−2t} Tr BBᵀ/d)/2 are its
    shared = (1 + clean * float(told.weights @ told.explained)) / 2
    apart = gaussian_constants(problem.activation, signal_variance=shared, noise_variance=1 - shared)
    return Conditional(
        samples_per_dim=float(problem.samples_per_dim),
        features_per_dim=math.nan,
        inputs_per_dim=data.per_dim,
        inputs_power=1.0,
        slope=whole.a,
        v2=whole.v2,
        s2=whole.s2,
        v2_inputs=apart.v2,
        signal=clean,
        noise=noise,
        residual=told.residual,
        explained=told.explained,
        weights=told.weights,
    )
