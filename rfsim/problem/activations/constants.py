"""The Gaussian constants (T9) of an activation, and its centering, to a stated relative error (equations.md §4)."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rfsim.computing.numerics import hermite_averages, log_share
from rfsim.computing.precision import in_float64
from rfsim.problem.activations.base import Activation, evaluate
from rfsim.problem.activations.hermite import Series
from rfsim.problem.activations.kinked import nested_constants, panel_coefficients

MAX_ORDER = 16384
KINKED_ORDERS = 64
TRAPEZOID = np.linspace(-9.5, 9.5, 381)
CENTERED = 1e-12  # |E σ| over √E σ² that counts as none
ROUNDING = 64 * np.finfo(float).eps  # of √E σ²: what rounding leaves in a coefficient c_s
CLOSED_ERROR = 1e-13  # of the closed forms, held by a test at forty digits


class Constants(NamedTuple):
    """Gaussian constants of an activation, dimensionless (T9).

    Attributes:
        a: E σ'(Γz).
        b: √Δ a.
        v2: v², the energy of the nonlinear part that follows the data.
        s2: s², the energy of the nonlinear part that follows the noise.
        error: Bound on the relative error of each.
    """

    a: float
    b: float
    v2: float
    s2: float
    error: float


@in_float64
def centered(sigma: Activation, gamma: float) -> Activation:
    """σ with E σ(Γz) = 0: its mean at Γ subtracted where it is self-centering, and itself where it has none (T9).

    Args:
        sigma: The activation.
        gamma: Γ, the deviation of its pre-activations.

    Returns:
        The activation with its offset.

    Raises:
        ValueError: Where E σ(Γz) ≠ 0 and σ is not self-centering, or where that mean is not found to 1e-12 of σ's size.
    """
    if sigma.odd or (sigma.closed and not sigma.self_centering):
        return sigma
    raw = sigma._replace(offset=0.0)
    mean, size = (sigma.closed.mean(gamma**2), 1.0) if sigma.closed else _mean(raw, gamma)
    if not sigma.self_centering:
        if abs(mean) > CENTERED * size:
            raise ValueError(
                f"activation {sigma.name!r} must be centered: E σ(Γz) = {mean:.3g} at Γ = {gamma:.3g}; declare an "
                "rfsim.problem.activations.Activation with self_centering=True, or subtract the mean in the function"
            )
        return raw
    # the constant that is subtracted is one more monomial
    degrees = sigma.degrees and tuple(sorted({0, *sigma.degrees}))
    return raw._replace(offset=mean, degrees=degrees)


@in_float64
@functools.lru_cache(maxsize=1024)  # a ladder of diffusion times asks for the same ones again
def gaussian_constants(
    sigma: Activation, *, signal_variance: float, noise_variance: float, tolerance: float = 1e-12
) -> Constants:
    """Gaussian constants of σ, centered at Γ (T9; B25 Lemma C.1).

    Pre-activations are √signal_variance·u + √noise_variance·v. Closed forms where σ has them; else quadrature, refined
    until two rules agree, with panels split at σ's kinks.

    Args:
        sigma: The activation.
        signal_variance: e^{−2t}σ_x².
        noise_variance: Δ_t, so that Γ² is the sum of both.
        tolerance: Of the constants, relative.

    Returns:
        The constants and their error.

    Raises:
        ValueError: Where σ is not centered (E σ(Γz) ≠ 0), where the tolerance is not met, with the error reached, or
            where Γ lies outside [1e-3, 1e3].
    """
    gamma = math.sqrt(signal_variance + noise_variance)
    if not 1e-3 <= gamma <= 1e3:
        raise ValueError(f"the scale of x_t, Γ = {gamma:.3g}, must lie in [1e-3, 1e3]; scale the data toward 1")
    sigma = centered(sigma, gamma)
    if sigma.closed:
        values, error = sigma.closed.constants(signal_variance, noise_variance), CLOSED_ERROR
    elif sigma.kinks:
        values, error = _kinked_constants(sigma, signal_variance, noise_variance, tolerance)
    else:
        values, error = _smooth_constants(sigma, signal_variance, noise_variance, tolerance)
    if not error <= tolerance:
        raise ValueError(
            f"constants of {sigma.name!r} at Γ = {gamma:.3g} reach a relative error of {error:.1e}, not "
            f"{tolerance:.1e}; scale the data toward 1, and declare every kink of a callable in an Activation"
        )
    a, v2, s2 = map(float, values)
    return Constants(a, math.sqrt(noise_variance) * a, v2, s2, error)


@in_float64
def hermite_coefficients(sigma: Activation, gamma: float, orders: int = 64) -> NDArray[np.float64]:
    """c_s = E h_s(z) σ(Γz) for s < orders, σ as it is, not centered (§4).

    Args:
        sigma: The activation.
        gamma: Γ.
        orders: How many.

    Returns:
        The coefficients, (orders,); to rounding for smooth σ, to about 1e-12 with kinks.
    """
    if isinstance(sigma.function, Series):
        found = sigma.function.at(gamma**2, gamma**2 - 1)
        return np.pad(found, (0, max(orders - found.size, 0)))[:orders]
    if sigma.kinks:
        return panel_coefficients(sigma, gamma, orders, 2)[0]
    return _coefficients(sigma, gamma, orders)[0]


def mean_slopes(sigma: Activation, gammas: NDArray[np.float64]) -> NDArray[np.float64]:
    """a(Γ) = E σ'(Γz) = E zσ(Γz)/Γ at many Γ (T9).

    Args:
        sigma: The activation.
        gammas: Γ, positive, (count,).

    Returns:
        The slopes, (count,); to 1e-12 for smooth σ.
    """
    if sigma.kinks or isinstance(sigma.function, Series):
        return np.array([hermite_coefficients(sigma, float(one), 2)[1] / one for one in gammas])
    # the trapezoidal rule: exponentially exact for what is smooth and falls off at both ends
    weights = TRAPEZOID * np.exp(-(TRAPEZOID**2) / 2)
    weights = weights / (weights @ TRAPEZOID)
    return evaluate(sigma, gammas[:, None] * TRAPEZOID) @ weights / gammas


def _smooth_constants(
    sigma: Activation, signal: float, noise: float, tolerance: float
) -> tuple[NDArray[np.float64], float]:
    """(a, v², s²) of a smooth activation, and their error.

    With σ(Γz) = Σ c_s h_s(z) and x = signal/Γ² they are sums of positive terms,

        a = c_1/Γ,   v² = Σ_{s≥2} c_s² x^s,   s² = Σ_{s≥2} c_s² (1 − x^s),

    which lose no digits where s² or v² is a small difference (small t, large t), as the closed forms of erf do. The
    number of orders is doubled, and the step of the rule changed, until the values agree.
    """
    gamma, log_x = math.sqrt(signal + noise), log_share(signal, noise)
    orders, previous, error = 64, None, math.inf
    while orders <= MAX_ORDER:
        c, square = _coefficients(sigma, gamma, orders, shrink=1.0 if previous is None else 0.8)
        size = math.sqrt(square + c[0] ** 2 + c[1] ** 2)
        s = np.arange(2, orders)
        share = np.exp(s * log_x)
        values = np.array([c[1] / gamma, c[2:] ** 2 @ share, -(c[2:] ** 2) @ np.expm1(s * log_x)])
        values = _without_rounding(values, gamma, size)
        if previous is not None:
            # orders beyond these may hold energy that doubling them has not met yet
            missing = max(square - float(c[2:] ** 2 @ np.ones(orders - 2)) - ROUNDING * math.sqrt(square) * size, 0.0)
            error = max(_difference(values, previous), missing / max(values[2], missing) if missing else 0.0)
            if error <= tolerance:
                return values, error
        previous, orders = values, 2 * orders
    assert previous is not None
    return previous, error


def _kinked_constants(
    sigma: Activation, signal: float, noise: float, tolerance: float
) -> tuple[NDArray[np.float64], float]:
    """(a, v², s²) of an activation with kinks, and their error.

    The series ends early where x ≤ 1/2; elsewhere its coefficients, which fall like a power of s, are too many, and
    (T9) is integrated as nested averages of positive terms.
    """
    gamma, log_x = math.sqrt(signal + noise), log_share(signal, noise)
    values, previous, error = np.zeros(3), None, math.inf
    for level in range(5):
        c, square = panel_coefficients(sigma, gamma, KINKED_ORDERS, level)
        if signal <= noise:
            v2 = float(c[2:] ** 2 @ np.exp(np.arange(2, KINKED_ORDERS) * log_x))
            values = np.array([c[1] / gamma, v2, square - v2])
        else:
            values = np.array([c[1] / gamma, *nested_constants(sigma, c, math.sqrt(signal), math.sqrt(noise), level)])
        values = _without_rounding(values, gamma, math.sqrt(square + (c[:2] ** 2).sum()))
        if previous is not None:
            error = _difference(values, previous)
            if error <= tolerance:
                break
        previous = values
    return values, error


def _without_rounding(values: NDArray[np.float64], gamma: float, size: float) -> NDArray[np.float64]:
    """(a, v², s²) with exact zeros where there is nothing but the rounding of c_s, about eps √E σ² (`size`)."""
    return np.where(np.abs(values) <= [ROUNDING * size / gamma, *[(ROUNDING * size) ** 2] * 2], 0.0, values)


def _difference(values: NDArray[np.float64], previous: NDArray[np.float64]) -> float:
    return float(np.max(np.abs(values - previous) / np.where(values == 0, 1.0, np.abs(values))))


def _coefficients(
    sigma: Activation, scale: float, orders: int, shrink: float = 1.0
) -> tuple[NDArray[np.float64], float]:
    """c_s = E[h_s(z) σ(scale·z)], z ~ N(0,1), for s < orders: shape (orders,); and E (σ − c_0 − c_1 z)².

    The grid resolves both the polynomial (wavenumber √orders) and σ, whose nearest pole limits the step.
    """
    step = shrink * min(0.2 / max(scale, 1.0), 2.0 / math.sqrt(orders))
    c = hermite_averages(lambda z: evaluate(sigma, scale * z), orders, step)
    if sigma.odd:
        c[::2] = 0.0  # exact zeros: rounding of 1e-17 would swamp v² ~ x³ at large t
    # formed pointwise: the difference of the energies would cancel
    square = hermite_averages(lambda z: (evaluate(sigma, scale * z) - c[0] - c[1] * z) ** 2, 1, step)[0]
    return c, float(square)


def _mean(sigma: Activation, gamma: float) -> tuple[float, float]:
    """E σ(Γz) and √E σ(Γz)², by rules refined until the mean holds to 1e-12 of the latter."""
    previous, error = math.inf, math.inf
    for level in range(7):
        if sigma.kinks:
            c, square = panel_coefficients(sigma, gamma, 2, level)
            size = math.sqrt(square + (c**2).sum())
        else:
            c = hermite_averages(lambda z: evaluate(sigma, gamma * z), 1, step := 0.2 / max(gamma, 1.0) / 2**level)
            size = math.sqrt(hermite_averages(lambda z: evaluate(sigma, gamma * z) ** 2, 1, step)[0])
        error, previous = abs(c[0] - previous), c[0]
        if error <= CENTERED * size:
            return float(c[0]), size
    raise ValueError(
        f"the mean of {sigma.name!r} at Γ = {gamma:.3g} is found to {error:.1e} only, not to {CENTERED:.0e} of its "
        "size; declare every kink of a callable in an Activation"
    )
