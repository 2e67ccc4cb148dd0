"""Figures of what one call computes for many values: a training at several ridges, the limit over a plane."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from rfsim.disk import store
from rfsim.plotting.families import family_panel
from rfsim.plotting.forms import ready
from rfsim.plotting.layout import figure_of
from rfsim.plotting.looks import LOSS_LOOKS
from rfsim.plotting.pages import Page
from rfsim.plotting.planes import color_bar, plane_panel
from rfsim.plotting.style import number
from rfsim.plotting.sweep_maps import color_norm
from rfsim.quantities.forms import PLANE

LINES = 8  # ridges of one panel that are told apart by their color


def train_ridges(result: xr.Dataset) -> Page:
    """The test loss and its gap over training time, a line for each ridge; of many ridges a few, as the legend says.

    Args:
        result: A stored result of the kind.

    Returns:
        Its panels.
    """
    result = ready(result, "test", "gen")
    ridges = result.ridge.values
    shown = np.unique(np.linspace(0, ridges.size - 1, min(LINES, ridges.size)).round().astype(int))
    family = {rf"$\gamma={number(float(ridges[k]))}$": _at(result, k) for k in shown}
    some = f"{shown.size} of {ridges.size} ridges"
    also = [Line2D([], [], linestyle="none", label=some)] if shown.size < ridges.size else []
    return Page([["test", "gap"]], {"test": _family(family, "test", also), "gap": _family(family, "gen", also)})


def limit_diagram(result: xr.Dataset) -> Page:
    """Test loss and gap over the plane of samples and features, at the last training time.

    Args:
        result: A stored result of the kind.

    Returns:
        Its panels.
    """
    result = ready(result, "test", "gen").isel(train_time=-1)
    when = rf" at $\tau={number(float(result.train_time))}$"
    panels = {name: _plane(result[name], LOSS_LOOKS[name].label + when) for name in ("test", "gen")}
    return Page([list(panels)], panels)


def limit_ridge_plane(result: xr.Dataset) -> Page:
    """Losses of the ridge minimizer over the plane of samples and features.

    Args:
        result: A stored result of the kind.

    Returns:
        Its panels.
    """
    result = ready(result, "train", "test")
    panels = {name: _plane(result[name], LOSS_LOOKS[name].label) for name in ("train", "test")}
    return Page([list(panels)], panels)


def _at(result: xr.Dataset, place: int) -> xr.Dataset:
    """One ridge, as `rfsim.train` gives it."""
    return result.isel(ridge=place, drop=True).assign_attrs({store.KIND: "train"})


def _family(results: Mapping[str, xr.Dataset], loss: str, also: Sequence[Artist]) -> Callable[[Axes], object]:
    return lambda ax: family_panel(ax, results, (loss,), also=also)


def _plane(values: xr.DataArray, label: str) -> Callable[[Axes], object]:
    return partial(_draw_plane, values=values.transpose(*reversed(PLANE)), label=label)


def _draw_plane(ax: Axes, values: xr.DataArray, label: str) -> None:
    norm = color_norm(values.values)
    plane_panel(ax, values, norm)
    color_bar(figure_of(ax), [ax], norm, f"{label} per dimension")
