"""Sweeps of every quantity in the form that it is stored in, of invented numbers: each variable over its dimensions."""

from __future__ import annotations

import numpy as np
import xarray as xr

from rfsim.problem.ranks import PARTS
from rfsim.quantities.parameters import GIVEN
from rfsim.quantities.posterior import ERRORS, TRUTH
from rfsim.quantities.theory_distill import CONSTANTS as STEP_CONSTANTS
from rfsim.quantities.theory_generated import MEASURES
from rfsim.quantities.theory_split import AGAINST
from rfsim.sweeps.cells import MERGED
from tests.sweeps.synthetic import coordinate, labelled

QUALITY = ["memorized_fraction", "memorized_low", "memorized_high", "frechet_per_dim"]
LABELS = {
    "part": list(PARTS),
    "other": list(PARTS),
    "gen_route": ["formula", "spectrum", "curve"],
    "mem_route": ["formula", "main", "mini", "curve"],
    "train_time": [10.0, 1e3],
    "distill_time": [10.0, 1e3],
    "quality": QUALITY,
    "steps": [1, 2],
    "level": [1, 2],
    "leakage_ridge": [0.0, 1.0],
    "ridge": [1e-3, 0.1],
    "end": ["smallest", "largest"],
    "form": ["rho_1", "rho_2"],
    "eigenvalue": [0.1, 0.2, 0.4],
    "step": [0, 1, 3],
    "way": ["steps", "one_jump"],
    "quantile": [0.05, 0.5, 0.95],
    "question": [0, 1],
    "diffusion_time": [0.1, 0.5],
    "feature_ratio": [2.0, 30.0],
    "sample_ratio": [2.0, 30.0],
}
CONSTANTS = {"": "a b v2 s2"}
PARTS_TABLE = {"part": "mass mean lower upper gap_below"}
SAMPLE = {
    "feature": "eigenvalue feature_part",
    "part": "count mass lower upper gap_below merged",
    "": "a b v2 s2 orders",
}
LOSSES = "train train_penalized test emp score gen cross bias2 variance"
# by quantity: dimensions beside the axes of the plane → variables, as `rfsim.sweep` stores them
OWN: dict[str, dict[str, str]] = {
    "train": SAMPLE
    | {"train_time": LOSSES, "gen_route": "tau_gen", "mem_route": "tau_mem", "part train_time": "energy"},
    "spectrum": SAMPLE,
    "density": CONSTANTS
    | {
        "probe step": "node weight node_residual",
        "part": "mass mass_error mass_change rank_mass mass_from mass_to",
        "end": "edge edge_residual",
        "point": "density eigenvalue",
    },
    "advise": {
        "diffusion_time question": "value error",
        "diffusion_time train_time": "train test check_test sample_test sample_test_error",
    },
    "simulate": {
        "step": "train test gen exact_train exact_test train_time script_time",
        "": "limit rounding rate",
    },
    "distill": {
        "quality": "reference teacher teacher_error early_teacher",
        "steps quality": "teacher_steps",
        "distill_time quality": "student student_half student_error student_moved early_student regression",
        "distill_time steps quality": "student_steps",
        "distill_time": "split_student student_to_own student_to_other",
        "steps": "split_teacher_steps",
        "level part": "teacher_energy",
        "distill_time level part": "student_energy suppression suppression_half suppression_error suppression_moved",
        "level": "teacher_train teacher_test",
        "distill_time level": "student_train student_test student_map_error",
        "leakage_ridge level part": "leakage",
        "leakage_ridge part": "leakage_all leakage_all_half leakage_all_error leakage_all_moved",
        "": "gamma_star",
        "level feature": "eigenvalue",
        "feature": "feature_part",
        "grid": "grid_time",
    },
    "posterior": {"train_time": ERRORS, "": TRUTH},
    "theory.curves": {"train_time": "train test gen score", "": "error nodes tau_mem tau_mini"},
    "theory.spectrum": CONSTANTS
    | PARTS_TABLE
    | {"form": "large_mass large_lower large_upper", "eigenvalue": "density density_residual"},
    "theory.ridge": {"ridge": "train train_penalized test emp score bias2 variance", "": "best_ridge best_test"},
    "theory.distill": {
        "step": f"from_time to_time {STEP_CONSTANTS} gamma_star floor kappa gamma_star_closed closed_valid",
        "step ridge": "leakage gain leakage_closed",
        "step ridge part": "share",
        "step part": "instability teacher_energy",
        "distill_time ridge step": "train test map_error",
        "distill_time ridge step part": "student_energy suppression",
    },
    "theory.gamma_star": {"": "gamma_star leakage floor gamma_star_closed leakage_closed kappa"},
    "theory.generated": {
        "way train_time": MEASURES,
        "way train_time quantile": "variance_quantile",
        "level train_time": "level_time level_score",
    },
    "theory.conditions": CONSTANTS
    | {
        "feature_ratio": f"train train_penalized test score {GIVEN} mean_error_linear predictive_variance_linear",
        "": "true_test true_predictive_variance true_residual_error",
    },
    "theory.split": {
        "direction": "across population variance mass",
        "sample_ratio": AGAINST,
        "": "across_all population_all variance_all kappa",
    },
    "theory.score_minimum": CONSTANTS | {"": "score final train_time error a b v2 s2"},
    "theory.mini_gap": CONSTANTS | {"": "opening opening_large a b v2 s2"},
}
# theory.curves by other trainers or by part is computed cell by cell, and holds what `theory.curves` does
BY_PART = PARTS_TABLE | {
    "train_time": f"{LOSSES} error part_error",
    "part train_time": "energy train_part train_without test_without",
    "part other train_time": "test_pair",
    "gen_route": "tau_gen",
    "mem_route": "tau_mem",
    "": "nodes a b v2 s2",
}
AXES = {
    "theory.conditions": ("samples_per_dim", "diffusion_time"),
    "theory.mini_gap": ("samples_per_dim", "diffusion_time"),
    "theory.split": ("samples_per_dim", "time_max"),
}


def stored(command: str, own: dict[str, str] | None = None) -> xr.Dataset:
    """A sweep of a quantity over a plane, 3 × 2, and of a sample over two seeds."""
    plane = AXES.get(command, ("samples_per_dim", "features_per_dim"))
    axes = (*plane, *(() if command.startswith("theory") else ("seed",)))
    values = {"samples_per_dim": [2.0, 4.0, 8.0], "features_per_dim": [4.0, 16.0], "seed": [0, 1]}
    values |= {"diffusion_time": [0.1, 0.5], "time_max": [2.0, 4.0]}
    sizes = {name: len(values[name]) for name in axes}
    rng = np.random.default_rng(0)
    variables, coords = {}, {name: coordinate(name, values[name]) for name in axes}
    for dims, names in (own or OWN[command]).items():
        beside = dims.split()
        labels = LABELS | {"part": list(MERGED)} if command in ("density", "theory.distill") else LABELS
        coords |= {dim: coordinate(dim, labels[dim]) for dim in beside if dim in labels}
        shape = [*sizes.values(), *(len(labels.get(dim, range(3))) for dim in beside)]
        for name in names.split():
            variables[name] = ((*axes, *beside), 10 ** rng.uniform(-2, 0, shape), {"long_name": name, "units": "1"})
    given = ("train_time", "distill_time", "leakage_ridge", "ridge", "eigenvalue")
    lists = [name for name in given if name in coords and name not in variables]
    data = xr.Dataset(variables, coords=coords)
    made = labelled(data, command, axes=(*axes, *lists), problem={} if command.startswith("theory") else {"dim": 6})
    cells = made.isel(dict.fromkeys(lists, 0))  # marks are over the cells of the plane and seeds alone
    return made.assign({name: cells[name].drop_vars(lists) for name in ("status", "reason", "residual", "seconds")})
