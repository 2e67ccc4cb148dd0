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
from typing import NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from rfsim.computing.arrays import Numbers
from rfsim.computing.parallel import DeviceLayout
from rfsim.computing.precision import Unresolved, require_float64
from rfsim.problem.activations import Activation
from rfsim.problem.laws import Law
from rfsim.sample.moments import mixed, tensor
from rfsim.sample.moments.host import Host
from rfsim.sample.moments.interpolated import interpolated
from rfsim.sample.moments.mixed import Mixed
from rfsim.sample.moments.planning import (
    MAX_CLOSED_ORDERS,
    MAX_ORDERS,
    Geometry,
    choose_orders,
    choose_rule,
    choose_single,
    geometry_of,
    run_pilot,
    spanned_degree,
    truncation_bound,
)
from rfsim.sample.moments.rules import HostRule
from rfsim.sample.moments.sharded import Assembler, Ring, assembler

HOPELESS = 100


class Moments(NamedTuple):
    """The two moments of (T1) and what is known of their error.

    Attributes:
        second: M = E φφᵀ, (features, features), dimensionless.
        noise: N = E φξᵀ, (features, dim), dimensionless.
        constant: Loss of the zero score, E‖ξ‖²/d.
        orders: Hermite orders summed; 0 for frozen draws and tensor quadrature.
        error_bound: Bound on the spectral norm of what the orders left out would add to M and of what those in float32
            have rounded, or the difference of the last two tensor rules. Rounding of float64, of order eps·‖M‖, comes
            on top.
    """

    second: Numbers
    noise: Numbers
    constant: float
    orders: int
    error_bound: float


def averaged_moments(
    weights: NDArray[np.float64],
    law: Law,
    sigma: Activation,
    *,
    noise_scale: float,
    tolerance: float = 1e-6,
    floor: float | None = None,
    ridge: float = 0.0,
    max_orders: int | None = None,
    layout: DeviceLayout | None = None,
    slopes: NDArray[np.float64] | None = None,
) -> Moments:
    """M and N of the features of a law, averaged exactly over its Gaussian noise (T3–T6).

    The number of orders is the smallest found for which the bound on ‖error of M‖ is below tolerance × floor; a CPU
    sums high ones in float32, within it (`moments.mixed`). At d ≤ 3, where the series needs more than `max_orders`, a
    smooth σ is averaged by tensor quadrature instead, on one device.

    Args:
        weights: W, (features, dim).
        law: Of x_t, with positive variances, but along coordinates that are no noisy ones.
        sigma: The activation, centered for the law.
        noise_scale: √Δ.
        tolerance: Of the error of M, relative to floor.
        floor: λ_min + γ where the caller knows it; by default `ridge` plus an estimate of λ_min from the energy of the
            features beyond the degree whose polynomials span most of them.
        ridge: γ, in units of the eigenvalues of M.
        max_orders: 200 by default, or 600 where σ has a closed form of its coefficients.
        layout: Of the devices over which the rows of M and N are divided; none of them ever holds the whole of M.
        slopes: The pre-activations' derivatives by x_t, (features, dim), where some of the law's coordinates are no
            noisy ones (§13); W/√d unless given.

    Returns:
        The moments.

    Raises:
        ValueError: With the bound reached, where more than `max_orders` are needed or two tensor rules do not agree;
            for an activation that is NaN or infinite on this data.
        RuntimeError: In float32.
    """
    require_float64()
    geometry = geometry_of(weights, law)
    if max_orders is None:
        max_orders = MAX_CLOSED_ORDERS if sigma.closed and sigma.closed.orders else MAX_ORDERS
    pilot = run_pilot(weights, law, geometry, sigma, max_orders)
    if floor is None:
        degree = min(spanned_degree(*weights.shape) + 1, pilot.tail.shape[1] - 1)
        floor = ridge + 0.5 * float(pilot.tail[:, degree].min())
    target = tolerance * floor
    # a polynomial's series ends: nothing is left out, whatever λ_min is
    ends = None if sigma.degrees is None else max(sigma.degrees) + 1
    first, (orders, bound) = 0, choose_orders(geometry, pilot.tail, target) if ends is None else (ends, 0.0)
    work = assembler(layout, len(weights))
    if ends is None and isinstance(work, Host) and len(weights) >= mixed.LEAST_FEATURES:
        gamma = mixed.rounding(len(law.centers), orders)
        work = Mixed(len(weights), choose_single(geometry, pilot.tail, min(target - bound, target / 2) / 2, gamma))
    totals = _Totals.zero(work)
    # an estimate that misses by far is not worth the p × p work of finding out
    while bound <= HOPELESS * target or first:
        rule: HostRule = choose_rule(pilot, sigma, orders)
        if isinstance(work, Host):
            rule = interpolated(rule, pilot, weights, law.centers, geometry.deviation, sigma, orders)
        totals = _sum_orders(work, totals, weights, law, geometry, rule, sigma, first, orders)
        if ends is None:
            remainder = np.maximum(totals.square - totals.energy, 4 * np.finfo(float).eps * totals.square)
            bound = truncation_bound(work, geometry, remainder, orders)
        if isinstance(work, Mixed):
            if (rounded := work.error_bound(geometry.directions)) > target / 2:  # which further orders would not lower
                work, first, bound = Host(len(weights)), 0, target
                totals = _Totals.zero(work)
                continue
            bound += rounded
        if bound <= target or orders >= max_orders:
            break
        first, orders = orders, min(orders + max(2, orders // 4), max_orders)
    few = weights.shape[1] <= tensor.MOST_DIM and not sigma.kinks and slopes is None
    if bound > target and few and not isinstance(work, Ring):
        del totals
        return _by_tensor(weights, law, sigma, noise_scale, tolerance, floor)
    if bound > target:
        raise Unresolved(
            f"the noise average needs more than {max_orders} Hermite orders at dim = {weights.shape[1]}: the error "
            f"bound reached is {bound:.1e}, asked is {target:.1e} ({tolerance:g} of λ_min + γ ≈ {floor:.1e})",
            f"use {'one device, ' if few else ''}a larger dim, fewer features or a larger {{ridge}}",
        )
    stein = noise_scale * totals.stein / geometry.deviation
    # the product with W first, as ever: another order would round otherwise
    along = stein[:, None] * weights / math.sqrt(weights.shape[1]) if slopes is None else stein[:, None] * slopes
    noise = work.place(along)
    second = work.finish(totals.second, totals.square)
    return Moments(second, noise, 1.0, orders, bound)


def combined(shares: Iterable[float], parts: Iterable[Moments]) -> Moments:
    """Moments of a law that is a weighted sum of others, by theirs (§12).

    Args:
        shares: π_c, adding up to 1.
        parts: The moments of each, of which no more than one is held beside their sum.

    Returns:
        The moments; the largest number of orders, and the bounds' weighted sum.
    """
    whole = None
    for share, one in zip(shares, parts, strict=True):
        second, noise = share * one.second, share * one.noise
        orders, bound = one.orders, share * one.error_bound
        if whole is not None:
            second, noise = whole.second + second, whole.noise + noise
            orders, bound = max(whole.orders, orders), whole.error_bound + bound
        whole = Moments(second, noise, one.constant, orders, bound)
    assert whole is not None  # a law has a part
    return whole


def _by_tensor(
    weights: NDArray[np.float64], law: Law, sigma: Activation, noise_scale: float, tolerance: float, floor: float
) -> Moments:
    target = tolerance * floor
    second, noise, error = tensor.tensor_moments(weights, law, sigma, noise_scale=noise_scale, target=target)
    require_finite(np.asarray(noise), sigma)
    if not error <= target:
        raise Unresolved(
            f"the noise average by tensor quadrature at dim = {weights.shape[1]} is found to {error:.1e}, asked is "
            f"{target:.1e} ({tolerance:g} of λ_min + γ ≈ {floor:.1e})",
            "use fewer features or a larger {ridge}",
        )
    return Moments(second, noise, 1.0, 0, error)


def feature_data(moments: Moments, law: Law, noise_scale: float) -> Numbers:
    """Moment E φyᵀ of features and data in closed form, Ṽ Σ_t/√Δ (T6), for the score error (T2).

    Args:
        moments: Ũ and Ṽ of the law.
        law: Of y, one Gaussian of mean 0.
        noise_scale: √Δ.

    Returns:
        E φyᵀ, (features, dim).

    Raises:
        ValueError: For a mixture, where Stein's identity has a further term.
    """
    if len(law.centers) != 1 or law.centers.any():
        raise ValueError("E φyᵀ in closed form is for one Gaussian of mean 0")
    return moments.noise * law.variances / noise_scale


class _Totals(NamedTuple):
    """Sums over centers: second, of an assembler, without its diagonal's tail; the rest (features,).

    square: E σ²; energy: Σ_s E g_s² over the orders summed; stein: E g_1.
    """

    second: Numbers
    square: NDArray[np.float64]
    energy: NDArray[np.float64]
    stein: NDArray[np.float64]

    @classmethod
    def zero(cls, work: Assembler) -> _Totals:
        return cls(work.zero(), *np.zeros((3, work.features)))


def _sum_orders(
    work: Assembler,
    totals: _Totals,
    weights: NDArray[np.float64],
    law: Law,
    geometry: Geometry,
    rule: HostRule,
    sigma: Activation,
    first: int,
    orders: int,
) -> _Totals:
    """Add orders first…orders−1 of the series, streaming over centers in chunks that fit the memory budget."""
    p, n = len(weights), len(law.centers)
    w = work.pad(weights / math.sqrt(weights.shape[1]))
    deviation, directions = work.pad(geometry.deviation), work.pad(geometry.directions)
    window = rule.window(first, orders - first)
    # equal chunks, so that one compiled program serves all of them where n allows it
    rows = -(-n // -(-n // work.chunk_rows(window[0].shape[0], rule.doubles)))
    second, square, energy, stein = totals.second, np.zeros(p), totals.energy, totals.stein
    for lo in range(0, n, rows):
        centers = law.centers[lo : lo + rows]
        g, sums = work.coefficients(w, deviation, centers, window, sigma.offset, rule)
        chunk_square, chunk_energy, chunk_stein = work.values(sums) / n
        require_finite(chunk_square, sigma)
        # waited for, so that one chunk of coefficients is held at a time
        second = jax.block_until_ready(work.add_orders(second, g, directions, 1 / n, first, orders - first))
        del g
        square += chunk_square
        energy = energy + chunk_energy
        stein = stein + chunk_stein if first == 0 else stein
    return _Totals(second, square, energy, stein)


def require_finite(sums: NDArray[np.float64], sigma: Activation) -> None:
    """Refuse an activation that is NaN or infinite somewhere on the data (no equation).

    Args:
        sums: Averages over the data, of any shape.
        sigma: The activation, which the message names.

    Raises:
        ValueError: Where any of the sums is not finite.
    """
    if not np.all(np.isfinite(sums)):
        raise ValueError(
            f"activation {sigma.name!r} is NaN or infinite at pre-activations of this data; use data of smaller scale, "
            "or write the callable so that it is finite there"
        )
