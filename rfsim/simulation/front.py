"""`rfsim.simulate`: stochastic training of a sampled teacher as one labelled result, beside its filter."""

from __future__ import annotations

import json
import math
import time
import warnings
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import xarray as xr
from numpy.typing import ArrayLike

from rfsim import parallel
from rfsim.machine import require_memory
from rfsim.model import Problem, instance, real, whole
from rfsim.parallel import Layout
from rfsim.precision import in_float64
from rfsim.runs import Report, Run, keeping
from rfsim.simulation.course import follow, prepare
from rfsim.simulation.keeper import Keeper, require_usable
from rfsim.spectra import Method
from rfsim.training import clocks
from rfsim.training.loop import MOST_STEPS
from rfsim.training.optimizers import PLAIN
from rfsim.training.simulate import Simulation, recorded_steps

FULL = "full"
SHARE = 0.5  # of the largest stable rate, where none is given


@in_float64
def simulate(
    problem: Problem,
    *,
    steps: int = 1000,
    devices: int | None = None,
    exact: bool = True,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    checkpoint_minutes: float = 10.0,
    dim: int | None = None,
    seed: int = 0,
    seeds: int = 1,
    array: ArrayLike | None = None,
    center: bool = True,
    scale: str = "global",
    model: str = "real",
    moments: str = "exact",
    report: Report | None = None,
    **options: Any,
) -> xr.Dataset:
    """Train read-outs from zero by a stochastic optimizer on the real features, and judge them without noise (T1).

    Among `options`, all with defaults (`setting`) — optimizer: an optax optimizer by name, its settings after a colon
    ("sgd:momentum=0.9"); rate η of its steps on A = √p Ā, which for plain "sgd" are train_time η/d² each
    (`rfsim.training.clocks`); None takes SHARE of the largest stable rate of plain descent on the first seed's U.
    batch: draws per step, with replacement, or "full", every one once. noise: "fresh" at every step, or "frozen": the
    problem's noise_copies, where inf averages exactly and takes the full batch; None for what noise_copies imply. ema:
    decay per step of a moving average of the weights, which is judged in their place. precision: "float64" or "float32"
    of the loop; losses are always judged in float64. products: JAX's precision of matrix products, "highest", "high" or
    "default".

    devices: how many the features are divided over; None for one, or for those of all processes where there are several
    (`rfsim.parallel.join`). exact: also the filter's losses. checkpoint: a folder for states,
    saved every checkpoint_minutes, at the end and, of one process, at Ctrl-C, from which `resume` goes on to the same
    bits; the rest as in `rfsim.spectrum`.

    Returns, at 0, log-spaced steps and the last one, train, test, gen (seed, step): L_train over the draws that
    training sees (their exact average where noise is fresh), L_test over the population; train_time and script_time
    (step); exact_train, exact_test (seed, step), those of the filter that describes the mean of plain descent, NaN for
    other optimizers; rate; limit (seed), the largest stable η of plain descent; rounding (seed), the relative error
    of a gradient at the last weights by the precision of the run. Rows after a divergence are NaN, and the attribute
    `diverged` says where it was.

    Warns of a rate above the stable limit. Raises ValueError for settings that do not fit together, MemoryError before
    allocating, and store.StoreError for a checkpoint folder of another run.

    >>> import rfsim
    >>> result = simulate(rfsim.Problem(2, 4, noise_copies=3), steps=20, dim=5)
    >>> bool(abs(result.train - result.exact_train).max() < 1e-12)
    True
    """
    started = time.perf_counter()
    asked = setting(problem, **options)
    identity = settings(problem, **options)
    steps = whole("steps", steps, 1)
    if steps > MOST_STEPS:
        raise ValueError(f"steps must be at most 2^31 - 1; got {steps}")
    if not real("checkpoint_minutes", checkpoint_minutes) > 0:
        raise ValueError(f"checkpoint_minutes must be positive; got {checkpoint_minutes:g}")
    if resume and checkpoint is None:
        raise ValueError("resume goes on from a checkpoint; give the folder where it lies")
    if (model, moments) != ("real", "exact"):
        raise ValueError(
            "simulate trains the real features and judges them by exact moments; "
            f"got model {model}, moments {moments}: rfsim.train has the others"
        )
    run = Run(problem, dim, seed, seeds, array, center, scale, report, method=Method(), copies=0)
    layout = parallel.layout(number_of_devices(devices), run.sizes.features)
    _require_memory(run, asked, layout, exact)
    stops, rate = recorded_steps(steps), identity["rate"]
    folders = {} if checkpoint is None else {number: Path(checkpoint) / f"seed-{number}" for number in run.seeds}
    for folder in folders.values():
        require_usable(folder, layout, resume=resume)
    done: list[xr.Dataset] = []

    def result() -> xr.Dataset:
        data = xr.concat(done, dim="seed", join="exact", combine_attrs="drop")
        failed = {str(number): one.attrs["diverged"] for number, one in zip(run.seeds, done, strict=False)}
        told = {"diverged": {number: line for number, line in failed.items() if line}, "devices": layout.devices}
        data = data.assign_coords(seed=list(run.seeds[: len(done)]))
        data = data.assign(_clocks(run, stops, rate)).assign_attrs(
            {name: json.dumps(one) for name, one in told.items()}
        )
        return run.label(
            "simulate", data, identity | {"steps": steps, "devices": layout.count, "exact": exact}, started
        )

    with keeping(done, result):
        for number in run.seeds:
            draw = instance(problem, run.origin, run.sizes, number)
            tell = partial(run.tell, draw)
            about = {name: value for name, value in (run.settings | identity).items() if name != "seeds"}
            if identity["rate"] is None:  # then it is made of these
                about |= {"rate_from": {"seed": run.seeds[0], "exact": exact}}
            keeper = Keeper(
                folders.get(number),
                about | {"seed": number},
                layout,
                checkpoint_minutes,
                tell,
            )
            keeper.find(steps)
            prepared = prepare(problem, draw, run.delta, layout, exact, tell)
            rate = SHARE * prepared.limit if rate is None else rate
            if asked.plain and rate > prepared.limit:
                warnings.warn(
                    f"rate {rate:.6g} is above the largest stable one, {prepared.limit:.6g}, of plain descent at seed "
                    f"{number}: it will diverge along the largest eigenvalue of U",
                    stacklevel=3,
                )
            done.append(follow(prepared, replace(asked, rate=rate), stops, keeper, tell))
            del prepared  # p × p matrices of this seed, while those of the next are made
    return result()


def number_of_devices(asked: int | None) -> int:
    """What was asked for; where nothing was, one, but all of them over several processes."""
    return asked if asked is not None else jax.device_count() if jax.process_count() > 1 else 1


def setting(
    problem: Problem,
    *,
    optimizer: str = PLAIN,
    rate: float | None = None,
    batch: int | str = FULL,
    noise: str | None = None,
    ema: float = 0.0,
    precision: str = "float64",
    products: str = "highest",
) -> Simulation:
    """The checked settings of a simulation, rate 1 where none is given; ValueError, in one line, for others."""
    if noise is None:
        noise = "fresh" if math.isinf(problem.noise_copies) else "frozen"
    rows = None if batch == FULL else batch
    if isinstance(rows, str):
        raise ValueError(f"batch must be {FULL} or a whole number of draws; got {rows!r}")
    given = 1.0 if rate is None else real("rate", rate)
    asked = Simulation(optimizer, given, rows, real("ema", ema), noise, precision, products)
    if rate is None and not asked.plain:
        raise ValueError(f"optimizer {optimizer} needs a rate; only plain {PLAIN} has a stable limit to take it from")
    asked.check(problem)
    return asked


def settings(problem: Problem, *, rate: float | None = None, **options: Any) -> dict[str, Any]:
    """What a result of these options is identified by, beside the problem's own settings and the number of steps."""
    found = asdict(setting(problem, rate=rate, **options))
    batch, decay = found.pop("batch"), found.pop("decay")
    return found | {"rate": rate, "batch": FULL if batch is None else batch, "ema": decay}


def _clocks(run: Run, stops: ArrayLike, rate: float) -> dict[str, Any]:
    """The rate, and what a step is on the two clocks of plain descent."""
    clock = clocks.clock(stops, rate, run.sizes.dim, run.sizes.features)
    names = {"train_time": "training time τ of plain descent", "script_time": "time of B25's script"}
    found = {name: ("step", getattr(clock, name), {"long_name": text, "units": "1"}) for name, text in names.items()}
    return found | {"rate": ((), rate, {"long_name": "rate η of A = √p Ā"})}


def _require_memory(run: Run, asked: Simulation, layout: Layout, exact: bool) -> None:
    """Beside the matrices: a batch with its features, and the frozen draws where batches are taken of them.

    With `exact` one device holds whole matrices; without, every one its share of all that has features.
    """
    d, n, p = (float(size) for size in run.sizes)
    frozen = n * run.problem.noise_copies if asked.noise == "frozen" and not asked.averaged else 0.0
    rows = 0.0 if asked.averaged else (asked.batch or max(n, frozen))
    divided = (0 if exact else 4) * p**2 + 3 * rows * p + 12 * p * d
    whole_ = (11 if exact else 0) * p**2 + 3 * rows * d + 4 * frozen * d
    needed, each = (8 * (divided / parts + whole_) + 2**29 for parts in (layout.processes, layout.count))
    hint = "take fewer features, a smaller batch or fewer noise_copies" + (", or leave out the filter" if exact else "")
    require_memory(needed, f"training {p:.12g} features on {rows:.12g} draws a step", hint, each=each)
