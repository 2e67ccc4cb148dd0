"""A labelled result of the kind "distill" at any size, made of smooth invented numbers: for what reads such results.

Every variable has the dimensions that `rfsim.distill` gives it; the numbers have the order of magnitude of d = 10,
n = 20, p = 1000, so that pictures of them look as real ones do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from rfsim.disk import store
from rfsim.problem import origins
from rfsim.problem.model import Problem
from rfsim.problem.origins import Sizes
from rfsim.problem.ranks import PARTS, part_counts

QUALITY = [
    "memorized_fraction", "memorized_low", "memorized_high", "frechet_per_dim", "sliced_wasserstein", "membership_auc",
    "membership_tpr_1", "membership_tpr_10",
]  # fmt: skip
LEAKING = {"null": 0.45, "mini": 0.2, "main": 0.12}  # where coefficients of gen land at γ = 0


def dataset(
    problem: Problem | None = None,
    *,
    dim: int = 3,
    levels: int = 3,
    seed: int = 0,
    seeds: int = 1,
    distill_times: Sequence[float] = (10.0, 1e3, 1e5),
    leakage_ridges: Sequence[float] = (0.0, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0),
    variants: Sequence[str] = ("ddim",),
    threshold: float = 0.01,
    generated: int = 2000,
    samples: int = 0,
    instability: bool = False,
    transfer: bool = False,
    undefined: dict[str, str] | None = None,
) -> xr.Dataset:
    """The result of distilling `problem` in `levels` levels."""
    problem = problem or Problem(samples_per_dim=2, features_per_dim=6)
    sizes = origins.resolve(problem, origins.source(problem), dim)
    d, n, p = sizes
    rng = np.random.default_rng(seed)
    counts = {name: count for name, count in part_counts(p, n, d).items() if count}
    parts, steps = list(counts), _doubling(levels)
    draws = range(seed, seed + seeds)
    v, t, r, s = len(variants), len(distill_times), len(leakage_ridges), len(steps)
    when = np.log10(1 + np.minimum(distill_times, 1e8)) / 8  # 0 at the start, 1 very late

    def quality(*shape: int, memorized: np.ndarray | float, frechet: np.ndarray | float) -> np.ndarray:
        """(*shape, quality): two levels, spread over the seeds by a few percent."""
        spread = 1 + 0.05 * rng.standard_normal(shape)
        count = np.round(np.broadcast_to(memorized, shape) * spread * generated)
        share, distance = count / generated, np.broadcast_to(frechet, shape) * spread
        half = 2 * np.sqrt((share + 0.5 / generated) / generated)
        rows = [share, np.maximum(share - half, 0), share + half, distance, 1.2 * np.sqrt(distance), 0.5 + 3 * share]
        rows += [0.01 + share, 0.1 + 2 * share]
        return np.stack(rows, axis=-1)

    late = when[None, None, :]  # (seed, variant, distill_time)
    few = 0.13 * (1 - 1 / np.array(steps)) ** 2 + 0.0003
    student = quality(seeds, v, t, memorized=0.001 + 0.012 * late, frechet=0.05 + 0.04 * late)
    half = student * (1 + 0.02 * rng.standard_normal(student.shape))
    error = np.where(np.isin(QUALITY, QUALITY[1:3]), np.nan, 0.02 * np.abs(student) + 1e-4)
    teacher = quality(seeds, memorized=0.14, frechet=0.11)
    remains = {"gen": 1.0, "main": 0.75, "mini": 0.6, "null": 0.1, "zero": 0.0}
    level = np.arange(1, levels + 1) / levels
    energy = np.stack([10 ** (1 - PARTS.index(b) / 2) * (1 + level) for b in parts], axis=-1)
    fallen = np.stack([remains[b] ** (np.outer(when, 1 + level)) for b in parts], axis=-1)
    suppression = fallen * (1 + 0.02 * rng.standard_normal((seeds, v, t, levels, len(parts))))
    ridges = np.array(leakage_ridges)
    shares = np.stack(
        [LEAKING.get(b, sum(LEAKING.values()) if b == "gen" else 0.0) / (1 + 12 * ridges**2) for b in parts], axis=-1
    )
    leakage = shares[:, None, :] * (1 + 0.3 * rng.standard_normal((seeds, r, levels, 1)) ** 2)
    leakage[:, :, 0] = np.nan
    whole = np.broadcast_to(shares, (seeds, r, len(parts))) * (1 + 0.02 * rng.standard_normal((seeds, 1, 1)))
    below = np.where(whole[:, :, parts.index("gen")] < threshold, ridges, np.inf).min(axis=1)
    own = ("seed", "variant", "distill_time")
    variables = {
        "diffusion_time": ("grid", np.geomspace(0.02, 3, levels + 1)),
        "teacher": (("seed", "quality"), teacher),
        "teacher_error": (("seed", "quality"), np.where(np.isin(QUALITY, QUALITY[1:3]), np.nan, 0.02 * teacher)),
        "early_teacher": (("seed", "quality"), quality(seeds, memorized=0.0005, frechet=0.02)),
        "reference": (("seed", "quality"), quality(seeds, memorized=0.0004, frechet=0.002)),
        "student": ((*own, "quality"), student),
        "student_half": ((*own, "quality"), half),
        "student_error": ((*own, "quality"), error),
        "student_moved": ((*own, "quality"), (np.abs(half - student) > error).astype(np.int8)),
        "early_student": ((*own, "quality"), quality(seeds, v, t, memorized=0.0003, frechet=0.015 + 0.01 * late)),
        "regression": ((*own, "quality"), quality(seeds, v, t, memorized=0.002 + 0.02 * late, frechet=0.06)),
        "teacher_steps": (("seed", "steps", "quality"), quality(seeds, s, memorized=few, frechet=0.1)),
        "student_steps": (
            (*own, "steps", "quality"),
            quality(seeds, v, t, s, memorized=0.6 * few * late[..., None] + 0.001, frechet=0.09),
        ),
        "teacher_energy": (("seed", "level", "part"), np.broadcast_to(energy, (seeds, *energy.shape))),
        "student_energy": ((*own, "level", "part"), energy * suppression),
        "suppression": ((*own, "level", "part"), suppression),
        "suppression_half": ((*own, "level", "part"), 1.01 * suppression),
        "suppression_error": ((*own, "level", "part"), 0.02 * suppression),
        "suppression_moved": ((*own, "level", "part"), np.zeros(suppression.shape, np.int8)),
        "teacher_train": (("seed", "level"), np.tile(0.1 + 0.5 * level, (seeds, 1))),
        "teacher_test": (("seed", "level"), np.tile(2.0 - level, (seeds, 1))),
        "student_train": ((*own, "level"), np.tile(0.2 + 0.5 * level, (seeds, v, t, 1))),
        "student_test": ((*own, "level"), np.tile(1.5 - 0.5 * level, (seeds, v, t, 1))),
        "student_map_error": ((*own, "level"), np.tile(0.1 * level, (seeds, v, t, 1))),
        "leakage": (("seed", "ridge", "level", "part"), leakage),
        "leakage_all": (("seed", "ridge", "part"), whole),
        "leakage_all_half": (("seed", "ridge", "part"), 1.1 * whole),
        "leakage_all_error": (("seed", "ridge", "part"), 0.05 * whole),
        "leakage_all_moved": (("seed", "ridge", "part"), np.ones(whole.shape, np.int8)),
        "gamma_star": ("seed", np.where(np.isfinite(below), below, np.nan)),
        "eigenvalue": (("seed", "level", "feature"), np.tile(np.geomspace(1e-3, 30, p), (seeds, levels, 1))),
        "feature_part": (
            "feature",
            np.repeat([PARTS.index(b) for b in parts], list(counts.values())).astype(np.int32),
            {"flag_values": list(range(len(PARTS))), "flag_meanings": " ".join(PARTS)},
        ),
    }
    if instability:
        variables["instability"] = (("seed", "level", "feature"), 0.03 * np.ones((seeds, levels, p)))
    if transfer:
        stays = np.where(np.eye(len(parts), dtype=bool), 0.9, 0.02)
        handed = np.broadcast_to(stays, (seeds, r, levels, len(parts), len(parts))).copy()
        handed[:, :, 0] = np.nan
        variables["transfer"] = (("seed", "ridge", "level", "source", "part"), handed)
    if samples:
        points = rng.standard_normal((seeds, n, d))
        variables["training_point"] = (("seed", "point", "coordinate"), points)
        for count, teachers, students in (("all", "", "_all"), ("one", "_one", "")):
            words = {"long_name": f"samples, in {count} step{'s' * (count == 'all')}"}
            drawn = rng.standard_normal((seeds, samples, d)), rng.standard_normal((seeds, v, t, samples, d))
            variables[f"teacher_sample{teachers}"] = (("seed", "sample", "coordinate"), drawn[0], words)
            variables[f"student_sample{students}"] = ((*own, "sample", "coordinate"), drawn[1], words)
    coords = {
        "seed": list(draws),
        "level": np.arange(1, levels + 1),
        "part": parts,
        "variant": list(variants),
        "distill_time": np.array(distill_times, dtype=float),
        "ridge": ridges,
        "steps": steps,
        "quality": QUALITY,
    }
    kept = told(
        problem, sizes, seed=seed, seeds=seeds, levels=levels, distill_times=distill_times, variants=[{}] * v,
        leakage_ridges=leakage_ridges, threshold=threshold, generated=generated,
    )  # fmt: skip
    data = xr.Dataset(variables, coords=coords).assign_attrs(undefined=store.canonical(undefined or {}))
    return store.label(data, "distill", kept, wall_time=1.0)


def told(problem: Problem, sizes: Sizes, *, seed: int = 0, seeds: int = 1, **options: Any) -> dict[str, Any]:
    """The settings of such a result."""
    found = origins.settings(problem, origins.source(problem), sizes, seed=seed, seeds=seeds)
    found.pop("diffusion_time")
    draws = int(options.get("draws", "20p").removesuffix("p")) * sizes.features
    student = {"ridge": problem.ridge, "parameterization": "ddim", "start": "teacher", "target": "sequential"}
    return found | {
        "distill_times": [10.0, 1e3, 1e5], "levels": 20, "time_min": 0.02, "time_max": 3.0, "teacher_time": 1e8,
        "early_time": 100.0, "teacher_ridge": 0.0, "trainer": "flow", "solver": "ddim", "sampler": "ddim",
        "student_features_per_dim": None, "distill_data": "train", "leakage_ridges": [0.0, 1.0], "threshold": 0.01,
        "generated": 2000, "samples": 0,
    } | options | {"draws": draws, "variants": [student | one for one in options.get("variants", [{}])]}  # fmt: skip


def _doubling(levels: int) -> list[int]:
    """1, 2, 4, … and `levels`."""
    powers = [2**k for k in range(levels.bit_length()) if 2**k < levels]
    return [*powers, levels]
