from __future__ import annotations

import math

import numpy as np
import pytest

from rfsim.limit import optimal
from rfsim.limit.minimizer import RidgeLosses, ridge_losses
from rfsim.limit.optimal import best_ridge
from tests.theory.cases import limit_of


@pytest.mark.parametrize(
    ("psi_n", "psi_p", "t", "m", "data"),
    [
        (4, 16, 0.1, math.inf, "isotropic"),
        (8, 32, 0.1, 4, "isotropic"),
        (8, 64, 1.0, 4, "atoms:0.5@0.5,0.5@1.5"),
        (0.5, 0.3, 1.0, 1, "isotropic"),
        (0.4, 39.0, 1e-3, 1, "isotropic"),  # beyond 100 times the largest eigenvalue
    ],
)
def test_no_ridge_is_better_and_the_slope_there_is_zero(psi_n, psi_p, t, m, data):
    limit = limit_of(psi_n, psi_p, t, m, data)
    found = best_ridge(limit)
    grid = np.geomspace(1e-8, 1e8, 1000)
    assert found.test <= ridge_losses(limit, grid).test.min() + 1e-12
    near = ridge_losses(limit, found.ridge * np.exp([-0.01, 0, 0.01])).test
    assert near[1] == found.test
    curvature = near[0] + near[2] - 2 * near[1]
    assert abs(near[2] - near[0]) < 0.02 * curvature  # the minimum lies within 1e-4 of it, relative


def test_without_a_linear_part_the_zero_score_is_best():
    for m in (2, math.inf):
        assert best_ridge(limit_of(4, 16, m=m)._replace(gain=0.0)) == (math.inf, 1.0)


def test_where_a_ridge_only_harms_none_is_best():
    """A nearly linear σ and many samples: nothing overfits."""
    limit = limit_of(1e4, 0.5)._replace(v2=1e-9, s2=1e-9)
    found = best_ridge(limit)
    assert found == (0.0, ridge_losses(limit, 0.0).test[0])


def test_the_lowest_of_several_minima_is_found(monkeypatch):
    def two_wells(limit, ridges):
        x = np.log(np.asarray(ridges) + 1e-300)
        test = 1 - 0.3 * np.exp(-(x**2)) - 0.3001 * np.exp(-((x - 5.05) ** 2))
        return RidgeLosses(*[test] * 6)

    monkeypatch.setattr(optimal, "ridge_losses", two_wells)
    assert best_ridge(limit_of(4, 16)).ridge == pytest.approx(math.exp(5.05), rel=1e-3)


def test_ridges_that_do_not_converge_are_left_out(monkeypatch):
    def some(limit, ridges):
        found = ridge_losses(limit, ridges)
        return found._replace(test=np.where(np.asarray(ridges) < 1e-2, np.nan, found.test))

    limit = limit_of(4, 16)
    whole = best_ridge(limit)
    monkeypatch.setattr(optimal, "ridge_losses", some)
    assert best_ridge(limit).ridge == pytest.approx(whole.ridge, rel=1e-4)
