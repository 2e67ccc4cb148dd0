"""The phase diagram of memorization from samples, beside the limit: L_gen over (ψ_n, ψ_p) at three training times.

Claim (Bonnaire et al. 2025, Fig. 5C; equations.md T8, T13, T14): which samples and features memorize by a training time
τ is settled by the d → ∞ theory. Fig. 21 draws that theory's map; here every cell is also drawn from samples, trained
by the exact flow, and compared with theory cell by cell.

Finite d moves a loss by a term in 1/d, so seeds alone cannot tell whether theory is right. The map is sampled at two
dimensions d and 2d: 2 L(2d) − L(d) has no such term, and what is left of it is the seeds' error and a term in 1/d². The
ratio of the two distances from theory, 1/2 if the law holds, is a claim of its own. The border of memorization is where
L_gen is half of its value at τ = ∞ (experiments/21), here on the samples' own grid for samples and limit alike. Up to
the ψ_p = 48 that is sampled here the border at τ = 10⁴ has already left the map, all p > n being beyond it; a first
look showed that, and τ = 2·10³ was added to see it move.

Two sweeps: the TOML files beside this one, which `rfsim sweep` runs by themselves.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import xarray as xr

from rfsim.claims import Claim, Judgment, Results, agreement, border, decide, extrapolated, standard_error
from rfsim.reproduce import Cell, sweep_cell

FIGURES = {"phase-diagram": "Bonnaire et al. 2025, Fig. 5C, from samples: L_gen over (ψ_n, ψ_p) beside the limit"}
SECONDS = {"quick": 13, "paper": 480}

SAMPLES, SAME, FINE = "samples", "limit", "limit-map"
WIDE = 8.0  # ψ_p from which on the border is read
ERRORS, RELATIVE = 3.0, 0.01  # of agreement in one cell: standard errors, and the share left to 1/d²


def cells(size: str) -> list[Cell]:
    ending = "" if size == "paper" else f"-{size}"
    files = {name: Path(__file__).with_name(f"50_phase_diagram{name}{ending}.toml") for name in ("", "-limit")}
    sampled = sweep_cell(SAMPLES, files[""])
    axes = {name: one for name, one in sampled.options["spec"]["axes"].items() if name not in ("dim", "seed")}
    return [sampled, sweep_cell(SAME, files["-limit"], axes=axes), sweep_cell(FINE, files["-limit"])]


def full(results: Results) -> bool:
    """The claims are made of d = 50 and more; smaller systems are not near the limit."""
    return bool(results[SAMPLES].dim.max() >= 50)


def largest(results: Results) -> xr.DataArray:
    """L_gen at the larger dimension, over seeds too."""
    return results[SAMPLES].gen.isel(dim=-1)


def agrees(results: Results) -> Judgment:
    found = extrapolated(results[SAMPLES].gen)
    words, holds = [], True
    for tau in results[SAME].train_time.values.tolist():
        here = agreement(
            type(found)(*(one.sel(train_time=tau) for one in found)),
            results[SAME].gen.sel(train_time=tau),
            ERRORS,
            RELATIVE,
        )
        words.append(f"τ = {tau:g}: {here.words}")
        holds &= here.share >= 0.95
    return Judgment("; ".join(words), None, decide(holds, decidable=full(results)))


def bias(results: Results) -> Judgment:
    """Distances from theory at 2d against those at d, over all cells: the slope of a line through 0."""
    values = results[SAMPLES].gen
    near, far = ((values.mean("seed") - results[SAME].gen).isel(dim=k) for k in (-1, 0))
    slope = float((near * far).sum() / (far**2).sum())
    relative = np.abs(near / results[SAME].gen)
    d = values.dim.values.tolist()
    words = (
        f"distance at d = {d[-1]} over that at {d[0]}: {slope:.3f}; at d = {d[-1]} "
        f"{100 * float(relative.median()):.1f}% in the median, {100 * float(relative.max()):.1f}% at most"
    )
    return Judgment(words, None, decide(abs(slope - d[0] / d[-1]) < 0.1, decidable=full(results)))


def borders(results: Results, tau: float) -> tuple[dict[float, np.ndarray], dict[float, float]]:
    """ψ_p → the border's ψ_n, of every seed and of the limit, where all have one."""
    gen, limit = largest(results), results[SAME].gen
    shares = gen.sel(train_time=tau) / gen.sel(train_time=np.inf)
    seeds = [border(shares.isel(seed=k), WIDE) for k in range(shares.sizes["seed"])]
    theory = border(limit.sel(train_time=tau) / limit.sel(train_time=np.inf), WIDE)
    shared = [p for p in theory if all(p in one for one in seeds)]
    return {p: np.array([one[p] for one in seeds]) for p in shared}, {p: theory[p] for p in shared}


def times(results: Results) -> list[float]:
    return [tau for tau in results[SAMPLES].train_time.values.tolist() if np.isfinite(tau)]


def same_border(results: Results) -> Judgment:
    words, holds, errors, columns = [], True, [], 0
    for tau in times(results):
        sampled, theory = borders(results, tau)
        if not sampled:
            continue
        ratios = np.array([sampled[p] / theory[p] for p in sampled])
        mean = ratios.mean(1)
        columns += len(mean)
        errors.append(standard_error(ratios) or 0.0)
        words.append(
            f"τ = {tau:g}: {mean.min():.3f} to {mean.max():.3f} of theory's ψ_n over {len(mean)} columns "
            f"ψ_p = {min(sampled):g} to {max(sampled):g}"
        )
        holds &= bool(np.all(np.abs(mean - 1) < 0.1))
    told = "; ".join(words) or f"no column with ψ_p ≥ {WIDE:g} has a border on the grid"
    return Judgment(told, max(errors, default=None), decide(holds, decidable=full(results) and columns >= 4))


def onset(results: Results) -> Judgment:
    """From each time to the next: the border's ψ_n, or that it has left the map where every p > n is beyond half."""
    words, holds, moved = [], True, False
    for early, late in pairwise(times(results)):
        before, after = (borders(results, tau)[0] for tau in (early, late))
        moves = np.array([after[p] / before[p] for p in after if p in before])
        if moves.size:
            moved = True
            holds &= bool(np.all(moves > 1))
            low, high = moves.mean(1).min(), moves.mean(1).max()
            words.append(f"τ = {early:g} to {late:g}: {low:.2f} to {high:.2f} times, {len(moves)} columns")
        elif before:
            gen = largest(results)
            shares = gen.sel(train_time=late) / gen.sel(train_time=np.inf)
            inside = (gen.features_per_dim >= WIDE) & (gen.samples_per_dim < gen.features_per_dim)
            lowest = float(shares.where(inside).min())
            holds &= lowest >= 0.5
            words.append(
                f"at τ = {late:g} no border is left: L_gen at p > n is {lowest:.2f} of its final value or more"
            )
    return Judgment("; ".join(words), None, decide(holds and moved, decidable=full(results) and moved))


def overparameterized(results: Results) -> Judgment:
    gen = largest(results).sel(train_time=np.inf).mean("seed")
    highest = float(gen.where(gen.features_per_dim <= gen.samples_per_dim / 2).max())
    return Judgment(f"{highest:.3f} at most", None, decide(highest < 0.5, decidable=full(results)))


def complete(results: Results) -> Judgment:
    sampled = results[SAMPLES]
    unfinished = {name: int((one.status != 1).sum()) for name, one in results.items()}
    draws = int(sampled.decompositions.sum())
    words = f"{', '.join(f'{name} {count}' for name, count in unfinished.items())} cells unfinished; {draws} "
    holds = not any(unfinished.values()) and draws == sampled.status.size
    return Judgment(words + f"decompositions for {sampled.status.size} draws", None, decide(holds))


CLAIMS = (
    Claim(
        "ours-phase-agreement",
        "L_gen of samples is that of the d → ∞ theory in every cell of the plane, the 1/d term taken away [ours]",
        "equations.md T8, T14, §9.3",
        "2 L_gen(d = 50) − L_gen(d = 25) within 3 standard errors + 1% of the limit in 95% of cells, at each τ",
        agrees,
        by_errors=True,
    ),
    Claim(
        "ours-phase-bias",
        "what finite d changes is a term in 1/d over the whole plane [ours]",
        "equations.md §6, §9.3; experiments/20",
        "distance from the limit at d = 50 over that at d = 25, over all cells: 1/2 within 0.1",
        bias,
    ),
    Claim(
        "ours-phase-border",
        "samples have theory's border of memorization already at d = 50 [ours]",
        "Bonnaire et al. 2025, Fig. 5C, theory beside it; equations.md §9.3",
        "the border's ψ_n within 10% of theory's on the same grid for every ψ_p ≥ 8 and both τ",
        same_border,
    ),
    Claim(
        "b25-fig5c-samples-onset",
        "at fixed p longer training moves the onset of memorization to larger n, in samples",
        "Bonnaire et al. 2025, Fig. 5C; equations.md §9.3",
        "from one τ to the next the border's ψ_n is larger for every ψ_p ≥ 8 that has both, in every seed, or it has "
        "left the map (d = 50)",
        onset,
    ),
    Claim(
        "b25-fig5c-samples-overparameterized",
        "with fewer features than half of the samples L_gen of samples stays small however long the training",
        "Bonnaire et al. 2025, Fig. 5C: memorization needs p > n; equations.md §9.3",
        "L_gen below 0.5 wherever ψ_p ≤ ψ_n/2 at τ = ∞ (d = 50)",
        overparameterized,
    ),
    Claim(
        "ours-phase-complete",
        "every cell is computed, each draw decomposed once for all of its times [ours]",
        "a check of this experiment",
        "no cell unfinished, as many decompositions of U as draws",
        complete,
    ),
)
