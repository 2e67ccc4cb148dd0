"""Generation of samples by a teacher or a consistency student (equations.md §7).

A teacher is followed by an ODE solver or the reverse SDE, a student in a few jumps. Scores and consistency functions
read out frozen features, x ↦ M_k φ_k(x) at each diffusion time t_k of a grid. Samples start from the stationary law
N(0, I) at the last time and end at the first, ε = t_0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.computing.arrays import Numbers, compiled, placed
from rfsim.computing.precision import require_float64
from rfsim.distillation.networks import Function, Network, readout
from rfsim.problem.data import stream
from rfsim.problem.diffusion import ODE_SOLVERS, Step, noise_between, ode_step, renoise, reverse_sde_step

SOLVERS = (*ODE_SOLVERS, "sde")
CHUNK = 2**24  # features × rows held at once

Noise = Callable[[int], NDArray[np.float64]]


def ode_map(step: Step, heun: bool, x: Numbers, score_here: Function, score_there: Function) -> Numbers:
    """Where one step without noise takes points (T15).

    Args:
        step: The step's coefficients, from `diffusion.ode_step`.
        heun: Whether to add Heun's correction.
        x: x_t, (rows, dim).
        score_here: s_t, from (rows, dim) to (rows, dim).
        score_there: s_to, likewise; called if `heun` only.

    Returns:
        The points at the earlier time, (rows, dim).
    """
    slope = score_here(x)
    moved = step.x * x + step.score * slope
    if not heun:
        return moved
    return moved + step.half * ((moved + score_there(moved)) - (x + slope))


def path(levels: int, steps: int) -> list[int]:
    """Indices into a grid from its last time down to the first, as even as whole levels allow (§7).

    Args:
        levels: N, the index of the last time.
        steps: Between 1 and N.

    Returns:
        steps + 1 indices, from N to 0.

    Raises:
        ValueError: For another number of steps.

    >>> path(20, 4)
    [20, 15, 10, 5, 0]
    """
    if not 1 <= steps <= levels:
        raise ValueError(f"steps must lie between 1 and the {levels} levels; got {steps}")
    return np.round(np.linspace(levels, 0, steps + 1)).astype(int).tolist()


def step_counts(levels: int) -> list[int]:
    """Numbers of steps at which samplers are compared: 1, 2, 4, … and all levels ([ours]; §7).

    Args:
        levels: N.

    Returns:
        The counts, ascending, N the last.

    >>> step_counts(20)
    [1, 2, 4, 8, 16, 20]
    """
    return [*(2**k for k in range((levels - 1).bit_length())), levels]


def starting_points(seed: int, rows: int, dim: int) -> NDArray[np.float64]:
    """Draws of the stationary law N(0, I), the same for every model of a seed (§7).

    Args:
        seed: Of the stream "generation/start".
        rows: Number of samples.
        dim: d.

    Returns:
        The draws, (rows, dim).
    """
    return stream(seed, "generation/start").standard_normal((rows, dim))


def generation_noise(seed: int, rows: int, dim: int) -> Noise:
    """Fresh noise of the steps of generation, the same for every model of a seed (§7).

    Args:
        seed: Of the streams "generation/noise/K".
        rows: Number of samples.
        dim: d.

    Returns:
        k ↦ noise (rows, dim) of the step that leaves or reaches grid index k.
    """
    return lambda k: stream(seed, f"generation/noise/{k}").standard_normal((rows, dim))


def generate(
    network: Network,
    start: ArrayLike,
    path: Sequence[int],
    function: Function,
    solver: str = "ddim",
    noise: Noise | None = None,
    *,
    still: int = 0,
) -> NDArray[np.float64]:
    """Samples of the model whose score at t_k is the network's read-out (T15, §7).

    One program of an accelerator per shape, whatever the path.

    Args:
        network: The scores' read-outs.
        start: Points at the first time of the path, (rows, dim).
        path: Descending indices into the network's times, two or more.
        function: σ, elementwise.
        solver: "ddim", "euler" or "heun" on the probability-flow ODE, or "sde", Euler–Maruyama on the reverse SDE.
        noise: k ↦ fresh noise (rows, dim) of the step that leaves index k; for the SDE.
        still: How many of the coordinates, the last ones, are inputs beside x_t: read at every step and left as they
            are (§13). Read-outs are zero there.

    Returns:
        The samples at the last time of the path, (rows, dim).

    Raises:
        ValueError: For another solver, a path that does not descend within the grid, or an SDE without noise.
        RuntimeError: In float32.
    """
    network = _checked(network, path)
    if solver not in SOLVERS:
        raise ValueError(f"solver must be one of {', '.join(SOLVERS)}; got {solver!r}")
    if solver == "sde" and noise is None:
        raise ValueError("solver 'sde' draws fresh noise at every step; pass noise, such as generation_noise(…)")
    x = np.asarray(start, dtype=np.float64)
    for here, there in pairwise(path):
        t, to = float(network.times[here]), float(network.times[there])
        step = reverse_sde_step(t, to) if solver == "sde" else ode_step(solver, t, to)
        along = step._replace(x=np.r_[np.full(x.shape[1] - still, step.x), np.ones(still)]) if still else step
        x = _moved(network, x, here, there, along, solver == "heun", function)
        if solver == "sde" and noise is not None:
            x[:, : x.shape[1] - still] += step.noise * noise(here)
    return x


def generate_consistent(
    network: Network,
    skip: ArrayLike,
    out: ArrayLike,
    start: ArrayLike,
    path: Sequence[int],
    function: Function,
    noise: Noise,
    share: float = 1.0,
) -> NDArray[np.float64]:
    """Samples of the consistency functions f_k(x) = skip_k x + out_k M_k φ_k(x) (§7; S23, Algorithm 1).

    One jump from the path's first index to ε = t_0; for every index j between its ends noise takes the sample back to
    t_j, and f_j down again. That noise is fresh for S23, and what the last jump took off at a share of 0, where all
    that follows is one map of the start; between, √(1 − share²) of the latter and `share` of the former.

    Args:
        network: The read-outs M_k.
        skip: c_skip of each time, (grid,).
        out: c_out of each time, (grid,).
        start: Points at the first time of the path, (rows, dim).
        path: Descending indices into the network's times, the last 0.
        function: σ, elementwise.
        noise: j ↦ fresh noise (rows, dim), such as `generation_noise`.
        share: Of fresh noise, χ in [0, 1].

    Returns:
        The samples at t_0, (rows, dim).

    Raises:
        ValueError: For a path that does not descend to 0 within the grid.
        RuntimeError: In float32.
    """
    network, skip, out = _checked(network, path), np.asarray(skip), np.asarray(out)
    if path[-1] != 0:
        raise ValueError(f"a consistency function jumps to the first time of its grid; got a path to index {path[-1]}")

    def jump(x: NDArray[np.float64], k: int) -> NDArray[np.float64]:
        # f_k has the form of a step without noise
        return _moved(network, x, k, k, Step(float(skip[k]), float(out[k])), False, function)

    first, above = float(network.times[0]), np.asarray(start, dtype=np.float64)
    x = jump(above, path[0])
    for k, j in pairwise(path[:-1]):
        fresh = noise(j) if share > 0 else np.zeros_like(x)
        if share < 1:
            fresh = share * fresh + math.sqrt(1 - share**2) * noise_between(x, above, first, float(network.times[k]))
        above = renoise(x, fresh, first, float(network.times[j]))
        x = jump(above, j)
    return x


def generate_jumps(
    network: Network, start: ArrayLike, steps: Sequence[Step], function: Function
) -> NDArray[np.float64]:
    """Where jumps without noise take points, one after the other, the read-out k of the network in the k-th (M3, M4).

    Args:
        network: A read-out for each jump in turn, with σ's mean where it begins; its times are not used.
        start: Points, (rows, dim).
        steps: Of each jump.
        function: σ, elementwise.

    Returns:
        The points, (rows, dim).

    Raises:
        RuntimeError: In float32.
    """
    require_float64()
    x = np.asarray(start, dtype=np.float64)
    for k, step in enumerate(steps):
        x = _moved(network, x, k, k, step, False, function)
    return x


def _checked(network: Network, path: Sequence[int]) -> Network:
    """The network on the device; ValueError unless the path descends within its grid."""
    require_float64()
    last = len(network.times) - 1
    if len(path) < 2 or not last >= path[0] or not path[-1] >= 0 or any(j >= k for k, j in pairwise(path)):
        raise ValueError(f"a path must descend from at most {last} to at least 0 in one step or more; got {list(path)}")
    return network._replace(
        weights=placed(network.weights),
        readouts=placed(network.readouts),
        offsets=placed(network.offsets),
    )


def _moved(
    network: Network, x: NDArray[np.float64], here: int, there: int, step: Step, heun: bool, function: Function
) -> NDArray[np.float64]:
    """One step of all rows, in equal chunks of at most CHUNK features × rows: one program, the last chunk padded."""
    rows = len(x)
    chunks = -(-rows * network.weights.shape[0] // CHUNK)
    size = -(-rows // chunks)
    padded = np.zeros((chunks * size, x.shape[1]))
    padded[:rows] = x
    pieces = [_stepped(network, piece, here, there, step, heun, function) for piece in np.split(padded, chunks)]
    return np.concatenate(pieces)[:rows]


@partial(compiled, static=("heun", "function"))
def _stepped(network, x, here, there, step, heun, function):
    return ode_map(
        step, heun, x, lambda y: readout(network, here, y, function), lambda y: readout(network, there, y, function)
    )
