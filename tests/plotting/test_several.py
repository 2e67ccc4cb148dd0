"""Figures of what one call computes for many values."""

from __future__ import annotations

import numpy as np
import pytest

import rfsim
from rfsim.disk import store

TIMES = [0.0, 1.0, 100.0, 1e4, float("inf")]
PROBLEM = rfsim.Problem(samples_per_dim=2, features_per_dim=4, diffusion_time=0.1)


def lines(ax):
    return {line.get_label(): line.get_ydata() for line in ax.lines if not line.get_label().startswith("_")}


def test_a_training_at_several_ridges_has_a_line_for_each(tmp_path):
    result = rfsim.train(PROBLEM, TIMES, dim=4, ridges=[0.0, 0.1, 1.0], seeds=2)
    store.save(result, tmp_path / "result.nc")
    figure = rfsim.plot(tmp_path / "result.nc")
    test, gap = figure.axes
    found = lines(test)
    assert list(found) == [r"$\gamma=0$", r"$\gamma=0.1$", r"$\gamma=1$"]
    for values, one in zip(found.values(), result.test.mean("seed").transpose("ridge", ...).values, strict=True):
        np.testing.assert_allclose(values, one[1:4])
    np.testing.assert_allclose(lines(gap)[r"$\gamma=1$"], result.gen.mean("seed").sel(ridge=1.0).values[1:4])
    assert r"\gamma" not in figure.get_suptitle()


def test_of_many_ridges_a_few_are_drawn_and_the_legend_says_so():
    result = rfsim.train(PROBLEM, TIMES, dim=3, ridges=np.geomspace(1e-3, 10, 20))
    figure = rfsim.plot(result)
    drawn = lines(figure.axes[0])
    assert len(drawn) == 8
    assert {r"$\gamma=0.001$", r"$\gamma=10$"} <= set(drawn)
    assert "8 of 20 ridges" in [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


@pytest.mark.parametrize("kind", ["diagram", "ridge_plane"])
def test_planes_of_the_limit_are_maps_of_their_values(kind):
    grid = {"samples_per_dim": [2.0, 4.0, 8.0], "features_per_dim": [4.0, 16.0]}
    if kind == "diagram":
        result = rfsim.theory.diagram(PROBLEM, **grid, train_times=[10.0, 1e3])
        names, expected = ("test", "gen"), result.isel(train_time=-1)
    else:
        result = rfsim.theory.ridge_plane(PROBLEM.__class__(2, 4, diffusion_time=0.1, ridge=0.1), **grid)
        names, expected = ("train", "test"), result
    figure = rfsim.plot(result)
    maps = [ax for ax in figure.axes if ax.get_xlabel()]
    for ax, name in zip(maps, names, strict=True):
        (cells,) = ax.collections
        np.testing.assert_allclose(
            np.asarray(cells.get_array()).ravel(), expected[name].transpose("features_per_dim", ...).values.ravel()
        )
