"""The figure of the ridge minimizer beside noise-free inputs."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from rfsim import Problem, plot, theory
from rfsim.plotting.limit_conditions import condition_error_panel, condition_loss_panel

FOUND = theory.conditions(Problem(8, data="condition:16@1", ridge=1e-3), [2.0, 8.0, 100.0])


@pytest.mark.parametrize(
    ("panel", "names", "levels"),
    [
        (condition_loss_panel, ("train", "test"), ("true_test",)),
        (
            condition_error_panel,
            ("mean_error", "predictive_variance", "residual_error"),
            ("true_predictive_variance", "true_residual_error"),
        ),
    ],
)
def test_curves_are_the_results_and_levels_the_true_denoisers(panel, names, levels):
    ax = Figure().subplots()
    panel(ax, FOUND)
    drawn = [line.get_ydata() for line in ax.lines]
    for name in names:
        assert any(np.array_equal(one, FOUND[name]) for one in drawn), name
    for name in levels:
        assert any(np.size(one) == 2 and np.all(np.asarray(one) == float(FOUND[name])) for one in drawn), name
    assert ax.get_xscale() == ax.get_yscale() == "log"


def test_the_page_has_both_and_a_title_of_the_problem():
    figure = plot(FOUND)
    assert len(figure.axes) == 2
    told = figure.get_suptitle()
    assert r"\psi_n=8" in told
    assert "condition:16@1" in told
    assert r"\psi_p=" not in told
