"""Classes of unequal variance and unequal share: which is learned first, and which is memorized first.

Claims (Nicoletti, Ma, Ventura, Saglietti, Sarao Mannelli 2026, arXiv 2605.06367, whose abstract alone is known to us):
the class of the higher variance generalizes first and memorizes first; imbalance can reverse the order; strong
imbalance delays the minority. They are judged as they stand, here for two isotropic Gaussian classes of mean 0, so that
a claim may fail where the paper's setting is another one.

Here (equations.md §12): tanh, ψ_n = 4, ψ_p = 16, no ridge, gradient flow from zero; τ_gen and τ_mem of each class by
the curve routes: L_test^c within 1% of its lowest, L_test^c − L_train^c at half of its τ = ∞ value. Orders over shares
and variances are of the limit d → ∞; that it is the right one is judged on samples of two sizes, at ψ_p = 8.
"""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import xarray as xr

from rfsim import Classes, Problem
from rfsim.claims import Claim, Judgment, Results, decide
from rfsim.reproduce import Cell

FIGURES = {"classes": "Nicoletti et al. 2026: when each class is learned and memorized, against its share"}
SECONDS = {"quick": 10, "paper": 90}

RATIOS = {"samples_per_dim": 4, "features_per_dim": 16}
VARIANCES = {"quick": ((0.5, 1.5), (0.2, 1.8)), "paper": ((0.5, 1.5), (0.2, 1.8), (0.9, 1.1))}
DIFFUSION_TIMES = (0.01, 0.1)
SHARES = {"quick": (0.05, 0.5, 0.95), "paper": (0.02, 0.05, 0.2, 0.5, 0.8, 0.95, 0.98)}
EQUAL, MINORITY = 0.5, 0.05
SAMPLED = (0.5, 1.5), 0.1, 0.7  # variances, t and the share of the higher one of what is sampled
SAMPLED_RATIOS = {"samples_per_dim": 4, "features_per_dim": 8}  # where d = 16 is on its way to the limit
DIMS = {"quick": (16, 32), "paper": (20, 40)}
SEEDS = 4
TRAIN_TIMES = np.geomspace(0.1, 1e6, 43).tolist()
KINDS = ("gen", "mem")


def problem(
    variances: tuple[float, float], diffusion_time: float, share: float, ratios: dict[str, float] = RATIOS
) -> Problem:
    """Two classes, `share` of which is of the higher variance."""
    low, high = variances
    data = Classes([(low, round(1 - share, 10)), (high, share)])
    return Problem(**ratios, diffusion_time=diffusion_time, data=data)


def label(variances: tuple[float, float], diffusion_time: float, share: float) -> str:
    return f"limit-{variances[0]:g}-{variances[1]:g}-t-{diffusion_time:g}-share-{share:g}"


def settings(size: str) -> list[tuple[tuple[float, float], float, float]]:
    return list(product(VARIANCES[size], DIFFUSION_TIMES, SHARES[size]))


def cells(size: str) -> list[Cell]:
    options = {"train_times": TRAIN_TIMES}
    beside = problem(*SAMPLED, SAMPLED_RATIOS)
    return [
        *(Cell(f"dim-{d}", "train", beside, options | {"dim": d, "seeds": SEEDS}) for d in DIMS[size]),
        Cell("limit", "theory.curves", beside, options),
        *(Cell(label(*one), "theory.curves", problem(*one), {"train_times": [math.inf]}) for one in settings(size)),
    ]


def asked(results: Results) -> list[tuple[tuple[float, float], float, float]]:
    """The settings among those of either size that were computed."""
    return [one for one in settings("paper") if label(*one) in results]


def times(results: Results, kind: str, *setting: object) -> np.ndarray:
    """τ of the lower and of the higher variance."""
    return results[label(*setting)][f"tau_{kind}_class"].values


def ratio(results: Results, kind: str, *setting: object) -> float:
    """τ of the class of the higher variance over that of the lower one."""
    low, high = times(results, kind, *setting)
    return float(high / low)


def first(results: Results, kind: str) -> Judgment:
    """The order at equal shares, for all variances and diffusion times."""
    found = {(v, t): ratio(results, kind, v, t, s) for v, t, s in asked(results) if s == EQUAL}
    told = "; ".join(f"variances {v[0]:g}, {v[1]:g} at t = {t:g}: {one:.3g}" for (v, t), one in found.items())
    return Judgment(f"τ_{kind} of the higher over that of the lower: {told}", None, decide(max(found.values()) < 1))


def reversed_by_share(results: Results) -> Judgment:
    """Whether a share has another order than equal shares."""
    told = []
    for v, t in dict.fromkeys((v, t) for v, t, _ in asked(results)):
        for kind in KINDS:
            equal = ratio(results, kind, v, t, EQUAL)
            others = [s for w, u, s in asked(results) if (w, u) == (v, t)]
            turned = [s for s in others if (ratio(results, kind, v, t, s) < 1) != (equal < 1)]
            if turned:
                shares = ", ".join(f"{s:g}" for s in turned)
                told.append(f"τ_{kind}, variances {v[0]:g}, {v[1]:g}, t = {t:g}: where the higher has {shares}")
    words = "; ".join(told) or "no order turns"
    return Judgment(f"the order of equal shares turns: {words}", None, decide(bool(told)))


def delayed(results: Results, kind: str) -> Judgment:
    """τ of each class as a minority over its τ at equal shares."""
    found = {}
    for v, t in dict.fromkeys((v, t) for v, t, _ in asked(results)):
        equal = times(results, kind, v, t, EQUAL)
        rare = times(results, kind, v, t, 1 - MINORITY)[0], times(results, kind, v, t, MINORITY)[1]
        found |= {(v, t, name): float(rare[k] / equal[k]) for k, name in enumerate(("lower", "higher"))}
    told = "; ".join(f"{v[0]:g}, {v[1]:g} at t = {t:g}, {name}: {one:.3g}" for (v, t, name), one in found.items())
    words = f"τ_{kind} at a share of {MINORITY:g} over that at {EQUAL:g}, by variances: {told}"
    return Judgment(words, None, decide(min(found.values()) > 1))


def gaps(sample: xr.Dataset, limit: xr.Dataset) -> np.ndarray:
    """Of L_train and L_test of each class from the limit, root mean squares over training times, (2 classes × 2,)."""
    names = ("train_class", "test_class")
    off = [(sample[name].mean("seed") - limit[name]).transpose("class", "train_time").values for name in names]
    return np.sqrt((np.concatenate(off) ** 2).mean(axis=1))


def approached(results: Results) -> Judgment:
    """The exponents with which samples come nearer to the limit."""
    samples = sorted(
        (one for name, one in results.items() if name.startswith("dim-")), key=lambda one: one.sizes["feature"]
    )
    near, far = (gaps(one, results["limit"]) for one in (samples[-1], samples[0]))
    exponents = np.log(near / far) / np.log(samples[-1].sizes["feature"] / samples[0].sizes["feature"])
    test = exponents[2:]
    words = ", ".join(f"{one:.2f}" for one in test)
    largest = f"L_test^c is off by {near[2:].max():.3f} at the larger d"
    return Judgment(
        f"exponents of L_test^c in d: {words}; {largest}", None, decide(bool(np.all(np.abs(test + 1) < 0.3)))
    )


SOURCE = "Nicoletti et al. 2026, abstract (equations.md §12)"
CLAIMS = (
    Claim(
        "nicoletti26-generalizes-first",
        "the class of the higher variance generalizes first",
        SOURCE,
        "at equal shares its τ_gen is the smaller one, at all variances and diffusion times",
        lambda results: first(results, "gen"),
    ),
    Claim(
        "nicoletti26-memorizes-first",
        "the class of the higher variance memorizes first",
        SOURCE,
        "at equal shares its τ_mem is the smaller one, at all variances and diffusion times",
        lambda results: first(results, "mem"),
    ),
    Claim(
        "nicoletti26-imbalance-reverses",
        "imbalance of the classes can reverse the order in which they are learned or memorized",
        SOURCE,
        "at some variances and t, τ_gen or τ_mem has another order at some share than at equal ones",
        reversed_by_share,
    ),
    Claim(
        "nicoletti26-imbalance-delays-generalization",
        "strong imbalance delays the minority: its generalization",
        SOURCE,
        f"τ_gen of either class at a share of {MINORITY:g} above that at {EQUAL:g}, everywhere",
        lambda results: delayed(results, "gen"),
    ),
    Claim(
        "nicoletti26-imbalance-delays-memorization",
        "strong imbalance delays the minority: its memorization",
        SOURCE,
        f"τ_mem of either class at a share of {MINORITY:g} above that at {EQUAL:g}, everywhere",
        lambda results: delayed(results, "mem"),
    ),
    Claim(
        "ours-classes-limit",
        "losses by class of samples approach their limit as 1/d",
        "equations.md §12",
        "exponents of the root mean square gap of L_test^c over training times within 0.3 of −1 for both classes",
        approached,
    ),
)
