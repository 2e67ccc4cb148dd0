"""What the losses need of a solution: (1/d) Tr VᵀRV, (1/d) Tr VᵀRṼ and (1/d) Tr VᵀRŨR'V (equations.md T12, §6)."""

from __future__ import annotations

from rfsim.computing.arrays import Numbers
from rfsim.limit.equations import Differences, Point, State, channels
from rfsim.limit.limits import Limit


def own_transform(limit: Limit, x: State) -> Numbers:
    """T1(z) = (1/d) Tr VᵀRV = 1 − θ + a²ψ_pΔ r θ²."""
    theta, rest = _theta(limit, x)
    return rest + _gain(limit) * x.r * theta**2


def cross_transform(limit: Limit, x: State) -> Numbers:
    """a√Δ T2(z) = (1/d) Tr VᵀRṼ = a²ψ_pΔ r θ."""
    return _gain(limit) * x.r * _theta(limit, x)[0]


def overlap_transform(limit: Limit, x: State, y: State, system: Differences) -> Numbers:
    """P(z, z') = (1/d) Tr VᵀRŨR'V = a² ∂_ζT1 + (v²+s²) ∂_zT1 by differences between x and y (`system` is theirs)."""
    psi_p, gain = limit.features_per_dim, limit.features_per_dim * limit.gain
    right = system.right((limit.v2 + limit.s2) * psi_p, -gain * limit.noise, -gain * limit.signal)
    return own_difference(limit, x, y, system.solve(right))


def own_slope(limit: Limit, x: State, y: State, system: Differences) -> Numbers:
    """(T1(z) − T1(z'))/(z − z') = (1/d) Tr VᵀRR'V; ∂_zT1 where the points are equal."""
    return own_difference(limit, x, y, system.solve(system.right(limit.features_per_dim, 0.0, 0.0)))


def fresh_noise_overlap(limit: Limit, x: State, system: Differences) -> Numbers:
    """(1/d) Tr VᵀRU_∞RV, U_∞ = U_H + b²WWᵀ/d + s² the average over fresh noise on the same samples (L_emp under T12).

    U_H = HHᵀ/n is what the features of a sample have in common. A source εU_H adds ε∇B to (ψ_p z, r̂, ĥ)/ψ_p, where
    B = s_H g, s_H = a²e h + v² q, g = 1 − c s_H/L1, and ε(1−g)²/m to θ. With 1 − g = c s_H/L1 the gradient of B is
    (v²g² + s²(1−g)²/m, a²Δ(1−g)²/m, a²e g²).
    """
    psi_p, eps, gain = limit.features_per_dim, limit.copies_inverse, limit.features_per_dim * limit.gain
    shared = psi_p / limit.samples_per_dim * (limit.gain * limit.signal * x.h + limit.v2 * x.q) * x.over_first
    left, rest = (1 - shared) ** 2, eps * shared**2
    common = system.right(
        -psi_p * (limit.v2 * left + limit.s2 * rest), gain * limit.noise * rest, gain * limit.signal * left
    )
    others = system.right(psi_p * limit.s2, -gain * limit.noise, 0.0)
    change = system.solve(Point(*(other - own for other, own in zip(others, common, strict=True))))
    theta = _theta(limit, x)[0]
    return own_difference(limit, x, x, change) + rest * (1 - 2 * _gain(limit) * x.r * theta)


def own_difference(limit: Limit, x: State, y: State, change: Point) -> Numbers:
    """The difference of T1 for the change of (q, r, h) between x and y; θ r θ split in its order."""
    theta, theta_ = _theta(limit, x)[0], _theta(limit, y)[0]
    first, second = channels(limit, change)
    eps = limit.copies_inverse
    shift = -(eps * first * x.over_first * y.over_first + (1 - eps) * second * x.over_second * y.over_second)
    return _gain(limit) * (shift * y.r * theta_ + theta * change.r * theta_ + theta * x.r * shift) - shift


def _theta(limit: Limit, x: State) -> tuple[Numbers, Numbers]:
    """θ = T/m = ε/L1 + (1−ε)/L2 and 1 − θ, which is 0 where noise is averaged exactly."""
    first, second = channels(limit, Point(x.q, x.r, x.h))
    eps = limit.copies_inverse
    rest = eps * first * x.over_first + (1 - eps) * second * x.over_second
    return 1 - rest, rest


def _gain(limit: Limit) -> Numbers:
    return limit.gain * limit.features_per_dim * limit.noise
