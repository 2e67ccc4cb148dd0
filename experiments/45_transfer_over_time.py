"""What distillations hand on over distill_time and ridge, on Gaussian data and on digits.

One memorized teacher (tanh, n = 20, p = 400, 10 levels, train_time 10⁸) of isotropic data with d = 10, one of digits on
10 principal components; from it, from zero, students by consistency and by same-time distillation with fresh noise,
whose inputs are training points, and by data-free distillation, whose inputs are noise; each without a ridge and with
two, at four distill_times. f_mem, sliced W2 and membership of each in its own number of steps; the membership of a
data-free student is that of the last level, where alone it has weights, and where no score tells who was trained on.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import xarray as xr

from rfsim import Problem
from rfsim.claims import Claim, Judgment, Results, compared, decide, measured
from rfsim.disk import store
from rfsim.reproduce import Cell

FIGURES = {
    "transfer-over-time": "ours: memorization, quality and membership over distill_time and ridge, two data sets"
}
SECONDS = {"quick": 2, "paper": 400}

METHODS = ("consistency", "score:noise-online", "data-free")
ALL_LEVELS = METHODS[:2]  # have weights at every level
RIDGES = (0.0, 0.01, 1.0)
TIMES = {"quick": (1.0, 1e5), "paper": (1.0, 100.0, 1e4, 1e6)}
DATA = {"isotropic": "isotropic", "digits": "digits:10"}
OPTIONS = {
    "quick": {"levels": 3, "seeds": 1, "generated": 100},
    "paper": {"levels": 10, "seeds": 3, "generated": 1000},
}
FEATURES_PER_DIM = {"quick": 12, "paper": 40}
SHOWN = ("memorized_fraction", "sliced_wasserstein", "membership_auc")


def cells(size: str) -> list[Cell]:
    several = [{"ridge": ridge, "start": "zero", "method": one} for one in METHODS for ridge in RIDGES]
    asked = {"dim": 10, "teacher_time": 1e8, "early_time": 1e3, "leakage_ridges": (0.0,), "draws": "8p"}
    asked |= OPTIONS[size] | {"distill_times": TIMES[size], "variants": several}
    return [Cell(name, "distill", Problem(2, FEATURES_PER_DIM[size], data=data), asked) for name, data in DATA.items()]


def students(result: xr.Dataset) -> Iterator[tuple[str, float, object]]:
    """Method, ridge and label of each."""
    for name, one in zip(result.variant.values, store.settings(result)["variants"], strict=True):
        yield one.get("method", "consistency"), float(one["ridge"]), name


def samples(result: xr.Dataset, method: str, ridge: float, measure: str) -> np.ndarray:
    """Over distill_time, (times, seeds)."""
    (name,) = (label for kind, gamma, label in students(result) if (kind, gamma) == (method, ridge))
    return np.array(
        [measured(result, "student", measure, variant=name, distill_time=time) for time in result.distill_time.values]
    )


def decidable(results: Results) -> bool:
    return min(min(one.sizes["seed"], one.sizes["distill_time"]) for one in results.values()) >= 3


def grows(results: Results) -> Judgment:
    """f_mem without a ridge, first distill_time against last."""
    words, holds = [], True
    for data, result in results.items():
        for method in METHODS:
            rows = samples(result, method, 0.0, "memorized_fraction")
            words.append(f"{data}, {method}: {', '.join(f'{row.mean():.3g}' for row in rows)}")
            holds &= not compared(rows[-1], rows[0]).lower
    return Judgment("; ".join(words), None, decide(holds, decidable=decidable(results)))


def ridge_lowers(results: Results) -> Judgment:
    """f_mem and AUC with the largest ridge against none, last distill_time."""
    words, holds = [], True
    for data, result in results.items():
        for method in METHODS:
            for measure in (SHOWN[0], SHOWN[2]) if method in ALL_LEVELS else SHOWN[:1]:
                with_, without = (samples(result, method, ridge, measure)[-1] for ridge in (RIDGES[-1], RIDGES[0]))
                words.append(f"{data}, {method}, {measure}: {with_.mean():.3g} against {without.mean():.3g}")
                holds &= not compared(with_, without).higher
    return Judgment("; ".join(words), None, decide(holds, decidable=decidable(results)))


def same_order(results: Results) -> Judgment:
    """Pairs of methods by f_mem without a ridge at the last distill_time, on both data sets."""
    values = {
        data: {method: samples(result, method, 0.0, SHOWN[0])[-1] for method in METHODS}
        for data, result in results.items()
    }
    words = [
        f"{data}: " + ", ".join(f"{method} {value.mean():.3g}" for method, value in found.items())
        for data, found in values.items()
    ]
    pairs = [
        [compared(found[one], found[other]) for found in values.values()] for one, other in combinations(METHODS, 2)
    ]
    apart = [pair for pair in pairs if all(one.lower or one.higher for one in pair)]
    told = f"{len(apart)} of {len(pairs)} pairs apart on both"
    alike = bool(apart) and all(first.higher == other.higher for first, other in apart)
    return Judgment("; ".join([*words, told]), None, decide(alike, decidable=decidable(results)))


CLAIMS = (
    Claim(
        "ours-time-grows",
        "without a ridge a longer distillation hands on no less [ours]",
        "equations.md §7, §8",
        "f_mem at the last distill_time not below that at the first, for each method on both data sets",
        grows,
        by_errors=True,
    ),
    Claim(
        "ours-time-ridge",
        "a ridge lowers what is handed on, in samples and in membership [ours]",
        "equations.md §7, §8",
        "f_mem, and AUC where all levels have weights, at γ = 1 not above those at γ = 0, on both data sets",
        ridge_lowers,
        by_errors=True,
    ),
    Claim(
        "ours-time-digits",
        "digits and Gaussian data order methods alike [ours]",
        "equations.md §8",
        "f_mem at γ = 0, last distill_time: methods that are three standard errors apart on both stand in one order",
        same_order,
        by_errors=True,
    ),
)
