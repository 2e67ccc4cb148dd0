"""When do more steps make a student worse? Its samples over steps, share of fresh noise, and diffusion times.

A consistency student may sample in several jumps (Song et al. 2023, Algorithm 1): down to ε, back up with fresh noise,
down again. They find that more steps improve samples; Kim et al. (2024, arXiv 2310.02279) that they make a consistency
student worse, as each jump adds its own error, and that maps between any two times do not suffer so. What goes back up
here is √(1 − χ²) of the noise that the last jump took off and χ fresh noise (equations.md §7): χ = 1 is Algorithm 1.

Here: tanh, isotropic data, ψ_n = 2, ψ_p = 32, a memorized teacher (τ = 10⁸), students at τ_S = 10⁶ with γ = 0 and
γ = 0.1, and a two-time student, from T = 1.5 and from T = 3 on geometric levels; beside them levels even in the
diffusion time, and levels that lie low. At T = 3 what is not linear in a read-out is magnified by e^(T − ε) in a jump.
"""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim import Problem
from rfsim.claims import Claim, Judgment, Results, decide
from rfsim.reproduce import Cell

FIGURES = {"paths": "when more steps make a student worse: steps, fresh noise and diffusion times"}
SECONDS = {"quick": 5, "paper": 150}

DIM = {"quick": 6, "paper": 8}
WIDTH = {"quick": 16, "paper": 32}  # ψ_p
LEVELS = {"quick": 6, "paper": 8}
SEEDS = {"quick": 2, "paper": 4}
STARTS = {"quick": (1.5,), "paper": (1.5, 3.0)}  # T
SHARES = {"quick": (0.0, 1.0), "paper": (0.0, 0.5, 1.0)}  # χ
FIRST = 0.02  # ε
LOW = 0.3  # below which all levels of a low path lie but T itself
DISTILL_TIME = 1e6
RIDGE = 0.1
STUDENTS = {"consistency": {}, "ridge": {"ridge": RIDGE}, "two-time": {"method": "two-time"}}
NOISY = ("consistency", "ridge")  # those that take fresh noise; the others are drawn at χ = 1 alone
MEASURES = ("frechet_per_dim", "sliced_wasserstein", "memorized_fraction")


def cells(size: str) -> list[Cell]:
    problem = Problem(samples_per_dim=2, features_per_dim=WIDTH[size])
    asked = {"dim": DIM[size], "seeds": SEEDS[size], "distill_times": (DISTILL_TIME,), "leakage_ridges": (0.0,)}
    found = []
    for last in STARTS[size]:
        grid = {"levels": LEVELS[size], "time_min": FIRST, "time_max": last}
        for share in SHARES[size]:
            names = STUDENTS if share == 1 else NOISY
            options = asked | grid | {"renoise": share, "variants": [STUDENTS[name] for name in names]}
            found.append(Cell(f"geometric-{last:g}-{share:g}", "distill", problem, options))
        for name, times in paths(last, LEVELS[size]).items():
            options = asked | {"path": times.tolist(), "variants": [STUDENTS[one] for one in NOISY]}
            found.append(Cell(f"{name}-{last:g}-1", "distill", problem, options))
    return found


def paths(last: float, levels: int) -> dict[str, NDArray[np.float64]]:
    """Other diffusion times than geometric ones, from T down."""
    return {
        "even": np.linspace(last, FIRST, levels + 1),
        "low": np.concatenate([[last], np.geomspace(LOW, FIRST, levels)]),
    }


def drawn(results: Results, path: str = "geometric") -> dict[tuple[float, float], xr.Dataset]:
    """Distillations by T and χ."""
    found = {}
    for name, one in results.items():
        kind, last, share = name.split("-")
        if kind == path:
            found[float(last), float(share)] = one
    return dict(sorted(found.items()))


def student(result: xr.Dataset, name: str, measure: str = MEASURES[0]) -> xr.DataArray:
    """A measure of a student's samples, (seed, steps)."""
    one = result.student_steps.sel(quality=measure, distill_time=DISTILL_TIME)
    return one.isel(variant=list(STUDENTS).index(name)).transpose("seed", "steps")


def teacher(result: xr.Dataset, measure: str = MEASURES[0]) -> xr.DataArray:
    return result.teacher_steps.sel(quality=measure).transpose("seed", "steps")


def full(results: Results) -> bool:
    return len(drawn(results)) == len(STARTS["paper"]) * len(SHARES["paper"])


def change(values: xr.DataArray) -> tuple[float, float]:
    """Of all steps from one, mean over seeds and its standard error."""
    gap = (values.isel(steps=-1) - values.isel(steps=0)).values
    return float(gap.mean()), float(gap.std(ddof=1) / math.sqrt(gap.size))


def told(values: xr.DataArray) -> str:
    """Means over seeds by steps."""
    return ", ".join(f"{one:.3g}" for one in values.mean("seed").values)


def judged(results: Results, name: str, last: float, share: float, *, worse: bool) -> Judgment:
    """Whether all steps are worse, or better, than one by three standard errors of the difference."""
    found = drawn(results)
    if (last, share) not in found:
        return Judgment("not computed at this size", None, "cannot be decided")
    values = student(found[last, share], name)
    mean, error = change(values)
    holds = mean > 3 * error if worse else mean < -3 * error
    steps = ", ".join(str(one) for one in values.steps.values)
    words = f"W2²/d in {steps} steps: {told(values)}; change {mean:+.3g} ± {error:.2g}"
    return Judgment(words, None, decide(bool(holds), decidable=full(results)))


def improved_far(results: Results) -> Judgment:
    return judged(results, "consistency", 3.0, 1.0, worse=False)


def improved_near(results: Results) -> Judgment:
    return judged(results, "consistency", 1.5, 1.0, worse=False)


def worsened(results: Results) -> Judgment:
    return judged(results, "consistency", 1.5, 1.0, worse=True)


def worsened_without_noise(results: Results) -> Judgment:
    """A student with a ridge, whose levels do not fit together, jump after jump."""
    found = drawn(results)
    if (1.5, 0.0) not in found:
        return Judgment("not computed at this size", None, "cannot be decided")
    fresh, none = (student(found[1.5, share], "ridge").isel(steps=-1) for share in (1.0, 0.0))
    gap = (none - fresh).values
    error = float(gap.std(ddof=1) / math.sqrt(gap.size))
    words = "; ".join(
        f"χ = {share:g}: {told(student(one, 'ridge'))}" for (last, share), one in found.items() if last == 1.5
    )
    return Judgment(f"W2²/d over steps, {words}", None, decide(gap.mean() > 3 * error, decidable=full(results)))


def two_times(results: Results) -> Judgment:
    """Distances of the two-time student's measures in all steps from the teacher's, relative."""
    words, most = [], 0.0
    for (last, share), one in drawn(results).items():
        if share == 1:
            own, of = (float(values.isel(steps=-1).mean()) for values in (student(one, "two-time"), teacher(one)))
            most = max(most, abs(own / of - 1))
            words.append(f"T = {last:g}: {told(student(one, 'two-time'))}, teacher {told(teacher(one))}")
    return Judgment("; ".join(words), None, decide(most < 0.01, decidable=full(results)))


def memorizes(results: Results) -> Judgment:
    words, holds = [], True
    for (last, share), one in drawn(results).items():
        mean, error = change(student(one, "consistency", "memorized_fraction"))
        holds &= mean > 3 * error
        words.append(f"T = {last:g}, χ = {share:g}: {told(student(one, 'consistency', 'memorized_fraction'))}")
    return Judgment(f"f_mem over steps: {'; '.join(words)}", None, decide(holds, decidable=full(results)))


def measures_differ(results: Results) -> Judgment:
    """W2²/d and sliced W2 of the student with a ridge from T = 1.5 at χ = 1."""
    one = drawn(results).get((1.5, 1.0))
    if one is None:
        return Judgment("not computed at this size", None, "cannot be decided")
    (up, up_error), (down, down_error) = (change(student(one, "ridge", measure)) for measure in MEASURES[:2])
    words = f"W2²/d {told(student(one, 'ridge'))}; sliced W2 {told(student(one, 'ridge', MEASURES[1]))}"
    holds = up > 3 * up_error and down < -3 * down_error
    return Judgment(words, None, decide(bool(holds), decidable=full(results)))


def times_matter(results: Results) -> Judgment:
    """W2²/d of the student in all steps by where its levels stand, χ = 1."""
    words, holds = [], True
    for last in sorted({last for last, _ in drawn(results)}):
        ends = {path: student(drawn(results, path)[last, 1.0], "consistency") for path in ("geometric", "even", "low")}
        means = {path: values.isel(steps=-1).values for path, values in ends.items()}
        gap = means["even"] - means["geometric"]
        holds &= gap.mean() > 3 * gap.std(ddof=1) / math.sqrt(gap.size)
        words.append(f"T = {last:g}: " + "; ".join(f"{path} {told(values)}" for path, values in ends.items()))
    return Judgment(f"W2²/d over steps, {'; '.join(words)}", None, decide(bool(holds), decidable=full(results)))


SONG, KIM = "Song et al. 2023, Algorithm 1 (equations.md §7)", "Kim et al. 2024, arXiv 2310.02279 (equations.md M7)"
RULE = "mean W2²/d in all steps less that in one, over seeds: by three standard errors"
CLAIMS = (
    Claim(
        "s23-steps-improve",
        "more steps improve a consistency student, from T = 3",
        SONG,
        f"γ = 0, χ = 1: {RULE} below 0",
        improved_far,
        by_errors=True,
    ),
    Claim(
        "s23-steps-improve-near",
        "… from T = 1.5, where one jump is nearly as good as its teacher's steps",
        SONG,
        f"the same: {RULE} below 0",
        improved_near,
        by_errors=True,
    ),
    Claim(
        "kim24-steps-worsen",
        "more steps make a consistency student worse, from T = 1.5",
        KIM,
        f"γ = 0, χ = 1: {RULE} above 0",
        worsened,
        by_errors=True,
    ),
    Claim(
        "ours-steps-no-noise",
        "a student whose levels err, by a ridge, is worst where no fresh noise stands between its jumps [ours]",
        "equations.md §7",
        "γ = 0.1, T = 1.5: W2²/d in all steps at χ = 0 above that at χ = 1 by three standard errors",
        worsened_without_noise,
        by_errors=True,
    ),
    Claim(
        "kim24-two-times",
        "maps between any two times do not suffer: in all steps they are their teacher's",
        KIM,
        "W2²/d of the two-time student in all steps within 1% of the teacher's, at every T",
        two_times,
    ),
    Claim(
        "ours-steps-memorize",
        "more steps bring memorization back, whatever the noise [ours]",
        "equations.md §8",
        "f_mem at γ = 0 in all steps above that in one by three standard errors, at every T and χ",
        memorizes,
        by_errors=True,
    ),
    Claim(
        "ours-steps-measures",
        "two measures of quality may disagree on it: with a ridge W2²/d rises and sliced W2 falls [ours]",
        "equations.md §8",
        "γ = 0.1, χ = 1, T = 1.5: all steps less one, both by three standard errors",
        measures_differ,
        by_errors=True,
    ),
    Claim(
        "ours-steps-times",
        "geometric levels are better than levels even in the diffusion time [ours]",
        "equations.md §7",
        "γ = 0, χ = 1: W2²/d in all steps above that on geometric levels by three standard errors, at every T",
        times_matter,
        by_errors=True,
    ),
)
