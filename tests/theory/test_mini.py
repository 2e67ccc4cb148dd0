from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from rfsim import Problem
from rfsim.learning.timescales import smallest_bulk_eigenvalue
from rfsim.limit import bulks, mini
from rfsim.theory import masses, quantile
from rfsim.theory.diagram import diagram
from rfsim.theory.mini import mini_gap
from tests.theory.cases import limit_of


def median(limit):
    rank = masses(limit)
    return float(quantile(limit, [rank["null"] + rank["mini"] / 2])[0])


@pytest.mark.parametrize("t", [0.01, 0.1, 0.3])
@pytest.mark.slow
def test_the_large_form_is_approached_as_one_over_psi(t):
    """At ψ_p = 16 ψ_n: the median over its large form, 1 + O(1/ψ_n)."""
    limits = [limit_of(n, 16 * n, t) for n in (8, 32, 128)]
    errors = [median(limit) / mini.large_eigenvalue(limit)[0] - 1 for limit in limits]
    assert abs(errors[2]) < 2e-3
    for before, after in itertools.pairwise(errors):
        assert before / after == pytest.approx(4, rel=0.2)


def test_a_spiked_covariance_has_this_outlier_and_this_threshold():
    """Eigenvalues of Ω D Ωᵀ/n, D = 1 but for 4 entries ℓ: sampled."""
    n, ratio, share = 400, 6.0, 0.3
    rng = np.random.default_rng(0)
    omega = rng.standard_normal((n, round(n * ratio))) * np.sqrt(np.where(np.arange(n) < 4, share, 1.0))[:, None]
    lam = np.linalg.eigvalsh(omega @ omega.T / n)
    delta = -math.expm1(-0.2)
    # the variance whose noise share is 0.3 at t = 0.1
    variance = delta * (1 - share) / share / math.exp(-0.2)
    limit = limit_of(400, 2400, data=f"isotropic:{variance}")._replace(s2=0.0, v2=1.0)
    assert mini.noise_shares(limit)[0] == pytest.approx(share)
    assert mini.opening_ratio(limit)[0] == pytest.approx(1 / 0.7**2)
    np.testing.assert_allclose(lam[:4], mini.large_eigenvalue(limit)[0], rtol=0.06)
    assert lam[4] == pytest.approx((math.sqrt(ratio) - 1) ** 2, rel=0.05)


def test_the_form_is_continuous_at_the_opening_and_ends_at_p_equal_to_n():
    limit = limit_of(8, 16)
    at = mini.opening_ratio(limit)[0]
    assert at == pytest.approx(math.exp(0.4))
    two = limit._replace(features_per_dim=8 * at * np.array([1 - 1e-9, 1 + 1e-9]))
    assert np.ptp(mini.large_eigenvalue(two)) < 1e-8
    below = limit._replace(features_per_dim=10.0)
    assert mini.large_eigenvalue(below)[0] == pytest.approx(smallest_bulk_eigenvalue(limit, 8, 10))
    assert np.isnan(mini.large_eigenvalue(limit._replace(features_per_dim=8.0))).all()


def test_the_opening_is_a_border():
    limit = limit_of(8, 16)
    at = mini.opening(limit)
    assert at is not None
    for factor, open_there in ((0.998, False), (1.002, True)):
        names = [part.name for part in bulks.parts(limit._replace(features_per_dim=factor * at))]
        assert ("mini" in names) == open_there


def test_where_no_gap_opens():
    assert mini.opening(limit_of(0.5, 16)) is None
    assert mini.opening(limit_of(1.05, 16, 0.3)) is None


@pytest.mark.slow
@pytest.mark.parametrize("t", [0.01, 0.1, 0.3, 1.0])
def test_above_the_opening_the_gap_stays_open_and_the_opening_approaches_its_form(t):
    excess = []
    for psi_n in (16, 64, 256, 1024):
        limit = limit_of(psi_n, psi_n, t)
        at = mini.opening(limit)
        assert at is not None
        for factor in np.geomspace(1.01, 20, 8):
            assert mini.separate(limit._replace(features_per_dim=at * factor))
            assert not mini.separate(limit._replace(features_per_dim=max(at / factor, psi_n)))
        excess.append(at / (psi_n * mini.opening_ratio(limit)[0]) - 1)
    assert all(after < 0.75 * before for before, after in itertools.pairwise(excess))


def test_the_gap_is_a_labelled_result():
    found = mini_gap(Problem(), samples_per_dim=[0.5, 8], diffusion_times=[0.01, 0.1])
    assert found.opening.dims == ("diffusion_time", "samples_per_dim")
    assert np.isnan(found.opening[:, 0]).all()
    assert found.opening.values[:, 1] == pytest.approx([9.459, 22.67], rel=1e-3)
    np.testing.assert_allclose(found.opening_large[:, 1], 8 * np.exp([0.04, 0.4]))
    with pytest.raises(ValueError, match="diffusion_time must be positive and finite; got 0"):
        mini_gap(Problem(), samples_per_dim=[8], diffusion_times=[0])
    with pytest.raises(ValueError, match="tolerance must lie between 0 and 1; got 2"):
        mini_gap(Problem(), samples_per_dim=[8], diffusion_times=[0.1], tolerance=2)


@pytest.mark.slow
def test_a_diagram_has_both_times():
    found = diagram(Problem(), samples_per_dim=[8], features_per_dim=[4, 64], train_times=[1e3])
    assert np.isnan(found.tau_mini[0, 0])
    expected = 64 / (-math.expm1(-0.2) * mini.large_eigenvalue(limit_of(8, 64))[0])
    assert float(found.tau_mini[0, 1]) == pytest.approx(expected)
