"""Every kind of result that `rfsim.plot` draws, of invented numbers: small, with the dimensions of real ones."""

from __future__ import annotations

import numpy as np
import xarray as xr

from rfsim.disk import store
from rfsim.problem import origins
from rfsim.problem.model import Problem
from rfsim.problem.ranks import PARTS
from rfsim.quantities.theory_distill import CONSTANTS
from rfsim.quantities.theory_generated import MEASURES
from tests.distillation import synthetic as distilled
from tests.simulation import synthetic as simulated

TIMES = np.array([0.0, 1.0, 30.0, 1e3, 1e4, np.inf])
PROBLEM = Problem(samples_per_dim=2, features_per_dim=4)
GEN_ROUTES, MEM_ROUTES = ["formula", "spectrum", "curve"], ["formula", "main", "mini", "curve"]
STUDENT = ("train", "test", "map_error")
LOSSES = ("train", "test", "score", "gen", "train_penalized", "emp", "cross")


def sample(kind="train", *, dim=6, seed=0, seeds=2, by_part=False, krylov=False, montecarlo=False):
    """A training or a spectrum; the numbers of a seed do not depend on the others."""
    sizes = origins.resolve(PROBLEM, origins.source(PROBLEM), dim)
    p, parts = sizes.features, [*PARTS[1:]]
    draws = np.arange(seed, seed + seeds)
    bend = 1 + 0.05 * np.sin(7.0 * draws)[:, None]  # of each seed
    each = p // len(parts)
    base = np.repeat([0.01, 0.05, 0.4, 3.0], each) * np.tile(np.linspace(1, 2, each), len(parts))
    flags = {"flag_values": list(range(len(PARTS))), "flag_meanings": " ".join(PARTS)}
    variables = {name: ((), value) for name, value in (("a", 0.6), ("b", 0.26), ("v2", 0.01), ("s2", 0.01))}
    variables["residual"] = ("seed", np.full(seeds, 1e-15))
    coords = {"seed": draws}
    if not krylov:
        coords["part"] = parts
        edges = np.array([base[k * each : (k + 1) * each][[0, -1]] for k in range(len(parts))])
        variables |= {
            "eigenvalue": (("seed", "feature"), base * bend),
            "feature_part": ("feature", np.repeat(np.arange(1, 5), each).astype(np.int32), flags),
            "count": ("part", np.full(len(parts), each)),
            "mass": ("part", np.full(len(parts), 1 / len(parts))),
            "lower": (("seed", "part"), edges[:, 0] * bend),
            "upper": (("seed", "part"), edges[:, 1] * bend),
        }
    if kind == "train":
        fall = np.exp(-np.minimum(TIMES, 1e5) / 100)
        coords |= {"train_time": TIMES, "gen_route": GEN_ROUTES, "mem_route": MEM_ROUTES}
        variables |= {
            name: (("seed", "train_time"), (0.1 * k + (1 + k) * fall) * bend) for k, name in enumerate(LOSSES)
        }
        variables |= {
            "tau_gen": (("seed", "gen_route"), [5.0, 6.0, 7.0] * bend),
            "tau_mem": (("seed", "mem_route"), [500.0, 600.0, 700.0, 800.0] * bend),
            "bias2": ("train_time", fall),
            "variance": ("train_time", 1 - fall),
        }
        if not krylov:
            rise = (1 - fall) * np.arange(1, 5)[:, None]
            variables["energy"] = (("seed", "part", "train_time"), rise * bend[:, :, None])
        if by_part:
            variables["test_without"] = variables["energy"]
        if montecarlo:
            variables |= {f"{name}_error": (("seed", "train_time"), 0.01 * fall * bend) for name in LOSSES[:4]}
            variables["eigenvalue_error"] = (("seed", "feature"), 0.01 * base * bend)
    kept = origins.settings(PROBLEM, origins.source(PROBLEM), sizes, seed=seed, seeds=seeds)
    return store.label(xr.Dataset(variables, coords=coords), kind, kept, wall_time=1.0)


def density(*, seed=0, seeds=2):
    """Two parts of which one holds the mass of what no gap separates."""
    sizes = origins.resolve(PROBLEM, origins.source(PROBLEM), 6)
    draws = np.arange(seed, seed + seeds)
    bend = 1 + 0.05 * np.sin(7.0 * draws)[:, None]
    lam = np.geomspace(0.01, 10, 60)
    height = np.exp(-((np.log(lam / 0.1)) ** 2)) + 0.2 * np.exp(-((np.log(lam / 4)) ** 2))
    data = xr.Dataset(
        {
            "density": (("seed", "eigenvalue"), height * bend),
            "mass": (("seed", "part"), [0.7, 0.3] * bend),
            "mass_error": (("seed", "part"), [0.01, 0.02] * bend),
            "rank_mass": ("part", [0.75, 0.25]),
            "mass_from": ("part", [-np.inf, 1.0]),
            "mass_to": ("part", [1.0, np.inf]),
            "density_width": ((), 0.05),
            "node": (("seed", "probe", "step"), np.ones((seeds, 3, 4))),
        },
        coords={"seed": draws, "part": ["null+mini+main", "gen"], "eigenvalue": lam},
    )
    kept = origins.settings(PROBLEM, origins.source(PROBLEM), sizes, seed=seed, seeds=seeds)
    return store.label(data, "density", kept, wall_time=1.0)


def limit(kind="theory-curves"):
    """A spectrum of the limit, with losses or without: an atom, two parts of one interval each."""
    lam = np.concatenate([np.geomspace(0.0201, 0.9, 30), np.geomspace(2.01, 4.9, 30)])
    variables = {
        "density": ("eigenvalue", 1 / lam),
        "density_residual": ("eigenvalue", np.full(lam.size, 1e-15)),
        "mass": ("part", [0.25, 0.5, 0.25]),
        "lower": ("part", [0.013, 0.02, 2.0]),
        "upper": ("part", [0.013, 1.0, 5.0]),
        "interval_lower": ("interval", [0.013, 0.02, 2.0]),
        "interval_upper": ("interval", [0.013, 1.0, 5.0]),
        "interval_part": ("interval", np.arange(3, dtype=np.int32)),
        "a": ((), 0.6),
    }
    coords = {"eigenvalue": lam, "part": ["null", "mini+main", "gen"]}
    if kind == "theory-spectrum":
        variables |= {
            "large_density": ("large_eigenvalue", 1.1 / lam),
            "large_interval": ("large_eigenvalue", np.repeat([0, 1], 30)),
            "large_mass": ("form", [0.5, 0.25]),
        }
        coords |= {"large_eigenvalue": lam, "form": ["rho_1", "rho_2"]}
    else:
        fall = np.exp(-np.minimum(TIMES, 1e5) / 100)
        names = (*LOSSES, "bias2", "variance")
        variables |= {name: ("train_time", 0.1 * k + (1 + k) * fall) for k, name in enumerate(names)}
        variables |= {
            "energy": (("part", "train_time"), (1 - fall) * np.arange(1, 4)[:, None]),
            "tau_gen": ("gen_route", [5.0, 6.0, 7.0]),
            "tau_mem": ("mem_route", [500.0, 600.0, 700.0, 800.0]),
            "residual": ((), 1e-15),
        }
        coords |= {"train_time": TIMES, "gen_route": GEN_ROUTES, "mem_route": MEM_ROUTES}
    kept = origins.limit_settings(PROBLEM, origins.source(PROBLEM))
    return store.label(xr.Dataset(variables, coords=coords), kind, kept, wall_time=1.0)


def ridge():
    """Losses against four ridges, the best between them."""
    gamma = np.array([0.0, 1e-3, 1e-2, 1.0])
    losses = ("train", "train_penalized", "test", "emp", "score", "bias2", "variance")
    variables = {name: ("ridge", 1.0 + k + gamma) for k, name in enumerate(losses)}
    variables |= {"best_ridge": ((), 0.05), "best_test": ((), 0.9), "residual": ("ridge", np.full(4, 1e-15))}
    kept = {k: v for k, v in origins.limit_settings(PROBLEM, origins.source(PROBLEM)).items() if k != "ridge"}
    return store.label(xr.Dataset(variables, coords={"ridge": gamma}), "theory-ridge", kept, wall_time=1.0)


def limit_distill():
    """Two steps, of which the second knows mini and main as one part, at two distill_times."""
    gamma, ends, names = np.array([0.0, 0.01, 0.1, 1.0]), np.array([100.0, np.inf]), ["null", "mini", "main", "gen"]
    names.insert(2, "mini+main")
    known = np.array([[1, 1, 0, 1, 1], [1, 0, 1, 0, 1]], dtype=bool)
    fall = 1 / (1 + 30 * gamma) ** 2
    by_part = np.where(known, [1e-6, 0.4, 0.5, 0.1, 0.3], np.nan)
    variables = {name: ("step", [0.5, 0.7]) for name in CONSTANTS.split()}
    variables |= {"from_time": ("step", [0.1, 0.2]), "to_time": ("step", [0.05, 0.1])}
    variables |= {"gamma_star": ("step", [0.3, np.nan]), "gamma_star_closed": ("step", [0.25, 0.0])}
    variables |= {"floor": ("step", [1e-5, 0.1]), "kappa": ("step", [0.004, 0.4]), "closed_valid": ("step", [1, 0])}
    variables |= {name: (("step", "ridge"), k * fall * [[0.7], [0.9]]) for k, name in ((1, "leakage"), (4, "gain"))}
    variables["leakage_closed"] = (("step", "ridge"), 0.8 * fall * np.ones((2, 1)))
    variables["share"] = (("step", "ridge", "part"), by_part[:, None] * fall[:, None])
    variables |= dict.fromkeys(("instability", "teacher_energy"), (("step", "part"), 0.02 * by_part))
    loss = (1 + fall)[:, None] * [1.0, 0.8] * np.ones((2, 1, 1))
    variables |= {name: (("distill_time", "ridge", "step"), k * loss) for k, name in enumerate(STUDENT, 1)}
    energy = fall[:, None, None] * by_part * np.ones((2, 1, 1, 1))
    variables |= dict.fromkeys(("student_energy", "suppression"), (("distill_time", "ridge", "step", "part"), energy))
    variables["residual"] = ((), 1e-15)
    coords = {"step": [1, 2], "ridge": gamma, "distill_time": ends, "part": names, "diffusion_time": [0.05, 0.1, 0.2]}
    kept = origins.limit_settings(PROBLEM, origins.source(PROBLEM))
    kept = {name: value for name, value in kept.items() if name not in ("ridge", "diffusion_time")}
    kept |= {"diffusion_times": [0.05, 0.1, 0.2], "ridges": gamma.tolist(), "distill_times": [100.0, "inf"]}
    kept |= {"teacher_time": 1e4, "teacher_ridge": 0.1, "threshold": 0.01, "start": "zero"}
    return store.label(xr.Dataset(variables, coords=coords), "theory-distill", kept, wall_time=1.0)


def limit_generated():
    """Both ways of three teachers, one of them at τ = ∞, and one-step students at two distill_times."""
    tau, later, probability = np.array([10.0, 1e3, np.inf]), np.array([10.0, np.inf]), [0.05, 0.25, 0.5, 0.75, 0.95]
    rise = np.array([[0.06, 0.2, 0.6], [0.5, 0.55, 0.6]])
    shape = ("way", "train_time")
    variables = {name: (shape, k * rise) for k, name in enumerate(MEASURES.split(), 1)}
    variables["variance_quantile"] = ((*shape, "quantile"), rise[..., None] * np.array(probability))
    variables["recovered"], variables["truth"] = ((*shape, "direction"), rise[..., None]), ("direction", [1.0])
    variables["level_time"] = (("level", "train_time"), np.tile(tau, (2, 1)))
    variables["level_score"] = (("level", "train_time"), rise)
    student = ("distill_time", "student_way", "train_time")
    variables |= {
        f"student_{name}": (student, k * rise * [[[1.2]], [[1.1]]]) for k, name in enumerate(MEASURES.split(), 1)
    }
    variables["residual"] = ((), 1e-15)
    coords = {"way": ["steps", "one_jump"], "train_time": tau, "quantile": probability, "direction": [1.0]}
    coords |= {"level": [0.1, 0.5], "distill_time": later, "student_way": ["one_step", "two_steps"]}
    kept = origins.limit_settings(PROBLEM, origins.source(PROBLEM)) | {"features_per_dim": "inf"}
    kept.pop("diffusion_time")
    kept |= {"time_min": 0.02, "time_max": 0.5, "levels": 2, "sampler": "ddim", "train_schedule": "constant"}
    kept |= {"student": True, "train_times": [10.0, 1e3, "inf"], "distill_times": [10.0, "inf"]}
    return store.label(xr.Dataset(variables, coords=coords), "theory-generated", kept, wall_time=1.0)


def distill(*, seed=0, seeds=2):
    return distilled.dataset(
        dim=3, levels=4, seed=seed, seeds=seeds, variants=("a", "b"), instability=True, transfer=True, threshold=0.5
    )


def simulate(*, seed=0, seeds=2):
    return simulated.dataset(Problem(noise_copies=2), seed=seed, seeds=seeds)


MADE = {
    "train": sample,
    "train by krylov": lambda **seeds: sample(krylov=True, **seeds),
    "train by part": lambda **seeds: sample(by_part=True, **seeds),
    "train by Monte Carlo": lambda **seeds: sample(montecarlo=True, **seeds),
    "spectrum": lambda **seeds: sample("spectrum", **seeds),
    "density": density,
    "simulate": simulate,
    "distill": distill,
    "theory-curves": limit,
    "theory-spectrum": lambda: limit("theory-spectrum"),
    "theory-ridge": ridge,
    "theory-distill": limit_distill,
    "theory-generated": limit_generated,
}
SEEDED = [name for name in MADE if not name.startswith("theory")]
