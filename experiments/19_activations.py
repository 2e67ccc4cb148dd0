"""What the activation decides: its Gaussian constants, the parts of the spectrum, and when memorization sets in.

Claim [ours] (equations.md T9, §3, §5): an activation enters the spectrum of U through a, v² and s² alone (a sets the
gen part, s² the null part, v² the width of what lies between), and so it enters the memorization time through
τ_mini = ψ_p/(Δ λ_mini) alone: the half-rise of L_gen comes at the same multiple of τ_mini for every activation with
a ≠ 0. Two are made to fail: `linear` has v² = s² = 0, so nothing can be memorized and τ_mem is infinite; `hermite3`
has a = 0 at Γ = 1, so nothing linear can be learned in the limit (at finite d the spread of |W_i|²/d leaves a little).

Here: ψ_n = 8, ψ_p = 32, t = 0.1, isotropic data (Γ = 1), one draw of the same W and points for every activation.
relu and softplus are centered at Γ.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from rfsim import Problem
from rfsim.claims import Claim, Judgment, Results, decide, onsets, spread
from rfsim.reproduce import Cell, with_limits

FIGURES = {"activations": "ours: spectrum, constants and onset of memorization for every activation"}
DIM = {"quick": 24, "paper": 100}
SECONDS = {"quick": 7, "paper": 100}

TIMES = np.geomspace(1e-1, 1e7, 97).tolist()
LEARNING = ("tanh", "erf", "relu", "softplus", "gelu", "silu", "sine")
ACTIVATIONS = (*LEARNING, "hermite3", "linear")


def cells(size: str) -> list[Cell]:
    return with_limits(
        [
            Cell(
                name,
                "train",
                Problem(samples_per_dim=8, features_per_dim=32, diffusion_time=0.1, activation=name),
                {"dim": DIM[size], "train_times": [*TIMES, float("inf")]},
            )
            for name in ACTIVATIONS
        ]
    )


def constants(result: xr.Dataset) -> str:
    """a, v² and s² in words."""
    return f"a {float(result.a):.4g}, v² {float(result.v2):.4g}, s² {float(result.s2):.4g}"


def table(results: Results) -> Judgment:
    """Null and gen where the constants put them: median of null over s², mean of gen over a²ψ_p + v² + s²."""
    words, ratios = [], []
    for name in LEARNING:
        result = results[name]
        of_part = {
            part: result.eigenvalue.values[0, result.feature_part.values == k] for k, part in ((1, "null"), (4, "gen"))
        }
        null = float(np.median(of_part["null"]) / result.s2)
        gen = float(of_part["gen"].mean() / (32 * result.a**2 + result.v2 + result.s2))
        ratios.append((null, gen))
        words.append(f"{name}: {constants(result)}; null {null:.2f}, gen {gen:.2f}")
    holds = np.all(np.abs(np.array(ratios) - 1) < 0.15)
    return Judgment(". ".join(words), None, decide(bool(holds), decidable=_full(results)))


def onset(results: Results) -> Judgment:
    found = spread(onsets([results[name] for name in LEARNING], "mini"))
    words = f"{', '.join(LEARNING)}: {found.words}; largest over smallest {found.ratio:.2f}"
    return Judgment(words, found.error, decide(found.ratio < 1.6, decidable=_full(results)))


def linear(results: Results) -> Judgment:
    result = results["linear"]
    formula, curve = (float(result.tau_mem.sel(mem_route=route)[0]) for route in ("formula", "curve"))
    late = float(result.gen[0, -1])
    words = f"{constants(result)}; τ_mem {formula:g}, half-rise {curve:.3g}, L_gen ends at {late:.3g}"
    return Judgment(words, None, decide(formula == float("inf")))


def cubic(results: Results) -> Judgment:
    result = results["hermite3"]
    lowest, tanh = (float(results[name].test.min()) for name in ("hermite3", "tanh"))
    words = f"{constants(result)}; L_test falls to {lowest:.4f}, for tanh to {tanh:.4f}"
    little = 1 - lowest < 0.5 * (1 - tanh)
    return Judgment(words, None, decide(abs(float(result.a)) < 1e-12 and little, decidable=_full(results)))


def _full(results: Results) -> bool:
    """The claims are made for large d."""
    return results["tanh"].sizes["feature"] >= 3200


CLAIMS = (
    Claim(
        "ours-activations-constants",
        "s² sets the null part and a the gen part, whatever the activation [ours]",
        "equations.md T9, §5",
        "median of null over s² and mean of gen over a²ψ_p + v² + s² equal to 1 within 0.15",
        table,
    ),
    Claim(
        "ours-activations-mini",
        "memorization sets in at one multiple of τ_mini, whatever the activation [ours]",
        "equations.md §3, §9.2",
        "τ_half/τ_mini equal over the activations with a ≠ 0: spread below 1.6",
        onset,
    ),
    Claim(
        "ours-activations-linear",
        "a linear activation has v² = s² = 0: its τ_mem is infinite [ours]",
        "equations.md T9, §3",
        "τ_mem (formula) infinite",
        linear,
    ),
    Claim(
        "ours-activations-cubic",
        "He_3 has a = 0 at Γ = 1: in the limit it cannot learn the linear score of Gaussian data [ours]",
        "equations.md T9",
        "a = 0, and L_test's fall less than half of tanh's",
        cubic,
    ),
)
