"""Is a ridge at the end of training what early stopping is? Losses over (γ, τ), and the two paths matched.

Claims (equations.md T7; Ali, Kolter, Tibshirani 2019, "A Continuous-Time View of Early Stopping for Least Squares"): a
ridge γ keeps the share u/(u + γ) of what an eigenvalue u would learn, the flow stopped at τ the share 1 − e^{−κτu},
κ = 2Δ/ψ_p; where u is small both are u times one number, 1/γ and κτ. So stopping at τ = 1/(κγ) should be what a ridge γ
is. For least squares it is proved that at this τ the flow's risk is at most 1.69 times the ridge's along the whole
path. Where u is large the two differ: 1 − u/(u + γ) falls like γ/u, e^{−κτu} faster than any power.

Here: tanh, isotropic data, t = 0.1, (ψ_n, ψ_p) of 4, 16 and 16, 64; samples at d = 50 and the limit beside them. The
matched time of a ridge below the best one is where the flow without a ridge, past its best moment, has the L_test that
the ridge has at τ = ∞; it is read where that lies between 5% and 95% of the way from the flow's best L_test to its
last, linearly in log τ. Its product with κγ is 1 if the two are one.

Two sweeps: the TOML files beside this one. A draw is decomposed once: its ridges and times are filters of one
spectrum.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rfsim.claims import (
    Claim,
    Judgment,
    Results,
    decide,
    matched,
    points,
    standard_error,
    stopped,
    stopped_over_ridged,
)
from rfsim.reproduce import Cell, sweep_cell

FIGURES = {"ridge-and-time": "ours, after Ali, Kolter, Tibshirani 2019: losses over ridge and training time"}
SECONDS = {"quick": 19, "paper": 310}

SAMPLES, LIMIT = "samples", "limit"
BOUND = 1.69  # of Ali, Kolter, Tibshirani 2019, at equal 1/γ and κτ


def cells(size: str) -> list[Cell]:
    ending = "" if size == "paper" else f"-{size}"
    here = Path(__file__)
    return [
        sweep_cell(SAMPLES, here.with_name(f"51_ridge_and_time{ending}.toml")),
        sweep_cell(LIMIT, here.with_name(f"51_ridge_and_time-limit{ending}.toml")),
    ]


def full(results: Results) -> bool:
    """The claims are made of the four points of the plane."""
    limit = results[LIMIT]
    return limit.samples_per_dim.size * limit.features_per_dim.size >= 4


def named(n: float, p: float) -> str:
    return f"({n:g}, {p:g})"


def equivalent(results: Results, loss: str) -> Judgment:
    words, spreads, near = [], [], []
    for n, p, kappa, here in points(results[LIMIT]):
        name = named(n, p)
        found = matched(here, kappa, loss)
        if len(found) < 2:
            words.append(f"{name}: fewer than two ridges")
            continue
        values = np.array(list(found.values()))
        spreads.append(values.max() / values.min())
        near.append(bool(np.all((values > 0.5) & (values < 2))))
        words.append(
            f"{name}: {values.min():.2f} to {values.max():.2f} over γ = {min(found):g} to {max(found):g}, spread "
            f"{spreads[-1]:.2f}"
        )
    holds = bool(spreads) and max(spreads) < 1.6 and all(near)
    return Judgment("; ".join(words), None, decide(holds, decidable=full(results) and bool(spreads)))


def bounded(results: Results) -> Judgment:
    words, highest = [], 0.0
    for n, p, kappa, here in points(results[LIMIT]):
        name = named(n, p)
        gamma, ratios = stopped_over_ridged(here, kappa)
        highest = max(highest, float(ratios.max()))
        words.append(
            f"{name}: {ratios.min():.2f} at γ = {gamma[ratios.argmin()]:g} to {ratios.max():.2f} at "
            f"{gamma[ratios.argmax()]:g}"
        )
    return Judgment("; ".join(words), None, decide(highest <= BOUND, decidable=full(results)))


def one_clock(results: Results) -> Judgment:
    """L_test(γ, τ) against the flow's at 1/(κγ + 1/τ), over the whole map."""
    words, worst = [], 0.0
    for n, p, kappa, here in points(results[LIMIT]):
        name = named(n, p)
        tau, path = stopped(here, "test")
        gamma, times = np.meshgrid(here.ridge.values, tau, indexing="ij")
        joint = 1 / (kappa * gamma + 1 / times)
        foretold = np.interp(np.log(joint), np.log(tau), path)
        off = np.abs(here.test.values[:, :-1] / foretold - 1)[joint >= tau[0]]
        worst = max(worst, float(off.max()))
        words.append(f"{name}: {100 * off.max():.0f}% at most, {100 * np.median(off):.1f}% in the median")
    return Judgment("; ".join(words), None, decide(worst < 0.1, decidable=full(results)))


def best(results: Results) -> Judgment:
    words, holds = [], True
    for n, p, _, here in points(results[LIMIT]):
        name = named(n, p)
        ridge, time = float(here.test.isel(train_time=-1).min()), float(stopped(here, "test")[1].min())
        words.append(f"{name}: {ridge:.4f} against {time:.4f}")
        holds &= abs(ridge / time - 1) < 0.02
    return Judgment("; ".join(words), None, decide(holds, decidable=full(results)))


def samples_too(results: Results) -> Judgment:
    """κγτ of every seed over the limit's."""
    ratios: list[list[float]] = []
    for (_, _, kappa, drawn), (*_, limit) in zip(points(results[SAMPLES]), points(results[LIMIT]), strict=True):
        theory = matched(limit, kappa)
        seeds = [matched(drawn.isel(seed=k), kappa) for k in range(drawn.sizes["seed"])]
        ratios += [[one[gamma] / theory[gamma] for one in seeds] for gamma in theory if all(gamma in s for s in seeds)]
    if not ratios:
        return Judgment("no ridge is matched in theory and in every seed", None, "cannot be decided")
    mean = np.mean(ratios, axis=1)
    words = f"{mean.min():.3f} to {mean.max():.3f} of theory's over {len(mean)} ridges"
    near = bool(np.all(np.abs(mean - 1) < 0.1))
    return Judgment(words, standard_error(ratios), decide(near, decidable=full(results)))


def complete(results: Results) -> Judgment:
    drawn = results[SAMPLES]
    unfinished = sum(int((one.status != 1).sum()) for one in results.values())
    each = drawn.decompositions.values
    pairs = drawn.ridge.size * drawn.train_time.size
    words = f"{unfinished} cells unfinished; {each.min()} to {each.max()} decompositions of a draw for {pairs} (γ, τ)"
    return Judgment(words, None, decide(unfinished == 0 and bool(np.all(each == 1))))


CLAIMS = (
    Claim(
        "ours-equivalence-time",
        "a ridge γ is, for L_test, early stopping at τ = 1/(κγ) [ours, after Ali, Kolter, Tibshirani 2019]",
        "equations.md T7",
        "κγτ at equal L_test between 1/2 and 2, its spread over γ below 1.6 at each (ψ_n, ψ_p); as d → ∞",
        lambda results: equivalent(results, "test"),
    ),
    Claim(
        "ours-equivalence-gap",
        "the same for L_gen [ours]",
        "equations.md T7",
        "κγτ at equal L_gen between 1/2 and 2, its spread over γ below 1.6 at each (ψ_n, ψ_p); as d → ∞",
        lambda results: equivalent(results, "gen"),
    ),
    Claim(
        "akt19-equivalence-bound",
        "stopped at τ = 1/(κγ) the flow's error is at most 1.69 times the ridge's along the whole path",
        "Ali, Kolter, Tibshirani 2019, abstract (least squares), read for E_score",
        "E_score(0, τ = 1/(κγ))/E_score(γ, ∞) at most 1.69 at every γ > 0; as d → ∞",
        bounded,
    ),
    Claim(
        "ours-equivalence-sum",
        "with both, rates add: L_test depends on κγ + 1/τ alone [ours]",
        "equations.md T7",
        "L_test(γ, τ) within 10% of that without a ridge at 1/(κγ + 1/τ), over the whole map; as d → ∞",
        one_clock,
    ),
    Claim(
        "ours-equivalence-best",
        "the best ridge is worth as much as the best stopping time [ours]",
        "Ali, Kolter, Tibshirani 2019: between 1 and 1.22 for spherical features",
        "lowest L_test over γ at τ = ∞ and over τ at γ = 0 within 2% of each other, on the grids",
        best,
    ),
    Claim(
        "ours-equivalence-samples",
        "samples have the matched times of theory [ours]",
        "equations.md T8, T14",
        "mean over seeds of κγτ within 10% of the limit's at every γ (d = 50)",
        samples_too,
    ),
    Claim(
        "ours-equivalence-once",
        "one decomposition of a draw serves all ridges and times of it [ours]",
        "a check of this experiment",
        "no cell unfinished, one decomposition of U for each draw",
        complete,
    ),
)
