"""A ladder of diffusion times in the limit (equations.md D15) [ours].

The teacher's steps down it, and how their frozen noises correlate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.limit.chains import chain, identity
from rfsim.limit.operators import Link, Medium, Operator, operator
from rfsim.limit.rational import Trained
from rfsim.limit.resolvents import (
    PSI,
    VARIABLES,
    F,
    Level,
    features_link,
    filter_link,
    medium,
    weights_tie,
)
from rfsim.limit.steps import Fields, TeacherStep, fields, step
from rfsim.problem.activations import Activation


class Ladder(NamedTuple):
    """Levels t_0 < … < t_N of one problem.

    Of levels 1…N the teachers, their fields and the step down to the level below; the medium with all frozen noises,
    Ω_1…Ω_N and then Ω′_1…Ω′_N.
    """

    levels: tuple[Level, ...]
    teachers: tuple[Trained, ...]
    fields: tuple[Fields, ...]
    steps: tuple[TeacherStep, ...]
    space: Medium

    @property
    def height(self) -> int:
        """N."""
        return len(self.steps)

    def out(self, k: int) -> float:
        """c_out of the `ddim` form at level k, f(x) = e^{t−ε}x + c_out B̄φ(x): e^{t−ε}Δ_t − √(Δ_tΔ_ε) (T15)."""
        now, first = self.levels[k], self.levels[0]
        return math.exp(now.time - first.time) * now.noise - math.sqrt(now.noise * first.noise)

    def shares(self, k: int) -> tuple[float, float]:
        """w_T and w_S of level k (D1): of the teacher's own score and of the student below in the target."""
        taught = math.exp(self.levels[k - 1].time - self.levels[0].time) * self.steps[k - 1].beta / self.out(k)
        return taught, self.out(k - 1) / self.out(k)


def ladder(levels: Sequence[Level], teachers: Sequence[Trained], sigma: Activation) -> Ladder:
    """All steps; levels ascend, teachers are of all but the first, sigma is odd."""
    found = tuple(fields(one, taught) for one, taught in zip(levels[1:], teachers, strict=True))
    steps = tuple(step(sigma, levels[k], levels[k - 1], found[k - 1]) for k in range(1, len(levels)))
    space = medium(levels[1], _noises(levels, teachers, found, steps))
    return Ladder(tuple(levels), tuple(teachers), found, steps, space)


def _noises(
    levels: Sequence[Level], teachers: Sequence[Trained], found: Sequence[Fields], steps: Sequence[TeacherStep]
) -> NDArray[np.float64]:
    """E over Ω_1…Ω_N, Ω′_1…Ω′_N, (2N, 2N); an Ω′ of no size has none."""
    count, weights = len(steps), steps[0].noise.weights
    omega = np.stack([one.noise.start for one in steps])
    size = np.array([one.rho_new or 1.0 for one in steps])
    mean = np.stack([one.noise.new[0] for one in steps]) / size[:, None]
    whole = np.eye(2 * count)
    whole[:count, :count] = omega @ (weights[:, None] * omega.T)
    whole[count:, :count] = mean @ (weights[:, None] * omega.T)
    for k in range(count):
        whole[count + k, k] = 0.0  # a step's own Ω′ has nothing of its Ω: what is left there is rounding
        for j in range(k):
            powers = residual_correlation(levels, teachers, found, whole[k, j], k, j) ** np.arange(
                len(steps[k].noise.new)
            )
            own = np.einsum("su,su,u,s->", steps[k].noise.new, steps[j].noise.new, weights, powers)
            whole[count + k, count + j] = whole[count + j, count + k] = own / (size[k] * size[j])
    whole[:count, count:] = whole[count:, :count].T
    return whole


def residual_correlation(
    levels: Sequence[Level], teachers: Sequence[Trained], found: Sequence[Fields], kept: float, k: int, j: int
) -> float:
    """χ, the correlation of the residuals of ȳ given u of two steps (counted from 0); kept: E ΩΩ of the two."""
    one, two, f, g = levels[k + 1], levels[j + 1], found[k], found[j]
    space = medium(one, [[1.0, kept], [kept, 1.0]])
    near = filter_link(space, one, teachers[k].filter_nodes, 0)
    far = filter_link(space, two, teachers[j].filter_nodes, 1)
    end = identity(space, "p")
    into, sample = weights_tie(space, "p", 0), operator(space, VARIABLES, VARIABLES, {(F, F): 1.0})
    out = operator(space, VARIABLES, "p", {(PSI, 0): 1.0})

    def trace(links: Sequence[Link], last: Operator) -> float:
        traces = chain(space, [end, *links, end], {(0, 1): into, (1, 2): sample, (2, 3): last}).p
        return float(np.real(traces[..., 0, 0]))

    both = trace([near, far], into.transpose)
    first = trace([near, features_link(space, two, 1)], out)
    second = trace([far, features_link(space, one, 0)], out)
    echo, other = f.c1 + f.c2, g.c1 + g.c2
    product = one.a * two.a * both + one.a * other * first + two.a * echo * second
    product += echo * other * (one.a * two.a * one.signal * two.signal * one.power + one.v * two.v * kept)
    left = [each.var_mean - each.tau1**2 / one.power for each in (f, g)]
    return (product - f.tau1 * g.tau1 / one.power) / math.sqrt(left[0] * left[1])
