"""The teacher's step from one diffusion time to the next in the limit (equations.md D1 to D8) [ours].

What a feature before and one after it have in common. With P f the teacher's read-out, a step is Φ(x) = αx + βĀφ(x),
and feature i after it σ(αx_i + βz_i). Leaving out feature and sample, z_i = c_1σ(x_i) + c_2 g(u_i) + ȳ_i + ỹ_i, with
u_i, ω_i, ȳ_i, ỹ_i Gaussian (D2); c_2 is the echo of the sample that x was diffused from. What φ(Φ(x)) is beside φ(x) is
then linear in Gaussian fields (D7), with the constants of D6.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from rfsim.computing.numerics import hermite_polynomials
from rfsim.limit.chains import chain, identity
from rfsim.limit.operators import operator
from rfsim.limit.rational import Trained
from rfsim.limit.resolvents import (
    PSI,
    VARIABLES,
    Level,
    Resolvent,
    at_points,
    medium,
    resolvent_link,
    resolvents,
    weights_tie,
)
from rfsim.problem.activations import Activation

RULES = (0.33, 14), (0.27, 18)  # the step over u and ω, in units of what σ resolves, and nodes over ȳ and ỹ
REACH = 8.5  # standard deviations of u and ω
ORDERS = 12  # Hermite orders of Ω′ in ȳ
LATE, SERIES = 0.3, 32  # correlation of u with what a feature sees below which Ω is summed in Hermite orders, and those


class Fields(NamedTuple):
    """(D3) to (D5): c_1, c_2; τ_1 = cov(ȳ, u), τ_2 = cov(ỹ, ω); the variances V̄ of ȳ and Ṽ of ỹ."""

    c1: float
    c2: float
    tau1: float
    tau2: float
    var_mean: float
    var_fresh: float


class TeacherStep(NamedTuple):
    """Constants of a step, (D6) and (D8).

    Φ's α and β; of φ(Φ(x)) the parts along u, ω and both y (a_u, a_omega, a_y), along Ω and a new Ω′ (rho, rho_new),
    along Z and a new Z′ (s1, s2); of C those along K (c_h, where U f(U) is 1), WXGᵀ (c_k), Ω (w1) and the identity
    (c_psi). `error`: of all of them, between two rules. `noise`: Ω and Ω′ over a grid of u.
    """

    alpha: float
    beta: float
    a_u: float
    a_omega: float
    a_y: float
    rho: float
    rho_new: float
    s1: float
    s2: float
    c_h: float
    c_k: float
    w1: float
    c_psi: float
    error: float
    noise: Noise


class Noise(NamedTuple):
    """What a level's frozen noises are, over one grid of u for all levels with weights (nodes,).

    Ω (nodes,) at the start of the step and at its end, and the coefficients of Ω′ρ′ in Hermite polynomials of ȳ's
    residual given u (orders, nodes).
    """

    weights: NDArray[np.float64]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    new: NDArray[np.float64]


def fields(one: Level, teacher: Trained) -> Fields:
    """The fields of the step of a teacher of that filter."""
    space = medium(one)
    nodes = teacher.filter_nodes
    at = resolvents(one, nodes.points)
    a, b, c = one.a, one.b, nodes.weights
    psi_p = space.features_per_dim
    inner = psi_p - 1 + at.r / at.q
    k3 = at.r * (psi_p + at.r / at.q)
    own, cross = _two_point(one, at)
    first, second = _sum(c * at.r), _sum(c * k3)
    kept = _sum(c * (1 + at.z * at.r))
    # z f² is f less z_j of a node beside the pair of it
    third, fifth = _pairs(c, own), _pairs(c, cross)
    fourth = second + _pairs(c, at.z[:, None] * own)
    c1 = -a * first
    c2 = a * _sum(c * at.r * at.excess / at.channel)
    both = c1 + c2
    tau2 = -a * b * _sum(c * at.r * inner)
    tau1 = -(a**2) * one.signal * _sum(c / at.channel * (psi_p * at.h - at.r * one.power + at.r * at.h / at.q))
    fresh = b**2 * (a**2 * fifth + 2 * a * c1 * second + c1**2)
    fresh += one.s**2 * (a**2 * third + 2 * a * c1 * first + c1**2)
    mean = a**2 * (fourth - b**2 * fifth - one.s**2 * third)
    mean += 2 * a * both * (kept - b**2 * second - one.s**2 * first)
    mean += both**2 * ((a * one.signal) ** 2 * one.power + one.v**2)
    return Fields(c1, c2, tau1, tau2, mean, fresh)


def _two_point(one: Level, at: Resolvent) -> tuple[NDArray, NDArray]:
    """(1/p) Tr K R R′ K and (1/p) Tr K R K R′ K over pairs of nodes."""
    space = medium(one)
    left, right = (resolvent_link(space, one, at_points(at, axis, 2)) for axis in (0, 1))
    end = identity(space, "p")
    into, out = weights_tie(space, "p", 0), weights_tie(space, "p", 0).transpose
    between = operator(space, VARIABLES, VARIABLES, {(PSI, PSI): 1.0})
    links = [end, left, right, end]
    own, cross = (
        chain(space, links, {(0, 1): into, (1, 2): middle, (2, 3): out}).p[..., 0, 0]
        for middle in (between, weights_tie(space, VARIABLES, PSI))
    )
    return own, cross


def _sum(values: NDArray) -> float:
    return float(np.real(values.sum()))


def _pairs(weights: NDArray, table: NDArray) -> float:
    return float(np.real(weights @ table @ weights))


def step(sigma: Activation, now: Level, before: Level, found: Fields) -> TeacherStep:
    """The constants of a step of an odd activation from `now` down to `before`.

    Two rules are compared; the error is what they differ by.
    """
    alpha = math.exp(now.time - before.time)
    beta = alpha * now.noise - math.sqrt(now.noise * before.noise)
    scalars = (alpha, beta, now.signal, now.noise, now.a, now.v, now.s, now.power, *found)
    scalars += (before.signal, before.noise, before.a, before.v)
    # the scale of what σ is evaluated at, in halves of powers of two: each compiles a program
    scale = 2 ** math.ceil(math.log2(max(1.0, math.sqrt(now.signal**2 * now.power + now.noise))))
    rules = [_rule(scale, *one) for one in RULES]
    values, profiles = zip(*(_averages(sigma)(*scalars, *rule) for rule in rules), strict=True)
    check, best = (np.asarray(one) for one in values)
    a_y, a_omega, a_u, rho, rho_new, s1, s2 = map(float, best)
    both = found.c1 + found.c2
    return TeacherStep(
        alpha,
        beta,
        a_u,
        a_omega,
        a_y,
        rho,
        rho_new,
        s1,
        s2,
        a_omega * now.b - a_y * found.c1 * now.b**2 - now.a * a_y,
        a_u - a_y * both * now.signal * now.a,
        rho - a_y * both * now.v,
        now.s * s1 - a_y * found.c1 * now.s**2,
        float(np.abs(best - check).max()),
        Noise(np.asarray(rules[-1][1]), *map(np.asarray, profiles[-1])),
    )


def _rule(scale: float, width: float, count: int) -> tuple[NDArray, ...]:
    """Points and weights over u and ω, and over ȳ and ỹ, and Hermite polynomials: of u from order 2 on, and of ȳ.

    By a trapezoid rule whose step resolves σ, and by Gauss–Hermite.
    """
    spacing = width / scale
    points = spacing * np.arange(-round(REACH / spacing), round(REACH / spacing) + 1)
    weights = np.exp(-(points**2) / 2)
    few, their = np.polynomial.hermite_e.hermegauss(count)
    tables = hermite_polynomials(points, SERIES)[2:], hermite_polynomials(few, ORDERS)
    return points, weights / weights.sum(), few, their / their.sum(), *tables


@cache
def _averages(sigma: Activation) -> Callable[..., tuple[Array, tuple[Array, Array, Array]]]:
    """The averages of (D6) over u, ȳ, ω, ỹ, compiled once for each activation and number of points."""
    slope_at = jax.vmap(jax.grad(sigma.function))

    def slope(values: Array) -> Array:
        return slope_at(values.ravel()).reshape(values.shape)

    @jax.jit
    def averages(
        alpha,
        beta,
        signal,
        noise,
        a,
        v,
        s,
        power,
        c1,
        c2,
        tau1,
        tau2,
        mean,
        fresh,
        signal_,
        noise_,
        a_,
        v_,
        x,
        w,
        y,
        wy,
        late,
        profile,
    ):
        spread = jnp.sqrt(power)
        u = spread * x
        means = tau1 / spread * x[:, None] + jnp.sqrt(mean - tau1**2 / power) * y  # ȳ at (u, ȳ)
        news = tau2 * x[:, None] + jnp.sqrt(fresh - tau2**2) * y  # ỹ at (ω, ỹ)
        points = signal * u[:, None] + jnp.sqrt(noise) * x  # (u, ω)
        features, slopes = sigma.function(points), slope(points)
        g, g_slope = features @ w, signal * (slopes @ w)
        inner = alpha * points + beta * (c1 * features + c2 * g[:, None])
        whole = inner[:, None, :, None] + beta * (means[:, :, None, None] + news)
        after = sigma.function(whole)
        by_pair = jnp.einsum("uywz,y,z->uw", slope(whole), wy, wy)  # E σ′ given (u, ω)

        def over(values: Array) -> Array:
            return jnp.einsum("uw,u,w->", values, w, w)

        def frozen(values: Array, signal: Array, noise: Array, a: Array, size: Array) -> Array:
            """Ω at u, from g there; nothing where σ is linear.

            At late times vΩ is far smaller than g: it is Σ c_s ρ^s h_s there, over s ≥ 3 of an odd σ.
            """
            gamma = jnp.sqrt(signal**2 * power + noise)
            share, heights = signal * spread / gamma, sigma.function(gamma * x)
            series = (share ** jnp.arange(2.0, SERIES) * (late @ (w * heights))) @ late
            rest = jnp.where(share < LATE, series, values - a * signal * u)
            return jnp.where(size > 0, rest / jnp.where(size > 0, size, 1.0), 0.0)

        a_y = beta * over(by_pair)
        a_omega = jnp.sqrt(noise) * over(by_pair * (alpha + beta * c1 * slopes))
        a_u = over(by_pair * (alpha * signal + beta * (c1 * signal * slopes + c2 * g_slope[:, None])))
        start = frozen(g, signal, noise, a, v)
        below = sigma.function(signal_ * u[:, None] + jnp.sqrt(noise_) * x) @ w
        end = frozen(below, signal_, noise_, a_, v_)
        left = (features - g[:, None] - a * jnp.sqrt(noise) * x) / jnp.where(s > 0, s, 1.0)
        average = jnp.einsum("uywz,w,z->uy", after, w, wy)
        rest = average - a_u * u[:, None] - a_y * means
        rho = jnp.einsum("uy,u,y,u->", rest, w, wy, start)
        rest = rest - rho * start[:, None]
        rho_new = jnp.sqrt(jnp.einsum("uy,u,y->", rest**2, w, wy))
        new = jnp.einsum("uy,y,sy->su", rest, wy, profile)
        drawn = after - average[:, :, None, None] - a_omega * x[:, None] - a_y * news
        s1 = jnp.einsum("uywz,u,y,w,z,uw->", drawn, w, wy, w, wy, left)
        drawn = drawn - s1 * left[:, None, :, None]
        s2 = jnp.sqrt(jnp.einsum("uywz,u,y,w,z->", drawn**2, w, wy, w, wy))
        return jnp.stack([a_y, a_omega, a_u, rho, rho_new, s1, s2]), (start, end, new)

    return averages
