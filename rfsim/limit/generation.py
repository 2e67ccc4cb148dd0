"""The law of generated samples as ψ_p → ∞ after d → ∞, m = ∞ (equations.md W6 to W9).

In high dimension a sampler's path meets no training tube, and off the tubes the score is linear, s = w_t(Σ̂)x with
w_t(λ) = −(1/Δ)e·a²Q f(a²Q)e, e the noise part (Latourelle-Vigeant et al. 2026, Theorem 4). Features of
Gaussian weights read points of another variance than their own by another slope, l = a(Γ_y)/a(Γ) (1 in theirs, of inner
products): s = l·w(Σ̂)x. From N(0, I) at T samples are N(0, Λ(Σ̂)) at ε; a step x·x_t + score·s_t takes Λ to
(x + score·l·w)²Λ, and fresh noise adds its variance.
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
from rfsim.limit.wide_spectrum import WideTables, channels, tables
from rfsim.problem.diffusion import ODE_SOLVERS, ode_step, reverse_sde_step

FLOWS = ("ode", "sde-limit")  # samplers of infinitely many steps
SAMPLERS = (*ODE_SOLVERS, "ode", "sde", "sde-limit")
NODES, MOST, ACCURACY = 32, 256, 1e-8  # in ln t, of the samplers of infinitely many steps

ITERATIONS = 50  # of the slopes along the path of infinitely many steps

Linear = Callable[[float], NDArray[np.float64]]  # of a diffusion time: w(λ), (times, points)
Read = Callable[[float, NDArray[np.float64]], NDArray[np.float64]]  # of a diffusion time and Λ there: l, (times, 1)


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


def population_losses(limit: Limit, train_times: NDArray[np.float64], ridge: float) -> NDArray[np.float64]:
    """L_test (W3), by the rule that all levels of a ladder share.

    Args:
        limit: What the equations depend on, at the level's diffusion time.
        train_times: τ, (times,).
        ridge: γ over ψ_p.

    Returns:
        L_test, (times,).
    """
    return _test(tables(limit), limit, ridge)(train_times)


def best_time(limit: Limit, ridge: float) -> float:
    """The train_time of the lowest L_test, inf where it is the last and 0 where the zero score is best (W3).

    Args:
        limit: What the equations depend on, at the level's diffusion time.
        ridge: γ over ψ_p.

    Returns:
        τ.
    """
    found = tables(limit)
    rates = found.spectrum.points[found.spectrum.weights > 0] + ridge
    if not rates.size:
        return 0.0
    test = _test(found, limit, ridge)
    at, lowest = minimum_value(test, time_grid(rates, learning_rate_constant(limit.noise, 1.0)))
    start, end = test(np.array([0.0, np.inf]))
    return np.inf if end <= min(lowest, start) else 0.0 if start <= lowest else at


def _test(found: WideTables, limit: Limit, ridge: float) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """L_test of training times."""
    trainer = FlowFilter(learning_rate_constant(limit.noise, 1.0), ridge)
    return lambda times: loss_curves(found.spectrum, found.target, times, trainer).test


class Generated(NamedTuple):
    """The law of what a sampler makes.

    Attributes:
        variance: Λ(λ), (times, points).
        factor: F(λ) with Λ = F², of the samplers with steps and without noise; else None.
        change: What Λ moves by with half of the nodes in time, relative; 0 of samplers with steps.
    """

    variance: NDArray[np.float64]
    factor: NDArray[np.float64] | None
    change: float


def generated(sampler: str, times: NDArray[np.float64], w: Linear, read: Read) -> Generated:
    """The law of samples at the first of the times, from N(0, I) at the last (W6, W7).

    Args:
        sampler: Of SAMPLERS; "ode" and "sde-limit" take infinitely many steps between the ends.
        times: Diffusion times, ascending, (levels + 1,).
        w: The linear score at the training points' variance.
        read: l, the slope at the samples' variance over that at the training points'.

    Returns:
        The law.

    Raises:
        RuntimeError: Where the slopes along the path of infinitely many steps do not settle.
    """
    if sampler in FLOWS:
        nodes, whole = NODES, _flow(sampler, times[0], times[-1], w, read, NODES)
        while True:
            nodes *= 2
            half, whole = whole, _flow(sampler, times[0], times[-1], w, read, nodes)
            change = float(np.abs(whole / half - 1).max())
            if change <= ACCURACY or nodes >= MOST:
                return Generated(whole, None, change)
    scores = {t: w(t) for t in times[1:]}
    variance = np.ones_like(scores[times[-1]])
    product = np.ones_like(variance)
    for t, to in zip(times[:0:-1], times[-2::-1], strict=True):
        step = reverse_sde_step(t, to) if sampler == "sde" else ode_step(sampler, t, to)
        here = read(t, variance) * scores[t]
        factor = step.x + step.score * here
        if step.half:
            there = read(to, factor**2 * variance) * (scores[to] if to in scores else w(to))
            factor = factor + step.half * ((1 + there) * factor - (1 + here))
        variance = factor**2 * variance + step.noise**2
        product = product * factor
    return Generated(variance, None if sampler == "sde" else product, 0.0)


def one_jump(first: float, last: float, w: Linear, read: Read) -> NDArray[np.float64]:
    """Λ of one DDIM step from the last time to the first (W9).

    Args:
        first: ε.
        last: T.
        w: The linear score.
        read: l.

    Returns:
        The variance, (times, points).
    """
    step = ode_step("ddim", last, first)
    score = w(last)
    return (step.x + step.score * read(last, np.ones_like(score)) * score) ** 2


def _flow(sampler: str, first: float, last: float, w: Linear, read: Read, nodes: int) -> NDArray[np.float64]:
    """(W7) in s = ln t, by integrals of Chebyshev series from ε up to each node; l and Λ there in turns."""
    x = chebyshev.chebpts2(nodes)
    half = np.log(last / first) / 2
    t = first * np.exp(half * (x + 1))
    scores = np.stack([w(one) for one in t])  # (nodes, times, points)
    up = half * _from_the_left(x)
    along = t.reshape(nodes, *[1] * (scores.ndim - 1))
    slopes, moved = np.ones((nodes, scores.shape[1], 1)), np.inf
    for _ in range(ITERATIONS):
        rate = (1 + (1 if sampler == "ode" else 2) * slopes * scores) * along
        grown = np.exp(2 * np.tensordot(up, rate, 1))  # of the variance, from each node down to ε
        variance = grown[-1] / grown
        if sampler == "sde-limit":
            noise = 2 * np.tensordot(up, grown * along, 1)
            variance = variance + (noise[-1] - noise) / grown
        found = np.stack([read(float(one), there) for one, there in zip(t, variance, strict=True)])
        moved = float(np.abs(found - slopes).max())
        slopes = found
        if moved < ACCURACY / 100:
            return variance[0]
    raise RuntimeError(f"the slopes along the path of {sampler} still move by {moved:.1e} after {ITERATIONS} turns")


def _from_the_left(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The matrix that takes values at Chebyshev points to integrals from −1 up to each of them."""
    size = x.size
    to_series = np.linalg.inv(chebyshev.chebvander(x, size - 1))
    integral = np.stack([chebyshev.chebint(row, lbnd=-1) for row in np.eye(size)], axis=1)
    return chebyshev.chebvander(x, size) @ integral @ to_series
