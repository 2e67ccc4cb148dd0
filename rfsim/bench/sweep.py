"""Rows of sweeps: a plane of the limit, what a sampled cell costs beside its own work, workers, and planning."""

from __future__ import annotations

import itertools
import tempfile
import time
import tracemalloc
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rfsim.bench.rows import BenchRow, Case, as_row
from rfsim.problem.model import Problem
from rfsim.sampled.train import train
from rfsim.sweeps.checks import require_possible
from rfsim.sweeps.front import sweep
from rfsim.sweeps.request import prepare
from rfsim.sweeps.spec import read
from rfsim.sweeps.summary import decompositions
from rfsim.theory import diagram, gamma_star

LARGEST = 64.0  # ψ of the plane's far corner
TIMES = (1e3, 1e4)
SMALL = {"dim": 4, "samples_per_dim": 2.0, "features_per_dim": 4.0}  # a cell that costs next to nothing


def plane(case: Case) -> BenchRow:
    """A plane of the limit from spec to dataset, programs compiled and stored, against the map alone."""
    cells = case.swept.plane
    axis = {"log": [1.0, LARGEST], "points": cells}
    spec = {
        "command": "theory.curves",
        "axes": {"samples_per_dim": axis, "features_per_dim": axis, "train_times": TIMES},
    }
    seconds = _seconds(spec)
    values = np.geomspace(1.0, LARGEST, cells).tolist()
    started = time.perf_counter()
    diagram(Problem(), samples_per_dim=values, features_per_dim=values, train_times=TIMES)
    floor = time.perf_counter() - started
    return as_row("sweep-plane", f"cells={cells}x{cells} times={len(TIMES)}", seconds, floor, "rfsim.theory.diagram")


def enough(case: Case) -> BenchRow:
    """A plane of γ⋆ of one step of the limit in one process, against the same calls of `rfsim.theory.gamma_star`."""
    cells, next_time = case.swept.steps, case.diffusion_time / 2
    axis = np.geomspace(4.0, LARGEST, cells).tolist()
    spec = {
        "command": "theory.gamma_star",
        "problem": {"diffusion_time": case.diffusion_time, "next_time": next_time},
        "axes": {"samples_per_dim": axis, "features_per_dim": axis},
    }

    def alone() -> None:
        for psi_n, psi_p in itertools.product(axis, axis):
            gamma_star(
                Problem(samples_per_dim=psi_n, features_per_dim=psi_p, diffusion_time=case.diffusion_time), next_time
            )

    started = time.perf_counter()
    alone()
    first = time.perf_counter() - started
    seconds = _seconds(spec)
    started = time.perf_counter()
    alone()
    floor = time.perf_counter() - started
    size = f"cells={cells}x{cells} to={next_time:g}, compiled and computed in {first:.3g} s"
    return as_row("sweep-gamma-star", size, seconds, floor, "rfsim.theory.gamma_star alone")


def overhead(case: Case) -> BenchRow:
    """Small sampled cells, one group each, against the same calls of `rfsim.train`; the size says what a cell adds."""
    cells = case.swept.cells
    spec = {"command": "train", "problem": SMALL, "axes": {"seed": {"range": [0, cells]}, "train_times": TIMES}}
    problem = Problem(samples_per_dim=SMALL["samples_per_dim"], features_per_dim=SMALL["features_per_dim"])

    def alone() -> None:
        for seed in range(cells):
            train(problem, TIMES, dim=int(SMALL["dim"]), seed=seed)

    for compiled in (alone, partial(_seconds, spec)):
        compiled()
    seconds = _seconds(spec)
    started = time.perf_counter()
    alone()
    floor = time.perf_counter() - started
    size = f"cells={cells} d={SMALL['dim']}: {1e3 * (seconds - floor) / cells:.3g} ms a cell more"
    return as_row("sweep-overhead", size, seconds, floor, "rfsim.train alone")


def workers(case: Case) -> BenchRow:
    """Two processes of one thread each, against half of the time of one; both start anew."""
    groups = case.swept.groups
    problem = {"dim": case.dim, "features_per_dim": case.features / case.dim / 4}
    spec = {"command": "train", "problem": problem, "axes": {"seed": {"range": [0, groups]}, "train_times": TIMES}}
    one, two = (_seconds(spec, workers=count, executor="processes") for count in (1, 2))
    size = f"groups={groups} d={case.dim} p={case.features // 4}: one worker takes {one / two:.3g} times as long"
    return as_row("sweep-workers", size, two, one / 2, "half of the time of one worker")


def planning(case: Case) -> BenchRow:
    """A square grid of sampled cells: read, checked, its decompositions counted, against only listing its cells.

    Memory is what Python allocated at its peak.
    """
    axis = {"log": [1.0, LARGEST], "points": case.swept.side}
    spec = {
        "command": "train",
        "problem": {"dim": 50},
        "axes": {"samples_per_dim": axis, "features_per_dim": axis, "train_times": TIMES},
    }
    read(spec)
    started = time.perf_counter()
    planned = prepare(spec).plan
    require_possible(planned)
    count = decompositions(planned)
    seconds = time.perf_counter() - started
    tracemalloc.start()
    require_possible(prepare(spec).plan)
    memory = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    started = time.perf_counter()
    listed = sum(1 for _ in np.ndindex(*planned.shape))
    floor = time.perf_counter() - started
    size = f"cells={listed} groups={planned.groups} decompositions={count}"
    return as_row("sweep-planning", size, seconds, floor, "only listing the cells", memory)


def _seconds(spec: Mapping[str, Any], **how: Any) -> float:
    with tempfile.TemporaryDirectory() as scratch:
        started = time.perf_counter()
        sweep(spec, Path(scratch) / "sweep.zarr", **how)
        return time.perf_counter() - started
