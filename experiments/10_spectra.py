"""The spectrum of U splits into bulks, and memorization lives in the ones below the first.

Claim (Bonnaire et al. 2025, Thm 3.2, Figs. 4 and 14; equations.md §5): for ψ_p ≫ ψ_n ≫ 1 the spectrum of
U = E φφᵀ, averaged over the noise, has a bulk of d large eigenvalues (gen), a bulk of n eigenvalues between
s² + v²(1 ± √(ψ_p/ψ_n))² (mem), and the rest near s² (null); the middle bulk depends on the data's covariance Σ only
through σ_x². What the d → ∞ equations add is that the middle bulk is two: `main` with n − d eigenvalues, and `mini`
with d eigenvalues below B25's edge, which does depend on Σ.

Here: one draw at ψ_p = 64, t = 0.01, ψ_n = 8 and 32, isotropic data and two atoms 0.5/1.5 of equal weight. Published
size: d = 100, so p = 6400. Every eigenvalue is of the U averaged exactly over the noise (T4); parts are counted by
rank (§8), and "merged" says where no gap separates two of them.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from rfsim import Problem
from rfsim.claims import Claim, Judgment, Results, decide, part_eigenvalues, standard_error
from rfsim.learning.timescales import largest_bulk_eigenvalue, smallest_bulk_eigenvalue
from rfsim.reproduce import Cell, with_limits

FIGURES = {
    "b25-fig4": "Bonnaire et al. 2025, Fig. 4: spectrum of U, isotropic data",
    "b25-fig14": "Bonnaire et al. 2025, Fig. 14: spectrum of U, two atoms 0.5/1.5",
}
DIM = {"quick": 24, "paper": 100}
SECONDS = {"quick": 9, "paper": 170}

ISOTROPIC, ATOMS = "isotropic", "atoms:0.5@0.5,0.5@1.5"
SAMPLES_PER_DIM = (8, 32)


def label(samples_per_dim: int, data: str) -> str:
    return f"{data.partition(':')[0]}-{samples_per_dim}"


def cells(size: str) -> list[Cell]:
    return with_limits(
        [
            Cell(
                label(psi_n, data),
                "spectrum",
                Problem(samples_per_dim=psi_n, features_per_dim=64, diffusion_time=0.01, data=data),
                {"dim": DIM[size], "seeds": 3 if size == "quick" else 1},
            )
            for data in (ISOTROPIC, ATOMS)
            for psi_n in SAMPLES_PER_DIM
        ]
    )


def published_edges(result: xr.Dataset, samples_per_dim: float) -> tuple[float, float]:
    """s² + v²(1 ∓ √(ψ_p/ψ_n))²."""
    return (
        smallest_bulk_eigenvalue(result, samples_per_dim, 64.0),
        largest_bulk_eigenvalue(result, samples_per_dim, 64.0),
    )


def masses(results: Results) -> Judgment:
    result = results[label(8, ISOTROPIC)]
    found = dict(zip(result.part.values.tolist(), result.mass.values.tolist(), strict=True))
    gaps = {name: float(result.gap_below.sel(part=name).min()) for name in ("mini", "gen")}
    words = (
        f"counted by rank, gen {found['gen']:.6f} and mem {found['main'] + found['mini']:.6f}; eigenvalue ratio at "
        f"gen's border {gaps['gen']:.0f}, at mem's {gaps['mini']:.3f}"
    )
    # ranks always count to these masses: what the data decide is whether there are gaps at the borders
    separate = not merged(result, "gen") and not merged(result, "mini")
    return Judgment(words, None, decide(separate, decidable=separate or full(results)))


def full(results: Results) -> bool:
    """The claims are made for large d; d = 100 is the published size."""
    return results[label(8, ISOTROPIC)].sizes["feature"] >= 6400


def merged(result: xr.Dataset, name: str) -> bool:
    """Whether a part touches the one below it in some seed: its rank label then has no edge to compare (§8)."""
    return bool(result.merged.sel(part=name).any())


def edges(results: Results) -> Judgment:
    result = results[label(8, ISOTROPIC)]
    main, (lower, upper) = part_eigenvalues(result, "main"), published_edges(result, 8)
    ratios = np.array([main[:, 0] / lower, main[:, -1] / upper])
    words = f"main's edges over the formula's: {ratios[0].mean():.2f} and {ratios[1].mean():.2f}"
    holds = bool(np.all(np.abs(ratios.mean(axis=1) - 1) < 0.15))
    decidable = full(results) and not merged(result, "main")
    return Judgment(words + touching(result, "main"), standard_error(ratios), decide(holds, decidable=decidable))


def smallest(results: Results) -> Judgment:
    result = results[label(8, ISOTROPIC)]
    ratio = np.median(part_eigenvalues(result, "mini"), axis=1) / published_edges(result, 8)[0]
    words = f"the median of mini's d eigenvalues is {ratio.mean():.3f} of that edge"
    decidable = full(results) and not merged(result, "mini")
    verdict = decide(float(ratio.mean()) > 0.85, decidable=decidable)
    return Judgment(words + touching(result, "mini"), standard_error(ratio), verdict)


def covariance(name: str, results: Results) -> Judgment:
    pair = [results[label(8, data)] for data in (ATOMS, ISOTROPIC)]
    medians = [np.median(part_eigenvalues(result, name), axis=1) for result in pair]
    widths = [
        np.ptp(np.log(np.quantile(part_eigenvalues(result, name), [0.1, 0.9], axis=1)), axis=0) for result in pair
    ]
    shift, width = medians[0] / medians[1] - 1, widths[0] / widths[1] - 1
    words = f"median moves by {100 * shift.mean():+.1f}%, width in ln λ by {100 * width.mean():+.1f}%"
    unmoved = abs(shift.mean()) < 0.05 and abs(width.mean()) < 0.1
    return Judgment(words, standard_error(shift), decide(bool(unmoved), decidable=full(results)))


def touching(result: xr.Dataset, name: str) -> str:
    return f" ({name} touches the part below it here)" if merged(result, name) else ""


CLAIMS = (
    Claim(
        "b25-fig4-masses",
        "gen has mass 1/ψ_p, the bulk below it ψ_n/ψ_p, and gaps separate them from each other and from the rest",
        "Bonnaire et al. 2025, Thm 3.2, Fig. 4; equations.md §9.1",
        "gen 0.015625, mem 0.125000 (ψ_n = 8, ψ_p = 64, exact)",
        masses,
    ),
    Claim(
        "b25-fig4-edges",
        "the bulk of ρ_1 lies between s² + v²(1 ± √(ψ_p/ψ_n))²",
        "Bonnaire et al. 2025, Thm 3.2; equations.md §9.1",
        "ratio 1 at both edges, within 0.15, for main",
        edges,
    ),
    Claim(
        "b25-fig4-smallest",
        "that lower edge is the smallest eigenvalue above the null space",
        "Bonnaire et al. 2025, the λ_min of their τ_mem (equations.md §3); §9.1",
        "no part lies below: ratio above 0.85 for the median of mini",
        smallest,
    ),
    Claim(
        "b25-fig14-main",
        "ρ_1 depends on Σ only through σ_x²: main",
        "Bonnaire et al. 2025, Thm 3.2, Fig. 14; equations.md §9.1",
        "median within 5% and width (10% to 90%, in ln λ) within 10% of the isotropic one's",
        lambda results: covariance("main", results),
    ),
    Claim(
        "b25-fig14-mini",
        "ρ_1 depends on Σ only through σ_x²: mini",
        "Bonnaire et al. 2025, Thm 3.2, Fig. 14; equations.md §9.1",
        "median within 5% and width (10% to 90%, in ln λ) within 10% of the isotropic one's",
        lambda results: covariance("mini", results),
    ),
)
