"""What one level hands to the next: Gen-to-Mem leakage falls with the ridge, unstable directions, transfer of parts.

Claim (Jiang, Zou 2026, abstract and Fig. 6 by its caption; equations.md §8): distillation hands what a teacher has
generalized at level k − 1 to level k through C_k (U_k + γ)⁻¹; without a ridge part of it lands on directions that
memorize, and a ridge of minimal sufficient size γ⋆ stops that leakage. Leakage and instability are defined here [ours]:
the median, over the coefficient rows qᵀ of gen at level k − 1, of the share of ‖qᵀC_k(U_k + γ)⁻¹‖² outside gen at
level k; qᵀE[(φ(x_k) − φ(Φ_k(x_k)))(·)ᵀ]q/λ_q of a direction q. As γ → ∞ the leakage tends to the share that C_k alone
spreads, not to 0.

Here: tanh, isotropic data, d = 50, ψ_n = 8, ψ_p = 32, a memorized teacher (train_time 10⁸), levels that double the
diffusion time from 0.025 to 0.8, DDIM steps, γ from 0 to 10. equations.md §8 states leakage and instability of one draw
of the step 0.1 → 0.05; they are judged here over seeds.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from rfsim import Problem
from rfsim.claims import Claim, Judgment, Results, decide
from rfsim.reproduce import Cell

FIGURES = {
    "leakage": "ours, after Jiang, Zou 2026, Fig. 6: leakage of Gen against the ridge",
    "instability": "ours: instability of every direction against its eigenvalue",
    "transfer": "ours: transfer between the parts of two levels, by ridge",
}
SECONDS = {"quick": 25, "paper": 900}

OPTIONS = {
    "quick": {"dim": 12, "levels": 3, "time_min": 0.025, "time_max": 0.2, "seeds": 2},
    "paper": {"dim": 50, "levels": 5, "time_min": 0.025, "time_max": 0.8, "seeds": 5},
}
RIDGES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
PARTS = ("gen", "main", "mini", "null")
STEP = 0.1  # the level whose step 0.1 → 0.05 is stated
STATED_LEAKAGE = {0.0: 0.770, 0.1: 0.091, 0.5: 0.0067, 2.0: 0.0006}
STATED_INSTABILITY = {"null": 0.039, "mem": 0.014, "gen": 0.006}


def cells(size: str) -> list[Cell]:
    asked = OPTIONS[size] | {
        "teacher_time": 1e8,
        "leakage_ridges": RIDGES,
        "distill_times": (1e4,),
        "generated": 16,  # samples are not looked at
        "instability": True,
        "transfer": True,
    }
    return [Cell("memorized", "distill", Problem(samples_per_dim=8, features_per_dim=32), asked)]


def only(results: Results) -> xr.Dataset:
    return results["memorized"]


def full(results: Results) -> bool:
    return only(results).sizes["feature"] >= 1600


def stated_level(result: xr.Dataset) -> int:
    """The level whose diffusion time is that of the stated step."""
    return int(np.argmin(np.abs(result.diffusion_time.values[1:] - STEP))) + 1


def falls(results: Results) -> Judgment:
    """Leakage over all levels against γ: means over seeds."""
    outside = only(results).leakage_all.sel(part="gen").transpose("seed", "ridge").values
    mean = outside.mean(0)
    words = ", ".join(f"{value:.2g} at γ = {ridge:g}" for ridge, value in zip(RIDGES, mean, strict=True))
    holds = bool((np.diff(outside, axis=1) < 0).all())
    error = float(outside[:, 0].std(ddof=1) / np.sqrt(len(outside)))
    return Judgment(words, error, decide(holds, decidable=full(results)))


def enough(results: Results) -> Judgment:
    """γ⋆ of every seed, and of every level by itself."""
    result = only(results)
    stars, threshold = result.gamma_star.values, result.gamma_star.attrs["threshold"]
    below = result.leakage.sel(part="gen").mean("seed").transpose("ridge", "level").values < threshold
    levels = [RIDGES[int(np.argmax(below[:, k]))] if below[:, k].any() else np.inf for k in range(1, below.shape[1])]
    times = result.diffusion_time.values[2:]
    words = "; ".join(f"{star:g} at t = {time:.3g}" for star, time in zip(levels, times, strict=True))
    shown = f"γ⋆ {', '.join(f'{star:g}' for star in stars)} by seed; by level {words}"
    return Judgment(shown, None, decide(bool(np.isfinite(stars).all()), decidable=full(results)))


def lands(results: Results) -> Judgment:
    """Where what leaks lands at γ = 0, with the shares by half of the draws."""
    zero = only(results).sel(ridge=0.0)
    words = []
    for name in PARTS:
        value, half = (zero[key].sel(part=name).mean().item() for key in ("leakage_all", "leakage_all_half"))
        words.append(f"{'outside gen' if name == 'gen' else name} {value:.3g} ({half:.3g})")
    null, mem = (zero.leakage_all.sel(part=list(parts)).sum("part").values for parts in (("null",), ("main", "mini")))
    holds = bool((mem > null).all())
    return Judgment(
        f"{'; '.join(words)}, by half of the draws in brackets", None, decide(holds, decidable=full(results))
    )


def stated(results: Results) -> Judgment:
    result = only(results)
    own = result.leakage.sel(part="gen", level=stated_level(result))
    found = {ridge: float(own.sel(ridge=ridge).mean("seed")) for ridge in STATED_LEAKAGE}
    words = "; ".join(f"γ = {ridge:g}: {value:.3g}" for ridge, value in found.items())
    # one draw was stated, in one to three digits
    holds = all(abs(found[ridge] / value - 1) < 0.1 for ridge, value in STATED_LEAKAGE.items())
    return Judgment(words, None, decide(holds, decidable=full(results)))


def instabilities(result: xr.Dataset, level: int) -> dict[str, np.ndarray]:
    """Medians by part of one level, main and mini together as mem, (seeds,)."""
    names = result.feature_part.attrs["flag_meanings"].split()
    index = {
        name: np.isin(result.feature_part.values, [names.index(part) for part in parts])
        for name, parts in MEMBERS.items()
    }
    values = result.instability.sel(level=level).transpose("seed", "feature").values
    return {name: np.nanmedian(values[:, here], axis=1) for name, here in index.items()}


MEMBERS = {"null": ("null",), "mem": ("main", "mini"), "gen": ("gen",)}


def unstable(results: Results) -> Judgment:
    result = only(results)
    found = instabilities(result, stated_level(result))
    words = ", ".join(f"{name} {values.mean():.3g}" for name, values in found.items())
    ordered = (found["null"] > found["mem"]) & (found["mem"] > found["gen"])
    near = all(abs(found[name].mean() / value - 1) < 0.25 for name, value in STATED_INSTABILITY.items())
    return Judgment(words, None, decide(bool(ordered.all()) and near, decidable=full(results)))


def transferred(results: Results) -> Judgment:
    """Shares that land in gen and in null, by ridge: means over seeds and levels."""
    own = only(results).transfer.mean(["seed", "level"]).assign_coords(source=only(results).part.values)
    words = []
    for ridge in (0.0, 0.1, 1.0):
        to_gen, to_null = (own.sel(ridge=ridge, part=name) for name in ("gen", "null"))
        shown = (f"{name} {float(to_gen.sel(source=name)):.2g}/{float(to_null.sel(source=name)):.2g}" for name in PARTS)
        words.append(f"γ = {ridge:g}: {', '.join(shown)}")
    last = own.sel(ridge=1.0, part="gen")
    holds = last.sel(source="gen") > 0.99 and bool((last.sel(source=list(PARTS[1:])) < 0.05).all())
    return Judgment(f"to gen/null at {'; '.join(words)}", None, decide(bool(holds), decidable=full(results)))


CLAIMS = (
    Claim(
        "jz26-leakage-falls",
        "the leakage of Gen to the directions outside falls with the ridge",
        "Jiang, Zou 2026, abstract and Fig. 6; equations.md §9.6",
        "outside gen, over all levels, lower at every step of γ from 0 to 10, in every seed",
        falls,
    ),
    Claim(
        "jz26-leakage-star",
        "a finite ridge is enough",
        "Jiang, Zou 2026, abstract (their minimal-sufficient rule); threshold ours; equations.md §9.6",
        "γ⋆ ≤ 10: leakage below 0.01 over all levels, in every seed",
        enough,
    ),
    Claim(
        "jz26-leakage-mem",
        "without a ridge what leaks lands on memorizing directions rather than on null ones",
        "Jiang, Zou 2026, abstract (Gen-to-Mem leakage); equations.md §9.6",
        "main and mini together above null at γ = 0, in every seed",
        lands,
    ),
    Claim(
        "ours-leakage-stated",
        "leakage of the step 0.1 → 0.05 at d = 50, ψ_n = 8, ψ_p = 32 [ours]",
        "equations.md §8",
        ", ".join(f"{value} at γ = {ridge:g}" for ridge, value in STATED_LEAKAGE.items()) + ", within a tenth",
        stated,
    ),
    Claim(
        "ours-instability-stated",
        "null directions are the least stable, gen the most [ours]",
        "equations.md §8, the same step",
        "medians 0.039 (null), 0.014 (main and mini), 0.006 (gen), within a quarter, in this order in every seed",
        unstable,
    ),
    Claim(
        "ours-transfer-apart",
        "a ridge keeps apart what generalizes and what memorizes: neither is handed up as the other [ours]",
        "equations.md §8",
        "median shares that land in gen at γ = 1: above 0.99 from gen, below 0.05 from main, mini and null",
        transferred,
    ),
)
