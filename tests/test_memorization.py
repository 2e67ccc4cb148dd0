from __future__ import annotations

import math
import subprocess
import sys

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist
from scipy.stats import binomtest, wasserstein_distance

from rfsim.checking.notes import Note, recorded
from rfsim.computing.jackknife import jackknife
from rfsim.distillation import nearest
from rfsim.distillation.distances import frechet_per_dim, fresh, sliced_wasserstein, truth
from rfsim.distillation.memorization import (
    Fraction,
    Membership,
    auc,
    membership,
    memorized,
    memorized_fraction,
    quality,
    true_positive_rate,
)
from rfsim.distillation.nearest import nearest_two
from rfsim.problem.laws import Law


def brute(samples, points):
    return np.sort(cdist(samples, points), axis=1)[:, :2].T


@pytest.mark.parametrize(("rows", "n", "dim"), [(60, 300, 3), (1500, 600, 40)])
def test_the_two_nearest_are_those_of_all_distances(rows, n, dim):
    rng = np.random.default_rng(rows)
    samples, points = rng.standard_normal((rows, dim)), rng.standard_normal((n, dim))
    np.testing.assert_allclose(nearest_two(samples, points), brute(samples, points), rtol=1e-14)


@pytest.mark.parametrize("offset", [1e6, -1e12])
def test_distances_far_from_the_origin_keep_their_digits(offset):
    rng = np.random.default_rng(1)
    samples, points = rng.standard_normal((60, 3)) + offset, rng.standard_normal((300, 3)) + offset
    np.testing.assert_allclose(nearest_two(samples, points), brute(samples, points), rtol=1e-14)


def test_what_products_cannot_tell_apart_is_told_by_differences():
    """Two clusters far apart: centering helps neither, and squares of 1e16 hide distances of 1 altogether."""
    rng = np.random.default_rng(2)
    far = np.where(rng.random((300, 1)) < 0.5, 1e8, -1e8)
    points = rng.standard_normal((300, 3)) + far
    samples = points[rng.integers(300, size=60)] + 0.1 * rng.standard_normal((60, 3))
    first, second = nearest_two(samples, points)
    x, y = samples - points.mean(axis=0), points - points.mean(axis=0)
    products = np.sort((x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T, axis=1)
    assert abs(products[:, 0] - first**2).max() > 0.5
    np.testing.assert_allclose([first, second], brute(samples, points), rtol=1e-14)


def test_one_point_far_away_and_squares_that_overflow_exclude_nothing_wrongly():
    rng = np.random.default_rng(3)
    points = np.concatenate([rng.standard_normal((299, 3)), [[1e9, 0, 0]]])
    samples = rng.standard_normal((60, 3))
    np.testing.assert_allclose(nearest_two(samples, points), brute(samples, points), rtol=1e-14)
    samples[0] = 1.5e308
    np.testing.assert_array_equal(np.transpose(nearest_two(samples, points))[0], [np.inf, np.inf])
    np.testing.assert_allclose(np.transpose(nearest_two(samples, points))[1:], brute(samples[1:], points).T, rtol=1e-14)
    assert not memorized(samples, points)[0]


def test_duplicates_and_samples_on_a_point():
    points = np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 4.0], [9.0, 0.0]])
    samples = np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 4.1]])
    first, second = nearest_two(samples, points)
    np.testing.assert_allclose(first, [0.0, 0.0, 0.1], rtol=1e-13)
    np.testing.assert_allclose(second, [5.0, 0.0, 0.1], rtol=1e-13)
    # copies are one point
    with pytest.warns(Note, match="1 of 4 training points are copies of others"):
        assert memorized(samples, points).tolist() == [True, True, True]


@pytest.mark.parametrize("times", [1, 2, 5])
def test_points_that_are_listed_several_times_are_memorized_all_the_same(times):
    rng = np.random.default_rng(4)
    points, order = rng.standard_normal((20, 3)), rng.permutation(20 * times)
    samples = np.concatenate([points + 1e-3 * rng.standard_normal(points.shape), rng.standard_normal((30, 3))])
    with recorded() as notes:
        found = memorized(samples, np.repeat(points, times, axis=0)[order])
    np.testing.assert_array_equal(found, memorized(samples, points))
    assert found[:20].all()
    assert not found[20:].all()
    assert len(notes) == (times > 1)


def test_copies_of_one_point_have_no_second_nearest():
    with pytest.raises(ValueError, match="need 2 different training points; got 3 copies of one"):
        memorized(np.zeros((2, 2)), np.ones((3, 2)))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**31), st.floats(-6, 6))
def test_blocks_and_chunks_of_any_size_give_the_same_distances(seed, log_scale):
    rng = np.random.default_rng(seed)
    # whole numbers: ties everywhere
    points, samples = rng.integers(-3, 4, (2, 29, 2)) * 10.0**log_scale
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("ROWS", 10), ("BLOCK", 4), ("PAIRS", 100)):
            patch.setattr(nearest, name, value)
        np.testing.assert_allclose(nearest_two(samples, points), brute(samples, points), rtol=1e-14)


@pytest.mark.slow
def test_many_samples_beside_many_points_fit_in_2_gib():
    """Peak memory of a process of its own, imports included, where all distances would take 12.8 GB.

    ru_maxrss would count the parent's.
    """
    code = """
import numpy as np, jax, time
from pathlib import Path
from rfsim.distillation.nearest import nearest_two
rng = np.random.default_rng(0)
samples, points = rng.standard_normal((2, 40_000, 10))
start = time.perf_counter()
with jax.enable_x64(True):
    first, second = nearest_two(samples, points)
seconds = time.perf_counter() - start
some = slice(0, 40_000, 4_000)
exact = np.sort(((samples[some, None, :] - points) ** 2).sum(axis=2), axis=1)[:, :2]
assert np.allclose(np.transpose([first[some], second[some]]) ** 2, exact, rtol=1e-13)
status = Path("/proc/self/status").read_text()
print(status.partition("VmHWM:")[2].split()[0], seconds)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    peak, seconds = map(float, done.stdout.split())
    print(f"peak {peak / 2**20:.2f} GiB, {seconds:.1f} s")
    assert peak < 2 * 2**20


def test_a_sampler_that_returns_training_points_is_memorized():
    rng = np.random.default_rng(4)
    points = rng.standard_normal((20, 10))
    samples = points[rng.integers(20, size=500)]
    for noisy in (samples, samples + 1e-3 * rng.standard_normal(samples.shape)):
        found = memorized_fraction(noisy, points)
        assert found.value == found.high == 1
        assert found.low == pytest.approx(1 - 3.689 / 500, abs=1e-4)


def test_fresh_samples_are_memorized_at_their_null_level():
    law = Law(np.zeros((1, 2)), np.ones(2))
    points = np.random.default_rng(5).standard_normal((20, 2))
    found = memorized_fraction(fresh(law, 3000, seed=1), points)
    first, second = brute(np.random.default_rng(6).standard_normal((30000, 2)), points)
    level = (3 * first < second).mean()
    assert 0.05 < level < 0.3
    assert abs(found.value - level) < 4 * math.sqrt(level * (1 - level) * (1 / 3000 + 1 / 30000))
    assert found.low < level < found.high


def shares(hits: int, rows: int) -> Fraction:
    """The fraction for that many hits: on one of two points, or just between them."""
    samples = np.full((rows, 1), 0.5)
    samples[:hits] = 0.0
    return memorized_fraction(samples, np.array([[0.0], [1.0]]))


def test_the_interval_is_the_bootstraps():
    found = shares(30, 400)
    rng = np.random.default_rng(7)
    hits = np.arange(400) < 30
    resampled = hits[rng.integers(400, size=(4000, 400))].mean(axis=1)
    assert found.value == 30 / 400
    np.testing.assert_allclose(found[1:], np.quantile(resampled, [0.025, 0.975]), atol=1.01 / 400)


def test_no_hit_and_only_hits_have_clopper_pearsons_interval():
    for hits in (0, 400):
        exact = binomtest(hits, 400).proportion_ci(0.95, "exact")
        assert shares(hits, 400) == pytest.approx((hits / 400, exact.low, exact.high))


def with_moments(mean, covariance, rows: int = 40):
    """Samples whose mean and covariance are exactly those."""
    x = np.random.default_rng(8).standard_normal((rows, len(mean)))
    x -= x.mean(axis=0)
    white = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T, ddof=1).reshape(len(mean), -1))).T
    lam, basis = np.linalg.eigh(covariance)
    return mean + white @ (np.sqrt(np.maximum(lam, 0))[:, None] * basis.T)


@pytest.mark.parametrize(
    ("one", "other", "tolerance"),
    [
        ([0.7, 0.5, 1.0, 3.0], [2.0, 0.2, 1.0, 0.1], 1e-12),
        # a matrix with the eigenvalue 0 holds it to rounding, 1e-17, whose root is 3e-9
        ([0.0, 0.5, 1.0, 3.0], [2.0, 0.0, 1.0, 0.1], 1e-8),
    ],
)
def test_frechet_of_commuting_covariances_is_its_closed_form(one, other, tolerance):
    basis = np.linalg.qr(np.random.default_rng(9).standard_normal((4, 4)))[0]
    mean, shift = np.arange(4.0), np.array([1.0, -2.0, 0.0, 0.5])
    samples = with_moments(mean + shift, basis * one @ basis.T)
    found = frechet_per_dim(samples, mean, basis * other @ basis.T)
    exact = (shift @ shift + ((np.sqrt(one) - np.sqrt(other)) ** 2).sum()) / 4
    assert found == pytest.approx(exact, rel=tolerance)


def test_frechet_of_any_covariances_is_the_textbook_formula():
    factors = np.random.default_rng(10).standard_normal((2, 3, 3))
    one, other = factors @ factors.transpose(0, 2, 1)
    root = sqrtm(other)
    exact = np.trace(one + other - 2 * sqrtm(root @ one @ root)) / 3
    assert frechet_per_dim(with_moments(np.zeros(3), one), np.zeros(3), other) == pytest.approx(exact, rel=1e-10)


def test_frechet_is_zero_for_equal_moments_even_singular_ones():
    direction = np.array([[1.0, 2.0, -1.0]])
    for covariance in (np.diag([1.0, 2.0, 3.0]), direction.T @ direction, np.zeros((3, 3))):
        samples = with_moments(np.ones(3), covariance)
        assert 0 <= frechet_per_dim(samples, samples.mean(axis=0), np.cov(samples.T)) < 1e-13
    # fewer samples than dimensions
    few = np.random.default_rng(11).standard_normal((3, 6))
    assert frechet_per_dim(few, few.mean(axis=0), np.cov(few.T)) < 1e-13


def test_sliced_wasserstein_of_a_shift_is_its_length_over_root_d():
    rng = np.random.default_rng(12)
    dim, rows, shift = 6, 4000, 3.0
    samples = rng.standard_normal((rows, dim))
    # the same samples moved: each projection moves by u·shift, and nothing but u is random
    moved = samples + shift * np.eye(dim)[0]
    squares = [sliced_wasserstein(samples, moved, seed) ** 2 for seed in range(8)]
    exact, error = shift**2 / dim, shift**2 * math.sqrt(2 * (dim - 1) / (dim + 2)) / dim / math.sqrt(128 * 8)
    assert abs(np.mean(squares) - exact) < 4 * error
    # fresh samples of the moved law, half as many: the samples' own noise comes on top
    other = rng.standard_normal((rows // 2, dim)) + shift * np.eye(dim)[0]
    floor = sliced_wasserstein(samples, rng.standard_normal((rows // 2, dim)))
    along = sliced_wasserstein(samples, moved)
    assert abs(sliced_wasserstein(samples, other) - along) < 4 * floor
    assert floor < 0.05


def test_sliced_wasserstein_of_one_dimension_integrates_quantiles():
    rng = np.random.default_rng(13)
    samples, others = rng.standard_normal((12, 1)), 1 + 2 * rng.standard_normal((30, 1))
    # 60 copies of each: quantiles on one grid
    same = np.sort(np.repeat(samples, 5)) - np.sort(np.repeat(others, 2))
    assert sliced_wasserstein(samples, others) == pytest.approx(math.sqrt((same**2).mean()), rel=1e-12)
    assert sliced_wasserstein(samples, others) >= wasserstein_distance(samples[:, 0], others[:, 0])
    assert sliced_wasserstein(samples, samples[rng.permutation(12)]) == 0


def test_auc_is_the_share_of_pairs_with_ties_as_halves():
    rng = np.random.default_rng(14)
    training, other = rng.integers(0, 6, 35), rng.integers(1, 8, 50)
    pairs = training[:, None] < other
    ties = training[:, None] == other
    assert auc(training, other) == pytest.approx(pairs.mean() + ties.mean() / 2, rel=1e-14)
    assert auc([0.0, 0.1], [0.2, 0.3, 0.4]) == 1
    assert auc(np.ones(3), np.ones(4)) == 0.5
    assert math.isnan(auc([math.nan, 1.0], [1.0]))


def test_the_jackknife_of_a_mean_is_near_its_standard_error():
    samples = np.random.default_rng(15).standard_normal((4000, 3))
    every = jackknife(lambda rows: rows.mean(axis=0), samples, groups=len(samples) // 10)
    np.testing.assert_allclose(every, samples.std(axis=0) / math.sqrt(4000), rtol=4 / math.sqrt(2 * 400))
    # with every row its own group it is the textbook's, exactly
    few = samples[:50]
    exact = few.std(axis=0, ddof=1) / math.sqrt(50)
    np.testing.assert_allclose(jackknife(lambda rows: rows.mean(axis=0), few, groups=50), exact, rtol=1e-12)
    assert float(jackknife(lambda rows: rows.sum() / len(rows), few)) > 0


def test_the_truth_has_the_moments_of_its_samples():
    law = Law(np.array([[2.0, 0.0, 1.0], [-1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]), np.array([0.5, 1.0, 0.1]))
    rows = 20000
    found = truth(law, rows, seed=3)
    error = np.sqrt(np.diag(found.covariance) / rows)
    assert np.all(abs(found.samples.mean(axis=0) - found.mean) < 4 * error)
    centered = found.samples - found.mean
    products = centered[:, :, None] * centered[:, None, :]
    assert np.all(abs(products.mean(axis=0) - found.covariance) < 4 * products.std(axis=0) / math.sqrt(rows))
    np.testing.assert_array_equal(truth(law, 10, seed=3).samples, found.samples[:10])
    assert not np.array_equal(fresh(law, 10, seed=3), found.samples[:10])


def test_a_ratio_of_distances_in_the_place_of_a_third():
    points = np.array([[0.0, 0.0], [1.0, 0.0]])
    samples = np.array([[x, 0.0] for x in (0.05, 0.2, 0.3, 0.4, 0.45)])  # ratios .053, .25, .43, .67, .82
    for ratio, count in ((0.1, 1), (1 / 3, 2), (0.5, 3), (0.7, 4), (0.9, 5)):
        assert memorized(samples, points, ratio).sum() == count
        assert memorized_fraction(samples, points, ratio).value == count / 5


def test_the_true_positive_rate_is_that_of_the_threshold_with_so_few_false_ones():
    rng = np.random.default_rng(5)
    training, other = rng.standard_normal(130) - 1, rng.standard_normal(512)
    for wanted in (0.0, 0.01, 0.1, 0.5):
        rates = [((training < at).mean(), (other < at).mean()) for at in np.sort(other)]
        best = max(true for true, false in rates if false <= wanted + 1e-12)
        assert true_positive_rate(training, other, wanted) == best
    found = membership(training, other)
    assert found == Membership(
        auc(training, other), true_positive_rate(training, other, 0.01), true_positive_rate(training, other, 0.1)
    )
    # what the losses do not tell: as many of either
    same = [membership(*rng.standard_normal((2, 400))) for _ in range(50)]
    assert np.mean([one.membership_tpr_10 for one in same]) == pytest.approx(0.1, abs=0.02)
    assert np.mean([one.membership_tpr_1 for one in same]) == pytest.approx(0.01, abs=0.004)
    with pytest.raises(ValueError, match="two sets of losses; got 3 and 0"):
        true_positive_rate(np.ones(3), [], 0.1)


def test_quality_gathers_the_measures():
    law = Law(np.zeros((1, 3)), np.ones(3))
    known, points = truth(law, 200, seed=0), np.random.default_rng(16).standard_normal((300, 3))
    samples = fresh(law, 60, seed=0)
    found = quality(samples, points, known, Membership(0.7, 0.2, 0.4))
    assert found[:3] == memorized_fraction(samples, points)
    assert found.frechet_per_dim == frechet_per_dim(samples, np.zeros(3), np.eye(3))
    assert found.sliced_wasserstein == sliced_wasserstein(samples, known.samples)
    assert found[5:] == (0.7, 0.2, 0.4)
    near = quality(samples, points, known, ratio=0.9)
    assert near[:3] == memorized_fraction(samples, points, 0.9)
    assert near.memorized_fraction > found.memorized_fraction
    assert math.isnan(quality(samples, points, known).membership_auc)


def test_what_cannot_be_measured_is_refused():
    x = np.zeros((4, 2))
    with pytest.raises(ValueError, match="at least 2 training points; got 1"):
        nearest_two(x, x[:1])
    with pytest.raises(ValueError, match="share their dimension; got 2 and 3"):
        nearest_two(x, np.zeros((4, 3)))
    with pytest.raises(ValueError, match="samples hold 2 NaN or infinite values"):
        memorized_fraction(np.array([[math.nan, math.inf]]), x)
    with pytest.raises(ValueError, match=r"samples must have the shape \(rows, dim\), one row or more; got \(0, 2\)"):
        sliced_wasserstein(x[:0], x)
    with pytest.raises(ValueError, match="covariance needs at least 2 samples; got 1"):
        frechet_per_dim(x[:1], np.zeros(2), np.eye(2))
    with pytest.raises(ValueError, match="no negative eigenvalue; got -1 beside 2"):
        frechet_per_dim(x, np.zeros(2), np.diag([2.0, -1.0]))
    with pytest.raises(ValueError, match="rows of the covariance hold 1 NaN or infinite values"):
        frechet_per_dim(x, np.zeros(2), np.diag([2.0, math.nan]))
    with pytest.raises(ValueError, match="two sets of losses; got 0 and 3"):
        auc([], np.ones(3))
    with pytest.raises(ValueError, match="2 groups or more, none of them empty; got 8 for 4 rows"):
        jackknife(np.mean, x)
    with jax.enable_x64(False), pytest.raises(RuntimeError, match="float64"):
        nearest_two(x, x)
