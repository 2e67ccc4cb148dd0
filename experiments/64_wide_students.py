"""A one-step student that is distilled to the end takes noise where its teacher's N steps take it.

Claim (equations.md W10 [ours]): as ψ_p → ∞ after d → ∞ a consistency student at τ_S = ∞ is, off the training tubes,
the linear map Π(a + c w) of its teacher's N steps, memorized or not, wherever features read samples of every variance
by one slope, l = 1. A linear σ does so, at every d and ψ_p ≥ 1: there it is exact. Other features leave a gap, as
students read what their teachers' steps make, of another variance than samples on their way, and finite d and ψ_p add
to it: what is not linear in one read-out at T is magnified by e^(T − ε) in one jump.

Here: isotropic data, ψ_n = 2, DDIM form and steps, 6 levels from ε = 0.02 to T = 1.5, 20p noise draws per level.
Student and teacher start from the same noise; the gap is the mean square of their samples' difference per dimension,
and one jump of the teacher's is what it is compared with. σ = h_1 + .2h_3 and tanh. At T = 3 the gap of σ = h_1 + .2h_3
at d = 50, ψ_p = 8 is 1.8 where samples have variance 1: no width that can be run would tell.
"""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from rfsim import Hermite, Problem
from rfsim.claims import Claim, Judgment, Results, decide
from rfsim.reproduce import Cell

FIGURES = {"wide-students": "equations.md W10: one-step students beside their teacher's steps"}
SECONDS = {"quick": 8, "paper": 220}

LEVELS, TIME_MAX, SAMPLES = 6, 1.5, 256
CUBIC = Hermite({1: 1, 3: 0.2})
DISTILL_TIMES = (1.0, 3.0, 10.0, 100.0, 1e3, math.inf)
LINEAR = {"quick": ((20, 2), (40, 2)), "paper": ((50, 2), (100, 2), (50, 16))}  # (d, ψ_p)
EARLY, LATE = 30.0, 1e5  # τ of the teacher
CUBICS = {"quick": ((12, 8), (12, 16), (24, 8)), "paper": ((25, 8), (50, 8), (50, 16), (100, 8), (50, 32))}
FEW = {"quick": ((12, 8), (12, 16)), "paper": ((50, 8), (50, 16))}


def cells(size: str) -> list[Cell]:
    several = {  # name: σ, the teacher's τ, (d, ψ_p)
        "linear": ("linear", EARLY, LINEAR[size]),
        "cubic-early": (CUBIC, EARLY, CUBICS[size]),
        "cubic-late": (CUBIC, LATE, FEW[size]),
        "tanh-early": ("tanh", EARLY, FEW[size]),
    }
    grid = {"levels": LEVELS, "time_max": TIME_MAX}
    found = []
    for name, (sigma, tau, sizes) in several.items():
        wide = Problem(samples_per_dim=2, features_per_dim=math.inf, activation=sigma)
        asked = grid | {"train_times": [tau], "student": True, "distill_times": DISTILL_TIMES}
        found.append(Cell(f"limit-{name}", "theory.generated", wide, asked))
        times = (math.inf,) if name == "linear" else DISTILL_TIMES
        asked = grid | {"distill_times": times, "teacher_time": tau, "generated": SAMPLES, "samples": SAMPLES}
        for dim, psi_p in sizes:
            problem = Problem(samples_per_dim=2, features_per_dim=psi_p, activation=sigma)
            found.append(Cell(f"{name}-{dim}-{psi_p}", "distill", problem, asked | {"dim": dim}))
    return found


def drawn(results: Results, name: str) -> dict[tuple[int, int], xr.Dataset]:
    """Distillations by d and ψ_p, ascending."""
    keys = [key.rsplit("-", 2) for key in results if key.startswith(f"{name}-")]
    return {
        (int(d), int(p)): results[f"{name}-{d}-{p}"] for _, d, p in sorted(keys, key=lambda k: (int(k[1]), int(k[2])))
    }


def gap(one: xr.Dataset) -> np.ndarray:
    """Mean square of one-step students less the teacher's steps, per dimension, (distill_time,)."""
    return ((one.student_sample - one.teacher_sample) ** 2).mean(["seed", "variant", "sample", "coordinate"]).values


def jump(one: xr.Dataset) -> float:
    """The same of one jump of the teacher."""
    return float(((one.teacher_sample_one - one.teacher_sample) ** 2).mean())


def exact(results: Results) -> Judgment:
    found = drawn(results, "linear")
    largest = {pair: float(np.abs(one.student_sample - one.teacher_sample).max()) for pair, one in found.items()}
    words = ", ".join(f"{value:.0e} at d = {dim}, ψ_p = {psi_p}" for (dim, psi_p), value in largest.items())
    return Judgment(f"largest difference of a coordinate {words}", None, decide(max(largest.values()) < 1e-8))


def many(found: dict[tuple[int, int], xr.Dataset], values: dict[tuple[int, int], float]) -> float:
    """The line in 1/ψ_p through the two widest at the d that has most widths."""
    dims = [dim for dim, _ in found]
    dim = max(dims, key=lambda one: (dims.count(one), one))
    (near, one), (far, other) = sorted((psi_p, values[d, psi_p]) for d, psi_p in found if d == dim)[-2:]
    return (far * other - near * one) / (far - near)


def closed(name: str, dims: int, results: Results) -> Judgment:
    """The gap at τ_S = ∞, that of one jump, and what is left of both on the line in 1/ψ_p; the limit beside them."""
    found = drawn(results, name)
    own, one = {pair: float(gap(data)[-1]) for pair, data in found.items()}, {k: jump(v) for k, v in found.items()}
    words = ", ".join(f"{own[pair]:.4f} of {one[pair]:.3f} at d = {pair[0]}, ψ_p = {pair[1]}" for pair in found)
    left, whole = many(found, own), many(found, one)
    limit = float(results[f"limit-{name}"].map_gap.values[-1, 0])
    words = f"gap at τ_S = ∞ of one jump's: {words}; on the line in 1/ψ_p {left:.4f} of {whole:.3f}; limit {limit:.1e}"
    return Judgment(words, None, decide(abs(left) < 0.1 * whole, decidable=max(found)[0] >= dims))


def nearer(results: Results) -> Judgment:
    """How the gap at τ_S = ∞ falls with ψ_p and with d."""
    own = {pair: float(gap(one)[-1]) for pair, one in drawn(results, "cubic-early").items()}
    widths = {psi_p: value for (dim, psi_p), value in own.items() if dim == 50}
    dims = {dim: value for (dim, psi_p), value in own.items() if psi_p == 8}
    words = ", ".join(f"{value:.4f} at ψ_p = {psi_p}" for psi_p, value in widths.items())
    words = f"d = 50: {words}; ψ_p = 8: {', '.join(f'{value:.4f} at d = {dim}' for dim, value in dims.items())}"
    several = len(widths) > 2 and len(dims) > 2
    falls = all(np.all(np.diff(list(one.values())) < 0) for one in (widths, dims))
    return Judgment(words, None, decide(falls, decidable=several))


def cubic_early(results: Results) -> Judgment:
    """Of σ = h_1 + .2h_3 and an early teacher."""
    return closed("cubic-early", 50, results)


def cubic_late(results: Results) -> Judgment:
    """Of σ = h_1 + .2h_3 and a memorized teacher."""
    return closed("cubic-late", 50, results)


def tanh_early(results: Results) -> Judgment:
    """Of tanh and an early teacher."""
    return closed("tanh-early", 50, results)


CLAIMS = (
    Claim(
        "ours-student-linear",
        "a linear σ's fully distilled one-step student is its teacher's N-step map [ours]",
        "equations.md W10",
        "samples from the same noise equal to 1e-8 at every d and ψ_p",
        exact,
    ),
    Claim(
        "ours-student-cubic",
        "that of σ = h_1 + .2h_3 is, of an early teacher, as ψ_p grows [ours]",
        "equations.md W10",
        "gap at d = 50, τ = 30, τ_S = ∞ on the line in 1/ψ_p through 16 and 32 below a tenth of one jump's",
        cubic_early,
    ),
    Claim(
        "ours-student-nearer",
        "its gap falls with ψ_p and with d [ours]",
        "equations.md W10",
        "at each step of ψ_p = 8, 16, 32 at d = 50, and of d = 25, 50, 100 at ψ_p = 8",
        nearer,
    ),
    Claim(
        "ours-student-memorized",
        "so is that of a memorized teacher [ours]",
        "equations.md W10",
        "at τ = 10⁵ on the line through ψ_p = 8 and 16 below a tenth of one jump's",
        cubic_late,
    ),
    Claim(
        "ours-student-tanh",
        "and tanh's [ours]",
        "equations.md W10",
        "at τ = 30 on the line through ψ_p = 8 and 16 below a tenth of one jump's",
        tanh_early,
    ),
)
