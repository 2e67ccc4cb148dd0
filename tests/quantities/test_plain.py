"""Answers and figures of quantities that say nothing of their own: over seeds, of texts, and of what is no line."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from rfsim import plotting
from rfsim.cli import plain_answers
from rfsim.disk import store
from rfsim.plotting import plain_page

SEEDS = [[1.0, 10.0, 100.0], [3.0, 30.0, 300.0]]


def result(**more):
    """A result of a kind that nothing declares, of two seeds."""
    data = xr.Dataset(
        {
            "loss": (("seed", "width"), SEEDS, {"long_name": "loss of $1", "units": "J"}),
            "time": ("seed", [2.0, 4.0]),
            "share": ("name", [0.25, 0.75]),
            "table": (("seed", "width", "name"), np.ones((2, 3, 2))),
            "count": ("row", np.arange(40)),
        }
        | more,
        coords={"seed": [0, 1], "width": [1.0, 2.0, 64.0], "name": ["a", "b"]},
    )
    return store.label(data, "nothing-declared", {"width": 1}, wall_time=0.0)


def test_an_answer_has_means_and_their_errors():
    found = plain_answers.answer(result(undefined=((), np.nan)))
    assert (found["schema"], found["problem"]) == (1, {"width": 1})
    assert (found["loss"], found["time"], found["share"]) == ([2, 20, 200], 3, [0.25, 0.75])
    np.testing.assert_allclose(found["loss_se"], [1, 10, 100])
    assert found["time_se"] == pytest.approx(1)
    assert (found["width"], found["name"], found["undefined"]) == ([1, 2, 64], ["a", "b"], None)
    assert np.shape(found["table"]) == (3, 2)
    assert "seed" not in found
    assert "time_se" not in plain_answers.answer(result().isel(seed=[0]))


def test_lines_have_a_table_for_each_dimension_and_say_what_they_leave_out():
    told = plain_answers.lines(result())
    assert told[:4] == ["time 3", "width  loss", "1      2", "2      20"]
    assert "name  share" in told
    assert told[-1] == "… 10 more rows"
    assert not any("table" in line for line in told)
    assert plain_answers.failed(result()) == []


def test_a_page_has_a_panel_for_each_line():
    page = plain_page.page(result())
    assert list(page.panels) == ["loss", "share", "count"]
    assert page.rows == [["loss", "share"], ["count", "count"]]
    figure, axes = plotting.canvas(rows=1, columns=3)
    for ax, panel in zip(axes[0], page.panels.values(), strict=True):
        panel(ax)
    loss, share, count = axes[0]
    np.testing.assert_allclose(loss.lines[0].get_xydata(), [[1, 2], [2, 20], [64, 200]])
    assert len(loss.collections) == 1  # the standard error over seeds
    assert (loss.get_xscale(), loss.get_yscale(), count.get_yscale()) == ("log", "log", "linear")
    assert (loss.get_xlabel(), loss.get_ylabel()) == ("width", r"loss of \$1 [J]")
    assert [one.get_text() for one in share.get_xticklabels()] == ["a", "b"]
    assert (len(share.collections), count.get_xlabel()) == (0, "row")
    figure.draw_without_rendering()


def test_what_has_no_line_is_refused_in_a_line():
    with pytest.raises(ValueError, match="^this result has no variable along one dimension, of which a line"):
        plain_page.page(result()[["time", "table"]])
