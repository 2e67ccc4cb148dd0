"""What a noise average will take, decided on a few features and centers before anything large is computed.

The quadrature rule, the number of Hermite orders for a tolerance, and the bound on what is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.blas import one_thread
from rfsim.computing.numerics import HermiteRule, hermite_rule
from rfsim.problem.activations import Activation, evaluate
from rfsim.problem.laws import Law
from rfsim.sample.moments.rules import REACH, ClosedRule, GridRule, PanelRule, Rule, without_grid
from rfsim.sample.moments.sharded import Assembler

RULE_TOLERANCE = 1e-14  # of √E σ² and of E σ², where these pass 1
PANEL_TOLERANCE = 1e-13  # rounding in a recurrence of a hundred orders, where a grid has its table
MAX_ORDERS = 200
MAX_CLOSED_ORDERS = 600  # without a quadrature to resolve them; a kink's energies fall slowly with the order
DEPTHS = np.linspace(-REACH, REACH, 17)  # of a kink, in units of the noise
PANEL_NODES = (32, 48, 64, 80, 96, 128, 192)


class Geometry(NamedTuple):
    """Noise of the pre-activations: deviation T (features,); directions D (features, dim), c = D Dᵀ."""

    deviation: NDArray[np.float64]
    directions: NDArray[np.float64]


class Pilot(NamedTuple):
    """A fine rule on a few features and centers, before anything large is computed.

    eta: (rows, columns) and deviation: (rows,) of the probes; g: (rows, columns, orders) and square (rows, columns)
    under the fine rule; tail: (rows, orders + 1), energy E σ² in orders ≥ k; drawn: columns that are of centers. Beyond
    them each kink of σ is at every depth in the noise, as it is for some centers that are not among the probes.
    """

    eta: NDArray[np.float64]
    deviation: NDArray[np.float64]
    g: NDArray[np.float64]
    square: NDArray[np.float64]
    tail: NDArray[np.float64]
    drawn: int


def geometry_of(weights: NDArray[np.float64], law: Law) -> Geometry:
    """What weights and a law say of the noise in the pre-activations; ValueError for a law without noise."""
    scaled = weights * np.sqrt(law.variances / weights.shape[1])
    deviation = np.linalg.norm(scaled, axis=1)
    if not deviation.all():
        raise ValueError("the law must be noisy: diffuse it to a positive time first")
    return Geometry(deviation, scaled / deviation[:, None])


def run_pilot(weights: NDArray[np.float64], law: Law, geometry: Geometry, sigma: Activation, max_orders: int) -> Pilot:
    # the feature with the widest noise limits the step of the rule, so it is always among the probes
    """The series of a few features over a few centers, from which its length and the rule are chosen."""
    most = 16 if sigma.kinks else 64  # panels cost more than a grid, and σ's kinks are met at many depths by few
    rows = np.unique(np.append(_probe(len(weights), most), np.argmax(geometry.deviation)))
    centers = law.centers[_probe(len(law.centers), most)]
    deviation = geometry.deviation[rows]
    depths = [kink - np.outer(deviation, DEPTHS) for kink in sigma.kinks]
    eta = np.hstack([weights[rows] @ centers.T / math.sqrt(weights.shape[1]), *depths])
    finest = without_grid(sigma, PANEL_NODES[-1]) or _grid(sigma, max_orders, _finest_step(deviation))
    g, square = _evaluate(eta, deviation, finest, sigma, max_orders)
    drawn = len(centers)
    energy = (g[:, :drawn] ** 2).mean(axis=1)
    beyond = np.maximum(square[:, :drawn].mean(axis=1) - energy.sum(axis=1), 0.0)
    tail = np.cumsum(np.column_stack([beyond, energy[:, ::-1]]), axis=1)[:, ::-1]
    return Pilot(eta, deviation, g, square, tail, drawn)


def choose_rule(pilot: Pilot, sigma: Activation, orders: int) -> Rule:
    """The coarsest rule that agrees with the finest on the probes; σ's closed form where it has one."""
    error = math.inf
    for rule in _rules(pilot, sigma, orders):
        if isinstance(rule, ClosedRule):
            return rule
        error = disagreement(pilot, *_evaluate(pilot.eta, pilot.deviation, rule, sigma, orders))
        if error < accepted(sigma):
            return _trimmed(rule) if isinstance(rule, GridRule) else rule
    raise ValueError(
        f"the noise average of {sigma.name!r} by quadrature is off by {error:.1e} at pre-activation scale "
        f"{pilot.deviation.max():.3g}, accepted is {accepted(sigma):g}; use data of smaller scale, and declare every "
        "kink of a callable in an Activation"
    )


def disagreement(pilot: Pilot, g: NDArray[np.float64], square: NDArray[np.float64]) -> float:
    """The largest difference from the finest rule on the probes, or on the first columns of them.

    Of g (rows, centers, orders) beside √E σ², or of E σ² (rows, centers) beside E σ², where these pass 1.
    """
    scale = max(float(pilot.square.max()), 1.0)
    columns = square.shape[1]
    off_g = np.abs(g - pilot.g[:, :columns, : g.shape[-1]]).max() / math.sqrt(scale)
    return float(max(off_g, np.abs(square - pilot.square[:, :columns]).max() / scale))


def accepted(sigma: Activation) -> float:
    """Of a `disagreement`."""
    return PANEL_TOLERANCE if sigma.kinks else RULE_TOLERANCE


def _rules(pilot: Pilot, sigma: Activation, orders: int) -> Iterator[Rule]:
    """Candidates, coarse to fine."""
    for count in PANEL_NODES[:-1]:
        if rule := without_grid(sigma, count):
            yield rule
    step = 0.75
    while not sigma.kinks and step > 1.5 * _finest_step(pilot.deviation):
        yield _grid(sigma, orders, step)
        step *= 0.85


def _grid(sigma: Activation, orders: int, step: float) -> GridRule:
    return GridRule(sigma.function, hermite_rule(orders, step))


def _trimmed(found: GridRule) -> GridRule:
    """Without the nodes that carry no weight, in steps of eight nodes: fewer shapes, fewer programs to compile."""
    nodes, weights = found.rule
    heavy = np.flatnonzero(np.abs(weights).max(axis=0) > 1e-18)
    keep = slice(heavy[0] // 4 * 4, nodes.size - heavy[0] // 4 * 4)
    return found._replace(rule=HermiteRule(nodes[keep], weights[:, keep]))


def choose_orders(geometry: Geometry, tail: NDArray[np.float64], target: float) -> tuple[int, float]:
    """The smallest number of orders whose bound, estimated on a few rows, meets the target; and that estimate.

    The largest number, with an estimate above the target, where none does.
    """
    found = 1, math.inf
    for found in estimates(geometry, tail):
        if found[1] <= target:
            break
    return found


def choose_single(geometry: Geometry, tail: NDArray[np.float64], target: float, gamma: float) -> int:
    """The order from which on float32, whose roundings add up to `gamma`, is estimated to keep its error to a target.

    The largest number of orders where none does.
    """
    return next((s for s, one in estimates(geometry, tail) if gamma * one <= target), tail.shape[1] - 1)


def estimates(geometry: Geometry, tail: NDArray[np.float64]) -> Iterator[tuple[int, float]]:
    """`truncation_bound` at two orders and more, estimated on a few rows: the number of orders, and the estimate."""
    directions = geometry.directions
    rows = _probe(len(directions))
    c2 = np.square(directions[rows] @ directions.T)
    c2[np.arange(len(rows)), rows] = 0.0
    typical, power = tail.mean(axis=0), c2
    for orders in range(2, tail.shape[1]):
        power = power * c2
        yield orders, float(typical[orders]) * math.sqrt(power.sum() * len(directions) / len(rows))


def truncation_bound(work: Assembler, geometry: Geometry, remainder: NDArray[np.float64], orders: int) -> float:
    """‖error‖ ≤ ‖error‖_F with |error_ij| ≤ |c_ij|^orders √(r_i r_j) (Cauchy–Schwarz), r the energy left out."""
    total = work.power_sum(geometry.directions, remainder, orders)
    return math.sqrt(max(total, 0.0))


def spanned_degree(features: int, dim: int) -> int:
    """The largest degree whose polynomials in d variables span less than half of the features' space.

    The energy beyond it estimates λ_min: measured 0.03 to 1.1 of λ_min over d = 10…100, t = 0.01…1 (tanh). Callers
    that know λ_min check the bound against it.
    """
    degree = 1
    while math.comb(dim + degree + 1, degree + 1) < features / 2:
        degree += 1
    return degree


def _finest_step(deviation: NDArray[np.float64]) -> float:
    """σ's nearest pole, 1/T away on the scale of the noise, asks for steps in proportion."""
    return min(0.0625, 0.1 / deviation.max())


@one_thread()
def _evaluate(
    eta: NDArray, deviation: NDArray, rule: Rule, sigma: Activation, orders: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """g_s (rows, centers, orders) and E σ² (rows, centers) under `rule`."""
    if isinstance(rule, GridRule):  # refused, and said where, if σ is not finite there
        nodes, weights = rule.rule
        values = evaluate(sigma, eta[..., None] + deviation[:, None, None] * nodes)
        return values @ weights.T, values**2 @ weights[0]
    if isinstance(rule, PanelRule):
        rule = rule._replace(room=PANEL_NODES[-1])
    g, square = rule.host(eta, deviation, rule.window(0, max(orders, MAX_ORDERS)), sigma.offset)
    return np.moveaxis(g[:orders], 0, -1), square


def _probe(size: int, most: int = 64) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, size - 1, min(size, most)).astype(np.int64))
