"""What is computed over several devices and on one, to be compared: a case takes a layout and returns whole arrays.

Those named on the command line are run by `virtual` on virtual devices of one process and by `processes` over several
processes, and by both on one device. `divided` asserts on the way that no device holds more than its share.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from unittest import mock

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from rfsim.computing.parallel import DeviceLayout, leads
from rfsim.problem import origins, realization
from rfsim.problem.activations import ACTIVATIONS, centered
from rfsim.problem.diffusion import diffuse, forward, noise_variance
from rfsim.problem.laws import Law
from rfsim.problem.model import Problem
from rfsim.sample.moments import assembly, averaged_moments, averages, sampled_moments
from rfsim.simulation import run, stochastic
from rfsim.simulation.stochastic import Simulation

FEATURES, DIM, POINTS = 120, 10, 30
TIME = 0.2

assembly.TILE = 8  # many tiles: 15 features of one of eight devices are two of them, padded


def divided(layout: DeviceLayout, array, axis: int) -> NDArray[np.float64]:
    """The whole of an array of which every device holds an equal part along `axis`."""
    if isinstance(array, np.ndarray):  # one device's own, on a CPU
        assert layout.count == 1
        return array
    shares = [array.shape[axis] // shard.data.shape[axis] for shard in array.addressable_shards]
    assert shares == [layout.count] * (layout.count // layout.processes), shares
    return layout.whole(array)


def averaged(layout: DeviceLayout) -> dict[str, NDArray[np.float64]]:
    """U and V exactly in the noise, of points in several chunks and orders in several passes."""
    weights, law = _drawn()
    settings = {"noise_scale": math.sqrt(noise_variance(TIME)), "tolerance": 1e-6, "floor": 0.1, "layout": layout}
    with mock.patch.object(assembly, "CHUNK_BYTES", 2**17), mock.patch.object(averages, "choose_orders", _too_few):
        found = averaged_moments(weights, diffuse(law, TIME), ACTIVATIONS["tanh"], **settings)
    assert found.orders > 10
    orders = np.array([found.orders])
    return {"U": divided(layout, found.second, 0), "V": divided(layout, found.noise, 0), "orders": orders}


def frozen(layout: DeviceLayout) -> dict[str, NDArray[np.float64]]:
    """U and V over three frozen copies of the noise."""
    weights, law = _drawn()
    xi = np.random.default_rng(7).standard_normal((3, POINTS, DIM))
    draws = [(forward(law.centers, copy, TIME), copy) for copy in xi]
    found = sampled_moments(weights, draws, centered(ACTIVATIONS["relu"], 1.0), layout=layout)
    return {"U": divided(layout, found.second, 0), "V": divided(layout, found.noise, 0)}


def simulated(layout: DeviceLayout) -> dict[str, NDArray[np.float64]]:
    """Weights and losses of Adam with a moving average on minibatches, and of descent on averaged noise."""
    problem = Problem(samples_per_dim=POINTS / DIM, features_per_dim=FEATURES / DIM, diffusion_time=TIME)
    origin = origins.source(problem)
    draw = realization.instance(problem, origin, origins.resolve(problem, origin, DIM), 0)
    prepared = run.prepare(problem, draw, noise_variance(TIME), layout, False, lambda _: None)
    settings = {
        "adam": Simulation("adam", 0.05, 8, 0.9),
        "descent": Simulation("sgd", prepared.limit / 2, None, noise="frozen"),
    }
    found = {}
    for name, setting in settings.items():
        one = stochastic.training(setting, prepared.task)
        start = stochastic.initial(one, prepared.task)
        *_, end = stochastic.simulate(one, prepared.task, [0, 30], state=start)
        found[f"{name} weights"] = divided(layout, end.state.average, 1)
        found[f"{name} losses"] = np.array([end.train, end.test])
    return found | {"limit": np.array([prepared.limit])}


def placed(layout: DeviceLayout) -> dict[str, NDArray[np.float64]]:
    """A tree of weights and what goes with them, there and back."""
    rng = np.random.default_rng(1)
    weights, few = rng.standard_normal((DIM, FEATURES)), rng.standard_normal(FEATURES)
    tree = layout.place_like({"weights": weights, "few": jnp.asarray(few), "step": np.int32(3)}, weights.shape, 1)
    assert all(tree[name].sharding.is_fully_replicated for name in ("few", "step"))
    assert tree["step"].dtype == np.int32
    found = {name: layout.whole(tree[name]) for name in ("few", "step")}
    np.testing.assert_array_equal(found["few"], few)
    zeros = layout.zeros((3, 2 * FEATURES), -1)
    return found | {"weights": divided(layout, tree["weights"], 1), "ones": 1 + divided(layout, zeros, 1)}


CASES: Mapping[str, Callable[[DeviceLayout], dict[str, NDArray[np.float64]]]] = {
    "averaged": averaged,
    "frozen": frozen,
    "simulated": simulated,
    "placed": placed,
}


def differences(layout: DeviceLayout, names: Sequence[str]) -> dict[str, float]:
    """For every array of these cases, the largest difference from a single device's, over its largest entry.

    Of several processes the one that leads has it.
    """
    found = {}
    for case in names:
        several, alone = CASES[case](layout), CASES[case](DeviceLayout()) if leads() else {}
        for name, value in alone.items():
            found[f"{case} {name}"] = float(np.abs(several[name] - value).max() / np.abs(value).max())
    return found


def _drawn() -> tuple[NDArray[np.float64], Law]:
    rng = np.random.default_rng(5)
    return rng.standard_normal((FEATURES, DIM)), Law(rng.standard_normal((POINTS, DIM)), np.zeros(DIM))


def _too_few(*_) -> tuple[int, float]:
    """Orders for the first pass and an estimate of their error that later passes find to be wrong."""
    return 4, 0.0
