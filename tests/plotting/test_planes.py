"""Planes of two parameters: cells in color, lines where they should be, numbers that do not touch."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import LogNorm, Normalize

from rfsim.plotting import canvas, color_bar, diagonal, plane_line, plane_panel


def plane(psi_n, psi_p, values):
    coords = {
        "features_per_dim": ("features_per_dim", psi_p, {"long_name": "features per dimension ψ_p"}),
        "samples_per_dim": ("samples_per_dim", psi_n, {"long_name": "samples per dimension ψ_n"}),
    }
    return xr.DataArray(values, coords=coords, dims=("features_per_dim", "samples_per_dim"))


def test_cells_without_a_value_are_hatched_and_names_are_those_of_the_coordinates():
    _, ((ax,),) = canvas()
    plane_panel(ax, plane([1.0, 2.0, 4.0], [1.0, 10.0], [[0.1, 1.0, np.nan], [0.2, 0.5, 1.0]]), LogNorm(0.1, 1))
    cells, missing = ax.collections
    assert np.ma.count(cells.get_array()) == 5
    assert np.ma.count(missing.get_array()) == 1
    assert missing.get_hatch()
    assert ax.get_xlabel().startswith("samples per dimension")
    assert ax.get_ylabel().startswith("features per dimension")
    assert ax.get_xscale() == ax.get_yscale() == "log"


def test_inner_panels_have_no_names():
    _, ((ax,),) = canvas()
    plane_panel(ax, plane([1.0, 2.0], [1.0, 2.0], np.eye(2)), Normalize(0, 1), left=False, below=False)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("", "")


def test_numbers_beside_an_axis_have_room():
    values = plane([0.0, *np.geomspace(1e-3, 10, 21)], [1.0, 2.0], np.ones((2, 22)))
    _, ((ax,),) = canvas()
    plane_panel(ax, values, Normalize(0, 1))
    ax.figure.canvas.draw()
    assert [one.get_text() for one in ax.get_xticklabels()] == ["0.01", "0.1", "1", "10", "$0$"]


def test_lines_lie_where_the_values_are():
    psi_n, psi_p = np.geomspace(1, 64, 7), np.geomspace(1, 64, 7)
    values = plane(psi_n, psi_p, np.log(psi_p[:, None] * psi_n))
    _, ((ax,),) = canvas()
    plane_panel(ax, values, Normalize(0, 8))
    plane_line(ax, values, np.log(32.0))
    x, y = ax.lines[-1].get_data()
    assert x * y == pytest.approx(np.full(x.size, 32.0))
    limits = ax.get_xlim(), ax.get_ylim()
    diagonal(ax, 2.0)
    x, y = ax.lines[-1].get_data()
    assert np.array(y) == pytest.approx(2 * np.array(x))
    assert (ax.get_xlim(), ax.get_ylim()) == limits
    # what an axis cannot show takes no part in a line, and one row is no plane
    wide = plane([*psi_n, np.inf], psi_p, np.pad(values.values, ((0, 0), (0, 1)), constant_values=np.nan))
    plane_line(ax, wide, np.log(32.0))
    x, y = ax.lines[-1].get_data()
    assert x * y == pytest.approx(np.full(x.size, 32.0))
    count = len(ax.lines)
    plane_line(ax, values.isel(features_per_dim=[0]), 1.0)
    assert len(ax.lines) == count


@pytest.mark.parametrize("above", [False, True])
def test_a_color_bar_has_plain_numbers_on_either_side(above):
    figure, ((ax,),) = canvas()
    color_bar(figure, [ax], LogNorm(0.01, 3), "L", above=above)
    figure.canvas.draw()
    bar = figure.axes[-1]
    labels = (bar.get_xticklabels if above else bar.get_yticklabels)()
    assert {"0.01", "0.1", "1"} <= {one.get_text() for one in labels}
