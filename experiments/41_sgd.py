"""Noise of batches against the exact flow: it adds a loss that can be foretold, and does not delay memorization.

Claim (equations.md §3; Wu, Marion, Biau, Boyer 2025, arXiv 2502.03435): stochastic descent with fresh noise follows the
filter in the mean. What it adds to L_train at a small rate is linear in the rate and inverse in the batch: it is
L_train S/(1 − S), S = (c/B) Σ_λ λ/(2 − c(1 − 1/B)λ) with c = 2Δη/(pd), and at S = 1 descent ends, long before the mean
does where the batch is small (`rfsim.learning.noisy`) [derived]. Large rates are said to prevent memorization: the
paper above shows for two-layer ReLU networks in one dimension that they keep the excess risk from becoming small.

Here: tanh, isotropic data, d = 20, ψ_n = 4, ψ_p = 16, t = 0.1, fresh noise, plain SGD, steps of several train_times
τ = η/d² and batches. Read-outs are linear, so S of the same draw is a number before training begins. "When memorization
sets in" is τ_half, the time at which L_gen, averaged over seeds, first reaches half of the filter's at τ = ∞. The
excess is a mean over seeds and over the steps recorded after τ = 100, more than six times τ_gen.
"""

from __future__ import annotations

import json

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim import Problem
from rfsim.claims import Claim, Judgment, Results, batch_delay, batch_excess, batch_share, decide
from rfsim.disk import store
from rfsim.reproduce import Cell

FIGURES = {"sgd-noise": "ours, after Wu et al. 2025: batches and rates of SGD against the exact flow"}
SECONDS = {"quick": 7, "paper": 150}

DIM = 20
SEEDS = {"quick": 2, "paper": 4}
LAST_TIME = {"quick": 4e3, "paper": 1e4}
STEP = 0.35  # train_time of a step of the cells that differ in their batch
BATCH = 4  # of the cells in which a large rate is looked at
CELLS = {  # train_time of a step, batch
    "quick": ((STEP, 1), (STEP, 4), (STEP, 16), (1.4, BATCH), (2.8, BATCH)),
    "paper": (
        *((STEP, batch) for batch in (1, 4, 8, 16, 32, 64)),
        *((step, BATCH) for step in (0.7, 1.4, 1.8, 2.0, 2.2, 2.8)),
        *((step, 16) for step in (0.0875, 0.175, 0.7, 1.4, 2.8)),
    ),
}
SMALL = 0.15  # S below which exponents are read
LATE = 100.0
EXACT = "exact"


def label(step: float, batch: int) -> str:
    return f"step-{step:g}-batch-{batch}"


def cells(size: str) -> list[Cell]:
    problem = Problem(samples_per_dim=4, features_per_dim=16, diffusion_time=0.1)
    drawn = {"dim": DIM, "seeds": SEEDS[size]}
    return [
        Cell(EXACT, "train", problem, drawn | {"train_times": [*np.geomspace(1, LAST_TIME[size], 81), np.inf]}),
        *(
            Cell(
                label(step, batch),
                "simulate",
                problem,
                drawn | {"rate": step * DIM**2, "batch": batch, "steps": round(LAST_TIME[size] / step)},
            )
            for step, batch in CELLS[size]
        ),
    ]


def runs(results: Results) -> dict[str, xr.Dataset]:
    """The simulations by label."""
    return {name: result for name, result in results.items() if name != EXACT}


def batch_of(result: xr.Dataset) -> int:
    return int(store.settings(result)["batch"])


def share(results: Results, name: str) -> NDArray[np.float64]:
    """S of a simulation, (seeds,)."""
    return batch_share(results[name], results[EXACT])


def excess(result: xr.Dataset) -> NDArray[np.float64]:
    return batch_excess(result, LATE)


def stable(results: Results) -> dict[str, xr.Dataset]:
    """The simulations that reached their last step at every seed."""
    return {name: result for name, result in runs(results).items() if not json.loads(result.attrs["diverged"])}


def exponent(found: dict[str, xr.Dataset], variable: str) -> tuple[float, float]:
    """Slope of ln excess against ln `variable` over simulations, and its standard error over seeds."""
    x = [np.log(float(store.settings(result)[variable])) for result in found.values()]
    slopes = np.polyfit(x, np.log([excess(result) for result in found.values()]), 1)[0]
    return float(slopes.mean()), float(slopes.std(ddof=1) / np.sqrt(slopes.size))


def follows(results: Results) -> Judgment:
    """The excess against S/(1 − S), where S is below 1/2."""
    found = {name: share(results, name) for name in stable(results)}
    small = {name: s for name, s in found.items() if s.max() < 0.5}
    off = {name: float((excess(results[name]) / (s / (1 - s))).mean() - 1) for name, s in small.items()}
    worst = max(off, key=lambda name: abs(off[name]))
    big = {name: s for name, s in found.items() if name not in small}
    beyond = ", ".join(
        f"{excess(results[name]).mean():.2f} at S = {s.mean():.2f} ({(s / (1 - s)).mean():.2f})"
        for name, s in sorted(big.items(), key=lambda one: one[1].mean())
    )
    words = f"{len(small)} cells within {100 * abs(off[worst]):.1f}%, the worst {worst}"
    words += f"; beyond, found (foretold): {beyond}" if beyond else ""
    return Judgment(words, None, decide(abs(off[worst]) < 0.1))


def linear(results: Results) -> Judgment:
    """Exponents of the excess in the rate and in the batch, where S is small."""
    small = {name: one for name, one in stable(results).items() if share(results, name).max() < SMALL}
    groups = {
        "rate": {name: one for name, one in small.items() if batch_of(one) == 16},
        "batch": {name: one for name, one in small.items() if name.startswith(f"step-{STEP:g}-")},
    }
    words, holds, errors = [], True, []
    decidable = all(len(found) > 2 for found in groups.values())
    for (variable, found), wanted in zip(groups.items(), (1, -1), strict=True):
        if len(found) < 2:
            words.append(f"{variable}: too few cells")
            continue
        slope, error = exponent(found, variable)
        words.append(f"{slope:.3f} ± {error:.3f} in the {variable} ({len(found)} cells)")
        errors.append(error)
        holds &= abs(slope - wanted) < 0.1
    return Judgment("; ".join(words), max(errors, default=None), decide(holds, decidable=decidable))


def ends(results: Results) -> Judgment:
    """Divergence where S > 1 and none where S < 1, at rates that are all stable in the mean."""
    going, found = stable(results), {name: share(results, name) for name in runs(results)}
    most = max(float(s.max()) for name, s in found.items() if name in going)
    over = {name: s for name, s in found.items() if name not in going}
    words = f"stable up to S = {most:.2f}"
    for name, s in over.items():
        ratio = float((results[name].rate / results[name].limit).max())
        words += f"; diverges at S = {s.min():.2f}, {100 * ratio:.0f}% of the mean's limit"
    holds = most < 1 and all(s.min() > 1 for s in over.values())
    return Judgment(words, None, decide(bool(holds and over)))


def unchanged(results: Results) -> Judgment:
    """τ_half of the simulations with S < 1/2 over the filter's."""
    found = {
        name: batch_delay(results[name], results[EXACT]) for name in stable(results) if share(results, name).max() < 0.5
    }
    low, high = min(found.values()), max(found.values())
    words = f"τ_half over the filter's {low:.2f} … {high:.2f} over {len(found)} cells"
    return Judgment(words, None, decide(low > 0.85 and high < 1 / 0.85))


def late_gap(result: xr.Dataset) -> tuple[float, float]:
    """L_gen over the filter's in the last factor 3 of train_time: mean and standard error over seeds."""
    late = result.train_time.values > result.train_time.values[-1] / 3
    own = result.gen.values[:, late].mean(1)
    exact = (result.exact_test - result.exact_train).values[:, late].mean(1)
    ratio = own / exact
    return float(ratio.mean()), float(ratio.std(ddof=1) / np.sqrt(ratio.size))


def prevented(results: Results) -> Judgment:
    """L_gen at the end of the stable run with the largest S."""
    found = {name: float(share(results, name).mean()) for name in stable(results)}
    name = max(found, key=lambda one: found[one])
    result = results[name]
    ratio, error = late_gap(result)
    added = float(excess(result).mean())
    words = (
        f"at S = {found[name]:.2f} ({name}) L_gen ends at {ratio:.2f} ± {error:.2f} times the filter's, "
        f"L_train at {1 + added:.1f} times"
    )
    held = ratio + 3 * error < 0.5
    return Judgment(words, error, decide(held, decidable=held or ratio - 3 * error > 0.5))


def risk(results: Results) -> Judgment:
    """Whether L_train at the end grows with the rate."""
    going = [name for name in stable(results) if batch_of(results[name]) == BATCH]
    rows = sorted((float(results[name].rate.max()), 1 + float(excess(results[name]).mean())) for name in going)
    factors = [factor for _, factor in rows]
    words = f"L_train over the filter's at batch {BATCH}: " + ", ".join(
        f"{factor:.2f} at η/d² = {rate / DIM**2:g}" for rate, factor in rows
    )
    return Judgment(words, None, decide(all(np.diff(factors) > 0) and factors[-1] > 2))


CLAIMS = (
    Claim(
        "ours-sgd-excess",
        "what batches add to L_train is S/(1 − S) of it, known from the eigenvalues of U [ours]",
        "equations.md §3",
        "every cell with S < 1/2 within 10%",
        follows,
    ),
    Claim(
        "ours-sgd-linear",
        "at small rates that excess is linear in the rate and inverse in the batch [ours]",
        "equations.md §3",
        f"exponents 1 and −1 within 0.1 where S < {SMALL:g}",
        linear,
    ),
    Claim(
        "ours-sgd-limit",
        "SGD ends at S = 1, below the stable limit of the mean [ours]",
        "equations.md §3",
        "runs diverge where S > 1 and not where S < 1",
        ends,
    ),
    Claim(
        "ours-sgd-onset",
        "at small S neither batch nor rate moves the onset of memorization in train_time [ours]",
        "equations.md §3",
        "τ_half over the filter's between 0.85 and 1/0.85 where S < 1/2",
        unchanged,
    ),
    Claim(
        "wu25-risk",
        "large rates keep training from a small excess risk",
        "Wu et al. 2025, abstract, there for ReLU networks in one dimension",
        "L_train over the filter's grows with the rate and passes 2",
        risk,
    ),
    Claim(
        "wu25-prevention",
        "and so prevent memorization, read as L_gen that stays below half of the filter's",
        "Wu et al. 2025, title, there for ReLU networks in one dimension; the reading is ours",
        "L_gen of the stable run with the largest S below half of the filter's by 3 standard errors; above: not",
        prevented,
        by_errors=True,
    ),
)
