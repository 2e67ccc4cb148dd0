"""Losses with many features at every training time: overfitting as in LV26, Fig. 2, and how finite widths approach it.

Claim (Latourelle-Vigeant et al. 2026, eqs 26 to 29 and Fig. 2, as equations.md W1 to W5 write them): as ψ_p → ∞ after
d → ∞ the losses are sums over two channels of every eigenvalue of XXᵀ/n. L_test rises from its minimum to a plateau
e^{−2t}/Δ that depends on neither n nor σ, while L_train falls to 0; when it rises is told by d/n, and by v²/a², their
nδ_n: [ours] late times are proportional to a²/v². Finite widths tend to this as 1/ψ_p.

Here: t = 0.2, isotropic data, σ = h_1 + c h_4, gradient flow from zero, θ = 2Δa²τ. On the left c² = 1/12 and d/n
varies at n = 240; on the right d/n = 1/2 and v²/a² varies by a factor 64.
"""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from rfsim import Hermite, Problem
from rfsim.claims import Claim, Judgment, Results, decide
from rfsim.reproduce import Cell

FIGURES = {"wide-limit": "Latourelle-Vigeant et al. 2026, Fig. 2; equations.md W1 to W5"}
SECONDS = {"quick": 3, "paper": 16}

DIFFUSION_TIME, SAMPLES = 0.2, 240
DELTA = -math.expm1(-2 * DIFFUSION_TIME)
DIMS = (60, 120, 240)
SIZES = (1 / 8, 1.0, 8.0)  # of v²/a² over that of c² = 1/12
STATED_AT = (1.0, 10.0, 100.0, 1000.0)  # θ
STATED = {  # d → (L_train, L_test) at STATED_AT, by two evaluations that share nothing with this code
    60: ((0.702945, 0.715204), (0.615395, 0.721905), (0.476370, 0.766365), (0.050371, 1.473671)),
    120: ((0.691880, 0.715356), (0.559963, 0.799675), (0.340752, 0.931812), (0.009387, 1.823896)),
    240: ((0.672287, 0.715359), (0.457706, 0.994767), (0.197565, 1.241463), (0.001234, 1.974200)),
}
PLATEAU = math.exp(-2 * DIFFUSION_TIME) / DELTA
WIDTHS = (400.0, 1600.0)
DRAWN = {"quick": 25, "paper": 121}
THETAS = (-2, 6)  # powers of ten that are drawn


def problem(dim: float, size: float = 1.0, features_per_dim: float = math.inf) -> Problem:
    return Problem(
        samples_per_dim=SAMPLES / dim,
        features_per_dim=features_per_dim,
        diffusion_time=DIFFUSION_TIME,
        activation=Hermite({1: 1, 4: math.sqrt(size / 12)}),
    )


def cells(size: str) -> list[Cell]:
    theta = np.unique(np.concatenate([STATED_AT, np.logspace(*THETAS, DRAWN[size])]))
    times = {"train_times": [*(theta / (2 * DELTA)).tolist(), math.inf]}
    few = {"train_times": (np.array(STATED_AT[:3]) / (2 * DELTA)).tolist()}
    return [
        *(Cell(f"d-{dim}", "theory.curves", problem(dim), times) for dim in DIMS),
        *(Cell(f"v-{one:g}", "theory.curves", problem(120, one), times) for one in SIZES),
        *(Cell(f"psi_p-{p:g}", "theory.curves", problem(120, features_per_dim=p), few) for p in WIDTHS),
    ]


def theta(result: xr.Dataset) -> np.ndarray:
    """θ = 2Δa²τ of a result's training times; a = 1 here."""
    return 2 * DELTA * result.train_time.values


def stated(results: Results) -> Judgment:
    errors = []
    for dim, numbers in STATED.items():
        found = results[f"d-{dim}"]
        k = [int(np.abs(theta(found) / one - 1).argmin()) for one in STATED_AT]
        errors.append(np.abs(np.stack([found.train, found.test], 1)[k] - np.array(numbers)).max())
    return Judgment(f"{max(errors):.1e} at most, over {8 * len(errors)} numbers", None, decide(max(errors) < 1e-6))


def plateaus(results: Results) -> Judgment:
    named = [one for name, one in results.items() if name[:2] in ("d-", "v-")]
    ends = [float(one.test.sel(train_time=math.inf)) for one in named]
    apart = max(abs(end / PLATEAU - 1) for end in ends)
    return Judgment(
        f"{min(ends):.6f} to {max(ends):.6f} in {len(ends)} settings, {PLATEAU:.6f}", None, decide(apart < 1e-9)
    )


def onset(result: xr.Dataset) -> float:
    """θ at which L_test is halfway from its minimum to its plateau, from above."""
    shown = np.isfinite(result.train_time.values)
    test, at = result.test.values[shown], theta(result)[shown]
    half = (test.min() + PLATEAU) / 2
    k = int(np.flatnonzero(test < half).max())
    share = (half - test[k]) / (test[k + 1] - test[k])
    return float(at[k] * (at[k + 1] / at[k]) ** share)


def onsets(results: Results) -> Judgment:
    """θ of the rise times v²/a²."""
    found = {one: onset(results[f"v-{one:g}"]) for one in SIZES}
    products = [one * at for one, at in found.items()]
    words = ", ".join(f"{at:.0f} at {one:g}" for one, at in found.items())
    spread = max(products) / min(products)
    words = f"θ halfway to the plateau {words} times v²/a² = e^(−8t)/12; their product varies by {spread:.2f}"
    return Judgment(words, None, decide(spread < 1.5))


def few_samples(results: Results) -> Judgment:
    """θ of the rise by d/n."""
    found = {dim: onset(results[f"d-{dim}"]) for dim in DIMS}
    words = ", ".join(f"{at:.0f} at d/n = {dim / SAMPLES:g}" for dim, at in found.items())
    return Judgment(f"θ halfway to the plateau {words}", None, decide(found[60] > found[120] > found[240]))


def widths(results: Results) -> Judgment:
    wide = results["d-120"]
    near, far = (results[f"psi_p-{p:g}"] for p in WIDTHS)
    k = [int(np.abs(theta(wide) / one - 1).argmin()) for one in theta(near)]
    gaps = [np.stack([one.train - wide.train.values[k], one.test - wide.test.values[k]]) for one in (near, far)]
    powers = np.log(gaps[0] / gaps[1]) / math.log(WIDTHS[1] / WIDTHS[0])
    left = np.abs((4 * gaps[1] - gaps[0]) / 3).max()
    words = f"powers of 1/ψ_p {powers.min():.3f} to {powers.max():.3f} between ψ_p = 400 and 1600; "
    words += f"{left:.1e} at most is left of the line, of a gap of {np.abs(gaps[0]).max():.1e}"
    return Judgment(words, None, decide(bool(np.abs(powers - 1).max() < 0.1)))


CLAIMS = (
    Claim(
        "lv26-losses",
        "L_train and L_test with many features at d/n = 1/4, 1/2, 1",
        "Latourelle-Vigeant et al. 2026, eqs 26 to 29; equations.md §11",
        "numbers of two evaluations of these equations, to 1e-6",
        stated,
    ),
    Claim(
        "lv26-plateau",
        "L_test ends at e^(−2t)/Δ, whatever the number of samples and σ",
        "Latourelle-Vigeant et al. 2026, Fig. 2; equations.md W3",
        "equal to 1e-9 at τ = ∞ in all settings",
        plateaus,
    ),
    Claim(
        "lv26-samples",
        "more samples postpone overfitting",
        "Latourelle-Vigeant et al. 2026, Fig. 2, left",
        "θ at which L_test is halfway from its minimum to the plateau falls with d/n",
        few_samples,
    ),
    Claim(
        "ours-wide-onset",
        "overfitting sets in at a time proportional to a²/v², their 1/(nδ_n) [ours]",
        "Latourelle-Vigeant et al. 2026, Fig. 2, right; equations.md W1",
        "θ halfway to the plateau times v²/a² within a factor 1.5 as v²/a² varies by 64",
        onsets,
    ),
    Claim(
        "ours-wide-width",
        "finite widths tend to the limit of many features as 1/ψ_p [ours]",
        "equations.md W5",
        "power 1 within 0.1 between ψ_p = 400 and 1600, of L_train and L_test at θ = 1, 10, 100",
        widths,
    ),
)
