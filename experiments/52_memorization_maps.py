"""Where teachers and their students memorize: f_mem over samples and training time, over ridge and distillation time.

Claims (Jiang, Zou 2026, abstract; equations.md §7, §8): distillation lowers memorization, so the border beyond which
samples are memorized should lie at later training times and at fewer samples for a student than for its teacher; and a
ridge that keeps gen's transfer from leaking should push it out. Experiments/30 and 31 found at one n that what lowers
f_mem is the single step in which students sample; here is the same over the plane, in one step and in as many as the
teacher's.

Here: tanh, isotropic data, d = 8, p = 512, 20 geometric levels from 0.02 to 3, students in `ddim` form from the
teacher's weights by the sequential flow. First map: n from 2 to 32, teachers stopped at τ_T = 10³ to 10⁸, students
without a ridge at τ_S = 10⁶. Second map: n = 8, one memorized teacher a seed, its students by ridge γ and τ_S. A border
is read at the level 1/2, which finite p need not reach, and at 1/10, linearly in log n or log τ_T between points.

Two sweeps: the TOML files beside this one. In the second, one teacher's draws and decompositions serve all students.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.claims import Claim, Judgment, Results, compared, complete, decide
from rfsim.reproduce import Cell, sweep_cell

FIGURES = {
    "memorization-maps": "ours, after Jiang, Zou 2026: memorized fraction over samples, times and ridges",
}
SECONDS = {"quick": 3, "paper": 490}

SAMPLES, RIDGES = "samples", "ridges"
LEVELS = (0.5, 0.1)
ONE, MANY = "in one step", "in all steps"
MEMORIZES = 0.05  # f_mem from which on a teacher is said to memorize


def cells(size: str) -> list[Cell]:
    ending = "" if size == "paper" else f"-{size}"
    files = {SAMPLES: f"52_memorization_maps{ending}.toml", RIDGES: f"52_memorization_maps-ridge{ending}.toml"}
    return [sweep_cell(label, Path(__file__).with_name(name)) for label, name in files.items()]


def full(results: Results) -> bool:
    """Smaller systems hardly memorize in their samples."""
    return results[SAMPLES].sizes["feature"] >= 500


def fractions(result: xr.Dataset) -> dict[str, xr.DataArray]:
    """f_mem of teacher and student in one step and in all, over the axes and seeds; students over distill_time too."""
    found = result.sel(quality="memorized_fraction")
    most = int(result.steps.max())
    return {
        f"teacher {ONE}": found.teacher_steps.sel(steps=1),
        f"teacher {MANY}": found.teacher,
        f"student {ONE}": found.student,
        f"student {MANY}": found.student_steps.sel(steps=most),
    }


def first_map(results: Results) -> dict[str, xr.DataArray]:
    """f_mem over samples_per_dim, teacher_time and seed."""
    return {
        name: one.squeeze("distill_time", drop=True) if "distill_time" in one.dims else one
        for name, one in fractions(results[SAMPLES]).items()
    }


def crossing(axis: NDArray[np.float64], values: NDArray[np.float64], level: float) -> float:
    """Where values last pass a level along an axis, linearly in its log; inf where all are above, NaN where none is."""
    above = values >= level
    turns = np.flatnonzero(above[:-1] != above[1:])
    if not turns.size:
        return np.inf if above[0] else np.nan
    k = int(turns[-1])
    share = (level - values[k]) / (values[k + 1] - values[k])
    return float(axis[k] * (axis[k + 1] / axis[k]) ** share)


def halves(results: Results) -> Judgment:
    """In how many cells each passes 1/2, and its largest f_mem; undecided where neither teacher nor student does."""
    means = {name: one.mean("seed") for name, one in first_map(results).items()}
    passing = {name: int((one >= LEVELS[0]).sum()) for name, one in means.items()}
    words = "; ".join(
        f"{name} {passing[name]} of {one.size} cells, at most {float(one.max()):.2f}" for name, one in means.items()
    )
    holds = passing[f"teacher {MANY}"] > 0 and passing[f"student {MANY}"] < passing[f"teacher {MANY}"]
    decidable = full(results) and max(passing[f"teacher {MANY}"], passing[f"student {MANY}"]) > 0
    return Judgment(f"f_mem ≥ 1/2: {words}", None, decide(holds, decidable=decidable))


def lower(results: Results, how: str) -> Judgment:
    """Cells in which the teacher memorizes in all of its steps and its student, sampled one way, less so."""
    found = first_map(results)
    teacher, student = found[f"teacher {MANY}"].mean("seed"), found[f"student {how}"].mean("seed")
    cells = teacher >= MEMORIZES
    less = int(((student < teacher) & cells).sum())
    ratio = (student / teacher).where(cells)
    total, (low, high) = int(cells.sum()), (float(one) for one in (ratio.min(), ratio.max()))
    words = f"in {less} of {total} cells; student over teacher {low:.2f} to {high:.2f}"
    return Judgment(words, None, decide(less == total, decidable=full(results) and total > 0))


def borders(results: Results, how: str) -> Judgment:
    """n and τ_T at which f_mem is 1/10, student over teacher."""
    found = first_map(results)
    teacher, student = found[f"teacher {MANY}"], found[f"student {how}"]
    times, samples = teacher.teacher_time.values, teacher.samples_per_dim.values
    sides = [one.mean("seed").transpose("samples_per_dim", "teacher_time").values for one in (teacher, student)]
    at_end = [crossing(samples, one[:, -1], LEVELS[1]) for one in sides]
    moves = {}
    for k, n in enumerate(samples.tolist()):
        pair = [crossing(times, one[k], LEVELS[1]) for one in sides]
        if np.all(np.isfinite(pair)):
            moves[n] = pair[1] / pair[0]
    told = ", ".join(f"{one:.2f} of it at ψ_n = {n:g}" for n, one in moves.items())
    words = f"in ψ_n at the last τ_T {at_end[1]:.3g}, the teacher's {at_end[0]:.3g}; in τ_T {told or 'nowhere both'}"
    nowhere = bool((sides[1] < LEVELS[1]).all())
    if nowhere:
        words = f"no student reaches 1/10 (at most {sides[1].max():.3f}); the teacher's border at ψ_n = {at_end[0]:.3g}"
    holds = nowhere or (at_end[1] < at_end[0] and all(one > 1 for one in moves.values()))
    decidable = full(results) and bool((sides[0] >= LEVELS[1]).any())
    return Judgment(words, None, decide(bool(holds), decidable=decidable))


def second_map(results: Results, how: str) -> xr.DataArray:
    """f_mem of students over ridge, distill_time and seed."""
    return fractions(results[RIDGES])[f"student {how}"].transpose("ridge", "distill_time", "seed")


def ridge_moves(results: Results) -> Judgment:
    """The smallest γ that halves f_mem of γ = 0 at the last τ_S, beside γ⋆ of the leakage."""
    values = second_map(results, MANY).isel(distill_time=-1)
    found = values.mean("seed")
    start = float(found.sel(ridge=0.0))
    enough = [gamma for gamma in found.ridge.values[1:].tolist() if float(found.sel(ridge=gamma)) <= start / 2]
    star = float(results[RIDGES].gamma_star.median())
    words = ", ".join(f"{float(one):.3f} at γ = {float(one.ridge):g}" for one in found)
    words = f"f_mem {MANY} {words}; halved from γ = {enough[0]:g}" if enough else f"f_mem {MANY} {words}; never halved"
    holds = bool(enough) and np.isfinite(star) and 1 / 3 <= enough[0] / star <= 3
    return Judgment(f"{words}; γ⋆ = {star:g}", None, decide(bool(holds), decidable=full(results)))


def ridge_lowers(results: Results) -> Judgment:
    words, holds = [], True
    for how in (ONE, MANY):
        values = second_map(results, how).isel(distill_time=-1)
        pair = compared(values.isel(ridge=-1).values, values.sel(ridge=0.0).values)
        words.append(f"{how}: {pair.words}")
        holds &= pair.lower
    largest = float(results[RIDGES].ridge[-1])
    return Judgment(f"γ = {largest:g} against 0, {'; '.join(words)}", None, decide(holds, decidable=full(results)))


def time_lets_in(results: Results) -> Judgment:
    """One-step f_mem of students without a ridge along τ_S."""
    values = second_map(results, ONE).sel(ridge=0.0)
    pair = compared(values.isel(distill_time=-1).values, values.isel(distill_time=0).values)
    means = values.mean("seed")
    words = ", ".join(f"{float(one):.3f}" for one in means)
    times = ", ".join(f"{tau:g}" for tau in means.distill_time.values)
    return Judgment(f"{words} at τ_S = {times}", pair.error, decide(pair.higher, decidable=full(results)))


CLAIMS = (
    Claim(
        "jz26-map-half",
        "over n and training time teachers pass a memorized fraction of 1/2, their students in fewer cells",
        "Jiang, Zou 2026, abstract; equations.md §9.6",
        "f_mem ≥ 1/2 in some cell of the teacher's map, in fewer of the student's, both in 20 steps",
        halves,
    ),
    Claim(
        "jz26-map-one-step",
        "wherever a teacher memorizes its one-step student memorizes less",
        "Jiang, Zou 2026, abstract; equations.md §9.6",
        "f_mem of the student in one step below the teacher's in 20 in every cell where that is at least 0.05",
        lambda results: lower(results, ONE),
    ),
    Claim(
        "ours-map-all-steps",
        "control: in as many steps as its teacher, too [ours]",
        "equations.md §8; experiments/30 finds the opposite at one n",
        "f_mem of the student below the teacher's, both in 20 steps, wherever the teacher's is at least 0.05",
        lambda results: lower(results, MANY),
    ),
    Claim(
        "jz26-map-border-one-step",
        "the one-step student's border of memorization lies at fewer samples and later training times",
        "Jiang, Zou 2026, abstract; equations.md §9.6",
        "f_mem = 1/10 at a smaller ψ_n at the last τ_T and at a later τ_T at every ψ_n with both, or nowhere",
        lambda results: borders(results, ONE),
    ),
    Claim(
        "ours-map-border-all-steps",
        "control: so does the border of the student in all steps [ours]",
        "equations.md §8",
        "f_mem = 1/10 at a smaller ψ_n at the last τ_T and at a later τ_T at every ψ_n with both, or nowhere",
        lambda results: borders(results, MANY),
    ),
    Claim(
        "jz26-map-ridge",
        "a ridge lowers the student's memorized fraction",
        "Jiang, Zou 2026, abstract and Fig. 6; equations.md §9.6",
        "f_mem at the largest γ below that at 0, by three standard errors, in one step and in all, at the last τ_S",
        ridge_lowers,
        by_errors=True,
    ),
    Claim(
        "ours-map-threshold",
        "the ridge that halves it is the γ⋆ beyond which gen's transfer does not leak [ours]",
        "equations.md §8, γ⋆",
        "smallest γ that halves f_mem in all steps at the last τ_S within a factor 3 of γ⋆, threshold 0.01",
        ridge_moves,
    ),
    Claim(
        "ours-map-distill-time",
        "without a ridge longer distillation lets memorization back into the single step [ours]",
        "equations.md §8",
        "f_mem in one step at the last τ_S above that at the first, by three standard errors",
        time_lets_in,
        by_errors=True,
    ),
    Claim(
        "ours-map-memorization-complete",
        "every cell is computed [ours]",
        "a check of this experiment",
        "no cell unfinished",
        complete,
    ),
)
