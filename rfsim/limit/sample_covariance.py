"""The law of the eigenvalues of Σ̂ = XXᵀ/n, and of what its directions share with those of Σ (equations.md W3).

With c = 1/ψ_n the companion transform m̃ of Σ̂ gives h = −1/m̃, and λ = h + c∫ l h/(h − l) dρ_Σ(l). On the spectrum
h = x + iy leaves the real axis where c∫ l²/(x − l)² dρ_Σ > 1, and y > 0 solves c∫ l²/((x − l)² + y²) dρ_Σ = 1, which
falls in y: λ rises with x, so that integrals over the spectrum are integrals over x with nothing to search for. There

    λ = |h|² c∫ l/|h − l|² dρ_Σ,   Ω_l(dλ) = (1/π)(l y/(λ|h − l|²)) dλ,   dλ/dx = 2y²A + 2B²/A,

A, B = c∫ (1, x − l) l²/|h − l|⁴ dρ_Σ: sums of positive terms, which lose no digits at either edge. μ̂ = ∫Ω_l dρ_Σ.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.limit.intervals import Interval

REACH = 3.7  # of the double exponential rule: its last nodes lie 1e-27 of a panel from the ends
NODES = 128  # of a panel; always even, so that every other node is a rule too
STEPS = 80


class SampleCovariance(NamedTuple):
    """A rule for integrals over the law of Σ̂, its atom at 0 last where it has one.

    Attributes:
        points: λ, (points,).
        measures: Ω_l of each atom l of ρ_Σ, (points, atoms); columns add up to 1.
        weights: μ̂, (points,); they add up to 1.
        every_other: 2 and 0 by turns: times the weights it is the rule of half as many nodes, (points,).
        intervals: Of the spectrum above 0, ascending.
        atom: Mass at 0.
    """

    points: NDArray[np.float64]
    measures: NDArray[np.float64]
    weights: NDArray[np.float64]
    every_other: NDArray[np.float64]
    intervals: tuple[Interval, ...]
    atom: float

    @property
    def residual(self) -> float:
        """By how much the measures miss their masses, and μ̂ the mean ∫l dρ_Σ, relative: what the rule is known by."""
        return float(np.abs(self.measures.sum(0) - 1).max())


def sample_covariance(
    values: NDArray[np.float64], weights: NDArray[np.float64], samples_per_dim: float, nodes: int = NODES
) -> SampleCovariance:
    """A rule for integrals over the law of Σ̂ (W3).

    Args:
        values: l ≥ 0, the eigenvalues of Σ, (atoms,).
        weights: Of them, (atoms,).
        samples_per_dim: ψ_n.
        nodes: Of the rule on each piece of the spectrum, even.

    Returns:
        The rule.
    """
    return _rule(tuple(map(float, values)), tuple(map(float, weights)), float(samples_per_dim), nodes)


@functools.lru_cache(maxsize=64)
def _rule(values: tuple[float, ...], weights: tuple[float, ...], psi_n: float, nodes: int) -> SampleCovariance:
    el, share = np.array(values), np.array(weights)
    seen = (el > 0) & (share > 0)
    panels = _panels(el[seen], share[seen] / psi_n)
    x, dx, every_other = _double_exponential(panels, nodes)
    measures = np.zeros((x.size, el.size))
    if seen.sum() == 1:
        # a circle around l, on which no digit is lost where ψ_n is near 1 and its lower edge near 0
        turn, dturn, every_other = _double_exponential(np.array([[0.0, np.pi]]), nodes)
        root = 1 / np.sqrt(psi_n / share[seen])
        lam = el[seen] * ((1 - root) ** 2 + 4 * root * np.sin(turn / 2) ** 2)
        measures[:, seen] = (2 * el[seen] * np.sin(turn) ** 2 / (np.pi * lam) * dturn)[:, None]
        intervals = [Interval(*(float(el[seen][0] * (1 + sign * root[0]) ** 2) for sign in (-1, 1)))]
    else:
        curve = _curve(x, el[seen], share[seen] / psi_n)
        lam = curve.points
        measures[:, seen] = (curve.height / (np.pi * lam) * curve.rate * dx)[:, None] * el[seen] / curve.distances
        ends = _curve(panels.ravel(), el[seen], share[seen] / psi_n).points.reshape(-1, 2)
        intervals = _joined(panels, ends)
    none = np.where(el > 0, 0.0, 1.0)  # the masses at 0
    rank = float(share[seen].sum())
    if psi_n < rank:
        root = _below(el[seen], share[seen] / psi_n)
        none[seen] = root / (el[seen] + root)
    atom = float(share @ none)
    if atom > 0:
        lam, every_other = np.append(lam, 0.0), np.append(every_other, 1.0)
        measures = np.vstack([measures, none])
    return SampleCovariance(lam, measures, measures @ share, every_other, tuple(intervals), atom)


def density(
    values: NDArray[np.float64], weights: NDArray[np.float64], samples_per_dim: float, points: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Density of the eigenvalues of Σ̂ above 0 (W3).

    Args:
        values: l ≥ 0, (atoms,).
        weights: Of them, (atoms,).
        samples_per_dim: ψ_n.
        points: λ, of any shape.

    Returns:
        Per unit λ, of the shape of points; 0 off the spectrum.
    """
    seen = (values > 0) & (weights > 0)
    el, scaled = values[seen], weights[seen] / samples_per_dim
    panels = _panels(el, scaled)
    ends = _curve(panels.ravel(), el, scaled).points.reshape(-1, 2)
    lam, found = np.ravel(points), np.zeros(np.size(points))
    for (first, last), (low, high) in zip(panels, ends, strict=True):
        here = (lam > low) & (lam < high)
        left, right = np.full(here.sum(), first), np.full(here.sum(), last)
        for _ in range(64):
            middle = (left + right) / 2
            above = _curve(middle, el, scaled).points > lam[here]
            left, right = np.where(above, left, middle), np.where(above, middle, right)
        curve = _curve((left + right) / 2, el, scaled)
        found[here] = curve.height / (np.pi * lam[here]) * (weights[seen] * el / curve.distances).sum(1)
    return found.reshape(np.shape(points))


class _Curve(NamedTuple):
    """λ, y, |h − l|² and dλ/dx along x."""

    points: NDArray[np.float64]
    height: NDArray[np.float64]
    distances: NDArray[np.float64]
    rate: NDArray[np.float64]


def _curve(x: NDArray[np.float64], el: NDArray[np.float64], scaled: NDArray[np.float64]) -> _Curve:
    """Where h passes above x; scaled: c times the weights."""
    squares, power = (x[:, None] - el) ** 2, scaled * el**2
    # 1/Σ is concave and rises: from its lower bound Newton rises to the root, in one step where there is one atom
    y2 = np.maximum((power - squares).max(1), 0.0)
    for _ in range(STEPS):
        terms = power / (squares + y2[:, None])
        total = terms.sum(1)
        step = total * (total - 1) / (terms / (squares + y2[:, None])).sum(1)
        y2 = np.maximum(y2 + step, 0.0)
        if np.all(np.abs(step) <= 1e-15 * (y2 + squares.min(1))):
            break
    distances = squares + y2[:, None]
    first, second = (power / distances**2).sum(1), (power * (x[:, None] - el) / distances**2).sum(1)
    lam = (x**2 + y2) * (scaled * el / distances).sum(1)
    return _Curve(lam, np.sqrt(y2), distances, 2 * y2 * first + 2 * second**2 / first)


def _panels(el: NDArray[np.float64], scaled: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pieces of x over which y > 0, (panels, 2), cut between neighboring atoms too, where y may be small."""
    order = np.argsort(el)
    el, scaled = el[order], scaled[order]
    reach = np.sqrt((scaled * el**2).sum())

    def power(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return (scaled * el**2 / (x[:, None] - el) ** 2).sum(1)

    def slope(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return (scaled * el**2 / (x[:, None] - el) ** 3).sum(1)

    left, right = el[:-1].copy(), el[1:].copy()
    for _ in range(100):  # the least power between two atoms
        middle = (left + right) / 2
        falls = slope(middle) > 0
        left, right = np.where(falls, middle, left), np.where(falls, right, middle)
    low = (left + right) / 2
    gap = power(low) < 1
    inside = np.concatenate([el[:1], el[:-1][gap], el[1:][gap], el[-1:]])
    outside = np.concatenate([el[:1] - 2 * reach, low[gap], low[gap], el[-1:] + 2 * reach])
    for _ in range(100):
        middle = (inside + outside) / 2
        within = power(middle) > 1
        inside, outside = np.where(within, middle, inside), np.where(within, outside, middle)
    return np.sort(np.concatenate([inside, np.repeat(low[~gap], 2)])).reshape(-1, 2)


def _below(el: NDArray[np.float64], scaled: NDArray[np.float64]) -> float:
    """−h at λ = 0, where there are more directions than samples: Σ scaled·l/(l + root) = 1."""
    low, high = 0.0, float((scaled * el).sum())
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if (scaled * el / (el + middle)).sum() > 1 else (low, middle)
    return (low + high) / 2


def _joined(panels: NDArray[np.float64], ends: NDArray[np.float64]) -> list[Interval]:
    """Panels that meet are one interval."""
    found: list[list[float]] = []
    for k, (low, high) in enumerate(ends.tolist()):
        if k and panels[k, 0] == panels[k - 1, 1]:
            found[-1][1] = high
        else:
            found.append([low, high])
    return [Interval(*one) for one in found]


def _double_exponential(
    panels: NDArray[np.float64], nodes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Nodes and weights of the tanh-sinh rule on panels (panels, 2), and what makes the rule of every other node."""
    t = np.linspace(-REACH, REACH, nodes + 1)
    turned = np.pi * np.sinh(t)
    half = np.exp(turned[t <= 0])
    near = half / (1 + half)  # shares of the panel, from its nearer end and from the other
    near, far = np.concatenate([near, near[-2::-1]]), 1 / (1 + np.concatenate([half, half[-2::-1]]))
    width = np.ptp(panels, axis=1)[:, None]
    x = np.where(t <= 0, panels[:, :1] + width * near, panels[:, 1:] - width * near)
    weights = width * np.pi * np.cosh(t) * near * far * (2 * REACH / nodes)
    every_other = np.tile(np.where(np.arange(t.size) % 2 == 0, 2.0, 0.0), len(panels))
    return x.ravel(), weights.ravel(), every_other
