"""Levels, resolvents and chains in forty digits, as object arrays of mpmath: right values of what float64 rounds."""

from __future__ import annotations

from functools import cache

import mpmath as mp
import numpy as np

from rfsim.limit.resolvents import Level, Resolvent
from rfsim.limit.solver import solve_above

mp.mp.dps = 40
STEP, REACH = mp.mpf("0.1"), 14  # of a trapezoid rule for tanh at Γ = 1: errors of 1e-42


@cache
def _powers() -> list[mp.mpf]:
    """c_s² of tanh(z), s < 90."""
    total, square = [mp.mpf(0)] * 90, mp.mpf(0)
    for k in range(-int(REACH / STEP), int(REACH / STEP) + 1):
        z = k * STEP
        value, weight = mp.tanh(z), STEP * mp.npdf(z)
        square += weight * value**2
        before, now = mp.mpf(0), mp.mpf(1)
        for s in range(90):
            total[s] += weight * value * now
            before, now = now, (z * now - mp.sqrt(s) * before) / mp.sqrt(s + 1)
    return [square, *(c**2 for c in total)]


def level(rounded: Level) -> Level:
    """The level of tanh and Σ = I at Γ = 1, in forty digits, that `rounded` stands for."""
    values = _constants(rounded.time)
    return Level(rounded.time, *values, mp.mpf(1), rounded.limit)


@cache
def _constants(time: float) -> tuple[mp.mpf, ...]:
    t = mp.mpf(time)
    square, *powers = _powers()
    x = mp.exp(-2 * t)
    a, v2 = mp.sqrt(powers[1]), mp.fsum(powers[s] * x**s for s in range(3, 90, 2))
    noise = -mp.expm1(-2 * t)
    return mp.exp(-t), noise, a, mp.sqrt(noise) * a, mp.sqrt(v2), mp.sqrt(square - a**2 - v2)


def resolvents(rounded: Level, offset: np.ndarray, source: float | mp.mpf = 0) -> Resolvent:
    """(q, r, h) at z = s² + offset, with U − source·K for U, by Newton from the rounded solution."""
    one = level(rounded)
    psi_p, psi_n = rounded.limit.features_per_dim, rounded.limit.samples_per_dim
    e, ratio = one.signal**2, mp.mpf(psi_p) / psi_n
    flat = offset.ravel()
    start = solve_above(rounded.limit, flat.astype(complex)).state
    points = []
    for k, at in enumerate(flat):
        real = mp.im(at) == 0
        guess = [mp.mpmathify(complex(np.asarray(value)[k])) for value in (start.q, start.r)]

        def left(over, r, at=at):
            q = 1 / over
            first = 1 + ratio * (one.a**2 * e * r + one.v**2 * q)
            inner = over + psi_p * (one.b**2 - source) + psi_p * one.a**2 * e / first
            return [
                (1 - psi_p) * over - r * over**2 + psi_p * one.v**2 / first - psi_p * at,
                1 - r * inner,
            ]

        guess = [mp.re(value) if real else value for value in (1 / guess[0], guess[1])]
        over, r = mp.findroot(left, guess, tol=mp.mpf(10) ** -60 * abs(guess[0]) ** 2, verify=False, maxsteps=30)
        points.append((1 / over, r))
    q, r = (np.array(values, dtype=object).reshape(offset.shape) for values in zip(*points, strict=True))
    excess = ratio * (one.a**2 * e * r + one.v**2 * q)
    return Resolvent(offset + one.s**2, offset, q, r, r, excess)


def solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """np.linalg.solve of object arrays, right (..., unknowns, 1)."""
    batch = np.broadcast_shapes(matrix.shape[:-2], right.shape[:-2])
    size = matrix.shape[-1]
    matrix, right = np.broadcast_to(matrix, (*batch, size, size)), np.broadcast_to(right, (*batch, size, 1))
    found = np.empty((*batch, size, 1), dtype=object)
    for place in np.ndindex(batch):
        solution = mp.lu_solve(mp.matrix(matrix[place].tolist()), mp.matrix(right[place].tolist()))
        for k in range(size):
            found[place][k, 0] = solution[k]
    return found
