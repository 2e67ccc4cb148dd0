"""One seed of a simulation: its moments, its limit, its run, and the filter beside it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from jax import Array
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, eigsh

from rfsim.computing import arrays, parallel
from rfsim.computing.parallel import DeviceLayout
from rfsim.learning import clocks, descent, losses
from rfsim.learning.protocol import Spectrum, Target
from rfsim.learning.scheduled import scheduled_descent
from rfsim.problem.diffusion import noise_variance
from rfsim.problem.model import Problem
from rfsim.problem.realization import Instance
from rfsim.results.variables import LONG_NAMES
from rfsim.sample.moments import Moments
from rfsim.sample.spectra.accurate import decomposed, population_above, training_moments
from rfsim.sample.spectra.sample import decomposition
from rfsim.sample.spectra.targets import population_moments, sample_target
from rfsim.simulation import loop
from rfsim.simulation.checkpointing import Checkpointing
from rfsim.simulation.stochastic import Simulation, Task, initial, placed, rounding, simulate, training

TOLERANCE = 1e-6  # of the moments, beside λ_min + γ
SECONDS = 10.0  # between what is reported

Tell = Callable[[str], None]


class Prepared(NamedTuple):
    """A draw ready to be trained on.

    limit: the largest stable rate of plain descent in the mean; exact: U decomposed and the population seen from it,
    where the filter is wanted.
    """

    task: Task
    limit: float
    exact: tuple[Spectrum, Target] | None


def prepare(problem: Problem, draw: Instance, delta: float, layout: DeviceLayout, exact: bool, tell: Tell) -> Prepared:
    """Moments of one draw, their rows divided over devices, and its decomposition where `exact`.

    With it U's truncation is held below TOLERANCE × (λ_min + γ); without it, below what the moments estimate that to
    be. A decomposition takes the whole of U: on one device of every process, or on its host.
    """
    d, _, p = draw.sizes
    if not exact:
        tell("moments")
        moments = training_moments(problem, draw, TOLERANCE, None, layout)
        tell("population")
        population = population_above(problem, draw, None, tolerance=TOLERANCE, layout=layout)
        largest, pair = _largest(moments.second, layout), None
    else:
        tell(f"moments, and eigenvalues on the {parallel.decomposes_on()}")
        moments, lam, basis = decomposed(problem, draw, TOLERANCE, layout)
        spectrum = decomposition(problem, draw, _whole(moments, layout), lam, basis)
        del lam, basis
        tell("population and change of basis")
        population = population_moments(problem, draw, spectrum, tolerance=TOLERANCE, layout=layout)
        target = sample_target(spectrum, _whole(population, layout))
        largest, pair = float(spectrum.points[-1]), (spectrum._replace(basis=np.zeros(0)), target)
    limit = clocks.largest_stable_rate(largest, problem.ridge, delta, p, d)
    return Prepared(Task(problem, draw, moments, population, layout), limit, pair)


def follow(
    prepared: Prepared,
    setting: Simulation,
    stops: NDArray[np.int64],
    checkpointing: Checkpointing,
    tell: Tell,
) -> xr.Dataset:
    """Train one draw and measure it at the stops: losses (step,), NaN after a divergence, and the filter's."""
    task, failure = prepared.task, ""
    one = training(setting, task, limit=prepared.limit if setting.plain else None)
    state = placed(checkpointing.resume(initial(one, task)), task)
    try:
        for record in simulate(one, task, stops, state=state, keep=checkpointing.offer, report=_seldom(tell)):
            checkpointing.add(step=record.step, train=record.train, test=record.test)
            state = record.state
    except loop.Diverged as failed:
        failure, state = str(failed), failed.state
    except KeyboardInterrupt as pressed:
        # over several processes it reaches each at a step of its own: what they kept together last stands
        if task.layout.processes == 1:
            # outside of the loop, while losses are judged, it carries no state: then that of the last record
            state = getattr(pressed, "state", state)
            checkpointing.save(state)
            if checkpointing.folder is not None:
                tell(f"kept step {int(state.step)} in {checkpointing.folder}")
        raise
    checkpointing.save(state)
    values = _at(stops, checkpointing.records) | _filtered(prepared, setting, stops)
    data = xr.Dataset(
        {name: ("step", row, {"long_name": _name(name)}) for name, row in values.items()}, coords={"step": stops}
    )
    # Ā = A/√p of what is judged, for those who keep it
    average = task.layout.whole(state.average) / math.sqrt(task.draw.sizes.features)
    data["readout"] = (("component", "neuron"), np.asarray(average, dtype=float))
    data["limit"] = ((), prepared.limit, {"long_name": "largest stable rate of plain descent"})
    data["rounding"] = (
        (),
        rounding(one, setting, task, state),
        {"long_name": "relative error of a gradient by precision"},
    )
    return data.assign_attrs(diverged=failure)


def _at(stops: NDArray[np.int64], records: dict[str, NDArray]) -> dict[str, NDArray[np.float64]]:
    """Losses at the stops, NaN where a run did not get to; a longer run leaves out where a shorter one had ended."""
    rows = {name: np.full(len(stops), np.nan) for name in ("train", "test")}
    for k, step in enumerate(records["step"]):
        for name, row in rows.items():
            row[stops == step] = records[name][k]
    return rows | {"gen": rows["test"] - rows["train"]}


def _filtered(prepared: Prepared, setting: Simulation, stops: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """The losses of the filter that describes the mean of plain descent and of its moving average (§3)."""
    nothing = np.full(len(stops), np.nan)
    if prepared.exact is None or not setting.plain:
        return {"exact_train": nothing, "exact_test": nothing}
    (spectrum, target), task = prepared.exact, prepared.task
    d, _, p = task.draw.sizes
    c = descent.descent_step(setting.rate, noise_variance(task.problem.diffusion_time), p, d)
    if setting.schedule.constant:
        f = descent.averaged_descent(stops, c, setting.decay, task.problem.ridge)
    else:
        f = scheduled_descent(stops, c, setting.schedule.shares(int(stops[-1])), setting.decay, task.problem.ridge)
    train, test = losses.train_loss(spectrum, [f]), losses.target_loss(spectrum, target, [f])
    return {"exact_train": np.asarray(train), "exact_test": np.asarray(test)}


def _name(name: str) -> str:
    kind = name.removeprefix("exact_")
    return LONG_NAMES[kind] + (" of the filter" if kind != name else "")


def _whole(moments: Moments, layout: DeviceLayout) -> Moments:
    """On one device."""
    if layout.mesh is None:
        return moments
    second, noise = (arrays.placed(layout.whole(one)) for one in (moments.second, moments.noise))
    return moments._replace(second=second, noise=noise)


def _largest(second: Array, layout: DeviceLayout) -> float:
    """The largest eigenvalue of a symmetric matrix that stays where it is; the same bits every time."""
    p = second.shape[0]
    multiply = arrays.compiled(lambda left, right: left @ right)

    def times(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return layout.whole(multiply(second, x if arrays.namespace(second) is np else layout.place(x)))

    operator = LinearOperator((p, p), matvec=times, dtype=np.float64)  # type: ignore[call-arg]
    start = np.random.default_rng(0).standard_normal(p)  # scipy's own differs from call to call
    return float(eigsh(operator, k=1, v0=start, return_eigenvectors=False)[0]) if p > 1 else float(times(np.ones(1))[0])


def _seldom(tell: Tell) -> loop.Report:
    """What the loop says of itself, not more often than a reader wants it."""
    last = time.monotonic()

    def told(step: str, values: Any) -> None:
        nonlocal last
        if time.monotonic() - last >= SECONDS:
            last = time.monotonic()
            tell(f"step {values['done']} of {values['total']}, loss {values['loss']:.4g}")

    return told
