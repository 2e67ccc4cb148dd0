"""Gaussian averages of activations with kinks: Gauss–Legendre panels that end where σ is not smooth.

`level` refines a rule: each one halves the panels of the one before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.numerics import LegendrePanels, hermite_functions, legendre_panels
from rfsim.problem.activations.base import Activation, evaluate

REACH = 12.0
NODES = 24


def panel_coefficients(sigma: Activation, scale: float, orders: int, level: int) -> tuple[NDArray[np.float64], float]:
    """c_s = E[h_s(z) σ(scale·z)] for s < orders, and what σ has beyond orders 0 and 1: E (σ − c_0 − c_1 z)²."""
    rule = _panels(np.array(sigma.kinks) / scale, level)
    table = hermite_functions(rule.nodes, orders)
    values = evaluate(sigma, scale * rule.nodes)
    c = table @ (rule.weights * table[0] * values)
    if sigma.odd:
        c[::2] = 0.0
    rest = values - c[0] - c[1] * rule.nodes
    return c, float(rule.weights @ (table[0] * rest) ** 2)


def nested_constants(
    sigma: Activation, c: NDArray[np.float64], alpha: float, beta: float, level: int
) -> tuple[float, float]:
    """v² = E_u (E_v r)² and s² = E_u Var_v r, with r(z) = σ(z) − a z − E σ at z = αu + βv; c as above at Γ.

    Both are averages of positive terms. E_v r changes over β/α around u = kink/α: panels in u shrink toward there.
    """
    kinks, gamma = np.array(sigma.kinks), np.hypot(alpha, beta)
    ladder = (beta / alpha) * np.append(0.0, 2.0 ** np.arange(-1, np.log2(REACH * alpha / beta) + 1))
    outer = _panels(np.concatenate([(kinks[:, None] / alpha + sign * ladder).ravel() for sign in (-1, 1)]), level)
    inner = _panels((kinks - alpha * outer.nodes[:, None]) / beta, level)
    z = alpha * outer.nodes[:, None] + beta * inner.nodes
    r = evaluate(sigma, z) - c[0] - c[1] * z / gamma
    density = inner.weights * hermite_functions(inner.nodes, 1)[0] ** 2
    mean = (density * r).sum(1)
    variance = (density * (r - mean[:, None]) ** 2).sum(1)
    weights = outer.weights * hermite_functions(outer.nodes, 1)[0] ** 2
    return float(weights @ mean**2), float(weights @ variance)


def _panels(breaks: NDArray[np.float64], level: int) -> LegendrePanels:
    """Panels over [−REACH, REACH] that end at breaks (..., breaks): one set per leading index, some of them empty."""
    base = np.linspace(-REACH, REACH, 4 * 2**level + 1)
    inside = np.clip(breaks, -REACH, REACH)
    edges = np.concatenate([np.broadcast_to(base, (*inside.shape[:-1], base.size)), inside], axis=-1)
    return legendre_panels(np.sort(edges, axis=-1), NODES)
