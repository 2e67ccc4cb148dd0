"""A checkout whose stored results are written by hand: two experiments, one with seeds, and a figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from rfsim import reproduce
from rfsim.disk import store

SEEDED = '''
"""Do <values> & seeds agree?"""
from rfsim import Problem
from rfsim.claims import Claim, Judgment, compared, decide
from rfsim.reproduce import Cell

FIGURES = {"toy": "nobody 2026, Fig. 0: x < y & z"}
SECONDS = {"quick": 2, "paper": 600}

def cells(size):
    problem = Problem(samples_per_dim={"quick": 2, "paper": 3}[size])
    return [Cell("draws", "train", problem, {"seeds": 5}), Cell("limit", "theory.curves", problem, {})]

def mean(results):
    value = float(results["draws"].value.mean())
    return Judgment(f"mean {value:.3g}", 0.1, decide(value > 1))

def theory(results):
    return Judgment(f"limit {float(results['limit'].value):.3g}", None, decide(float(results["limit"].value) > 0))

CLAIMS = (
    Claim("toy-mean", "the mean is > 1 & <b>not</b> less", "nobody 2026; equations.md §9.2", "above 1 | 2", mean),
    Claim("toy-limit", "the limit is positive", "equations.md §9.1, §9.5", "above 0", theory),
)
'''
DRAWING = """
from rfsim.plotting import canvas

def toy(results):
    figure, axes = canvas()
    axes[0, 0].plot(results["draws"].value.values)
    return figure

DRAW = {"toy": toy}
"""


def build(root: Path) -> None:
    """The checkout, with nothing stored."""
    for folder in ("experiments", "figures", "rfsim"):
        (root / folder).mkdir()
    for name, text in (("10_toy", SEEDED), ("11_other", SEEDED.replace("toy", "other"))):
        (root / "experiments" / f"{name}.py").write_text(text)
        (root / "figures" / f"{name}.py").write_text(DRAWING.replace("toy", name[3:]))


def change(root: Path, before: str, after: str, folder: str = "experiments") -> None:
    """Another text in a file of the first experiment."""
    file = root / folder / "10_toy.py"
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after))


def fill(root: Path, size: str = "quick", draws=(2.0, 2.5, 3.0, 2.2, 2.8), name: str = "10_toy", **attributes) -> None:
    """Store both cells of an experiment at one size."""
    experiment = next(one for one in reproduce.experiments(root) if one.name == name)
    values = {"draws": xr.DataArray(np.array(draws), dims="seed"), "limit": xr.DataArray(1.0)}
    for cell in experiment.cells(size):
        data = store.label(xr.Dataset({"value": values[cell.label]}), "train", {}, wall_time=1.5)
        told = {"cell": cell.key(), "code_digest": reproduce.code_digest(cell), "cell_seconds": 2.0}
        store.save(data.assign_attrs(told | attributes), reproduce.cell_path(root, experiment, size, cell))


def path_of(root: Path, label: str = "draws", size: str = "quick") -> Path:
    return root / "experiments" / "out" / f"10_toy-{size}" / f"{label}.nc"
