"""Where the gap between mini and main opens, as a labelled result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from rfsim.computing.precision import in_complex128
from rfsim.limit import mini
from rfsim.problem.arrays import Rows
from rfsim.problem.model import Problem, require_unused
from rfsim.quantities.meant import known_keywords
from rfsim.results.progress import Report
from rfsim.theory.diagram import AXES, axis
from rfsim.theory.run import LimitRun, require_tolerance


@known_keywords
@in_complex128
def mini_gap(
    problem: Problem,
    *,
    samples_per_dim: Sequence[float],
    diffusion_times: Sequence[float],
    tolerance: float = 1e-3,
    array: ArrayLike | Rows | None = None,
    center: bool = True,
    scale: str = "global",
    covariance: str = "sample",
    report: Report | None = None,
) -> xr.Dataset:
    """ψ_p from which on a gap separates mini from main, for each ψ_n and diffusion time t.

    Equations.md §5 [ours].

    Args:
        problem: What U is made of. The axes take the place of its own samples_per_dim and diffusion_time, and its
            features_per_dim is what is solved for. Its ridge is not used, and refused where one is given.
        samples_per_dim: ψ_n (columns,), increasing.
        diffusion_times: t (rows,), increasing.
        tolerance: Of the result, relative.
        array: Samples (rows, dim) in the place of the problem's data, of which the covariance alone is used.
        center: Whether an array is centered.
        scale: How an array is scaled: "global", "columns" or "none".
        covariance: Of an array: "sample", or an estimate of Σ's eigenvalues, "shrunk" or "deconvolved".
        report: Hears of each step.

    Returns:
        opening (diffusion_time, samples_per_dim), NaN where ψ_n ≤ 1 or no gap opens up to ψ_p = 4096 ψ_n; and
        opening_large, ψ_n/(1−ℓ)² with ℓ = Δ/(e^{−2t}l + Δ) at the smallest variance l: its form as ψ_n → ∞, NaN at
        finite m and where σ is linear.

    Raises:
        ValueError: For parameters outside the theory's domain.
        theory.NotConverged: Where an edge is not found.

    >>> found = mini_gap(Problem(), samples_per_dim=[8], diffusion_times=[0.1])
    >>> found.opening.values.round(1).tolist(), found.opening_large.values.round(1).tolist()
    ([[22.7]], [[11.9]])
    """
    times, psi_n = axis(problem, "diffusion_time", diffusion_times), axis(problem, "samples_per_dim", samples_per_dim)
    require_tolerance(tolerance)
    require_unused(problem, "theory.mini_gap", ridge="leave it out; theory.curves takes it")
    runs = [
        LimitRun(replace(problem, diffusion_time=t), array=array, center=center, scale=scale, covariance=covariance)
        for t in times.tolist()
    ]
    opening, large = np.full((2, times.size, psi_n.size), np.nan)
    for i, run in enumerate(runs):
        for k, value in enumerate(psi_n.tolist()):
            if report:
                report(f"t = {times[i]:g}, samples_per_dim {value:g}", {})
            found = mini.opening(run.limit._replace(samples_per_dim=value), tolerance)
            opening[i, k] = np.nan if found is None else found
            if not run.finite_copies and run.limit.v2 > 0:
                large[i, k] = value * mini.opening_ratio(run.limit).max()
    shape = ("diffusion_time", "samples_per_dim")
    data = xr.Dataset(
        {
            "opening": (shape, opening, {"long_name": "ψ_p at which mini leaves main", "units": "1"}),
            "opening_large": (shape, large, {"long_name": "its form as ψ_n → ∞", "units": "1"}),
        },
        coords={
            "diffusion_time": ("diffusion_time", times, {"long_name": "diffusion time t", "units": "1"}),
            "samples_per_dim": ("samples_per_dim", psi_n, {"long_name": AXES["samples_per_dim"], "units": "1"}),
        },
    )
    extra = {"samples_per_dim": psi_n.tolist(), "diffusion_times": times.tolist(), "tolerance": tolerance}
    return runs[0].label("theory-mini-gap", data, extra)
