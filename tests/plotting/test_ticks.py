"""An axis with numbers has two of them at least."""

from __future__ import annotations

import numpy as np
import pytest

import rfsim
from rfsim.plotting import canvas
from rfsim.plotting.ticks import between
from tests.plotting.synthetic import ridge
from tests.sweeps.synthetic import sampled


def numbers(axis):
    low, high = sorted(axis.get_view_interval())
    return [
        one
        for minor in (False, True)
        for one, place in zip(axis.get_ticklabels(minor=minor), axis.get_ticklocs(minor=minor), strict=True)
        if one.get_text() and low <= place <= high
    ]


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("low", [1e-7, 0.02, 0.4, 3.0, 999.0, 2e6])
@pytest.mark.parametrize("ratio", [1.001, 1.3, 2.2, 4.0, 9.0, 30.0, 1e4, 1e12])
def test_any_interval_has_two_round_numbers(low, ratio, log):
    found = between(low, low * ratio, log=log)
    assert 2 <= len(found) <= 20
    assert low <= found[0] < found[-1] <= low * ratio * (1 + 1e-9)


@pytest.mark.parametrize("limits", [(0.5, 5.0), (2.0, 4.5), (0.97, 1.04), (3e-6, 9e-6), (2e5, 1.4e6), (0.1, 1e5)])
def test_figures_have_numbers_on_log_axes(limits):
    figure, ((ax,),) = canvas()
    ax.plot([1, 2], [1, 2])
    ax.set(xscale="log", yscale="log", xlim=limits, ylim=limits)
    figure.draw_without_rendering()
    assert len(numbers(ax.xaxis)) >= 2
    assert len(numbers(ax.yaxis)) >= 2


def test_what_was_chosen_one_by_one_stays():
    figure, ((ax,),) = canvas()
    ax.set_xticks([0.5], ["half"])
    ax.set_yticks([])
    figure.draw_without_rendering()
    assert [one.get_text() for one in ax.get_xticklabels()] == ["half"]
    assert not ax.get_yticks().size


@pytest.mark.parametrize("times", [(3e3, 4e3), (1234.5, 1300.25), (1e3, 1e9)])
def test_axes_of_sweeps_have_numbers(times):
    figure = rfsim.plot(sampled(2, 2, times, seeds=1), x="samples_per_dim", y="train_time")
    figure.draw_without_rendering()
    assert all(len(numbers(axis)) >= 2 for axis in (figure.axes[0].xaxis, figure.axes[0].yaxis))


@pytest.mark.parametrize(
    ("best", "flag", "legend"),
    [(0.05, r"$\gamma^\star=0.05$", ""), (50.0, r"$\gamma^\star=50$", ""), (np.inf, "", r"$\gamma^\star=\infty$"),
     (0.0, "", r"$\gamma^\star=0$"), (np.nan, "", "")],
)  # fmt: skip
def test_the_best_ridge_is_told_wherever_it_is(best, flag, legend):
    figure = rfsim.plot(ridge().assign(best_ridge=best))
    figure.draw_without_rendering()
    for ax in figure.axes:
        assert [one.get_text() for one in ax.texts if "star" in one.get_text()] == ([flag] if flag else [])
        told = [one.get_text() for one in ax.get_legend().get_texts() if "star" in one.get_text()]
        assert told == ([legend] if legend else [])
        assert not flag or ax.get_xlim()[0] < best < ax.get_xlim()[1]
