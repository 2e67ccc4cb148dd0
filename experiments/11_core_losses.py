"""Core: training generalizes first and memorizes later; when it memorizes is read off mini, not off B25's edge.

Claim (Bonnaire et al. 2025, Fig. 5A, B; equations.md T7, T8, §3): the training loss keeps falling long after the test
loss has turned, and the gap L_gen = L_test − L_train collapses over ψ_n = 4, 8, 16, 32 in units of
τ_mem = ψ_p/(Δ λ_min), so that the memorization time grows like n. The other unit is τ_mini = ψ_p/(Δ λ_mini), λ_mini the
median of mini [ours].

Here: gradient flow in closed form at ψ_p = 64, t = 0.1, tanh, isotropic data, samples beside their limit d → ∞. What a
small sample says of the collapse is decided where the limit says the same. That samples have this limit is asked apart,
at ψ_n = 2, ψ_p = 4, where large dimensions and many seeds take seconds. Published size: cells of
11_memorization_time.py and 20_limit.py.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from rfsim import Problem
from rfsim.claims import Approach, Claim, Judgment, Results, agreed, approach, decide, growth, onsets, spread
from rfsim.reproduce import Cell, with_limits

CORE = True
FIGURES = {"core-losses": "Bonnaire et al. 2025, Fig. 5A, B: losses against training time, with their limit"}
OPTIONS = {"quick": {"dim": 32, "seeds": 1}, "paper": {"dim": 100, "seeds": 1}}
SECONDS = {"quick": 14, "paper": 260}

SAMPLES_PER_DIM = (4, 8, 16, 32)
TIMES = [*np.geomspace(1e-1, 1e6, 141).tolist(), float("inf")]
APPROACH = [0.0, 1e3, float("inf")]
SEEDS = {"quick": {50: 40, 100: 20, 200: 8}, "paper": {50: 60, 100: 30, 200: 16}}  # dimension → seeds
LARGEST_ERROR = 0.25  # of an exponent, for it to say anything


def label(samples_per_dim: int) -> str:
    return f"psi_n-{samples_per_dim}"


def cells(size: str) -> list[Cell]:
    first, second = ("11_memorization_time", "20_limit") if size == "paper" else (None, None)
    asked = {"dim": OPTIONS[size]["dim"], "train_times": TIMES, "seeds": OPTIONS[size]["seeds"]}
    found = with_limits(
        [
            Cell(
                label(psi_n),
                "train",
                Problem(samples_per_dim=psi_n, features_per_dim=64, diffusion_time=0.1),
                asked,
                first,
            )
            for psi_n in SAMPLES_PER_DIM
        ]
    )
    problem = Problem(samples_per_dim=2, features_per_dim=4, diffusion_time=0.1, data="atoms:0.5@0.5,0.5@1.5")
    same = {"train_times": APPROACH, "trainer": "flow"}
    found.append(Cell("atoms-theory", "theory.curves", problem, same, second))
    found += [
        Cell(
            f"atoms-real-d{dim}",
            "train",
            problem,
            same | {"dim": dim, "seeds": seeds, "model": "real"},
            second,
        )
        for dim, seeds in SEEDS[size].items()
    ]
    return found


def families(results: Results) -> tuple[list[xr.Dataset], list[xr.Dataset]]:
    """Samples and their limits, over ψ_n; of the latter as of one seed."""
    names = [label(psi_n) for psi_n in SAMPLES_PER_DIM]
    return [results[name] for name in names], [results[f"limit-{name}"].expand_dims("seed", -1) for name in names]


def two_phases(results: Results) -> Judgment:
    words, holds = [], []
    for family in families(results):
        ratios = []
        for result in family:
            gen, mem = (float(result[f"tau_{name}"].sel({f"{name}_route": "curve"}).mean()) for name in ("gen", "mem"))
            final = result.test.isel(train_time=-1)
            # generalizing first: L_test comes within 1% of its minimum before half of the gap has opened
            holds.append(10 * gen < mem and bool((final > result.test.min("train_time")).all()))
            ratios.append(f"{mem / gen:.0f}")
        words.append(", ".join(ratios))
    return Judgment(f"τ_mem/τ_gen (curves) {words[0]}; in the limit {words[1]}", None, decide(all(holds)))


def collapse(route: str, results: Results) -> Judgment:
    """τ_half over a predicted time; `route` is "formula" or "mini"."""
    sample, limit = (spread(onsets(family, route)) for family in families(results))
    words = (
        f"in the limit {limit.words}; largest over smallest {limit.ratio:.2f}; "
        f"in samples {sample.words}; {sample.ratio:.2f}"
    )
    return Judgment(words, sample.error, agreed(sample.ratio < 1.6, limit.ratio < 1.6))


def proportional(results: Results) -> Judgment:
    sample, limit = (growth(family, SAMPLES_PER_DIM) for family in families(results))
    words = f"exponent {limit.mean():.2f} in the limit, {sample.mean():.2f} in samples"
    return Judgment(words, None, agreed(*(bool(abs(one.mean() - 1) < 0.15) for one in (sample, limit))))


def observables(results: Results) -> dict[str, Approach]:
    """Both losses at both times, less their limits, by growing dim."""
    names = sorted((name for name in results if "-real-d" in name), key=lambda name: int(name.rpartition("-d")[2]))
    samples = [results[name] for name in names]
    return {
        f"L_{loss}(τ = {when})": approach(results["atoms-theory"], samples, loss, k)
        for loss in ("test", "train")
        for k, when in ((1, "1000"), (2, "∞"))
    }


def falls(results: Results) -> Judgment:
    listed, holds = [], []
    for name, found in observables(results).items():
        slope, error = found.exponent
        enough = error <= LARGEST_ERROR
        listed.append(f"{name} {slope:.2f} ± {error:.2f}{'' if enough else ' (too small to tell)'}")
        holds += [abs(slope + 1) <= 3 * error] if enough else []
    return Judgment("; ".join(listed), None, decide(all(holds), decidable=bool(holds)))


def arrives(results: Results) -> Judgment:
    lines = {name: found.line[1] for name, found in observables(results).items()}
    listed = "; ".join(f"{name} {rest:+.4f} ± {error:.4f}" for name, (rest, error) in lines.items())
    return Judgment(listed, None, decide(all(abs(rest) <= 3 * error for rest, error in lines.values())))


CLAIMS = (
    Claim(
        "core-losses-phases",
        "a generalizing phase comes first: τ_gen ≪ τ_mem, and L_test turns up after it",
        "Bonnaire et al. 2025, Fig. 5A",
        "10 τ_gen < τ_mem (curves) at every ψ_n, and L_test ends above its minimum, in samples and in the limit",
        two_phases,
    ),
    Claim(
        "core-losses-collapse",
        "L_gen against τ/τ_mem collapses over ψ_n = 4, 8, 16, 32",
        "Bonnaire et al. 2025, Fig. 5B; equations.md §9.2",
        "τ_half/τ_mem (formula) equal over ψ_n: spread below 1.6, in samples and in the limit",
        lambda results: collapse("formula", results),
    ),
    Claim(
        "core-losses-mini",
        "L_gen against τ/τ_mini collapses over ψ_n = 4, 8, 16, 32 [ours]",
        "equations.md §3, §5, §9.2",
        "τ_half/τ_mini equal over ψ_n: spread below 1.6, in samples and in the limit",
        lambda results: collapse("mini", results),
    ),
    Claim(
        "core-losses-linear",
        "the memorization time grows like n",
        "Bonnaire et al. 2025, Fig. 5 (equations.md §9.2)",
        "exponent 1, within 0.15, in samples and in the limit",
        proportional,
    ),
    Claim(
        "core-limit-exponent",
        "losses of samples approach the d → ∞ theory as 1/d [ours]",
        "equations.md §5, §6 [derived]",
        "exponent −1 within three standard errors wherever these are at most 0.25, over d = 50, 100, 200",
        falls,
        by_errors=True,
    ),
    Claim(
        "core-limit-value",
        "losses of samples extrapolate to the d → ∞ theory [ours]",
        "equations.md §5, §6 [derived]",
        "what a line in 1/d leaves of the difference at d = ∞: 0 within three standard errors",
        arrives,
        by_errors=True,
    ),
)
