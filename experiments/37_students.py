"""What a distilled student has learned: losses, energies by part and the error of its map, over teacher time and ridge.

Jiang, Zou 2026 (abstract): distillation lowers what was memorized, keeps what generalizes. In the limit [ours] all of
it is exact (D16), over the ridge γ of the student and the teacher's train_time τ: L_test and L_train of its read-out
taken as a score, the energy on each part of U over the teacher's, and the error of the student's map,
(1/d)E‖f(x) − x_ε‖² against the flow's own end x_ε, which for these data is x itself. L_test as a score does not measure
a student: the exact map reads as −g x, g = (e^{t−ε} − 1)/c_out. So both stand here.

Here: tanh, isotropic data, ψ_n = 8, ψ_p = 32, two levels, 0.025, 0.05, 0.1, DDIM steps, students that start at the
teacher and are trained to the end (τ_S = ∞). Everything is at the upper level. Samples at d = 20, 50, 100 of memorized
teachers (at d = 50 those of `leakage-limit`), at d = 20, 50 of teachers that stop early. All have 20p draws: fewer blur
null into mini in the flow of a student, as they do not in leakage.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import xarray as xr

from rfsim import Problem
from rfsim.claims import Approach, Claim, Judgment, Results, decide
from rfsim.reproduce import Cell

FIGURES = {"students": "ours: students' losses, energies and maps over ridge and teacher time (D16)"}
SECONDS = {"quick": 8, "paper": 450}

MEMORIZED = math.inf
TEACHERS = (1e3, 1e4)  # train_times before all of mini is memorized; beside them one that has learned everything
TIMES = (0.025, 0.05, 0.1)
RIDGES = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)
PROBLEM = Problem(samples_per_dim=8, features_per_dim=32)
SAMPLED = {  # dim: seeds and draws of teachers that stop early
    "quick": {6: (2, "20p"), 12: (2, "20p")},
    "paper": {20: (4, "20p"), 50: (2, "20p")},
}
MEMORIZED_SAMPLES = {  # the same of memorized teachers; at one dim those of experiment 29
    "quick": {6: (2, "20p"), 12: (2, "20p")},
    "paper": {20: (4, "20p"), 50: (4, "20p"), 100: (2, "20p")},
}
SHARED = {"quick": 12, "paper": 50}
NAMED = (0.0, 0.01, 0.1, 1.0)  # ridges that claims tell
MEASURES = {"test": "L_test", "train": "L_train", "map_error": "error of the map"}
LEVEL = 2


def cells(size: str) -> list[Cell]:
    found = []
    for teacher in (*TEACHERS, MEMORIZED):
        asked = {"diffusion_times": TIMES, "ridges": RIDGES, "teacher_time": teacher}
        found.append(Cell(f"limit-{teacher:g}", "theory.distill", PROBLEM, asked))
    for teacher in TEACHERS:
        found += [_sampled(dim, *how, teacher) for dim, how in SAMPLED[size].items()]
    return [*found, *_of_leakage(size)]


def _sampled(dim: int, seeds: int, draws: str, teacher: float) -> Cell:
    asked: dict[str, Any] = {
        "levels": 2,
        "time_min": TIMES[0],
        "time_max": TIMES[-1],
        "teacher_time": teacher,
        "leakage_ridges": (0.0,),
        "distill_times": (math.inf,),
        "variants": [{"ridge": ridge} for ridge in RIDGES],
        "generated": 16,  # samples are not looked at
        "dim": dim,
        "seeds": seeds,
        "draws": draws,
    }
    return Cell(f"d-{dim}-{teacher:g}", "distill", PROBLEM, asked)


def _of_leakage(size: str) -> list[Cell]:
    """Students of memorized teachers: at one dim those of `leakage-limit`, where they lie."""
    ridges = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
    found = []
    for dim, how in MEMORIZED_SAMPLES[size].items():
        cell = _sampled(dim, *how, 1e8)
        shared = {"leakage_ridges": ridges} | ({"instability": True} if size == "paper" else {})
        if dim != SHARED[size]:
            found.append(Cell(f"d-{dim}-inf", cell.quantity, PROBLEM, cell.options))
        else:
            found.append(Cell(f"step-{dim}", cell.quantity, PROBLEM, dict(cell.options) | shared, "29_leakage_limit"))
    return found


def limits(results: Results) -> dict[float, xr.Dataset]:
    """The limit at the upper level by the teacher's train_time."""
    return {
        teacher: results[f"limit-{teacher:g}"].sel(step=LEVEL, distill_time=math.inf)
        for teacher in (*TEACHERS, MEMORIZED)
    }


def samples(results: Results, teacher: float) -> dict[int, xr.Dataset]:
    """Samples at the upper level by dim, with the students' ridges for their variants."""
    found = {}
    for name, one in results.items():
        kind, _, rest = name.partition("-")
        dim, _, time = rest.partition("-")
        if kind != "limit" and float(time or MEMORIZED) == teacher:
            found[int(dim)] = one.sel(level=LEVEL, distill_time=math.inf).assign_coords(variant=list(RIDGES))
    return dict(sorted(found.items()))


def values(result: xr.Dataset, measure: str, part: str | None = None) -> xr.DataArray:
    """A measure of samples, (seed, ridge), or suppression of a part."""
    found = result[f"student_{measure}"] if part is None else result.suppression.sel(part=part)
    return found.rename(variant="ridge").transpose("seed", "ridge")


def approach(results: Results, teacher: float, measure: str, ridge: float, part: str | None = None) -> Approach:
    """A measure of samples less the limit's, over dims; the error where there is one seed is that of the dim before."""
    limit = limits(results)[teacher].sel(ridge=ridge)
    own = float(limit[measure] if part is None else limit.suppression.sel(part=part))
    rows: list[tuple[float, float]] = []
    for one in samples(results, teacher).values():
        row = values(one, measure, part).sel(ridge=ridge).values
        error = row.std(ddof=1) / math.sqrt(row.size) if row.size > 1 else rows[-1][1]
        rows.append((float(row.mean()) - own, float(error)))
    mean, error = np.transpose(rows)
    return Approach(np.array(list(samples(results, teacher))), mean, error)


def left(found: Approach) -> tuple[float, float]:
    """What is left at d = ∞ by 1/d from the two largest dims, and its standard error."""
    return Approach(*(each[-2:] for each in found)).line[1]


def full(results: Results) -> bool:
    return max(samples(results, MEMORIZED)) >= 100


def held(results: Results, measure: str, ridges: tuple[float, ...]) -> Judgment:
    """Samples by 1/d against the limit, over teacher times and ridges."""
    words, good, count = [], 0, 0
    for teacher, limit in limits(results).items():
        row = []
        for ridge in ridges:
            own = float(limit[measure].sel(ridge=ridge))
            off, error = left(approach(results, teacher, measure, ridge))
            good += abs(off) <= max(0.03 * abs(own), 3 * error)
            count += 1
            row.append(f"{own + off:.4g} ({own:.4g})")
        words.append(f"τ = {teacher:g}: {', '.join(row)}")
    told = f"by 1/d, limit in brackets, at γ = {', '.join(f'{ridge:g}' for ridge in ridges)}: {'; '.join(words)}"
    return Judgment(f"{told}; {good} of {count}", None, decide(good == count, decidable=full(results)))


def tested(results: Results) -> Judgment:
    return held(results, "test", NAMED)


def mapped(results: Results) -> Judgment:
    return held(results, "map_error", NAMED)


def exponents(results: Results) -> Judgment:
    """With which power of d samples of memorized teachers go to the limit, by measure at three ridges."""
    words, off = [], []
    for measure, name in MEASURES.items():
        for ridge in NAMED:
            found = approach(results, MEMORIZED, measure, ridge)
            slope, error = found.exponent
            words.append(f"{name} at γ = {ridge:g} {slope:.2f} ± {error:.2f}")
            if abs(slope + 1) > 3 * error:
                off.append(words[-1])
    return Judgment("; ".join(words), None, decide(not off, decidable=full(results)))


def quiet(results: Results) -> Judgment:
    """Energy on mini over the memorized teacher's at γ = 0 and with a ridge of the order of λ_mini."""
    limit, found = limits(results)[MEMORIZED].suppression, samples(results, MEMORIZED)
    words = []
    for part in ("mini", "main", "gen"):
        row = ", ".join(f"{float(limit.sel(part=part, ridge=ridge)):.3g}" for ridge in NAMED)
        last = found[max(found)]
        own = ", ".join(f"{float(values(last, '', part).sel(ridge=ridge).mean()):.3g}" for ridge in NAMED)
        words.append(f"{part} {row} (d = {max(found)}: {own})")
    mini = limit.sel(part="mini")
    holds = float(mini.sel(ridge=0.0)) > 1 and float(mini.sel(ridge=0.1)) < 0.05
    told = f"over the teacher's at γ = {', '.join(f'{ridge:g}' for ridge in NAMED)}: {'; '.join(words)}"
    return Judgment(told, None, decide(holds, decidable=full(results)))


def stopped(results: Results) -> Judgment:
    """What teachers that stop early hand over: leakage at γ = 0 and energy on mini, over the memorized teacher's."""
    words, limit = [], limits(results)
    lost = [float(one.leakage.sel(ridge=0.0)) for one in limit.values()]
    held_ = [float(one.teacher_energy.sel(part="mini")) for one in limit.values()]
    for teacher, share, energy in zip(limit, lost, held_, strict=True):
        found = samples(results, teacher)
        rows = [float(one.leakage.sel(part="gen", ridge=0.0).mean("seed")) for one in found.values()]
        seen = ", ".join(f"{value:.3g}" for value in rows)
        words.append(f"τ = {teacher:g}: leakage {share:.3g} (samples {seen}), teacher's energy on mini {energy:.3g}")
    holds = lost[0] < 0.25 * lost[-1] and bool((np.diff(lost) > 0).all())
    return Judgment("; ".join(words), None, decide(holds, decidable=full(results)))


def better(results: Results) -> Judgment:
    """The error of the map over γ for every teacher, in the limit and in samples of the largest dim."""
    words, holds = [], True
    for teacher, limit in limits(results).items():
        found = samples(results, teacher)
        last = values(found[max(found)], "map_error").mean("seed")
        own, seen = limit.map_error.values, last.values
        holds &= bool((np.diff(own) < 0).all()) and bool((np.diff(seen) < 0).all())
        words.append(
            f"τ = {teacher:g}: {own[0]:.3g} to {own[-1]:.3g} (d = {max(found)}: {seen[0]:.3g} to {seen[-1]:.3g})"
        )
    return Judgment(f"γ = 0 to {RIDGES[-1]:g}: {'; '.join(words)}", None, decide(holds, decidable=full(results)))


CLAIMS = (
    Claim(
        "ours-students-test",
        "L_test of students is the limit's as d grows, over teacher time and ridge [ours]",
        "equations.md D16",
        "by 1/d from the two largest d: within 3% or three standard errors of the limit, at τ = 10³, 10⁴, ∞ and γ = 0, "
        "0.01, 0.1, 1",
        tested,
        by_errors=True,
    ),
    Claim(
        "ours-students-map",
        "so is the error of their map [ours]",
        "equations.md D16",
        "the same",
        mapped,
        by_errors=True,
    ),
    Claim(
        "ours-students-exponent",
        "samples go there as 1/d [ours]",
        "equations.md §10",
        "fitted exponents over all d of L_test, L_train and the map's error of memorized teachers' students: within "
        "three standard errors of −1",
        exponents,
        by_errors=True,
    ),
    Claim(
        "ours-students-mini",
        "without a ridge distillation leaves the energy on mini, a ridge of the order of λ_mini removes it [ours]",
        "equations.md D16, §9.8",
        "in the limit over the memorized teacher's: above 1 at γ = 0, below 0.05 at γ = 0.1",
        quiet,
    ),
    Claim(
        "ours-students-stopped",
        "a teacher stopped before it memorizes mini leaks little [ours]",
        "equations.md D20, §9.8",
        "in the limit at γ = 0: leakage at τ = 10³ below a quarter of the memorized teacher's, and rising with τ",
        stopped,
    ),
    Claim(
        "ours-students-ridge-map",
        "a ridge brings a student's map nearer to the flow's, which for these data is the identity [ours]",
        "equations.md D16",
        "the map's error falls at each γ from 0 to 1 for every teacher, in the limit and in samples of the largest d",
        better,
    ),
)
