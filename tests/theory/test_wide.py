from __future__ import annotations

import math

import numpy as np
import pytest

from rfsim.limit.minimizer import ridge_losses, score_errors
from rfsim.limit.wide import wide_losses
from tests.theory.cases import limit_of

CASES = [
    (8, 0.1, 4, "isotropic"),
    (8, 0.1, math.inf, "isotropic:2"),
    (2, 1.0, 1, "atoms:0.5@0.5,0.5@1.5"),
    (2, 1.0, math.inf, "atoms:0.5@0.5,0.5@1.5"),
    (0.5, 0.01, 2, "subspace:0.25"),
]


def gaps(limit, scaled, features):
    wide = wide_losses(limit, scaled)
    finite = ridge_losses(limit._replace(features_per_dim=features), scaled * features if scaled else 1e-3)
    return np.array([b - a for a, b in zip(wide[:5], finite[:5], strict=True)])[:, 0]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("scaled", [0.0, 1e-3, 0.5])
def test_finite_widths_approach_it_as_their_inverse(case, scaled):
    psi_n, t, m, data = case
    limit = limit_of(psi_n, 1.0, t, m, data)
    first, second = gaps(limit, scaled, 1e5), gaps(limit, scaled, 1e7)
    assert np.abs(second).max() < 1e-4  # the largest coefficient of 1/ψ_p is 570
    # the true train loss at finite m and fixed ridge vanishes as 1/ψ_p²: below rounding here
    visible = np.abs(second) > 1e-7
    np.testing.assert_allclose(first[visible] / second[visible], 100, rtol=0.1)


def test_the_published_plateaus():
    """equations.md §9.5: ψ_n = 8, t = 0.1, any fixed ridge, m = 1, 4, 16."""
    found = [wide_losses(limit_of(8, 1, m=m)) for m in (1, 4, 16)]
    assert [f"{one.test[0]:.3f}" for one in found[:2]] == ["0.933", "1.385"]
    assert f"{found[2].test[0]:.2f}" == "2.85"
    for one in found:
        assert one.train[0] == one.train_penalized[0] == 0
        assert one.residual[0] < 1e-14


def test_exact_averages_learn_the_noise_of_their_points():
    """m = ∞, fixed ridge: the score is −x/Δ, whose loss on fresh points is Γ²/Δ − 1 = e^{−2t}/Δ."""
    limit = limit_of(8, 1)
    found = wide_losses(limit)
    assert found.cross[0] == pytest.approx(1, abs=1e-15)
    assert found.test[0] == pytest.approx(limit.signal / limit.noise, rel=1e-14)
    assert found.emp[0] == pytest.approx(0, abs=1e-15)


def test_fixed_ridges_are_small_ones_over_many_features():
    for m in (2, math.inf):
        limit = limit_of(4, 1, m=m)
        np.testing.assert_allclose(np.stack(wide_losses(limit, 1e-12)), np.stack(wide_losses(limit)), atol=1e-6)


def test_the_penalty_is_the_slope_of_the_objective():
    limit, g = limit_of(4, 1, m=3, data="atoms:0.5@0.5,0.5@1.5"), 0.05
    at = wide_losses(limit, g * (1 + 1e-3 * np.array([-2, -1, 0, 1, 2])))
    values = at.train_penalized
    slope = (values[0] - 8 * values[1] + 8 * values[3] - values[4]) / 12e-3
    assert slope == pytest.approx(at.train_penalized[2] - at.train[2], rel=1e-9)


def test_a_large_ridge_leaves_the_zero_score():
    limit = limit_of(4, 1, m=3)
    found = wide_losses(limit, 1e9)
    np.testing.assert_allclose(np.stack(found)[:5, 0], [1, 1, 1, 1, 0], atol=1e-8)
    np.testing.assert_allclose(np.stack(score_errors(limit, found))[:, 0], [1, 1, 0], atol=1e-7)


def test_without_a_linear_part_nothing_is_learned():
    limit = limit_of(4, 1)._replace(gain=0.0)
    for ridge in (0.0, 0.1):
        np.testing.assert_allclose(np.stack(wide_losses(limit, ridge))[:, 0], [1, 1, 1, 1, 0, 0], atol=1e-15)


def test_what_has_no_limit_is_refused():
    for ridge in (-1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="over features_per_dim must be finite and not negative; got"):
            wide_losses(limit_of(4, 1), [0.1, ridge])
    linear = limit_of(4, 1)._replace(v2=0.0, s2=0.0)
    with pytest.raises(ValueError, match="linear activation has no limit of many features at a fixed ridge"):
        wide_losses(linear, [0.0, 1.0])
    assert wide_losses(linear, 1.0).test[0] < 1


@pytest.mark.parametrize("m", [1, math.inf])
def test_a_linear_activation_keeps_its_digits_at_the_smallest_ridges(m):
    """Its levels end as many decades below where Newton's method begins, and it has a limit at g → 0."""
    linear = limit_of(4, 1, m=m)._replace(v2=0.0, s2=0.0)
    found = wide_losses(linear, [1e-300, 1e-100, 1e-20, 1e-12])
    for name, values in found._asdict().items():
        expected = np.zeros(4) if name == "residual" else values[-1]
        np.testing.assert_allclose(values, expected, atol=1e-10, err_msg=name)
