"""Losses and timescales of each class of the data, as labelled variables over `class` (equations.md §12)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.checking import notes
from rfsim.learning import curves, timescales
from rfsim.learning.protocol import Spectrum, Target
from rfsim.learning.trainers import TrainerFilter
from rfsim.problem.classes import ClassTable

if TYPE_CHECKING:
    from rfsim.results.runs import Run
    from rfsim.sample.spectra import Solved

LONG_NAMES = {
    "train_class": "L_train over the class's training points",
    "test_class": "L_test over the class",
    "gen_class": "L_gen of the class",
}
SHOWN = 3  # classes in a message
TIMES = {"tau_gen_class": "τ_gen of the class's L_test", "tau_mem_class": "τ_mem of the class's L_gen"}


def class_datasets(
    run: Run, solved: Solved, tau: NDArray[np.float64], trainers: Sequence[TrainerFilter]
) -> list[xr.Dataset]:
    """One seed's losses and timescales by class of each trainer; nothing where there are no classes, or no targets.

    One class is seen at a time: each has a p × p matrix of its population and one of its training points. A class
    without a training point has no L_train, one of which no row is held out no L_test.
    """
    spectrum = solved.spectrum
    found: list[list[xr.Dataset]] = [[] for _ in trainers]
    for population, training in solved.classes:
        for several, trainer in zip(found, trainers, strict=True):
            lam = np.asarray(spectrum.points)
            grid = timescales.time_grid(lam[lam > 0] + trainer.ridge, run.kappa)
            several.append(of_class(spectrum, population, training, tau, trainer, grid))
    if run.classes is None or not all(found):
        return [xr.Dataset() for _ in trainers]
    return [labelled(several, run.classes) for several in found]


def without_rows(run: Run, data: xr.Dataset) -> xr.Dataset:
    """The same result, with what is said of labels that have no training or no held-out rows in some seed."""
    for name, words in (("train_class", "training"), ("test_class", "held-out")) if run.origin.labels else ():
        missing = data[name].isnull().all("train_time").transpose("class", "seed").values
        told = [
            f"{one} in seed {', '.join(map(str, data.seed.values[row]))}"
            for one, row in zip(data["class"].values, missing, strict=True)
            if row.any()
        ]
        if told:
            listed = "; ".join(told[:SHOWN]) + "; …" * (len(told) > SHOWN)
            note = f"a class without {words} rows has no {name}, which is NaN: class {listed}"
            notes.say(note)
            data[name].attrs["note"] = note
    return data


def of_class(
    spectrum: Spectrum,
    population: Target | None,
    training: Target | None,
    tau: NDArray[np.float64],
    trainer: TrainerFilter,
    grid: NDArray[np.float64],
) -> xr.Dataset:
    """One class: its losses at tau (times,), and its times by the curve route, searched along a grid of times."""
    at = curves.remembered(lambda times: curves.class_curves(spectrum, population, training, times, trainer))
    found = at(tau)
    gen_time = None if population is None else timescales.gen_time_of_curve(at, grid)
    mem_time = None if population is None or training is None else timescales.mem_time_of_curve(at, grid)
    values = dict(zip(LONG_NAMES, (found.train, found.test, found.gen), strict=True))
    times = dict(zip(TIMES, (gen_time, mem_time), strict=True))
    return xr.Dataset(
        {name: ("train_time", np.asarray(one)) for name, one in values.items()}
        | {name: ((), np.nan if one is None else one) for name, one in times.items()}
    )


def labelled(several: Sequence[xr.Dataset], classes: ClassTable) -> xr.Dataset:
    """The classes along one dimension, with their names, shares and variances."""
    data = xr.concat(several, "class")
    for name, long in {**LONG_NAMES, **TIMES}.items():
        data[name].attrs.update(long_name=long, units="1")
    own = {
        "class_share": (classes.shares, "share of the class"),
        "class_variance": (classes.variances, "variance of the class"),
    }
    return data.assign_coords(
        {"class": classes.names}
        | {name: ("class", values, {"long_name": long, "units": "1"}) for name, (values, long) in own.items()}
    )
