"""Students of every level in the limit: recorded losses, the teacher at level 1, energies by part, finite times."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rfsim.limit.leakage import around
from rfsim.limit.minimizer import ridge_losses
from rfsim.limit.students import energies, losses
from tests.theory.steps import down, students

TWO = (8, 32, (0.02, 0.05, 0.1))


def test_level_one_is_its_teacher():
    found = down(*TWO)
    one = losses(found, students(found, math.inf, 0.0))
    direct = ridge_losses(found.levels[1].limit, 0.0)
    assert one.train[0] == pytest.approx(float(direct.train[0]), rel=1e-9)
    assert one.test[0] == pytest.approx(float(direct.test[0]), rel=1e-9)


@pytest.mark.parametrize(
    ("ridge", "test", "train", "error"),
    [
        (0, 1.9036, 0.5050, 0.0881),
        (0.01, 1.1779, 0.5539, 0.0324),
        (0.1, 0.8483, 0.7370, 0.0039),
        (0.5, 0.8322, 0.7943, 0.0013),
    ],
)
def test_two_levels_have_the_recorded_losses(ridge, test, train, error):
    found = down(*TWO)
    one = losses(found, students(found, math.inf, ridge))
    assert one.test[1] == pytest.approx(test, abs=6e-5)
    assert one.train[1] == pytest.approx(train, abs=6e-5)
    assert one.map_error[1] == pytest.approx(error, abs=6e-5)


@pytest.mark.slow
def test_four_levels_have_the_recorded_losses():
    found = down(8, 32, tuple(np.geomspace(0.02, 0.4, 5).tolist()))
    for ridge, test, error in (
        (0, 0.5780, 0.191),
        (0.01, 0.4882, 0.0755),
        (0.1, 0.4754, 0.0191),
        (0.5, 0.4887, 0.0091),
    ):
        one = losses(found, students(found, math.inf, ridge))
        assert one.test[-1] == pytest.approx(test, abs=6e-5)
        assert one.map_error[-1] == pytest.approx(error, rel=3e-3)


@pytest.mark.parametrize(("time", "test"), [(1e2, 0.89674), (1e4, 0.84258), (1e6, 1.60956)])
def test_students_that_stop_early_have_the_recorded_losses(time, test):
    found = down(*TWO)
    assert losses(found, students(found, time, 0.0), from_teacher=False).test[1] == pytest.approx(test, abs=6e-6)


def test_a_student_that_has_hardly_begun_is_what_it_starts_from():
    found = down(*TWO)
    start, zero = (losses(found, students(found, 1e-3, 0.0), from_teacher=own) for own in (True, False))
    direct = [float(ridge_losses(one.limit, 0.0).test[0]) for one in found.levels[1:]]
    np.testing.assert_allclose(start.test, direct, rtol=1e-4)
    np.testing.assert_allclose(zero.test, 1, rtol=1e-4)


def test_energies_by_part_have_the_recorded_ratios():
    found = down(*TWO)
    parts = [around(one) for one in found.levels[1:]]
    for ridge, ratios in ((0.0, (1.140, 0.906, 1.102)), (0.01, (0.323, 0.506, 0.960)), (0.1, (0.0107, 0.056, 0.788))):
        (_, (student, teacher)) = energies(found, students(found, math.inf, ridge), parts)
        assert parts[1].names == ("null", "mini", "main", "gen")
        np.testing.assert_allclose(student[1:] / teacher[1:], ratios, rtol=6e-3)
        assert abs(teacher[0]) < 1e-9
        if ridge == 0:
            assert student[0] == pytest.approx(0.00094, rel=6e-3)


def test_energies_by_part_add_up():
    """Over all parts: (1/d) Tr b U bᵀ, which L_train knows as well."""
    found = down(*TWO)
    trained = students(found, math.inf, 0.1)
    one = losses(found, trained)
    parts = [around(level) for level in found.levels[1:]]
    for k, (student, _) in enumerate(energies(found, trained, parts)):
        level, out = found.levels[k + 1], found.out(k + 1)
        # the map's error and L_test share the cross term; L_train − L_test is Δ(bUb − bŨb)
        growth = math.exp(level.time - found.levels[0].time) - 1
        own = 2 * math.sqrt(level.noise) * level.b
        # solve L_test and map_error for bW and bŨb
        matrix = np.array([[-own, level.noise], [-2 * growth * out * level.a, out**2]])
        _, square = np.linalg.solve(matrix, [one.test[k] - 1, one.map_error[k] - growth**2])
        assert student.sum() == pytest.approx(square + (one.train[k] - one.test[k]) / level.noise, rel=1e-7)
