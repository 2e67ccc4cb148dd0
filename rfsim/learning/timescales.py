"""When generalization and memorization set in: B25's formulas, the spectrum's own rates, and the curves (§3, §8)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol, SupportsFloat

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rfsim.computing.numerics import first_crossing, log_grid, minimum_value
from rfsim.learning.curves import LossCurves
from rfsim.problem.activations import Constants

LOSS_ACCURACY = 1e-8  # the default tolerance of the moments keeps losses within about this

Curves = Callable[[NDArray[np.float64]], LossCurves]  # of train_times (times,)


class GenTimes(NamedTuple):
    """τ_gen, when generalization is reached, in train_time (§3).

    Attributes:
        formula: ψ_p/(Δ λ̄_2) with λ̄_2 of the limit's formula (`mean_gen_eigenvalue`); None beside inputs.
        spectrum: The same with the mean of gen's eigenvalues; None without them.
        curve: First τ with L_test within 1% of its minimum; None where there is none.
    """

    formula: float | None
    spectrum: float | None
    curve: float | None


class MemTimes(NamedTuple):
    """τ_mem, when memorization sets in, in train_time (§3, §5); None where there is no such part or crossing.

    Attributes:
        formula: ψ_p/(Δ λ_min), B25's.
        main: The same with main's smallest eigenvalue.
        mini: τ_mini, with mini's median.
        curve: First τ with L_gen at half of its τ → ∞ value.
    """

    formula: float
    main: float | None
    mini: float | None
    curve: float | None


def rate_time(eigenvalue: float, noise_variance: float, features_per_dim: float) -> float:
    """Time ψ_p/(Δ λ) of an eigenvalue: twice its e-folding time 1/(κλ) without ridge (§3; B25).

    Args:
        eigenvalue: λ of U.
        noise_variance: Δ.
        features_per_dim: ψ_p.

    Returns:
        The time, in train_time; inf where λ is not positive.
    """
    return features_per_dim / (noise_variance * eigenvalue) if eigenvalue > 0 else math.inf


class NoiseEnergies(Protocol):
    """v² and s² of (T9): `activations.Constants`, or a stored result that holds them."""

    @property
    def v2(self) -> SupportsFloat:
        """v², the energy of the nonlinear part that follows the data (T9)."""
        ...

    @property
    def s2(self) -> SupportsFloat:
        """s², the energy of the nonlinear part that follows the noise (T9)."""
        ...


def smallest_bulk_eigenvalue(constants: NoiseEnergies, samples_per_dim: float, features_per_dim: float) -> float:
    """B25's λ_min = s² + v²(1 − √(ψ_p/ψ_n))², their lower edge of ρ_1 (§3; B25 Thm 3.2).

    Args:
        constants: v² and s² of (T9).
        samples_per_dim: ψ_n.
        features_per_dim: ψ_p.

    Returns:
        The eigenvalue of U.
    """
    return _bulk_edge(constants, 1 - math.sqrt(features_per_dim / samples_per_dim))


def largest_bulk_eigenvalue(constants: NoiseEnergies, samples_per_dim: float, features_per_dim: float) -> float:
    """B25's upper edge of ρ_1, s² + v²(1 + √(ψ_p/ψ_n))² (§5; B25 Thm 3.2).

    Args:
        constants: v² and s² of (T9).
        samples_per_dim: ψ_n.
        features_per_dim: ψ_p.

    Returns:
        The eigenvalue of U.
    """
    return _bulk_edge(constants, 1 + math.sqrt(features_per_dim / samples_per_dim))


def mini_eigenvalue(
    constants: NoiseEnergies, samples_per_dim: ArrayLike, features_per_dim: ArrayLike, noise_share: ArrayLike
) -> NDArray[np.float64]:
    """Mini's eigenvalue of directions of variance l as ψ → ∞ (§5, [ours]).

    s² + v²[ℓψ_p/ψ_n − ℓ/(1−ℓ)] where it stands alone, ψ_p/ψ_n > 1/(1−ℓ)², else main's lower edge.

    Args:
        constants: v² and s² of (T9).
        samples_per_dim: ψ_n.
        features_per_dim: ψ_p.
        noise_share: ℓ = Δ/(e^{−2t}l + Δ), the noise's share of that direction of x_t. The last three broadcast.

    Returns:
        The eigenvalues, of the shape to which the arguments broadcast; NaN where p ≤ n, without a mini.
    """
    ratio, share = np.divide(features_per_dim, samples_per_dim), np.asarray(noise_share, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):  # a direction without signal never stands alone
        alone = np.where(ratio > 1 / (1 - share) ** 2, ratio * share - share / (1 - share), (np.sqrt(ratio) - 1) ** 2)
    return np.where(ratio > 1, float(constants.s2) + float(constants.v2) * alone, np.nan)


def mean_gen_eigenvalue(constants: Constants, total_variance: float, features_per_dim: float) -> float:
    """Mean λ̄_2 of the d (or p < d) leading eigenvalues of a² WΣ_tWᵀ/d + v² + s² (§3, [ours]).

    Args:
        constants: a, v² and s² of (T9).
        total_variance: Γ² = Tr Σ_t/d.
        features_per_dim: ψ_p.

    Returns:
        λ̄_2; 0 where a = 0: there is no ρ_2 then, and in the limit V = 0 and nothing is learned.
    """
    if constants.a == 0:
        return 0.0
    leading = constants.a**2 * total_variance * max(features_per_dim, 1.0)
    return leading + constants.v2 + constants.s2


def time_grid(rates: NDArray[np.float64], kappa: float) -> NDArray[np.float64]:
    """Grid of train_times that spans the e-folding times 1/(κ·rate), with room around (§3).

    Args:
        rates: λ + γ, (points,); those that are not positive are left out, one at least must be.
        kappa: κ, from `filters.learning_rate_constant`.

    Returns:
        Times, ascending, twelve a decade.
    """
    positive = rates[rates > 0]
    return log_grid(1e-3 / (kappa * positive.max()), 40 / (kappa * positive.min()), per_decade=12)


def gen_time_of_curve(curves: Curves, grid: NDArray[np.float64], within: float = 0.01) -> float | None:
    """First train_time at which L_test is near its minimum over all times, τ = ∞ included (§3, [ours]).

    Args:
        curves: Gives the loss curves at train_times (times,).
        grid: Train_times to search, ascending.
        within: The relative margin above the minimum.

    Returns:
        The time; 0 where the zero score is within the margin (at small diffusion times the minimum is hardly below 1);
        None where the minimum is not positive, so that a relative margin has no meaning.
    """
    _, lowest = minimum_value(lambda tau: curves(tau).test, grid)
    start, end = curves(np.array([0.0, np.inf])).test
    lowest = min(lowest, float(end))
    if lowest <= 0:
        return None  # a relative margin has no meaning
    if start <= (1 + within) * lowest:
        return 0.0
    return first_crossing(lambda tau: (1 + within) * lowest - curves(tau).test, grid)


def mem_time_of_curve(curves: Curves, grid: NDArray[np.float64], share: float = 0.5) -> float | None:
    """First train_time at which L_gen reaches a share of its τ → ∞ value (§5).

    Args:
        curves: Gives the loss curves at train_times (times,).
        grid: Train_times to search, ascending.
        share: Of the final value, in (0, 1).

    Returns:
        The time; 0 where L_gen starts there, as it can at finite m, where the zero score's training loss is not 1; None
        where it does not rise by more than the losses are accurate to.
    """
    start, final = curves(np.array([0.0, np.inf])).gen
    if final <= max(start, 0.0) + LOSS_ACCURACY:
        return None
    if start >= share * final:
        return 0.0
    return first_crossing(lambda tau: curves(tau).gen - share * final, grid)


def _bulk_edge(constants: NoiseEnergies, root: float) -> float:
    return float(constants.s2) + float(constants.v2) * root**2
