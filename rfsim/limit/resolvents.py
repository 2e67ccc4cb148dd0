"""Links of `chains` that a diffusion time brings: its resolvent, its features; and the ties of T12's matrices.

Variables of a link are (ψ | f | h, j): for R = (U − z)^{−1} applied to a vector of features, ψ = R·, f = Gᵀψ/√n,
h = Wᵀψ/√d and j = b²h + e^{−t}a Xf/√n, where G = e^{−t}a WX/√d + vΩ: with these U = W j/√d + vΩf/√n + s² and neither
entries nor traces cancel or grow where e^{−t} is small, as they do for k = Xf/√n in the place of j (equations.md D11).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.limit.chains import Blocks, link
from rfsim.limit.limits import Limit, limit
from rfsim.limit.operators import Link, Medium, Operator, operator
from rfsim.limit.populations import Population
from rfsim.limit.rational import Nodes
from rfsim.limit.solver import solve_above
from rfsim.problem import model
from rfsim.problem.model import Problem

PSI, F, H, J = range(4)
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
    """The one-point constants at z (nodes,): q, r, h of T10, and L − 1 = (ψ_p/ψ_n)(a²e^{−2t}h + v²q).

    offset: z − s², for points closer to the atom than z could tell.
    """

    z: NDArray
    offset: NDArray
    q: NDArray
    r: NDArray
    h: NDArray
    excess: NDArray

    @property
    def channel(self) -> NDArray:
        """L."""
        return 1 + self.excess


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
    return resolvents_above(one, np.asarray(z) - float(one.limit.floor))


def resolvents_above(one: Level, offset: NDArray) -> Resolvent:
    """The constants at z = s² + offset, as `resolvents`."""
    x = solve_above(one.limit, offset.ravel()).state
    q, r, h = (np.asarray(value).reshape(offset.shape) for value in (x.q, x.r, x.h))
    if not np.iscomplexobj(offset):
        q, r, h = (np.real(value) for value in (q, r, h))
    ratio = one.limit.features_per_dim / one.limit.samples_per_dim
    excess = ratio * ((one.a * one.signal) ** 2 * h + one.v**2 * q)
    return Resolvent(offset + float(one.limit.floor), offset, q, r, h, excess)


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
        {(PSI, PSI): -at.offset, (F, F): -1.0, (H, H): b2}
        | dict.fromkeys(((PSI, J), (J, PSI)), 1.0)
        | dict.fromkeys(((F, H), (H, F)), ea)
        | dict.fromkeys(((H, J), (J, H)), -1.0),
        {place: {noise: one.v} for place in ((PSI, F), (F, PSI))},
    )
    strong, load = space.features_per_dim * at.q[..., None], b2 + ea**2 * space.values / at.channel[..., None]
    block = np.empty((*load.shape, 2, 2), dtype=load.dtype)
    block[..., 0, 0], block[..., 1, 1] = strong, -load
    block[..., 0, 1] = block[..., 1, 0] = -1.0
    block /= (1 + strong * load)[..., None, None]
    inverse = Blocks(at.q[..., None, None], -1 / at.channel[..., None, None], block)
    return link(space, entries, inverse, weights)


def filter_link(space: Medium, one: Level, nodes: Nodes, noise: int = 0) -> Link:
    """A filter of U, as a sum of resolvents."""
    return resolvent_link(space, one, resolvents(one, nodes.points), noise, nodes.weights)


def features_link(space: Medium, one: Level, noise: int = 0) -> Link:
    """What gives (ψ, f, h, j) of a vector of features itself: a factor that is no resolvent stands on it (D11)."""
    ea = one.signal * one.a
    entries = operator(
        space,
        VARIABLES,
        VARIABLES,
        {(k, k): 1.0 for k in range(4)} | {(F, H): -ea, (H, PSI): -1.0, (J, H): -(one.b**2), (J, F): -ea},
        {(F, PSI): {noise: -one.v}},
    )
    eye, d = np.ones((1, 1, 1)), np.zeros((1, space.values.size, 2, 2))
    d[..., 0, 0] = d[..., 1, 1] = 1.0
    d[..., 1, 0] = one.b**2 + ea**2 * space.values
    return link(space, entries._replace(fixed=entries.fixed[None]), Blocks(eye, eye, d))


def weights_tie(space: Medium, rows: str, row: int, weight: ArrayLike = 1.0) -> Operator:
    """From feature variable `row` to h of a link: K = WWᵀ/d times the link's inverse (D12)."""
    return operator(space, rows, VARIABLES, {(row, H): weight})


def linear_entries(one: Level, row: int, along: ArrayLike, samples: float) -> dict[tuple[int, int], ArrayLike]:
    """Entries from feature variable `row` of a link: along·W h + samples·W Xf/√n, by h and j."""
    by_j = samples / (one.signal * one.a)
    return {(row, H): np.asarray(along) - by_j * one.b**2, (row, J): by_j}
