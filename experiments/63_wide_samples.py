"""Samples beside the law that many features and dimensions give them: where they approach it, and where they do not.

Claim (equations.md W6 to W8, after Latourelle-Vigeant et al. 2026, Theorem 4): samples are a linear image of their
noise, N(0, Λ(XXᵀ/n)), whose spread and distance from the truth follow the training time. [ours] For a linear σ that is
so at every d, and W2²/d nears the limit as 1/d. For σ = h_1 + .2h_3 samples near it at early training times, with d
and with ψ_p. For tanh they do not at any d that can be run from T = 3: its slope falls with the size of a sample, so
that differences of size between samples, 1/√d at the start, grow on the way down; from T = 1.5 they grow less.

Here: isotropic data, ψ_n = 2, DDIM from T = 3 or 1.5 to ε = 0.02. Linear σ: τ = ∞, 20 levels, ψ_p = 2; its samples are
exactly linear in the noise, so that no number of samples adds to W2²/d. Others: 10 levels, 1000 samples; what their
number adds to W2²/d to first order is taken off.
"""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from rfsim import Hermite, Problem
from rfsim.claims import Claim, Judgment, Results, decide
from rfsim.reproduce import Cell

FIGURES = {"wide-samples": "equations.md W6 to W8: samples of few and many dimensions beside their limit"}
SECONDS = {"quick": 8, "paper": 150}

CUBIC = Hermite({1: 1, 3: 0.2})
TRAIN_TIMES = (3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 1e4, 1e6)
EARLY = (10.0, 30.0, 100.0)
LINEAR = {"quick": {20: 4, 40: 4}, "paper": {50: 12, 100: 8, 200: 6}}  # d → seeds
DRAWN = {  # σ → (d, ψ_p, seeds)
    "quick": {"cubic": ((12, 8, 2), (25, 8, 2)), "tanh": ((10, 8, 2), (20, 8, 2)), "short": ((20, 8, 2),)},
    "paper": {
        "cubic": ((25, 16, 2), (50, 8, 1), (50, 16, 1), (100, 16, 1)),
        "tanh": ((20, 16, 2), (40, 16, 2), (80, 16, 1)),
        "short": ((20, 16, 2), (40, 16, 2), (80, 16, 1)),
    },
}
SIGMAS = {"cubic": CUBIC, "tanh": "tanh", "short": "tanh"}
SHORT = 1.5  # T of the last of them


def cells(size: str) -> list[Cell]:
    found = [Cell("limit-linear", "theory.generated", wide("linear"), {"train_times": [math.inf]})]
    for dim, seeds in LINEAR[size].items():
        problem = Problem(samples_per_dim=2, features_per_dim=2, activation="linear")
        asked = {"train_times": [math.inf], "dim": dim, "seeds": seeds, "generated": 256}
        found.append(Cell(f"linear-{dim}", "generated", problem, asked))
    for name, several in DRAWN[size].items():
        common = {"train_times": TRAIN_TIMES, "levels": 10, "time_max": SHORT if name == "short" else 3.0}
        found.append(Cell(f"limit-{name}", "theory.generated", wide(SIGMAS[name]), common))
        for dim, psi_p, seeds in several:
            problem = Problem(samples_per_dim=2, features_per_dim=psi_p, activation=SIGMAS[name])
            asked = common | {"dim": dim, "seeds": seeds, "generated": 1000}
            found.append(Cell(f"{name}-{dim}-{psi_p}", "generated", problem, asked))
    return found


def wide(activation: str | Hermite) -> Problem:
    return Problem(samples_per_dim=2, features_per_dim=math.inf, activation=activation)


def drawn(results: Results, name: str) -> dict[tuple[int, int], xr.Dataset]:
    """The samples of a σ by d and ψ_p, both ascending."""
    keys = [key.split("-") for key in results if key.startswith(f"{name}-")]
    pairs = sorted((int(key[1]), int(key[2])) for key in keys)
    return {pair: results[f"{name}-{pair[0]}-{pair[1]}"] for pair in pairs}


def steps(results: Results, name: str) -> xr.Dataset:
    """The limit of a σ's samples."""
    return results[f"limit-{name}"].sel(way="steps")


def linear_gaps(results: Results) -> dict[int, np.ndarray]:
    """W2²/d less the limit's by d, exact for the draw of data, (seeds,)."""
    end = float(steps(results, "linear").frechet_per_dim[0])
    dims = sorted(int(name.split("-")[1]) for name in results if name.startswith("linear-"))
    values = {dim: results[f"linear-{dim}"].variance.values[:, 0] for dim in dims}
    return {dim: ((np.sqrt(one) - 1) ** 2).mean(1) - end for dim, one in values.items()}


def as_one_over_d(results: Results) -> Judgment:
    gaps = linear_gaps(results)
    size = {dim: float(np.sqrt((gap**2).mean())) for dim, gap in gaps.items()}
    power = float(-np.polyfit(np.log(list(size)), np.log(list(size.values())), 1)[0])
    words = ", ".join(
        f"{gap.mean():+.4f}({gap.std(ddof=1) / math.sqrt(gap.size):.4f}) at d = {dim}" for dim, gap in gaps.items()
    )
    sizes = ", ".join(f"{one:.4f}" for one in size.values())
    words = f"W2²/d less the limit's {words}; root mean square over draws {sizes}"
    return Judgment(f"{words}: power {power:.2f} of 1/d", None, decide(0.6 < power < 1.5, decidable=max(gaps) >= 200))


def distances(one: xr.Dataset) -> np.ndarray:
    """W2²/d over training times, without what the number of samples adds, mean over seeds."""
    return (one.frechet_per_dim - one.frechet_bias).mean("seed").values


def gaps(results: Results, name: str) -> dict[tuple[int, int], np.ndarray]:
    """W2²/d of samples over the limit's less 1, at EARLY, by d and ψ_p."""
    k = [TRAIN_TIMES.index(one) for one in EARLY]
    end = steps(results, name).frechet_per_dim.values
    return {pair: (distances(one) / end - 1)[k] for pair, one in drawn(results, name).items()}


def told(found: dict[tuple[int, int], np.ndarray]) -> str:
    return "; ".join(
        f"{', '.join(f'{100 * value:+.0f}%' for value in values)} at d = {dim}, ψ_p = {psi_p}"
        for (dim, psi_p), values in found.items()
    )


def early(name: str, results: Results) -> Judgment:
    """The last of the draws is the one of most dimensions."""
    found = gaps(results, name)
    last = list(found.values())[-1]
    share = float(drawn(results, name)[list(found)[-1]].linear_share.mean("seed").sel(train_time=30.0))
    words = f"W2²/d over the limit's at τ = 10, 30, 100: {told(found)}; {share:.2f} linear in the noise at τ = 30"
    full = max(dim for dim, _ in found) >= 80
    return Judgment(words, None, decide(float(np.abs(last).max()) < 0.15, decidable=full))


def spread(results: Results) -> Judgment:
    """Quantiles of the variances of samples at early times, at the most dimensions."""
    limit, k = steps(results, "cubic"), [TRAIN_TIMES.index(one) for one in EARLY]
    pair, one = list(drawn(results, "cubic").items())[-1]
    own = np.quantile(one.variance.values[:, k], limit["quantile"].values, axis=-1).mean(1).T
    apart = own / limit.variance_quantile.values[k] - 1
    words = ", ".join(f"{100 * np.abs(row).max():.0f}% at τ = {time:g}" for row, time in zip(apart, EARLY, strict=True))
    words = f"quantiles from 5% to 95% apart by at most {words} at d = {pair[0]}, ψ_p = {pair[1]}"
    return Judgment(words, None, decide(float(np.abs(apart).max()) < 0.25, decidable=pair[0] >= 100))


def copies(results: Results) -> Judgment:
    """The largest f_mem over training times and draws."""
    all_drawn = drawn(results, "cubic").items()
    found = {pair: float(one.memorized_fraction.max()) for pair, one in all_drawn if pair[0] >= 25}
    words = ", ".join(f"{value:.3f} at d = {dim}, ψ_p = {psi_p}" for (dim, psi_p), value in found.items())
    return Judgment(f"f_mem at most {words}", None, decide(max(found.values()) < 0.003))


CLAIMS = (
    Claim(
        "ours-wide-linear",
        "W2²/d of samples of a linear σ nears the limit's as 1/d [ours]",
        "equations.md W8",
        "power of the root mean square gap over draws between .6 and 1.5, d = 50, 100, 200",
        as_one_over_d,
    ),
    Claim(
        "ours-wide-cubic",
        "samples of σ = h_1 + .2h_3 are at the limit's W2²/d at early training times [ours]",
        "equations.md W6, W8",
        "within 15% at τ = 10, 30, 100 at d = 100, ψ_p = 16",
        lambda results: early("cubic", results),
    ),
    Claim(
        "ours-wide-spread",
        "their variances are spread as the limit's [ours]",
        "equations.md W6, W8",
        "quantiles from 5% to 95% within 25% at τ = 10, 30, 100 at d = 100, ψ_p = 16",
        spread,
    ),
    Claim(
        "ours-wide-tanh",
        "samples of tanh are at the limit's W2²/d at early training times, from T = 3 [ours]",
        "equations.md W6, which says why not",
        "within 15% at τ = 10, 30, 100 at d = 80, ψ_p = 16",
        lambda results: early("tanh", results),
    ),
    Claim(
        "ours-wide-short",
        "they are where sampling starts at T = 1.5 [ours]",
        "equations.md W6",
        "within 15% at τ = 10, 30, 100 at d = 80, ψ_p = 16",
        lambda results: early("short", results),
    ),
    Claim(
        "ours-wide-copies",
        "no sample of σ = h_1 + .2h_3 is a copy at d = 25 and more, at any training time [ours]",
        "equations.md W6; Latourelle-Vigeant et al. 2026, Theorem 4",
        "f_mem below .003",
        copies,
    ),
)
