"""When generalization and memorization set in: B25's formulas, the spectrum's own rates, and the curves (§3, §8)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from rfsim.activations import Constants
from rfsim.filters import flow
from rfsim.numerics import first_crossing, log_grid, minimum_value
from rfsim.protocol import Spectrum, Target
from rfsim.training.losses import target_loss, train_loss


class GenTimes(NamedTuple):
    """τ_gen in train_time. formula and spectrum: ψ_p/(Δ λ̄_2); curve: first τ with L_test within 1% of its minimum."""

    formula: float
    spectrum: float
    curve: float | None


class MemTimes(NamedTuple):
    """τ_mem in train_time. formula: ψ_p/(Δ λ_min), B25; main: with main's smallest eigenvalue; mini: τ_mini, with
    mini's median; curve: first τ with L_gen at half of its τ → ∞ value. None where there is no such part or crossing.
    """

    formula: float
    main: float | None
    mini: float | None
    curve: float | None


def rate_time(eigenvalue: float, noise_variance: float, features_per_dim: float) -> float:
    """ψ_p/(Δ λ), in train_time: twice the e-folding time 1/(κλ) of that eigenvalue without ridge."""
    return features_per_dim / (noise_variance * eigenvalue) if eigenvalue > 0 else math.inf


def smallest_bulk_eigenvalue(constants: Constants, samples_per_dim: float, features_per_dim: float) -> float:
    """B25's λ_min = s² + v²(1 − √(ψ_p/ψ_n))², their lower edge of ρ_1."""
    return constants.s2 + constants.v2 * (1 - math.sqrt(features_per_dim / samples_per_dim)) ** 2


def mean_gen_eigenvalue(constants: Constants, total_variance: float, features_per_dim: float) -> float:
    """λ̄_2 [ours]: mean of the d (or p < d) leading eigenvalues of a² WΣ_tWᵀ/d + v² + s²; total_variance is Γ²."""
    leading = constants.a**2 * total_variance * max(features_per_dim, 1.0)
    return leading + constants.v2 + constants.s2


class Curves(NamedTuple):
    """L_train and L_test as functions of train_time, (times,) → (times,), and the grid on which they are searched."""

    train: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    test: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    grid: NDArray[np.float64]


def flow_curves(spectrum: Spectrum, target: Target, kappa: float, ridge: float, rates: NDArray[np.float64]) -> Curves:
    """Curves of the flow from zero; the grid spans the positive `rates` λ + γ with room on both sides."""
    positive = rates[rates > 0]
    grid = log_grid(1e-3 / (kappa * positive.max()), 40 / (kappa * positive.min()), per_decade=12)

    def train(times: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(train_loss(spectrum, [flow(jnp.asarray(times), kappa, ridge)]))

    def test(times: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(target_loss(spectrum, target, [flow(jnp.asarray(times), kappa, ridge)]))

    return Curves(train, test, grid)


def gen_time_of_curve(curves: Curves, within: float = 0.01) -> float | None:
    """First train_time at which L_test is within `within` of its minimum over all times, τ = ∞ included."""
    _, lowest = minimum_value(curves.test, curves.grid)
    lowest = min(lowest, float(curves.test(np.array([np.inf]))[0]))
    # where the minimum is at or below 0 a relative margin has no meaning
    return first_crossing(lambda tau: (1 + within) * lowest - curves.test(tau), curves.grid) if lowest > 0 else None


def mem_time_of_curve(curves: Curves, share: float = 0.5) -> float | None:
    """First train_time at which L_gen reaches `share` of its τ → ∞ value; None where it does not rise."""

    def gap(tau: NDArray[np.float64]) -> NDArray[np.float64]:
        return curves.test(tau) - curves.train(tau)

    final = float(gap(np.array([np.inf]))[0])
    start = float(gap(np.array([0.0]))[0])
    if not final > max(start, 0.0):
        return None
    return first_crossing(lambda tau: gap(tau) - share * final, curves.grid)
