"""`rfsim.simulate`: stochastic training of a sampled teacher as one labelled result, beside its filter."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Unpack

import jax
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.checking.scalars import real, whole
from rfsim.computing import parallel
from rfsim.computing.machine import require_memory
from rfsim.computing.parallel import DeviceLayout
from rfsim.computing.precision import in_float64
from rfsim.learning import clocks
from rfsim.problem.draws import Draw, DrawOptions, apart, defaults_of, told
from rfsim.problem.model import Problem
from rfsim.problem.realization import instance
from rfsim.quantities.meant import known_keywords
from rfsim.results.progress import FAILURES, Begin, Report, keeping
from rfsim.results.readouts import kept, require_readouts
from rfsim.results.runs import Run
from rfsim.sample.spectra import Averages, Method
from rfsim.simulation.checkpointing import Checkpointing, reserved
from rfsim.simulation.loop import MOST_STEPS
from rfsim.simulation.options import OptimizerOptions, draws_of, needed_bytes, setting, settings
from rfsim.simulation.run import Prepared, follow, prepare
from rfsim.simulation.schedules import Schedule
from rfsim.simulation.stochastic import Simulation, recorded_steps

SHARE = 0.5  # of the largest stable rate, where none is given


class SimulateOptions(DrawOptions, OptimizerOptions, total=False):
    """What is drawn, and how its read-outs are trained."""


@known_keywords
@in_float64
@told(SimulateOptions, **defaults_of(setting))
def simulate(
    problem: Problem,
    *,
    steps: int = 1000,
    devices: int | None = None,
    exact: bool = True,
    keep_weights: bool = False,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    checkpoint_minutes: float = 10.0,
    model: str = "real",
    moments: str | Averages = "exact",
    report: Report | None = None,
    begin: Begin | None = None,
    **options: Unpack[SimulateOptions],
) -> xr.Dataset:
    """Train read-outs from zero by a stochastic optimizer on the real features, and judge them without noise.

    Losses by equations.md T1, and beside them those of the filter that describes the mean of plain descent (§3).

    Args:
        problem: What is trained on, and its ridge γ.
        steps: How many are taken.
        devices: How many the features are divided over; None for one, or for those of all processes where there are
            several (`rfsim.computing.parallel.join`).
        exact: Also the filter's losses.
        keep_weights: Also the read-outs Ā at the last step, of the moving average where there is one, and the features
            W, which `rfsim.score` makes a function of.
        checkpoint: A folder for states, saved every checkpoint_minutes, at the end and, of one process, at Ctrl-C.
        resume: Go on from the newest state in that folder, to the same bits.
        checkpoint_minutes: Minutes between two states.
        model: "real" alone.
        moments: Exact alone.
        report: Hears of each step.
        begin: Called with the settings of the result before anything is computed, as in `rfsim.spectrum`.
        optimizer: `rfsim.Optimizer("sgd", {"momentum": 0.9})`, an optax optimizer with its settings, or its text
            "sgd:momentum=0.9".
        rate: η of its steps on A = √p Ā, which for plain "sgd" are train_time η/d² each (`rfsim.learning.clocks`);
            None takes half of the largest stable rate of plain descent on the first seed's U.
        batch: Draws per step, with replacement, or "full", every one once.
        noise: "fresh" at every step, or "frozen": the problem's noise_copies, where inf averages exactly and takes the
            full batch; None for what noise_copies imply.
        ema: Decay per step of a moving average of the weights, which is judged in their place.
        precision: "float64" or "float32" of the loop; losses are always judged in float64.
        products: JAX's precision of matrix products, "highest", "high" or "default".
        schedule: How the rate goes over the steps, `rfsim.Schedule("cosine", {"decay_steps": 900})` or its text
            "cosine:decay_steps=900,warmup_steps=100"; train_time is then the sum of the rates over d².
        dim: d; defaults to 100, or to the data's own.
        seed: Of the first draw.
        seeds: How many draws.
        array: Samples (rows, dim) in the place of the problem's data.
        center: Whether an array is centered.
        scale: How an array is scaled: "global", "columns" or "none".
        split: Share of an array's rows that may be trained on; the others play the population.
        held_out: Rows (rows, dim), or a file of them, that play it in their place; all of the array may be trained on.

    Returns:
        At 0, log-spaced steps and the last one, train, test, gen (seed, step): L_train over the draws that training
        sees (their exact average where noise is fresh), L_test over the population; train_time and script_time (step);
        exact_train, exact_test (seed, step), those of the filter that describes the mean of plain descent, NaN for
        other optimizers; rate; limit (seed), the largest stable η of plain descent; rounding (seed), the relative error
        of a gradient at the last weights by the precision of the run. Rows after a divergence are NaN, and the
        attribute `diverged` says where it was. Warns of a rate above the stable limit.

    Raises:
        ValueError: For settings that do not fit together.
        MemoryError: Before allocating, for sizes beyond the memory limit.
        store.StoreError: For a checkpoint folder of another run.

    >>> import rfsim
    >>> result = simulate(rfsim.Problem(2, 4, noise_copies=3), steps=20, dim=5)
    >>> bool(abs(result.train - result.exact_train).max() < 1e-12)
    True
    """
    drawn, own = apart(options)
    (found,) = _several(
        problem,
        [own],
        _warned,
        drawn,
        steps=steps,
        devices=devices,
        exact=exact,
        keep_weights=keep_weights,
        checkpoint=checkpoint,
        resume=resume,
        checkpoint_minutes=checkpoint_minutes,
        model=model,
        moments=moments,
        report=report,
        begin=begin,
    )
    if isinstance(found, Exception):
        raise found
    return found


@in_float64
@told(DrawOptions)
def simulate_variants(
    problem: Problem,
    several: Sequence[Mapping[str, Any]],
    *,
    steps: int = 1000,
    devices: int | None = None,
    exact: bool = True,
    report: Report | None = None,
    **draw: Unpack[DrawOptions],
) -> list[xr.Dataset | Exception]:
    """`simulate` by each of several options on the same draws, moments and decompositions, one for each seed.

    Args:
        problem: What is trained on.
        several: `OptimizerOptions` of each run.
        steps: As in `simulate`, and so the rest.
        devices: How many the features are divided over.
        exact: Also the filter's losses.
        report: Hears of each step.
        dim: d; defaults to 100, or to the data's own.
        seed: Of the first draw.
        seeds: How many draws.
        array: Samples (rows, dim) in the place of the problem's data.
        center: Whether an array is centered.
        scale: How an array is scaled.
        split: Share of an array's rows that may be trained on; the others play the population.
        held_out: Rows (rows, dim), or a file of them, that play it in their place; all of the array may be trained on.

    Returns:
        The result of each; in its place the error of options that are none, or that need too much memory. Warns of no
        rate.

    Raises:
        ValueError: What `simulate` raises of what they share.
    """
    return _several(
        problem, several, lambda line: None, Draw(**draw), steps=steps, devices=devices, exact=exact, report=report
    )


def _several(
    problem: Problem,
    several: Sequence[Mapping[str, Any]],
    warn: Callable[[str], None],
    drawn: Draw,
    *,
    steps: int,
    devices: int | None,
    exact: bool,
    keep_weights: bool = False,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    checkpoint_minutes: float = 10.0,
    model: str = "real",
    moments: str | Averages = "exact",
    report: Report | None = None,
    begin: Begin | None = None,
) -> list[xr.Dataset | Exception]:
    """Both public functions; `warn` hears of rates above the stable limit, and checkpoints are for one of `several`."""
    started = time.perf_counter()
    variants = [_Variant(problem, options) for options in several]
    if not any(variant.going for variant in variants):
        return [variant.failure for variant in variants if variant.failure is not None]
    steps = whole("steps", steps, 1)
    if steps > MOST_STEPS:
        raise ValueError(f"steps must be at most 2^31 - 1; got {steps}")
    if not real("checkpoint_minutes", checkpoint_minutes) > 0:
        raise ValueError(f"checkpoint_minutes must be positive; got {checkpoint_minutes:g}")
    if resume and checkpoint is None:
        raise ValueError("resume goes on from a checkpoint; give the folder where it lies")
    method = Method(model, moments=moments)
    if method != Method():
        raise ValueError(
            "simulate trains the real features and judges them by exact moments; "
            f"got model {model}, moments {method.moments}: rfsim.train has the others"
        )
    run = Run(problem, drawn, report, method=method, copies=0)
    layout = parallel.layout(number_of_devices(devices), run.sizes.features)
    if keep_weights:
        require_readouts(run, len(several))
    for variant in variants:
        variant.attempt(lambda one: _require_memory(run, one.simulation, layout, exact))
    stops = recorded_steps(steps)
    folders = {} if checkpoint is None else {number: Path(checkpoint) / f"seed-{number}" for number in run.seeds}

    def extra(variant: _Variant) -> dict[str, Any]:
        own = {"steps": steps, "devices": layout.count, "exact": exact}
        return variant.identity | own | ({"keep_weights": True} if keep_weights else {})

    def result(variant: _Variant) -> xr.Dataset:
        done = variant.done
        data = xr.concat(done, dim="seed", join="exact", combine_attrs="drop")
        failed = {str(number): one.attrs["diverged"] for number, one in zip(run.seeds, done, strict=False)}
        told = {"diverged": {number: line for number, line in failed.items() if line}, "devices": layout.devices}
        data = data.assign_coords(seed=list(run.seeds[: len(done)]))
        assert variant.rate is not None  # known since the first seed was prepared
        data = data.assign(_clocks(run, variant.simulation.schedule, stops, variant.rate)).assign_attrs(
            {name: json.dumps(one) for name, one in told.items()}
        )
        return run.label("simulate", data, extra(variant), started)

    for variant in variants:
        if variant.going:
            run.begin(begin, extra(variant))
    first = next((variant for variant in variants if variant.going), variants[0])
    with (
        reserved(folders.values(), layout, resume=resume),
        keeping(first.done, lambda: result(first)),
    ):
        for number in run.seeds:
            if not any(variant.going for variant in variants):
                break
            draw = instance(problem, run.origin, run.sizes, number)
            tell = partial(run.tell, draw)
            checkpointings = []
            for variant in variants:
                about = {name: value for name, value in (run.settings | variant.identity).items() if name != "seeds"}
                if variant.identity.get("rate") is None:  # then it is made of these
                    about |= {"rate_from": {"seed": run.seeds[0], "exact": exact}}
                folder, about = folders.get(number), about | {"seed": number}
                checkpointings.append(Checkpointing(folder, about, layout, checkpoint_minutes, tell))
                checkpointings[-1].find(steps)
            prepared = prepare(problem, draw, run.delta, layout, exact, tell)
            for variant, checkpointing in zip(variants, checkpointings, strict=True):
                rate = variant.rate = SHARE * prepared.limit if variant.rate is None else variant.rate
                if variant.going and variant.simulation.plain and rate * variant.peak(steps) > prepared.limit:
                    warn(
                        f"rate {rate:.6g} is above the largest stable one, {prepared.limit:.6g}, of plain descent at "
                        f"seed {number}: it will diverge along the largest eigenvalue of U"
                    )
                variant.attempt(
                    partial(_Variant.follow, prepared=prepared, stops=stops, checkpointing=checkpointing, tell=tell)
                )
                if variant.going:
                    readout = variant.done[-1].readout.values
                    own = kept(run, len(variant.done) - 1, readout) if keep_weights else {}
                    variant.done[-1] = variant.done[-1].drop_vars("readout").assign(own)
            del prepared  # p × p matrices of this seed, while those of the next are made
    return [result(variant) if variant.failure is None else variant.failure for variant in variants]


class _Variant:
    """One of several options: as asked, what has come of it seed by seed, or why nothing has."""

    def __init__(self, problem: Problem, options: Mapping[str, Any]) -> None:
        self.done: list[xr.Dataset] = []
        self.failure: Exception | None = None
        self.identity: dict[str, Any] = {}
        try:
            self.simulation: Simulation = setting(problem, **options)
            self.identity = settings(self.simulation, options.get("rate"))
        except FAILURES as error:
            self.failure = error
        self.rate: float | None = self.identity.get("rate")

    @property
    def going(self) -> bool:
        return self.failure is None

    def peak(self, steps: int) -> float:
        """The largest share of the rate that a step takes."""
        schedule = self.simulation.schedule
        return 1.0 if schedule.constant else float(schedule.shares(steps).max())

    def attempt(self, step: Callable[[_Variant], None]) -> None:
        """Take a step unless one has failed before."""
        if not self.going:
            return
        try:
            step(self)
        except FAILURES as error:
            self.failure = error

    def follow(
        self, prepared: Prepared, stops: NDArray[np.int64], checkpointing: Checkpointing, tell: Callable[[str], None]
    ) -> None:
        """Train on one more seed."""
        simulation = replace(self.simulation, rate=self.rate)
        self.done.append(follow(prepared, simulation, stops, checkpointing, tell))


def _warned(line: str) -> None:
    """A warning at whoever called `simulate`: above this, `_several`, the public function and its float64 policy."""
    warnings.warn(line, stacklevel=5)


def number_of_devices(count: int | None) -> int:
    """How many devices the features are divided over.

    Args:
        count: The number that was asked for; None for one, or for those of all processes where there are several.

    Returns:
        The number.
    """
    return count if count is not None else jax.device_count() if jax.process_count() > 1 else 1


def _clocks(run: Run, schedule: Schedule, stops: NDArray[np.int64], rate: float) -> dict[str, Any]:
    """The rate, and what a step is on the two clocks of plain descent: a share of one where the rate has a schedule."""
    whole_steps = stops if schedule.constant else np.append(0.0, np.cumsum(schedule.shares(int(stops[-1]))))[stops]
    clock = clocks.clock(whole_steps, rate, run.sizes.dim, run.sizes.features)
    names = {"train_time": "training time τ of plain descent", "script_time": "time of B25's script"}
    found = {name: ("step", getattr(clock, name), {"long_name": text, "units": "1"}) for name, text in names.items()}
    return found | {"rate": ((), rate, {"long_name": "rate η of A = √p Ā"})}


def _require_memory(run: Run, simulation: Simulation, layout: DeviceLayout, exact: bool) -> None:
    d, n, p = (float(size) for size in run.sizes)
    needed, each = (
        float(needed_bytes(d, n, p, run.problem.noise_copies, setting=simulation, exact=exact, parts=parts))
        for parts in (layout.processes, layout.count)
    )
    rows = float(draws_of(n, run.problem.noise_copies, simulation)[0])
    hint = "take fewer features, a smaller batch or fewer noise_copies" + (", or leave out the filter" if exact else "")
    require_memory(needed, f"training {p:.12g} features on {rows:.12g} draws a step", hint, each=each)
