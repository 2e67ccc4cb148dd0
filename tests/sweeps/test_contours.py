"""Level lines as data, held against fields whose lines are known."""

from __future__ import annotations

import numpy as np
import pytest

from rfsim.maps.contours import level_lines


def test_a_power_law_is_exact_between_points_of_log_axes():
    x, y = np.geomspace(1, 64, 4), np.geomspace(2, 300, 3)
    lines = level_lines(x, y, y[:, None] / x, 3.7, log=(True, True), log_values=True)
    np.testing.assert_allclose(lines.y / lines.x, 3.7, rtol=1e-12)
    assert float(lines.x.max()) == pytest.approx(64)  # through the plane, from the lower edge to the right one
    assert float(lines.y.min()) == pytest.approx(2 * 3.7 / 3.7 * max(1, 3.7 / 2), rel=1e-12)
    assert lines.attrs == {}
    assert float(lines.level) == 3.7


def test_without_logarithms_the_same_line_is_bent():
    x, y = np.geomspace(1, 64, 4), np.geomspace(2, 300, 3)
    lines = level_lines(x, y, y[:, None] / x, 3.7)
    assert np.abs(lines.y / lines.x - 3.7).max() > 0.1


def test_a_circle_closes_and_its_error_falls_as_the_square_of_the_spacing():
    def error(points):
        axis = np.linspace(-1.5, 1.5, points)
        lines = level_lines(axis, axis, axis[:, None] ** 2 + axis**2, 1.0)
        assert (lines.piece == 0).all()
        assert lines.x[0] == lines.x[-1]
        assert lines.y[0] == lines.y[-1]
        return float(np.abs(np.hypot(lines.x, lines.y) - 1).max())

    coarse, fine = error(20), error(39)  # half the spacing
    assert 3 < coarse / fine < 5
    assert coarse < 0.01


def test_two_branches_are_two_pieces():
    axis = np.linspace(-2, 2, 40)
    lines = level_lines(axis, axis, axis[:, None] * axis, 1.0)
    assert sorted(np.unique(lines.piece)) == [0, 1]
    for piece in (0, 1):
        here = lines.where(lines.piece == piece, drop=True)
        assert np.ptp(np.sign(here.x.values)) == 0
        np.testing.assert_allclose(here.x * here.y, 1, atol=0.02)


def test_lines_avoid_what_is_not_known():
    axis = np.arange(6.0)
    field = np.broadcast_to(axis, (6, 6)).copy()
    assert level_lines(axis, axis, field, 2.5).sizes["point"] == 6
    field[3, 3] = np.nan
    lines = level_lines(axis, axis, field, 2.5)
    assert not (lines.y == 3).any()  # it would pass beside the unknown point
    assert set(np.unique(lines.piece)) == {0, 1}
    assert level_lines(axis, axis, np.full((6, 6), np.nan), 2.5).sizes["point"] == 0
    assert level_lines(axis, axis[:1], field[:1], 2.5).sizes["point"] == 0
    assert level_lines(axis, axis, field, 99.0).sizes["point"] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([1, 2], [1, 2], [[1, 2]], 1), r"shape \(y, x\), \(2, 2\); got \(1, 2\)"),
        (([0, 2], [1, 2], [[1, 2], [1, 2]], 1), "x must be positive"),
        (([2, 1], [1, 2], [[1, 2], [1, 2]], 1), "x must increase"),
        (([1, 2], [1, 2], [[1, 2], [1, 2]], 0), "level of a positive quantity must be positive; got 0"),
    ],
)
def test_what_has_no_lines_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        level_lines(*arguments, log=(True, True), log_values=True)
