"""When to stop and how much ridge to take: maps of the best training time and of the best ridge, and what each gains.

Claims (equations.md T7, T12, T14; Ali, Kolter, Tibshirani 2019; Dobriban, Wager 2018). For a linear model whose true
weights have no preferred direction the best ridge is the noise-to-signal ratio times p/n, whatever p and n, and no
filter of the spectrum does better; the best stopping time costs at most 1.22 times as much when features are spherical.
Random features of a score are neither: their spectrum has a loud part, gen, that carries the truth, and quiet parts, of
which some is noise. Asked here is how far the rules go: the best ridge γ⋆ falls as 1/ψ_n and grows as ψ_p; the best
time is τ⋆ = 1/(κγ⋆), κ = 2Δ/ψ_p; the ridge costs less.

Here: the limit d → ∞, tanh, isotropic data, ψ_n and ψ_p from 1 to 256, t = 0.01, 0.1, 1; the flow without a ridge,
stopped at the τ of its smallest E_score, and the minimizer with the ridge of its smallest L_test, the same criterion:
L_test = e^{−2t} + Δ E_score. Nothing is sampled. E_score of γ → 0 at τ = ∞ is what neither is set against.

Two sweeps: the TOML files beside this one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from rfsim.claims import Claim, Judgment, Results, complete, decide
from rfsim.learning.filters import learning_rate_constant
from rfsim.problem.diffusion import noise_variance
from rfsim.reproduce import Cell, sweep_cell

FIGURES = {"optimal-stopping": "ours: maps of the best training time and the best ridge, and what they gain"}
SECONDS = {"quick": 2, "paper": 115}

TIME, RIDGE = "stopping", "ridge"
BOUND = 1.22  # of Ali, Kolter, Tibshirani 2019, best flow over best ridge, spherical features
LARGE = 16.0  # ψ_n and ψ_p from which on powers are read


def cells(size: str) -> list[Cell]:
    ending = "" if size == "paper" else f"-{size}"
    files = {TIME: f"54_optimal_stopping{ending}.toml", RIDGE: f"54_optimal_stopping-ridge{ending}.toml"}
    return [sweep_cell(label, Path(__file__).with_name(name)) for label, name in files.items()]


def delta(results: Results) -> xr.DataArray:
    """Δ of every diffusion time."""
    t = results[TIME].diffusion_time
    return t.copy(data=[noise_variance(one) for one in t.values.tolist()])


def kappa(results: Results) -> xr.DataArray:
    """κ over diffusion time and ψ_p."""
    psi_p = results[TIME].features_per_dim
    return xr.concat(
        [psi_p.copy(data=learning_rate_constant(one, psi_p.values)) for one in delta(results).values.tolist()],
        dim=results[TIME].diffusion_time,
    )


def best_ridge(results: Results) -> xr.DataArray:
    return results[RIDGE].best_ridge


def ridge_error(results: Results) -> xr.DataArray:
    """E_score with the best ridge."""
    result = results[RIDGE]
    return (result.best_test - np.exp(-2 * result.diffusion_time)) / delta(results)


def slope(values: xr.DataArray, along: str) -> xr.DataArray:
    """Exponent of a power law fitted along one axis from LARGE on."""
    inside = values.sel({along: values[along] >= LARGE})
    logs = np.log(inside.assign_coords({along: np.log(inside[along])}))
    return logs.polyfit(along, 1).polyfit_coefficients.sel(degree=1)


def power(values: xr.DataArray, along: str, across: str, expected: float) -> Judgment:
    """The exponents along one axis in every row of the other from LARGE on."""
    found = slope(values.sel({across: values[across] >= LARGE}), along)
    words = "; ".join(
        f"t = {t:g}: {float(one.min()):.2f} to {float(one.max()):.2f}"
        for t, one in zip(found.diffusion_time.values, found.transpose("diffusion_time", ...), strict=True)
    )
    holds = bool((np.abs(found - expected) < 0.15).all())
    return Judgment(f"exponents {words}", None, decide(holds))


def one_clock(results: Results) -> Judgment:
    product = (kappa(results) * best_ridge(results) * results[TIME].train_time).transpose("diffusion_time", ...)
    words, spreads = [], []
    for t, one in zip(product.diffusion_time.values, product, strict=True):
        spreads.append(float(one.max() / one.min()))
        words.append(f"t = {t:g}: {float(one.min()):.2f} to {float(one.max()):.2f}, spread {spreads[-1]:.2f}")
    return Judgment("; ".join(words), None, decide(max(spreads) < 1.6))


def ridge_wins(results: Results) -> Judgment:
    ratio = results[TIME].score / ridge_error(results)
    wins = int((ratio >= 1 - 1e-6).sum())
    low, high = float(ratio.min()), float(ratio.max())
    words = f"in {wins} of {ratio.size} cells; E_score stopped over ridged {low:.4f} to {high:.4f}"
    return Judgment(words, None, decide(wins == ratio.size))


def bounded(results: Results) -> Judgment:
    ratio = (results[TIME].score / ridge_error(results)).max(("samples_per_dim", "features_per_dim"))
    words = ", ".join(f"{float(one):.3f} at t = {float(one.diffusion_time):g}" for one in ratio)
    return Judgment(f"at most {words}", None, decide(bool((ratio <= BOUND).all())))


def gains(results: Results) -> Judgment:
    gain = (results[TIME].final / results[TIME].score).transpose("diffusion_time", ...)
    words, holds = [], True
    for t, one in zip(gain.diffusion_time.values, gain, strict=True):
        where = one.where(one == one.max(), drop=True)
        n, p = float(where.samples_per_dim[0]), float(where.features_per_dim[0])
        words.append(f"t = {t:g}: {float(one.min()):.3g} to {float(one.max()):.3g}, the most at ({n:g}, {p:g})")
        holds &= bool((one > 1).all())
    return Judgment(f"E_score at τ = ∞ over stopped: {'; '.join(words)}", None, decide(holds))


CLAIMS = (
    Claim(
        "ours-optimal-ridge-samples",
        "the best ridge falls as 1/n [ours]",
        "Dobriban, Wager 2018: p/n over the signal-to-noise ratio, for random truth",
        "exponent of γ⋆ in ψ_n −1 within 0.15, fitted over ψ_n ≥ 16, in every row ψ_p ≥ 16 and at every t",
        lambda results: power(best_ridge(results), "samples_per_dim", "features_per_dim", -1),
    ),
    Claim(
        "ours-optimal-ridge-features",
        "the best ridge grows as p [ours]",
        "Dobriban, Wager 2018: p/n over the signal-to-noise ratio, for random truth",
        "exponent of γ⋆ in ψ_p 1 within 0.15, fitted over ψ_p ≥ 16, in every row ψ_n ≥ 16 and at every t",
        lambda results: power(best_ridge(results), "features_per_dim", "samples_per_dim", 1),
    ),
    Claim(
        "ours-optimal-time",
        "the best training time grows as n [ours]",
        "the two rules above at τ⋆ = 1/(κγ⋆)",
        "exponent of τ⋆ in ψ_n 1 within 0.15, fitted over ψ_n ≥ 16, in every row ψ_p ≥ 16 and at every t",
        lambda results: power(results[TIME].train_time, "samples_per_dim", "features_per_dim", 1),
    ),
    Claim(
        "ours-optimal-clock",
        "best time and best ridge are one number: κγ⋆τ⋆ is the same everywhere [ours]",
        "equations.md T7",
        "spread of κγ⋆τ⋆ over the plane below 1.6 at every t",
        one_clock,
    ),
    Claim(
        "ours-optimal-ridge-wins",
        "the best ridge is at least as good as the best stopping time [ours]",
        "Ali, Kolter, Tibshirani 2019, for spherical features",
        "smallest E_score of the flow not below the ridge's in any cell, to 1e-6",
        ridge_wins,
    ),
    Claim(
        "akt19-optimal-bound",
        "the best stopping time costs at most 1.22 times the best ridge",
        "Ali, Kolter, Tibshirani 2019, abstract (least squares, spherical features), read for E_score",
        "smallest E_score of the flow over that of the ridge at most 1.22 in every cell",
        bounded,
    ),
    Claim(
        "ours-optimal-gain",
        "stopping gains in every cell: training to the end is never best [ours]",
        "experiments/22",
        "E_score at τ = ∞ above its minimum in every cell",
        gains,
    ),
    Claim(
        "ours-optimal-complete",
        "every cell is solved [ours]",
        "a check of this experiment",
        "no cell unfinished",
        complete,
    ),
)
