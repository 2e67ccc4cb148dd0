"""Memorized samples disappear as d grows at fixed n/d, while the loss overfits as before.

Claim (Latourelle-Vigeant et al. 2026, Theorem 4; equations.md W3, W6): in high dimension the path of a sampler meets no
training point, so that a model whose training loss has fallen to 0 and whose test loss has risen to its plateau still
generates no copies. [ours] At fixed n/d the memorized fraction f_mem therefore tends to 0 with d, whatever the training
time; what the limit tells of overfitting, L_test, does not see it.

Here: tanh, isotropic data, n = 2d, p = 32d, DDIM in 10 levels from T = 3 to ε = 0.02, 1000 samples of each teacher,
several draws of data and weights; a ridge of 10⁻⁶ keeps moments of few dimensions resolved. L_test is the sample's own
at t = 0.1, and beside it that of the limit of many features.
"""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from rfsim import Problem
from rfsim.claims import Claim, Judgment, Results, decide
from rfsim.reproduce import Cell

FIGURES = {"no-copies": "Latourelle-Vigeant et al. 2026, Theorem 4; equations.md W6: f_mem against d and training time"}
SECONDS = {"quick": 6, "paper": 160}

RATIOS = {"samples_per_dim": 2, "features_per_dim": 32, "ridge": 1e-6}
DIMS = {"quick": (4, 8, 16), "paper": (4, 6, 8, 12, 16, 24, 32, 40)}
SEEDS = {"quick": {4: 4, 8: 4, 16: 2}, "paper": {4: 16, 6: 16, 8: 16, 12: 12, 16: 8, 24: 6, 32: 4, 40: 4}}
TRAIN_TIMES = (10.0, 100.0, 1e3, 1e4, 1e5, 1e6, 1e8)
OF_LOSSES = 0.1  # diffusion time
SMALL, LARGE = 4, 40


def cells(size: str) -> list[Cell]:
    several = {"train_times": TRAIN_TIMES}
    problem = Problem(**RATIOS)
    losses = Problem(**RATIOS, diffusion_time=OF_LOSSES)
    wide = Problem(samples_per_dim=2, features_per_dim=math.inf, diffusion_time=OF_LOSSES)
    found = []
    for dim in DIMS[size]:
        drawn = {"dim": dim, "seeds": SEEDS[size][dim]}
        found += [
            Cell(f"samples-{dim}", "generated", problem, several | drawn | {"levels": 10, "generated": 1000}),
            Cell(f"losses-{dim}", "train", losses, several | drawn),
        ]
    return [*found, Cell("limit", "theory.curves", wide, several)]


def dims(results: Results) -> list[int]:
    """All d, ascending."""
    return sorted(int(name.removeprefix("samples-")) for name in results if name.startswith("samples-"))


def latest(result: xr.Dataset) -> tuple[float, float]:
    """f_mem of the last teacher over seeds, and its standard error."""
    values = result.memorized_fraction.isel(train_time=-1).values
    return float(values.mean()), float(values.std(ddof=1) / math.sqrt(values.size))


def disappears(results: Results) -> Judgment:
    found = {dim: latest(results[f"samples-{dim}"]) for dim in dims(results)}
    words = ", ".join(f"{mean:.4f}({error:.4f}) at d = {dim}" for dim, (mean, error) in found.items())
    means, errors = np.transpose(list(found.values()))
    full = max(found) >= LARGE
    rises = np.diff(means) - 2 * np.hypot(errors[1:], errors[:-1])  # copies are counted: one or two of thousands
    holds = bool(np.all(rises <= 0)) and means[-1] < 1e-3 and means[0] > 0.05
    return Judgment(f"f_mem {words}", None, decide(holds, decidable=full))


def faster(results: Results) -> Judgment:
    """Where f_mem is seen at all, the exponential rate of its fall in d."""
    found = {dim: latest(results[f"samples-{dim}"])[0] for dim in dims(results)}
    seen = [(dim, value) for dim, value in found.items() if value > 0]
    slopes = -np.diff(np.log([value for _, value in seen])) / np.diff([dim for dim, _ in seen])
    words = ", ".join(f"{slope:.2f}" for slope in slopes)
    holds = bool(np.median(slopes) > 0.1)
    return Judgment(
        f"rates {words} per dimension between d = {', '.join(str(dim) for dim, _ in seen)}", None, decide(holds)
    )


def overfits(results: Results) -> Judgment:
    """Test loss of the last teacher over its lowest, at the largest d and the smallest."""
    words, holds = [], True
    for dim in dims(results):
        test = results[f"losses-{dim}"].test.mean("seed").values
        rise = float(test[-1] / test.min())
        holds &= rise > 1.5
        words.append(f"{rise:.2f} at d = {dim}")
    wide = results["limit"].test.values
    words.append(f"{float(wide[-1] / wide.min()):.2f} with many features")
    return Judgment(f"L_test at τ = 10⁸ over its lowest: {', '.join(words)}", None, decide(holds))


def everywhere(results: Results) -> Judgment:
    """The largest f_mem over training times at the largest d."""
    last = max(dims(results))
    found = results[f"samples-{last}"].memorized_fraction.mean("seed")
    rows = results[f"samples-{last}"].sizes["seed"] * 1000
    words = f"{float(found.max()):.4f} at most over training times at d = {last}, {rows} samples of each"
    return Judgment(words, None, decide(float(found.max()) < 1e-3, decidable=last >= LARGE))


CLAIMS = (
    Claim(
        "ours-no-copies",
        "at fixed n/d the memorized fraction tends to 0 as d grows [ours]",
        "equations.md W6, after Latourelle-Vigeant et al. 2026, Theorem 4",
        "f_mem at τ = 10⁸ from above .05 at d = 4 to below .001 at 40, no rise on the way beyond two standard errors",
        disappears,
    ),
    Claim(
        "ours-no-copies-rate",
        "it falls exponentially in d [ours]",
        "equations.md W6",
        "median rate of its fall above .1 per dimension, where f_mem is seen",
        faster,
    ),
    Claim(
        "ours-no-copies-times",
        "no training time makes copies at large d [ours]",
        "equations.md W6",
        "f_mem below .001 at every training time at d = 40",
        everywhere,
    ),
    Claim(
        "lv26-overfits",
        "the loss overfits all the same",
        "Latourelle-Vigeant et al. 2026, Fig. 2 and Theorem 4",
        "L_test at τ = 10⁸ above 1.5 times its lowest over training times, at every d",
        overfits,
    ),
)
