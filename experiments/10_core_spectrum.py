"""Core: the spectrum of U has three parts, and B25's edge of the memorizing one overlooks d eigenvalues.

Claim (Bonnaire et al. 2025, Thm 3.2, Fig. 4; equations.md §5, §8): as d → ∞ the spectrum of U = E φφᵀ, averaged over
the noise, has d large eigenvalues (gen), n that memorize, and the rest near s² (null). B25's formula for the edges of
the middle bulk gives the λ_min of their memorization time. What lies below it is `mini`, d eigenvalues [ours].

Here: ψ_n = 8, ψ_p = 64, t = 0.01, isotropic data, a sample beside the limit, of which the theorem speaks. A small
sample blurs gaps, so that a claim about its eigenvalues is decided where sample and limit give the same answer.
Published size: the cell of 10_spectra.py.
"""

from __future__ import annotations

import numpy as np

from rfsim import Problem
from rfsim.claims import Claim, Judgment, Results, agreed, decide, part_eigenvalues, standard_error
from rfsim.learning.timescales import smallest_bulk_eigenvalue
from rfsim.reproduce import Cell, with_limits

CORE = True
FIGURES = {"core-spectrum": "Bonnaire et al. 2025, Fig. 4, left: spectrum of U, isotropic data, with its limit"}
OPTIONS = {"quick": {"dim": 20, "seeds": 2}, "paper": {"dim": 100, "seeds": 1}}
SECONDS = {"quick": 2, "paper": 45}

LABEL = "isotropic-8"
SAMPLES_PER_DIM, FEATURES_PER_DIM = 8, 64


def cells(size: str) -> list[Cell]:
    problem = Problem(samples_per_dim=SAMPLES_PER_DIM, features_per_dim=FEATURES_PER_DIM, diffusion_time=0.01)
    home = "10_spectra" if size == "paper" else None
    return with_limits([Cell(LABEL, "spectrum", problem, OPTIONS[size], home)])


def masses(results: Results) -> Judgment:
    """Of the limit, and how many of a sample's eigenvalues lie above each of its gaps."""
    sample, limit = results[LABEL], results[f"limit-{LABEL}"]
    mass = {name: float(value) for name, value in zip(limit.part.values.tolist(), limit.mass.values, strict=True)}
    lam = sample.eigenvalue.transpose("seed", "feature").values
    words, counts, separate = [], [], True
    for name, parts, expected in (("gen", ("gen",), 1), ("gen, main and mini", ("gen", "main", "mini"), 1 + 8)):
        lowest = limit.sel(part=parts[-1])
        border = float(lowest.lower / np.sqrt(lowest.gap_below))  # the middle of the gap, in ln λ
        count = float((lam > border).sum(axis=1).mean() / lam.shape[1]) * FEATURES_PER_DIM
        found = sum(mass[part] for part in parts) * FEATURES_PER_DIM
        words.append(f"{name} {found:.6f}/ψ_p above a gap of ratio {float(lowest.gap_below):.3g}")
        counts.append(f"{count:.3f}/ψ_p")
        separate &= abs(found - expected) < 1e-6 and float(lowest.gap_below) > 1
    dim = sample.sizes["feature"] // FEATURES_PER_DIM
    blurred = f"of a sample's eigenvalues {' and '.join(counts)} lie above these gaps at d = {dim}"
    return Judgment(f"{'; '.join(words)}; {blurred}", None, decide(bool(separate)))


def smallest(results: Results) -> Judgment:
    sample, limit = results[LABEL], results[f"limit-{LABEL}"]
    edge = smallest_bulk_eigenvalue(sample, SAMPLES_PER_DIM, FEATURES_PER_DIM)
    ratio = np.median(part_eigenvalues(sample, "mini"), axis=1) / edge
    beyond = float(limit["mean"].sel(part="mini")) / edge
    words = f"mini's d eigenvalues lie at {beyond:.3f} of that edge in the limit, in the sample at {ratio.mean():.3f}"
    return Judgment(words, standard_error(ratio), agreed(float(ratio.mean()) > 0.85, beyond > 0.85))


CLAIMS = (
    Claim(
        "core-spectrum-masses",
        "as d → ∞ gen has mass 1/ψ_p, the bulk below it ψ_n/ψ_p, and gaps separate them from each other and the rest",
        "Bonnaire et al. 2025, Thm 3.2, Fig. 4; equations.md §9.1",
        "1/ψ_p above the first gap and 9/ψ_p above the second (ψ_n = 8, exact), both gaps open",
        masses,
    ),
    Claim(
        "core-spectrum-smallest",
        "the lower edge s² + v²(1 − √(ψ_p/ψ_n))² is the smallest eigenvalue above the null space",
        "Bonnaire et al. 2025, the λ_min of their τ_mem (equations.md §3); §9.1",
        "no part lies below: ratio above 0.85 for mini, in the sample and in the limit",
        smallest,
    ),
)
