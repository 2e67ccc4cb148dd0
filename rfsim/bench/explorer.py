"""The row of the explorer: what a reader waits for after a control moved, browser and network left out."""

from __future__ import annotations

import time

import numpy as np

from rfsim.bench.rows import BenchRow, Case, as_row
from rfsim.explorer import training
from rfsim.explorer.parts import Refused
from rfsim.explorer.training import numbers

# between which parts stand apart and where eigenvalues do not reach down to 0
MOVED = ("samples_per_dim", "features_per_dim", "diffusion_time", "ridge", "train_time")


def redraw(case: Case) -> BenchRow:
    """Choices of the first tab never seen before, theory and pictures; 95% of them take less. Against solving alone."""
    tab, random = training.TAB, np.random.default_rng(0)
    steps = {control.name: control.steps[1:-1] for control in tab.controls}
    start = {control.name: control.start for control in tab.controls}
    for one in tab.prepare(lambda done, total: None):
        tab.view(*one)
    whole, solved, moved = [], [], []
    for _ in range(case.choices):
        texts = start | {name: str(random.choice(steps[name])) for name in MOVED}
        choice = tab.read(texts)
        try:
            before = time.perf_counter()
            numbers.shown(choice)
            solved.append(time.perf_counter() - before)
            tab.view(choice, "wide")
            whole.append(time.perf_counter() - before)
            before = time.perf_counter()
            tab.view(choice._replace(train_time=float(random.choice(numbers.STEPS))), "wide")
            moved.append(time.perf_counter() - before)
        except Refused:
            continue
    late, median = np.quantile(whole, [0.95, 0.5])
    size = (
        f"choices={len(whole)}: median {1e3 * median:.0f} ms, 95% within {1e3 * late:.0f} ms; train_time alone moved "
        f"95% within {1e3 * np.quantile(moved, 0.95):.0f} ms"
    )
    return as_row("explorer-redraw", size, float(late), float(np.quantile(solved, 0.95)), "the theory alone, 95%")
