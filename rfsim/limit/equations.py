"""The d → ∞ equations of (q, r, h), and their divided differences (equations.md T10, T11, §6).

With R = (U − z)^{−1}: q = (1/p) Tr R, r = (1/pd) Tr WᵀRW, h = (1/pd) Tr Σ^{1/2}WᵀRWΣ^{1/2}. One form holds for every
m ≥ 1 and every Σ: with ε = 1/m, e = e^{−2t}, c = ψ_p/ψ_n,
    L1 = 1 + c[a²(e h + εΔ r) + (v² + εs²) q],             L2 = 1 + cε[a²Δ r + s² q],
    r̂ = 1/q + ψ_p a²Δ[ε/L1 + (1−ε)/L2],                    ĥ = ψ_p a² e/L1,
    r = ∫dρ_Σ(l)/(r̂ + lĥ),   h = ∫l dρ_Σ(l)/(r̂ + lĥ),
    ψ_p z = (1−ψ_p)/q − r/q² + ψ_p(v² + εs²)/L1 + (1−ε)ψ_p s²/L2.
Of several classes (§12) 1/L1 and 1/L2, and with them a², v² and s², are those of the class, e that of e times the scale
of its covariance, and what stands beside them is a mean by share; a population without classes is one class. Where the
covariances are no multiples of one there is an h for each, and lĥ is Σ_c l_cĥ_c.
ε = 0 is B25's Theorem 3.1 and Σ = I is U26's Proposition C.2. A source −ζ WΣ_tWᵀ/d in U adds −ψ_pζ(Δ, e) to (r̂, ĥ).

Differences of the equations between two points are linear in the differences of (q, r, h), exactly, if every product
is split in the order in which it stands as a product of matrices: q^{−1} r q^{−1} and θ r θ. The same 3 × 3 matrix is
then the Newton Jacobian (both points equal), the derivative of the ridge losses, and the two-point function.
Points are arrays of JAX's inside its programs, and of NumPy's else.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rfsim.computing.arrays import Numbers, namespace
from rfsim.limit.limits import Limit


class Point(NamedTuple):
    """(q, r, h) at one z, or their differences; complex or real, of one shape; h (..., classes) where each has one."""

    q: Numbers
    r: Numbers
    h: Numbers


def channels(limit: Limit, x: Point) -> tuple[Numbers, Numbers]:
    """L1 − 1 and L2 − 1 of each class, (..., classes); linear in x, so that differences of x give differences of L."""
    xp, (first, second) = namespace(limit, x), _slopes(limit)
    c = xp.asarray(limit.features_per_dim / limit.samples_per_dim)[..., None]
    q, r, h = (xp.asarray(value)[..., None] for value in x)
    if limit.by_class.variances is not None:
        h = h[..., 0]
    return (
        c * (first.q * q + first.r * r + first.h * h),
        c * limit.copies_inverse * (second.q * q + second.r * r),
    )


def _slopes(limit: Limit) -> tuple[Point, Point]:
    """∂L1/∂(q, r, h) in units of c, and ∂L2/∂(q, r, h) in units of cε, of each class, (classes,)."""
    own, eps = limit.by_class, limit.copies_inverse
    noise = own.gains * limit.noise
    return (
        Point(own.v2 + eps * own.s2, eps * noise, own.gains * limit.signal * own.scales),
        Point(own.s2, noise, 0 * noise),
    )


class State(NamedTuple):
    """A point with the reciprocals that all formulas share.

    1/q (...,), 1/L1 and 1/L2 (..., classes), and 1/(r̂ + lĥ) (..., atoms).
    """

    q: Numbers
    r: Numbers
    h: Numbers
    over_q: Numbers
    over_first: Numbers
    over_second: Numbers
    over_atoms: Numbers


def state(limit: Limit, x: Point) -> State:
    """The point with its reciprocals."""
    first, second = channels(limit, x)
    eps, psi_p, own = limit.copies_inverse, limit.features_per_dim, limit.by_class
    over_q, over_first, over_second = 1 / x.q, 1 / (1 + first), 1 / (1 + second)
    gains = own.shares * own.gains
    r_hat = over_q + psi_p * limit.noise * (gains * (eps * over_first + (1 - eps) * over_second)).sum(-1)
    h_hat = beside_h(limit, gains * own.scales * over_first)
    along = limit.values * h_hat[..., None] if own.variances is None else h_hat @ own.variances.T
    over_atoms = 1 / (r_hat[..., None] + along)
    return State(*x, over_q, over_first, over_second, over_atoms)


def beside_h(limit: Limit, values: Numbers) -> Numbers:
    """ψ_p e times values (..., classes), summed, or as they are where each class has an h of its own."""
    factor = limit.features_per_dim * limit.signal
    if limit.by_class.variances is None:
        return factor * values.sum(-1)
    return namespace(values).asarray(factor)[..., None] * values


def equations(limit: Limit, x: State, offset: Numbers) -> tuple[Point, Numbers]:
    """What is left at x of the z-equation (as q) and of those of r and h, and the largest ratio of any to its terms.

    z is given as offset = z − floor: near an atom at s² that holds the digits in which bulks and atom differ.
    """
    xp, psi_p, eps, own = namespace(x), limit.features_per_dim, limit.copies_inverse, limit.by_class
    # what the floor takes off at m = ∞, before the classes are summed: there nothing is left
    at_floor = xp.where(eps == 0, 1.0, 0.0)
    inverse = limit.weights * x.over_atoms
    terms = (
        (1 - psi_p) * x.over_q,
        -x.r * x.over_q**2,
        psi_p * (own.shares * (own.v2 + eps * own.s2) * x.over_first).sum(-1),
        psi_p * (own.shares * own.s2 * ((1 - eps) * x.over_second - at_floor)).sum(-1),
        -psi_p * offset,
    )
    variances = limit.values if own.variances is None else own.variances.T
    along = variances * (inverse if own.variances is None else inverse[..., None, :])
    left = Point(sum(terms, xp.zeros_like(x.q)), x.r - inverse.sum(-1), x.h - along.sum(-1))
    sizes = (
        xp.stack([abs(term) for term in terms]).max(0),
        xp.maximum(abs(x.r), abs(inverse).max(-1)),
        xp.maximum(abs(x.h), abs(along).max(-1)),
    )
    ratios = [abs(value) / size for value, size in zip(left, sizes, strict=True)]
    if own.variances is not None:
        ratios[-1] = ratios[-1].max(-1)
    return left, xp.stack(ratios).max(0)


class Differences(NamedTuple):
    """The linear system of the differences of (q, r, h) between two points.

    rows: matrix entries, rows and columns in the order (q, r, h); moments: ∫l^k dρ_Σ/(D D') with D = r̂ + lĥ, for
    k = 0, 1, 2; all of the points' common shape.
    """

    rows: tuple[Point, Point, Point]
    moments: tuple[Numbers, Numbers, Numbers]

    def right(self, shift: ArrayLike, r_hat: ArrayLike, h_hat: ArrayLike) -> Point:
        """The right side for `shift` added to ψ_p z, and r_hat and h_hat to r̂ and ĥ, at fixed (q, r, h)."""
        a0, a1, a2 = self.moments
        return Point(
            namespace(a0).broadcast_to(shift, a0.shape), -(a0 * r_hat + a1 * h_hat), -(a1 * r_hat + a2 * h_hat)
        )

    def solve(self, right: Point) -> Point:
        """The differences for that right side, by Cramer's rule: elementwise, and indifferent to scales."""
        (a, b, c), (d, e, f), (g, h, i) = self.rows
        u, v, w = right
        minors = self._minors
        (first, second, third), scale = minors, 1 / self._expanded(minors)
        x, y, z = f * w - v * i, v * h - e * w, d * w - v * g
        return Point(
            (u * first + b * x + c * y) * scale,
            (u * second - a * x + c * z) * scale,
            (u * third - a * y - b * z) * scale,
        )

    @property
    def determinant(self) -> Numbers:
        """Zero at the edges of the spectrum, where both points are equal and real."""
        return self._expanded(self._minors)

    @property
    def _minors(self) -> Point:
        """Of the first row's entries, with their signs."""
        _, (d, e, f), (g, h, i) = self.rows
        return Point(e * i - f * h, f * g - d * i, d * h - e * g)

    def _expanded(self, minors: Point) -> Numbers:
        """The determinant, along the first row."""
        return sum(entry * minor for entry, minor in zip(self.rows[0], minors, strict=True))

    @property
    def table(self) -> Numbers:
        """The matrix, (3, 3, …)."""
        xp = namespace(self.moments[0])
        return xp.stack([xp.stack(xp.broadcast_arrays(*row)) for row in self.rows])


class JointDifferences(NamedTuple):
    """As `Differences`, with an h of each class.

    matrix: (..., k, k), rows and columns in the order (q, r, h_1, …); moments: ∫dρ/(D D'), ∫l_c dρ/(D D') and
    ∫l_c l_c' dρ/(D D'), (...,), (..., classes) and (..., classes, classes).
    """

    matrix: Numbers
    moments: tuple[Numbers, Numbers, Numbers]

    def right(self, shift: ArrayLike, r_hat: ArrayLike, h_hat: ArrayLike) -> Point:
        """As `Differences` has it; h_hat (..., classes), or 0."""
        (a0, a1, a2), xp = self.moments, namespace(self.matrix)
        r, h = xp.asarray(r_hat), xp.broadcast_to(h_hat, a1.shape)
        return Point(
            xp.broadcast_to(shift, a0.shape),
            -(a0 * r + (a1 * h).sum(-1)),
            -(a1 * r[..., None] + xp.einsum("...ij,...j->...i", a2, h)),
        )

    def solve(self, right: Point) -> Point:
        """The differences for that right side."""
        xp = namespace(self.matrix)
        sizes = abs(self.matrix).max(-1)  # of the rows, which differ by many digits
        given = xp.concatenate([right.q[..., None], right.r[..., None], right.h], axis=-1) / sizes
        found = xp.linalg.solve(self.matrix / sizes[..., None], given[..., None])[..., 0]
        return Point(found[..., 0], found[..., 1], found[..., 2:])

    @property
    def determinant(self) -> Numbers:
        """Zero at the edges of the spectrum."""
        return namespace(self.matrix).linalg.det(self.matrix)

    @property
    def table(self) -> Numbers:
        """The matrix, (k, k, …)."""
        return namespace(self.matrix).moveaxis(self.matrix, (-2, -1), (0, 1))


System = Differences | JointDifferences


def differences(limit: Limit, x: State, y: State) -> System:
    """The system between x and y, whose shapes broadcast: (nodes, 1) against (nodes,) gives every pair."""
    if limit.by_class.variances is not None:
        return _joint_differences(limit, x, y)
    # products of matrices: no array of pairs × atoms
    xp, weighted = namespace(x, y), (x.over_atoms * (limit.weights * limit.values**k) for k in range(3))
    a0, a1, a2 = (xp.einsum("...k,...k->...", near, y.over_atoms) for near in weighted)
    (qq, qr, qh), (rr, rh), hh = _falls(limit, x, y)
    over_qq, around_q = _around_q(limit, x, y)
    return Differences(
        (
            Point(around_q - qq, -over_qq - qr, -qh),
            Point(-a0 * (over_qq + qr) - a1 * qh, 1 - a0 * rr - a1 * rh, -a0 * rh - a1 * hh),
            Point(-a1 * (over_qq + qr) - a2 * qh, -a1 * rr - a2 * rh, 1 - a1 * rh - a2 * hh),
        ),
        (a0, a1, a2),
    )


def _around_q(limit: Limit, x: State, y: State) -> tuple[Numbers, Numbers]:
    """1/(q q'), and the derivative by q of what the z-equation has beside the channels."""
    over_qq = x.over_q * y.over_q
    return over_qq, (limit.features_per_dim - 1 + x.r * x.over_q + y.r * y.over_q) * over_qq


def _falls(limit: Limit, x: State, y: State) -> tuple[Point, tuple[Numbers, Numbers], Numbers]:
    """By how much 1/L1 and 1/L2 lower the z-equation, r̂ and ĥ for each of (q, r, h).

    The factors of 1/L1 and 1/L2 there are their slopes by q, r and h again, all in one unit: the table is symmetric,
    and its upper half is what is given.
    """
    eps, (first, second) = limit.copies_inverse, _slopes(limit)
    by_first = _factors(limit)
    by_second = eps * (1 - eps) * by_first

    def fall(i: int, j: int) -> Numbers:
        both = pairs(x.over_first, y.over_first, by_first * first[i] * first[j])
        return both if 2 in (i, j) else both + pairs(x.over_second, y.over_second, by_second * second[i] * second[j])

    return Point(fall(0, 0), fall(0, 1), fall(0, 2)), (fall(1, 1), fall(1, 2)), fall(2, 2)


def _factors(limit: Limit) -> Numbers:
    """ψ_p c times the share of each class, (..., classes), where parameters are of each point."""
    factor = limit.features_per_dim**2 / limit.samples_per_dim
    return namespace(limit).asarray(factor)[..., None] * limit.by_class.shares


def _joint_differences(limit: Limit, x: State, y: State) -> JointDifferences:
    """Noise is averaged exactly: 1/L2 = 1."""
    xp, variances = namespace(limit, x, y), limit.by_class.variances
    assert variances is not None
    classes, weighted = variances.shape[1], x.over_atoms * limit.weights
    first, second = np.triu_indices(classes)

    def moments(factors: Numbers) -> Numbers:
        """∫factor dρ/(D D') of each column, (..., columns)."""
        if x.over_atoms.shape == y.over_atoms.shape:
            return (weighted * y.over_atoms) @ factors
        # products of matrices: no array of pairs × atoms × classes
        return xp.stack([xp.einsum("...k,...k->...", weighted * one, y.over_atoms) for one in factors.T], axis=-1)

    a0, a1 = moments(xp.ones_like(limit.weights)[:, None])[..., 0], moments(variances)
    where = np.zeros((classes, classes), dtype=int)  # a2 is symmetric
    where[first, second] = where[second, first] = np.arange(first.size)
    a2 = moments(variances[:, first] * variances[:, second])[..., where]
    over_qq, around_q = _around_q(limit, x, y)
    slope, by_first, both = _slopes(limit)[0], _factors(limit), x.over_first * y.over_first
    qq = pairs(x.over_first, y.over_first, by_first * slope.q**2)
    qh, hh = by_first * slope.q * slope.h * both, by_first * slope.h**2 * both  # of each class by its own h
    by_q = -a1 * over_qq[..., None] - xp.einsum("...ij,...j->...i", a2, qh)
    one = xp.ones_like(a0)
    rows = (
        xp.concatenate([(around_q - qq)[..., None], -over_qq[..., None], -qh], axis=-1),
        xp.concatenate([(-a0 * over_qq - (a1 * qh).sum(-1))[..., None], one[..., None], -a1 * hh], axis=-1),
    )
    below = xp.concatenate(
        [by_q[..., None], xp.zeros_like(by_q)[..., None], np.eye(classes) - a2 * hh[..., None, :]], axis=-1
    )
    return JointDifferences(xp.concatenate([xp.stack(rows, axis=-2), below], axis=-2), (a0, a1, a2))


def pairs(x: Numbers, y: Numbers, factor: Numbers) -> Numbers:
    """Σ_c factor_c x_c y_c over the classes, which come last, without an array of pairs × classes."""
    return namespace(x, y).einsum("...k,...k->...", x * factor, y)
