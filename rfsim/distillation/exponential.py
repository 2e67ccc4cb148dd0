"""A stiff flow followed by exponential steps that choose their own length (equations.md M11).

x' = −Λx + N(x) with Λ diagonal, in several blocks. Over a step of length h, with φ₁(z) = (eᶻ − 1)/z and
φ₂(z) = (φ₁(z) − 1)/z at z = −Λh: the predictor goes on along the last slope of N, the corrector takes the slope that it
finds there,
    x_P = eᶻx + hφ₁N + h²φ₂Ṅ,   x_C = eᶻx + hφ₁N + hφ₂(N(x_P) − N),
one evaluation a step, of second order for every Λ (Cox, Matthews 2002, have the corrector). Λ bounds the rates: a part
that is faster than a step goes from q(1 + ω)x − qωx₋ to the next, q = 1 − rate/Λ and ω the ratio of two steps, which is
stable for qω < 1; where steps grow faster, their error, the distance of the two, says so.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol, TypeAlias

import numpy as np

from rfsim.computing.arrays import Numbers, compiled, namespace

TOLERANCE = 1e-3  # of a step, in the field's own size
FIRST = 1e-2  # of the shortest time scale: the first step
GROW, SHRINK, SAFE = 2.0, 0.2, 0.9
SHORTEST = 1e-13  # of the time reached: shorter steps do not move it
SERIES = 0.1  # |z| below which φ₂ is summed

Blocks: TypeAlias = tuple[Numbers, ...]


class Field(Protocol):
    """What is followed: the slopes of its blocks, the rates Λ of each, (features,), and how far a change is."""

    rates: Blocks

    def slopes(self, values: Blocks) -> Blocks:
        """Of every block at values, (dim, features) each."""
        ...

    def size(self, change: Blocks) -> float:
        """Of a change of the values; a step may err by `TOLERANCE` of it."""
        ...


class FlowState(NamedTuple):
    """Where a flow is, arrays and scalars of NumPy's, so that it can be stored without pickle.

    step: steps taken; time reached; length: of the next step; error: the largest of a step so far; values: x; forcing:
    N where the last predictor looked; slope: Ṅ between the last two.
    """

    step: np.int64
    time: np.float64
    length: np.float64
    error: np.float64
    values: Blocks
    forcing: Blocks
    slope: Blocks


class FlowDiverged(ArithmeticError):
    """No step is short enough; `state` is the last good one."""

    def __init__(self, message: str, state: FlowState) -> None:
        super().__init__(message)
        self.state = state


def begun(field: Field, values: Blocks) -> FlowState:
    """The state at time 0."""
    forcing = _forcing(field.slopes(values), values, field.rates)
    fastest = max(float(rates.max()) for rates in field.rates)
    length = FIRST / fastest if fastest > 0 else math.inf
    nothing = tuple(0 * one for one in values)
    return FlowState(np.int64(0), np.float64(0), np.float64(length), np.float64(0), values, forcing, nothing)


def advance(field: Field, state: FlowState, stop: float) -> FlowState:
    """One step, not beyond `stop`.

    Raises FlowDiverged where it would have to be shorter than rounding.
    """
    now, longest = float(state.time), stop - float(state.time)
    length = min(float(state.length), longest)
    while length > SHORTEST * now:
        predicted, base, second = _predicted(state, field.rates, length)
        forcing = _forcing(field.slopes(predicted), predicted, field.rates)
        corrected = _corrected(base, second, forcing, state.forcing)
        error = field.size(tuple(a - b for a, b in zip(corrected, predicted, strict=True)))
        ratio = error / TOLERANCE
        if ratio <= 1:
            grown = min(GROW, SAFE * ratio ** (-1 / 3)) if ratio > 0 else GROW
            slope = tuple((a - b) / length for a, b in zip(forcing, state.forcing, strict=True))
            # a step cut short by the stop says nothing against the one that was to come
            following = max(length * grown, float(state.length) if length == longest else 0.0)
            reached = stop if length == longest else now + length
            return FlowState(
                np.int64(state.step + 1),
                np.float64(reached),
                np.float64(following),
                np.float64(max(float(state.error), error)),
                corrected,
                forcing,
                slope,
            )
        length *= max(SHRINK, SAFE * ratio ** (-1 / 3)) if math.isfinite(ratio) else SHRINK
    raise FlowDiverged(f"diverged at distill_time {now:.6g}, step {int(state.step)}", state)


@compiled
def _forcing(slopes: Blocks, values: Blocks, rates: Blocks) -> Blocks:
    return tuple(f + rate * x for f, x, rate in zip(slopes, values, rates, strict=True))


@compiled
def _predicted(state: FlowState, rates: Blocks, length: float) -> tuple[Blocks, Blocks, Blocks]:
    """x_P, what x_C shares with it, and hφ₂."""
    predicted, shared, second = [], [], []
    for x, forcing, slope, rate in zip(state.values, state.forcing, state.slope, rates, strict=True):
        decay, first, other = phis(-rate * length)
        base, by = decay * x + length * first * forcing, length * other
        predicted.append(base + length * by * slope)
        shared.append(base)
        second.append(by)
    return tuple(predicted), tuple(shared), tuple(second)


@compiled
def _corrected(base: Blocks, second: Blocks, forcing: Blocks, before: Blocks) -> Blocks:
    return tuple(x + by * (new - old) for x, by, new, old in zip(base, second, forcing, before, strict=True))


def phis(z: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Powers eᶻ, φ₁(z) and φ₂(z) of z ≤ 0."""
    xp = namespace(z)
    small = xp.abs(z) < SERIES
    away = xp.where(small, -1.0, z)
    near = xp.where(small, z, 0.0)
    series = sum(near**k / math.factorial(k + 2) for k in range(10))
    second = xp.where(small, series, (xp.expm1(away) - away) / away**2)
    return xp.exp(z), 1 + z * second, second
