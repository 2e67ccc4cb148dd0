"""Which samples and features memorize by a given training time: L_gen over (ψ_n, ψ_p), and what draws its border.

Claim (Bonnaire et al. 2025, Fig. 5C; equations.md T13, T14, §3): stopped at training time τ, a model memorizes where
p is large and n small, and longer training moves the border to larger n: memorization needs p > n and τ > τ_mem(n, p)
= ψ_p/(Δ λ_min), λ_min = s² + v²(1 − √(ψ_p/ψ_n))². Beside it is set τ_mini, of the eigenvalue that mini has
at large ψ, s² + v²[Δ ψ_p/ψ_n − (e^{2t} − 1)] (equations.md §5) [ours].

Here: the limit d → ∞, tanh, isotropic data, t = 0.1, no ridge, gradient flow from zero, τ = 10³ and 10⁴ as published,
and τ = ∞. The grid, ψ_n and ψ_p from 1 to 512 in equal steps of the logarithm, is ours. The border of a map is where
L_gen reaches half of its τ = ∞ value at the same (ψ_n, ψ_p). On the border the time itself is known, τ, so τ/τ_mem
there is one number if τ_mem draws the border: its spread along the border is what is judged. Read along columns of
fixed ψ_p ≥ 16, linearly in log ψ_n between grid points, from n = p downward.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from rfsim import Problem
from rfsim.claims import Claim, Judgment, Results, border, decide
from rfsim.reproduce import Cell

FIGURES = {"b25-fig5c": "Bonnaire et al. 2025, Fig. 5C: L_gen over (ψ_n, ψ_p) at two training times"}
POINTS = {"quick": 24, "paper": 100}
SECONDS = {"quick": 8, "paper": 14}

TIMES = (1e3, 1e4)
SMALLEST, LARGEST = 1.0, 512.0
WIDE = 16.0  # ψ_p from which on the border is read


def cells(size: str) -> list[Cell]:
    axis = np.geomspace(SMALLEST, LARGEST, POINTS[size]).tolist()
    options = {"samples_per_dim": axis, "features_per_dim": axis, "train_times": [*TIMES, float("inf")]}
    return [Cell("map", "theory.diagram", Problem(), options)]


def points(result: xr.Dataset, train_time: float) -> dict[float, float]:
    """The border at train_time, ψ_p → ψ_n."""
    return border(result.gen.sel(train_time=train_time) / result.gen.sel(train_time=np.inf), WIDE)


def over(result: xr.Dataset, name: str, train_time: float) -> np.ndarray:
    """τ over a predicted time along the border of the map at train_time."""
    # linear in the logarithms of the axes and of the time
    table = np.log(result[name]).assign_coords({d: np.log(result[d]) for d in ("samples_per_dim", "features_per_dim")})
    found = points(result, train_time).items()
    at = [table.interp(samples_per_dim=np.log(n), features_per_dim=np.log(p)).values for p, n in found]
    return train_time / np.exp(np.array(at, dtype=float))


def onset(results: Results) -> Judgment:
    result = results["map"]
    by_time = [points(result, tau) for tau in TIMES]
    shared = sorted(set(by_time[0]) & set(by_time[1]))
    moves = np.array([by_time[1][p] / by_time[0][p] for p in shared])
    words = f"no ψ_p ≥ {WIDE:g} has its border on the map at both times"
    if shared:
        words = (
            f"over ψ_p from {shared[0]:.3g} to {shared[-1]:.3g} ({len(shared)} columns) the border's ψ_n at τ = 10⁴ is "
            f"{moves.min():.3g} to {moves.max():.3g} times that at τ = 10³"
        )
    return Judgment(words, None, decide(bool(shared) and bool(np.all(moves > 1)), decidable=bool(shared)))


def draws(name: str, results: Results) -> Judgment:
    result, words, spreads = results["map"], [], []
    for tau in TIMES:
        ratios = over(result, name, tau)
        ratios = ratios[np.isfinite(ratios)]
        if ratios.size < 3:
            words.append(f"τ = {tau:g}: no border on the map")
            continue
        spreads.append(ratios.max() / ratios.min())
        words.append(f"τ = {tau:g}: {ratios.min():.2f} to {ratios.max():.2f}, spread {spreads[-1]:.2f}")
    holds = bool(spreads) and max(spreads) < 1.6
    return Judgment("; ".join(words), None, decide(holds, decidable=bool(spreads)))


def overparameterized(results: Results) -> Judgment:
    result = results["map"]
    gen = result.gen.sel(train_time=np.inf).where(result.features_per_dim <= result.samples_per_dim / 2)
    return Judgment(f"{float(gen.max()):.3f} at most", None, decide(float(gen.max()) < 0.5))


def complete(results: Results) -> Judgment:
    result = results["map"]
    missing, error = int((result.status != 0).sum()), float(result.error.max())
    words = f"{missing} of {result.status.size} cells did not converge; largest change {error:.1e}"
    return Judgment(words, None, decide(missing == 0 and float(result.residual.max()) <= 1e-12))


CLAIMS = (
    Claim(
        "b25-fig5c-onset",
        "at fixed p longer training moves the onset of memorization to larger n",
        "Bonnaire et al. 2025, Fig. 5C; equations.md §9.3",
        "the border's ψ_n is larger at τ = 10⁴ than at τ = 10³ for every ψ_p ≥ 16 that has both",
        onset,
    ),
    Claim(
        "b25-fig5c-overparameterized",
        "with fewer features than half of the samples L_gen stays small however long the training",
        "Bonnaire et al. 2025, Fig. 5C: memorization needs p > n; equations.md §9.3",
        "L_gen below 0.5 wherever ψ_p ≤ ψ_n/2 at τ = ∞",
        overparameterized,
    ),
    Claim(
        "b25-fig5c-formula",
        "the border of memorization is where τ is a fixed multiple of τ_mem (formula)",
        "Bonnaire et al. 2025, Fig. 5C; equations.md §9.3",
        "τ/τ_mem equal along each border, ψ_p ≥ 16: spread below 1.6, as for curves in 11 and 13",
        lambda results: draws("tau_mem", results),
    ),
    Claim(
        "ours-fig5c-mini",
        "the border of memorization is where τ is a fixed multiple of τ_mini, by mini's eigenvalue at large ψ [ours]",
        "equations.md §5",
        "τ/τ_mini equal along each border, ψ_p ≥ 16: spread below 1.6, as for curves in 11 and 13",
        lambda results: draws("tau_mini", results),
    ),
    Claim(
        "ours-fig5c-complete",
        "every cell of the map is solved to its tolerance [ours]",
        "a check of this experiment",
        "no cell missing, residuals at most 1e-12",
        complete,
    ),
)
