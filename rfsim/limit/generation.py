"""The law of generated samples as ψ_p → ∞ after d → ∞, m = ∞ (equations.md W6 to W9).

In high dimension a sampler's path meets no training tube, and off the tubes the score is linear, s = w_t(Σ̂)x with
w_t(λ) = −(1/Δ)e·a²Q f(a²Q)e, e the noise part (Latourelle-Vigeant et al. 2026, Theorem 4). From N(0, I) at T they are
N(0, Λ(Σ̂)) at ε; a step x·x_t + score·s_t takes Λ to (x + score·w)²Λ, and fresh noise adds its variance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from rfsim.computing.numerics import minimum_value
from rfsim.learning.curves import loss_curves
from rfsim.learning.filters import learning_rate_constant
from rfsim.learning.timescales import time_grid
from rfsim.learning.trainers import FlowFilter
from rfsim.limit.limits import Limit
from rfsim.limit.wide_spectrum import channels, tables
from rfsim.problem.diffusion import ODE_SOLVERS, ode_step, reverse_sde_step

FLOWS = ("ode", "sde-limit")  # samplers of infinitely many steps
SAMPLERS = (*ODE_SOLVERS, "ode", "sde", "sde-limit")
NODES, MOST, ACCURACY = 32, 256, 1e-8  # in ln t, of the samplers of infinitely many steps

Linear = Callable[[float], NDArray[np.float64]]  # of a diffusion time: w(λ), (times, points)


def score_factor(
    limit: Limit, eigenvalues: NDArray[np.float64], train_times: NDArray[np.float64], ridge: float
) -> NDArray[np.float64]:
    """w(λ) of the linear score off the training tubes (W3).

    Args:
        limit: What the equations depend on, at the level's diffusion time.
        eigenvalues: λ of Σ̂, (points,).
        train_times: τ, (times,).
        ridge: γ over ψ_p.

    Returns:
        w, (times, points).
    """
    return -learned(limit, eigenvalues, train_times, ridge)[1] / limit.noise


def learned(
    limit: Limit, eigenvalues: NDArray[np.float64], train_times: NDArray[np.float64], ridge: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """a²Q f(a²Q) applied to the noise part: its sample part and its noise part (W1).

    Args:
        limit: What the equations depend on.
        eigenvalues: λ of Σ̂, (points,).
        train_times: τ, (times,).
        ridge: γ over ψ_p.

    Returns:
        Both, (times, points).
    """
    found = channels(limit, eigenvalues)
    f = FlowFilter(learning_rate_constant(limit.noise, 1.0), ridge).filter(train_times)
    values = np.asarray(f(found.points.ravel())).reshape(train_times.size, 2, -1) * found.points
    return (values * found.across).sum(1), (values * found.shares).sum(1)


def best_time(limit: Limit, ridge: float) -> float:
    """The train_time of the lowest L_test, inf where it is the last and 0 where the zero score is best (W3).

    Args:
        limit: What the equations depend on, at the level's diffusion time.
        ridge: γ over ψ_p.

    Returns:
        τ.
    """
    found = tables(limit)
    kappa = learning_rate_constant(limit.noise, 1.0)
    trainer = FlowFilter(kappa, ridge)
    rates = found.spectrum.points[found.spectrum.weights > 0] + ridge
    if not rates.size:
        return 0.0

    def test(times: NDArray[np.float64]) -> NDArray[np.float64]:
        return loss_curves(found.spectrum, found.target, times, trainer).test

    at, lowest = minimum_value(test, time_grid(rates, kappa))
    start, end = test(np.array([0.0, np.inf]))
    return np.inf if end <= min(lowest, start) else 0.0 if start <= lowest else at


class Generated(NamedTuple):
    """The law of what a sampler makes.

    Attributes:
        variance: Λ(λ), (times, points).
        change: What it moves by with half of the nodes in time, relative; 0 of samplers with steps.
    """

    variance: NDArray[np.float64]
    change: float


def generated(sampler: str, times: NDArray[np.float64], w: Linear) -> Generated:
    """The law of samples at the first of the times, from N(0, I) at the last (W6, W7).

    Args:
        sampler: Of SAMPLERS; "ode" and "sde-limit" take infinitely many steps between the ends.
        times: Diffusion times, ascending, (levels + 1,).
        w: The linear score.

    Returns:
        The law.
    """
    if sampler in FLOWS:
        nodes, whole = NODES, _flow(sampler, times[0], times[-1], w, NODES)
        while True:
            nodes *= 2
            half, whole = whole, _flow(sampler, times[0], times[-1], w, nodes)
            change = float(np.abs(whole / half - 1).max())
            if change <= ACCURACY or nodes >= MOST:
                return Generated(whole, change)
    scores = {t: w(t) for t in times[1:]}
    variance = np.ones_like(scores[times[-1]])
    for t, to in zip(times[:0:-1], times[-2::-1], strict=True):
        step = reverse_sde_step(t, to) if sampler == "sde" else ode_step(sampler, t, to)
        factor = step.x + step.score * scores[t]
        if step.half:
            there = scores[to] if to in scores else w(to)
            factor = factor + step.half * ((1 + there) * factor - (1 + scores[t]))
        variance = factor**2 * variance + step.noise**2
    return Generated(variance, 0.0)


def one_jump(first: float, last: float, w: Linear) -> NDArray[np.float64]:
    """Λ of one DDIM step from the last time to the first (W9).

    Args:
        first: ε.
        last: T.
        w: The linear score.

    Returns:
        The variance, (times, points).
    """
    step = ode_step("ddim", last, first)
    return (step.x + step.score * w(last)) ** 2


def _flow(sampler: str, first: float, last: float, w: Linear, nodes: int) -> NDArray[np.float64]:
    """(W7) in s = ln t, by integrals of Chebyshev series from ε up to each node."""
    x = chebyshev.chebpts2(nodes)
    half = np.log(last / first) / 2
    t = first * np.exp(half * (x + 1))
    scores = np.stack([w(one) for one in t])  # (nodes, times, points)
    up = half * _from_the_left(x)
    shape = (nodes, *[1] * (scores.ndim - 1))
    slope = (1 + (1 if sampler == "ode" else 2) * scores) * t.reshape(shape)
    grown = np.exp(2 * np.tensordot(up, slope, 1))  # of the variance, from each node down to ε
    if sampler == "ode":
        return grown[-1]
    return grown[-1] + 2 * np.tensordot(up[-1], grown * t.reshape(shape), 1)


def _from_the_left(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The matrix that takes values at Chebyshev points to integrals from −1 up to each of them."""
    size = x.size
    to_series = np.linalg.inv(chebyshev.chebvander(x, size - 1))
    integral = np.stack([chebyshev.chebint(row, lbnd=-1) for row in np.eye(size)], axis=1)
    return chebyshev.chebvander(x, size) @ integral @ to_series
