"""U, V, Ũ, Ṽ at finite size, exact in the noise (equations.md T3–T6).

One routine serves the training set, a Gaussian or mixture population and a held-out array: each is a `Law`, and
    M = E φφᵀ: M_ij = Σ_s c_ij^s (1/n) Σ_ν g_s(i,ν) g_s(j,ν) off the diagonal, its diagonal by quadrature,
    N = E φξᵀ = √Δ diag((1/n) Σ_ν g_1(i,ν)/T_i) W/√d (Stein),
with g_s(i,ν) = E h_s(u) σ(η_iν + T_i u), h_s = He_s/√s!, η the pre-activations of the centers, T_i the deviation
and c_ij the correlation of the noise in the pre-activations. For points T_i = √(Δρ_i): (T4), (T5). For a Gaussian
population η = 0, T_i = √v_i: (T6).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from rfsim.activations import Activation
from rfsim.diffusion import Law
from rfsim.numerics import HermiteRule, hermite_rule
from rfsim.precision import require_float64

MAX_ORDERS = 200
TILE = 512
CHUNK_BYTES = 256 * 2**20  # Hermite coefficients held at once, where p² doubles allow less
RULE_TOLERANCE = 1e-13


class Moments(NamedTuple):
    """The two moments of (T1) and what is known of their error.

    second: M (features, features); noise: N (features, dim), both dimensionless; constant: E‖ξ‖²/d;
    orders: Hermite orders summed (0 for frozen draws); error_bound: bound on the spectral norm of M's error.
    """

    second: Array
    noise: Array
    constant: float
    orders: int
    error_bound: float


class _Geometry(NamedTuple):
    """Noise of the pre-activations: deviation T (features,); directions D (features, dim), c = D Dᵀ."""

    deviation: NDArray[np.float64]
    directions: NDArray[np.float64]


class _Pilot(NamedTuple):
    """A fine rule on a few features and centers, before anything large is computed.

    eta: (rows, centers) and deviation: (rows,) of the probes; g: (rows, centers, orders) and square (rows, centers)
    under the fine rule; tail: (rows, orders + 1), energy E σ² in orders ≥ k.
    """

    eta: NDArray[np.float64]
    deviation: NDArray[np.float64]
    g: NDArray[np.float64]
    square: NDArray[np.float64]
    tail: NDArray[np.float64]


class _Totals(NamedTuple):
    """Sums over centers: second (padded, padded) without its diagonal's tail; the rest (features,).

    square: E σ²; energy: Σ_s E g_s² over the orders summed; stein: E g_1.
    """

    second: Array
    square: NDArray[np.float64]
    energy: NDArray[np.float64]
    stein: NDArray[np.float64]

    @classmethod
    def zero(cls, features: int) -> _Totals:
        size = _padded(features)
        return cls(jnp.zeros((size, size)), np.zeros(features), np.zeros(features), np.zeros(features))


def averaged_moments(
    weights: NDArray[np.float64],
    law: Law,
    sigma: Activation,
    *,
    noise_scale: float,
    tolerance: float = 1e-6,
    floor: float | None = None,
    ridge: float = 0.0,
    max_orders: int = MAX_ORDERS,
) -> Moments:
    """M and N of the features of `law`, averaged exactly over its Gaussian noise.

    weights: W (features, dim); law: of x_t, with positive variances; noise_scale: √Δ.
    The number of orders is the smallest found for which the bound on ‖error of M‖ is below tolerance × floor.
    `floor` is λ_min + γ where the caller knows it; by default it is `ridge` plus an estimate of λ_min from the energy
    of the features beyond the degree whose polynomials span most of them.

    Raises ValueError with the bound reached where more than `max_orders` are needed.
    """
    require_float64()
    geometry = _geometry(weights, law)
    pilot = _pilot(weights, law, geometry, sigma, max_orders)
    if floor is None:
        floor = ridge + 0.5 * float(pilot.tail[:, _spanned_degree(*weights.shape) + 1].min())
    target = tolerance * floor
    first, orders = 0, _choose_orders(geometry, pilot.tail, target)
    totals = _Totals.zero(len(weights))
    while True:
        rule = _choose_rule(pilot, sigma, orders)
        totals = _sum_orders(totals, weights, law, geometry, rule, sigma, first, orders)
        remainder = np.maximum(totals.square - totals.energy, 4 * np.finfo(float).eps * totals.square)
        bound = _truncation_bound(geometry, remainder, orders)
        if bound <= target:
            break
        if orders >= max_orders:
            raise ValueError(
                f"the noise average needs more than {max_orders} Hermite orders at dim = {weights.shape[1]}: the error "
                f"bound reached is {bound:.1e}, asked is {target:.1e} ({tolerance:g} of λ_min + γ ≈ {floor:.1e}); "
                "use a larger dim, fewer features or a larger ridge"
            )
        first, orders = orders, min(orders + 2, max_orders)
    stein = noise_scale * totals.stein / geometry.deviation
    noise = jnp.asarray(stein[:, None] * weights / math.sqrt(weights.shape[1]))
    second = _finish(totals.second, jnp.asarray(totals.square))
    return Moments(second, noise, 1.0, orders, bound)


def frozen_moments(
    weights: NDArray[np.float64], draws: Iterable[tuple[NDArray[np.float64], NDArray[np.float64]]], sigma: Activation
) -> Moments:
    """U and V over frozen noise: averages of φφᵀ and φξᵀ over `draws` of (x_t (n, dim), ξ (n, dim)), streamed."""
    require_float64()
    p, d = weights.shape
    w = _pad(weights / math.sqrt(d))
    second = jnp.zeros((_padded(p), _padded(p)))
    no_directions = jnp.zeros((_padded(p), 1))
    noise, power, count = np.zeros((p, d)), 0.0, 0
    for x, xi in draws:
        for lo in range(0, len(x), rows := _chunk_rows(p, 1)):
            phi, part = _features(w, x[lo : lo + rows], xi[lo : lo + rows], sigma.function)
            noise += np.asarray(part)[:p]
            second = _add_orders(second, phi[None], no_directions, 1.0, 0, 1)
        power += float((xi**2).sum())
        count += len(x)
    second = _finish(second, jnp.diagonal(second)[:p]) / count
    return Moments(second, jnp.asarray(noise / count), power / (d * count), 0, 0.0)


def _geometry(weights: NDArray[np.float64], law: Law) -> _Geometry:
    if np.any(law.variances <= 0):
        raise ValueError("the law must be noisy: diffuse it to a positive time first")
    scaled = weights * np.sqrt(law.variances / weights.shape[1])
    deviation = np.linalg.norm(scaled, axis=1)
    return _Geometry(deviation, scaled / deviation[:, None])


def _spanned_degree(features: int, dim: int) -> int:
    """The largest degree whose polynomials in d variables span less than half of the features' space.

    The energy beyond it estimates λ_min: measured 0.06 to 1.1 of λ_min over d = 10…100, t = 0.01…1. Callers that
    know λ_min check the bound against it.
    """
    degree = 1
    while math.comb(dim + degree + 1, degree + 1) < features / 2:
        degree += 1
    return degree


def _probe(size: int, most: int = 64) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, size - 1, min(size, most)).astype(np.int64))


def _evaluate(pilot_eta: NDArray, deviation: NDArray, rule: HermiteRule, sigma: Activation) -> tuple[NDArray, NDArray]:
    """g_s (rows, centers, orders) and E σ² (rows, centers) under `rule`."""
    at = jnp.asarray(pilot_eta[..., None] + deviation[:, None, None] * rule.nodes)
    values = np.asarray(sigma.function(at))
    return values @ rule.weights.T, values**2 @ rule.weights[0]


def _pilot(weights: NDArray[np.float64], law: Law, geometry: _Geometry, sigma: Activation, max_orders: int) -> _Pilot:
    # the feature with the widest noise limits the step of the rule, so it is always among the probes
    rows = np.unique(np.append(_probe(len(weights)), np.argmax(geometry.deviation)))
    centers = law.centers[_probe(len(law.centers))]
    eta = weights[rows] @ centers.T / math.sqrt(weights.shape[1])
    deviation = geometry.deviation[rows]
    finest = _finest_step(deviation)
    g, square = _evaluate(eta, deviation, hermite_rule(max_orders, finest), sigma)
    energy = (g**2).mean(axis=1)
    beyond = np.maximum(square.mean(axis=1) - energy.sum(axis=1), 0.0)
    tail = np.cumsum(np.column_stack([beyond, energy[:, ::-1]]), axis=1)[:, ::-1]
    return _Pilot(eta, deviation, g, square, tail)


def _finest_step(deviation: NDArray[np.float64]) -> float:
    """σ's nearest pole, 1/T away on the scale of the noise, asks for steps in proportion."""
    return min(0.0625, 0.1 / deviation.max())


def _choose_rule(pilot: _Pilot, sigma: Activation, orders: int) -> HermiteRule:
    """The coarsest rule that agrees with the finest on the probes, trimmed to the nodes that carry weight."""
    error, step = math.inf, 0.75
    while step > 1.5 * _finest_step(pilot.deviation):
        rule = hermite_rule(orders, step)
        g, square = _evaluate(pilot.eta, pilot.deviation, rule, sigma)
        error = max(np.abs(g - pilot.g[..., :orders]).max(), np.abs(square - pilot.square).max())
        if error < RULE_TOLERANCE:
            # what carries no weight goes, in steps of eight nodes: fewer shapes, fewer programs to compile
            heavy = np.flatnonzero(np.abs(rule.weights).max(axis=0) > 1e-18)
            keep = slice(heavy[0] // 4 * 4, rule.nodes.size - heavy[0] // 4 * 4)
            return HermiteRule(rule.nodes[keep], rule.weights[:, keep])
        step *= 0.85
    raise ValueError(
        f"the noise average of {sigma.name!r} by quadrature is off by {error:.1e} at pre-activation scale "
        f"{pilot.deviation.max():.3g}, accepted is {RULE_TOLERANCE:g}; use data of smaller scale"
    )


def _choose_orders(geometry: _Geometry, tail: NDArray[np.float64], target: float) -> int:
    """The smallest number of orders whose bound, estimated on a few rows, meets the target."""
    directions = geometry.directions
    rows = _probe(len(directions))
    c2 = np.square(directions[rows] @ directions.T)
    c2[np.arange(len(rows)), rows] = 0.0
    typical = tail.mean(axis=0)
    power = c2.copy()
    for orders in range(2, tail.shape[1]):
        power *= c2
        if typical[orders] * math.sqrt(power.sum() * len(directions) / len(rows)) <= target:
            return orders
    return tail.shape[1] - 1


def _truncation_bound(geometry: _Geometry, remainder: NDArray[np.float64], orders: int) -> float:
    """‖error‖ ≤ ‖error‖_F with |error_ij| ≤ |c_ij|^orders √(r_i r_j) (Cauchy–Schwarz), r the energy left out."""
    total = _power_sum(_pad(geometry.directions), _pad(remainder), orders)
    return math.sqrt(max(float(total), 0.0))


def _sum_orders(
    totals: _Totals,
    weights: NDArray[np.float64],
    law: Law,
    geometry: _Geometry,
    rule: HermiteRule,
    sigma: Activation,
    first: int,
    orders: int,
) -> _Totals:
    """Add orders first…orders−1 of the series, streaming over centers in chunks that fit the memory budget."""
    p, n = len(weights), len(law.centers)
    w = _pad(weights / math.sqrt(weights.shape[1]))
    deviation, directions = _pad(geometry.deviation), _pad(geometry.directions)
    # unused orders have weight 0: runs that need 9 to 12 orders share one compiled program
    wanted = np.zeros((-(-(orders - first) // 4) * 4, rule.nodes.size))
    wanted[: orders - first] = rule.weights[first:orders]
    rules = jnp.asarray(rule.nodes), jnp.asarray(wanted), jnp.asarray(rule.weights[0])
    # equal chunks, so that one compiled program serves all of them where n allows it
    rows = -(-n // -(-n // _chunk_rows(p, len(wanted))))
    second, square, energy, stein = totals.second, np.zeros(p), totals.energy, totals.stein
    for lo in range(0, n, rows):
        centers = jnp.asarray(law.centers[lo : lo + rows])
        g, chunk_square, chunk_energy, chunk_stein = _coefficients(w, deviation, centers, *rules, sigma.function)
        second = _add_orders(second, g, directions, 1 / n, first, orders - first)
        square += np.asarray(chunk_square)[:p] / n
        energy = energy + np.asarray(chunk_energy)[:p] / n
        stein = stein + np.asarray(chunk_stein)[:p] / n if first == 0 else stein
    return _Totals(second, square, energy, stein)


def _chunk_rows(features: int, orders: int) -> int:
    """Centers whose Hermite coefficients fit in p² doubles, or in the fixed budget where that is more."""
    budget = max(8 * features**2, CHUNK_BYTES)
    return max(budget // (8 * _padded(features) * orders), 1)


def _tile(features: int) -> int:
    return min(TILE, -(-features // 8) * 8)


def _padded(features: int) -> int:
    tile = _tile(features)
    return -(-features // tile) * tile


def _pad(array: NDArray[np.float64]) -> Array:
    """On the device, with rows of zeros up to a whole number of tiles."""
    extra = _padded(len(array)) - len(array)
    return jnp.asarray(np.pad(array, [(0, extra)] + [(0, 0)] * (array.ndim - 1)))


@partial(jax.jit, static_argnames=("function",))
def _coefficients(w, deviation, centers, nodes, node_weights, square_weights, function):
    """g_s (orders, features, centers) under `node_weights`, and sums over centers of E σ², Σ_s g_s² and its g_1."""
    block = math.gcd(w.shape[0], 32)

    def rows(args):
        w_block, deviation_block = args
        eta = w_block @ centers.T
        values = function(eta[..., None] + deviation_block[:, None, None] * nodes)
        g = jnp.einsum("inq,sq->sin", values, node_weights)
        return g, jnp.einsum("inq,q->i", values**2, square_weights), (g**2).sum((0, 2)), g[1].sum(1)

    split = lambda a: a.reshape(-1, block, *a.shape[1:])  # noqa: E731
    g, *sums = jax.lax.map(rows, (split(w), split(deviation)))
    return jnp.moveaxis(g, 1, 0).reshape(g.shape[1], w.shape[0], -1), *(part.ravel() for part in sums)


@partial(jax.jit, donate_argnums=0)
def _add_orders(second, g, directions, scale, first, orders):
    """second + scale·Σ_{s<orders} c^{first+s} ∘ (g_s g_sᵀ), by Horner's rule in mirrored upper tiles.

    g: (at least orders, padded features, centers). The orders are a loop and not unrolled, so that compiling takes
    as long for forty as for four.
    """
    size = second.shape[0]
    tile = _tile(size)
    pairs = np.array([(i, j) for i in range(0, size, tile) for j in range(i, size, tile)])

    def body(k, total):
        i, j = jnp.asarray(pairs)[k]
        c = _rows(directions, i, tile) @ _rows(directions, j, tile).T

        def product(s):
            return _rows(g[s], i, tile) @ _rows(g[s], j, tile).T

        part = jax.lax.fori_loop(1, orders, lambda s, sum_: sum_ * c + product(orders - 1 - s), product(orders - 1))
        part = jax.lax.fori_loop(0, first, lambda _, power: power * c, part)
        part = scale * part + jax.lax.dynamic_slice(total, (i, j), (tile, tile))
        total = jax.lax.dynamic_update_slice(total, part.T, (j, i))
        return jax.lax.dynamic_update_slice(total, part, (i, j))

    return jax.lax.fori_loop(0, len(pairs), body, second)


def _rows(array, start, count):
    return jax.lax.dynamic_slice_in_dim(array, start, count, axis=0)


@jax.jit
def _finish(second, diagonal):
    """The unpadded matrix with its exact diagonal."""
    p = diagonal.shape[0]
    index = jnp.arange(p)
    return second[:p, :p].at[index, index].set(diagonal)


@jax.jit
def _power_sum(directions, remainder, orders):
    """Σ_{i≠j} c_ij^{2·orders} r_i r_j over padded rows, by blocks of them."""
    block = math.gcd(directions.shape[0], 64)

    def rows(start):
        c2 = (_rows(directions, start, block) @ directions.T) ** 2
        c2 = c2.at[jnp.arange(block), start + jnp.arange(block)].set(0.0)
        power = jax.lax.fori_loop(1, orders, lambda _, power: power * c2, c2)
        return _rows(remainder, start, block) @ (power @ remainder)

    return jax.lax.map(rows, jnp.arange(0, directions.shape[0], block)).sum()


@partial(jax.jit, static_argnames=("function",))
def _features(w, x, xi, function):
    """φ(x) (features, draws) and Σ φ ξᵀ (features, dim)."""
    phi = function(w @ x.T)
    return phi, phi @ xi
