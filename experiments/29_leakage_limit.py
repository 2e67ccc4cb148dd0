"""Leakage of one step at growing dimension, part by part, beside its limit.

Gen-to-Mem leakage (equations.md §8, §10) of a sample differs from its limit by 1/d, part by part by much more: null and
mini touch in a sample, and at γ = 0 null takes most of what is mini's in the limit. Their sum does not, and leakage out
of gen is near its limit from d = 20 on.

Here: tanh, isotropic data, ψ_n = 8, ψ_p = 32, a memorized teacher (train_time 10⁸; ∞ in the limit), the DDIM step
0.1 → 0.05 at d = 20, 50, 100, 200, brought to d = ∞ by 1/d from the two largest; at d = 20 all five steps from 0.8 down
to 0.025. At d = 200 there is one draw, whose error is that of the median over inputs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from rfsim import Problem
from rfsim.claims import Approach, Claim, Judgment, Results, decide
from rfsim.reproduce import Cell

FIGURES = {"leakage-limit": "ours: leakage of one step at growing dimension and in the limit (D13)"}
SECONDS = {"quick": 10, "paper": 600}

# dim, seeds, draws and further options of the step 0.1 → 0.05 alone; at the smallest dim all five steps have samples
STEPS = {
    "quick": {6: (2, "20p", {}), 12: (2, "20p", {})},
    "paper": {
        20: (8, "20p", {"levels": 6, "time_min": 0.0125, "time_max": 0.8, "instability": True}),
        50: (4, "20p", {"instability": True}),
        100: (4, "5p", {"instability": True}),
        200: (1, "5p", {}),
    },
}
RIDGES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
NAMED = (0.0, 0.1, 0.5, 2.0, 10.0)  # ridges that claims tell
STUDENTS = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)
PARTS = ("gen", "main", "mini", "null")
STEP = 0.1  # the level of the step
TIMES = (0.025, 0.05, 0.1, 0.2, 0.4, 0.8)
PROBLEM = Problem(samples_per_dim=8, features_per_dim=32)


def cells(size: str) -> list[Cell]:
    limit = Cell("limit", "theory.distill", PROBLEM, {"diffusion_times": TIMES, "ridges": RIDGES})
    return [limit, *(step_cell(dim, *how) for dim, how in STEPS[size].items())]


def step_cell(dim: int, seeds: int, draws: str, further: Mapping[str, Any]) -> Cell:
    """Samples at one dim of a ladder whose second level is the stated step, with students of several ridges."""
    asked = {
        "levels": 2,
        "time_min": 0.025,
        "time_max": 0.1,
        "teacher_time": 1e8,
        "leakage_ridges": RIDGES,
        "distill_times": (math.inf,),
        "variants": [{"ridge": ridge} for ridge in STUDENTS],
        "generated": 16,
        "dim": dim,
        "seeds": seeds,
        "draws": draws,
    }
    return Cell(f"step-{dim}", "distill", PROBLEM, asked | dict(further))


def level_of(result: xr.Dataset) -> int:
    """The level, or step of the limit, whose diffusion time is that of the step."""
    return int(np.argmin(np.abs(result.diffusion_time.values[1:] - STEP))) + 1


def steps(results: Results) -> dict[int, xr.Dataset]:
    """Samples of the step by dim, ascending, each at its level of that step."""
    found = {int(label.removeprefix("step-")): one for label, one in results.items() if label.startswith("step-")}
    return {dim: found[dim].sel(level=level_of(found[dim])) for dim in sorted(found)}


def limit_of(results: Results) -> xr.Dataset:
    """The limit at the step."""
    return results["limit"].sel(step=level_of(results["limit"]))


def shares(limit: xr.Dataset, *parts: str) -> xr.DataArray:
    """Of what gen hands up in the limit, what lands in parts; a merged part counts where all of its parts are asked."""
    inside = [name for name in limit.part.values.tolist() if set(name.split("+")) <= set(parts)]
    return limit.share.sel(part=inside).sum("part")


def leaked(results: Results, *parts: str, ridge: float) -> Approach:
    """Share that lands in parts of samples ("gen": outside gen), less the limit's, by dim.

    The error is that over seeds where there are three or more, else that of the median over inputs, one draw's.
    """
    limit = limit_of(results).sel(ridge=ridge)
    own = float(limit.leakage if parts == ("gen",) else shares(limit, *parts))
    rows = []
    for result in steps(results).values():
        found = result.sel(ridge=ridge)
        values = found.leakage.sel(part=list(parts)).sum("part").values
        error = float(np.sqrt((found.leakage_all_error.sel(part=list(parts)) ** 2).sum("part").mean()))
        rows.append((values.mean() - own, (values.std(ddof=1) if len(values) > 2 else error) / np.sqrt(len(values))))
    mean, error = np.transpose(rows)
    return Approach(np.array(list(steps(results))), mean, error)


def extrapolated(found: Approach) -> tuple[float, float]:
    """What is left at d = ∞ by 1/d from the two largest dims, and its standard error."""
    return Approach(*(values[-2:] for values in found)).line[1]


def full(results: Results) -> bool:
    return max(steps(results)) >= 200


def by_dim(results: Results) -> Judgment:
    """Where what leaks at γ = 0 lands, by dim."""
    found = {
        name: [float(one.leakage.sel(ridge=0.0, part=name).mean("seed")) for one in steps(results).values()]
        for name in ("null", "mini", "main")
    }
    told = "; ".join(f"{name} {', '.join(f'{value:.3g}' for value in values)}" for name, values in found.items())
    holds = bool((np.diff(found["null"]) < 0).all() and (np.diff(found["mini"]) > 0).all())
    dims = ", ".join(map(str, steps(results)))
    return Judgment(f"d = {dims}: {told}", None, decide(holds, decidable=full(results)))


def approaches(results: Results) -> Judgment:
    """1/d from the two largest dims against the limit, at every named ridge."""
    limit, words, holds = limit_of(results), [], True
    for ridge in NAMED:
        found = leaked(results, "gen", ridge=ridge)
        (left, error), own = extrapolated(found), float(limit.leakage.sel(ridge=ridge))
        holds &= abs(left) <= max(0.02 * own, 3 * error)
        slope, its_error = Approach(*(values[-3:] for values in found)).exponent
        words.append(f"γ = {ridge:g}: {own + left:.3g} against {own:.3g}, exponent {slope:.2f} ± {its_error:.2f}")
    return Judgment("; ".join(words), None, decide(holds, decidable=full(results)))


def together(results: Results) -> Judgment:
    """null and mini at γ = 0: their sum by 1/d from the two largest dims, and each alone."""
    words, limit = [], limit_of(results).sel(ridge=0.0)
    for parts in (("null", "mini"), ("null",), ("mini",), ("main",)):
        left, error = extrapolated(leaked(results, *parts, ridge=0.0))
        own = float(shares(limit, *parts))
        words.append(f"{' and '.join(parts)} {own + left:.3g} ± {error:.2g} (limit {own:.3g})")
    left, error = extrapolated(leaked(results, "null", "mini", ridge=0.0))
    holds = abs(left) <= max(0.02 * float(shares(limit, "null", "mini")), 3 * error)
    return Judgment(", ".join(words), None, decide(holds, decidable=full(results)))


def instabilities(result: xr.Dataset) -> dict[str, float]:
    """Means over each part of one level, and over seeds."""
    names = result.feature_part.attrs["flag_meanings"].split()
    values = result.instability.transpose("seed", "feature").values
    return {name: float(np.nanmean(values[:, result.feature_part.values == names.index(name)])) for name in PARTS[::-1]}


def unstable(results: Results) -> Judgment:
    """Means of qᵀDq/λ by part: in the limit, and in samples by dim."""
    limit = limit_of(results).instability
    found = {dim: instabilities(one) for dim, one in steps(results).items() if "instability" in one}
    words = [f"limit {', '.join(f'{name} {float(limit.sel(part=name)):.3g}' for name in PARTS[::-1])}"]
    words += [f"d = {dim}: {', '.join(f'{value:.3g}' for value in one.values())}" for dim, one in found.items()]
    if len(found) < 2:
        return Judgment("; ".join(words), None, "cannot be decided")
    (_, first), *_, (_, last) = found.items()
    holds = float(limit.sel(part="mini")) > float(limit.drop_sel(part="mini").max())
    holds &= first["null"] > first["mini"] and last["mini"] > last["null"]
    return Judgment("; ".join(words), None, decide(holds, decidable=full(results)))


CLAIMS = (
    Claim(
        "ours-leakage-limit",
        "leakage of samples goes to the limit's as 1/d [ours]",
        "equations.md D13",
        "at 0.1 → 0.05, by 1/d from the two largest d: within 2% or three standard errors of the limit at each γ; "
        "exponents, of the three largest, are told",
        approaches,
    ),
    Claim(
        "ours-leakage-null",
        "what a sample's null takes at γ = 0 it loses to mini as d grows [ours]",
        "equations.md D13, §9.8",
        "null's share lower and mini's higher at every larger d",
        by_dim,
    ),
    Claim(
        "ours-leakage-null-mini",
        "at small d null takes what is mini's in the limit: their sum is the limit's [ours]",
        "equations.md D13, §9.8",
        "null and mini together at γ = 0, by 1/d from the two largest d: within 2% or three errors of the limit",
        together,
    ),
    Claim(
        "ours-instability-dims",
        "the least stable part is null at small d and mini at large d, as in the limit [ours]",
        "equations.md D14, §9.8; the step 0.1 → 0.05",
        "means of qᵀDq/λ: mini's the largest in the limit, above null's at the largest d and below at the least",
        unstable,
    ),
)
