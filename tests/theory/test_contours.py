from __future__ import annotations

import math

import numpy as np
import pytest

from rfsim.learning import descent, filters
from rfsim.learning.curves import loss_curves
from rfsim.learning.trainers import DescentFilter
from rfsim.limit import tables
from rfsim.limit.contours import Contour, ellipse, rings
from rfsim.limit.dynamics import limit_curves
from rfsim.limit.intervals import support
from rfsim.limit.minimizer import ridge_losses
from rfsim.limit.solver import solve
from tests.theory.cases import limit_of


@pytest.mark.parametrize("reach", [2.0001, 2.2, 100.0, math.inf])
def test_contours_stay_where_filters_are_bounded(reach):
    u = ellipse(256, (-0.09, 1.9), 0.1, reach).points + 0.1
    if math.isinf(reach):
        assert np.all(u.real > 0)
    else:
        assert np.all(np.abs(1 - 2 * u / reach) < 1)


@pytest.mark.parametrize("share", [0.5, 1.9, 1.9999])
def test_cauchys_formula_for_the_filters_of_late_steps(share):
    """Contour sums of g(z)/(λ − z) are g(λ) for eigenvalues up to the edge, at even, odd and very many steps."""
    lam = np.array([0.01, 0.3, 1.0, 17.0, 19.999, 20.0])
    for steps in (0, 1, 1000, 10**4 + 1, 10**12):
        contour = ellipse(1024, (0.01, 20.0), 0.0, 2 / (share / 20))
        g = descent.descent(steps, share / 20)
        sums = 2 * ((contour.weights * g(contour.points)) @ (1 / (lam - contour.points[:, None]))).real
        np.testing.assert_allclose(sums, g(lam), rtol=1e-8)


def test_at_infinite_reach_the_contour_is_that_of_the_flow():
    far, infinite = ellipse(64, (0.01, 20.0), 0.1, 1e15), ellipse(64, (0.01, 20.0), 0.1)
    np.testing.assert_allclose(far.points, infinite.points, rtol=1e-12)
    np.testing.assert_allclose(far.weights, infinite.weights, rtol=1e-12)


def circle(limit, upper, nodes=1024):
    """A circle around [0, λ_max] with a tenth of room: for polynomials of few steps it needs no bound on them."""
    angles = (np.arange(nodes // 2) + 0.5) * 2 * np.pi / nodes
    out = 0.55 * upper * np.exp(1j * angles)
    found = Contour(0.5 * upper + out, -out / nodes)
    return tables.tables(limit, *found, solve(limit, found.points).state)


SHARES = (0.5, 1.5, 1.9, 1.99, 1.9999, 1.999999)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("m", "data", "ridge", "shares"),
    [
        (math.inf, "isotropic", 0.0, (0.5, 1.9999)),
        pytest.param(math.inf, "isotropic", 0.0, SHARES, marks=pytest.mark.slow),
        pytest.param(3, "isotropic", 0.0, SHARES, marks=pytest.mark.slow),
        pytest.param(2, "atoms:0.5@0.5,0.5@1.5", 0.05, SHARES, marks=pytest.mark.slow),
        pytest.param(math.inf, "atoms:0.5@0.5,0.5@1.5", 0.05, SHARES, marks=pytest.mark.slow),
    ],
)
def test_descent_up_to_its_largest_step(m, data, ridge, shares):
    """Few steps against another contour, many against the flow's end, at c(λ_max + γ) from 0.5 to 2 − 1e-6."""
    limit = limit_of(4, 16, m=m, data=data)
    upper = support(limit)[-1].upper
    kappa = filters.learning_rate_constant(limit.noise, 16.0)
    reference = circle(limit, upper)
    end = np.stack(limit_curves(limit, [np.inf], ridge).curves)[:, 0]
    for share in shares:
        step = share / (kappa * (upper + ridge))
        few = step * np.array([0, 1, 2, 7, 60])
        found = limit_curves(limit, [*few, 1e3, 1e15, np.inf], ridge, trainer=f"descent:{step!r}")
        assert np.all(found.error <= 1e-8)
        curves = np.stack(found.curves)
        expected = np.stack(loss_curves(*reference, few, DescentFilter(kappa, ridge, step)))
        np.testing.assert_allclose(curves[:, :5], expected, atol=1e-10)
        np.testing.assert_allclose(curves[:, 6:], np.stack([end, end], 1), atol=1e-8)
    if ridge:
        losses = ridge_losses(limit, ridge)
        np.testing.assert_allclose(end, [losses.train[0], losses.test[0], losses.cross[0], end[3]], atol=1e-8)


RINGED = ([1, 2], [0.1, 10]), ([1, 2], [0.9, 2.1]), ([1, 2], [0.99999, np.inf]), ([1e-9, 2e-9], [0, 1])


@pytest.mark.parametrize(("piece", "ends"), RINGED, ids=str)
@pytest.mark.parametrize("bounded", [False, True])
def test_rings_tell_what_is_inside_of_them_with_few_nodes(piece, ends, bounded):
    z, weights = (one[0] for one in rings([piece], [ends], 12, bounded=bounded))
    lam, outside = np.linspace(*piece, 7), ends[0] - 0.01 * (piece[0] - ends[0])
    assert z.size <= (80 if bounded else 40)
    assert np.all(np.diff(z.real) > 0)
    assert ends[0] < z[0].real < piece[0]
    assert piece[1] < z[-1].real < ends[1]
    for g in [lambda u: 1 / (u - outside)] + [lambda u: np.exp(-u / piece[0])] * bounded:
        sums = 2 * np.real((weights * g(z)) @ (1 / (lam - z[:, None])))
        np.testing.assert_allclose(sums, g(lam), rtol=1e-10)
    np.testing.assert_allclose(2 * np.real(weights @ (1 / (np.array([outside]) - z[:, None]))), 0, atol=1e-9 / piece[0])


def test_rings_share_their_count_of_nodes_and_close_ones_have_more():
    found = rings([[1, 2], [3, 4]], [[0.99, 3], [2, np.inf]], 12)
    assert found.points.shape == found.weights.shape == (2, 24)
    assert rings([[1, 2]], [[1 - 1e-8, np.inf]], 12).points.shape == (1, 64)
