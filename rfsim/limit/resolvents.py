"""Links of `chains` that a diffusion time brings: its resolvent, its features; and the ties of T12's matrices.

Variables of a link are (ψ | f | h, k): for R = (U − z)^{−1} applied to a vector of features, ψ = R·, f = Gᵀψ/√n,
h = Wᵀψ/√d and k = Xf/√n, where U = GGᵀ/n + b²WWᵀ/d + s² and G = e^{−t}a WX/√d + vΩ (equations.md D11).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.limit.chains import Blocks, Link, Medium, Operator, link, operator
from rfsim.limit.limits import Limit, limit
from rfsim.limit.populations import Population
from rfsim.limit.rational import Nodes
from rfsim.limit.solver import solve
from rfsim.problem import model
from rfsim.problem.model import Problem

PSI, F, H, K = range(4)
VARIABLES = "pndd"


class Level(NamedTuple):
    """One diffusion time: e^{−t}, Δ, the constants a, b, v, s of (T9), σ_x², and the one-point equations."""

    time: float
    signal: float
    noise: float
    a: float
    b: float
    v: float
    s: float
    power: float
    limit: Limit


class Resolvent(NamedTuple):
    """The one-point constants at z (nodes,): q, r, h of T10, and L = 1 + (ψ_p/ψ_n)(a²e^{−2t}h + v²q)."""

    z: NDArray
    q: NDArray
    r: NDArray
    h: NDArray
    channel: NDArray


def level(problem: Problem, rho: Population | None = None) -> Level:
    """The level of a problem's diffusion time, noise averaged exactly; `rho` in place of the population of its data."""
    found = limit(problem, rho)
    power = float(found.weights @ found.values)
    c = model.constants(problem, power)
    return Level(
        problem.diffusion_time,
        math.sqrt(found.signal),
        found.noise,
        c.a,
        c.b,
        math.sqrt(c.v2),
        math.sqrt(c.s2),
        power,
        found,
    )


def medium(one: Level, noises: ArrayLike = ((1.0,),)) -> Medium:
    """What chains over levels of one problem share; `noises`: E Ω_jΩ_k."""
    return Medium(
        one.limit.features_per_dim,
        one.limit.samples_per_dim,
        np.asarray(one.limit.values),
        np.asarray(one.limit.weights),
        np.asarray(noises, dtype=float),
    )


def resolvents(one: Level, z: ArrayLike) -> Resolvent:
    """The constants at z, of any shape; real z lie outside of the spectrum, and give real constants.

    Raises NotConverged where the equations are not solved.
    """
    points = np.asarray(z)
    x = solve(one.limit, points.ravel()).state
    q, r, h, over = (np.asarray(value).reshape(points.shape) for value in (x.q, x.r, x.h, x.over_first))
    if not np.iscomplexobj(points):
        q, r, h, over = (np.real(value) for value in (q, r, h, over))
    return Resolvent(points, q, r, h, 1 / over)


def at_points(at: Resolvent, axis: int = 0, axes: int = 1) -> Resolvent:
    """The constants at z (points,), the points along one of the axes before that of nodes, of which there is one."""
    shape = [1] * (axes + 1)
    shape[axis] = -1
    return Resolvent(*(value.reshape(shape) for value in at))


def resolvent_link(space: Medium, one: Level, at: Resolvent, noise: int = 0, weights: ArrayLike = (1.0,)) -> Link:
    """(U − z)^{−1} at z (..., nodes), as D11 has it.

    `noise`: the number of Ω among those of the medium; `weights` of the nodes.
    """
    ea, b2 = one.signal * one.a, one.b**2
    entries = operator(
        space,
        VARIABLES,
        VARIABLES,
        {(PSI, PSI): one.s**2 - at.z, (F, F): -1.0, (H, H): -b2}
        | dict.fromkeys(((PSI, H), (H, PSI)), b2)
        | dict.fromkeys(((PSI, K), (K, PSI), (F, H), (H, F)), ea)
        | dict.fromkeys(((H, K), (K, H)), -ea),
        {place: {noise: one.v} for place in ((PSI, F), (F, PSI))},
    )
    strong, over = space.features_per_dim * at.q[..., None], space.values / at.channel[..., None]
    block = np.empty((*over.shape, 2, 2), dtype=over.dtype)
    block[..., 0, 0] = b2 + strong * b2**2 - over * ea**2
    block[..., 0, 1] = block[..., 1, 0] = ea * (1 + strong * b2)
    block[..., 1, 1] = strong * ea**2
    inverse = Blocks(at.q[..., None, None], -1 / at.channel[..., None, None], -np.linalg.inv(block))
    return link(space, entries, inverse, weights)


def filter_link(space: Medium, one: Level, nodes: Nodes, noise: int = 0) -> Link:
    """A filter of U, as a sum of resolvents."""
    return resolvent_link(space, one, resolvents(one, nodes.points), noise, nodes.weights)


def features_link(space: Medium, one: Level, noise: int = 0) -> Link:
    """What gives (ψ, f, h, k) of a vector of features itself: a factor that is no resolvent stands on it (D11)."""
    ea = one.signal * one.a
    entries = operator(
        space,
        VARIABLES,
        VARIABLES,
        {(k, k): 1.0 for k in range(4)} | {(F, H): -ea, (H, PSI): -1.0, (K, F): -1.0},
        {(F, PSI): {noise: -one.v}},
    )
    eye, d = np.ones((1, 1, 1)), np.zeros((1, space.values.size, 2, 2))
    d[..., 0, 0] = d[..., 1, 1] = 1.0
    d[..., 1, 0] = ea * space.values
    return link(space, entries._replace(fixed=entries.fixed[None]), Blocks(eye, eye, d))


def weights_tie(space: Medium, rows: str, row: int, weight: ArrayLike = 1.0) -> Operator:
    """From feature variable `row` to h of a link: K = WWᵀ/d times the link's inverse (D12)."""
    return operator(space, rows, VARIABLES, {(row, H): weight})
