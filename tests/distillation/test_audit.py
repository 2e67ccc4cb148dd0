"""An audit: who is memorized by teacher, baseline and student, a two-sample test, and what is told in advance."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import rfsim
from rfsim.cli import answers, distill_answers
from rfsim.distillation import audit, audit_tables, predictability, two_sample
from rfsim.distillation.audit import Audited, counts, known_before, memorized
from rfsim.distillation.membership import Points
from rfsim.problem import populations
from rfsim.problem.laws import Law

LAW = populations.read("isotropic").law(3)
SMALL = {"dim": 4, "levels": 4, "generated": 60, "leakage_ridges": (0.0,)}


# --- who is memorized ---------------------------------------------------------------------------------------------


def test_a_point_is_memorized_below_the_quantile_of_fresh_points():
    fresh = np.arange(1, 1001) / 1000
    training = np.array([0.0, 0.0059, 0.0061, 0.5])
    losses = np.r_[training, fresh[::-1]]
    np.testing.assert_array_equal(memorized(losses, 4, 0.005), [True, True, False, False])
    np.testing.assert_array_equal(memorized(losses, 4, 0.5), [True, True, True, True])
    # of fresh points as many as are said count as memorized, at most
    assert memorized(np.r_[fresh, fresh], 1000, 0.005).sum() == 5


def test_sets_are_counted_as_they_are_built():
    points = np.arange(24)
    teacher, baseline, student = points < 12, points % 2 == 0, points % 3 == 0
    # T: 0…11; B: even; S: multiples of three. S∩T∩B: 0, 6; S∩T∖B: 3, 9; T∖B: the six odd ones below 12
    np.testing.assert_array_equal(counts(teacher, baseline, student), [12, 12, 8, 2, 2, 6])


def test_shares_of_a_constructed_case():
    """Of four training points two by the teacher, one by the baseline, one by the student."""
    of = Points(np.random.default_rng(0).standard_normal((4 + 1000, 3)), 4)
    fresh = np.linspace(1, 2, 1000)
    low, high = 0.5, 1.5
    found = Audited(
        np.r_[low, low, high, high, fresh],
        np.r_[low, high, high, high, fresh],
        np.stack([np.r_[high, low, high, high, fresh], np.full(1004, np.nan)])[None],
        np.zeros(4),
    )
    rows = audit_tables._counts(found, found.baseline, of.training)
    np.testing.assert_array_equal(rows[0, 0], [2, 1, 1, 0, 1, 1])
    np.testing.assert_array_equal(rows[0, 1], [2, 1, np.nan, np.nan, np.nan, 1])
    known = known_before(found, of)
    assert known.shape == (4, 5)
    np.testing.assert_allclose(known[:, 3], (of.clean[:4] ** 2).mean(1))
    apart = np.linalg.norm(of.clean[:4, None] - of.clean[:4], axis=-1) + np.diag([np.inf] * 4)
    np.testing.assert_allclose(known[:, 4], apart.min(1))


def test_fresh_points_of_an_array_are_its_rows_and_each_once():
    rows = np.random.default_rng(1).standard_normal((30, 3))
    found = audit.points(rows[:5] + 1, Law(rows, np.zeros(3)), 0)
    assert found.training == 5
    np.testing.assert_array_equal(np.sort(found.clean[5:], axis=0), np.sort(rows, axis=0))
    assert len(audit.points(rows, LAW, 0).clean) == 30 + audit.FRESH


# --- in advance ---------------------------------------------------------------------------------------------------


def test_what_is_told_by_a_feature_is_predicted_and_noise_is_not():
    rng = np.random.default_rng(2)
    features = rng.standard_normal((2000, 3))
    chance = 1 / (1 + np.exp(-2 * features[:, 0] + 1))
    who = rng.random(2000) < chance
    found = predictability.predictability(features, who)
    assert abs(found - predictability.auc(-chance[who], -chance[~who])) < 0.01  # as well as with the true chances
    noise = predictability.predictability(features[:, 1:], who)
    assert abs(noise - 0.5) < 4 * math.sqrt(1 / 12 * (1 / who.sum() + 1 / (~who).sum()))
    separable = features[:, 0] > 1
    assert predictability.predictability(features, separable) > 0.999
    constant = np.column_stack([features, np.full(2000, 0.1)])
    assert predictability.predictability(constant, who) == found
    assert math.isnan(predictability.predictability(features, np.arange(2000) < 4))
    assert math.isnan(predictability.predictability(np.ones((2000, 1)), who))


def test_coefficients_are_where_the_loss_has_no_slope():
    rng = np.random.default_rng(3)
    features = rng.standard_normal((200, 2))
    labels = features[:, 0] + rng.standard_normal(200) > 0
    weights = predictability.logistic(features, labels)
    rows = np.column_stack([np.ones(200), features])
    share = 1 / (1 + np.exp(-rows @ weights))
    slope = rows.T @ (share - labels) + np.r_[0, predictability.PENALTY * weights[1:]]
    np.testing.assert_allclose(slope, 0, atol=1e-6)


# --- the two-sample test ------------------------------------------------------------------------------------------


def test_distances_are_direct_double_sums():
    rng = np.random.default_rng(4)
    training, samples = rng.standard_normal((7, 3)), rng.standard_normal((11, 3))
    among = two_sample.sets(training, LAW, 0, count=5)
    assert among is not None
    assert (among.size, among.held_out) == (7, 5)

    def kernel(x, y):
        return math.exp(-((x - y) @ (x - y)) / (2 * among.width**2))

    def direct(x, y):
        own = [np.mean([kernel(a, b) for i, a in enumerate(z) for j, b in enumerate(z) if i != j]) for z in (x, y)]
        return sum(own) - 2 * np.mean([kernel(a, b) for a in x for b in y])

    found = two_sample.two_sample(samples, among)
    each = [direct(samples, one) for one in among.points]
    assert found.training == pytest.approx(each[0], rel=1e-12)
    assert found.held_out == pytest.approx(np.mean(each[1:]), rel=1e-12)
    assert found.difference == pytest.approx(np.mean(each[1:]) - each[0], rel=1e-12)
    assert found.z == pytest.approx(found.difference / (np.std(each[1:], ddof=1) * math.sqrt(1.2)), rel=1e-12)
    apart = [np.linalg.norm(a - b) for i, a in enumerate(among.points[1]) for b in among.points[1][:i]]
    assert among.width == pytest.approx(np.median(apart))


def test_of_held_out_sets_against_held_out_sets_z_has_mean_0_and_deviation_1():
    """Each of many training sets that the samples know nothing of: a t law with sets − 1 degrees of freedom."""
    rng, runs = np.random.default_rng(5), 400
    found = np.empty(runs)
    for run in range(runs):
        among = two_sample.sets(rng.standard_normal((12, 3)), LAW, run)
        assert among is not None
        found[run] = two_sample.two_sample(rng.standard_normal((40, 3)), among).z
    freedom = two_sample.SETS - 1
    deviation = math.sqrt(freedom / (freedom - 2))
    assert abs(found.mean()) < 4 * deviation / math.sqrt(runs)
    assert abs(found.std() / deviation - 1) < 4 / math.sqrt(2 * runs) * 1.3  # tails a little wider than Gaussian


def test_samples_on_the_training_points_lie_nearer_to_them():
    """Copies of the training set reach about √d standard deviations, whatever its size; other samples none."""
    rng, dim = np.random.default_rng(6), 20
    training = rng.standard_normal((50, dim))
    among = two_sample.sets(training, populations.read("isotropic").law(dim), 0)
    assert among is not None
    copies = np.repeat(training, 4, axis=0) + 0.05 * rng.standard_normal((200, dim))
    assert 3 < two_sample.two_sample(copies, among).z < 7
    assert abs(two_sample.two_sample(rng.standard_normal((200, dim)), among).z) < 3.5


def test_rows_of_an_array_make_disjoint_sets():
    rows = np.random.default_rng(7).standard_normal((40, 3))
    among = two_sample.sets(rows[:20] + 5, Law(rows, np.zeros(3)), 0)
    assert among is not None
    assert (among.size, among.held_out) == (5, 8)
    np.testing.assert_array_equal(np.sort(among.points[1:].reshape(-1, 3), axis=0), np.sort(rows, axis=0))
    assert two_sample.sets(rows, Law(rows[:15], np.zeros(3)), 0) is None


# --- the whole ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def result():
    several = [{"method": "score:noise-online"}, {"method": "data-free"}, {"parameterization": "edm", "start": "zero"}]
    return rfsim.distill(rfsim.Problem(6, 10), [1e3], audit=True, student_features_per_dim=8, variants=several, **SMALL)


def test_the_variables_of_an_audit(result):
    assert result.audit_count.sizes["level"] == 4
    seen = result.audit_count.isel(seed=0, variant=0, distill_time=0)
    assert np.isfinite(seen.sel(level=[1, 2])).all()
    assert np.isnan(seen.sel(level=[3, 4])).all()
    number = {name: seen.sel(audited=name, level=1).item() for name in audit.COUNTS}
    assert number["all"] + number["student and teacher alone"] <= number["student"] <= 24
    assert number["teacher alone"] <= number["teacher"]
    of_jump = result.audit_count.isel(seed=0, variant=1, distill_time=0).sel(level=1)
    assert np.isnan(of_jump.sel(audited="student"))
    assert of_jump.sel(audited="teacher") == number["teacher"]
    assert np.isfinite(result.student_loss_auc.isel(variant=2).sel(level=[1, 2])).all()  # edm is a score too
    assert np.isfinite(result.student_two_sample.isel(variant=1)).all()
    assert result.teacher_loss_auc.sel(level=1) > 0.8
    assert (result.baseline_test > 0).all()
    assert "levels" in json.loads(result.attrs["undefined"])


def test_with_the_teachers_features_the_baseline_is_the_teacher():
    again = rfsim.distill(rfsim.Problem(6, 10), [1e3], audit=True, **SMALL)
    np.testing.assert_array_equal(again.audit_count.sel(audited="teacher alone").values[..., :2], 0)
    assert json.loads(again.attrs["undefined"])["audit.inheritance"] == audit_tables.SAME_FEATURES
    np.testing.assert_array_equal(again.baseline_test, again.teacher_test)


def test_the_answer_has_the_keys_of_an_audit(result):
    found = json.loads(answers.text(distill_answers.answer(result)))["audit"]
    assert list(found) == [
        "quantile", "fresh_points", "training_points", "held_out_sets", "set_size", "teacher", "baseline", "reference",
        "teacher_one_step", "early_teacher", "student",
    ]  # fmt: skip
    assert (found["quantile"], found["fresh_points"], found["training_points"]) == (0.005, 4000, 24)
    (student,) = found["student"]
    assert list(student) == [
        "distill_time", "memorized", "over_baseline", "shared", "inheritance", "predictability", "loss_auc",
        "two_sample",
    ]  # fmt: skip
    assert len(student["memorized"]) == len(found["teacher"]["memorized"]) == 4
    assert student["memorized"][2:] == [None, None]
    assert list(student["two_sample"]) == ["training", "held_out", "difference", "spread", "z"]
    lines = distill_answers.lines(result)
    assert sum(line.startswith("audit ") for line in lines) == 1
