"""How memory and time of U and of a training step fall with the number of devices the features are divided over.

JAX counts its devices once, so every number of them is measured in a process of its own: on the machine's accelerators
where there are as many, else on virtual CPU devices, which share the cores of this machine. Virtual ones show what each
device holds; their seconds say nothing of real ones.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from rfsim.bench.rows import best_seconds
from rfsim.computing import machine, parallel
from rfsim.computing.parallel import DeviceLayout
from rfsim.computing.precision import in_float64
from rfsim.disk import store
from rfsim.problem.model import Problem
from rfsim.problem.origins import resolve, settings, source
from rfsim.problem.realization import instance
from rfsim.results.progress import Report
from rfsim.sample.moments import Moments
from rfsim.sample.spectra.accurate import training_moments
from rfsim.simulation import loop
from rfsim.simulation import stochastic as engine
from rfsim.simulation.stochastic import Simulation, Task

DEVICES = (1, 2, 4, 8)
STEPS = 20
TOLERANCE = 1e-6
NAMES = {
    "step_held": ("held by each device in a step", "byte"),
    "step_seconds": ("a step of training", "s"),
    "second_held": ("rows of U on each device", "byte"),
    "second_seconds": ("U, exact in the noise", "s"),
}


def scaling(
    problem: Problem,
    devices: Sequence[int] = DEVICES,
    *,
    dim: int = 100,
    batch: int | None = None,
    report: Report | None = None,
) -> xr.Dataset:
    """Bytes per device and seconds, of U and of a step with fresh noise, over numbers of devices.

    Args:
        problem: What is asked.
        devices: Numbers of devices; each must divide the features.
        dim: d.
        batch: Draws per step; None takes every point once.
        report: Hears of progress.

    Returns:
        step_held, step_seconds, second_held, second_seconds (devices); held by a step is what its compiled program
        says: arguments, temporaries and outputs. virtual: 1 where devices were made of this machine's CPU.

    Raises:
        ValueError: Where a number of devices does not divide the features.
    """
    started = time.perf_counter()
    origin = source(problem)
    sizes = resolve(problem, origin, dim)
    for count in devices:
        if sizes.features % count:
            raise ValueError(f"devices must divide the {sizes.features} features; got {count}")
    # a TPU belongs to one process, this one
    real = 0 if jax.default_backend() in ("cpu", "tpu") else jax.device_count()
    rows = []
    for count in devices:
        if report:
            report(f"{count} devices", {"done": len(rows), "total": len(devices)})
        request = json.dumps({"count": count, "problem": store.plain(problem.settings), "dim": dim, "batch": batch})
        environment = os.environ | {"JAX_ENABLE_X64": "1", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
        if count > real:
            environment |= {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": f"--xla_force_host_platform_device_count={count}"}
        command = [sys.executable, "-m", "rfsim.bench.devices", request]
        done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
        if done.returncode:
            *_, said = ["no message", *done.stderr.splitlines()]
            raise RuntimeError(f"measuring {count} devices failed with status {done.returncode}: {said}")
        rows.append(json.loads(done.stdout))
    data = xr.Dataset(
        {
            name: ("devices", np.array([row[name] for row in rows]), {"long_name": text, "units": unit})
            for name, (text, unit) in NAMES.items()
        }
        | {"virtual": ("devices", np.array([count > real for count in devices], dtype=np.int8))},
        coords={"devices": list(devices)},
    )
    told = settings(problem, origin, sizes, seed=0, seeds=1) | {"devices": list(devices), "batch": batch}
    data = data.assign_attrs(device=rows[-1]["device"], cores=machine.threads())
    return store.label(data, "scaling", told, wall_time=time.perf_counter() - started)


@in_float64
def measure(problem: Problem, layout: DeviceLayout, dim: int, batch: int | None) -> dict[str, Any]:
    """One row of `scaling`, on the devices of this process."""
    origin = source(problem)
    draw = instance(problem, origin, resolve(problem, origin, dim), 0)
    compute = partial(training_moments, problem, draw, TOLERANCE, None, layout)
    second_seconds = best_seconds(lambda: compute().second, repeats=1)
    second = compute().second
    empty = Moments(jnp.zeros((0, 0)), jnp.zeros((0, 0)), 1.0, 0, 0.0)  # a step with fresh noise sees no moments
    task = Task(problem, draw, empty, empty, layout)
    one = engine.training(Simulation(rate=1.0, batch=batch), task)
    start = engine.initial(one, task)
    arguments = start, STEPS, one.parameters, one.rate, one.decay, one.ceiling
    program = loop.advance.lower(*arguments, loss=one.loss, optimizer=one.optimizer).compile()

    def steps() -> jax.Array:
        *_, end = loop.run(one, start, [STEPS], chunk=STEPS)
        return end.weights

    return {
        "step_held": parallel.per_device_memory(program),
        "step_seconds": best_seconds(steps) / STEPS,
        "second_held": _held(second),
        "second_seconds": second_seconds,
        "device": machine.devices()[0],
    }


def _held(array: Any) -> int:
    """Bytes of an array on the first device that has a part of it."""
    return array.nbytes if isinstance(array, np.ndarray) else array.addressable_shards[0].data.nbytes


def main(request: str) -> None:
    """What a process of `scaling` does: one row as a line of JSON."""
    given = json.loads(request)
    problem = Problem(**given["problem"] | {"noise_copies": float(given["problem"]["noise_copies"])})
    dim = given["dim"]
    features = round(problem.features_per_dim * dim)
    print(json.dumps(measure(problem, parallel.layout(given["count"], features), dim, given["batch"])))


if __name__ == "__main__":
    main(sys.argv[1])
