"""Panels take one name as a name and not as its letters, and refuse what is none."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from rfsim import plotting
from rfsim.plotting.forms import several
from tests.plotting.synthetic import ridge, sample


def lines(draw):
    ax = Figure().subplots()
    draw(ax)
    return [(line.get_label(), list(line.get_ydata())) for line in ax.lines if "_" in line.get_label()[1:]]


ONE = {  # of each panel that takes names: by one name alone, and in a list
    "loss_panel": lambda ax, name: plotting.loss_panel(ax, sample(), name),
    "family_panel": lambda ax, name: plotting.family_panel(ax, {"a": sample()}, name),
    "ridge_panel": lambda ax, name: plotting.ridge_panel(ax, ridge(), name),
}


@pytest.mark.parametrize("panel", ONE)
def test_one_name_is_a_list_of_one(panel):
    assert lines(lambda ax: ONE[panel](ax, "test")) == lines(lambda ax: ONE[panel](ax, ["test"]))


def test_one_part_is_a_list_of_one():
    for draw in (plotting.spectrum_panel, plotting.part_histograms):
        one, other = Figure().subplots(), Figure().subplots()
        if draw is plotting.spectrum_panel:
            draw(one, sample(), parts="gen")
            draw(other, sample(), parts=["gen"])
            assert one.get_xlim() == other.get_xlim()
        else:
            assert list(draw(sample(), parts="gen")[1]) == ["gen"]


@pytest.mark.parametrize("panel", ONE)
def test_what_is_no_loss_is_refused_with_the_nearest(panel):
    with pytest.raises(ValueError, match=r"^a loss is one of train, test, .*; got 'tset'; did you mean 'test'\?$"):
        ONE[panel](Figure().subplots(), "tset")


def test_a_family_is_results_by_label():
    with pytest.raises(ValueError, match="a family is results by their label, such as .*; got a Result"):
        plotting.family_panel(Figure().subplots(), sample(), "test")
    assert several("train") == ("train",)
