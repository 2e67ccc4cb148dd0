"""The two-point function P(z, z') by every route that there is (equations.md §6)."""

from __future__ import annotations

import math

import jax
import mpmath as mp
import numpy as np
import pytest

from rfsim.limit import functions
from rfsim.limit.equations import differences
from rfsim.limit.solver import solve
from tests.theory import nested
from tests.theory.cases import limit_of


def whole_overlap(limit, x, y):
    return functions.overlap_transform(limit, x, y, differences(limit, x, y))


overlap = jax.jit(whole_overlap)
slope = jax.jit(lambda limit, x, y: functions.own_slope(limit, x, y, differences(limit, x, y)))


def points(count, seed):
    rng = np.random.default_rng(seed)
    return 10 ** rng.uniform(-2, 2, count) * np.exp(1j * rng.uniform(-2.5, 2.5, count))


@pytest.mark.parametrize("data", ["isotropic", "isotropic:2", "atoms:0.5@0.5,0.5@1.5", "subspace:0.25", "powerlaw:0.5"])
def test_two_derivations_of_the_two_point_function_agree(data):
    limit = limit_of(4, 16, data=data)
    z, other = points(12, 0), points(12, 1)
    x, y = solve(limit, z).state, solve(limit, other).state
    mine, same = overlap(limit, x, y), overlap(limit, x, x)
    for i in range(12):
        one, two = (nested.Nested(limit, s.q[i], s.h[i], at[i]) for s, at in ((x, z), (y, other)))
        assert max(one.consistent()) < 1e-12
        assert mine[i] == pytest.approx(nested.overlap(one, two), rel=1e-10)
        assert same[i] == pytest.approx(nested.overlap(one, one), rel=1e-10)


@pytest.mark.parametrize("m", [1, 3, math.inf])
@pytest.mark.parametrize("case", [(4, 16, 0.1), (8, 64, 0.01), (0.5, 32, 2.0), (16, 1, 1e-3)], ids=str)
def test_the_isotropic_system_is_the_same(case, m):
    """equations.md §6 prints a 2 × 2 system in (q, r) for σ_x = 1: written out here, against the 3 × 3 one."""
    limit = limit_of(*case, m=m)
    z, other = points(12, 2), points(12, 3)
    x, y = solve(limit, z).state, solve(limit, other).state
    psi_n, psi_p, eps, a2, v2, s2, e, delta = limit[:8]
    c = psi_p / psi_n
    g1r, g1q, g2r, g2q = c * a2 * (e + eps * delta), c * (v2 + eps * s2), c * eps * a2 * delta, c * eps * s2
    i1, i2 = (x.over_first * y.over_first)[:, 0], (x.over_second * y.over_second)[:, 0]  # of the one class
    a1r, a2r, a1q, a2q = (
        psi_p * a2 * (e + eps * delta),
        psi_p * a2 * delta * (1 - eps),
        psi_p * (v2 + eps * s2),
        psi_p * s2 * (1 - eps),
    )
    jrr = -1 / (x.r * y.r) + a1r * g1r * i1 + a2r * g2r * i2
    jrq = 1 / (x.q * y.q) + a1r * g1q * i1 + a2r * g2q * i2
    jqq = (psi_p - 1 + x.r / x.q + y.r / y.q) / (x.q * y.q) - a1q * g1q * i1 - a2q * g2q * i2
    det = jrr * jqq + jrq**2
    dr, dq = -psi_p * jqq / det, -psi_p * jrq / det
    theta, theta_ = (eps * s.over_first[:, 0] + (1 - eps) * s.over_second[:, 0] for s in (x, y))
    dt = -(eps * (g1r * dr + g1q * dq) * i1 + (1 - eps) * (g2r * dr + g2q * dq) * i2)
    b2 = a2 * psi_p * delta
    t4 = -dt + b2 * (dt * y.r * theta_ + theta * dr * theta_ + theta * x.r * dt)
    one, two = (1 - th + b2 * s.r * th**2 for s, th in ((x, theta), (y, theta_)))
    expected = a2 * t4 + (v2 + s2) * (one - two) / (z - other)
    np.testing.assert_allclose(overlap(limit, x, y), expected, rtol=1e-10)


@pytest.mark.parametrize("m", [1, 3])
def test_the_two_point_function_is_symmetric(m):
    """Tr VᵀRŨR'V is; the splitting of products is not, so that a wrong order would show."""
    limit = limit_of(2, 5, m=m, data="atoms:0.5@0.5,0.5@1.5")
    x, y = solve(limit, points(12, 4)).state, solve(limit, points(12, 5)).state
    np.testing.assert_allclose(overlap(limit, x, y), overlap(limit, y, x), rtol=1e-10)


def sourced(limit, zeta, z, start):
    """T1 at z with the source −ζ WΣ_tWᵀ/d in U, from the equations as they are printed, to thirty digits."""
    psi_n, psi_p, eps, a2, v2, s2, e, delta = (mp.mpf(float(value)) for value in limit[:8])
    atoms = [tuple(mp.mpf(float(x)) for x in pair) for pair in zip(limit.values, limit.weights, strict=True)]
    c = psi_p / psi_n

    def rates(q, r, h):
        first = 1 + c * (a2 * (e * h + eps * delta * r) + (v2 + eps * s2) * q)
        return first, 1 + c * eps * (a2 * delta * r + s2 * q)

    def left(q, r, h):
        first, second = rates(q, r, h)
        r_hat = 1 / q + psi_p * a2 * delta * (eps / first + (1 - eps) / second) - psi_p * zeta * delta
        h_hat = psi_p * a2 * e / first - psi_p * zeta * e
        return [
            (1 - psi_p) / q - r / q**2 + psi_p * ((v2 + eps * s2) / first + (1 - eps) * s2 / second) - psi_p * z,
            r - sum(weight / (r_hat + value * h_hat) for value, weight in atoms),
            h - sum(weight * value / (r_hat + value * h_hat) for value, weight in atoms),
        ]

    q, r, h = mp.findroot(left, [mp.mpmathify(complex(value)) for value in start])
    first, second = rates(q, r, h)
    theta = eps / first + (1 - eps) / second
    return 1 - theta + a2 * psi_p * delta * r * theta**2


@pytest.mark.parametrize("m", [2, math.inf])
def test_at_equal_points_the_two_point_functions_are_derivatives(m):
    """T4(z, z) = ∂_ζT1 and (1/d) Tr VᵀRRV = ∂_zT1, and P is their sum."""
    limit = limit_of(4, 16, m=m, data="atoms:0.5@0.5,0.5@1.5")
    z = np.array([-0.5, -0.02, 1 + 1j])
    x = solve(limit, z).state
    found, slopes = overlap(limit, x, x), slope(limit, x, x)
    with mp.workdps(30):
        step = mp.mpf("1e-10")
        for i, at in enumerate(z):
            start = (x.q[i], x.r[i], x.h[i])
            by_zeta, by_z = (
                (sourced(limit, da * step, at + db * step, start) - sourced(limit, -da * step, at - db * step, start))
                / (2 * step)
                for da, db in ((1, 0), (0, 1))
            )
            assert complex(slopes[i]) == pytest.approx(complex(by_z), rel=1e-10)
            t4 = (complex(found[i]) - (limit.v2 + limit.s2) * complex(slopes[i])) / limit.gain
            assert t4 == pytest.approx(complex(by_zeta), rel=1e-10)
