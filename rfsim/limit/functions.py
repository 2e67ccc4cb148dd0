"""What the losses need of a solution: (1/d) Tr VᵀRV, (1/d) Tr VᵀRṼ and (1/d) Tr VᵀRŨR'V (equations.md T12, §6)."""

from __future__ import annotations

from rfsim.computing.arrays import Numbers, namespace
from rfsim.limit.equations import Point, State, System, beside_h, channels, pairs
from rfsim.limit.limits import Limit


def own_transform(limit: Limit, x: State) -> Numbers:
    """T1(z) = (1/d) Tr VᵀRV = 1 − θ + a²ψ_pΔ r θ², of classes Σπ_c(1 − θ_c) + ψ_pΔ r (Σπ_c a_cθ_c)²."""
    theta, rest = _theta(limit, x)
    return _mean(limit, rest) + _strength(limit) * x.r * _slope(limit, theta) ** 2


def cross_transform(limit: Limit, x: State, target: Numbers | None = None) -> Numbers:
    """a√Δ T2(z) = (1/d) Tr VᵀRṼ = a²ψ_pΔ r θ, of classes ψ_pΔ r (Σπ_c a_cθ_c)(Σw_c a_c).

    `target`: the weights w of the classes that Ṽ is of, (classes,); their shares where it is the whole population's.
    """
    own = limit.by_class
    along = ((own.shares if target is None else target) * own.slopes).sum(-1)
    return _strength(limit) * x.r * _slope(limit, _theta(limit, x)[0]) * along


def overlap_transform(limit: Limit, x: State, y: State, system: System, target: Numbers | None = None) -> Numbers:
    """P(z, z') = (1/d) Tr VᵀRŨR'V = a² ∂_ζT1 + (v²+s²) ∂_zT1 by differences between x and y (`system` is theirs).

    `target`: as in `cross_transform`.
    """
    own, psi_p = limit.by_class, limit.features_per_dim
    weights = own.shares if target is None else target
    gains = weights * own.gains
    right = system.right(
        psi_p * (weights * (own.v2 + own.s2)).sum(-1),
        -psi_p * limit.noise * gains.sum(-1),
        -beside_h(limit, gains * own.scales),
    )
    return own_difference(limit, x, y, system.solve(right))


def training_overlap(limit: Limit, x: State, y: State, system: System, target: Numbers) -> Numbers:
    """(1/d) Tr VᵀRMR'V, M = E φφᵀ over the training points of some classes, noise averaged exactly (§12).

    Beside the population's every factor that follows a point has 1/(L_c L_c'), as the point is in both resolvents.
    `target`: the weights of the classes, (classes,).
    """
    own, psi_p = limit.by_class, limit.features_per_dim
    gains = target * own.gains
    right = system.right(
        psi_p * (pairs(x.over_first, y.over_first, target * own.v2) + (target * own.s2).sum(-1)),
        -psi_p * limit.noise * gains.sum(-1),
        -_pairs_beside_h(limit, x, y, gains * own.scales),
    )
    return own_difference(limit, x, y, system.solve(right))


def own_slope(limit: Limit, x: State, y: State, system: System) -> Numbers:
    """(T1(z) − T1(z'))/(z − z') = (1/d) Tr VᵀRR'V; ∂_zT1 where the points are equal."""
    return own_difference(limit, x, y, system.solve(system.right(limit.features_per_dim, 0.0, 0.0)))


def fresh_noise_overlap(limit: Limit, x: State, system: System) -> Numbers:
    """(1/d) Tr VᵀRU_∞RV, U_∞ = U_H + b²WWᵀ/d + s² the average over fresh noise on the same samples (L_emp under T12).

    U_H = HHᵀ/n is what the features of a sample have in common. A source εU_H adds ε∇B to (ψ_p z, r̂, ĥ)/ψ_p, where
    B = s_H g, s_H = a²e h + v² q, g = 1 − c s_H/L1, and ε(1−g)²/m to θ. With 1 − g = c s_H/L1 the gradient of B is
    (v²g² + s²(1−g)²/m, a²Δ(1−g)²/m, a²e g²); of classes they are means by share.
    """
    psi_p, eps, own = limit.features_per_dim, limit.copies_inverse, limit.by_class
    xp, gains = namespace(limit, x), own.shares * own.gains
    c = xp.asarray(psi_p / limit.samples_per_dim)[..., None]
    h = x.h[..., None] if own.variances is None else x.h
    common_part = own.gains * limit.signal * own.scales * h + own.v2 * x.q[..., None]
    shared = c * common_part * x.over_first
    left, rest = (1 - shared) ** 2, eps * shared**2
    common = system.right(
        -psi_p * _mean(limit, own.v2 * left + own.s2 * rest),
        psi_p * limit.noise * (gains * rest).sum(-1),
        beside_h(limit, gains * own.scales * left),
    )
    others = system.right(psi_p * _mean(limit, own.s2), -psi_p * limit.noise * gains.sum(-1), 0.0)
    change = system.solve(Point(*(other - own_ for other, own_ in zip(others, common, strict=True))))
    slope = _slope(limit, _theta(limit, x)[0])
    twice = 2 * _strength(limit) * x.r * slope * _slope(limit, rest)
    return own_difference(limit, x, x, change) + _mean(limit, rest) - twice


def own_difference(limit: Limit, x: State, y: State, change: Point) -> Numbers:
    """The difference of T1 for the change of (q, r, h) between x and y; θ r θ split in its order."""
    theta, theta_ = (_slope(limit, _theta(limit, one)[0]) for one in (x, y))
    first, second = channels(limit, change)
    eps = limit.copies_inverse
    shift = -(eps * first * x.over_first * y.over_first + (1 - eps) * second * x.over_second * y.over_second)
    moved = _slope(limit, shift)
    split = moved * y.r * theta_ + theta * change.r * theta_ + theta * x.r * moved
    return _strength(limit) * split - _mean(limit, shift)


def _theta(limit: Limit, x: State) -> tuple[Numbers, Numbers]:
    """θ = T/m = ε/L1 + (1−ε)/L2 and 1 − θ, which is 0 where noise is averaged exactly, of each class."""
    first, second = channels(limit, Point(x.q, x.r, x.h))
    eps = limit.copies_inverse
    rest = eps * first * x.over_first + (1 - eps) * second * x.over_second
    return 1 - rest, rest


def _pairs_beside_h(limit: Limit, x: State, y: State, factor: Numbers) -> Numbers:
    """`beside_h` of factor_c/(L_c L_c'), by `pairs` where the classes are summed."""
    if limit.by_class.variances is None:
        return limit.features_per_dim * limit.signal * pairs(x.over_first, y.over_first, factor)
    return beside_h(limit, factor * x.over_first * y.over_first)


def _mean(limit: Limit, values: Numbers) -> Numbers:
    """Σπ_c of values (..., classes)."""
    return (limit.by_class.shares * values).sum(-1)


def _slope(limit: Limit, values: Numbers) -> Numbers:
    """Σπ_c a_c of values (..., classes)."""
    return _mean(limit, limit.by_class.slopes * values)


def _strength(limit: Limit) -> Numbers:
    return limit.features_per_dim * limit.noise
