"""The spectrum of U as ψ_p → ∞ after d → ∞, m = ∞: two channels for each eigenvalue λ of Σ̂ (equations.md W1 to W4).

U/ψ_p acts on a direction of Σ̂, its sample part first and its noise part second, as

    a²Q(λ) = [[a²e^{−2t}λ + v²/ψ_n, a²e^{−t}√(Δλ)], [·, a²Δ]],

and V has the noise part alone. The larger eigenvalue is gen and the smaller one mini; what the samples span beyond Σ̂'s
rank is main, v²/ψ_n without a share of V. Units are those of one feature per dimension: eigenvalues, and ridges, over
ψ_p, masses times ψ_p, κ = 2Δ.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.computing.arrays import Numbers
from rfsim.limit.bulks import LimitPart
from rfsim.limit.intervals import Interval
from rfsim.limit.limits import Limit
from rfsim.limit.sample_covariance import NODES, SampleCovariance, density, sample_covariance

GEN, MINI = 0, 1  # rows of the channels
MOST = 1024  # nodes of a piece of the spectrum


class Channels(NamedTuple):
    """Eigenvalues of a²Q, larger first, and what they share with the noise part.

    Attributes:
        points: (2, eigenvalues).
        shares: Squares of the noise part, (2, eigenvalues); they add up to 1.
        across: Sample part times noise part of each eigenvector, (2, eigenvalues).
    """

    points: NDArray[np.float64]
    shares: NDArray[np.float64]
    across: NDArray[np.float64]


def channels(limit: Limit, eigenvalues: ArrayLike) -> Channels:
    """The two channels at eigenvalues of Σ̂ (W1).

    Args:
        limit: What the equations depend on; its features_per_dim is ignored.
        eigenvalues: λ of Σ̂, (eigenvalues,).

    Returns:
        The channels.
    """
    lam = np.asarray(eigenvalues, dtype=float)
    own = limit.v2 / limit.samples_per_dim
    sample, noise = limit.gain * limit.signal * lam + own, limit.gain * limit.noise
    mixed = limit.gain * np.sqrt(limit.signal * limit.noise * lam)
    half = (sample - noise) / 2
    root = np.hypot(half, mixed)
    upper = (sample + noise) / 2 + root
    # the determinant is own·noise, without the difference that it is
    lower = own * noise / np.where(upper > 0, upper, 1.0)
    safe = np.where(root > 0, root, 1.0)
    large = np.where(root > 0, (root + np.abs(half)) / (2 * safe), 1.0)
    small = np.where(root > 0, mixed**2 / (2 * safe * (safe + np.abs(half))), 0.0)
    ahead = half > 0  # the sample part is then the larger channel's
    shares = np.stack([np.where(ahead, small, large), np.where(ahead, large, small)])
    across = np.where(root > 0, mixed / (2 * safe), 0.0)
    return Channels(np.stack([upper, lower]), shares, np.stack([across, -across]))


class WideSpectrum(NamedTuple):
    """The wide limit as a `protocol.Spectrum`.

    Attributes:
        points: Eigenvalues over ψ_p, those of gen first, (points,).
        weights: Shares of V, (points,).
        constant: Loss of the zero score, 1.
    """

    points: NDArray[np.float64]
    weights: NDArray[np.float64]
    constant: float = 1.0

    def own(self, g: Numbers, left: int = 0, right: int = 0) -> Numbers:
        """Trace (1/d) Tr Vᵀ g(U) V, as in `protocol.Spectrum` (W2).

        Args:
            g: Values of a function of U at the points, (..., points).
            left: 0; the limit knows training from zero only.
            right: 0, likewise.

        Returns:
            The trace, (...).
        """
        return g @ self.weights


class WideTarget(NamedTuple):
    """The population as a `protocol.Target`; fresh noise sees V as training does (W3).

    Attributes:
        linear: Shares of V, (points,).
        learned: What a filter's value on a point adds to −Δ w(λ), (points,).
        power: (1/d) Tr Σ_tΩ(dλ)/Δ, (points/2,).
        constant: Loss of the zero score, 1.
    """

    linear: NDArray[np.float64]
    learned: NDArray[np.float64]
    power: NDArray[np.float64]
    constant: float = 1.0

    def cross(self, g: Numbers, source: int = 0) -> Numbers:
        """Trace (1/d) Tr Vᵀ g(U) Ṽ, as in `protocol.Target` (W3).

        Args:
            g: Values of a function of U at the points, (..., points).
            source: 0.

        Returns:
            The trace, (...).
        """
        return g @ self.linear

    def overlap(self, f: Numbers, g: Numbers, left: int = 0, right: int = 0) -> Numbers:
        """Trace (1/d) Tr Vᵀ f(U) Ũ g(U) V, as in `protocol.Target` (W3).

        Args:
            f: Values of the function on the left at the points, (..., points).
            g: Values of the function on the right, (..., points).
            left: 0.
            right: 0.

        Returns:
            The trace, (...).
        """
        return (self._learned(f) * self._learned(g)) @ self.power

    def _learned(self, f: Numbers) -> Numbers:
        values = f * self.learned
        half = self.power.size
        return values[..., :half] + values[..., half:]


class WideTables(NamedTuple):
    """Spectrum and target of one rule over the law of Σ̂.

    Attributes:
        spectrum: The spectrum.
        target: The population.
        law: The rule.
    """

    spectrum: WideSpectrum
    target: WideTarget
    law: SampleCovariance


def tables(limit: Limit, nodes: int = NODES, *, every_other: bool = False) -> WideTables:
    """Spectrum and target of the wide limit (W2, W3).

    Args:
        limit: What the equations depend on, with m = ∞; its features_per_dim is ignored.
        nodes: Of the rule on each piece of the spectrum of Σ̂.
        every_other: Whether to take the rule of half as many nodes.

    Returns:
        The tables.
    """
    values, shares = np.asarray(limit.values), np.asarray(limit.weights)
    law = sample_covariance(values, shares, limit.samples_per_dim, nodes)
    some = law.every_other if every_other else np.ones_like(law.points)
    found = channels(limit, law.points)
    learned = (found.points * found.shares).ravel()
    weights = learned * np.tile(some * law.weights, 2)
    total = limit.signal * values + limit.noise
    power = some * (law.measures @ (shares * total)) / limit.noise
    return WideTables(WideSpectrum(found.points.ravel(), weights), WideTarget(weights, learned, power), law)


def refined(
    limit: Limit, tolerance: float, values: Callable[[WideTables], NDArray[np.float64]]
) -> tuple[WideTables, NDArray[np.float64], NDArray[np.float64]]:
    """Tables with enough nodes for values to be known, and by how much they move where half of the nodes are left out.

    Args:
        limit: What the equations depend on.
        tolerance: Of the values, relative above 1.
        values: Of tables: what is to be known, of any shape.

    Returns:
        The tables, the values and the error of each.
    """
    nodes = NODES
    while True:
        found = tables(limit, nodes)
        whole, half = values(found), values(tables(limit, nodes, every_other=True))
        error = np.abs(whole - half) / np.maximum(1.0, np.abs(whole))
        if nodes >= MOST or np.all(error <= tolerance):
            return found, whole, error
        nodes *= 2


def wide_parts(limit: Limit) -> list[LimitPart]:
    """Parts of U's spectrum, ascending: eigenvalues over ψ_p, masses times ψ_p (W1).

    What is 0 there, null's s²/ψ_p and the features' own kernel, is no part.

    Args:
        limit: What the equations depend on.

    Returns:
        The parts; main is an atom, and gen holds one where Σ̂ has eigenvalues that are 0.
    """
    law = tables(limit).law
    rank = 1 - law.atom
    own = limit.v2 / limit.samples_per_dim
    spare = limit.samples_per_dim - rank if limit.gain > 0 else limit.samples_per_dim
    found = []
    if limit.gain > 0:
        points, above = channels(limit, law.points).points, law.points > 0
        edges = channels(limit, np.array(law.intervals)).points
        if own > 0:
            pieces = [Interval(float(high), float(low)) for low, high in edges[MINI]][::-1]
            mean = float(law.weights[above] @ points[MINI][above]) / rank
            found.append(LimitPart("mini", rank, mean, pieces[0].lower, pieces[-1].upper, tuple(pieces)))
        pieces = [Interval(float(low), float(high)) for low, high in edges[GEN]]
        lower = limit.gain * limit.noise if law.atom > 0 else pieces[0].lower
        mean = float(law.weights[above] @ points[GEN][above]) + law.atom * limit.gain * limit.noise
        found.append(LimitPart("gen", 1.0, mean, lower, pieces[-1].upper, tuple(pieces)))
    # what rounding leaves of the difference of two masses is no part
    if own > 0 and spare > 1e-12 * limit.samples_per_dim:
        found.insert(len(found) - (limit.gain > 0), LimitPart("main", spare, own, own, own, ()))
    return found


def wide_density(limit: Limit, points: ArrayLike) -> NDArray[np.float64]:
    """Density per dimension of the eigenvalues of U over ψ_p, without atoms (W1).

    λ = (u − v²/ψ_n)(u − a²Δ)/(a²e^{−2t}u) is the eigenvalue of Σ̂ of which u is one of the channels.

    Args:
        limit: What the equations depend on.
        points: u, (points,).

    Returns:
        The density, (points,).
    """
    u = np.asarray(points, dtype=float)
    own, noise, scale = limit.v2 / limit.samples_per_dim, limit.gain * limit.noise, limit.gain * limit.signal
    if scale == 0:
        return np.zeros_like(u)
    positive = u > 0
    safe = np.where(positive, u, 1.0)
    lam = np.where(positive, (safe - own) * (safe - noise) / (scale * safe), 0.0)
    values, shares = np.asarray(limit.values), np.asarray(limit.weights)
    return density(values, shares, limit.samples_per_dim, lam) * np.abs(1 - own * noise / safe**2) / scale
