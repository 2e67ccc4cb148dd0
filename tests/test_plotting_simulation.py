"""Figures of `rfsim.simulate`: what is drawn where there is a filter, where there is none, and where a run diverged."""

from __future__ import annotations

import numpy as np
import pytest

from rfsim import plotting
from rfsim.plotting.simulation import simulation_family, simulation_panel
from rfsim.problem import model
from tests.simulation.synthetic import STOPS, dataset

PROBLEM = model.Problem(noise_copies=2)


def panel(data, *args, **options):
    _, axes = plotting.canvas()
    simulation_panel(axes[0, 0], data, *args, **options)
    return axes[0, 0]


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_losses_are_drawn_with_the_filter_and_a_band_of_errors():
    data = dataset(PROBLEM, seeds=2)
    ax = panel(data)
    assert labels(ax)[-1] == "filter"
    assert len(ax.lines) == 4
    assert len(ax.collections) == 2
    np.testing.assert_allclose(ax.lines[0].get_xdata(), STOPS[1:])
    np.testing.assert_allclose(ax.lines[0].get_ydata(), data.train.mean("seed")[1:])
    ax = panel(dataset(PROBLEM, exact=False), clock="train_time")
    assert "filter" not in labels(ax)
    np.testing.assert_allclose(ax.lines[0].get_xdata(), STOPS[1:] / 2)
    np.testing.assert_allclose(panel(data, clock="step_per_sample").lines[0].get_xdata(), STOPS[1:] / 12)


def test_a_family_in_units_of_its_own_on_another_clock():
    data = dataset(PROBLEM)
    _, axes = plotting.canvas()
    ax = axes[0, 0]
    family = {"a": data, "b": data.assign(exact_train=data.exact_train * np.nan)}
    simulation_family(ax, family, "train", clock="step_per_sample", unit={"a": 1.0, "b": 0.5}, exact=True)
    found = {line.get_label(): line.get_xydata() for line in ax.get_lines()}
    np.testing.assert_allclose(found["b"][:, 0], STOPS[1:] / 12)
    np.testing.assert_allclose(found["b"][:, 1], 2 * found["a"][:, 1])
    assert found["filter"].shape == (len(STOPS) - 1, 2)


def test_what_runs_off_leaves_the_rest_to_be_seen():
    data = dataset(PROBLEM, diverged={"0": "diverged at step 3"})
    data["train"] = data.train * 100.0**data.step  # 50, 3333 after steps 1 and 2
    data["exact_test"] = -data.exact_test * 1e20**data.step
    ax = panel(data)
    low, high = ax.get_ylim()
    assert -0.2 < low < 0 < data.test[0, 1] < high < 1.2
    data["train"] = data.train * np.nan
    assert np.isfinite(panel(data).get_ylim()).all()


@pytest.mark.parametrize("steps", [1, 2])
def test_a_run_of_one_step_is_drawn(steps):
    data = dataset(PROBLEM).isel(step=slice(0, steps + 1))
    ax = panel(data)
    ax.figure.draw_without_rendering()
    low, high = ax.get_xlim()
    assert low < 1 <= high


def test_what_cannot_be_drawn_is_refused():
    data = dataset(PROBLEM)
    with pytest.raises(ValueError, match="a loss of a simulation is one of train, test, gen; got 'score'"):
        panel(data, ("score",))
    with pytest.raises(ValueError, match="clock must be one of step, step_per_sample, train_time; got 'wall'"):
        panel(data, clock="wall")
    with pytest.raises(ValueError, match="steps are those of a result of rfsim.simulate"):
        panel(data.assign_attrs(rfsim_kind="train"))
