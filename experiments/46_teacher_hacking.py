"""Teacher hacking: a student comes nearer to its teacher and farther from the truth; on which inputs, and does it show?

Tiapkin et al. (2025) distill language models and see two losses part: the proxy, how far the student is from its
teacher, goes on falling while the golden one, how far it is from the truth, rises again, for offline inputs and not for
online ones; and they see it in the proxy itself, which then departs from a power law of training. Here the proxy is
(1/d)E‖s_S − s_T‖² over the population and the golden loss is L_test, both exact, along the flow of one level (M8) to
a memorized teacher, on the frozen draws that the teacher saw (offline), on the same points with fresh noise, and on
fresh points (d = 20, n = 40, m = 32, p = 640).
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from rfsim import Problem
from rfsim.claims import Claim, Judgment, Results, compared, decide
from rfsim.disk import store
from rfsim.reproduce import Cell

FIGURES = {"teacher-hacking": "Tiapkin et al. 2025: proxy and golden loss of distilled scores, offline and online"}
SECONDS = {"quick": 2, "paper": 120}

DIM = {"quick": 6, "paper": 20}
SEEDS = {"quick": 1, "paper": 5}
FEATURES_PER_DIM = {"quick": 20, "paper": 32}
OFFLINE, NOISE, FRESH = "score:offline", "score:noise-online", "score:population"
METHODS = (OFFLINE, NOISE, FRESH)
TIMES = tuple(np.logspace(-1, 7, 25).tolist())
LEVELS = {"levels": 4, "time_min": 0.05, "time_max": 1.0, "leakage_ridges": (0.0,), "generated": 64, "early_time": 10.0}
CELL = "hacking"


def cells(size: str) -> list[Cell]:
    several = [{"start": "zero", "method": method} for method in METHODS]
    asked = LEVELS | {"dim": DIM[size], "seeds": SEEDS[size], "draws": "8p", "teacher_time": 1e8}
    problem = Problem(2, FEATURES_PER_DIM[size], noise_copies=32)
    return [Cell(CELL, "distill", problem, asked | {"distill_times": TIMES, "variants": several})]


def curves(result: xr.Dataset, method: str, name: str) -> np.ndarray:
    """A loss along distill_time, (seeds, levels, times)."""
    methods = [one.get("method") for one in store.settings(result)["variants"]]
    return result[name].isel(variant=methods.index(method)).transpose("seed", "level", "distill_time").values


def hacked(result: xr.Dataset, method: str) -> np.ndarray:
    """Rise of the golden loss after its minimum, (L_test(last) − min)/min, mean over levels, (seeds,)."""
    golden = curves(result, method, "student_test")
    return (golden[..., -1] / golden.min(-1) - 1).mean(-1)


def exponents(result: xr.Dataset, method: str) -> np.ndarray:
    """−d ln proxy/d ln τ_S between neighboring times, (seeds, levels, times − 1)."""
    proxy = curves(result, method, "student_proxy")
    return -np.diff(np.log(proxy), axis=-1) / np.diff(np.log(result.distill_time.values))


def departure(result: xr.Dataset, method: str) -> np.ndarray:
    """Deviation of the exponent over the first nine tenths of the golden loss's rise, mean over levels, (seeds,).

    What follows is the teacher itself, which the student approaches exponentially.
    """
    golden, found = curves(result, method, "student_test"), exponents(result, method)
    rows = np.full(golden.shape[:2], np.nan)
    for at in np.ndindex(rows.shape):
        loss, start = golden[at], int(golden[at].argmin())
        late = np.flatnonzero(loss[start:] > loss[start] + 0.9 * (loss[-1] - loss[start]))
        end = start + int(late[0]) if late.size else start
        if end > start + 1:
            rows[at] = found[at][start:end].std()
    known = np.isfinite(rows)
    return np.where(known, rows, 0.0).sum(1) / np.where(known.any(1), known.sum(1), np.nan)


def decidable(results: Results) -> bool:
    return results[CELL].sizes["seed"] >= 5


def falls(results: Results) -> Judgment:
    """The proxy at every time below the one before."""
    result, words = results[CELL], []
    worst = {}
    for method in METHODS:
        ratio = curves(result, method, "student_proxy")
        worst[method] = float((ratio[..., 1:] / ratio[..., :-1]).max())
        words.append(f"{method} {worst[method]:.6g}")
    return Judgment(f"largest ratio of neighbors: {', '.join(words)}", None, decide(max(worst.values()) <= 1 + 1e-9))


def offline_alone(results: Results) -> Judgment:
    """Rise of the golden loss on each kind of input."""
    result = results[CELL]
    rows = {method: hacked(result, method) for method in METHODS}
    words = ", ".join(f"{method} {row.mean():.3g}" for method, row in rows.items())
    rises = compared(rows[OFFLINE], np.zeros_like(rows[OFFLINE])).higher
    holds = rises and all(rows[method].max() < 0.01 for method in (NOISE, FRESH))
    return Judgment(words, None, decide(holds, decidable=decidable(results)))


def departs(results: Results) -> Judgment:
    """How unsteady the exponent is offline against fresh points."""
    result = results[CELL]
    rows = {method: departure(result, method) for method in METHODS}
    words = ", ".join(f"{method} {np.nanmean(row):.3g}" for method, row in rows.items())
    found = compared(rows[OFFLINE], rows[FRESH])
    able = decidable(results) and all(np.isfinite(row).all() for row in rows.values())
    return Judgment(f"deviation of the exponent: {words}", found.error, decide(found.higher, decidable=able))


CLAIMS = (
    Claim(
        "t25-proxy",
        "the student comes ever nearer to its teacher, on all inputs",
        "Tiapkin et al. 2025, arXiv 2502.02671; equations.md §7 M8",
        "(1/d)E‖s_S − s_T‖² over the population falls from each distill_time to the next, at every level and seed",
        falls,
    ),
    Claim(
        "t25-offline",
        "and farther from the truth offline, but not online",
        "Tiapkin et al. 2025, abstract",
        "(L_test(last) − min)/min above 0 offline by three standard errors, below 0.01 on the two online inputs",
        offline_alone,
        by_errors=True,
    ),
    Claim(
        "t25-power-law",
        "it shows in the proxy, which departs from a power law",
        "Tiapkin et al. 2025",
        "in the first nine tenths of the rise of L_test it deviates more offline than on fresh points, by three errors",
        departs,
        by_errors=True,
    ),
)
