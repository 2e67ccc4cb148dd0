"""Two halves of the data, one noise: how far apart are samples, and does distillation bring them together?

Wang, Zavatone-Veth and Pehlevan (2026, arXiv 2602.02908): two linear scores of disjoint halves take the same noise to
different samples; a finite sample renormalizes the noise, which says how different (equations.md T30 to T32). Here that
law stands beside published distances at d = 128, λ_j ∝ 1/j, σ_T = 80; its form in steps (T33) beside samples of
`rfsim.distill(split_pair=True)` with σ(x) = x; and then tanh, of which no law is known.

tanh: isotropic data, so that the true law's map is the identity and two independent samples are 2 apart; ψ_p = 32, ten
levels from ε = 0.02 to T = 1.5, DDIM, teachers at τ = 10⁸. Both halves have the same W, the same noise of training and
the same start. Students take one step, at γ = 0 and at γ = 0.1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim import Atoms, Problem
from rfsim.claims import Approach, Claim, Judgment, Results, decide
from rfsim.reproduce import Cell

FIGURES = {"splits": "Wang et al. 2026: distances between the samples of two halves, against n"}
SECONDS = {"quick": 15, "paper": 350}

PUBLISHED_DIM, START = 128, 0.5 * math.log1p(80**2)  # σ_T = 80
# n: E‖x_1 − x_2‖²/d, and that of one to the population's map: means of 40 draws
PUBLISHED = {
    16: (1.225, 0.857),
    32: (0.927, 0.602),
    64: (0.612, 0.361),
    128: (0.300, 0.161),
    256: (0.1415, 0.0734),
    512: (0.0703, 0.0358),
    1024: (0.0349, 0.0175),
}
LINEAR_DIMS = {"quick": (6, 12), "paper": (16, 32, 64)}
LINEAR_RATIOS = {"quick": (2.0,), "paper": (0.5, 2.0, 8.0)}  # ψ_n
LINEAR_SEEDS = {"quick": 2, "paper": 8}
DIM = {"quick": 6, "paper": 10}
WIDTH = {"quick": 16, "paper": 32}  # ψ_p
RATIOS = {"quick": (2.0, 8.0), "paper": (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)}
SEEDS = {"quick": 2, "paper": 4}
LEVELS = {"quick": 6, "paper": 10}
RIDGES = (0.0, 0.1)  # of the students
DISTILL_TIMES = (1e2, 1e6)
LINEAR_STEPS = {"levels": 5, "time_min": 0.02, "time_max": 3.0}


def harmonic(dim: int) -> Atoms:
    """λ_j ∝ 1/j, j = 1…dim, of mean 1."""
    values = 1 / np.arange(1, dim + 1)
    return Atoms([(float(value), 1 / dim) for value in values / values.mean()])


def cells(size: str) -> list[Cell]:
    found = []
    for n in PUBLISHED:
        problem = Problem(samples_per_dim=n / PUBLISHED_DIM, data=harmonic(PUBLISHED_DIM))
        found.append(Cell(f"law-{n}", "theory.split", problem, {"time_max": START}))
    for psi_n in LINEAR_RATIOS[size]:
        for dim in LINEAR_DIMS[size]:
            found += _linear(psi_n, dim, LINEAR_SEEDS[size])
    steps = {"levels": LEVELS[size], "time_min": 0.02, "time_max": 1.5}
    asked = steps | {"dim": DIM[size], "seeds": SEEDS[size], "distill_times": DISTILL_TIMES, "split_pair": True}
    asked |= {"variants": [{"ridge": ridge} for ridge in RIDGES], "leakage_ridges": (0.0,), "generated": 1000}
    for psi_n in RATIOS[size]:
        problem = Problem(samples_per_dim=psi_n, features_per_dim=WIDTH[size])
        found.append(Cell(f"tanh-{psi_n:g}", "distill", problem, asked))
        found.append(Cell(f"tanh-law-{psi_n:g}", "theory.split", Problem(samples_per_dim=psi_n), steps))
    return found


def _linear(psi_n: float, dim: int, seeds: int) -> list[Cell]:
    """Linear models that are sampled, and their law in the same steps."""
    law = Problem(samples_per_dim=psi_n, data=harmonic(dim))
    asked = LINEAR_STEPS | {"dim": dim, "seeds": seeds, "teacher_time": math.inf, "split_pair": True}
    asked |= {"distill_times": (math.inf,), "leakage_ridges": (0.0,), "generated": 500}
    problem = replace(law, features_per_dim=2, activation="linear")
    return [
        Cell(f"linear-{psi_n:g}-{dim}", "distill", problem, asked),
        Cell(f"law-{psi_n:g}-{dim}", "theory.split", law, LINEAR_STEPS),
    ]


def laws(results: Results) -> dict[int, xr.Dataset]:
    """The law at d = 128 by n."""
    return {n: results[f"law-{n}"] for n in PUBLISHED}


def halves(results: Results) -> dict[float, xr.Dataset]:
    """Distillations of tanh by ψ_n, ascending."""
    found = {name.removeprefix("tanh-"): one for name, one in results.items() if name.startswith("tanh-")}
    return dict(sorted((float(psi_n), one) for psi_n, one in found.items() if not psi_n.startswith("law")))


def student(result: xr.Dataset, ridge: float, time: float) -> xr.DataArray:
    """Distances between halves of the students, (seed,)."""
    return result.split_student.isel(variant=RIDGES.index(ridge)).sel(distill_time=time)


def ratios(results: Results) -> list[float]:
    """ψ_n of the linear models."""
    return sorted({float(name.split("-")[1]) for name in results if name.startswith("linear-")})


def linear(results: Results, psi_n: float) -> dict[int, tuple[xr.Dataset, xr.Dataset]]:
    """Samples of linear models and their law, by d."""
    begin = f"linear-{psi_n:g}-"
    dims = sorted(int(name.removeprefix(begin)) for name in results if name.startswith(begin))
    return {dim: (results[f"{begin}{dim}"], results[f"law-{psi_n:g}-{dim}"]) for dim in dims}


def approach(results: Results, psi_n: float) -> Approach:
    """How far samples are from their law, over it, against d."""
    rows = []
    for sampled, law in linear(results, psi_n).values():
        values = sampled.split_teacher.values / float(law.across_all)
        rows.append((values.mean() - 1, values.std(ddof=1) / math.sqrt(values.size)))
    mean, error = np.transpose(rows)
    return Approach(np.array(list(linear(results, psi_n))), mean, error)


def published(results: Results) -> Judgment:
    off = np.array(
        [
            (float(one.across_all) / PUBLISHED[n][0] - 1, float(one.population_all) / PUBLISHED[n][1] - 1)
            for n, one in laws(results).items()
        ]
    )
    told = ", ".join(f"{float(one.across_all):.4g} ({PUBLISHED[n][0]:.4g})" for n, one in laws(results).items())
    words = f"limit, samples in brackets, at n = {', '.join(map(str, PUBLISHED))}: {told}"
    return Judgment(f"{words}; off by {100 * np.abs(off).max():.1f}% at most", None, decide(np.abs(off).max() < 0.03))


def approached(results: Results) -> Judgment:
    words, good = [], True
    for psi_n in ratios(results):
        found = approach(results, psi_n)
        left, error = found.line[1]
        good &= abs(left) <= max(0.03, 3 * error)
        row = ", ".join(f"{100 * one:+.1f}%" for one in found.mean)
        words.append(f"ψ_n = {psi_n:g}: {row}, by 1/d {100 * left:+.1f} ± {100 * error:.1f}%")
    dims = ", ".join(map(str, linear(results, ratios(results)[0])))
    return Judgment(f"off at d = {dims}: {'; '.join(words)}", None, decide(good, decidable=full(results)))


def same(results: Results) -> Judgment:
    gaps = [
        float(np.abs(sampled.split_student.squeeze("variant").squeeze("distill_time") - sampled.split_teacher).max())
        for psi_n in ratios(results)
        for sampled, _ in linear(results, psi_n).values()
    ]
    return Judgment(f"distances differ by at most {max(gaps):.1e}", None, decide(max(gaps) < 1e-6))


def rows(results: Results, name: str) -> NDArray[np.float64]:
    """A measure of tanh by ψ_n and seed, (ratios, seeds)."""
    return np.array([one[name].values for one in halves(results).values()])


def told(results: Results, several: Mapping[str, NDArray[np.float64]]) -> str:
    """Means over seeds by ψ_n."""
    shown = "; ".join(f"{name} {', '.join(f'{one:.3g}' for one in values.mean(1))}" for name, values in several.items())
    return f"at ψ_n = {', '.join(f'{psi_n:g}' for psi_n in halves(results))}: {shown}"


def above(more: NDArray[np.float64], less: NDArray[np.float64]) -> bool:
    """Whether it is more at every ψ_n, by three standard errors of the difference over seeds."""
    gap = more - less
    return bool((gap.mean(1) > 3 * gap.std(1, ddof=1) / math.sqrt(gap.shape[1])).all())


def full(results: Results) -> bool:
    return len(halves(results)) == len(RATIOS["paper"])


def falls(results: Results) -> Judgment:
    teacher = rows(results, "split_teacher")
    found = told(results, {"teacher": teacher})
    return Judgment(found, None, decide(above(teacher[:-1], teacher[1:]), decidable=full(results)))


def farther(results: Results) -> Judgment:
    teacher = rows(results, "split_teacher")
    law = np.array([[float(results[f"tanh-law-{psi_n:g}"].across_all)] for psi_n in halves(results)])
    found = told(results, {"teacher": teacher, "linear": law})
    return Judgment(found, None, decide(above(teacher, law), decidable=full(results)))


def of_students(results: Results, ridge: float, time: float) -> NDArray[np.float64]:
    return np.array([student(one, ridge, time).values for one in halves(results).values()])


def together(results: Results) -> Judgment:
    teacher, late = rows(results, "split_teacher"), of_students(results, 0.0, DISTILL_TIMES[-1])
    found = told(results, {"teacher": teacher, "student": late})
    return Judgment(found, None, decide(above(teacher, late), decidable=full(results)))


def control(results: Results) -> Judgment:
    one = rows(results, "split_teacher_steps")[:, :, 0]
    late = of_students(results, 0.0, DISTILL_TIMES[-1])
    found = told(results, {"student": late, "teacher in one step": one})
    return Judgment(found, None, decide(above(late, one), decidable=full(results)))


def later(results: Results) -> Judgment:
    early, late = (of_students(results, 0.0, time) for time in DISTILL_TIMES)
    names = [f"τ_S = {time:g}:" for time in DISTILL_TIMES]
    found = told(results, dict(zip(names, (early, late), strict=True)))
    return Judgment(found, None, decide(above(late, early), decidable=full(results)))


def ridged(results: Results) -> Judgment:
    plain, ridge = (of_students(results, one, DISTILL_TIMES[-1]) for one in RIDGES)
    quality = [
        one.student.sel(quality="frechet_per_dim", distill_time=DISTILL_TIMES[-1]).mean("seed").values
        for one in halves(results).values()
    ]
    seen = "; ".join(f"{plainly:.3f}, {with_ridge:.3f}" for plainly, with_ridge in quality)
    found = f"{told(results, {'without': plain, 'with': ridge})}; W2²/d without and with: {seen}"
    return Judgment(found, None, decide(above(plain, ridge), decidable=full(results)))


WANG = "Wang et al. 2026 (equations.md T30 to T33)"
CLAIMS = (
    Claim(
        "wang26-splits",
        "the renormalized noise says how far two linear scores' samples are apart, from n = d/8 to 8d",
        WANG,
        "across halves and to the population's map within 3% of means of 40 draws at d = 128",
        published,
    ),
    Claim(
        "ours-splits-steps",
        "in a sampler's steps the law is that of linear models that rfsim trains and samples [ours]",
        "equations.md T33",
        "by 1/d from all d: within 3% or three standard errors of the law, at ψ_n = 0.5, 2, 8",
        approached,
        by_errors=True,
    ),
    Claim(
        "ours-splits-linear-student",
        "distilling linear scores to the end changes nothing of it [ours]",
        "equations.md §7",
        "distances of students are their teachers' to 1e-6",
        same,
    ),
    Claim(
        "wang26-splits-more-data",
        "models of two halves come together as n grows (here tanh)",
        "Wang et al. 2026; Kadkhodaie et al. 2024",
        "the teachers' distance falls at every doubling of n, by three standard errors",
        falls,
        by_errors=True,
    ),
    Claim(
        "ours-splits-memorized",
        "memorized teachers of tanh are farther apart than linear scores of the same n [ours]",
        WANG,
        "above the law at every n by three standard errors",
        farther,
        by_errors=True,
    ),
    Claim(
        "ours-splits-student",
        "distillation into one step brings the halves together [ours]",
        "equations.md §8",
        "students at τ_S = 10⁶, γ = 0, nearer than teachers in all steps at every n, by three standard errors",
        together,
        by_errors=True,
    ),
    Claim(
        "ours-splits-control",
        "… but not nearer than the teachers' own single step, which hardly depends on the data [ours]",
        "equations.md §8",
        "teachers in one step nearer than these students at every n, by three standard errors",
        control,
        by_errors=True,
    ),
    Claim(
        "ours-splits-longer",
        "the longer a student is distilled, the farther apart halves are [ours]",
        "equations.md §8",
        "at τ_S = 10⁶ above 10² at every n, by three standard errors",
        later,
        by_errors=True,
    ),
    Claim(
        "ours-splits-ridge",
        "a ridge of the student brings halves together [ours]",
        "equations.md §8",
        "at γ = 0.1 nearer than at γ = 0 at every n, τ_S = 10⁶, by three standard errors",
        ridged,
        by_errors=True,
    ),
)
