"""Consistency distillation as ψ_p → ∞ after d → ∞, m = ∞ (equations.md W10, [ours]).

On the training tube of x_i every read-out is g^x(Σ̂)x_i + g^z(Σ̂)z, and off the tubes it is wx with w = g^z/√Δ; what
the tube has beside that is the bump g^x − e^{−t}w. Sample parts are held times √λ, so that nothing divides by it.
`ddim` form and steps, sequential targets, a start at the teacher; σ without a second Hermite coefficient.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.learning.filters import learning_rate_constant
from rfsim.learning.trainers import FlowFilter
from rfsim.limit.generation import learned
from rfsim.limit.limits import Limit
from rfsim.limit.sample_covariance import SampleCovariance
from rfsim.limit.wide_spectrum import Channels, channels
from rfsim.problem.activations import Activation, hermite_coefficients
from rfsim.problem.diffusion import Step, ode_step

ORDERS = 64


class Level(NamedTuple):
    """One level of a ladder.

    Attributes:
        time: t.
        limit: What the equations depend on there.
        teacher_time: τ of its teacher.
    """

    time: float
    limit: Limit
    teacher_time: float


class _Tube(NamedTuple):
    """Sample part times √λ, and noise part, (points,)."""

    sample: NDArray[np.float64]
    noise: NDArray[np.float64]


def wide_student(
    sigma: Activation,
    first: float,
    levels: Sequence[Level],
    law: SampleCovariance,
    distill_time: float,
    ridge: float = 0.0,
) -> NDArray[np.float64]:
    """The student's linear map from each level to ε, at one distillation time (W10).

    Args:
        sigma: σ, without a second Hermite coefficient at every level's Γ.
        first: ε.
        levels: Those above ε, ascending.
        law: Of Σ̂.
        distill_time: τ_S; may be inf.
        ridge: Of the teacher, γ over ψ_p; the student has none.

    Returns:
        F_k(λ) = c_skip + c_out w_k, k = 1 … N, at the training points' variance, (levels, points).
    """
    root = np.sqrt(law.points)
    below_time, below_limit = first, levels[0].limit
    below, skip, out = _Tube(root, root), 1.0, 0.0
    w_below = np.zeros_like(root)
    maps = []
    for level in levels:
        limit = level.limit
        clean, noise = math.sqrt(limit.signal) * root, math.sqrt(limit.noise) * np.ones_like(root)
        teacher = _teacher(limit, law.points, level.teacher_time, ridge)
        step = ode_step("ddim", level.time, below_time)
        moved = _Tube(
            step.x * clean + step.score * teacher.sample,
            step.x * noise + step.score * teacher.noise,
        )
        if out:
            slope, bump = _shifted(sigma, below_limit, law, moved)
            own = below.sample - math.sqrt(below_limit.signal) * root * w_below
            along = skip + out * slope * w_below
            target = _Tube(along * moved.sample + out * bump * own, along * moved.noise)
        else:
            target = moved  # f_0(x) = x
        jump = ode_step("ddim", level.time, first)
        wanted = _Tube((target.sample - jump.x * clean) / jump.score, (target.noise - jump.x * noise) / jump.score)
        below = _trained(limit, channels(limit, law.points), jump, wanted, teacher, distill_time)
        w_below = below.noise / math.sqrt(limit.noise)
        below_time, below_limit, skip, out = level.time, limit, jump.x, jump.score
        maps.append(skip + out * w_below)
    return np.array(maps)


def _teacher(limit: Limit, points: NDArray[np.float64], train_time: float, ridge: float) -> _Tube:
    """s^x√λ and s^z (W1)."""
    sample, noise = (one[0] for one in learned(limit, points, np.array([train_time]), ridge))
    return _Tube(-sample / math.sqrt(limit.noise), -noise / math.sqrt(limit.noise))


def _shifted(sigma: Activation, below: Limit, law: SampleCovariance, moved: _Tube) -> tuple[float, float]:
    """The factors l and η by which the level below reads points of another variance, and of another overlap."""
    power = float(np.asarray(below.weights) @ np.asarray(below.values))
    gamma = math.sqrt(below.signal * power + below.noise)
    there = math.sqrt(float(law.weights @ (moved.sample**2 + moved.noise**2)))
    overlap = float(law.weights @ (np.sqrt(law.points) * moved.sample))
    here, new = (hermite_coefficients(sigma, one, ORDERS) for one in (gamma, there))
    slope = (new[1] / there) / (here[1] / gamma)
    if below.v2 == 0:
        return float(slope), 0.0
    share = math.sqrt(below.signal) * overlap / (there * gamma)
    return float(slope), float((new[2:] * here[2:]) @ share ** np.arange(2, ORDERS) / below.v2)


def _trained(limit: Limit, found: Channels, jump: Step, wanted: _Tube, start: _Tube, distill_time: float) -> _Tube:
    """What is left of the start decays in both channels, at 2c_out²a²τ_SQ."""
    rate = learning_rate_constant(jump.score**2, 1.0)
    lag = _Tube(start.sample - wanted.sample, start.noise - wanted.noise)
    done = found.points * np.asarray(
        FlowFilter(rate, 0.0).filter(np.array([distill_time]))(found.points.ravel())
    ).reshape(found.points.shape)
    left = 1 - done  # e^{−κτ_S q} in either channel
    across = (left * found.across).sum(0)
    sample = (left * (1 - found.shares)).sum(0) * lag.sample + across * lag.noise
    noise = across * lag.sample + (left * found.shares).sum(0) * lag.noise
    return _Tube(wanted.sample + sample, wanted.noise + noise)
