"""Samples beside noise-free inputs, against the law of x given y (equations.md C4)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers
from rfsim.distillation.networks import Function, Network
from rfsim.distillation.sampling import generate, ode_map, path, starting_points
from rfsim.problem.conditions import draw_inputs, told_mean
from rfsim.problem.diffusion import noise_variance, ode_step, signal
from rfsim.problem.laws import Law
from rfsim.problem.populations import Condition, Told
from rfsim.problem.realization import Instance

FRESH = "posterior/"  # before the names of the streams of what no model was trained on
MEASURES = {
    "mean_error": "ME, squared distance per dimension of the mean given y from the posterior's",
    "predictive_variance": "PV, variance given y",
    "mean_distance": "squared distance per dimension of the mean given y from x_ε, which is PV for the posterior",
    "calibration": "PV over that distance: below 1 where samples are too sure of themselves",
}
TRUTH = {
    "true_predictive_variance": "PV of the posterior",
    "steps_mean_error": "ME of the true score in the same steps",
    "steps_predictive_variance": "PV of the true score in the same steps",
}


class Asked(NamedTuple):
    """Inputs that no model was trained beside, and what belongs to them.

    Attributes:
        inputs: y, (rows, d_y).
        points: x, (rows, dim).
        means: E[x|y], (rows, dim); None for an array, of which it is not known.
    """

    inputs: NDArray[np.float64]
    points: NDArray[np.float64]
    means: NDArray[np.float64] | None


def asked(draw: Instance, data: Condition | None, rows: int) -> Asked:
    """Fresh points of a population and their inputs; of an array the first of the rows that are held out.

    Args:
        draw: With inputs beside x_t.
        data: The population; None for an array.
        rows: How many, of an array at most those that there are.

    Returns:
        They.
    """
    if data is not None:
        dim = draw.sizes.dim
        x, y = draw_inputs(data, dim, rows, draw.seed, of=FRESH)
        return Asked(y, x, told_mean(data, y, dim))
    assert draw.inputs is not None
    assert draw.inputs.held_out is not None
    assert isinstance(draw.population, Law)
    return Asked(draw.inputs.held_out[:rows], draw.population.centers[:rows], None)


def samples_given(
    network: Network, inputs: NDArray[np.float64], draws: int, seed: int, function: Function, solver: str
) -> NDArray[np.float64]:
    """Samples of a model beside each of several inputs, with noise of its own for each.

    Args:
        network: Read-outs of x_t and y as one vector.
        inputs: y, (rows, d_y).
        draws: Samples of each.
        seed: Of the noise that they start from.
        function: σ, elementwise.
        solver: Of the steps.

    Returns:
        They, (rows, draws, dim).
    """
    rows, d_y = inputs.shape
    dim = network.weights.shape[1] - d_y
    start = np.hstack([starting_points(seed, rows * draws, dim), np.repeat(inputs, draws, axis=0)])
    levels = len(network.times) - 1
    found = generate(network, start, path(levels, levels), function, solver, still=d_y)
    return found[:, :dim].reshape(rows, draws, dim)


def measured(samples: NDArray[np.float64], of: Asked, time: float) -> xr.Dataset:
    """How far samples are from the posterior: averages over inputs, without bias from the number of samples of each.

    Args:
        samples: At the diffusion time ε, (rows, draws, dim).
        of: The inputs they were made beside.
        time: ε.

    Returns:
        MEASURES; mean_error where the posterior is known.
    """
    draws, mean = samples.shape[1], samples.mean(axis=1)
    variance = float(samples.var(axis=1, ddof=1).mean())

    def apart(points: NDArray[np.float64]) -> float:
        return float(((mean - signal(time) * points) ** 2).mean()) - variance / draws

    distance = apart(of.points) + noise_variance(time)
    found = {} if of.means is None else {"mean_error": apart(of.means)}
    found |= {"predictive_variance": variance, "mean_distance": distance, "calibration": variance / distance}
    return _labelled(found, MEASURES)


def truth(told: Told, times: Sequence[float], solver: str) -> xr.Dataset:
    """What the posterior itself has, and what the true score leaves of it in the same steps, from N(0, I).

    Its score is −(x_t − e^{−t}By)/(e^{−2t}s + Δ) along every direction, so that samples are Gaussian given y: their
    mean is a multiple of By, and their variance takes the same steps without it.

    Args:
        told: What y tells of x.
        times: Diffusion times, ascending.
        solver: Of the steps.

    Returns:
        TRUTH.
    """
    mean, spread = np.zeros_like(told.residual), np.ones_like(told.residual)

    def variance(t: float) -> NDArray[np.float64]:
        return signal(t) ** 2 * told.residual + noise_variance(t)

    for t, to in pairwise(list(times)[::-1]):
        step = ode_step(solver, t, to)

        def moved(x: Numbers, target: float, here=t, there=to, step=step) -> Numbers:
            """Where a coordinate goes whose mean given y is a multiple of the data's."""
            scores = [lambda u, at=at: -(u - target * signal(at)) / variance(at) for at in (here, there)]
            return ode_map(step, solver == "heun", x, *scores)

        mean, spread = moved(mean, 1.0), moved(spread, 0.0)
    first = times[0]
    values = {
        "true_predictive_variance": told.weights @ variance(first),
        "steps_mean_error": told.weights @ (told.explained * (mean - signal(first)) ** 2),
        "steps_predictive_variance": told.weights @ spread**2,
    }
    return _labelled({name: float(value) for name, value in values.items()}, TRUTH)


def _labelled(values: dict[str, float], words: dict[str, str]) -> xr.Dataset:
    told = {name: ((), value, {"long_name": words[name], "units": "1"}) for name, value in values.items()}
    return xr.Dataset(told)
