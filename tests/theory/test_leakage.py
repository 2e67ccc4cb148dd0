"""Leakage, instability and the ridge that is enough in the limit: recorded values, closed forms, exact cases."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rfsim.limit.leakage import around, closed_form, enough_ridge, instability, leakage
from tests.theory.steps import between

RIDGES = [0, 0.1, 0.5, 2, 10]


def leaked(*where, **how):
    now, before, trained, _, constants = between(*where, **how)
    return leakage(now, before, constants, trained, RIDGES, around(now, bounded=not trained.ended), around(before))


def test_what_gen_leaks_has_the_recorded_shares():
    found = leaked(8, 32, 0.1, 0.05)
    assert found.names == ("null", "mini", "main", "gen")
    np.testing.assert_allclose(found.lost, [0.7529, 0.1038, 0.00754, 6.72e-4, 6.90e-5], rtol=1e-3)
    # on null 2.44e-6 in draws; contours whose error is below 1e-11 give 2.42206e-6
    np.testing.assert_allclose(found.shares[0, :3], [2.42206e-6, 0.683213, 0.0696414], rtol=2e-3)
    np.testing.assert_allclose(found.shares.sum(-1), 1, rtol=1e-12)


def test_merged_parts_meet_a_blind_prediction():
    found = leaked(6, 24, 0.15, 0.08)
    assert found.names == ("null", "mini+main", "gen")
    np.testing.assert_allclose(found.lost, [0.6707, 0.0946, 0.00721, 6.91e-4, 8.44e-5], rtol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(("time", "lost"), [(1e3, 0.156), (3e3, 0.475), (1e4, 0.7177), (1e6, 0.753)])
def test_a_teacher_that_stops_early_leaks_less(time, lost):
    assert leaked(8, 32, 0.1, 0.05, time=time).lost[0] == pytest.approx(lost, rel=4e-3)


@pytest.mark.parametrize("how", [{}, {"ridge": 0.1}, pytest.param({"time": 3e3}, marks=pytest.mark.slow)], ids=str)
def test_null_directions_are_unstable_by_a_closed_form(how):
    now, _, trained, found, constants = between(8, 32, 0.1, 0.05, **how)
    values = instability(now, constants, found, trained, around(now, bounded=not trained.ended))
    one = constants
    exact = ((now.s - one.s1 + one.a_y * found.c1 * now.s) ** 2 + one.rho_new**2 + one.s2**2) / now.s**2
    assert values["null"] == pytest.approx(exact, rel=1e-8)


def test_mini_is_the_least_stable_part_in_the_limit():
    now, _, trained, found, constants = between(8, 32, 0.1, 0.05)
    values = instability(now, constants, found, trained, around(now))
    expected = {"null": 0.0400, "mini": 0.0486, "main": 0.0127, "gen": 0.0071}
    assert values == pytest.approx(expected, abs=6e-5)


@pytest.mark.parametrize(
    ("where", "exact", "closed"),
    [
        ((8, 32, 0.1, 0.05), (0.103, 0.426, 1.58), (0.110, 0.425, 1.52)),
        pytest.param((16, 64, 0.1, 0.05), (0.155, 0.601, 2.12), (0.164, 0.603, 2.08), marks=pytest.mark.slow),
        pytest.param((4, 16, 0.5, 0.1), (0.173, 0.704, 3.16), (0.157, 0.632, 2.74), marks=pytest.mark.slow),
        pytest.param((8, 32, 0.1, 0.09), (0, 0.047, 0.213), (0.002, 0.055, 0.221), marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_the_ridge_that_is_enough_has_the_recorded_values(where, exact, closed):
    now, before, trained, _, constants = between(*where)
    table = leakage(now, before, constants, trained, RIDGES, around(now), around(before))
    form = closed_form(now, constants, trained)
    for threshold, wanted, short in zip((0.1, 0.01, 0.001), exact, closed, strict=True):
        found = enough_ridge(table, threshold)
        assert found == pytest.approx(wanted, rel=6e-3, abs=6e-4)
        if wanted > 0:
            assert table.at(found).lost == pytest.approx(threshold, rel=1e-8)
        assert form.ridge(threshold) == pytest.approx(short, rel=6e-3, abs=6e-4)


@pytest.mark.parametrize(
    ("where", "ridge", "worst", "star"),
    [
        ((8, 32, 0.1, 0.05), 0.0, 0.115, -0.002),
        ((2, 8, 0.1, 0.09), 0.0, 0.565, 0.585),
        ((4, 64, 0.05, 0.025), 0.0, -0.204, -0.069),
        ((16, 256, 0.5, 0.1), 0.0, -0.202, -0.113),
        ((8, 32, 0.1, 0.05), 0.1, -0.672, -0.309),
        ((2, 32, 0.4, 0.2), 0.1, -0.158, -0.074),
    ],
    ids=str,
)
def test_closed_forms_are_as_far_as_the_table_of_the_equations_tells(where, ridge, worst, star):
    now, before, trained, _, constants = between(*where, ridge=ridge)
    table = leakage(now, before, constants, trained, RIDGES, around(now), around(before))
    form = closed_form(now, constants, trained)
    errors = form.leakage(RIDGES) / table.lost - 1
    assert errors[np.argmax(np.abs(errors))] == pytest.approx(worst, abs=6e-4)
    assert form.ridge(0.01) / enough_ridge(table, 0.01) - 1 == pytest.approx(star, abs=6e-4)


def test_closed_leakage_and_its_floor():
    now, before, trained, _, constants = between(8, 32, 0.1, 0.05)
    form = closed_form(now, constants, trained)
    np.testing.assert_allclose(form.leakage([0, 0.1, 0.5]), [0.816, 0.1158, 0.00745], rtol=1e-3)
    floor = form.kappa**2 / (1 + form.kappa**2)
    assert form.leakage(1e12) == pytest.approx(floor, rel=1e-6)
    assert math.isnan(form.ridge(0.9 * floor))
    assert form.ridge(0.9) == 0
    table = leakage(now, before, constants, trained, RIDGES, around(now), around(before))
    assert table.floor == pytest.approx(1.26e-5, rel=5e-3)
    assert table.at(1e9).lost == pytest.approx(table.floor, rel=1e-5)
    assert math.isnan(enough_ridge(table, 0.9 * table.floor))
    assert enough_ridge(table, 0.8) == 0
